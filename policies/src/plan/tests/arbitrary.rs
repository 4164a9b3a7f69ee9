//! Drafts that a plan can express, from a string of choices.

use proptest::prelude::*;

use crate::cost::{Row, SORTS, Service};
use crate::example;
use crate::money::NanoDollars;
use crate::plan::draft::*;
use crate::vm::TypeName;

/// Turns random numbers into choices; when they run out, the first of each.
struct Choices(std::vec::IntoIter<u32>);

impl Choices {
    fn below(&mut self, count: usize) -> usize {
        self.0.next().unwrap_or(0) as usize % count.max(1)
    }

    fn index(&mut self, count: usize) -> u16 {
        u16::try_from(self.below(count)).unwrap()
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn number(&mut self) -> u64 {
        self.below(5_000_000) as u64
    }

    fn name(&mut self) -> String {
        let names = [
            "",
            "weak",
            "phi-4-mini",
            "gpt-5.1",
            "größer",
            "🦀",
            "a b",
            "x-session-id",
        ];
        names[self.below(names.len())].to_owned()
    }

    fn some<T>(&mut self, make: impl FnMut(&mut Self) -> T) -> Option<T> {
        let mut make = make;
        if self.yes() { Some(make(self)) } else { None }
    }

    fn many<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn origin(&mut self) -> Origin {
        Origin {
            file: 0,
            line: u32::from(self.index(90)),
            column: u32::from(self.index(90)),
        }
    }
}

/// Drafts with the example's expressions and every other vector at random.
pub(super) fn drafts() -> impl Strategy<Value = Draft> {
    proptest::collection::vec(any::<u32>(), 0..400)
        .prop_map(|numbers| draft(&mut Choices(numbers.into_iter())))
}

fn draft(choices: &mut Choices) -> Draft {
    let example = example::draft();
    let condition = example.denials[0].when;
    let text = example.contents[0].keep.as_ref().unwrap().session;
    let mut draft = Draft {
        compiler: choices.name(),
        files: vec![choices.name()],
        expressions: example.expressions,
        constants: example.constants,
        headers: example.headers,
        metadata: choices.many(3, Choices::name),
        claims: choices.many(3, Choices::name),
        labels: choices.many(3, Choices::name),
        ..Draft::default()
    };
    draft.constants.lists = choices.many(3, |choices| choices.many(4, scalar));
    composites(choices, &mut draft.constants.lists);
    draft.secrets = choices.many(3, secret);
    let secrets = draft.secrets.len();
    draft.providers = choices.many(2, |choices| provider(choices, secrets));
    draft.providers.push(provider(choices, 0));
    draft.pools = choices.many(3, |choices| pool(choices, condition));
    let (providers, pools) = (draft.providers.len(), draft.pools.len());
    draft.models = choices.many(4, |choices| model(choices, providers, pools));
    draft.models.push(model(choices, providers, pools));
    let models = draft.models.len();
    draft.tiers = choices.many(3, |choices| tier(choices, models, text));
    draft.tiers.push(tier(choices, models, text));
    let tiers = draft.tiers.len();
    draft.contents = choices.many(2, |choices| content(choices, tiers, condition, text));
    let contents = draft.contents.len();
    draft.accepts = choices.many(4, |choices| Accept {
        name: choices.name(),
        prefix: choices.yes(),
        target: if contents > 0 && choices.yes() {
            AcceptTarget::Content(choices.index(contents))
        } else {
            AcceptTarget::Model(choices.index(models))
        },
    });
    draft.callers.keys = choices
        .some(|choices| choices.index(secrets))
        .filter(|_| secrets > 0);
    draft.callers.jwt = choices.some(|choices| Jwt {
        issuer: choices.name(),
        audience: choices.name(),
        jwks: choices.name(),
        key: choices.name(),
        team: choices.name(),
        agent: choices.name(),
        plan: choices.name(),
        name: choices.name(),
    });
    draft.callers.anonymous = choices.yes();
    draft.shared = choices
        .some(|choices| Shared {
            redis: choices.index(secrets),
            shares: choices.yes(),
            replicas: 1 + u32::from(choices.index(90)),
            namespace: choices.name(),
        })
        .filter(|_| secrets > 0);
    policy(choices, &mut draft, models, tiers, condition, text);
    draft
}

fn policy(
    choices: &mut Choices,
    draft: &mut Draft,
    models: usize,
    tiers: usize,
    condition: u32,
    text: u32,
) {
    draft.denials = choices.many(3, |choices| Denial {
        label: choices.name(),
        status: 400 + choices.index(200),
        when: condition,
        origin: choices.origin(),
    });
    draft.caps = choices.many(3, |choices| Cap {
        tier: choices.index(tiers),
        label: choices.name(),
        when: condition,
        origin: choices.origin(),
    });
    draft.quotas = choices.many(4, |choices| quota(choices, models, tiers, condition, text));
    draft.priorities = choices.many(2, |choices| Priority {
        value: choices.number() as i64 - 2_000_000,
        label: choices.name(),
        when: choices.some(|_| condition),
        origin: choices.origin(),
    });
    draft.redactions = choices.many(2, |choices| Redaction {
        pattern: "[0-9]{6}".to_owned(),
        replacement: choices.name(),
        request: choices.yes(),
        logs: choices.yes(),
        response: choices.yes(),
    });
}

fn scalar(choices: &mut Choices) -> Scalar {
    match choices.below(13) {
        0 => Scalar::Null,
        1 => Scalar::Bool(choices.yes()),
        2 => Scalar::Int(-(choices.number() as i64)),
        3 => Scalar::Uint(choices.number()),
        4 => Scalar::Double(choices.number() as f64 / 7.0),
        5 => Scalar::String(choices.name()),
        6 => Scalar::Bytes(choices.name().into_bytes()),
        7 => Scalar::Timestamp(choices.number() as i64, 17),
        8 => Scalar::Duration(choices.number() as i64),
        9 => Scalar::Ip("fe80::1".parse().unwrap()),
        10 => Scalar::Absent,
        11 => Scalar::Type(u8::try_from(choices.below(TypeName::ALL.len())).unwrap()),
        _ => Scalar::Cidr("10.0.0.0".parse().unwrap(), 8),
    }
}

/// A map, and a list that holds it and what came before.
fn composites(choices: &mut Choices, lists: &mut Vec<Vec<Scalar>>) {
    let keys = [
        Scalar::Bool(true),
        Scalar::Int(-1),
        Scalar::Uint(choices.number()),
        Scalar::String(choices.name()),
    ];
    let entries = keys.into_iter().flat_map(|key| [key, scalar(choices)]);
    let map = u32::try_from(lists.len()).unwrap();
    let mut holder: Vec<Scalar> = (0..map).map(Scalar::List).collect();
    holder.push(Scalar::Map(map));
    lists.push(entries.collect());
    lists.push(holder);
}

fn secret(choices: &mut Choices) -> Secret {
    Secret {
        name: choices.name(),
        source: match choices.below(3) {
            0 => SecretSource::Kubernetes {
                namespace: choices.name(),
                secret: choices.name(),
                key: choices.name(),
            },
            1 => SecretSource::Environment(choices.name()),
            _ => SecretSource::File(choices.name()),
        },
    }
}

fn provider(choices: &mut Choices, secrets: usize) -> Provider {
    Provider {
        name: choices.name(),
        kind: [
            ProviderKind::OpenAi,
            ProviderKind::AzureOpenAi,
            ProviderKind::OpenAiCompatible,
            ProviderKind::Anthropic,
            ProviderKind::Gemini,
            ProviderKind::Bedrock,
        ][choices.below(6)],
        base_url: choices.name(),
        api_version: choices.name(),
        region: choices.name(),
        auth: match choices.below(3) {
            0 if secrets > 0 => ProviderAuth::Secret(choices.index(secrets)),
            1 => ProviderAuth::WorkloadIdentity,
            _ => ProviderAuth::None,
        },
    }
}

fn pool(choices: &mut Choices, condition: u32) -> Pool {
    Pool {
        name: choices.name(),
        engine: match choices.below(4) {
            0 => Engine::Vllm,
            1 => Engine::Sglang,
            2 => Engine::Trtllm,
            _ => Engine::Custom {
                queue: choices.name(),
                running: choices.name(),
                kv_cache: choices.name(),
            },
        },
        discovery: match choices.below(3) {
            0 => Discovery::Static(choices.many(3, Choices::name)),
            1 => Discovery::Dns(choices.name()),
            _ => Discovery::Kubernetes {
                namespace: choices.name(),
                labels: choices.many(3, |choices| (choices.name(), choices.name())),
                port: choices.index(60_000),
            },
        },
        placement: Placement {
            prefix: u32::from(choices.index(9)),
            queue: u32::from(choices.index(9)),
            kv_cache: u32::from(choices.index(9)),
            lora: u32::from(choices.index(9)),
            saturate_queue: choices.some(|choices| u32::from(choices.index(9))),
            saturate_kv_cache: choices.some(|choices| u32::from(choices.index(9))),
            wait_milliseconds: choices.number(),
            overflow: [Overflow::Next, Overflow::Shed][choices.below(2)],
            only: choices.many(2, |_| condition),
        },
    }
}

fn model(choices: &mut Choices, providers: usize, pools: usize) -> Model {
    Model {
        name: choices.name(),
        via: if pools > 0 && choices.yes() {
            Via::Pool(choices.index(pools))
        } else {
            Via::Provider(choices.index(providers))
        },
        upstream_name: choices.name(),
        context: choices.some(Choices::number),
        output: choices.some(Choices::number),
        price: choices.some(price),
        rejects: choices.many(2, Choices::name),
        chat: choices.yes(),
        completions: choices.yes(),
        embeddings: choices.yes(),
        lacks_images: choices.yes(),
        lacks_tools: choices.yes(),
        origin: choices.origin(),
    }
}

fn price(choices: &mut Choices) -> Price {
    let mut rows = Vec::new();
    for service in Service::ALL {
        if service != Service::Standard && choices.yes() {
            continue;
        }
        let mut above = 0;
        for _ in 0..=choices.below(3) {
            let rates = Rates::new(
                [(); SORTS].map(|()| choices.some(|choices| NanoDollars(choices.number() as i64))),
            );
            rows.push(Row {
                service,
                above,
                rates,
            });
            above += 1 + choices.number();
        }
    }
    Price::new(rows).unwrap()
}

fn tier(choices: &mut Choices, models: usize, text: u32) -> Tier {
    let mut steps = choices.many(3, |choices| {
        if choices.yes() {
            return Step::Try(choices.index(models));
        }
        let share = u32::from(choices.index(10_001));
        Step::Split {
            arms: vec![
                (choices.index(models), share),
                (choices.index(models), 10_000 - share),
            ],
            key: choices.some(|_| text),
        }
    });
    steps.push(Step::Try(choices.index(models)));
    Tier {
        name: choices.name(),
        steps,
        timeout_milliseconds: choices.number(),
        retries: u32::from(choices.index(9)),
        hedge_milliseconds: u64::from(choices.index(5_000)),
        origin: choices.origin(),
    }
}

fn content(choices: &mut Choices, tiers: usize, condition: u32, text: u32) -> Content {
    Content {
        name: choices.name(),
        start: choices.index(tiers),
        start_origin: choices.origin(),
        escalations: choices.many(3, |choices| Escalation {
            tier: choices.index(tiers),
            label: choices.name(),
            when: condition,
            origin: choices.origin(),
        }),
        threshold: choices.some(|choices| f64::from(choices.index(100)) / 100.0),
        keep: choices.some(|choices| Keep {
            session: text,
            window_milliseconds: choices.number(),
            origin: choices.origin(),
        }),
    }
}

fn quota(choices: &mut Choices, models: usize, tiers: usize, condition: u32, text: u32) -> Quota {
    let mut outcomes = choices.many(2, |choices| QuotaOutcome {
        share: u32::from(choices.index(20_000)),
        action: [
            QuotaAction::Warn,
            QuotaAction::Deny,
            QuotaAction::CapAt(choices.index(tiers)),
            QuotaAction::Wait(choices.number()),
        ][choices.below(4)],
    });
    outcomes.push(QuotaOutcome {
        share: 10_000,
        action: QuotaAction::Deny,
    });
    let amount = match choices.below(5) {
        0 => Amount::Requests(choices.number()),
        1 => Amount::Tokens(choices.number()),
        2 => Amount::Repeats(choices.number()),
        3 => Amount::Concurrent(choices.number()),
        _ => Amount::Money(NanoDollars(choices.number() as i64)),
    };
    let window = match (amount, choices.below(5)) {
        (Amount::Concurrent(_), _) => Window::Open,
        (_, 0) => Window::Rolling(choices.number() + 1),
        (_, 1) => Window::Sliding(choices.number() + 1),
        (_, 2) => Window::Session(choices.number() + 1),
        (_, 3) => Window::Call,
        _ => {
            let period = [Period::Day, Period::Week, Period::Month][choices.below(3)];
            Window::Calendar(period, "Europe/Berlin".to_owned())
        }
    };
    Quota {
        budget: choices.yes(),
        label: choices.name(),
        amount,
        window,
        burst: choices.number(),
        per: choices.some(|_| text),
        on: choices.some(|choices| choices.index(models)),
        when: choices.some(|_| condition),
        outcomes,
        origin: choices.origin(),
    }
}
