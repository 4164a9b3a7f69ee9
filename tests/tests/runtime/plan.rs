//! The plan that the tests serve: a cheap model, a dear one, and rules that a prompt or a key can set off.

use waypost_policies::NanoDollars;
use waypost_policies::plan::draft::*;
use waypost_policies::vm::{Field, Function, Pool as Code};

pub(crate) const fn at(line: u32) -> Origin {
    Origin {
        file: 0,
        line,
        column: 3,
    }
}

/// `weak` tries `cheap` and then `dear`; a prompt that begins with `HARD` goes to `strong`, which is `dear`.
pub(crate) fn draft() -> Draft {
    let mut code = Code::default();
    let mut draft = Draft {
        compiler: "test".to_owned(),
        files: vec!["test.route".to_owned()],
        secrets: ["one_key", "two_key", "keys"].map(secret).to_vec(),
        providers: vec![provider("one", 0), provider("two", 1)],
        models: vec![
            model("cheap", 0, 8_000, 1_000, [1_000, 100, 2_000]),
            model("dear", 1, 400_000, 4_000, [10_000, 1_000, 20_000]),
        ],
        tiers: vec![tier("weak", &[0, 1]), tier("strong", &[1])],
        accepts: vec![
            accept("auto", AcceptTarget::Content(0)),
            accept("cheap", AcceptTarget::Model(0)),
            accept("dear", AcceptTarget::Model(1)),
        ],
        contents: vec![content(&mut code)],
        callers: Callers {
            keys: Some(2),
            jwt: None,
            anonymous: false,
            origin: at(20),
        },
        denials: vec![denial(&mut code)],
        ..Draft::default()
    };
    code.fill(&mut draft);
    draft
}

fn secret(name: &str) -> Secret {
    Secret {
        name: name.to_owned(),
        source: SecretSource::Environment(format!("NOT_SET_{name}")),
    }
}

fn provider(name: &str, secret: u16) -> Provider {
    Provider {
        name: name.to_owned(),
        kind: ProviderKind::OpenAiCompatible,
        base_url: "http://127.0.0.1:1/v1".to_owned(),
        api_version: String::new(),
        region: String::new(),
        auth: ProviderAuth::Secret(secret),
    }
}

fn model(name: &str, provider: u16, context: u64, output: u64, price: [i64; 3]) -> Model {
    let [input, cached, output_price] =
        price.map(|nanos_per_token| NanoDollars(nanos_per_token * 1_000_000));
    Model {
        name: name.to_owned(),
        via: Via::Provider(provider),
        upstream_name: format!("{name}-upstream"),
        context: Some(context),
        output: Some(output),
        price: Some(Price::flat(Rates::simple(input, cached, output_price))),
        rejects: Vec::new(),
        chat: true,
        completions: true,
        embeddings: true,
        lacks_images: false,
        lacks_tools: false,
        origin: at(10),
    }
}

fn tier(name: &str, models: &[u16]) -> Tier {
    Tier {
        name: name.to_owned(),
        steps: models.iter().map(|model| Step::Try(*model)).collect(),
        timeout_milliseconds: 0,
        retries: 0,
        hedge_milliseconds: 0,
        origin: at(12),
    }
}

fn accept(name: &str, target: AcceptTarget) -> Accept {
    Accept {
        name: name.to_owned(),
        prefix: false,
        target,
    }
}

fn content(code: &mut Code) -> Content {
    let when = code.expression("request.prompt.startsWith(\"HARD\")", at(16), |code| {
        code.field(Field::RequestPrompt)
            .text("HARD")
            .call(Function::StartsWith);
    });
    Content {
        name: String::new(),
        start: 0,
        start_origin: at(15),
        escalations: vec![Escalation {
            tier: 1,
            label: "hard prompt".to_owned(),
            when,
            origin: at(16),
        }],
        threshold: None,
        keep: None,
    }
}

fn denial(code: &mut Code) -> Denial {
    let when = code.expression("caller.team == \"sandbox\"", at(62), |code| {
        code.field(Field::CallerTeam)
            .text("sandbox")
            .call(Function::Equal);
    });
    Denial {
        label: "sandbox never spends".to_owned(),
        status: 403,
        when,
        origin: at(62),
    }
}

/// A limit or budget on all calls together, that denies when it is used up.
pub(crate) fn quota(label: &str, amount: Amount, window: Window) -> Quota {
    let burst = match amount {
        Amount::Requests(amount)
        | Amount::Tokens(amount)
        | Amount::Repeats(amount)
        | Amount::Concurrent(amount) => amount,
        Amount::Money(amount) => u64::try_from(amount.0).unwrap(),
    };
    Quota {
        budget: matches!(amount, Amount::Money(_)),
        label: label.to_owned(),
        amount,
        window,
        burst,
        per: None,
        on: None,
        when: None,
        outcomes: vec![QuotaOutcome {
            share: 10_000,
            action: QuotaAction::Deny,
        }],
        origin: at(40),
    }
}

pub(crate) fn daily(dollars: f64) -> Quota {
    let amount = Amount::Money(NanoDollars((dollars * 1e9) as i64));
    quota(
        "daily budget",
        amount,
        Window::Calendar(Period::Day, "UTC".to_owned()),
    )
}
