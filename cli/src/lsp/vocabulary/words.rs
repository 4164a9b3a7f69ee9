//! Words of fixed sets, by the block and field that they stand in.

/// A word and what it means.
type Word = (&'static str, &'static str);

/// The words that a field takes, by block and field.
const WORDS: &[(&str, &str, &[Word])] = &[
    (
        "provider",
        "kind",
        &[
            ("openai", "OpenAI"),
            ("azure-openai", "Azure OpenAI"),
            ("anthropic", "Anthropic"),
            ("gemini", "Google's Gemini"),
            ("bedrock", "Amazon Bedrock"),
            ("openai-compatible", "any server that speaks OpenAI's API"),
        ],
    ),
    (
        "provider",
        "auth",
        &[
            ("secret", "with a key"),
            ("workload-identity", "by the pod's identity: Azure"),
            ("none", "not at all"),
        ],
    ),
    (
        "model",
        "serves",
        &[
            ("chat", "chat completions"),
            ("completions", "plain completions"),
            ("embeddings", "embeddings"),
        ],
    ),
    (
        "model",
        "lacks",
        &[
            ("images", "calls with images are passed on"),
            ("tools", "calls that offer tools are passed on"),
        ],
    ),
    (
        "pool",
        "engine",
        &[
            ("vllm", "vLLM"),
            ("sglang", "SGLang"),
            ("trtllm", "TensorRT-LLM"),
            ("custom", "metric names of your own"),
        ],
    ),
    (
        "callers",
        "anonymous",
        &[
            ("deny", "calls without a key get 401"),
            ("allow", "calls without a key are let in"),
        ],
    ),
    (
        "policy",
        "redact",
        &[
            ("email", "e-mail addresses"),
            ("phone", "telephone numbers"),
            ("credit-card", "credit card numbers"),
            ("ssn", "social security numbers"),
            ("ip-address", "network addresses"),
            ("api-key", "what looks like a key"),
        ],
    ),
    (
        "place",
        "prefer",
        &[
            ("prefix", "a warm prefix cache"),
            ("queue", "a short queue"),
            ("kv-cache", "a free KV cache"),
            ("lora", "a loaded adapter"),
        ],
    ),
    (
        "place",
        "saturate",
        &[
            ("queue", "this many waiting requests"),
            ("kv-cache", "this share of the KV cache in use"),
        ],
    ),
    (
        "deploy",
        "shape",
        &[
            ("waypost", "our runtime makes all three decisions"),
            ("layered", "RouteLLM, agentgateway and the Endpoint Picker"),
            (
                "gateway-api",
                "Gateway API with our runtime as its Endpoint Picker",
            ),
        ],
    ),
    (
        "deploy",
        "monitor",
        &[
            ("azure", "PodMonitors of azmonitoring.coreos.com"),
            ("prometheus", "PodMonitors of monitoring.coreos.com"),
        ],
    ),
    (
        "deploy",
        "state",
        &[
            ("local", "each replica counts by itself"),
            ("redis", "shared by all replicas"),
        ],
    ),
    (
        "deploy",
        "away",
        &[
            ("deny", "calls that need it are refused while it is away"),
            (
                "share",
                "each replica goes on with its share of every limit",
            ),
        ],
    ),
    (
        "versions",
        "",
        &[
            ("inference-extension", "the Gateway API Inference Extension"),
            ("kaito", "KAITO"),
            ("agentgateway", "agentgateway"),
        ],
    ),
    (
        "at",
        "at",
        &[
            ("warn", "the answer says so"),
            ("deny", "the call is refused with 429"),
            (
                "wait",
                "the call waits for room, and is refused with 429 then",
            ),
            ("cap", "the call is lowered"),
        ],
    ),
];

/// Headers that clients commonly send.
pub(crate) const HEADERS: &[&str] = &[
    "x-session-id",
    "x-priority",
    "x-request-id",
    "x-team",
    "user-agent",
    "content-type",
    "accept-language",
    "traceparent",
];

/// Parameters of chat completions that some models refuse.
pub(crate) const PARAMETERS: &[&str] = &[
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "tool_choice",
    "top_logprobs",
    "top_p",
    "user",
];

/// The words that a field of a block takes.
pub(crate) fn words(block: &str, field: &str) -> &'static [Word] {
    let mut rows = WORDS.iter();
    let found = rows.find(|(kind, name, _)| *kind == block && *name == field);
    found.map_or(&[], |(.., words)| words)
}
