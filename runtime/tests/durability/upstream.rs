//! A model server on loopback that answers every call alike, and counts them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::plan::USAGE;

pub(crate) struct Upstream {
    address: String,
    calls: Arc<AtomicU64>,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&calls);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let calls = Arc::clone(&counted);
                thread::spawn(move || serve(stream, &calls));
            }
        });
        Self { address, calls }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// How many calls came.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Acquire)
    }
}

fn serve(stream: TcpStream, calls: &AtomicU64) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut is_call, mut line) = (0, false, String::new());
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text = line.trim_end().to_ascii_lowercase();
            is_call |= text.starts_with("post ");
            if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if text.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        if is_call {
            calls.fetch_add(1, Ordering::AcqRel);
        }
        let [prompt, answer] = USAGE;
        let body = format!(
            r#"{{"choices":[{{"message":{{"content":"four"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{prompt},"completion_tokens":{answer}}}}}"#
        );
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if reader
            .get_mut()
            .write_all((head + &body).as_bytes())
            .is_err()
        {
            return;
        }
    }
}
