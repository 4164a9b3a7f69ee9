//! What holds for every request: valid JSON in every dialect, and nothing said is lost or moved.

use proptest::prelude::*;
use serde_json::json;
use waypost_policies::facts::Request;
use waypost_policies::plan::Needs;

use super::*;

fn everything() -> Needs {
    Needs {
        fingerprint: true,
        prompt: true,
        system: true,
        messages: true,
        tools: true,
        ..Needs::default()
    }
}

fn read(surface: Surface, body: &str) -> Request<'_> {
    Request::read(&everything(), surface, "/", &|_| None, body.as_bytes())
        .unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn text() -> impl Strategy<Value = String> {
    "[a-z \"\\\\\u{e9}\u{1f600}\n]{0,20}[a-z]"
}

/// A turn of the model with its tools' answers, or one of the user.
fn exchange() -> impl Strategy<Value = Vec<Value>> {
    let user = text().prop_map(|text| vec![json!({"role": "user", "content": text})]);
    let image = text().prop_map(|text| {
        vec![json!({"role": "user", "content": [
            {"type": "text", "text": text},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "image_url", "image_url": {"url": "https://x.dev/y.png"}},
        ]})]
    });
    let answer = text().prop_map(|text| vec![json!({"role": "assistant", "content": text})]);
    let calls = (
        proptest::option::of(text()),
        proptest::collection::vec(("[a-z0-9_-]{1,12}", text(), text()), 1..4),
    );
    let calls = calls.prop_map(|(said, calls)| {
        let called: Vec<_> = calls
            .iter()
            .map(|(id, argument, _)| {
                let arguments = format!("{{\"z\":1.50,\"a\":{}}}", json!(argument));
                json!({"id": id, "type": "function", "function": {"name": "look_up", "arguments": arguments}})
            })
            .collect();
        let results = calls
            .iter()
            .map(|(id, _, result)| json!({"role": "tool", "tool_call_id": id, "content": result}));
        std::iter::once(json!({"role": "assistant", "content": said, "tool_calls": called}))
            .chain(results)
            .collect()
    });
    prop_oneof![user, image, answer, calls]
}

fn chat() -> impl Strategy<Value = Value> {
    let settings = (
        proptest::option::of(text()),
        any::<bool>(),
        proptest::option::of(1_u64..9_000),
        0..4_u8,
    );
    let turns = proptest::collection::vec(exchange(), 0..6);
    (settings, text(), turns).prop_map(|((system, stream, longest, choice), first, mut turns)| {
        number_calls(&mut turns);
        let mut messages = Vec::new();
        messages.extend(system.map(|text| json!({"role": "system", "content": text})));
        messages.push(json!({"role": "user", "content": first}));
        messages.extend(turns.into_iter().flatten());
        let choice = match choice {
            0 => json!("auto"),
            1 => json!("none"),
            2 => json!("required"),
            _ => json!({"type": "function", "function": {"name": "look_up"}}),
        };
        let mut body = json!({
            "model": "auto", "messages": messages, "stream": stream, "temperature": 0.5, "tool_choice": choice,
            "tools": [{"type": "function", "function": {
                "name": "look_up", "description": "looks up", "parameters": {"type": "object", "properties": {}},
            }}],
        });
        if let Some(longest) = longest {
            body["max_tokens"] = longest.into();
        }
        body
    })
}

/// Each id stands once in a conversation: those that do not are changed on their way.
fn number_calls(turns: &mut [Vec<Value>]) {
    let mut number = 0;
    for turn in turns {
        let (first, results) = turn.split_first_mut().unwrap();
        let calls = first.get_mut("tool_calls").and_then(Value::as_array_mut);
        for (call, result) in calls.into_iter().flatten().zip(results) {
            number += 1;
            let id = json!(format!("{}-{number}", call["id"].as_str().unwrap()));
            call["id"] = id.clone();
            result["tool_call_id"] = id;
        }
    }
}

/// Every client with every upstream that speaks otherwise.
fn pairs() -> impl Iterator<Item = Pair> {
    let clients = [Surface::Chat, Surface::Messages, Surface::Responses];
    let upstreams = [Dialect::CHAT, MESSAGES, Dialect::Gemini, Dialect::Converse];
    clients
        .into_iter()
        .flat_map(move |client| upstreams.map(|upstream| Pair::of(client, upstream)))
        .flatten()
}

/// What of a request a rule can see: the same, whichever dialect it came in.
fn check_same_facts(one: &Request<'_>, other: &Request<'_>) {
    assert_eq!(one.prompt, other.prompt);
    assert_eq!(one.system, other.system);
    assert_eq!(one.messages, other.messages);
    assert_eq!(one.tools, other.tools);
    assert_eq!((one.turns, one.images), (other.turns, other.images));
    assert_eq!(one.stream, other.stream);
    assert_eq!(one.temperature, other.temperature);
}

