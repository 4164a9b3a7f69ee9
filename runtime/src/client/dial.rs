//! Makes connections: to whichever of a name's addresses answers first, in TLS where that is spoken.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::origin::{Origin, Place, Speaks};
use super::resolve::Resolver;

/// How long one address may keep silent before the next is tried beside it (RFC 8305, 5).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// Makes connections.
#[derive(Debug)]
pub(super) struct Dialer {
    resolver: Resolver,
    /// Replaced when its files change.
    pub(super) tls: ArcSwap<ClientConfig>,
    /// How long a connection may take to stand, with all that belongs to it.
    pub(super) patience: Duration,
}

/// A connection to a server.
#[derive(Debug)]
pub(super) enum Line {
    Plain(TcpStream),
    #[cfg(unix)]
    File(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Dialer {
    pub(super) fn new(tls: ClientConfig, patience: Duration) -> Self {
        Self {
            resolver: Resolver::default(),
            tls: ArcSwap::from_pointee(tls),
            patience,
        }
    }

    /// A new connection, and whether HTTP/2 is spoken on it.
    pub(super) async fn dial(&self, origin: &Origin) -> io::Result<(Line, bool)> {
        let patience = self.patience;
        timeout(patience, self.connect(origin))
            .await
            .unwrap_or_else(|_| {
                let reason = format!("no connection within {patience:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, reason))
            })
    }

    async fn connect(&self, origin: &Origin) -> io::Result<(Line, bool)> {
        let (host, port) = match &origin.place {
            Place::Host(host, port) => (host, *port),
            #[cfg(unix)]
            Place::File(path) => {
                let stream = UnixStream::connect(path).await?;
                return Ok((Line::File(stream), origin.speaks == Speaks::Http2));
            }
            #[cfg(not(unix))]
            Place::File(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        let addresses = self.resolver.addresses(host, port).await?;
        let stream = first_of(&addresses).await?;
        // What is sent is sent whole: nothing is gained by waiting for more.
        let _ = stream.set_nodelay(true);
        if origin.speaks != Speaks::Tls {
            return Ok((Line::Plain(stream), origin.speaks == Speaks::Http2));
        }
        let name = ServerName::try_from(host.to_string()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(self.tls.load_full());
        let stream = connector.connect(name, stream).await?;
        let speaks_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Line::Tls(Box::new(stream)), speaks_http2))
    }
}

/// The first connection that stands. One attempt after the other is begun: at once where the last one failed, after a
/// moment where it hangs.
async fn first_of(addresses: &Arc<[SocketAddr]>) -> io::Result<TcpStream> {
    let mut left = addresses.iter().copied();
    let mut attempts = JoinSet::new();
    let mut failure = None;
    loop {
        if let Some(address) = left.next() {
            if left.len() == 0 && attempts.is_empty() {
                // The common case needs no task of its own.
                return TcpStream::connect(address).await;
            }
            attempts.spawn(TcpStream::connect(address));
        }
        let is_last = left.len() == 0;
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => failure = Some(error),
                Some(Err(_)) => {}
                None => return Err(failure.unwrap_or_else(|| io::ErrorKind::NotFound.into())),
            },
            () = sleep(NEXT_ADDRESS), if !is_last => {}
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            #[cfg(unix)]
            Self::File(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::File(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            #[cfg(unix)]
            Self::File(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Self::File(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(unix)]
            Self::File(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(unix)]
            Self::File(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
