//! As much of HTTP/1.1 as load and upstream need, over one buffer a connection.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than any head here.
const LONGEST_HEAD: usize = 64 << 10;
/// How much is read at a time.
const PIECE: usize = 32 << 10;

/// One end of a kept connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What of the buffer has been used.
    used: usize,
}

/// What a body's length is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Bytes(usize),
    Chunked,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(2 * PIECE),
            used: 0,
        })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Reads a head, up to and with its blank line; `None` where the other side has closed before one.
    pub(crate) async fn head(&mut self) -> io::Result<Option<String>> {
        let mut looked = 0;
        loop {
            if let Some(end) = position(self.rest(), b"\r\n\r\n", looked) {
                let head = self.rest().get(..end + 4).unwrap_or_default();
                let text = String::from_utf8_lossy(head).into_owned();
                self.used += end + 4;
                return Ok(Some(text));
            }
            looked = self.rest().len().saturating_sub(3);
            if looked > LONGEST_HEAD {
                return Err(wrong("the head has no end"));
            }
            if !self.more().await? {
                return match self.rest().is_empty() {
                    true => Ok(None),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }

    /// Reads the body that belongs to a head, and forgets it; its length.
    pub(crate) async fn body(&mut self, head: &str) -> io::Result<usize> {
        match length(head)? {
            Length::Bytes(bytes) => {
                self.skip(bytes).await?;
                Ok(bytes)
            }
            Length::Chunked => self.chunks().await,
        }
    }

    /// Reads until something of a body has come.
    pub(crate) async fn first_byte(&mut self) -> io::Result<()> {
        while self.rest().is_empty() {
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Waits until the other side closes.
    pub(crate) async fn closed(&mut self) -> io::Result<()> {
        while self.more().await? {
            self.used = self.buffer.len();
        }
        Ok(())
    }

    async fn chunks(&mut self) -> io::Result<usize> {
        let mut total = 0;
        loop {
            let size = self.chunk_size().await?;
            self.skip(size + 2).await?;
            if size == 0 {
                return Ok(total);
            }
            total += size;
        }
    }

    async fn chunk_size(&mut self) -> io::Result<usize> {
        loop {
            if let Some(end) = position(self.rest(), b"\r\n", 0) {
                let line = self.rest().get(..end).unwrap_or_default();
                let text = std::str::from_utf8(line).unwrap_or_default();
                let size = usize::from_str_radix(text.trim(), 16);
                self.used += end + 2;
                return size.map_err(|_| wrong("a chunk has no size"));
            }
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn skip(&mut self, mut bytes: usize) -> io::Result<()> {
        loop {
            let here = self.rest().len().min(bytes);
            self.used += here;
            bytes -= here;
            if bytes == 0 {
                return Ok(());
            }
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// Reads more; false where the other side has closed.
    async fn more(&mut self) -> io::Result<bool> {
        if self.used == self.buffer.len() {
            self.buffer.clear();
        } else {
            self.buffer.drain(..self.used);
        }
        self.used = 0;
        self.buffer.reserve(PIECE);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}

/// The value of a header.
pub(crate) fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines
        .into_iter()
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn length(head: &str) -> io::Result<Length> {
    if let Some(bytes) = header(head, "content-length") {
        let bytes = bytes.parse();
        return bytes
            .map(Length::Bytes)
            .map_err(|_| wrong("a length is no number"));
    }
    match header(head, "transfer-encoding") {
        Some("chunked") => Ok(Length::Chunked),
        _ => Ok(Length::Bytes(0)),
    }
}

fn position(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let found = bytes
        .get(from..)?
        .windows(wanted.len())
        .position(|window| window == wanted)?;
    Some(from + found)
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use tokio::net::TcpListener;

    use super::*;

    /// What is read of bytes that come in pieces of `size`.
    async fn read(bytes: &'static [u8], size: usize) -> (String, usize, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sender = tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            for piece in bytes.chunks(size) {
                stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = Connection::new(stream).unwrap();
        let head = connection.head().await.unwrap().unwrap();
        let length = connection.body(&head).await.unwrap();
        let next = connection.head().await.unwrap().unwrap();
        sender.await.unwrap();
        (head, length, next)
    }

    #[tokio::test]
    async fn a_body_ends_where_it_says_however_it_is_cut() {
        let by_length =
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 201 Next\r\n\r\n";
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nHTTP/1.1 201 Next\r\n\r\n";
        for size in 1..40 {
            for bytes in [&by_length[..], &chunked[..]] {
                let (head, length, next) = read(bytes, size).await;
                assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
                assert_eq!((length, &*next), (5, "HTTP/1.1 201 Next\r\n\r\n"));
            }
        }
    }
}
