//! What an upstream means that refuses a call: reads its error, whatever its shape, and says what follows from it.
//!
//! Providers have codes for what matters, engines often only words. Both are matched where the status allows them, and
//! a mistake here is harmless: the tier's next model is asked, and refuses the call too.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::Value;
use waypost_policies::facts::Surface;

use super::attempt_error::AttemptError;
use super::upstream::{Dialects, Head, Reply, head};
use crate::body::collect;
use crate::client;
use crate::clock;
use crate::failure::Failure;

/// The largest error that is read.
const LARGEST_ERROR: usize = 1 << 20;
/// More of an upstream's own words is not shown.
const LONGEST_MESSAGE: usize = 300;

/// Codes and types that say that a prompt is too long: OpenAI and those that follow it, llama.cpp.
const CONTEXT_CODES: [&str; 3] = [
    "context_length_exceeded",
    "string_above_max_length",
    "exceed_context_size_error",
];
/// Words that say it, in lower case.
const CONTEXT_WORDS: [&str; 16] = [
    // OpenAI, vLLM, DeepSeek, OpenRouter; SGLang and Mistral in other places of the sentence.
    "maximum context length",
    "context length",
    "context window",
    // vLLM on the prompt alone.
    "maximum model length",
    // Anthropic, its second about prompt and answer together.
    "prompt is too long",
    "exceed context limit",
    // Bedrock.
    "input is too long",
    // Gemini and Vertex.
    "exceeds the maximum number of tokens",
    // SGLang.
    "exceeds the maximum allowed length",
    // llama.cpp.
    "available context size",
    // xAI.
    "maximum prompt length",
    // TGI and Together.
    "`inputs` tokens + `max_new_tokens`",
    "`inputs` must have less than",
    // DashScope.
    "range of input length",
    // Cohere, and Groq on one call.
    "too many tokens",
    "request too large for model",
];

/// Codes and types that say that a filter stopped a call: Azure, OpenAI, DashScope.
const FILTER_CODES: [&str; 5] = [
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "invalid_prompt",
    "data_inspection_failed",
];
/// Words that say it, in lower case.
const FILTER_WORDS: [&str; 9] = [
    // Azure.
    "content management policy",
    // Anthropic.
    "content filtering policy",
    // OpenAI.
    "violating our usage policy",
    "violating our usage policies",
    "safety system",
    // OpenRouter.
    "input was flagged",
    // DeepSeek and DashScope.
    "content exists risk",
    "inappropriate content",
    // Bedrock's guardrails.
    "blocked by guardrail",
];

/// What an error says, in whichever of the usual shapes.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    /// Its codes and types.
    codes: Vec<String>,
    /// Google's reason, which stands beside.
    reason: Option<String>,
    /// Whether it is in the shape of OpenAI's and Anthropic's: an object `error` with a message.
    is_error_object: bool,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(body).unwrap_or_default();
        // Google's servers put streamed errors into a list.
        let document = document.get(0).unwrap_or(&document);
        let error = document.get("error");
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let inside = |member: &str| error.and_then(|error| error.get(member));
        let message = text(inside("message"));
        let inner = inside("innererror").and_then(|inner| inner.get("code"));
        let codes = [
            inside("code"),
            inside("type"),
            inside("status"),
            inner,
            document.get("code"),
            document.get("type"),
        ];
        let details = inside("details").and_then(Value::as_array);
        let mut reasons = details.into_iter().flatten();
        Self {
            reason: reasons.find_map(|detail| text(detail.get("reason"))),
            is_error_object: message.is_some(),
            message: message
                // TGI and Ollama; vLLM before 0.9 and Bedrock; FastAPI.
                .or_else(|| text(error))
                .or_else(|| text(document.get("message")))
                .or_else(|| text(document.get("detail")))
                .map(|message| shortened(&message)),
            codes: codes
                .into_iter()
                .filter_map(text)
                .map(|code| code.to_ascii_lowercase())
                .collect(),
        }
    }

    /// Whether one of the codes stands in it, or words of its message.
    fn says(&self, codes: &[&str], words: &[&str]) -> bool {
        let message = self.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        self.codes.iter().any(|code| codes.contains(&&**code))
            || words.iter().any(|words| message.contains(words))
    }

    fn is_context_length(&self, status: StatusCode) -> bool {
        match status.as_u16() {
            413 => true,
            400 | 422 => self.says(&CONTEXT_CODES, &CONTEXT_WORDS),
            _ => false,
        }
    }

    fn is_filter(&self, status: StatusCode) -> bool {
        matches!(status.as_u16(), 400 | 403 | 422 | 451) && self.says(&FILTER_CODES, &FILTER_WORDS)
    }
}

/// What follows from an answer with a status that is none of success.
pub(super) async fn refused(
    response: Response<client::Answer>,
    dialects: &Dialects,
) -> Result<Reply, AttemptError> {
    let (head, mut body) = head(response);
    let body = collect(&mut body, LARGEST_ERROR).await.unwrap_or_default();
    let said = Said::read(&body);
    let words = |said: Said| said.message.unwrap_or_default();
    if said.is_context_length(head.status) {
        return Err(AttemptError::ContextLength(words(said)));
    }
    if said.is_filter(head.status) {
        return Err(AttemptError::ContentFilter(words(said)));
    }
    // Google's status for it is that of a call that is wrong.
    if said.reason.as_deref() == Some("API_KEY_INVALID") {
        return Err(AttemptError::Credentials(head.status));
    }
    match head.status {
        StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => {
            Err(AttemptError::Credentials(head.status))
        }
        StatusCode::NOT_FOUND => Err(AttemptError::UnknownThere),
        StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::TOO_EARLY
        // A model behind Bedrock failed.
        | StatusCode::FAILED_DEPENDENCY
        | StatusCode::TOO_MANY_REQUESTS => Err(status_error(&head, said.message)),
        // Credentials go where the file says, and nowhere else.
        status if status.is_redirection() => Err(AttemptError::Redirects(status)),
        // Of the same API, so its errors have the shape that the client knows.
        status if status.is_client_error() => {
            match said.is_error_object && dialects.translation.is_none() {
                true => Ok(Reply::Rejected { head, body }),
                false => Ok(rejected(head, said.message, dialects.client)),
            }
        }
        _ => Err(status_error(&head, said.message)),
    }
}

