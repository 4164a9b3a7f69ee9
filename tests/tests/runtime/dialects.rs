//! Clients of one API, upstreams of another.

use std::io;

use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use waypost_policies::plan::draft::ProviderKind;
use waypost_runtime::Ending;

use crate::client::{Answer, request, send};
use crate::upstream::{Script, USAGE};
use crate::world::World;

const MESSAGES: &str = "/v1/messages";

/// A world whose cheap model is Anthropic's.
async fn with_anthropic() -> World {
    World::with(|draft, _| draft.providers[0].kind = ProviderKind::Anthropic).await
}

fn said_by_anthropic() -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
        "stop_sequence": null, "content": [{"type": "text", "text": "four"}],
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 7, "output_tokens": 5},
    })
}

fn whole(status: u16, body: &Value) -> Script {
    let status = StatusCode::from_u16(status).unwrap();
    Script::Whole(status, Vec::new(), body.to_string())
}

fn messages(stream: bool) -> String {
    json!({
        "model": "auto", "max_tokens": 50, "stream": stream, "system": "be brief",
        "messages": [{"role": "user", "content": "hi"}],
    })
    .to_string()
}

async fn post(world: &World, path: &str, body: impl Into<bytes::Bytes>) -> Answer {
    send(request(world.address, path, body)).await
}

/// Names and data of a stream's events.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let mut name = String::new();
    let mut all = Vec::new();
    for line in answer.text.lines() {
        if let Some(this) = line.strip_prefix("event: ") {
            name = this.to_owned();
        } else if let Some(data) = line.strip_prefix("data: ") {
            let data = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
            all.push((std::mem::take(&mut name), data));
        }
    }
    all
}

fn say(events: &UnboundedSender<io::Result<String>>, event: &Value) {
    let name = event["type"]
        .as_str()
        .map(|name| format!("event: {name}\n"));
    let text = format!("{}data: {event}\n\n", name.unwrap_or_default());
    events.send(Ok(text)).unwrap();
}

fn anthropic_stream(events: &UnboundedSender<io::Result<String>>) {
    for event in [
        json!({"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [],
            "usage": {"input_tokens": 3, "cache_read_input_tokens": 7, "output_tokens": 1},
        }}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "four"}}),
    ] {
        say(events, &event);
    }
}

#[tokio::test]
async fn a_chat_is_answered_by_anthropic() {
    let mut world = with_anthropic().await;
    world.one.then(whole(200, &said_by_anthropic()));
    let answer = world.ask("hi").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let document = answer.json();
    assert_eq!(document["object"], "chat.completion");
    assert_eq!(document["choices"][0]["message"]["content"], "four");
    assert_eq!(document["choices"][0]["finish_reason"], "stop");
    assert_eq!(document["usage"]["prompt_tokens"], 10);
    assert_eq!(answer.header("x-waypost-model"), "cheap");
    let call = world.one.call().await;
    assert_eq!(call.path, "/v1/messages");
    assert_eq!(call.headers["x-api-key"], "sk-one");
    assert_eq!(call.headers["anthropic-version"], "2023-06-01");
    assert!(!call.headers.contains_key("authorization"));
    assert_eq!(call.json()["model"], "cheap-upstream");
    // The model's longest answer, since the API must be told.
    assert_eq!(call.json()["max_tokens"], 1000);
    let receipt = world.receipt().await;
    assert_eq!(
        (
            receipt.usage.input,
            receipt.usage.cached,
            receipt.usage.output
        ),
        (10, 7, 5)
    );
    // Three at the price of input, seven at the cached price, five of output.
    assert_eq!(receipt.cost.0, 3 * 1_000 + 7 * 100 + 5 * 2_000);
    assert!(!receipt.estimated);
}

