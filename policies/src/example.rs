//! The file of the language's specification, hand-assembled: what the tests and benchmarks decide with.
//!
//! Hidden: it is no part of the interface.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use crate::cost::{Row, Service};
use crate::facts::{Caller, Facts, Request, Tool};
use crate::money::NanoDollars;
use crate::plan::draft::*;
use crate::vm::{Comprehension, Field, Function, Instruction, Map, Member, Pool};

const fn at(line: u32) -> Origin {
    Origin {
        file: 0,
        line,
        column: 3,
    }
}

/// A chat call of `auto` with this prompt, as the plan needs it.
#[must_use]
pub fn request(prompt: &str) -> Request<'_> {
    Request {
        path: Cow::Borrowed("/v1/chat/completions"),
        model: Cow::Borrowed("auto"),
        prompt: Cow::Borrowed(prompt),
        tokens: 1_000,
        largest_prompt: 1_000,
        max_tokens: Some(500),
        headers: vec![None],
        ..Request::default()
    }
}

/// A tool by its name.
#[must_use]
pub fn tool(name: &str) -> Tool<'_> {
    Tool {
        name: Cow::Borrowed(name),
        description: Cow::Borrowed(""),
    }
}

/// The call of a caller of team `payments`, at noon of a day of 2026.
#[must_use]
pub fn facts<'a>(request: &'a Request<'a>) -> Facts<'a> {
    Facts {
        request,
        caller: Caller {
            key: Cow::Borrowed("key-1"),
            team: Cow::Borrowed("payments"),
            agent: Cow::Borrowed("reconciler"),
            plan: Cow::Borrowed(""),
            name: Cow::Borrowed(""),
            models: None,
            claims: Vec::new(),
        },
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        now: 1_764_244_800_000_000_000,
        difficulty: None,
    }
}

/// Its draft: models `phi-4-mini` and `gpt-5.1`, tiers `weak` and `strong`.
#[must_use]
pub fn draft() -> Draft {
    let mut pool = Pool::default();
    let mut draft = Draft {
        compiler: "0.1.0".to_owned(),
        files: vec!["agents.route".to_owned()],
        secrets: secrets(),
        providers: vec![Provider {
            name: "aoai".to_owned(),
            kind: ProviderKind::AzureOpenAi,
            base_url: "https://acme-aoai.openai.azure.com".to_owned(),
            api_version: "2024-10-21".to_owned(),
            region: String::new(),
            auth: ProviderAuth::Secret(0),
        }],
        pools: vec![replicas()],
        models: models(),
        tiers: tiers(),
        accepts: vec![accept("auto", false), accept("router-mf-", true)],
        contents: vec![content(&mut pool)],
        callers: Callers {
            keys: Some(1),
            jwt: None,
            anonymous: false,
            origin: at(57),
        },
        denials: vec![denial(&mut pool)],
        caps: vec![cap(&mut pool)],
        quotas: quotas(&mut pool),
        priorities: vec![Priority {
            value: 10,
            label: "paying customers".to_owned(),
            when: Some(is(
                &mut pool,
                Field::CallerPlan,
                "pro",
                "caller.plan == \"pro\"",
                at(69),
            )),
            origin: at(69),
        }],
        redactions: vec![Redaction {
            pattern: "INT-[0-9]{6}".to_owned(),
            replacement: "[redacted]".to_owned(),
            request: true,
            logs: true,
            response: false,
        }],
        ..Draft::default()
    };
    pool.fill(&mut draft);
    draft
}

fn secrets() -> Vec<Secret> {
    let kubernetes = |name: &str, secret: &str, key: &str| Secret {
        name: name.to_owned(),
        source: SecretSource::Kubernetes {
            namespace: "llm".to_owned(),
            secret: secret.to_owned(),
            key: key.to_owned(),
        },
    };
    vec![
        kubernetes("aoai_key", "aoai-credentials", "api-key"),
        kubernetes("caller_keys", "waypost-callers", "keys.json"),
    ]
}

fn replicas() -> crate::plan::draft::Pool {
    crate::plan::draft::Pool {
        name: "phi".to_owned(),
        engine: Engine::Vllm,
        discovery: Discovery::Kubernetes {
            namespace: "llm".to_owned(),
            labels: vec![("kaito.sh/workspace".to_owned(), "phi".to_owned())],
            port: 5000,
        },
        placement: Placement {
            prefix: 3,
            queue: 2,
            kv_cache: 2,
            lora: 1,
            saturate_queue: Some(5),
            saturate_kv_cache: Some(8000),
            wait_milliseconds: 2000,
            overflow: Overflow::Next,
            only: Vec::new(),
        },
    }
}

fn models() -> Vec<Model> {
    let model =
        |name: &str, via: Via, upstream: &str, context: u64, output: u64, price, line| Model {
            name: name.to_owned(),
            via,
            upstream_name: upstream.to_owned(),
            context: Some(context),
            output: Some(output),
            price,
            rejects: Vec::new(),
            chat: true,
            completions: false,
            embeddings: false,
            lacks_images: false,
            lacks_tools: false,
            origin: at(line),
        };
    let rates = |input: i64, cached: i64, output: i64| {
        let rate = |thousandths: i64| NanoDollars(thousandths * 1_000_000);
        Rates::simple(rate(input), rate(cached), rate(output))
    };
    let row = |service, above, rates| Row {
        service,
        above,
        rates,
    };
    let rows = vec![
        row(Service::Standard, 0, rates(1_250, 125, 10_000)),
        row(Service::Standard, 272_000, rates(2_500, 250, 15_000)),
        row(Service::Priority, 0, rates(2_500, 250, 20_000)),
    ];
    vec![
        model(
            "phi-4-mini",
            Via::Pool(0),
            "phi-4-mini-instruct",
            128_000,
            4_000,
            Some(Price::flat(rates(40, 40, 80))),
            24,
        ),
        model(
            "gpt-5.1",
            Via::Provider(0),
            "gpt-5.1",
            400_000,
            128_000,
            Price::new(rows),
            17,
        ),
    ]
}

