#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use proptest::prelude::*;

use super::*;
use crate::facts::{Tool, ToolCall};

fn everything() -> Needs {
    Needs {
        fingerprint: true,
        prompt: true,
        system: true,
        messages: true,
        tools: true,
        difficulty: true,
        cache_lifetime: true,
        headers: vec!["x-session-id".to_owned(), "x-missing".to_owned()],
        metadata: vec!["team".to_owned(), "job".to_owned()],
        claims: Vec::new(),
    }
}

fn read<'a>(needs: &Needs, surface: Surface, body: &'a str) -> Result<Request<'a>, RequestError> {
    let header = |name: &str| (name == "x-session-id").then_some("s-1");
    Request::read(needs, surface, "/v1/x", &header, body.as_bytes())
}

fn chat(body: &str) -> Request<'_> {
    read(&everything(), Surface::Chat, body).unwrap()
}

/// Checks that a body is refused with this message and parameter.
fn check_refused(surface: Surface, body: &str, message: &str, param: Option<&str>) {
    let error = read(&everything(), surface, body).unwrap_err();
    assert_eq!(error.to_string(), message, "for {body}");
    assert_eq!(error.param(), param, "for {body}");
    // A plan that needs nothing refuses the same.
    let bare = read(&Needs::default(), surface, body);
    if !message.contains("metadata") && !message.contains("tools") {
        assert_eq!(bare.unwrap_err(), error);
    }
}

const AGENT: &str = r#"{
    "model": "auto", "stream": true, "stream_options": {"include_usage": true}, "temperature": 0.2, "n": 2,
    "max_tokens": 100, "max_completion_tokens": 200, "response_format": {"type": "json_object"},
    "metadata": {"team": "payments", "other": 7}, "unknown": {"deep": [1, {"x": null}]},
    "tools": [{"type": "function", "function": {"name": "write_file", "description": "writes", "parameters": {"type": "object"}}}],
    "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "developer", "content": [{"type": "text", "text": "be kind"}]},
        {"role": "user", "name": "jo", "content": "first"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "write_file", "arguments": "{\"a\":1}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        {"role": "assistant", "content": "ok", "function_call": {"name": "old", "arguments": "{}"}},
        {"content": [
            {"type": "text", "text": "what is\nthis"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "text", "text": "really?"}
        ], "role": "user"}
    ]
}"#;

#[test]
fn an_agents_call() {
    let request = chat(AGENT);
    assert_eq!(request.model, "auto");
    assert_eq!(request.path, "/v1/x");
    assert_eq!(request.prompt, "what is\nthis\nreally?");
    assert_eq!(request.system, "be brief\nbe kind");
    assert_eq!((request.turns, request.images, request.answers), (3, 2, 2));
    assert!(request.stream && request.include_usage);
    assert_eq!(request.temperature, Some(0.2));
    assert_eq!(request.max_tokens, Some(200));
    assert_eq!(request.response_format, "json_object");
    assert_eq!(request.headers, [Some("s-1".into()), None]);
    assert_eq!(request.metadata, [Some("payments".into()), None]);
    assert_eq!(
        request.tools,
        [Tool {
            name: "write_file".into(),
            description: "writes".into()
        }]
    );
    assert_eq!(request.messages.len(), 7);
    assert_eq!(request.messages[2].name, "jo");
    assert_eq!(
        request.messages[3].tool_calls,
        [ToolCall {
            name: "write_file".into(),
            arguments: r#"{"a":1}"#.into()
        }]
    );
    assert_eq!(request.messages[4].tool_call_id, "c1");
    assert_eq!(request.messages[5].tool_calls[0].name, "old");
}

#[test]
fn what_is_not_needed_is_not_kept_but_counted() {
    let (all, bare) = (
        chat(AGENT),
        read(&Needs::default(), Surface::Chat, AGENT).unwrap(),
    );
    assert_eq!((bare.prompt.as_ref(), bare.system.as_ref()), ("", ""));
    assert!(bare.messages.is_empty() && bare.tools.is_empty() && bare.metadata.is_empty());
    assert_eq!(
        (bare.tokens, bare.turns, bare.images),
        (all.tokens, all.turns, all.images)
    );
    assert_eq!((bare.max_tokens, bare.stream), (all.max_tokens, all.stream));
    assert!(all.tokens > tokens::IMAGE + tokens::IMAGE_LOW);
}

