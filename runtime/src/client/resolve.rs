//! Finds the addresses of a name.
//!
//! Invariants: no address is used for longer than a few seconds without a new look, so that a name that moves is followed;
//! where a look fails, what the last one found goes on for a while: a resolver that is away is no reason to fail calls.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::lookup_host;

/// How long a look holds. The system's resolver does not tell how long the name's owner wants it to.
const FRESH: Duration = Duration::from_secs(5);
/// For how long old addresses are better than none.
const USABLE: Duration = Duration::from_secs(300);
/// Names that were not asked for lately are forgotten when there are more than this.
const MOST_NAMES: usize = 1024;

/// The addresses of names.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    known: Mutex<HashMap<(Box<str>, u16), Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    addresses: Arc<[SocketAddr]>,
    seen: Instant,
}

impl Resolver {
    /// Where to connect, in the order in which to try; not empty.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> io::Result<Arc<[SocketAddr]>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Arc::new([SocketAddr::new(address, port)]));
        }
        let key = (Box::<str>::from(host), port);
        let known = self.with(|known| known.get(&key).cloned());
        if let Some(known) = &known
            && known.seen.elapsed() < FRESH
        {
            return Ok(Arc::clone(&known.addresses));
        }
        let found = lookup_host((host, port)).await;
        let found = found.map(|addresses| alternating(addresses.collect()));
        match (found, known) {
            (Ok(addresses), _) if !addresses.is_empty() => {
                let addresses: Arc<[SocketAddr]> = addresses.into();
                let (kept, seen) = (Arc::clone(&addresses), Instant::now());
                self.with(|known| {
                    if known.len() >= MOST_NAMES {
                        known.retain(|_, known| known.seen.elapsed() < FRESH);
                    }
                    known.insert(
                        key,
                        Known {
                            addresses: kept,
                            seen,
                        },
                    );
                });
                Ok(addresses)
            }
            (_, Some(known)) if known.seen.elapsed() < USABLE => {
                tracing::warn!(host, "cannot be resolved: its last known addresses go on");
                Ok(known.addresses)
            }
            (Ok(_), _) => Err(io::Error::other(format!("`{host}` has no address"))),
            (Err(error), _) => Err(io::Error::other(format!("`{host}`: {error}"))),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<(Box<str>, u16), Known>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One of each family after the other, beginning with the system's first choice (RFC 8305, 4): where one family is not
/// routed, the second attempt is at the other.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else {
        return addresses;
    };
    let is_first = first.is_ipv4();
    let (preferred, others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv4() == is_first);
    let (mut preferred, mut others) = (preferred.into_iter(), others.into_iter());
    let mut all = Vec::new();
    loop {
        let pair = [preferred.next(), others.next()];
        if pair == [None, None] {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert_eq!(
            alternating(parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"])),
            parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"])
        );
        assert_eq!(alternating(Vec::new()), Vec::new());
    }
}
