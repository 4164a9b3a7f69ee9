//! A socket that connections come in on: TCP, or a file.
//!
//! Invariant: a file that another process still answers on is not taken from it; one that a crash left behind is.

use std::io;
use std::net::IpAddr;
#[cfg(unix)]
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use super::address::Address;
use super::socket::Socket;
use crate::gateway::StartError;

/// Who calls through a file is on this machine.
#[cfg(unix)]
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Takes in connections.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(unix::SocketFile),
}

impl Listener {
    /// Listens, and says where: port 0 has become a port.
    pub(super) async fn bind(address: &Address) -> Result<(Self, Address), StartError> {
        let failed = |reason| StartError::Listen {
            address: address.clone(),
            reason,
        };
        match address {
            Address::Tcp(wanted) => {
                let listener = TcpListener::bind(wanted).await.map_err(failed)?;
                let bound = listener.local_addr().map_err(failed)?;
                Ok((Self::Tcp(listener), bound.into()))
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let file = unix::SocketFile::bind(path).await.map_err(failed)?;
                Ok((Self::Unix(file), address.clone()))
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(failed(io::ErrorKind::Unsupported.into())),
        }
    }

    /// The next connection, and whose it is.
    pub(super) async fn accept(&self) -> io::Result<(Socket, IpAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Events of a stream are small and must not wait for one another.
                let _ = stream.set_nodelay(true);
                Ok((Socket::Tcp(stream), peer.ip()))
            }
            #[cfg(unix)]
            Self::Unix(file) => Ok((Socket::Unix(file.accept().await?), HERE)),
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{Metadata, remove_file, symlink_metadata};
    use std::io;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    use std::path::{Path, PathBuf};

    use tokio::net::{UnixListener, UnixStream};

    /// A socket in the file system; removed when nobody listens any more.
    #[derive(Debug)]
    pub(in crate::server) struct SocketFile {
        listener: UnixListener,
        path: PathBuf,
        /// Whose file it is: another process may have put its own there since.
        identity: Option<(u64, u64)>,
    }

    impl SocketFile {
        pub(super) async fn bind(path: &Path) -> io::Result<Self> {
            let is_socket = |found: Metadata| found.file_type().is_socket();
            if symlink_metadata(path).is_ok_and(is_socket) {
                match UnixStream::connect(path).await {
                    Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                        remove_file(path)?;
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(Self {
                listener: UnixListener::bind(path)?,
                identity: identity(path),
                path: path.to_owned(),
            })
        }

        pub(super) async fn accept(&self) -> io::Result<UnixStream> {
            let (stream, _) = self.listener.accept().await?;
            Ok(stream)
        }
    }

    fn identity(path: &Path) -> Option<(u64, u64)> {
        let found = symlink_metadata(path).ok()?;
        Some((found.dev(), found.ino()))
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            if self.identity.is_some() && identity(&self.path) == self.identity {
                // One that stays behind is taken over by the next process.
                let _ = remove_file(&self.path);
            }
        }
    }
}