#[test]
fn strings_without_escapes_are_borrowed() {
    let request = chat(r#"{"model":"m","messages":[{"role":"user","content":"plain"}]}"#);
    assert!(matches!(request.prompt, Cow::Borrowed("plain")));
    assert!(matches!(
        request.messages[0].content,
        Cow::Borrowed("plain")
    ));
    assert!(matches!(request.model, Cow::Borrowed("m")));
}

/// The prompt is the last user turn's text, whatever came after it and whatever it is made of.
#[test]
fn the_prompt_is_what_the_user_said_last() {
    fn check(messages: &str, prompt: &str, system: &str, turns: u64) {
        let body = format!("{{\"model\":\"m\",\"messages\":[{messages}]}}");
        let request = chat(&body);
        assert_eq!(
            (request.prompt.as_ref(), request.system.as_ref()),
            (prompt, system),
            "{messages}"
        );
        assert_eq!(request.turns, turns, "{messages}");
    }
    check(
        r#"{"role":"system","content":"be brief"}"#,
        "",
        "be brief",
        1,
    );
    check(
        r#"{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"user","content":null}"#,
        "",
        "a\nb",
        1,
    );
    check(
        r#"{"role":"user","content":"do it"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"a long result"}"#,
        "do it",
        "",
        2,
    );
    check(
        r#"{"role":"user","content":"first"},{"role":"assistant","content":"a"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}"#,
        "",
        "",
        2,
    );
    check(
        r#"{"content":"late role","role":"user"},{"content":"late","role":"developer"}"#,
        "late role",
        "late",
        1,
    );
}

/// What an agent sends again with each turn is counted: results, calls and what the model thought.
#[test]
fn every_part_of_a_conversation_is_counted() {
    let tokens = |messages: &str, more: &str| {
        let body = format!("{{\"model\":\"m\",\"messages\":[{messages}]{more}}}");
        chat(&body).tokens
    };
    let asked = r#"{"role":"user","content":"read it"}"#;
    let base = tokens(asked, "");
    let result = "a line of a file that was read ".repeat(2_000);
    let result =
        format!("{asked},{{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"{result}\"}}");
    assert!((12_000..18_000).contains(&(tokens(&result, "") - base)));
    let call = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"write_file","arguments":"{\"path\":\"a\",\"text\":\"hello there\"}"}}]}"#;
    assert!(tokens(&format!("{asked},{call}"), "") - base > tokens::TOOL + 10);
    let thought = r#"{"role":"assistant","content":"","reasoning_content":"let me think about it for a while"}"#;
    assert!(tokens(&format!("{asked},{thought}"), "") - base > tokens::MESSAGE + 5);
    let image = r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#;
    assert_eq!(
        tokens(&format!("{asked},{image}"), "") - base,
        tokens::MESSAGE + tokens::IMAGE
    );
    let tools = r#","tools":[{"type":"function","function":{"name":"f","description":"does it","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}}]"#;
    assert!(tokens(asked, tools) - base > tokens::TOOL + 15);
    assert_eq!(tokens(asked, ",\"n\":4,\"max_completion_tokens\":10"), base);
}