#[tokio::test]
async fn a_streamed_chat_is_answered_by_anthropic() {
    let mut world = with_anthropic().await;
    let upstream = world.one.streams();
    anthropic_stream(&upstream);
    for event in [
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ] {
        say(&upstream, &event);
    }
    drop(upstream);
    let body = json!({
        "model": "auto", "stream": true, "stream_options": {"include_usage": true}, "seed": 7,
        "messages": [{"role": "user", "content": "hi"}],
    });
    let answer = post(&world, "/v1/chat/completions", body.to_string()).await;
    let events: Vec<Value> = events(&answer).into_iter().map(|(_, data)| data).collect();
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, "four");
    assert!(
        events
            .iter()
            .any(|event| event["choices"][0]["finish_reason"] == "length")
    );
    assert_eq!(events[events.len() - 2]["usage"]["completion_tokens"], 9);
    assert_eq!(events[events.len() - 1], "[DONE]");
    let call = world.one.call().await.json();
    assert_eq!(call["stream"], true);
    assert!(call.get("stream_options").is_none() && call.get("seed").is_none());
    let receipt = world.receipt().await;
    assert_eq!((receipt.usage.input, receipt.usage.output), (10, 9));
    assert_eq!(receipt.ending, Ending::Answered);
    let metrics = send(crate::client::get(world.admin, "/metrics")).await.text;
    assert!(metrics.contains("parameter=\"seed\""), "{metrics}");
}

#[tokio::test]
async fn anthropics_clients_and_anthropic_understand_each_other_byte_for_byte() {
    let mut world = with_anthropic().await;
    world.one.then(whole(200, &said_by_anthropic()));
    let body = r#"{"max_tokens" : 50, "model":"auto","top_k":3,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}], "future": [1.50]}"#;
    let mut call = request(world.address, MESSAGES, body);
    let headers = call.headers_mut();
    headers.remove("authorization");
    headers.insert("x-api-key", "alpha-key".parse().unwrap());
    headers.insert("anthropic-version", "2099-01-01".parse().unwrap());
    headers.insert("anthropic-beta", "new-things".parse().unwrap());
    let answer = send(call).await;
    assert_eq!(answer.text, said_by_anthropic().to_string());
    let call = world.one.call().await;
    assert_eq!(call.text, body.replace("\"auto\"", "\"cheap-upstream\""));
    assert_eq!(call.headers["anthropic-version"], "2099-01-01");
    assert_eq!(call.headers["anthropic-beta"], "new-things");
    assert_eq!(call.headers["x-api-key"], "sk-one");
    let receipt = world.receipt().await;
    assert_eq!((receipt.usage.input, receipt.usage.cached), (10, 7));
}

#[tokio::test]
async fn anthropics_clients_are_answered_by_others() {
    let mut world = World::start().await;
    let mut call = request(world.address, MESSAGES, messages(false));
    call.headers_mut()
        .insert("anthropic-version", "2023-06-01".parse().unwrap());
    let answer = send(call).await.json();
    assert_eq!(answer["type"], "message");
    assert_eq!(answer["content"], json!([{"type": "text", "text": "four"}]));
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(
        (
            &answer["usage"]["input_tokens"],
            &answer["usage"]["output_tokens"]
        ),
        (&json!(10), &json!(5))
    );
    let call = world.one.call().await;
    assert_eq!(call.path, "/v1/chat/completions");
    assert!(!call.headers.contains_key("anthropic-version"));
    let sent = call.json();
    assert_eq!(
        sent["messages"][0],
        json!({"role": "system", "content": "be brief"})
    );
    assert_eq!(
        sent["messages"][1],
        json!({"role": "user", "content": "hi"})
    );
    assert_eq!(sent["max_tokens"], 50);
    assert_eq!(world.receipt().await.usage.output, 5);
}

