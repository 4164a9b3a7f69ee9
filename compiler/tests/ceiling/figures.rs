//! Ceilings of small files, worked out by hand.

use waypost_compiler::ceiling::{Ceiling, Ceilings, Figures};
use waypost_compiler::{Program, ceiling, check};

/// `cheap` costs $1 and $2 a million tokens, `dear` $2 and $10; `weak` falls back to `dear`.
pub fn file(policy: &str) -> String {
    format!(
        r#"waypost 1
secret keys = env("CALLER_KEYS")
provider lab {{ kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }}
model cheap {{ via lab  context 10k  output 1k  price input $1  output $2 }}
model dear {{ via lab  context 100k  output 10k  price input $2  cached $0.20  output $10 }}
tiers weak < strong
tier weak {{ try cheap  then dear }}
tier strong {{ try dear }}
content {{ accept "auto"  start weak  escalate to strong when request.tokens > 2000 }}
policy {{
  callers {{ keys secret keys  anonymous deny }}
  {policy}
}}
"#
    )
}

pub fn program(text: &str) -> Program {
    let checked = check("spend.route", text, &|_: &str| None);
    checked
        .program
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn ceilings(policy: &str) -> Ceilings {
    ceiling(&program(&file(policy)))
}

fn shown(figures: &Figures) -> String {
    let one = |ceiling: &Ceiling| match ceiling {
        Ceiling::Bounded { most, by } => {
            let by: Vec<&str> = by.iter().map(|setter| setter.label.as_str()).collect();
            format!("{most} by {}", by.join(" + "))
        }
        Ceiling::Unbounded(unbounded) => format!("unbounded: {:?}", unbounded.nearest),
    };
    format!(
        "{} | {} | {}",
        one(&figures.hour),
        one(&figures.day),
        one(&figures.month)
    )
}

#[track_caller]
fn check_file(policy: &str, expected: &str) {
    assert_eq!(shown(&ceilings(policy).file.everyone), expected, "{policy}");
}

#[track_caller]
fn check_caller(policy: &str, expected: &str) {
    assert_eq!(shown(&ceilings(policy).file.caller), expected, "{policy}");
}

#[test]
fn calendar_budgets_are_themselves_in_their_window() {
    check_file(
        "budget $50 / day",
        "50.00 by $50 / day | 50.00 by $50 / day | 1550.00 by $50 / day",
    );
    check_file(
        "budget $900 / month",
        "900.00 by $900 / month | 900.00 by $900 / month | 900.00 by $900 / month",
    );
    // A month of 31 days can touch six weeks.
    check_file(
        "budget $100 / week",
        "100.00 by $100 / week | 100.00 by $100 / week | 600.00 by $100 / week",
    );
}

#[test]
fn the_tighter_rule_sets_each_window() {
    check_file(
        "budget $50 / day\n  budget $900 / month",
        "50.00 by $50 / day | 50.00 by $50 / day | 900.00 by $900 / month",
    );
}

#[test]
fn a_bucket_holds_its_amount_and_refills() {
    check_file(
        "limit $6 / 1h",
        "12.00 by $6 / 1h | 150.00 by $6 / 1h | 4470.00 by $6 / 1h",
    );
    // 60k tokens held and 60k a minute, at $10 a million: 60k + 3.6M in an hour.
    check_file(
        "limit 60k tokens / 1m",
        "36.60 by 60k tokens / 1m | 864.60 by 60k tokens / 1m | 26784.60 by 60k tokens / 1m",
    );
    check_file(
        "limit 60k tokens / 1m burst 10k",
        "36.10 by 60k tokens / 1m | 864.10 by 60k tokens / 1m | 26784.10 by 60k tokens / 1m",
    );
}

#[test]
fn a_sliding_window_never_holds_more_than_its_amount() {
    check_file(
        "limit $6 / sliding 1h",
        "6.00 by $6 / sliding 1h | 144.00 by $6 / sliding 1h | 4464.00 by $6 / sliding 1h",
    );
    // A day of 24 hours is covered by five windows of five.
    check_file(
        "limit $6 / sliding 5h",
        "6.00 by $6 / sliding 5h | 30.00 by $6 / sliding 5h | 894.00 by $6 / sliding 5h",
    );
}

#[test]
fn a_ceiling_of_each_call_bounds_what_requests_cost() {
    check_file(
        "limit 10 requests / day\n  budget $0.50 / call",
        "5.00 by 10 requests / day | 5.00 by 10 requests / day | 155.00 by 10 requests / day",
    );
    check_file(
        "budget $0.50 / call",
        "unbounded: Nothing | unbounded: Nothing | unbounded: Nothing",
    );
}

#[test]
fn a_session_bounds_only_whom_it_belongs_to() {
    check_caller(
        "budget $2 / session per caller.key",
        "4.00 by $2 / session | 50.00 by $2 / session | 1490.00 by $2 / session",
    );
    check_file(
        "budget $2 / session per request.headers[?\"x-run\"].orValue(\"\")",
        "unbounded: CallerChooses(0) | unbounded: CallerChooses(0) | unbounded: CallerChooses(0)",
    );
    check_file(
        "limit 20 concurrent\n  limit 5 repeats / day",
        "unbounded: Nothing | unbounded: Nothing | unbounded: Nothing",
    );
}

#[test]
fn a_request_may_ask_for_128_answers() {
    // 90k of prompt at $2 and 128 answers of 10k at $10: $0.18 + $12.80.
    let ceilings = ceilings("limit 10 requests / 1h");
    let setter = &ceilings.file.everyone.hour.by()[0];
    assert_eq!(setter.one_call.unwrap().to_string(), "12.98");
    assert_eq!(setter.part.to_string(), "259.60");
    // Where the tier retries, each attempt may be billed.
    let retried = file("limit 10 requests / 1h").replace("try dear }", "try dear  retries 2 }");
    let ceilings = ceiling(&program(&retried));
    let setter = &ceilings.file.everyone.hour.by()[0];
    assert_eq!(setter.one_call.unwrap().to_string(), "38.94");
}

#[test]
fn a_request_that_is_hedged_may_cost_what_two_models_take_for_it() {
    let hedged =
        file("limit 10 requests / 1h").replace("then dear }", "then dear  hedge after 2s }");
    let ceilings = ceiling(&program(&hedged));
    let setter = &ceilings.file.everyone.hour.by()[0];
    // The dear one's $12.98, and some $0.265 of the cheap one: 9k of prompt at $1 and 128 answers of 1k at $2.
    let one_call = setter.one_call.unwrap().to_string();
    assert!(one_call.starts_with("13.24"), "{one_call}");
}

#[test]
fn a_denial_bounds_what_a_call_can_cost() {
    let one_call = |policy: &str| {
        let ceilings = ceilings(&format!("limit 1 requests / day\n  {policy}"));
        ceilings
            .file
            .everyone
            .day
            .most()
            .map(|most| most.to_string())
    };
    assert_eq!(
        one_call("deny \"dear\" when cost.ceiling > 0.5").as_deref(),
        Some("0.50")
    );
    // 1k of prompt and all answers.
    let most = Some("12.802".to_owned());
    assert_eq!(one_call("deny \"long\" when request.tokens > 1000"), most);
    assert_eq!(
        one_call("deny \"long\" when caller.plan == \"x\" || 1000 < request.tokens"),
        most
    );
    // Who says nothing has 4,096 tokens for each answer, and must leave room for one.
    assert_eq!(
        one_call("deny \"talkative\" when request.max_tokens > 100").as_deref(),
        Some("5.442878")
    );
    // Of some calls only: nothing is bounded.
    assert_eq!(
        one_call("deny \"dear\" when cost.ceiling > 0.5 && caller.plan == \"free\"").as_deref(),
        Some("12.98")
    );
}

#[test]
fn what_is_on_a_model_bounds_it_wherever_it_answers() {
    let ceilings = ceilings("budget $50 / day on strong\n  budget $7 / day on cheap");
    let day = |figures: &Figures| figures.day.most().unwrap().to_string();
    assert_eq!(day(&ceilings.tiers[0].everyone), "57.00");
    assert_eq!(day(&ceilings.tiers[1].everyone), "50.00");
    assert_eq!(day(&ceilings.file.everyone), "57.00");
    let labels = ceilings.file.everyone.day.by().iter();
    assert_eq!(
        labels.map(|one| one.label.as_str()).collect::<Vec<_>>(),
        ["$50 / day", "$7 / day"]
    );
}

#[test]
fn a_cap_bounds_the_tiers_above_it() {
    // Strong calls within $50, all of them within $75; what is capped goes on at the weak tier.
    check_file(
        "budget $50 / day { at 100% cap at weak  at 150% deny }",
        "75.00 by $50 / day | 75.00 by $50 / day | 2325.00 by $50 / day",
    );
    let ceilings = ceilings("budget $50 / day { at 100% cap at weak  at 150% deny }");
    // The dear model is judged as strong wherever it answers, `cheap` as weak.
    assert_eq!(
        ceilings.tiers[1].everyone.day.most().unwrap().to_string(),
        "50.00"
    );
    check_file(
        "budget $50 / day { at 100% cap at weak }",
        "unbounded: NeverRefuses(0) | unbounded: NeverRefuses(0) | unbounded: NeverRefuses(0)",
    );
}

#[test]
fn shares_count() {
    check_file(
        "budget $50 / day { at 80% deny }",
        "40.00 by $50 / day | 40.00 by $50 / day | 1240.00 by $50 / day",
    );
    check_file(
        "budget $50 / day { at 80% warn  at 110% deny }",
        "55.00 by $50 / day | 55.00 by $50 / day | 1705.00 by $50 / day",
    );
}

#[test]
fn each_caller_by_itself_bounds_no_file() {
    let policy = "budget $50 / day per caller.team";
    check_caller(
        policy,
        "50.00 by $50 / day | 50.00 by $50 / day | 1550.00 by $50 / day",
    );
    check_file(
        policy,
        "unbounded: EachCaller(0) | unbounded: EachCaller(0) | unbounded: EachCaller(0)",
    );
    // Where nobody is told from anybody else, all share one bucket.
    let open = file(policy).replace("keys secret keys  anonymous deny", "anonymous allow");
    let open = ceiling(&program(&open));
    assert_eq!(open.file.everyone.day.most().unwrap().to_string(), "50.00");
}

#[test]
fn what_does_not_hold_for_all_is_named() {
    let nearest = |policy: &str, nearest: &str| {
        let all = [nearest; 3].map(|one| format!("unbounded: {one}"));
        check_file(policy, &all.join(" | "));
    };
    nearest("", "Nothing");
    nearest("budget $50 / day { at 80% warn }", "NeverRefuses(0)");
    nearest(
        "budget $50 / day when caller.plan == \"free\"",
        "Conditional(0)",
    );
    nearest(
        "budget $50 / day per request.headers[?\"x-team\"].orValue(\"\")",
        "CallerChooses(0)",
    );
    nearest(
        "limit 5 requests / day on cheap\n  budget $50 / day on strong per caller.key",
        "EachCaller(1)",
    );
    nearest(
        "budget $1 / day when caller.plan == \"a\"\n  budget $1 / day \"b\" per caller.key",
        "EachCaller(1)",
    );
    // A context is what bounds a call.
    let endless = file("limit 5 requests / day").replace("context 100k  ", "");
    let endless = ceiling(&program(&endless));
    assert_eq!(
        shown(&endless.file.everyone),
        "unbounded: BoundlessCall(0) | unbounded: BoundlessCall(0) | unbounded: BoundlessCall(0)"
    );
}

#[test]
fn a_condition_on_the_tier_is_known() {
    let ceilings = ceilings(
        "budget $50 / day \"s\" when tier == \"strong\"\n  budget $7 / day \"w\" when tier in [\"weak\"] && model != \"dear\"",
    );
    let day = |figures: &Figures| figures.day.most().unwrap().to_string();
    // `dear` is judged as strong wherever it answers.
    assert_eq!(day(&ceilings.tiers[0].everyone), "57.00");
    assert_eq!(day(&ceilings.tiers[1].everyone), "50.00");
}

#[test]
fn what_is_always_denied_spends_nothing() {
    check_file(
        "deny \"none\" when model == \"dear\"\n  budget $5 / day on cheap",
        "5.00 by $5 / day | 5.00 by $5 / day | 155.00 by $5 / day",
    );
}

#[test]
fn each_replica_counts_by_itself() {
    let deployed = format!(
        "{}deploy kubernetes {{ namespace \"llm\"  replicas 2..10 }}\n",
        file("budget $50 / day")
    );
    let ceilings = ceiling(&program(&deployed));
    assert_eq!(ceilings.replicas, 10);
    assert_eq!(
        shown(&ceilings.file.everyone),
        "500.00 by $50 / day | 500.00 by $50 / day | 15500.00 by $50 / day"
    );
}

#[test]
fn days_are_those_of_the_one_zone_of_the_file() {
    let berlin = ceilings("budget $50 / day in \"Europe/Berlin\"");
    assert_eq!(berlin.zone, "Europe/Berlin");
    assert_eq!(
        berlin.file.everyone.day.most().unwrap().to_string(),
        "50.00"
    );
    // Of two zones neither is the bill's: a day in UTC touches two in Berlin.
    let two =
        ceilings("budget $50 / day in \"Europe/Berlin\"\n  budget $5000 / month in \"Asia/Tokyo\"");
    assert_eq!(two.zone, "UTC");
    assert_eq!(
        shown(&two.file.everyone),
        "100.00 by $50 / day | 100.00 by $50 / day | 1600.00 by $50 / day"
    );
}

#[test]
fn what_has_no_price_is_not_in_the_figures() {
    let unpriced =
        file("limit 5k tokens / 1h").replace("price input $2  cached $0.20  output $10", "");
    let ceilings = ceiling(&program(&unpriced));
    assert_eq!(ceilings.file.unpriced, [1]);
    assert_eq!(
        ceilings.file.everyone.hour.most().unwrap().to_string(),
        "0.02"
    );
    let free = file("").replace(
        "price input $2  cached $0.20  output $10",
        "price input $0  output $0",
    );
    let free = free.replace("price input $1  output $2", "price input $0  output $0");
    assert_eq!(
        shown(&ceiling(&program(&free)).file.everyone),
        "0.00 by  | 0.00 by  | 0.00 by "
    );
}

#[test]
fn one_wide_rule_may_be_cheaper_than_each_flows_own() {
    // Day: $40 for `dear` and $60 for all is $60, not $100.
    check_file(
        "budget $40 / day on dear\n  budget $60 / day",
        "60.00 by $60 / day | 60.00 by $60 / day | 1860.00 by $60 / day",
    );
}