#[test]
fn completions() {
    fn check<'a>(body: &'a str, prompt: &str, answers: u64) -> Request<'a> {
        let request = read(&everything(), Surface::Completions, body).unwrap();
        assert_eq!(
            (request.prompt.as_ref(), request.answers),
            (prompt, answers),
            "{body}"
        );
        request
    }
    check(r#"{"model":"m","prompt":"once"}"#, "once", 1);
    check(
        r#"{"model":"m","prompt":["once","twice"],"n":2,"best_of":3}"#,
        "once\ntwice",
        6,
    );
    let tokens = check(r#"{"model":"m","prompt":[1,2,3,4]}"#, "", 1);
    assert_eq!((tokens.tokens, tokens.largest_prompt), (4, 4));
    let batch = check(r#"{"model":"m","prompt":[[1,2,3],[4]]}"#, "", 2);
    assert_eq!((batch.tokens, batch.largest_prompt), (4, 3));
}

#[test]
fn embeddings_have_no_answer() {
    let request = read(
        &everything(),
        Surface::Embeddings,
        r#"{"model":"e5","input":["a","b b b"]}"#,
    )
    .unwrap();
    assert_eq!(
        (request.answers, request.tokens, request.largest_prompt),
        (0, 4, 3)
    );
    assert_eq!(request.prompt, "a\nb b b");
}

#[test]
fn not_json() {
    check_refused(
        Surface::Chat,
        " ",
        "the body is empty: send a JSON object with `model` and `messages`",
        None,
    );
    check_refused(
        Surface::Chat,
        "{\"model\": \"m\",\n \"messages\": [}",
        "the body is not JSON: expected value (line 2, column 15)",
        None,
    );
    check_refused(
        Surface::Chat,
        "{} x",
        "the body is not JSON: trailing characters (line 1, column 4)",
        None,
    );
    let brackets = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for field in ["messages", "unknown"] {
        let deep = format!("{{\"messages\":[],\"{field}\":{brackets}}}");
        let error = read(&everything(), Surface::Chat, &deep).unwrap_err();
        assert_eq!(error, RequestError::TooDeep { deepest: 128 });
    }
}

#[test]
fn wrong_types_are_named_by_their_path() {
    let check = |body, message, param| check_refused(Surface::Chat, body, message, Some(param));
    check_refused(
        Surface::Chat,
        "[]",
        "the body must be a JSON object, not an array",
        None,
    );
    check_refused(
        Surface::Chat,
        "null",
        "the body must be a JSON object, not null",
        None,
    );
    check(
        r#"{"model":"m","tools":["x"]}"#,
        "`tools[0]` must be an object with a `function`, not a string",
        "tools[0]",
    );
    check(
        r#"{"model":5}"#,
        "`model` must be a string, not the number `5`",
        "model",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"user","content":5}]}"#,
        "`messages[1].content` must be a string or an array of parts, not the number `5`",
        "messages[1].content",
    );
    check(
        r#"{"model":"m","messages":[{"content":"x"}]}"#,
        "`messages[0]` must be an object with `role` and `content`, not an object without `role`",
        "messages[0]",
    );
    check(
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":{}}]}]}"#,
        "`messages[0].content[0].text` must be a string, not an object",
        "messages[0].content[0].text",
    );
    check(
        r#"{"model":"m","messages":"hi"}"#,
        "`messages` must be an array of messages, not a string",
        "messages",
    );
    check(
        r#"{"model":"m","max_tokens":-5}"#,
        "`max_tokens` must be a whole number, 0 or more, not the number `-5`",
        "max_tokens",
    );
    check(
        r#"{"model":"m","max_tokens":1.5}"#,
        "`max_tokens` must be a whole number, 0 or more, not the number `1.5`",
        "max_tokens",
    );
    check(
        r#"{"model":"m","stream":"yes"}"#,
        "`stream` must be true or false, not a string",
        "stream",
    );
    check(
        r#"{"model":"m","metadata":{"team":1}}"#,
        "`metadata.team` must be a string, not the number `1`",
        "metadata.team",
    );
    check(
        r#"{"model":"m","tools":[{"function":{"name":5}}]}"#,
        "`tools[0].function.name` must be a string, not the number `5`",
        "tools[0].function.name",
    );
}

#[test]
fn fields_that_stand_twice() {
    let check = |body, message, param| check_refused(Surface::Chat, body, message, Some(param));
    check(
        r#"{"model":"a","model":"b"}"#,
        "`model` is sent twice: send it once",
        "model",
    );
    check(
        r#"{"model":"a","messages":[{"role":"user","content":"x","content":"y"}]}"#,
        "`messages[0].content` is sent twice: send it once",
        "messages[0].content",
    );
    assert!(
        read(
            &everything(),
            Surface::Chat,
            r#"{"x":1,"x":2,"model":"m","messages":[{"role":"user"}]}"#
        )
        .is_ok()
    );
}

#[test]
fn a_name_in_escapes_is_the_same_name() {
    let body = r#"{"mod\u0065l":"m","messages":[{"r\u006fle":"user","content":"x"}]}"#;
    assert_eq!(chat(body).model, "m");
    check_refused(
        Surface::Chat,
        r#"{"model":"a","mod\u0065l":"b"}"#,
        "`model` is sent twice: send it once",
        Some("model"),
    );
}

#[test]
fn text_that_is_no_utf8() {
    let body = b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}";
    let error = Request::read(&everything(), Surface::Chat, "/", &|_| None, body).unwrap_err();
    assert!(matches!(error, RequestError::NotJson { .. }), "{error}");
}

