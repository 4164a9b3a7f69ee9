//! The model servers that all peers ask: they answer at once, so that what is measured is what lies in between.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;

use crate::calls::{ANSWER, Answer};
use crate::http::{Connection, header};

/// How many replicas there are.
pub(crate) const REPLICAS: usize = 3;
/// Events of a streamed answer, the last two aside.
const EVENTS: usize = 100;

/// What vLLM says of itself when it is not busy.
const METRICS: &str = "\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name=\"small-instruct\"} 1.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{model_name=\"small-instruct\"} 0.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{model_name=\"small-instruct\"} 0.12
";

/// Answers as they go over the wire, made once.
#[derive(Debug)]
struct Answers {
    whole: Vec<u8>,
    opening: Vec<u8>,
    event: Vec<u8>,
    farewell: Vec<u8>,
    metrics: Vec<u8>,
}

/// Starts the replicas on a thread of their own; where they are. They end with the process.
pub(crate) fn start() -> Result<Vec<SocketAddr>, String> {
    let failed = |error: io::Error| format!("the upstream does not start: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let listeners = (0..REPLICAS).map(|_| runtime.block_on(TcpListener::bind("127.0.0.1:0")));
    let listeners: Vec<TcpListener> = listeners.collect::<io::Result<_>>().map_err(failed)?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    let addresses = addresses.collect::<io::Result<_>>().map_err(failed)?;
    let answers: &'static Answers = Box::leak(Box::new(Answers::new()));
    std::thread::spawn(move || {
        runtime.block_on(async move {
            for listener in listeners {
                tokio::spawn(accept(listener, answers));
            }
            std::future::pending::<()>().await;
        });
    });
    Ok(addresses)
}

async fn accept(listener: TcpListener, answers: &'static Answers) {
    while let Ok((stream, _)) = listener.accept().await {
        // A peer that breaks off is seen by the load.
        tokio::spawn(async move { serve(stream, answers).await.ok() });
    }
}

async fn serve(stream: TcpStream, answers: &Answers) -> io::Result<()> {
    let mut connection = Connection::new(stream)?;
    while let Some(head) = connection.head().await? {
        connection.body(&head).await?;
        if head.starts_with("GET ") {
            connection.write(&answers.metrics).await?;
            continue;
        }
        match header(&head, ANSWER).and_then(Answer::named) {
            Some(Answer::Streamed) => {
                connection.write(&answers.opening).await?;
                for _ in 0..EVENTS {
                    connection.write(&answers.event).await?;
                    // As if the next token took its time: other streams go on meanwhile.
                    yield_now().await;
                }
                connection.write(&answers.farewell).await?;
            }
            Some(Answer::Held) => {
                connection.write(&answers.opening).await?;
                connection.write(&answers.event).await?;
                return connection.closed().await;
            }
            Some(Answer::Whole) | None => connection.write(&answers.whole).await?,
        }
    }
    Ok(())
}

impl Answers {
    fn new() -> Self {
        let words = "The answer is four, as two and two are. ".repeat(18);
        let whole = format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"small-instruct","choices":[{{"index":0,"message":{{"role":"assistant","content":"{words}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":220,"completion_tokens":190,"total_tokens":410,"prompt_tokens_details":{{"cached_tokens":0}}}}}}"#
        );
        let event =
            event(r#""choices":[{"index":0,"delta":{"content":" four"},"finish_reason":null}]"#);
        let last = event_of(r#""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]"#);
        let usage = event_of(
            r#""choices":[],"usage":{"prompt_tokens":220,"completion_tokens":100,"total_tokens":320}"#,
        );
        Self {
            whole: with_length("application/json", &whole),
            opening: b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
            event,
            farewell: [chunk(&last), chunk(&usage), chunk("data: [DONE]\n\n"), b"0\r\n\r\n".to_vec()].concat(),
            metrics: with_length("text/plain; version=0.0.4", METRICS),
        }
    }
}

fn event(members: &str) -> Vec<u8> {
    chunk(&event_of(members))
}

fn event_of(members: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"small-instruct\",{members}}}\n\n"
    )
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

fn with_length(media: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
