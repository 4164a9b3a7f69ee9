//! Providers with a dialect or an authentication of their own: Gemini, Bedrock, Azure's identities.

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};
use waypost_policies::plan::draft::{ProviderAuth, ProviderKind};
use waypost_runtime::{Ending, Federation, Workload};

use crate::client::{request, send};
use crate::upstream::{Script, Upstream};
use crate::world::World;

async fn with_gemini() -> World {
    World::with(|draft, _| draft.providers[0].kind = ProviderKind::Gemini).await
}

/// A world whose cheap model is Amazon's, asked with what the secret holds.
async fn with_bedrock(secret: &'static str) -> World {
    World::with(|draft, settings| {
        draft.providers[0].kind = ProviderKind::Bedrock;
        draft.providers[0].region = "eu-west-1".to_owned();
        draft.models[0].upstream_name = "amazon.nova-lite-v1:0".to_owned();
        settings.secrets = settings.secrets.clone().with("one_key", secret);
    })
    .await
}

const AMAZONS_KEYS: &str =
    r#"{"AccessKeyId":"AKID","SecretAccessKey":"hidden","SessionToken":"session"}"#;

fn whole(status: u16, body: &Value) -> Script {
    let status = StatusCode::from_u16(status).unwrap();
    Script::Whole(status, Vec::new(), body.to_string())
}

fn said_by_gemini() -> Value {
    json!({
        "candidates": [{"finishReason": "STOP", "content": {"role": "model", "parts": [{"text": "four"}]}}],
        "usageMetadata": {
            "promptTokenCount": 10, "cachedContentTokenCount": 7, "candidatesTokenCount": 2,
            "thoughtsTokenCount": 3, "totalTokenCount": 15,
        },
    })
}

fn said_by_amazon() -> Value {
    json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "four"}]}}, "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 7},
    })
}

