//! Lowering: what the plan of the specification's file says, that it loads, and that it is always the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "tests"
)]

mod fixture;

use waypost_compiler::{check, lower};
use waypost_policies::plan::draft::*;
use waypost_policies::plan::{Draft, Plan, encode};

const WHOLE: &str = include_str!("whole.route");

fn lowered(text: &str) -> Draft {
    let checked = check("agents.route", text, &|path: &str| {
        (path == "prices.route").then(|| "waypost 1\n".to_owned())
    });
    let program = checked
        .program
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    lower(&program, &checked.sources)
}

fn text(draft: &Draft, index: ExpressionIndex) -> &str {
    &draft.expressions[index as usize].text
}

#[test]
fn the_plan_loads() {
    for source in [WHOLE, fixture::SOUND] {
        let draft = lowered(source);
        let plan = Plan::load(encode(&draft)).unwrap();
        assert_eq!(plan.models().len(), draft.models.len());
        assert_eq!(plan.needs().headers, draft.headers);
    }
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    assert_eq!(encode(&lowered(WHOLE)), encode(&lowered(WHOLE)));
    let other = WHOLE.replace("threshold   0.42", "threshold   0.43");
    assert_ne!(lowered(WHOLE).source_hash, lowered(&other).source_hash);
}

#[test]
fn the_order_of_statements_changes_no_rule() {
    let hard = "  escalate to strong \"hard prompt\"         when difficulty >= threshold\n";
    let moved = WHOLE.replace(hard, "").replace(
        "  start       weak\n",
        &format!("{hard}  start       weak\n"),
    );
    assert_ne!(moved, WHOLE);
    let rules = |draft: &Draft| {
        let rules = draft.contents[0].escalations.iter();
        let mut rules: Vec<String> = rules
            .map(|rule| format!("{} {} {}", rule.tier, rule.label, text(draft, rule.when)))
            .collect();
        rules.sort();
        rules
    };
    assert_eq!(rules(&lowered(WHOLE)), rules(&lowered(&moved)));
}

#[test]
fn the_files_are_those_imported_and_origins_say_where() {
    let draft = lowered(WHOLE);
    assert_eq!(draft.files, ["agents.route", "std/agents.route"]);
    let runaway = draft
        .denials
        .iter()
        .find(|rule| rule.label == "runaway loop")
        .unwrap();
    assert_eq!(runaway.origin.file, 1);
    assert_eq!(text(&draft, runaway.when), "request.turns > RUNAWAY_TURNS");
    let sandbox = draft
        .denials
        .iter()
        .find(|rule| rule.label == "sandbox never spends")
        .unwrap();
    assert_eq!((sandbox.origin.file, sandbox.origin.column), (0, 3));
    let line = WHOLE.lines().nth(sandbox.origin.line as usize - 1).unwrap();
    assert!(line.contains("sandbox never spends"));
}

#[test]
fn quotas_say_their_defaults() {
    let draft = lowered(WHOLE);
    let labels: Vec<&str> = draft
        .quotas
        .iter()
        .map(|quota| quota.label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "600 requests / 1m",
            "60k tokens / 1m",
            "$50 / day",
            "$900 / month"
        ]
    );
    let [requests, tokens, day, month] = draft.quotas.as_slice() else {
        panic!()
    };
    assert_eq!(requests.burst, 600);
    assert_eq!(requests.on, None);
    assert_eq!(
        requests.outcomes,
        [QuotaOutcome {
            share: 10_000,
            action: QuotaAction::Deny
        }]
    );
    assert_eq!(
        draft.models[usize::from(tokens.on.unwrap())].name,
        "gpt-5.1"
    );
    assert_eq!(tokens.window, Window::Rolling(60_000));
    assert_eq!(day.window, Window::Calendar(Period::Day, "UTC".to_owned()));
    assert_eq!(
        day.outcomes[1],
        QuotaOutcome {
            share: 10_000,
            action: QuotaAction::CapAt(0)
        }
    );
    assert_eq!(text(&draft, day.per.unwrap()), "caller.team");
    assert_eq!(
        month.amount,
        Amount::Money(waypost_policies::NanoDollars(900_000_000_000))
    );
}

