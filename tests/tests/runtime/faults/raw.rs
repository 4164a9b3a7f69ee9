//! An upstream that writes bytes as a test says, HTTP or not.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{self, Receiver, Sender};

use crate::upstream::usual_answer;

/// What becomes of the connection once all is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The next request is read.
    Keep,
    /// It is closed in order.
    Close,
    /// It is reset.
    Reset,
    /// Nothing more is written, but what comes is read until the other side closes.
    HalfClose,
    /// Nothing more happens until the other side closes.
    Hold,
}

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) bytes: Vec<u8>,
    pub(super) then: Then,
    /// Whether the request's body is read before.
    pub(super) reads_body: bool,
    /// Whether each byte is sent by itself.
    pub(super) drips: bool,
}

impl Reply {
    pub(super) fn new(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        Self {
            bytes: bytes.into(),
            then,
            reads_body: true,
            drips: false,
        }
    }

    /// A head with these lines, and a body.
    pub(super) fn with(head: &str, body: impl AsRef<[u8]>, then: Then) -> Self {
        let mut bytes = format!("HTTP/1.1 {head}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(body.as_ref());
        Self::new(bytes, then)
    }

    /// A whole answer with its length.
    pub(super) fn whole(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let length = body.as_ref().len();
        let head = format!(
            "{status}\r\ncontent-type: application/json\r\ncontent-length: {length}{headers}"
        );
        Self::with(&head, body, Then::Keep)
    }

    /// An event stream without length or chunks: it ends with the connection.
    pub(super) fn stream(events: impl AsRef<[u8]>, then: Then) -> Self {
        Self::with("200 OK\r\ncontent-type: text/event-stream", events, then)
    }

    /// An event stream of one chunk; `after` is what follows it as it stands.
    pub(super) fn chunked(events: impl AsRef<[u8]>, after: &str, then: Then) -> Self {
        let events = events.as_ref();
        let mut body = format!("{:x}\r\n", events.len()).into_bytes();
        body.extend_from_slice(events);
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(after.as_bytes());
        let head = "200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked";
        Self::with(head, body, then)
    }

    pub(super) fn before_the_body(mut self) -> Self {
        self.reads_body = false;
        self
    }

    pub(super) fn drips(mut self) -> Self {
        self.drips = true;
        self
    }
}

/// Such an upstream, on a free port.
pub(super) struct Raw {
    pub(super) address: SocketAddr,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    /// Heads of the requests that came.
    heads: Arc<Mutex<Vec<String>>>,
    open: Receiver<usize>,
}

impl Raw {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (count, open) = watch::channel(0);
        let raw = Self {
            address,
            replies: Arc::default(),
            heads: Arc::default(),
            open,
        };
        let (replies, heads) = (Arc::clone(&raw.replies), Arc::clone(&raw.heads));
        let count = Arc::new(count);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let open = Open::count(&count);
                let (replies, heads) = (Arc::clone(&replies), Arc::clone(&heads));
                tokio::spawn(async move {
                    let _open = open;
                    let _ = serve(stream, &replies, &heads).await;
                });
            }
        });
        raw
    }

    /// One that does the same with so many calls.
    pub(super) async fn that(reply: &Reply, times: usize) -> Self {
        let raw = Self::start().await;
        for _ in 0..times {
            raw.then(reply.clone());
        }
        raw
    }

    /// What is done with the next calls; with more than these: the usual answer.
    pub(super) fn then(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    /// How many calls came.
    pub(super) fn calls(&self) -> usize {
        self.heads.lock().unwrap().len()
    }

    pub(super) fn head(&self, index: usize) -> String {
        self.heads.lock().unwrap()[index].clone()
    }

    pub(super) async fn all_closed(&mut self) {
        self.open.wait_for(|open| *open == 0).await.unwrap();
    }

    pub(super) async fn holds(&mut self, connections: usize) {
        self.open
            .wait_for(|open| *open == connections)
            .await
            .unwrap();
    }
}

struct Open(Arc<Sender<usize>>);

impl Open {
    fn count(count: &Arc<Sender<usize>>) -> Self {
        count.send_modify(|open| *open += 1);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

async fn serve(
    mut stream: TcpStream,
    replies: &Mutex<VecDeque<Reply>>,
    heads: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some((head, length)) = read_head(&mut stream, &mut buffer).await? {
        let next = replies.lock().unwrap().pop_front();
        let reply = next.unwrap_or_else(|| Reply::whole("200 OK", "", usual_answer()));
        heads.lock().unwrap().push(head);
        if reply.reads_body {
            read_body(&mut stream, &mut buffer, length).await?;
        }
        for piece in reply.bytes.chunks(if reply.drips { 1 } else { usize::MAX }) {
            stream.write_all(piece).await?;
            if reply.drips {
                tokio::task::yield_now().await;
            }
        }
        match reply.then {
            Then::Keep => continue,
            Then::Close => stream.shutdown().await?,
            Then::Reset => stream.set_zero_linger()?,
            Then::HalfClose => {
                stream.shutdown().await?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
            }
            Then::Hold => {
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
            }
        }
        return Ok(());
    }
    Ok(())
}

/// The head of the next request and the length of its body; what came beyond stays in the buffer.
async fn read_head(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Option<(String, usize)>> {
    loop {
        if let Some(end) = memmem(buffer, b"\r\n\r\n") {
            let rest = buffer.split_off(end + 4);
            let head = String::from_utf8(std::mem::replace(buffer, rest)).unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.trim().parse().unwrap());
            return Ok(Some((head, length)));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

async fn read_body(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    length: usize,
) -> std::io::Result<()> {
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    buffer.drain(..length);
    Ok(())
}

fn memmem(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}
