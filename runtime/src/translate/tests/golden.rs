//! Golden files: `runtime/tests/translate/PAIR/NAME.{request,answer,stream}.in` and what they become, beside them in
//! `.out`. `WAYPOST_BLESS=1` writes what comes out now.

use std::path::Path;

use super::*;

const PAIRS: [(&str, Surface, Dialect); 10] = [
    ("chat-messages", Surface::Chat, MESSAGES),
    ("chat-gemini", Surface::Chat, Dialect::Gemini),
    ("chat-converse", Surface::Chat, Dialect::Converse),
    ("messages-chat", Surface::Messages, Dialect::CHAT),
    ("messages-gemini", Surface::Messages, Dialect::Gemini),
    ("messages-converse", Surface::Messages, Dialect::Converse),
    ("responses-chat", Surface::Responses, Dialect::CHAT),
    ("responses-messages", Surface::Responses, MESSAGES),
    ("responses-gemini", Surface::Responses, Dialect::Gemini),
    ("responses-converse", Surface::Responses, Dialect::Converse),
];

fn pretty(text: &str) -> String {
    serde_json::to_string_pretty(&value(text)).unwrap() + "\n"
}

fn translated(pair: Pair, kind: &str, input: &str) -> String {
    match kind {
        "request" => match request(pair, input, 4096) {
            Err(error) => format!("error: {error}\n"),
            Ok(translated) => {
                let dropped = translated.dropped.join(", ");
                format!("{}dropped: {dropped}\n", pretty(&translated.body))
            }
        },
        "answer" => pretty(&pair.answer(input, &context()).unwrap()),
        "stream" => {
            let whole = streamed(pair, input.as_bytes(), input.len());
            for size in [1, 2, 3, 7, 64] {
                assert_eq!(streamed(pair, input.as_bytes(), size), whole);
            }
            let crlf = input.replace('\n', "\r\n");
            assert_eq!(streamed(pair, crlf.as_bytes(), 5), whole);
            whole
        }
        other => panic!("`{other}` is no kind of golden file"),
    }
}

#[test]
fn what_comes_out_is_what_is_written_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/translate");
    let bless = std::env::var_os("WAYPOST_BLESS").is_some();
    let mut checked = 0;
    for (name, client, upstream) in PAIRS {
        let pair = Pair::of(client, upstream).unwrap();
        for entry in std::fs::read_dir(root.join(name)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "in") {
                continue;
            }
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let kind = stem.rsplit('.').next().unwrap();
            let output = translated(pair, kind, &std::fs::read_to_string(&path).unwrap());
            let expected = path.with_extension("out");
            if bless {
                std::fs::write(&expected, &output).unwrap();
            }
            let written = std::fs::read_to_string(&expected).unwrap_or_default();
            assert_eq!(output, written, "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 40, "{checked} golden files");
}
