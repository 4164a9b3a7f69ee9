//! Sends calls over kept connections, each as soon as the one before it was answered.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::calls::{Answer, CALLERS, request};
use crate::http::Connection;
use crate::process::Process;

/// Calls of each connection before anything counts.
const WARM_UP: usize = 10;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) body: usize,
    pub(crate) answer: Answer,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Taken {
    /// How long each call took, in order of length.
    pub(crate) latencies: Vec<Duration>,
    pub(crate) elapsed: Duration,
    /// What the peer computed meanwhile.
    pub(crate) cpu: Duration,
}

impl Load {
    /// What it is called on the command line.
    pub(crate) fn name(self) -> String {
        let answer = self.answer.word();
        format!("{answer}-{}KiB-{}", self.body >> 10, self.connections)
    }

    /// Sends it for a while.
    pub(crate) async fn run(
        self,
        address: SocketAddr,
        process: Option<&Process>,
        time: Duration,
    ) -> Result<Taken, String> {
        let mut clients = Vec::new();
        for caller in 0..self.connections {
            let caller = caller % CALLERS;
            let client = Client::open(address, request(caller, self.body, self.answer)).await;
            clients.push(client.map_err(|error| error.to_string())?);
        }
        let clients = together(clients, |client| client.calls(WARM_UP)).await?;
        let used = || process.map_or(Ok(Duration::ZERO), Process::cpu);
        let (before, started) = (used()?, Instant::now());
        let end = started + time;
        let clients = together(clients, move |client| client.calls_until(end)).await?;
        let elapsed = started.elapsed();
        let cpu = used()?.saturating_sub(before);
        let latencies = clients.into_iter().flat_map(|client| client.latencies);
        let mut latencies: Vec<Duration> = latencies.collect();
        latencies.sort_unstable();
        Ok(Taken {
            latencies,
            elapsed,
            cpu,
        })
    }
}

impl Taken {
    /// The latency that this share of calls is not above.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let index = (share * last as f64).round() as usize;
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

/// Opens streams that say one thing and stay; they end when they are dropped.
pub(crate) async fn hold(address: SocketAddr, streams: usize) -> Result<Vec<Client>, String> {
    let mut held = Vec::new();
    for caller in 0..streams {
        let request = request(caller % CALLERS, 1 << 10, Answer::Held);
        let open = async {
            let mut client = Client::open(address, request).await?;
            client.begin().await?;
            io::Result::Ok(client)
        };
        held.push(
            open.await
                .map_err(|error| format!("stream {caller}: {error}"))?,
        );
    }
    Ok(held)
}

/// Whether one call is answered.
pub(crate) async fn probe(address: SocketAddr) -> Result<(), String> {
    let client = Client::open(address, request(0, 1 << 10, Answer::Whole)).await;
    let client = client.map_err(|error| error.to_string())?;
    client
        .calls(1)
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Runs all clients at one time on this thread, and gives them back.
async fn together<F>(
    clients: Vec<Client>,
    work: impl Fn(Client) -> F + 'static,
) -> Result<Vec<Client>, String>
where
    F: Future<Output = io::Result<Client>> + 'static,
{
    let tasks = LocalSet::new();
    let work = Rc::new(work);
    let running: Vec<_> = clients
        .into_iter()
        .map(|client| {
            let work = Rc::clone(&work);
            tasks.spawn_local(async move { work(client).await })
        })
        .collect();
    let finished = async {
        let mut clients = Vec::new();
        for task in running {
            let client = task.await.map_err(|error| error.to_string())?;
            clients.push(client.map_err(|error| error.to_string())?);
        }
        Ok(clients)
    };
    tasks.run_until(finished).await
}

/// One connection and its caller.
#[derive(Debug)]
pub(crate) struct Client {
    connection: Connection,
    request: Vec<u8>,
    latencies: Vec<Duration>,
}

impl Client {
    async fn open(address: SocketAddr, request: Vec<u8>) -> io::Result<Self> {
        Ok(Self {
            connection: Connection::new(TcpStream::connect(address).await?)?,
            request,
            latencies: Vec::new(),
        })
    }

    async fn calls(mut self, count: usize) -> io::Result<Self> {
        for _ in 0..count {
            self.call().await?;
        }
        Ok(self)
    }

    async fn calls_until(mut self, end: Instant) -> io::Result<Self> {
        let mut started = Instant::now();
        while started < end {
            self.call().await?;
            let now = Instant::now();
            self.latencies.push(now - started);
            started = now;
        }
        Ok(self)
    }

    async fn call(&mut self) -> io::Result<()> {
        let head = self.send().await?;
        let length = self.connection.body(&head).await?;
        match length {
            0 => Err(io::Error::other("an answer is empty")),
            _ => Ok(()),
        }
    }

    async fn begin(&mut self) -> io::Result<()> {
        self.send().await?;
        self.connection.first_byte().await
    }

    async fn send(&mut self) -> io::Result<String> {
        self.connection.write(&self.request).await?;
        let head = self.connection.head().await?;
        let head = head.ok_or(io::ErrorKind::UnexpectedEof)?;
        match head.starts_with("HTTP/1.1 200 ") {
            true => Ok(head),
            false => Err(io::Error::other(format!("no answer but\n{head}"))),
        }
    }
}