#[test]
fn accepted_names_stand_in_the_order_in_which_they_win() {
    let source = fixture::replaced("accept \"batch-*\"", "accept \"batch-*\", models");
    let draft = lowered(&source);
    let accepts: Vec<(String, AcceptTarget)> = draft
        .accepts
        .iter()
        .map(|one| {
            (
                format!("{}{}", one.name, if one.prefix { "*" } else { "" }),
                one.target,
            )
        })
        .collect();
    let expected = [
        ("alt", AcceptTarget::Model(1)),
        ("auto", AcceptTarget::Content(0)),
        ("big", AcceptTarget::Model(0)),
        ("gpt-4o", AcceptTarget::Model(0)),
        ("small", AcceptTarget::Model(2)),
        ("batch-*", AcceptTarget::Content(1)),
        ("auto-*", AcceptTarget::Content(0)),
    ];
    let expected: Vec<(String, AcceptTarget)> = expected
        .into_iter()
        .map(|(name, target)| (name.to_owned(), target))
        .collect();
    assert_eq!(accepts, expected);
}

#[test]
fn kaito_pools_are_found_by_the_label_of_their_workspace() {
    let draft = lowered(WHOLE);
    let Discovery::Kubernetes {
        namespace,
        labels,
        port,
    } = &draft.pools[0].discovery
    else {
        panic!()
    };
    assert_eq!((namespace.as_str(), *port), ("llm", 5000));
    assert_eq!(
        *labels,
        [("kaito.sh/workspace".to_owned(), "workspace-phi".to_owned())]
    );
    assert_eq!(draft.pools[0].placement.wait_milliseconds, 2_000);
    assert_eq!(draft.pools[0].placement.saturate_kv_cache, Some(8_000));
}

#[test]
fn each_distinct_expression_stands_once() {
    let rule = "cap at weak \"free plan\" when caller.plan == \"free\"";
    let second = format!("{rule}\n  deny \"free too\" when caller.plan == \"free\"");
    let draft = lowered(&fixture::replaced(rule, &second));
    let twice = draft
        .denials
        .iter()
        .find(|one| one.label == "free too")
        .unwrap();
    assert_eq!(twice.when, draft.caps[0].when);
}

/// Every form of expression becomes code that the verifier passes.
#[test]
fn every_form_of_expression_becomes_code() {
    let conditions = [
        "request.prompt.matches(\"(?i)urgent\") || request.prompt.contains(\"now\")",
        "request.model in [\"auto\", \"auto-x\"] && !request.stream",
        "request.tokens in [1, 2, 3]",
        "request.tools.filter(t, t.name.startsWith(\"a\")).map(t, t.description).size() > 2",
        "request.messages.all(m, m.tool_calls.exists(c, c.name == m.name))",
        "(request.images > 0 ? request.tokens : request.turns) % 3 == 1",
        "request.temperature.orValue(1.0) > 1.2",
        "has(request.headers.vip) && \"x-a\" in request.metadata",
        "request.prompt.lowerAscii().split(\" \").join() == \"a\"",
        "math.greatest(request.tokens, request.turns) > 4",
        "[request.model, \"b\"].exists(x, x == \"b\")",
    ];
    for condition in conditions {
        let rule = "escalate to strong \"hard\" when difficulty >= threshold";
        let source = fixture::replaced(
            rule,
            &format!("{rule}\n  escalate to strong \"new\" when {condition}"),
        );
        let draft = lowered(&source);
        Plan::load(encode(&draft)).unwrap_or_else(|error| panic!("{condition}: {error}"));
    }
    let policies = [
        "now.getHours(\"Europe/Berlin\") < 6 || now.getDayOfWeek() == 0",
        "now > timestamp(\"2026-01-01T00:00:00Z\")",
        "cidr(\"10.0.0.0/8\").containsIP(source.ip)",
        "caller.claims[?\"role\"].orValue(\"\") == \"admin\"",
        "model == \"big\" && cost.ceiling > 0.5",
    ];
    for condition in policies {
        let rule = "cap at weak \"free plan\" when caller.plan == \"free\"";
        let source = fixture::replaced(rule, &format!("{rule}\n  deny \"new\" when {condition}"));
        let draft = lowered(&source);
        Plan::load(encode(&draft)).unwrap_or_else(|error| panic!("{condition}: {error}"));
    }
}