proptest! {
    #[test]
    fn a_chat_survives_the_way_to_messages_and_back(body in chat()) {
        let body = body.to_string();
        let there = request(pair(Surface::Chat, MESSAGES), &body, 4096).unwrap();
        prop_assert!(there.dropped.is_empty());
        let back = request(pair(Surface::Messages, Dialect::CHAT), &there.body, 0).unwrap();
        let (sent, came) = (value(&body), value(&back.body));
        prop_assert_eq!(&came["messages"], &without_empty(&sent["messages"]));
        prop_assert_eq!(&came["tools"], &sent["tools"]);
        prop_assert_eq!(&came["tool_choice"], &sent["tool_choice"]);
        prop_assert_eq!(&came["temperature"], &sent["temperature"]);
    }

    #[test]
    fn nothing_said_is_lost_on_the_way_to_gemini(body in chat()) {
        let sent = request(pair(Surface::Chat, Dialect::Gemini), &body.to_string(), 4096).unwrap();
        prop_assert!(sent.dropped.is_empty());
        let sent = value(&sent.body);
        let parts = |role: &str| -> Vec<Value> {
            let turns = sent["contents"].as_array().unwrap().iter().filter(|turn| turn["role"] == role);
            turns.flat_map(|turn| turn["parts"].as_array().unwrap().clone()).collect()
        };
        let (user, model) = (parts("user"), parts("model"));
        let messages = body["messages"].as_array().unwrap();
        let calls = messages.iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
        let called: Vec<_> = model.iter().filter(|part| !part["functionCall"].is_null()).collect();
        for (call, part) in calls.clone().zip(&called) {
            prop_assert_eq!(&part["functionCall"]["name"], &call["function"]["name"]);
            prop_assert_eq!(&part["functionCall"]["args"], &value(call["function"]["arguments"].as_str().unwrap()));
        }
        prop_assert_eq!(calls.count(), called.len());
        // Each turn of calls is followed by one turn with as many results, in their order.
        let results = messages.iter().filter(|message| message["role"] == "tool");
        let answered: Vec<_> = user.iter().filter(|part| !part["functionResponse"].is_null()).collect();
        for (result, part) in results.clone().zip(&answered) {
            prop_assert_eq!(&part["functionResponse"]["id"], &result["tool_call_id"]);
            prop_assert_eq!(&part["functionResponse"]["response"]["output"], &result["content"]);
        }
        prop_assert_eq!(results.count(), answered.len());
    }

    #[test]
    fn turns_alternate_on_the_way_to_bedrock(body in chat()) {
        let pair = pair(Surface::Chat, Dialect::Converse);
        // Tools cannot be forbidden there once they were used.
        prop_assume!(body["tool_choice"] != "none");
        // It fetches no images.
        let body = body.to_string().replace("https://x.dev/y.png", "data:image/png;base64,AAAA");
        let sent = request(pair, &body, 4096).unwrap();
        let sent = value(&sent.body);
        let roles: Vec<_> = sent["messages"].as_array().unwrap().iter().map(|turn| turn["role"].clone()).collect();
        prop_assert_eq!(&roles[0], "user");
        for pair in roles.windows(2) {
            prop_assert_ne!(&pair[0], &pair[1]);
        }
    }

    #[test]
    fn rules_see_the_same_in_both_dialects(body in chat()) {
        let body = body.to_string();
        let there = request(pair(Surface::Chat, MESSAGES), &body, 4096).unwrap().body;
        check_same_facts(&read(Surface::Chat, &body), &read(Surface::Messages, &there));
    }

    #[test]
    fn rules_see_the_same_in_responses(body in responses()) {
        let body = body.to_string();
        let there = request(pair(Surface::Responses, Dialect::CHAT), &body, 4096).unwrap().body;
        check_same_facts(&read(Surface::Responses, &body), &read(Surface::Chat, &there));
    }

    #[test]
    fn no_text_makes_a_translation_panic(body in "(?s).{0,80}", size in 1_usize..9) {
        for pair in pairs() {
            let _ = request(pair, &body, 10);
            let _ = pair.answer(&body, &context());
            let _ = streamed(pair, format!("data: {body}\n\n").as_bytes(), size);
        }
    }

    #[test]
    fn nothing_that_looks_like_an_event_panics(
        events in proptest::collection::vec(event(), 0..12), size in 1_usize..40,
    ) {
        let stream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        for pair in pairs() {
            let whole = streamed(pair, stream.as_bytes(), stream.len().max(1));
            prop_assert_eq!(&streamed(pair, stream.as_bytes(), size), &whole);
        }
    }

    #[test]
    fn interleaved_calls_come_out_whole(pieces in proptest::collection::vec((0_usize..3, "[a-z]{1,4}"), 1..20)) {
        let mut said = [const { String::new() }; 3];
        let mut stream = String::new();
        for (index, piece) in &pieces {
            let id = said[*index].is_empty().then(|| format!("call_{index}"));
            said[*index].push_str(piece);
            let call = json!({"index": index, "id": id, "function": {"name": "f", "arguments": piece}});
            stream.push_str(&format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})));
        }
        stream.push_str("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n");
        let output = streamed(pair(Surface::Messages, Dialect::CHAT), stream.as_bytes(), 11);
        let mut blocks: Vec<(String, String)> = Vec::new();
        for event in output.lines().filter_map(|line| line.strip_prefix("data: ")).map(value) {
            match event["type"].as_str().unwrap() {
                "content_block_start" => {
                    let id = event["content_block"]["id"].as_str().unwrap().to_owned();
                    assert_eq!(event["index"], blocks.len());
                    blocks.push((id, String::new()));
                }
                "content_block_delta" => {
                    assert_eq!(event["index"], blocks.len() - 1);
                    blocks.last_mut().unwrap().1.push_str(event["delta"]["partial_json"].as_str().unwrap());
                }
                _ => {}
            }
        }
        let mut expected: Vec<(String, String)> = Vec::new();
        for (index, _) in &pieces {
            let id = format!("call_{index}");
            if expected.iter().all(|(known, _)| *known != id) {
                expected.push((id, said[*index].clone()));
            }
        }
        prop_assert_eq!(blocks, expected);
    }
}