/// The refusal of an upstream whose errors have another shape than clients can read.
fn rejected(mut head: Head, message: Option<String>, client: Surface) -> Reply {
    let words = message.map_or_else(String::new, |message| format!(": {message}"));
    let message = format!("the model refuses this call ({}){words}", head.status);
    let failure = Failure::invalid(head.status, "upstream_rejected", message)
        .hint("compare the call with what the model's own API takes");
    head.headers.remove(CONTENT_ENCODING);
    head.headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Reply::Rejected {
        head,
        body: Bytes::from(failure.json_on(client)),
    }
}

fn status_error(head: &Head, message: Option<String>) -> AttemptError {
    AttemptError::Status {
        status: head.status,
        message,
        retry_after: retry_after(&head.headers),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let until = || {
        let date = headers.get(RETRY_AFTER)?.to_str().ok()?;
        let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
        Some((date.as_nanosecond() - i128::from(clock::now())) as f64 / 1e9)
    };
    let seconds = number("retry-after-ms")
        .map(|value| value / 1e3)
        .or_else(|| number(RETRY_AFTER.as_str()))
        .or_else(until)?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn shortened(message: &str) -> String {
    message.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn wait(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers)
    }

    #[test]
    fn when_to_come_back_is_a_number_or_a_date() {
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        let century = Duration::from_secs(100 * 365 * 86_400);
        assert!(wait("31 Dec 2999 23:59:59 GMT").unwrap() > century);
        for useless in ["Thu, 01 Jan 1970 00:00:01 GMT", "-1", "NaN", "inf", "soon"] {
            assert_eq!(wait(useless), None, "{useless}");
        }
    }

    fn class(status: u16, body: &str) -> &'static str {
        let status = StatusCode::from_u16(status).unwrap();
        let said = Said::read(body.as_bytes());
        match (said.is_context_length(status), said.is_filter(status)) {
            (true, _) => "context",
            (false, true) => "filter",
            (false, false) => "other",
        }
    }

    /// As the providers' servers were seen to answer, shortened.
    #[test]
    fn each_dialects_way_to_say_too_long_is_known() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"message":"This model's maximum context length is 128000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"Your input exceeds the context window of this model.","code":"context_length_exceeded"}}"#,
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210033 tokens > 200000 maximum"}}"#,
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 190000 + 21333 > 204698"}}"#,
            ),
            (
                413,
                r#"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
            ),
            (
                400,
                r#"[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#,
            ),
            (
                400,
                r#"{"message":"Input is too long for requested model."}"#,
            ),
            (
                400,
                r#"{"object":"error","message":"The decoder prompt (length 9000) is longer than the maximum model length of 4096.","code":400}"#,
            ),
            (
                400,
                r#"{"error":{"message":"The input (9001 tokens) is longer than the model's context length (4096 tokens).","code":400}}"#,
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_ctx":4096}}"#,
            ),
            (
                422,
                r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.","error_type":"validation"}"#,
            ),
            (
                400,
                r#"{"code":"Client","error":"This model's maximum prompt length is 131072 but the request contains 200000 tokens."}"#,
            ),
            (
                400,
                r#"{"error":{"message":"Range of input length should be [1, 30720]","code":"invalid_parameter_error"}}"#,
            ),
            (
                413,
                r#"{"error":{"message":"Request too large for model `llama-3` on tokens per minute (TPM)","code":"rate_limit_exceeded"}}"#,
            ),
            (
                400,
                r#"{"message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"}"#,
            ),
        ] {
            assert_eq!(class(status, body), "context", "{body}");
        }
    }

    #[test]
    fn each_dialects_filter_is_known() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"code":"content_filter","message":"The response was filtered","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            ),
            (
                400,
                r#"{"error":{"code":null,"message":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            ),
            (
                400,
                r#"{"error":{"code":"invalid_prompt","message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy."}}"#,
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#,
            ),
            (
                403,
                r#"{"error":{"code":403,"message":"Your chosen model requires moderation and your input was flagged for \"violence\""}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error"}}"#,
            ),
            (
                400,
                r#"{"error":{"code":"data_inspection_failed","message":"Input data may contain inappropriate content."}}"#,
            ),
        ] {
            assert_eq!(class(status, body), "filter", "{body}");
        }
    }

    #[test]
    fn other_refusals_are_neither() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"message":"`top_p` must be at most 1","code":null}}"#,
            ),
            (
                403,
                r#"{"error":{"message":"Country not supported","code":"unsupported_country_region_territory"}}"#,
            ),
            (
                401,
                r#"{"error":{"message":"context length","code":"context_length_exceeded"}}"#,
            ),
            (500, r#"{"error":{"message":"context length"}}"#),
            (400, "<html>context window</html>"),
            (400, "[]"),
            (400, ""),
        ] {
            assert_eq!(class(status, body), "other", "{body}");
        }
    }
}
