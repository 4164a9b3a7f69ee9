//! One connection to Redis, with the scripts that are run there.
//!
//! Invariants: asks are sent one batch after the other, each with its answers awaited; a connection on which an answer
//! did not come in time is not used again, so an answer is never taken for another's. The address is in no message.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, Pipeline,
    RedisError, Value, cmd,
};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use waypost_policies::limits::exchange::LEARNING;
use waypost_policies::limits::{Answer, Ask, Measure, Verdict};

/// How long Redis may take to answer, and a connection to stand.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);
/// How long a bucket is kept once it says nothing any more, in milliseconds: an hour.
const MARGIN: u64 = 3_600_000;
/// How long a life is kept without any replica, in milliseconds: longer than the longest window.
const LIFE: u64 = 62 * 86_400_000;
const LEASE: &str = include_str!("lease.lua");
const BEAT: &str = include_str!("life.lua");

/// Where Redis is.
#[derive(Clone)]
pub(crate) struct Place {
    info: ConnectionInfo,
    tls: Option<Arc<ClientConfig>>,
    /// What the keys of this deployment begin with.
    prefix: String,
}

/// Why Redis cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("no answer within {} ms", PATIENCE.as_millis())]
    Late,
    #[error("{0}")]
    Refused(#[from] RedisError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its answer is none of this version's scripts")]
    Garbled,
}

impl Place {
    /// Reads an address such as `rediss://user:password@host:6379/0`. Whom TLS trusts is in `tls`.
    pub(crate) fn read(address: &str, namespace: &str, mut tls: ClientConfig) -> Option<Self> {
        let plain = ["rediss://", "valkeys://"].iter().find_map(|scheme| {
            let rest = address.strip_prefix(scheme)?;
            Some(format!("redis://{rest}"))
        });
        let has_tls = plain.is_some();
        let address = plain.unwrap_or_else(|| address.to_owned());
        let info = address.as_str().into_connection_info().ok()?;
        tls.alpn_protocols.clear();
        Some(Self {
            info,
            tls: has_tls.then(|| Arc::new(tls)),
            // Braces: in a cluster all keys are in one place.
            prefix: format!("waypost:1:{{{namespace}}}"),
        })
    }

    /// Whether it is the same place.
    pub(super) fn is(&self, other: &Self) -> bool {
        let settings = |place: &Self| {
            let settings = place.info.redis_settings();
            (
                settings.db(),
                settings.username().map(str::to_owned),
                settings.password().map(str::to_owned),
            )
        };
        self.info.addr() == other.info.addr()
            && settings(self) == settings(other)
            && self.prefix == other.prefix
            && self.tls.is_some() == other.tls.is_some()
    }
}

/// How far a Redis has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) name: String,
    /// Whether it only learns what replicas know.
    pub(super) is_learning: bool,
    /// Its clock, in microseconds since 1970.
    pub(super) now: i64,
}

/// An ask, for whom, and of which bucket.
pub(super) struct Request {
    pub(super) lessee: u64,
    pub(super) bucket: (u128, u128),
    pub(super) ask: Ask,
}

/// A connection, while it is good.
pub(super) struct Link {
    connection: MultiplexedConnection,
    /// Reads and writes; ended with this.
    _driver: JoinSet<()>,
    lease: String,
    beat: String,
    prefix: String,
}

impl Link {
    /// Connects, and gives Redis the scripts.
    pub(super) async fn open(place: &Place) -> Result<Self, LinkError> {
        timeout(PATIENCE, Self::connect(place))
            .await
            .map_err(|_| LinkError::Late)?
    }