/// Messages say nothing where a chat says null.
fn without_empty(messages: &Value) -> Value {
    let mut messages = messages.clone();
    for message in messages.as_array_mut().unwrap() {
        if message["content"].is_null() {
            message["content"] = Value::Null;
        }
    }
    messages
}

fn responses() -> impl Strategy<Value = Value> {
    let user = text().prop_map(|text| json!({"role": "user", "content": text}));
    let parts = text().prop_map(|text| {
        json!({"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": text},
            {"type": "input_image", "image_url": "https://x.dev/y.png", "detail": "low"},
        ]})
    });
    let answer = text().prop_map(|text| {
        json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
    });
    let call = text().prop_map(|text| {
        json!({"type": "function_call", "call_id": "c1", "name": "f", "arguments": json!({"a": text}).to_string()})
    });
    let result = text()
        .prop_map(|text| json!({"type": "function_call_output", "call_id": "c1", "output": text}));
    let items = proptest::collection::vec(prop_oneof![user, parts, answer, call, result], 1..8);
    (items, proptest::option::of(text()), any::<bool>()).prop_map(|(items, instructions, stream)| {
        json!({
            "model": "auto", "input": items, "instructions": instructions, "stream": stream, "temperature": 0.5,
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
        })
    })
}

/// Events of either dialect, in any order, and what is none.
fn event() -> impl Strategy<Value = String> {
    let fixed = proptest::sample::select(vec![
        "[DONE]".to_owned(),
        "{}".to_owned(),
        "no".to_owned(),
        r#"{"error":{"message":"no"}}"#.to_owned(),
        r#"{"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":3}}}"#.to_owned(),
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#.to_owned(),
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#
            .to_owned(),
        r#"{"type":"content_block_stop","index":0}"#.to_owned(),
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":3}}"#.to_owned(),
        r#"{"type":"message_stop"}"#.to_owned(),
        r#"{"type":"ping"}"#.to_owned(),
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#.to_owned(),
        r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f"}}]}}]}"#.to_owned(),
        r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3}}"#.to_owned(),
        r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"t","name":"f"}},"contentBlockIndex":1}}"#.to_owned(),
        r#"{"contentBlockDelta":{"delta":{"reasoningContent":{"text":"hm","signature":"s"}}}}"#.to_owned(),
        r#"{"contentBlockStop":{"contentBlockIndex":0}}"#.to_owned(),
        r#"{"messageStop":{"stopReason":"max_tokens"}}"#.to_owned(),
        r#"{"modelStreamErrorException":{"message":"no"}}"#.to_owned(),
        r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":9}}"#.to_owned(),
    ]);
    let chat = text().prop_map(|text| {
        json!({"choices": [{"index": 0, "delta": {"content": text}}]}).to_string()
    });
    let messages = text().prop_map(|text| {
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}).to_string()
    });
    prop_oneof![fixed, chat, messages]
}
