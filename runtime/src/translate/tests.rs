#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod golden;
mod mutations;
mod round_trips;

use serde_json::Value;

use super::*;

fn context() -> Context {
    Context {
        model: "sonnet".to_owned(),
        created: 1_700_000_000,
        id: "wp_1".to_owned(),
        prompt_tokens: 17,
        include_usage: true,
        thinking: true,
        echo: String::new(),
    }
}

const MESSAGES: Dialect = Dialect::Of(Surface::Messages);

fn pair(client: Surface, upstream: Dialect) -> Pair {
    Pair::of(client, upstream).unwrap()
}

/// The client's request as the upstream gets it.
fn request(pair: Pair, body: &str, longest: u64) -> Result<Translated, Untranslatable> {
    let chat = pair.to_chat(body)?;
    let wanted = Wanted {
        longest,
        thinking: chat.sent.thinking,
    };
    let mut translated = pair.of_chat(chat.body, wanted)?;
    translated.dropped.splice(0..0, chat.dropped);
    Ok(translated)
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn streamed(pair: Pair, stream: &[u8], size: usize) -> String {
    let mut translation = Translation::new(pair, context());
    let mut output = Vec::new();
    for chunk in stream.chunks(size) {
        output.extend_from_slice(&translation.pass(chunk));
    }
    output.extend_from_slice(&translation.finish());
    String::from_utf8(output).unwrap()
}