fn tiers() -> Vec<Tier> {
    vec![
        Tier {
            name: "weak".to_owned(),
            steps: vec![Step::Try(0), Step::Try(1)],
            timeout_milliseconds: 0,
            retries: 0,
            hedge_milliseconds: 0,
            origin: at(38),
        },
        Tier {
            name: "strong".to_owned(),
            steps: vec![Step::Try(1)],
            timeout_milliseconds: 60_000,
            retries: 2,
            hedge_milliseconds: 0,
            origin: at(39),
        },
    ]
}

fn accept(name: &str, prefix: bool) -> Accept {
    Accept {
        name: name.to_owned(),
        prefix,
        target: AcceptTarget::Content(0),
    }
}

fn content(pool: &mut Pool) -> Content {
    let escalation = |label: &str, when, line| Escalation {
        tier: 1,
        label: label.to_owned(),
        when,
        origin: at(line),
    };
    let writes = "request.tools.exists(t, t.name.startsWith(\"write_\"))";
    let writes = pool.expression(writes, at(45), |code| {
        code.field(Field::RequestTools).comprehend(
            Comprehension::Exists,
            0,
            |_| {},
            |body| {
                body.push(Instruction::Local(0)).member(Member::ToolName);
                body.text("write_").call(Function::StartsWith);
            },
        );
    });
    let long = pool.expression("request.tokens > 24000", at(46), |code| {
        code.field(Field::RequestTokens);
        code.push(Instruction::Int(24_000)).call(Function::Greater);
    });
    let hard = pool.expression("difficulty >= threshold", at(48), |code| {
        code.field(Field::Difficulty).field(Field::Threshold);
        code.call(Function::GreaterOrEqual);
    });
    let session = "request.headers[?\"x-session-id\"].orValue(\"\")";
    let session = pool.expression(session, at(49), |code| {
        code.lookup(Map::Headers, "x-session-id").text("");
        code.call(Function::OrValue);
    });
    Content {
        name: String::new(),
        start: 0,
        start_origin: at(44),
        escalations: vec![
            escalation("writes to the world", writes, 45),
            escalation("long context", long, 46),
            escalation("hard prompt", hard, 48),
        ],
        threshold: Some(0.42),
        keep: Some(Keep {
            session,
            window_milliseconds: 600_000,
            origin: at(49),
        }),
    }
}

fn is(pool: &mut Pool, field: Field, text: &str, source: &str, origin: Origin) -> u32 {
    pool.expression(source, origin, |code| {
        code.field(field).text(text).call(Function::Equal);
    })
}

fn denial(pool: &mut Pool) -> Denial {
    let source = "caller.team == \"sandbox\" && tier == \"strong\"";
    Denial {
        label: "sandbox never spends".to_owned(),
        status: 403,
        when: pool.expression(source, at(62), |code| {
            code.field(Field::CallerTeam).text("sandbox");
            code.call(Function::Equal).and(|right| {
                right
                    .field(Field::Tier)
                    .text("strong")
                    .call(Function::Equal);
            });
        }),
        origin: at(62),
    }
}

fn cap(pool: &mut Pool) -> Cap {
    Cap {
        tier: 0,
        label: "free plan".to_owned(),
        when: is(
            pool,
            Field::CallerPlan,
            "free",
            "caller.plan == \"free\"",
            at(63),
        ),
        origin: at(63),
    }
}

fn quotas(pool: &mut Pool) -> Vec<Quota> {
    let mut per = |field: Field| {
        Some(pool.expression(field.path(), at(64), |code| {
            code.field(field);
        }))
    };
    let outcome = |share, action| QuotaOutcome { share, action };
    let deny = || vec![outcome(10_000, QuotaAction::Deny)];
    let quota = |label: &str, amount, window, burst, per, on, outcomes, line| Quota {
        budget: matches!(amount, Amount::Money(_)),
        label: label.to_owned(),
        amount,
        window,
        burst,
        per,
        on,
        when: None,
        outcomes,
        origin: at(line),
    };
    let dollars = |dollars: i64| Amount::Money(NanoDollars(dollars * 1_000_000_000));
    let calendar = |period| Window::Calendar(period, "UTC".to_owned());
    vec![
        quota(
            "600 requests / 1m",
            Amount::Requests(600),
            Window::Rolling(60_000),
            600,
            per(Field::CallerKey),
            None,
            deny(),
            64,
        ),
        quota(
            "60k tokens / 1m",
            Amount::Tokens(60_000),
            Window::Rolling(60_000),
            60_000,
            per(Field::CallerAgent),
            Some(1),
            deny(),
            65,
        ),
        quota(
            "$50 / day",
            dollars(50),
            calendar(Period::Day),
            50_000_000_000,
            per(Field::CallerTeam),
            Some(1),
            vec![
                outcome(8_000, QuotaAction::Warn),
                outcome(10_000, QuotaAction::CapAt(0)),
            ],
            66,
        ),
        quota(
            "$900 / month",
            dollars(900),
            calendar(Period::Month),
            900_000_000_000,
            None,
            None,
            deny(),
            67,
        ),
    ]
}
