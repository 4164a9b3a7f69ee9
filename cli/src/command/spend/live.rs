//! `waypost spend --live`: what the calls of a running server have cost, and how full its limits are.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::table::{self, Column};

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the server at an admin port says.
pub(super) fn fetch(address: &str) -> Result<Value, Failure> {
    let address = address.trim_start_matches("http://").trim_end_matches('/');
    let failed = |reason: String| {
        Failure::Other(format!(
            "cannot ask `{address}` what was spent: {reason}; is this the admin port of a running `waypost run` or `waypost-runtime`?"
        ))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let asked = runtime.block_on(async { timeout(PATIENCE, ask(address)).await });
    let body = match asked {
        Ok(answer) => answer.map_err(|error| failed(error.to_string()))?,
        Err(_) => return Err(failed(format!("no answer within {PATIENCE:?}"))),
    };
    let document: Value = serde_json::from_slice(&body)
        .map_err(|_| failed("it answers something else".to_owned()))?;
    match document.get("total") {
        Some(_) => Ok(document),
        None => Err(failed("it answers something else".to_owned())),
    }
}

async fn ask(address: &str) -> Result<Bytes, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/spend")
        .header("host", address)
        .body(Empty::<Bytes>::new())?;
    let answer = async {
        let response = sender.send_request(request).await?;
        Ok::<_, hyper::Error>(response.into_body().collect().await?.to_bytes())
    };
    tokio::pin!(answer);
    // The connection has to be driven for as long as the answer comes.
    tokio::select! {
        answer = &mut answer => Ok(answer?),
        _ = connection => Ok(answer.await?),
    }
}

/// As tables.
pub(super) fn render(document: &Value) -> String {
    let mut text = String::new();
    for (title, rows, name) in [
        ("tier", "tiers", text_of as fn(&Value, &str) -> String),
        ("model", "models", text_of),
        ("team / agent", "agents", |row, _| {
            format!("{} / {}", text_of(row, "team"), text_of(row, "agent"))
        }),
    ] {
        let rows = rows_of(document, rows);
        let named = rows.iter().map(|row| (name(row, title), *row));
        text += &spent(title, named.collect());
        text.push('\n');
    }
    let total = document
        .get("total")
        .map(|total| ("all calls".to_owned(), total));
    text += &spent("", total.into_iter().collect());
    text + &quotas(&rows_of(document, "quotas"))
}

fn spent(title: &'static str, rows: Vec<(String, &Value)>) -> String {
    let widest = rows.iter().map(|(name, _)| name.chars().count()).max();
    let columns = [
        Column::left(title, widest.unwrap_or(0).max(14)),
        Column::right("calls", 8),
        Column::right("tokens in", 12),
        Column::right("out", 12),
        Column::right("spent", 14),
        Column::right("saved", 14),
    ];
    let mut text = table::header(&columns);
    for (name, row) in rows {
        let tokens = |kind| number_of(row.get("tokens").and_then(|tokens| tokens.get(kind)));
        let cells = [
            if name.is_empty() {
                "-".to_owned()
            } else {
                name
            },
            number_of(row.get("calls")),
            tokens("input"),
            tokens("output"),
            format!("${}", text_of(row, "cost_usd")),
            format!("${}", text_of(row, "saved_usd")),
        ];
        text += &table::line(&columns, cells.iter().map(String::as_str));
    }
    text
}

fn quotas(rows: &[&Value]) -> String {
    let shared = rows.iter().filter(|row| row.get("used").is_some());
    let lines = shared.map(|row| {
        let figure = |name| row.get(name).and_then(Value::as_u64).unwrap_or(0);
        let share = figure("used") as f64 / figure("of").max(1) as f64 * 100.0;
        let wait = figure("resets_milliseconds").div_ceil(1_000);
        format!(
            "`{}` is {share:.1} % full, and empty in {wait} s\n",
            text_of(row, "quota")
        )
    });
    let lines: String = lines.collect();
    if lines.is_empty() {
        return lines;
    }
    format!("\n{lines}")
}

fn rows_of<'v>(document: &'v Value, name: &str) -> Vec<&'v Value> {
    let rows = document.get(name).and_then(Value::as_array);
    rows.into_iter().flatten().collect()
}

fn text_of(row: &Value, name: &str) -> String {
    let text = row.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn number_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_u64).unwrap_or(0).to_string()
}