#[tokio::test]
async fn anthropics_clients_get_a_stream_of_their_own_events() {
    let mut world = World::start().await;
    let upstream = world.one.streams();
    for event in [
        json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "fo"}, "finish_reason": null}]}),
        json!({"choices": [{"index": 0, "delta": {"content": "ur"}, "finish_reason": null}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    ] {
        say(&upstream, &event);
    }
    upstream
        .send(Ok(format!(
            "data: {{\"choices\":[],\"usage\":{USAGE}}}\n\ndata: [DONE]\n\n"
        )))
        .unwrap();
    drop(upstream);
    let answer = post(&world, MESSAGES, messages(true)).await;
    let events = events(&answer);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert!(events.iter().all(|(name, data)| data["type"] == **name));
    assert_eq!(events[5].1["usage"]["output_tokens"], 5);
    assert_eq!(
        world.one.call().await.json()["stream_options"]["include_usage"],
        true
    );
    let receipt = world.receipt().await;
    assert_eq!((receipt.usage.input, receipt.usage.output), (10, 5));
}

#[tokio::test]
async fn a_broken_stream_ends_with_an_error_in_the_clients_dialect() {
    let cases = [
        (MESSAGES, messages(true), "error"),
        (
            "/v1/responses",
            json!({"model": "auto", "input": "hi", "stream": true}).to_string(),
            "error",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "auto", "stream": true, "messages": [{"role": "user", "content": "hi"}]}).to_string(),
            "",
        ),
    ];
    for (path, body, name) in cases {
        let mut world = with_anthropic().await;
        let upstream = world.one.streams();
        anthropic_stream(&upstream);
        drop(upstream);
        let answer = post(&world, path, body).await;
        let (last_name, last) = events(&answer).pop().unwrap();
        assert_eq!(last_name, name, "{}", answer.text);
        assert_eq!(last["error"]["code"], "stream_broken", "{}", answer.text);
        assert!(!answer.text.contains("message_stop") && !answer.text.contains("[DONE]"));
        let receipt = world.receipt().await;
        assert_eq!(receipt.ending, Ending::Broken);
        assert_eq!(
            (receipt.usage.input, receipt.usage.output),
            (10, 1),
            "{path}"
        );
    }
}

#[tokio::test]
async fn errors_have_the_shape_of_the_clients_api() {
    let world = World::start().await;
    let answer = post(
        &world,
        MESSAGES,
        r#"{"model":"auto","messages":[{"role":"user","content":"hi"}]}"#,
    )
    .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["type"], "error");
    assert_eq!(answer.error("type"), "invalid_request_error");
    assert!(answer.error("message").contains("`max_tokens` is missing"));
    let body = messages(false);
    let unknown = send(crate::client::with_key(
        world.address,
        MESSAGES,
        "no-key",
        body,
    ))
    .await;
    assert_eq!(
        (unknown.status.as_u16(), &*unknown.error("type")),
        (401, "authentication_error")
    );
    let name = messages(false).replace("auto", "nobody");
    let missing = post(&world, MESSAGES, name).await;
    assert_eq!(
        (missing.status.as_u16(), &*missing.error("type")),
        (404, "not_found_error")
    );
}

#[tokio::test]
async fn anthropics_refusals_are_told_to_chats_in_their_shape() {
    let mut world = with_anthropic().await;
    let refusal = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "temperature: too hot"}});
    world.one.then(whole(400, &refusal));
    let answer = world.ask("hi").await;
    assert_eq!(answer.status, 400);
    assert!(answer.json().get("type").is_none());
    assert_eq!(answer.error("code"), "upstream_rejected");
    assert!(answer.error("message").contains("temperature: too hot"));
    // Its own clients get its own words.
    world.one.then(whole(400, &refusal));
    let answer = post(&world, MESSAGES, messages(false)).await;
    assert_eq!(answer.text, refusal.to_string());
    // What is too long for it is not for the next.
    let too_long = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}});
    world.one.then(whole(400, &too_long));
    let answer = world.ask("hi").await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    // Overloaded, and so is the other.
    let overloaded =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    world.one.then(whole(529, &overloaded));
    world.two.then(whole(529, &overloaded));
    let answer = post(&world, MESSAGES, messages(false)).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.error("type")),
        (503, "overloaded_error")
    );
    assert_eq!(world.one.calls(), 4);
}

#[tokio::test]
async fn what_cannot_be_said_to_one_model_goes_to_the_next() {
    let mut world = with_anthropic().await;
    let body = json!({"model": "auto", "n": 2, "messages": [{"role": "user", "content": "hi"}]});
    let answer = post(&world, "/v1/chat/completions", body.to_string()).await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert_eq!(world.one.calls(), 0);
    let tried = world.receipt().await.tried;
    assert!(tried[0].failure.contains("`n` above 1"), "{tried:?}");
    let body = json!({"model": "cheap", "n": 2, "messages": [{"role": "user", "content": "hi"}]});
    let answer = post(&world, "/v1/chat/completions", body.to_string()).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.error("code")),
        (400, "unsupported_by_model")
    );
    assert_eq!(world.receipt().await.cost.0, 0);
}