    async fn connect(place: &Place) -> Result<Self, LinkError> {
        let stream = dial(place).await?;
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let settings = place.info.redis_settings();
        let (mut connection, driver) = drive(MultiplexedConnection::new_with_config(
            settings, stream, config,
        ))
        .await?;
        let mut load = Pipeline::new();
        for script in [LEASE, BEAT] {
            load.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        let (lease, beat): (String, String) = load.query_async(&mut connection).await?;
        Ok(Self {
            connection,
            _driver: driver,
            lease,
            beat,
            prefix: place.prefix.clone(),
        })
    }

    fn life_key(&self) -> String {
        format!("{}:life", self.prefix)
    }

    /// Says that this replica is there. `name` is for a life that begins.
    pub(super) async fn beat(&mut self, name: &str) -> Result<Life, LinkError> {
        let mut beat = cmd("EVALSHA");
        beat.arg(&self.beat).arg(1).arg(self.life_key());
        beat.arg(name).arg(LIFE);
        let answer = beat.query_async(&mut self.connection);
        let (name, born, now): (String, i64, i64) = timeout(PATIENCE, answer)
            .await
            .map_err(|_| LinkError::Late)??;
        Ok(Life {
            name,
            is_learning: now < born.saturating_add(LEARNING),
            now,
        })
    }

    /// Whether it may forget what it was told, to make room for other things.
    pub(super) async fn evicts(&mut self) -> Result<bool, LinkError> {
        let mut info = cmd("INFO");
        info.arg("memory");
        let answer = info.query_async(&mut self.connection);
        let text: String = timeout(PATIENCE, answer)
            .await
            .map_err(|_| LinkError::Late)??;
        let mut lines = text.lines();
        let policy = lines.find_map(|line| line.strip_prefix("maxmemory_policy:"));
        Ok(policy.is_some_and(|policy| policy.trim() != "noeviction"))
    }

    /// Asks, all at once; the answers come in the same order.
    pub(super) async fn ask(
        &mut self,
        replicas: u32,
        requests: &[Request],
    ) -> Result<Vec<Answer>, LinkError> {
        let mut batch = Pipeline::with_capacity(requests.len());
        for request in requests {
            self.add(&mut batch, replicas, request);
        }
        let answers = batch.query_async(&mut self.connection);
        let answers: Vec<Value> = timeout(PATIENCE, answers)
            .await
            .map_err(|_| LinkError::Late)??;
        let answers: Option<Vec<Answer>> = answers.iter().map(read).collect();
        answers
            .filter(|answers| answers.len() == requests.len())
            .ok_or(LinkError::Garbled)
    }

    fn add(&self, batch: &mut Pipeline, replicas: u32, request: &Request) {
        let Request {
            lessee,
            bucket: (quota, key),
            ask,
        } = request;
        let (kind, size, length) = match ask.measure {
            Measure::Rolling {
                amount,
                microseconds,
            } => ("rolling", i128::from(amount), i128::from(microseconds)),
            Measure::Calendar { start, end } => ("calendar", start.into(), end.into()),
        };
        batch
            .cmd("EVALSHA")
            .arg(&self.lease)
            .arg(2)
            .arg(self.life_key())
            .arg(format!("{}:bucket:{quota:032x}:{key:032x}", self.prefix))
            .arg(format!("{lessee:016x}"))
            .arg(replicas)
            .arg(LEARNING)
            .arg(MARGIN)
            .arg(kind)
            .arg(size.to_string())
            .arg(length.to_string());
        for number in [
            ask.serial, ask.taken, ask.need, ask.least, ask.extra, ask.bound, ask.debt, ask.give,
        ] {
            batch.arg(number);
        }
        batch.arg(ask.give_since).arg(ask.floor).arg(ask.heard);
        batch.arg(ask.heard_at);
    }
}

/// Sets a connection up while its other half runs.
async fn drive<F>(
    setup: impl Future<Output = Result<(MultiplexedConnection, F), RedisError>>,
) -> Result<(MultiplexedConnection, JoinSet<()>), RedisError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (connection, driver) = setup.await?;
    let mut running = JoinSet::new();
    running.spawn(driver);
    Ok((connection, running))
}

/// A line to Redis, whatever it is made of.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

async fn dial(place: &Place) -> Result<Box<dyn Line>, LinkError> {
    match place.info.addr() {
        ConnectionAddr::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            // What is sent is sent whole: nothing is gained by waiting for more.
            stream.set_nodelay(true)?;
            let Some(tls) = &place.tls else {
                return Ok(Box::new(stream));
            };
            let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
            let connector = TlsConnector::from(Arc::clone(tls));
            Ok(Box::new(connector.connect(name, stream).await?))
        }
        #[cfg(unix)]
        ConnectionAddr::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        _ => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
    }
}

fn read(value: &Value) -> Option<Answer> {
    let Value::Array(parts) = value else {
        return None;
    };
    let mut numbers = parts.iter().map(|part| match part {
        Value::Int(number) => Some(*number),
        _ => None,
    });
    let mut next = || numbers.next().flatten();
    let verdict = match next()? {
        0 => Verdict::Done,
        1 => Verdict::Late,
        2 => Verdict::NotNow,
        3 => Verdict::Learning,
        _ => return None,
    };
    Some(Answer {
        verdict,
        granted: u64::try_from(next()?).ok()?,
        committed: u64::try_from(next()?).ok()?,
        now: next()?,
    })
}