/// An event in Amazon's frame.
pub(crate) fn frame(kind: &str, event: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":event-type", kind), (":message-type", "event")] {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let event = event.to_string();
    let mut frame = Vec::new();
    frame.extend_from_slice(&((headers.len() + event.len() + 16) as u32).to_be_bytes());
    frame.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(event.as_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

fn amazons_stream() -> Vec<u8> {
    [
        frame("messageStart", &json!({"role": "assistant"})),
        frame(
            "contentBlockDelta",
            &json!({"delta": {"text": "four"}, "contentBlockIndex": 0}),
        ),
        frame("contentBlockStop", &json!({"contentBlockIndex": 0})),
        frame("messageStop", &json!({"stopReason": "max_tokens"})),
        frame(
            "metadata",
            &json!({"usage": {"inputTokens": 3, "outputTokens": 9, "cacheReadInputTokens": 7}}),
        ),
    ]
    .concat()
}

const STREAMED: &str = r#"{"model":"auto","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"#;

/// The data of a stream's events.
fn data(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect()
}

#[tokio::test]
async fn a_chat_is_answered_by_gemini() {
    let mut world = with_gemini().await;
    world.one.then(whole(200, &said_by_gemini()));
    let body = json!({
        "model": "auto", "max_tokens": 5000, "logprobs": true,
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
    });
    let mut call = request(world.address, "/v1/chat/completions", body.to_string());
    // No caller's key of another place goes along.
    call.headers_mut()
        .insert("x-goog-api-key", "theirs".parse().unwrap());
    let answer = send(call).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let document = answer.json();
    assert_eq!(document["choices"][0]["message"]["content"], "four");
    assert_eq!(document["usage"]["completion_tokens"], 5);
    let call = world.one.call().await;
    assert_eq!(call.path, "/v1/models/cheap-upstream:generateContent");
    assert_eq!(call.headers["x-goog-api-key"], "sk-one");
    assert!(!call.headers.contains_key("authorization"));
    let sent = call.json();
    assert_eq!(sent["systemInstruction"]["parts"][0]["text"], "be brief");
    // Lowered to the model's longest.
    assert_eq!(sent["generationConfig"]["maxOutputTokens"], 1000);
    assert!(sent.get("model").is_none());
    let receipt = world.receipt().await;
    let counted = (
        receipt.usage.input,
        receipt.usage.cached,
        receipt.usage.output,
    );
    assert_eq!(counted, (10, 7, 5));
    assert_eq!(receipt.cost.0, 3 * 1_000 + 7 * 100 + 5 * 2_000);
    let metrics = send(crate::client::get(world.admin, "/metrics")).await.text;
    assert!(metrics.contains("parameter=\"logprobs\""), "{metrics}");
}

#[tokio::test]
async fn a_stream_of_gemini_reaches_every_client_in_its_own_words() {
    let messages = r#"{"model":"auto","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let responses = r#"{"model":"auto","stream":true,"input":"hi"}"#;
    for (path, body, end) in [
        ("/v1/chat/completions", STREAMED, "data: [DONE]"),
        ("/v1/messages", messages, "event: message_stop"),
        ("/v1/responses", responses, "event: response.completed"),
    ] {
        let mut world = with_gemini().await;
        let upstream = world.one.streams();
        let say = |event: Value| upstream.send(Ok(format!("data: {event}\r\n\r\n"))).unwrap();
        say(
            json!({"candidates": [{"content": {"parts": [{"text": "fo"}]}}], "usageMetadata": {"promptTokenCount": 10}}),
        );
        say(
            json!({"candidates": [{"content": {"parts": [{"text": "ur"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2, "totalTokenCount": 12}}),
        );
        drop(upstream);
        let answer = send(request(world.address, path, body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(
            answer.text.contains("\"ur\"") && answer.text.contains(end),
            "{}",
            answer.text
        );
        let call = world.one.call().await;
        assert_eq!(
            call.path,
            "/v1/models/cheap-upstream:streamGenerateContent?alt=sse"
        );
        let receipt = world.receipt().await;
        assert_eq!(
            (receipt.usage.input, receipt.usage.output),
            (10, 2),
            "{path}"
        );
        assert_eq!(receipt.ending, Ending::Answered);
    }
}

#[tokio::test]
async fn what_gemini_refuses_goes_to_the_next_model_or_back_to_the_caller() {
    let blocked = json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}});
    let error = |status: u16, message: &str| {
        whole(
            status,
            &json!({"error": {"code": status, "message": message, "status": "INVALID_ARGUMENT"}}),
        )
    };
    let key = json!({"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}});
    let too_long =
        "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).";
    let malformed =
        json!({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL", "content": {}}]});
    for script in [
        whole(200, &blocked),
        whole(200, &malformed),
        whole(400, &key),
        error(400, too_long),
        error(503, "overloaded"),
    ] {
        let world = with_gemini().await;
        world.one.then(script);
        let answer = world.ask("hi").await;
        assert_eq!(
            (answer.status, answer.header("x-waypost-model")),
            (StatusCode::OK, "dear"),
            "{}",
            answer.text
        );
    }
    let world = with_gemini().await;
    world.one.then(error(400, "Unsupported MIME type"));
    let answer = world.ask("hi").await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Unsupported MIME type")
    );
}

#[tokio::test]
async fn what_gemini_cannot_take_goes_to_the_next_model() {
    let mut world = with_gemini().await;
    let body = json!({"model": "auto", "n": 2, "messages": [{"role": "user", "content": "hi"}]});
    let answer = world.chat(body.to_string()).await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert_eq!(world.one.calls(), 0);
    let body = json!({"model": "cheap", "input": "hi"});
    let answer = send(request(world.address, "/v1/embeddings", body.to_string())).await;
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.json()["error"]["code"].as_str()
        ),
        (400, Some("unsupported_surface"))
    );
}

#[tokio::test]
async fn a_chat_is_answered_by_bedrock_and_its_call_is_signed() {
    let mut world = with_bedrock(AMAZONS_KEYS).await;
    world.one.then(whole(200, &said_by_amazon()));
    let mut call = request(
        world.address,
        "/v1/chat/completions",
        crate::client::chat("hi"),
    );
    call.headers_mut()
        .insert("x-amz-date", "theirs".parse().unwrap());
    let answer = send(call).await;
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "four");
    let call = world.one.call().await;
    assert_eq!(call.path, "/v1/model/amazon.nova-lite-v1%3A0/converse");
    let authorization = call.headers["authorization"].to_str().unwrap();
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"),
        "{authorization}"
    );
    assert!(authorization.contains("/eu-west-1/bedrock/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature="));
    assert_eq!(call.headers["x-amz-security-token"], "session");
    assert_eq!(call.headers.get_all("x-amz-date").iter().count(), 1);
    assert_ne!(call.headers["x-amz-date"], "theirs");
    assert_eq!(call.json()["messages"][0]["content"][0]["text"], "hi");
    let receipt = world.receipt().await;
    let counted = (
        receipt.usage.input,
        receipt.usage.cached,
        receipt.usage.output,
    );
    assert_eq!(counted, (10, 7, 5));
}

#[tokio::test]
async fn a_stream_of_bedrock_comes_out_of_its_frames() {
    let mut world = with_bedrock("ABSKQmVk").await;
    let stream = Script::Bytes(
        "application/vnd.amazon.eventstream",
        Bytes::from(amazons_stream()),
    );
    world.one.then(stream);
    let answer = world.chat(STREAMED).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let events = data(&answer.text);
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
    assert_eq!(events.last().unwrap()["usage"]["prompt_tokens"], 10);
    assert!(answer.text.ends_with("data: [DONE]\n\n"));
    let call = world.one.call().await;
    assert_eq!(
        call.path,
        "/v1/model/amazon.nova-lite-v1%3A0/converse-stream"
    );
    // A key of Bedrock's own needs no signature.
    assert_eq!(call.headers["authorization"], "Bearer ABSKQmVk");
    let receipt = world.receipt().await;
    assert_eq!((receipt.usage.input, receipt.usage.output), (10, 9));
    assert_eq!(receipt.ending, Ending::Answered);
}

#[tokio::test]
async fn a_damaged_frame_ends_the_stream_with_an_error() {
    let mut world = with_bedrock("ABSKQmVk").await;
    let whole = amazons_stream();
    let first = frame("messageStart", &json!({"role": "assistant"})).len();
    let second = frame(
        "contentBlockDelta",
        &json!({"delta": {"text": "four"}, "contentBlockIndex": 0}),
    )
    .len();
    let cut = whole[..first + second + 9].to_vec();
    let mut damaged = whole;
    damaged[first + second + 30] ^= 1;
    for bytes in [damaged, cut] {
        // Two whole events come before.
        world.one.then(Script::Bytes(
            "application/vnd.amazon.eventstream",
            bytes.into(),
        ));
        let answer = world.chat(STREAMED).await;
        let events = data(&answer.text);
        let error = events.last().unwrap();
        assert_eq!(error["error"]["code"], "stream_broken", "{}", answer.text);
        assert_eq!(world.receipt().await.ending, Ending::Broken);
    }
}

#[tokio::test]
async fn amazons_errors_lead_where_others_do() {
    let error = |message: &str| json!({"message": message});
    for (status, message, model) in [
        (429, "Too many requests", "dear"),
        (424, "The model failed", "dear"),
        (403, "The security token is expired", "dear"),
        (400, "Input is too long for requested model.", "dear"),
        (400, "The provided model identifier is invalid.", "cheap"),
    ] {
        let world = with_bedrock("ABSKQmVk").await;
        world.one.then(whole(status, &error(message)));
        let answer = world.ask("hi").await;
        assert_eq!(
            answer.header("x-waypost-model"),
            model,
            "{status} {message}: {}",
            answer.text
        );
    }
}

/// Azure's tokens, one after the other.
async fn with_identity(seconds: u64) -> (World, Upstream, tempfile::TempDir) {
    let authority = Upstream::start().await;
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "cluster token\n").unwrap();
    for number in 1..=4 {
        let token = json!({"token_type": "Bearer", "expires_in": seconds, "access_token": format!("azure-{number}")});
        authority.then(whole(200, &token));
    }
    let federation = Federation {
        token_file,
        client_id: "client".to_owned(),
        tenant_id: "tenant".to_owned(),
        authority_host: format!("http://{}/", authority.address),
    };
    let world = World::with(|draft, settings| {
        draft.providers[0].kind = ProviderKind::AzureOpenAi;
        draft.providers[0].api_version = "2024-10-21".to_owned();
        draft.providers[0].auth = ProviderAuth::WorkloadIdentity;
        let workload = Workload::Federated(federation);
        settings.secrets = settings.secrets.clone().as_workload(workload);
    })
    .await;
    (world, authority, folder)
}

#[tokio::test]
async fn the_clusters_token_becomes_one_of_azures_and_is_kept() {
    let (mut world, mut authority, _folder) = with_identity(3600).await;
    for _ in 0..3 {
        assert_eq!(world.ask("hi").await.header("x-waypost-model"), "cheap");
        let call = world.one.call().await;
        assert_eq!(call.headers["authorization"], "Bearer azure-1");
        assert!(!call.headers.contains_key("api-key"));
    }
    let exchange = authority.call().await;
    assert_eq!(exchange.path, "/tenant/oauth2/v2.0/token");
    assert_eq!(
        exchange.text,
        "grant_type=client_credentials&client_id=client&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=cluster%20token"
    );
    assert_eq!(authority.calls(), 0);
}

#[tokio::test]
async fn a_token_that_has_expired_is_renewed() {
    let (mut world, authority, _folder) = with_identity(0).await;
    for number in 1..=3 {
        world.ask("hi").await;
        let call = world.one.call().await;
        assert_eq!(
            call.headers["authorization"],
            format!("Bearer azure-{number}")
        );
    }
    drop(authority);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let (mut world, authority, folder) = with_identity(3600).await;
    std::fs::remove_file(folder.path().join("token")).unwrap();
    let answer = world.ask("hi").await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert_eq!(world.one.calls(), 0);
    drop(authority);
    let body = json!({"model": "cheap", "messages": [{"role": "user", "content": "hi"}]});
    let answer = world.chat(body.to_string()).await;
    assert_eq!(answer.status, 502, "{}", answer.text);
    assert_eq!(answer.json()["error"]["code"], "upstream_credentials");
    assert!(!answer.text.contains("cluster token"));
}

#[tokio::test]
async fn a_refused_exchange_closes_and_says_azures_code_alone() {
    let authority = Upstream::start().await;
    let refusal = json!({"error": "invalid_client", "error_codes": [70021], "error_description": "AADSTS70021: cluster token"});
    authority.then(whole(401, &refusal));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "cluster token").unwrap();
    let federation = Federation {
        token_file: folder.path().join("token"),
        client_id: "client".to_owned(),
        tenant_id: "tenant".to_owned(),
        authority_host: format!("http://{}", authority.address),
    };
    let mut world = World::with(|draft, settings| {
        draft.providers[0].kind = ProviderKind::AzureOpenAi;
        draft.providers[0].auth = ProviderAuth::WorkloadIdentity;
        draft.tiers[0].steps.truncate(1);
        let workload = Workload::Federated(federation);
        settings.secrets = settings.secrets.clone().as_workload(workload);
    })
    .await;
    let answer = world.ask("hi").await;
    assert_eq!(answer.status, 502);
    assert!(
        answer.text.contains("invalid_client, AADSTS70021"),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("cluster token"));
    assert_eq!(world.one.calls(), 0);
}