#[tokio::test]
async fn tokens_are_counted_by_anthropic_or_estimated_here_and_cost_nothing() {
    let path = "/v1/messages/count_tokens";
    let body = r#"{"model":"auto","messages":[{"role":"user","content":"hi there"}]}"#;
    let mut world = with_anthropic().await;
    world.one.then(whole(200, &json!({"input_tokens": 4711})));
    let answer = post(&world, path, body).await;
    assert_eq!(answer.json(), json!({"input_tokens": 4711}));
    assert_eq!(world.one.call().await.path, path);
    let receipt = world.receipt().await;
    assert_eq!((receipt.cost.0, receipt.usage.input), (0, 0));
    let mut world = World::start().await;
    let answer = post(&world, path, body).await;
    assert!(
        answer.json()["input_tokens"].as_u64().unwrap() > 2,
        "{}",
        answer.text
    );
    assert_eq!(world.one.calls(), 0);
    assert_eq!(world.receipt().await.cost.0, 0);
}

#[tokio::test]
async fn responses_pass_where_they_are_known_and_are_translated_elsewhere() {
    let body = r#"{"model":"auto","input":"hi","instructions":"be brief","max_output_tokens":5,"metadata":{"a":"b"}}"#;
    let mut world = World::start().await;
    let answer = post(&world, "/v1/responses", body).await.json();
    assert_eq!(
        (&answer["object"], &answer["status"]),
        (&json!("response"), &json!("completed"))
    );
    assert_eq!(answer["output"][0]["content"][0]["text"], "four");
    assert_eq!(answer["usage"]["input_tokens"], 10);
    assert_eq!(answer["metadata"], json!({"a": "b"}));
    let sent = world.one.call().await;
    assert_eq!(sent.path, "/v1/chat/completions");
    assert_eq!(sent.json()["max_tokens"], 5);
    assert_eq!(world.receipt().await.usage.output, 5);

    let mut world = World::with(|draft, _| draft.providers[0].kind = ProviderKind::OpenAi).await;
    let response = json!({
        "id": "resp_1", "object": "response", "output": [], "error": null,
        "usage": {"input_tokens": 20, "input_tokens_details": {"cached_tokens": 8}, "output_tokens": 3, "total_tokens": 23},
    });
    world.one.then(whole(200, &response));
    let answer = post(&world, "/v1/responses", body).await;
    assert_eq!(answer.text, response.to_string());
    let sent = world.one.call().await;
    assert_eq!(
        (&*sent.path, sent.text),
        ("/v1/responses", body.replace("auto", "cheap-upstream"))
    );
    let receipt = world.receipt().await;
    assert_eq!(
        (
            receipt.usage.input,
            receipt.usage.cached,
            receipt.usage.output
        ),
        (20, 8, 3)
    );
}

#[tokio::test]
async fn a_streamed_response_comes_from_a_chat_and_from_anthropic() {
    let body = json!({"model": "auto", "input": "hi", "stream": true}).to_string();
    let mut world = with_anthropic().await;
    let upstream = world.one.streams();
    anthropic_stream(&upstream);
    say(
        &upstream,
        &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
    );
    say(&upstream, &json!({"type": "message_stop"}));
    drop(upstream);
    let answer = post(&world, "/v1/responses", body).await;
    let events = events(&answer);
    assert!(events.iter().all(|(name, data)| data["type"] == **name));
    for (number, (_, data)) in events.iter().enumerate() {
        assert_eq!(data["sequence_number"], number);
    }
    let (name, last) = events.last().unwrap();
    assert_eq!(name, "response.completed");
    assert_eq!(last["response"]["output"][0]["content"][0]["text"], "four");
    assert_eq!(last["response"]["usage"]["output_tokens"], 9);
    assert_eq!(world.receipt().await.usage.output, 9);
}

#[tokio::test]
async fn models_are_listed_for_anthropics_clients() {
    let world = World::start().await;
    let mut call = crate::client::get(world.address, "/v1/models");
    call.headers_mut()
        .insert("anthropic-version", "2023-06-01".parse().unwrap());
    let list = send(call).await.json();
    assert_eq!(
        (&list["data"][0]["type"], &list["first_id"]),
        (&json!("model"), &json!("auto"))
    );
    assert_eq!(list["has_more"], false);
}
