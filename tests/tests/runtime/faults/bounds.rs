//! What is held of answers that have no end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{CHAT, MESSAGES};
use crate::client::{open, request};
use crate::world::World;

const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"},\"finish_reason\":null}]}\n\n";
/// More than sockets on the way hold.
const MOST: usize = 32 << 20;

/// An upstream that streams for as long as it is read, and how much it could send.
async fn endless(events: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let mut request = [0; 16_384];
                let read = stream.read(&mut request).await.unwrap();
                assert!(read > 0);
                let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
                stream.write_all(head).await.unwrap();
                let piece = events.repeat(500);
                while stream.write_all(piece.as_bytes()).await.is_ok() {
                    count.fetch_add(piece.len(), Ordering::Relaxed);
                }
            });
        }
    });
    (address, sent)
}

#[tokio::test]
async fn an_upstream_sends_no_faster_than_its_client_reads() {
    for path in [CHAT, MESSAGES] {
        let (address, sent) = endless(WORD).await;
        let world = World::with(|_, settings| {
            let base = format!("http://{address}/v1");
            settings.upstreams.providers.insert("one".to_owned(), base);
        })
        .await;
        let body = json!({"model": "auto", "max_tokens": 50, "stream": true, "messages": [{"role": "user", "content": "hi"}]});
        let mut answer = open(request(world.address, path, body.to_string())).await;
        answer.frame().await.unwrap().unwrap();
        // Until nothing more moves: whatever is in between holds what it can.
        let stalled = async {
            let mut before = 0;
            loop {
                let moves = async {
                    while sent.load(Ordering::Relaxed) == before {
                        tokio::task::yield_now().await;
                    }
                };
                if timeout(Duration::from_millis(300), moves).await.is_err() {
                    return;
                }
                before = sent.load(Ordering::Relaxed);
                assert!(
                    before < MOST,
                    "{before} bytes for a client that reads nothing"
                );
            }
        };
        stalled.await;
    }
}
