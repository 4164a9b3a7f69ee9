//! The file of the language's §2 as a checked program, built by hand so that these tests stand alone.

use waypost_compiler::program::*;
use waypost_lang::cel::typed::{Constant, Field, Function, Type, Typed, TypedKind};
use waypost_lang::source::{FileId, SourceMap, Span, Spanned};
use waypost_lang::syntax::tree::{Amount, Percent, Range, Window};

/// What `program` was written as.
pub const TEXT: &str = include_str!("agents.route");

const WHOLE: Percent = Percent(10_000);

/// Where `needle` stands first.
fn at(needle: &str) -> Span {
    let start = TEXT.find(needle).unwrap_or_else(|| panic!("no `{needle}`"));
    let offset = |at: usize| u32::try_from(at).unwrap();
    Span::new(FileId(0), offset(start), offset(start + needle.len()))
}

fn name(text: &str) -> Spanned<String> {
    Spanned::new(text.to_owned(), at(text))
}

fn named_at(text: &str, needle: &str) -> Spanned<String> {
    Spanned::new(text.to_owned(), at(needle))
}

/// The sources that the spans of [`program`] are of, under a name with a path.
pub fn sources() -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add("somewhere/else/agents.route", TEXT);
    sources
}

/// An expression that stands for one whose meaning no manifest reads.
fn opaque(needle: &str) -> Typed {
    typed(
        needle,
        Type::Bool,
        TypedKind::Constant(Constant::Bool(true)),
    )
}

fn typed(needle: &str, ty: Type, kind: TypedKind) -> Typed {
    Typed {
        span: at(needle),
        ty,
        kind,
    }
}

fn label(text: &str) -> Label {
    Label {
        text: text.to_owned(),
        written: true,
        span: at(text),
    }
}

fn secret(name_: &str, object: &str, key: &str) -> Secret {
    let source = SecretSource::Kubernetes {
        namespace: "llm".into(),
        name: object.into(),
        key: key.into(),
    };
    Secret {
        name: name(name_),
        source,
    }
}

fn models() -> Vec<Model> {
    let chat = Serves {
        chat: true,
        completions: false,
        embeddings: false,
    };
    vec![
        Model {
            name: named_at("gpt-5.1", "gpt-5.1 {"),
            via: Via::Provider(0),
            upstream_name: "gpt-5.1".into(),
            context: Some(400_000),
            output: Some(128_000),
            price: Some(Price {
                input: 1250,
                cached: 125,
                output: 10_000,
            }),
            rejects: vec!["presence_penalty".into(), "frequency_penalty".into()],
            serves: chat,
        },
        Model {
            name: named_at("phi-4-mini", "phi-4-mini {"),
            via: Via::Pool(0),
            upstream_name: "phi-4-mini-instruct".into(),
            context: Some(128_000),
            output: Some(4_000),
            price: Some(Price {
                input: 40,
                cached: 40,
                output: 80,
            }),
            rejects: Vec::new(),
            serves: chat,
        },
    ]
}

fn pool() -> Pool {
    Pool {
        name: named_at("phi", "phi {\n  kaito"),
        engine: Engine::Vllm,
        source: PoolSource::Kaito {
            preset: "phi-4-mini-instruct".into(),
            instance: "Standard_NC24ads_A100_v4".into(),
            replicas: Range { low: 2, high: 8 },
            port: 5000,
        },
        place: Place {
            span: Some(at("place phi {")),
            prefix: 3,
            queue: 2,
            kv_cache: 2,
            lora: 1,
            saturate_queue: Some(5),
            saturate_kv_cache: Some(Percent(8_000)),
            wait: 2_000,
            overflow_next: true,
            only: Vec::new(),
        },
    }
}

fn tiers() -> Vec<Tier> {
    let try_ = |model: usize, needle: &str| Step::Try(Spanned::new(model, at(needle)));
    vec![
        Tier {
            name: named_at("weak", "weak   {"),
            steps: vec![try_(1, "try phi-4-mini"), try_(0, "then gpt-5.1")],
            timeout: None,
            retries: 0,
        },
        Tier {
            name: named_at("strong", "strong { try"),
            steps: vec![try_(0, "try gpt-5.1")],
            timeout: Some(60_000),
            retries: 2,
        },
    ]
}

fn content() -> Content {
    let field = |needle: &str, field| typed(needle, Type::Double, TypedKind::Field(field));
    let hard = TypedKind::Call(
        Function::GreaterOrEqual,
        vec![
            field("difficulty", Field::Difficulty),
            field("threshold\n", Field::Threshold),
        ],
    );
    let escalation = |text: &str, when: Typed| Escalation {
        span: at(&format!("escalate to strong \"{text}\"")),
        tier: 1,
        label: label(text),
        when,
    };
    let accept = |needle: &str, name: &str, prefix| Accept {
        span: at(needle),
        name: name.to_owned(),
        prefix,
        model: None,
    };
    Content {
        name: String::new(),
        span: at("content {"),
        accepts: vec![
            accept("\"auto\"", "auto", false),
            accept("\"router-mf-*\"", "router-mf-", true),
        ],
        start: Spanned::new(0, at("start       weak")),
        escalations: vec![
            escalation("writes to the world", opaque("request.tools.exists")),
            escalation("long context", opaque("request.tokens > 24000")),
            escalation(
                "hard prompt",
                typed("difficulty >= threshold", Type::Bool, hard),
            ),
        ],
        threshold: Some(Spanned::new(0.42, at("0.42"))),
        keep: Some(Keep {
            span: at("keep        session"),
            session: opaque("request.headers"),
            window: 600_000,
        }),
    }
}