#[test]
fn what_is_missing() {
    check_refused(
        Surface::Chat,
        r#"{"messages":[{"role":"user","content":"x"}]}"#,
        "`model` is missing: name one that `GET /v1/models` lists",
        Some("model"),
    );
    for body in [
        r#"{"model":"m"}"#,
        r#"{"model":"m","messages":[]}"#,
        r#"{"model":"m","messages":null}"#,
    ] {
        check_refused(
            Surface::Chat,
            body,
            "`messages` is missing or empty: send at least one, such as {\"role\": \"user\", \"content\": \"…\"}",
            Some("messages"),
        );
    }
    check_refused(
        Surface::Embeddings,
        r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#,
        "`input` is missing or empty: send a string, or an array of strings or token ids",
        Some("input"),
    );
}

#[test]
fn absurd_numbers() {
    let check = |field: &str, value: &str, message: &str| {
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],"{field}":{value}}}"#
        );
        check_refused(Surface::Chat, &body, message, Some(field));
    };
    check("n", "129", "`n` must be from 1 to 128, not 129");
    check("n", "0", "`n` must be from 1 to 128, not 0");
    check(
        "max_tokens",
        "4294967296",
        "`max_tokens` must be from 0 to 4294967295, not 4294967296",
    );
    check(
        "max_completion_tokens",
        "18446744073709551615",
        "`max_completion_tokens` must be from 0 to 4294967295, not 18446744073709551615",
    );
}

#[test]
fn anthropics_messages_are_read_as_the_chat_that_says_the_same() {
    let body = r#"{
        "messages": [
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": [
                {"thinking": "hm", "type": "thinking", "signature": "s"}, {"type": "text", "text": "let me look"},
                {"input": {"a": 1}, "name": "look_up", "id": "t1", "type": "tool_use"}]},
            {"content": [
                {"content": [{"type": "text", "text": "found"}, {"type": "image", "source": {"type": "url", "url": "x"}}],
                 "tool_use_id": "t1", "type": "tool_result"},
                {"type": "text", "text": "and?"}], "role": "user"},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t2", "content": "more"}]}
        ],
        "system": [{"type": "text", "text": "be brief"}, {"type": "text", "text": "be kind"}],
        "max_tokens": 30, "model": "auto", "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "tools": [{"name": "look_up", "description": "looks", "input_schema": {"type": "object"}}], "n": "not its field"
    }"#;
    let request = read(&everything(), Surface::Messages, body).unwrap();
    assert_eq!(
        (&*request.prompt, &*request.system),
        ("and?", "be brief\nbe kind")
    );
    assert_eq!((request.turns, request.images, request.answers), (2, 1, 1));
    assert_eq!(
        (request.max_tokens, &*request.response_format),
        (Some(30), "json_schema")
    );
    assert_eq!(request.tools[0].name, "look_up");
    let roles: Vec<&str> = request
        .messages
        .iter()
        .map(|message| &*message.role)
        .collect();
    assert_eq!(
        roles,
        ["system", "user", "assistant", "tool", "user", "tool"]
    );
    assert_eq!(request.messages[2].tool_calls[0].arguments, r#"{"a": 1}"#);
    assert_eq!(
        (
            &*request.messages[3].content,
            &*request.messages[3].tool_call_id
        ),
        ("found", "t1")
    );
    // Counting asks for no answer.
    let counted = read(&everything(), Surface::CountTokens, body).unwrap();
    assert_eq!((counted.answers, counted.tokens), (0, request.tokens));
}

#[test]
fn responses_are_read_as_the_chat_that_says_the_same() {
    let body = r#"{"model": "auto", "instructions": "be brief", "max_output_tokens": 9, "text": {"format": {"type": "json_object"}},
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "look"}, {"type": "input_image", "image_url": "x"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "done"}
        ]}"#;
    let request = read(&everything(), Surface::Responses, body).unwrap();
    assert_eq!((&*request.prompt, &*request.system), ("look", "be brief"));
    assert_eq!(
        (request.turns, request.images, request.max_tokens),
        (2, 1, Some(9))
    );
    assert_eq!(request.response_format, "json_object");
    assert_eq!(request.messages[2].tool_calls.len(), 2);
    assert_eq!(request.messages[3].tool_call_id, "c1");
    let plain = read(
        &everything(),
        Surface::Responses,
        r#"{"model":"m","input":"hi"}"#,
    )
    .unwrap();
    assert_eq!(plain.prompt, "hi");
}

