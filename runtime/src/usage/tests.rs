//! What each provider includes in which count: its own words in, one meaning out.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

/// Checks what an answer says was used, of a call that was asked in this manner.
fn check(dialect: Dialect, manner: Manner, json: &str, expected: Usage) {
    let heard = hear(dialect, json.as_bytes()).unwrap();
    assert_eq!(heard.usage.unwrap().usage(0, manner), expected, "{json}");
}

const USUAL: Usage = Usage {
    input: 0,
    cached: 0,
    cache_write: 0,
    cache_write_hour: 0,
    audio_input: 0,
    audio_cached: 0,
    image_input: 0,
    output: 0,
    reasoning: 0,
    audio_output: 0,
    service: Some(Service::Standard),
};

#[test]
fn a_chat_counts_parts_within_the_whole() {
    check(
        Dialect::CHAT,
        Manner::default(),
        r#"{"service_tier":"priority","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":300,"total_tokens":1300,
            "prompt_tokens_details":{"cached_tokens":600,"cache_write_tokens":100,"audio_tokens":50,"image_tokens":40},
            "completion_tokens_details":{"reasoning_tokens":200,"audio_tokens":30,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}"#,
        Usage {
            input: 1000,
            cached: 600,
            cache_write: 100,
            audio_input: 50,
            image_input: 40,
            output: 300,
            reasoning: 200,
            audio_output: 30,
            service: Some(Service::Priority),
            ..USUAL
        },
    );
}

#[test]
fn a_response_counts_parts_within_the_whole() {
    check(
        Dialect::Of(Surface::Responses),
        Manner::default(),
        r#"{"object":"response","service_tier":"flex","output":[],"usage":{"input_tokens":1000,"output_tokens":300,"total_tokens":1300,
            "input_tokens_details":{"cached_tokens":600,"cache_write_tokens":100},"output_tokens_details":{"reasoning_tokens":200}}}"#,
        Usage {
            input: 1000,
            cached: 600,
            cache_write: 100,
            output: 300,
            reasoning: 200,
            service: Some(Service::Flex),
            ..USUAL
        },
    );
}

#[test]
fn a_message_counts_the_cache_beside_the_prompt() {
    check(
        Dialect::Of(Surface::Messages),
        Manner::default(),
        r#"{"type":"message","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":600,"cache_creation_input_tokens":300,
            "cache_creation":{"ephemeral_5m_input_tokens":200,"ephemeral_1h_input_tokens":100},"output_tokens":30,
            "output_tokens_details":{"thinking_tokens":20},"service_tier":"batch"}}"#,
        Usage {
            input: 910,
            cached: 600,
            cache_write: 200,
            cache_write_hour: 100,
            output: 30,
            reasoning: 20,
            service: Some(Service::Batch),
            ..USUAL
        },
    );
}

#[test]
fn what_is_written_for_a_time_that_nobody_says_is_what_was_asked_for() {
    let json = r#"{"type":"message","content":[],"usage":{"input_tokens":10,"cache_creation_input_tokens":300,"output_tokens":30}}"#;
    let dialect = Dialect::Of(Surface::Messages);
    let usage = Usage {
        input: 310,
        output: 30,
        ..USUAL
    };
    let usual = Usage {
        cache_write: 300,
        ..usage
    };
    check(dialect, Manner::default(), json, usual);
    let asked = Manner {
        caches_for_an_hour: true,
        ..Manner::default()
    };
    let hour = Usage {
        cache_write_hour: 300,
        ..usage
    };
    check(dialect, asked, json, hour);
}

#[test]
fn gemini_counts_thoughts_beside_the_answer_and_kinds_within() {
    check(
        Dialect::Gemini,
        Manner::default(),
        r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1000,"cachedContentTokenCount":600,
            "toolUsePromptTokenCount":50,"candidatesTokenCount":100,"thoughtsTokenCount":200,"totalTokenCount":1350,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":700},{"modality":"AUDIO","tokenCount":200},{"modality":"IMAGE","tokenCount":100}],
            "toolUsePromptTokensDetails":[{"modality":"IMAGE","tokenCount":50}],
            "cacheTokensDetails":[{"modality":"TEXT","tokenCount":500},{"modality":"AUDIO","tokenCount":100}],
            "candidatesTokensDetails":[{"modality":"TEXT","tokenCount":90},{"modality":"AUDIO","tokenCount":10}]}}"#,
        Usage {
            input: 1050,
            cached: 600,
            audio_input: 200,
            audio_cached: 100,
            image_input: 150,
            output: 300,
            reasoning: 200,
            audio_output: 10,
            ..USUAL
        },
    );
}

