//! A plan with one model, whose calls cost the same each, and one budget.

use waypost_policies::NanoDollars;
use waypost_policies::plan::draft::*;

/// What the upstream says that a call uses.
pub(crate) const USAGE: [u64; 2] = [10, 5];
/// Nano-dollars of that: a thousand for each token.
pub(crate) const COST: u64 = 15_000;
/// Nano-dollars that a call reserves at least and at most: its answer, and some tokens for the prompt.
pub(crate) const WORST: u64 = 1_000 * (ANSWER + 16);
/// A budget that nobody uses up.
pub(crate) const PLENTY: u64 = 1_000_000_000_000_000;
const ANSWER: u64 = 100;

pub(crate) fn draft(upstream: &str, budget: u64) -> Draft {
    Draft {
        files: vec!["test.route".to_owned()],
        pools: vec![pool(upstream)],
        models: vec![model()],
        tiers: vec![Tier {
            name: "weak".to_owned(),
            steps: vec![Step::Try(0)],
            timeout_milliseconds: 0,
            retries: 0,
            hedge_milliseconds: 0,
            origin: Origin::default(),
        }],
        accepts: vec![Accept {
            name: "m".to_owned(),
            prefix: false,
            target: AcceptTarget::Model(0),
        }],
        callers: Callers {
            keys: None,
            jwt: None,
            anonymous: true,
            origin: Origin::default(),
        },
        quotas: vec![Quota {
            budget: true,
            label: "budget".to_owned(),
            amount: Amount::Money(NanoDollars(budget.try_into().unwrap())),
            window: Window::Calendar(Period::Month, "UTC".to_owned()),
            burst: 0,
            per: None,
            on: None,
            when: None,
            outcomes: vec![QuotaOutcome {
                share: 10_000,
                action: QuotaAction::Deny,
            }],
            origin: Origin::default(),
        }],
        ..Draft::default()
    }
}

fn model() -> Model {
    let price = NanoDollars(1_000_000_000);
    Model {
        name: "m".to_owned(),
        via: Via::Pool(0),
        upstream_name: "m".to_owned(),
        context: Some(100_000),
        output: Some(ANSWER),
        price: Some(Price::flat(Rates::simple(price, price, price))),
        rejects: Vec::new(),
        chat: true,
        completions: false,
        embeddings: false,
        lacks_images: false,
        lacks_tools: false,
        origin: Origin::default(),
    }
}

fn pool(upstream: &str) -> Pool {
    Pool {
        name: "p".to_owned(),
        engine: Engine::Vllm,
        discovery: Discovery::Static(vec![upstream.to_owned()]),
        placement: Placement {
            prefix: 0,
            queue: 1,
            kv_cache: 0,
            lora: 0,
            saturate_queue: None,
            saturate_kv_cache: None,
            wait_milliseconds: 0,
            overflow: Overflow::Next,
            only: Vec::new(),
        },
    }
}