fn outcome(needle: &str, share: Percent, action: Action) -> Outcome {
    Outcome {
        span: at(needle),
        share,
        action,
    }
}

fn quota(text: &str, needle: &str, amount: Amount, window: Window) -> Quota {
    let whole = at(needle);
    Quota {
        span: whole,
        budget: matches!(amount, Amount::Money(_)),
        label: Label {
            text: text.to_owned(),
            written: false,
            span: whole,
        },
        amount: Spanned::new(amount, whole),
        window: Spanned::new(window, whole),
        zone: "UTC".into(),
        burst: None,
        per: None,
        on: None,
        when: None,
        outcomes: vec![outcome(needle, WHOLE, Action::Deny)],
    }
}

fn quotas() -> Vec<Quota> {
    let minute = || Window::Rolling(60_000);
    let strong = || Some(Spanned::new(0, at("on strong")));
    let dollars = |amount: i64| Amount::Money(amount * 1_000_000_000);
    vec![
        Quota {
            per: Some(opaque("caller.key")),
            ..quota(
                "600 requests / 1m",
                "limit  600 requests / 1m",
                Amount::Requests(600),
                minute(),
            )
        },
        Quota {
            per: Some(opaque("caller.agent")),
            on: strong(),
            ..quota(
                "60k tokens / 1m",
                "limit  60k tokens / 1m",
                Amount::Tokens(60_000),
                minute(),
            )
        },
        Quota {
            per: Some(opaque("caller.team")),
            on: strong(),
            outcomes: vec![
                outcome("at 80% warn", Percent(8_000), Action::Warn),
                outcome("at 100% cap at weak", WHOLE, Action::CapAt(0)),
            ],
            ..quota("$50 / day", "budget $50 / day", dollars(50), Window::Day)
        },
        quota(
            "$900 / month",
            "budget $900 / month",
            dollars(900),
            Window::Month,
        ),
    ]
}

fn policy() -> Policy {
    let redaction = |pattern: &str, replacement: &str| Redaction {
        span: at("redact email"),
        pattern: pattern.into(),
        replacement: replacement.into(),
        request: true,
        logs: true,
        response: false,
    };
    Policy {
        callers_span: Some(at("callers {")),
        keys: Some(1),
        jwt: None,
        anonymous: false,
        denials: vec![Denial {
            span: at("deny   \"sandbox never spends\""),
            label: label("sandbox never spends"),
            status: 403,
            when: opaque("caller.team == "),
        }],
        caps: vec![Cap {
            span: at("cap at weak \"free plan\""),
            tier: 0,
            label: label("free plan"),
            when: opaque("caller.plan == \"free\""),
        }],
        quotas: quotas(),
        priorities: vec![Priority {
            span: at("priority 10 \"paying customers\""),
            label: label("paying customers"),
            value: 10,
            when: Some(opaque("caller.plan == \"pro\"")),
        }],
        redactions: vec![
            redaction(".+@.+", "[email]"),
            redaction("INT-[0-9]{6}", "[redacted]"),
        ],
    }
}

fn deploy() -> Deploy {
    let version = |text: &str| Some(named_at(text, &format!("\"{text}\"")));
    Deploy {
        span: at("deploy kubernetes {"),
        namespace: "llm".into(),
        shape: Shape::Waypost,
        replicas: Range { low: 2, high: 10 },
        monitor: Some(Monitor::Azure),
        redis: Some(2),
        image: None,
        versions: Versions {
            inference_extension: version("1.0"),
            kaito: version("v1beta1"),
            agentgateway: version("1.3.1"),
        },
    }
}

/// The whole file.
pub fn program() -> Program {
    Program {
        secrets: vec![
            secret("aoai_key", "aoai-credentials", "api-key"),
            secret("caller_keys", "waypost-callers", "keys.json"),
            secret("redis_url", "waypost-state", "url"),
        ],
        providers: vec![Provider {
            name: named_at("aoai", "aoai {"),
            kind: ProviderKind::AzureOpenAi,
            resource: "acme-aoai".into(),
            url: "https://acme-aoai.openai.azure.com".into(),
            version: "2024-10-21".into(),
            auth: ProviderAuth::Secret(0),
        }],
        pools: vec![pool()],
        models: models(),
        tiers: tiers(),
        contents: vec![content()],
        policy: policy(),
        deploy: Some(deploy()),
        tests: Vec::new(),
    }
}
