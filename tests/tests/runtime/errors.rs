//! Calls that are refused before any upstream hears of them.

use http_body_util::Full;
use hyper::Request;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Answer, chat, request, send, with_key};
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";

/// What SDKs make of it: status, type and code.
fn told(answer: &Answer) -> (u16, String, String) {
    (
        answer.status.as_u16(),
        answer.error("type"),
        answer.error("code"),
    )
}

fn is(status: u16, kind: &str, code: &str) -> (u16, String, String) {
    (status, kind.to_owned(), code.to_owned())
}

#[tokio::test]
async fn no_key_and_a_wrong_key_are_401() {
    let mut world = World::start().await;
    let no_key = Request::post(format!("http://{}{CHAT}", world.address))
        .body(Full::from(chat("hi")))
        .unwrap();
    for call in [
        no_key,
        with_key(world.address, CHAT, "wrong-key", chat("hi")),
    ] {
        let answer = send(call).await;
        assert_eq!(
            told(&answer),
            is(401, "invalid_request_error", "invalid_api_key")
        );
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert!(!answer.text.contains("wrong-key"));
    }
    assert_eq!(world.one.calls(), 0);
}

#[tokio::test]
async fn the_demo_key_is_known_only_where_it_is_said() {
    let world = World::start().await;
    assert_eq!(
        send(with_key(world.address, CHAT, "demo", chat("hi")))
            .await
            .status,
        401
    );
    let demo = World::with(|_, settings| settings.demo_key = true).await;
    assert_eq!(
        send(with_key(demo.address, CHAT, "demo", chat("hi")))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_denial_names_its_rule_and_line() {
    let mut world = World::start().await;
    let answer = send(with_key(world.address, CHAT, "sand-key", chat("hi"))).await;
    assert_eq!(told(&answer), is(403, "permission_error", "denied"));
    assert_eq!(
        answer.error("message"),
        "denied by `sandbox never spends` (test.route:62)"
    );
    assert_eq!(answer.error("rule"), "sandbox never spends");
    assert_eq!(answer.header("x-waypost-rule"), "sandbox never spends");
    assert_eq!(
        (answer.error("file"), answer.error("line")),
        ("test.route".to_owned(), "62".to_owned())
    );
    assert_eq!(world.receipt().await.rule.label, "sandbox never spends");
    assert_eq!(world.one.calls(), 0);
}

#[tokio::test]
async fn an_unknown_model_is_404() {
    let world = World::start().await;
    let answer = world
        .chat(r#"{"model":"gpt-9","messages":[{"role":"user","content":"hi"}]}"#)
        .await;
    assert_eq!(
        told(&answer),
        is(404, "invalid_request_error", "model_not_found")
    );
    assert_eq!(
        answer.error("message"),
        "the model `gpt-9` does not exist here: `GET /v1/models` lists those that do"
    );
    assert_eq!(answer.error("param"), "model");
}

#[tokio::test]
async fn other_paths_methods_and_media_are_told_apart() {
    let world = World::start().await;
    let answer = send(request(world.address, "/v2/chat", "{}")).await;
    assert_eq!(
        told(&answer),
        is(404, "invalid_request_error", "unknown_url")
    );
    let answer = send(crate::client::get(world.address, CHAT)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("allow")),
        (405, "POST")
    );
    let mut form = request(world.address, CHAT, chat("hi"));
    form.headers_mut().insert(
        "content-type",
        "application/x-www-form-urlencoded".parse().unwrap(),
    );
    assert_eq!(
        told(&send(form).await),
        is(415, "invalid_request_error", "unsupported_media_type")
    );
    let mut gzip = request(world.address, CHAT, chat("hi"));
    gzip.headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(send(gzip).await.status, 415);
}

#[tokio::test]
async fn bodies_that_are_no_request_say_what_is_wrong() {
    let world = World::start().await;
    for (body, part) in [
        (&b""[..], "the body is empty"),
        (b"{", "not JSON"),
        (b"[]", "must be"),
        (
            br#"{"messages":[{"role":"user","content":"hi"}]}"#,
            "`model` is missing",
        ),
        (br#"{"model":"auto"}"#, "messages"),
        (br#"{"model":7,"messages":[]}"#, "`model` must be"),
        (b"{\"model\":\"auto\",\"x\":\"\xff\"}", "not UTF-8"),
        (
            br#"{"model":"auto","model":"dear","messages":[{"role":"user","content":"hi"}]}"#,
            "sent twice",
        ),
    ] {
        let answer = world.chat(body.to_vec()).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(
            answer.error("message").contains(part),
            "{} for {part}",
            answer.text
        );
        assert_eq!(answer.error("type"), "invalid_request_error");
    }
}

#[tokio::test]
async fn deep_json_is_refused_without_harm() {
    let world = World::start().await;
    let with = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        let said = r#"[{"role":"user","content":"hi"}]"#;
        format!(
            r#"{{"model":"auto","max_tokens":5,"x":{open}{close},"messages":{said},"input":"hi"}}"#
        )
    };
    for path in ["/v1/chat/completions", "/v1/messages", "/v1/responses"] {
        for levels in [130, 10_000, 200_000] {
            let answer = send(request(world.address, path, with(levels))).await;
            assert_eq!(answer.status, 400, "{levels} on {path}");
            assert!(
                answer.error("message").contains("deeper than 128 levels"),
                "{}",
                answer.text
            );
        }
        let answer = send(request(world.address, path, with(100))).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_413() {
    let mut world = World::with(|_, settings| settings.bounds.body = 1_000).await;
    let answer = world.ask(&"x".repeat(2_000)).await;
    assert_eq!(
        told(&answer),
        is(413, "invalid_request_error", "request_too_large")
    );
    assert!(answer.error("message").contains("1000 bytes"));
    assert_eq!(world.one.calls(), 0);
}

#[tokio::test]
async fn ten_megabytes_pass() {
    let mut world = World::with(|draft, _| {
        for model in &mut draft.models {
            model.context = None;
        }
    })
    .await;
    let prompt = "word ".repeat(2_000_000);
    let answer = world.ask(&prompt).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        world.one.call().await.json()["messages"][0]["content"],
        json!(prompt)
    );
}

#[tokio::test]
async fn a_prompt_that_fits_no_model_says_so() {
    let world = World::with(|draft, _| {
        draft.models[0].context = Some(100);
        draft.models[1].context = Some(100);
    })
    .await;
    let answer = world.ask(&"long words here ".repeat(100)).await;
    assert_eq!(
        told(&answer),
        is(400, "invalid_request_error", "context_length_exceeded")
    );
    assert_eq!(answer.json()["error"]["tried"].as_array().unwrap().len(), 2);
}

const PICTURE: &str = r#"{"model":"auto","messages":[{"role":"user","content":[
    {"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}"#;

#[tokio::test]
async fn a_picture_goes_to_the_model_that_can_see() {
    let mut world = World::with(|draft, _| draft.models[0].lacks_images = true).await;
    let answer = world.chat(PICTURE).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert_eq!((world.one.calls(), world.two.calls()), (0, 1));
    let receipt = world.receipt().await;
    assert_eq!(receipt.tried[0].model, "cheap");
    assert_eq!(receipt.tried[0].failure, "it cannot take images");
    let told = send(request(world.address, "/v1/route", PICTURE)).await;
    assert_eq!(
        told.json()["skipped"],
        json!([{"model": "cheap", "reason": "images"}])
    );
    assert_eq!(world.ask("hi").await.header("x-waypost-model"), "cheap");
}

#[tokio::test]
async fn tools_that_no_model_takes_say_so() {
    let world = World::with(|draft, _| {
        for model in &mut draft.models {
            model.lacks_tools = true;
        }
    })
    .await;
    let tools = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
    let body =
        format!(r#"{{"model":"auto",{tools},"messages":[{{"role":"user","content":"hi"}}]}}"#);
    let answer = world.chat(body).await;
    assert_eq!(
        told(&answer),
        is(400, "invalid_request_error", "unsupported_capability")
    );
    assert_eq!(answer.error("param"), "tools");
    let tried = answer.json()["error"]["tried"].clone();
    assert_eq!(tried.as_array().unwrap().len(), 2);
    assert_eq!(tried[0]["failure"], "it cannot take tools");
    let empty = r#"{"model":"auto","tools":[],"messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(world.chat(empty).await.status, 200);
}

/// Whatever is damaged, the caller is told, or the upstream gets JSON that says the model decided on.
#[tokio::test]
async fn a_damaged_body_is_refused_or_sent_on_whole() {
    let mut world = World::start().await;
    let body = r#"{"model":"cheap","max_tokens":9,"stop":["a\"b"],"messages":[{"role":"user","content":"hi"}]}"#;
    let (mut sent, mut refused) = (0, 0);
    for position in 0..body.len() {
        for byte in *b"\"\\{},:[ 0e\x00\xff" {
            let mut damaged = body.as_bytes().to_vec();
            damaged[position] = byte;
            let answer = world.chat(damaged).await;
            match answer.status.as_u16() {
                200 => {
                    let call = world.one.call().await.json();
                    assert_eq!(call["model"], "cheap-upstream");
                    sent += 1;
                }
                400 | 404 => refused += 1,
                other => panic!("{other} for byte {byte} at {position}: {}", answer.text),
            }
        }
    }
    assert!(
        sent > 100 && refused > 500,
        "{sent} sent, {refused} refused"
    );
}

#[tokio::test]
async fn a_model_behind_an_escaped_name_is_the_one_decided_on() {
    let mut world = World::start().await;
    let body = r#"{"mod\u0065l":"cheap","messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(world.chat(body).await.status, 200);
    assert_eq!(world.one.call().await.json()["model"], "cheap-upstream");
    let twice =
        r#"{"mod\u0065l":"cheap","model":"dear","messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(world.chat(twice).await.status, 400);
}

#[tokio::test]
async fn a_client_that_reads_only_when_it_has_sent_everything_still_gets_its_answer() {
    let world = World::with(|_, settings| settings.bounds.body = 1_000).await;
    let length = 20_000_000;
    let body = vec![b'x'; length];
    for (start, key, expected) in [
        (format!("POST {CHAT}"), "alpha-key", b"HTTP/1.1 413"),
        (format!("POST {CHAT}"), "beta-key", b"HTTP/1.1 401"),
        ("POST /chat".to_owned(), "alpha-key", b"HTTP/1.1 404"),
        (format!("PUT {CHAT}"), "alpha-key", b"HTTP/1.1 405"),
    ] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let head = format!(
            "{start} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, expected);
    }
}