#[test]
fn converse_counts_the_cache_beside_the_prompt() {
    let usage = r#""usage":{"inputTokens":10,"outputTokens":5,"totalTokens":115,"cacheReadInputTokens":70,"cacheWriteInputTokens":30,
        "cacheDetails":[{"ttl":"1h","inputTokens":20},{"ttl":"5m","inputTokens":10}]},"serviceTier":{"type":"priority"}"#;
    let expected = Usage {
        input: 110,
        cached: 70,
        cache_write: 10,
        cache_write_hour: 20,
        output: 5,
        service: Some(Service::Priority),
        ..USUAL
    };
    for json in [
        format!(r#"{{"output":{{"message":{{"content":[]}}}},{usage}}}"#),
        format!(r#"{{"metadata":{{{usage}}}}}"#),
    ] {
        check(Dialect::Converse, Manner::default(), &json, expected);
    }
}

#[test]
fn a_service_that_nobody_says_is_the_one_that_was_asked_for() {
    let asked = Manner {
        service: Service::Priority,
        ..Manner::default()
    };
    let usage = |service| Usage {
        input: 3,
        output: 2,
        service: Some(service),
        ..USUAL
    };
    let said = |tier: &str| {
        format!(r#"{{{tier}"choices":[],"usage":{{"prompt_tokens":3,"completion_tokens":2}}}}"#)
    };
    check(Dialect::CHAT, asked, &said(""), usage(Service::Priority));
    let default = said(r#""service_tier":"default","#);
    check(Dialect::CHAT, asked, &default, usage(Service::Standard));
}

#[test]
fn a_service_of_another_shape_hides_no_usage() {
    let json = r#"{"service_tier":{"type":"x"},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let usage = Usage {
        input: 3,
        output: 2,
        ..USUAL
    };
    check(Dialect::CHAT, Manner::default(), json, usage);
}

fn usage(json: &str) -> Usage {
    let heard = hear(Dialect::CHAT, json.as_bytes()).unwrap();
    heard.usage.unwrap().usage(0, Manner::default())
}

#[test]
fn cached_tokens_are_part_of_the_prompt() {
    let json = r#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":8}}}"#;
    assert_eq!(
        usage(json),
        Usage {
            input: 10,
            cached: 8,
            output: 5,
            service: Some(Service::Standard),
            ..Usage::default()
        }
    );
}

#[test]
fn reasoning_that_only_the_total_counts_is_charged() {
    let json = r#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115}}"#;
    assert_eq!(usage(json).output, 105);
}

#[test]
fn embeddings_have_no_answer() {
    assert_eq!(
        usage(r#"{"data":[],"usage":{"prompt_tokens":7,"total_tokens":7}}"#),
        Usage {
            input: 7,
            output: 0,
            service: Some(Service::Standard),
            ..Usage::default()
        }
    );
}

#[test]
fn what_is_sent_under_two_names_counts_once_and_hides_no_usage() {
    let json = r#"{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm"},"message":{"content":"hm"}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let answer = Answer::parse(json).unwrap();
    assert_eq!(answer.tokens(), tokens::of_text("hm"));
    assert_eq!(usage(json).output, 2);
}

#[test]
fn content_of_an_unknown_shape_hides_no_usage() {
    let json = r#"{"choices":[{"message":{"content":[{"type":"thinking"}]}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    assert_eq!(usage(json).output, 2);
}

#[test]
fn text_tool_calls_and_reasoning_count() {
    let json = r#"{"choices":[{"message":{"content":"","tool_calls":[{"function":{"name":"write_file","arguments":"{\"a\":1}"}}],"reasoning_content":"hm"},"finish_reason":"tool_calls"}]}"#;
    let answer = Answer::parse(json).unwrap();
    assert_eq!(answer.finished(), 1);
    assert!(answer.tokens() >= 3, "{}", answer.tokens());
}
