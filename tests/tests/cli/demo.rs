//! The simulated model servers of `run --demo`.

use crate::harness::{Client, example_plan};

const QUESTION: &str = r#"{"model":"m","messages":[{"role":"user","content":"What is 2+2?"}]}"#;

#[test]
fn every_pool_and_provider_has_its_servers() {
    let client = Client::start(2);
    let upstreams = client.upstreams();
    assert_eq!(upstreams.pools["phi"].len(), 2);
    assert!(upstreams.providers.contains_key("aoai"));
    assert!(
        upstreams.pools["phi"]
            .iter()
            .all(|base| base.starts_with("http://127.0.0."))
    );
    let models = client.get(&client.pool(0, "/v1/models")).json();
    assert_eq!(models["data"][0]["id"], "phi-4-mini-instruct");
    assert_eq!(example_plan().pools().len(), 1);
}

#[test]
fn a_chat_is_answered_with_usage() {
    let client = Client::start(1);
    let answer = client
        .post(&client.pool(0, "/v1/chat/completions"), QUESTION)
        .json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["message"]["content"], "2+2 = 4.");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
    assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() > 0);
}

#[test]
fn azures_path_names_the_model() {
    let client = Client::start(1);
    let path = "/openai/deployments/gpt-5.1/chat/completions?api-version=2024-10-21";
    let answer = client.post(&client.provider("aoai", path), QUESTION).json();
    assert_eq!(answer["model"], "gpt-5.1");
}

#[test]
fn a_stream_says_the_same_and_its_usage_when_asked() {
    let client = Client::start(1);
    let url = client.pool(0, "/v1/chat/completions");
    let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"What is 2+2?"}]}"#;
    let answer = client.post(&url, body);
    assert_eq!(answer.content_type, "text/event-stream");
    let events = answer.events();
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, "2+2 = 4.");
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    let last = events.last().unwrap();
    assert_eq!(last["usage"]["completion_tokens"], 3);
    assert!(answer.text.ends_with("data: [DONE]\n\n"));
    let plain = body.replace(r#""stream_options":{"include_usage":true},"#, "");
    assert!(!client.post(&url, &plain).text.contains("usage"));
}

#[test]
fn a_demanded_tool_is_called() {
    let client = Client::start(1);
    let body = r#"{"model":"m","tool_choice":"required","messages":[{"role":"user","content":"hi"}],
        "tools":[{"type":"function","function":{"name":"look_up","parameters":
            {"type":"object","required":["days"],"properties":{"days":{"type":"integer","minimum":2}}}}}]}"#;
    let answer = client
        .post(&client.pool(0, "/v1/chat/completions"), body)
        .json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let function = &choice["message"]["tool_calls"][0]["function"];
    assert_eq!(function["name"], "look_up");
    assert_eq!(function["arguments"], "{\"days\":2}");
}

#[test]
fn a_prefix_seen_before_is_cached_and_counted() {
    let client = Client::start(1);
    let url = client.pool(0, "/v1/chat/completions");
    let prefix = "the same long beginning ".repeat(20);
    let ask = |end: &str| {
        let content = format!("{prefix}{end}");
        let messages = serde_json::json!([{ "role": "user", "content": content }]);
        let body = serde_json::json!({ "model": "m", "max_tokens": 2, "messages": messages });
        let answer = client.post(&url, &body.to_string()).json();
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
        answer["usage"]["prompt_tokens_details"]["cached_tokens"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(ask("one"), 0);
    let cached = ask("two");
    assert!(cached >= 100, "{cached}");
    let metrics = client.get(&client.pool(0, "/metrics")).text;
    for name in [
        "vllm:num_requests_waiting",
        "vllm:num_requests_running",
        "vllm:kv_cache_usage_perc",
        "vllm:prefix_cache_queries_total",
        "vllm:prefix_cache_hits_total",
    ] {
        assert!(metrics.contains(&format!("\n{name}{{")), "{metrics}");
    }
    let hits = metrics
        .lines()
        .find(|line| line.starts_with("vllm:prefix_cache_hits_total"));
    assert!(hits.unwrap().ends_with(&format!(" {cached}")), "{metrics}");
}

#[test]
fn what_is_no_call_is_refused_in_openais_shape() {
    let client = Client::start(1);
    let bad = client.post(&client.pool(0, "/v1/chat/completions"), "{");
    assert_eq!(bad.status, 400);
    assert_eq!(bad.json()["error"]["type"], "invalid_request_error");
    assert_eq!(client.get(&client.pool(0, "/nothing")).status, 404);
}