#[test]
fn what_the_other_apis_demand_is_demanded() {
    let check = |surface, body, message, param| check_refused(surface, body, message, Some(param));
    check(
        Surface::Messages,
        r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#,
        "`max_tokens` is missing or empty: send the longest answer that you want, in tokens",
        "max_tokens",
    );
    check(
        Surface::Messages,
        r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":7}]}]}"#,
        "`messages[0].content[0].text` must be a string, not the number `7`",
        "messages[0].content[0].text",
    );
    check(
        Surface::Responses,
        r#"{"model":"m","input":[]}"#,
        "`input` is missing or empty: send a string, or an array of items",
        "input",
    );
    check(
        Surface::Responses,
        r#"{"model":"m","input":"x","max_output_tokens":4294967296}"#,
        "`max_output_tokens` must be from 0 to 4294967295, not 4294967296",
        "max_output_tokens",
    );
}

proptest! {
    #[test]
    fn no_body_panics(body in "(?s).{0,200}") {
        let _ = read(&everything(), Surface::Chat, &body);
    }

    #[test]
    fn nothing_that_looks_like_a_body_panics(
        body in r#"\{("(model|messages|tools|n|prompt|input|metadata)":("x"|null|5|-1|\[|\]|\{|\}|"role":|"content":|,){0,6},?){0,4}\}"#,
    ) {
        for surface in Surface::ALL {
            let _ = read(&everything(), surface, &body);
        }
    }

    #[test]
    fn any_text_comes_through(text in "(?s).{0,100}") {
        let body = serde_json::json!({"model": "m", "messages": [{"content": text, "role": "user"}]}).to_string();
        let request = chat(&body);
        prop_assert_eq!(request.prompt.as_ref(), text.as_str());
        prop_assert_eq!(request.tokens, tokens::ANSWER_PRIMER + tokens::MESSAGE + tokens::of_text(&text));
    }
}

#[test]
fn what_decides_the_price_is_read() {
    use crate::cost::{Manner, Service};

    let check = |surface, rest: &str, expected: Manner| {
        let body = format!(r#"{{"model":"auto","max_tokens":9,{rest}}}"#);
        let request = read(&everything(), surface, &body).unwrap();
        assert_eq!(request.manner, expected, "{body}");
    };
    let usual = Manner::default();
    let hour = Manner {
        caches_for_an_hour: true,
        ..usual
    };
    let served = |service| Manner { service, ..usual };
    let said = r#""messages":[{"role":"user","content":"hi"}]"#;
    for (tier, service) in [
        ("null", Service::Standard),
        ("\"auto\"", Service::Standard),
        ("\"default\"", Service::Standard),
        ("\"flex\"", Service::Flex),
        ("\"priority\"", Service::Priority),
        // What nobody here knows may be the dearest.
        ("\"hyper\"", Service::Priority),
    ] {
        let body = format!(r#""service_tier":{tier},{said}"#);
        check(Surface::Chat, &body, served(service));
    }
    let sound = Manner {
        audio_input: true,
        audio_output: true,
        ..usual
    };
    check(
        Surface::Chat,
        r#""modalities":["text","audio"],"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA"}}]}]"#,
        sound,
    );
    let part = |ttl: &str| {
        format!(
            r#"{{"type":"text","text":"a","cache_control":{{"type":"ephemeral","ttl":"{ttl}"}}}}"#
        )
    };
    for surface in [Surface::Chat, Surface::Messages] {
        let content = |ttl: &str| {
            format!(
                r#""messages":[{{"role":"user","content":[{}]}}]"#,
                part(ttl)
            )
        };
        check(surface, &content("1h"), hour);
        check(surface, &content(r"1\u0068"), hour);
        check(surface, &content("5m"), usual);
        let tool = r#""tools":[{"name":"t","cache_control":{"type":"ephemeral","ttl":"1h"}}]"#;
        check(surface, &format!("{tool},{said}"), hour);
        let all = r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#;
        check(surface, &format!("{all},{said}"), hour);
    }
    let system = format!(r#""system":[{}],{said}"#, part("1h"));
    check(Surface::Messages, &system, hour);
    let result = format!(
        r#""messages":[{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"x","content":[{}]}}]}}]"#,
        part("1h")
    );
    check(Surface::Messages, &result, hour);
    let images = Manner {
        images: true,
        ..usual
    };
    check(
        Surface::Chat,
        r#""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}]"#,
        images,
    );
}
