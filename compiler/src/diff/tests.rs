#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use waypost_lang::SourceMap;
use waypost_policies::Plan;
use waypost_policies::plan::encode;

use super::{Change, ChangeKind, Side, decide_request, diff};
use crate::Program;

const FILE: &str = r#"waypost 1
provider lab { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }
model small { via lab  context 128k  output 4k  price input $0.04  output $0.08 }
model large { via lab  context 400k  output 128k  price input $1.25  output $10.00 }
tiers weak < strong
tier weak { try small  then large }
tier strong { try large }
content {
  accept "auto"
  start weak
  escalate to strong "writes" when request.tools.exists(t, t.name.startsWith("write_"))
  escalate to strong "long context" when request.tokens > 24000
  threshold 0.42
  escalate to strong "hard prompt" when difficulty >= threshold
  escalate to strong "vip" when request.headers[?"x-priority"].orValue("") == "high"
  keep session request.headers[?"x-session-id"].orValue("") for 10m
}
policy {
  callers { anonymous allow }
  deny "sandbox never spends" status 403 when caller.team == "sandbox" && tier == "strong"
  cap at weak "free plan" when caller.plan == "free"
  limit 60k tokens / 1m per caller.agent on strong
  budget $50 / day per caller.team on strong { at 80% warn  at 100% cap at weak }
  budget $900 / month { at 100% deny }
  priority 10 "paying" when caller.plan == "pro"
}
"#;

struct Compiled {
    program: Program,
    plan: Plan,
    sources: SourceMap,
}

fn compiled(text: &str) -> Compiled {
    let checked = crate::check("agents.route", text, &|_: &str| None);
    let program = checked
        .program
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let plan = Plan::load(encode(&crate::lower(&program, &checked.sources))).unwrap();
    Compiled {
        program,
        plan,
        sources: checked.sources,
    }
}

impl Compiled {
    const fn side(&self) -> Side<'_> {
        Side {
            program: &self.program,
            plan: &self.plan,
            sources: &self.sources,
        }
    }
}

/// The changes, each witness held against both plans once more.
fn changes(old: &str, new: &str) -> Vec<Change> {
    let (old, new) = (compiled(old), compiled(new));
    let changes = diff(old.side(), new.side());
    for witness in changes.iter().filter_map(|change| change.witness.as_ref()) {
        let hides = witness.prompt.as_ref();
        let hides = hides.is_some_and(|prompt| prompt.old != prompt.new);
        assert!(hides || witness.old != witness.new, "{witness:#?}");
        if witness.after.is_none() {
            let decide = |plan| decide_request(plan, &witness.request).unwrap();
            assert_eq!(decide(&old.plan), witness.old);
            assert_eq!(decide(&new.plan), witness.new);
        }
    }
    changes
}

/// The file with one text in place of another.
fn with(from: &str, to: &str) -> String {
    assert_eq!(FILE.matches(from).count(), 1, "{from}");
    FILE.replace(from, to)
}

fn same(new: &str) {
    assert_eq!(changes(FILE, new), [], "{new}");
}

/// The one change of this subject, of rules and settings; ceilings may move besides.
fn one(new: &str, kind: ChangeKind, subject: &str) -> Change {
    let changes = changes(FILE, new);
    let found = changes
        .iter()
        .filter(|change| !change.subject.starts_with("spend ceiling"));
    let found: Vec<&Change> = found.collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].kind, &*found[0].subject), (kind, subject));
    found[0].clone()
}

/// The one change, shown by a request that goes from one tier or decision to another.
fn shown(new: &str, kind: ChangeKind, subject: &str, was: &str, is: &str) -> Change {
    let change = one(new, kind, subject);
    let witness = change
        .witness
        .clone()
        .unwrap_or_else(|| panic!("no witness: {change:#?}"));
    let text = |decided: &super::Decided| match decided.decision {
        "route" => decided.tier.clone(),
        other => other.to_owned(),
    };
    assert_eq!(
        (text(&witness.old), text(&witness.new)),
        (was.to_owned(), is.to_owned())
    );
    change
}

use ChangeKind::{Added, Changed, Removed};

#[test]
fn what_is_only_written_otherwise_is_no_change() {
    same(FILE);
    same(&with("\"long context\"", "\"renamed\""));
    same(&with(
        "request.tokens > 24000",
        "request.tokens  >  24k // a comment",
    ));
    same(&FILE.replace('\n', "\n\n"));
    let rule = "  escalate to strong \"long context\" when request.tokens > 24000\n";
    let moved = FILE.replace(rule, "");
    same(&moved.replace("  start weak\n", &format!("  start weak\n{rule}")));
    same(&with("24000", "LONG").replace("tiers weak", "let LONG = 24k\ntiers weak"));
    let first =
        "model small { via lab  context 128k  output 4k  price input $0.04  output $0.08 }\n";
    same(
        &FILE
            .replace(first, "")
            .replace("tiers weak", &format!("{first}tiers weak")),
    );
    let test = "test \"t\" { given { prompt \"hi\" } expect { tier weak } }\n";
    same(&format!("{FILE}{test}"));
}

#[test]
fn what_is_proved_to_mean_the_same_is_no_change() {
    same(&with("request.tokens > 24000", "request.tokens >= 24001"));
    same(&with(
        "caller.plan == \"free\"",
        "!(caller.plan != \"free\")",
    ));
    same(&with(
        "caller.team == \"sandbox\" && tier == \"strong\"",
        "tier == \"strong\" && caller.team == \"sandbox\"",
    ));
}

#[test]
fn a_moved_border_has_a_witness_on_it() {
    let change = shown(
        &with("24000", "30000"),
        Changed,
        "escalate `long context`",
        "strong",
        "weak",
    );
    assert_eq!(
        change.details,
        ["when request.tokens > 24000 -> when request.tokens > 30000"]
    );
    assert_eq!(change.new.unwrap().line, 12);
}

#[test]
fn rules_come_and_go() {
    let rule = "  escalate to strong \"vip\" when request.headers[?\"x-priority\"].orValue(\"\") == \"high\"\n";
    let change = shown(
        &FILE.replace(rule, ""),
        Removed,
        "escalate `vip`",
        "strong",
        "weak",
    );
    let witness = change.witness.unwrap();
    assert_eq!(witness.request["headers"]["x-priority"], "high");
    let added = with(
        "  callers { anonymous allow }\n",
        "  callers { anonymous allow }\n  deny \"no images\" status 451 when request.images > 3\n",
    );
    let change = shown(&added, Added, "deny `no images`", "weak", "deny");
    assert_eq!(change.witness.unwrap().new.status, 451);
}

#[test]
fn a_condition_that_grew_is_shown_where_it_grew() {
    shown(
        &with("startsWith(\"write_\")", "startsWith(\"write\")"),
        Changed,
        "escalate `writes`",
        "weak",
        "strong",
    );
    shown(
        &with(
            "caller.plan == \"free\"",
            "caller.plan in [\"free\", \"trial\"]",
        ),
        Changed,
        "cap `free plan`",
        "strong",
        "weak",
    );
    shown(
        &with("== \"sandbox\" &&", "!= \"payments\" &&"),
        Changed,
        "deny `sandbox never spends`",
        "strong",
        "deny",
    );
}

#[test]
fn effects_are_compared_too() {
    let change = one(
        &with("status 403", "status 402"),
        Changed,
        "deny `sandbox never spends`",
    );
    assert_eq!(change.details, ["status 403 -> status 402"]);
    let witness = change.witness.unwrap();
    assert_eq!((witness.old.status, witness.new.status), (403, 402));
    let change = one(
        &with("priority 10", "priority 20"),
        Changed,
        "priority `paying`",
    );
    assert_eq!(change.witness.unwrap().new.priority, 20);
}

#[test]
fn a_budget_is_shown_with_what_is_spent() {
    let change = shown(
        &with("budget $50 / day", "budget $40 / day"),
        Changed,
        "budget `$40 / day`",
        "strong",
        "weak",
    );
    let witness = change.witness.unwrap();
    assert_eq!(witness.after.as_deref(), Some("$40 of `$40 / day` used"));
    shown(
        &FILE.replace("  budget $900 / month { at 100% deny }\n", ""),
        Removed,
        "budget `$900 / month`",
        "limit",
        "weak",
    );
}

#[test]
fn a_session_is_shown_with_its_tier() {
    let rule = "  keep session request.headers[?\"x-session-id\"].orValue(\"\") for 10m\n";
    let change = shown(
        &FILE.replace(rule, ""),
        Removed,
        "keep `session`",
        "strong",
        "weak",
    );
    assert!(change.witness.unwrap().after.unwrap().contains("strong"));
    let change = one(&with("for 10m", "for 20m"), Changed, "keep `session`");
    assert_eq!(change.details, ["for 10m -> for 20m"]);
    let witness = change.witness.unwrap();
    assert_eq!(
        witness.after.as_deref(),
        Some("a call of its session that was given strong 10m ago")
    );
    assert_eq!((&*witness.old.tier, &*witness.new.tier), ("weak", "strong"));
}

#[test]
fn settings_change_by_field() {
    let change = one(
        &with("price input $1.25", "price input $1.10"),
        Changed,
        "model `large`",
    );
    assert_eq!(
        change.details,
        [
            "price of cached input: $1.25 per 1M tokens -> $1.1 per 1M tokens",
            "price of input: $1.25 per 1M tokens -> $1.1 per 1M tokens",
        ]
    );
    let change = one(&with("threshold 0.42", "threshold 0.5"), Changed, "content");
    assert_eq!(change.details, ["threshold: 0.42 -> 0.5"]);
    let witness = change.witness.unwrap();
    assert_eq!((&*witness.old.tier, &*witness.new.tier), ("strong", "weak"));
    let change = one(&with("start weak", "start strong"), Changed, "content");
    assert_eq!(change.witness.unwrap().new.tier, "strong");
    let change = one(
        &with("try small  then large", "try large"),
        Changed,
        "tier `weak`",
    );
    assert_eq!(change.witness.unwrap().new.model, "large");
    let change = one(
        &with("anonymous allow", "anonymous deny"),
        Changed,
        "callers",
    );
    assert_eq!(change.details, ["calls without a key: allowed -> denied"]);
}

#[test]
fn ceilings_that_moved_are_said() {
    let changes = changes(FILE, &with("budget $900 / month", "budget $1800 / month"));
    let file = changes
        .iter()
        .find(|change| change.subject == "spend ceiling of the file")
        .unwrap_or_else(|| panic!("{changes:#?}"));
    assert!(
        file.details
            .iter()
            .any(|line| line.starts_with("a month: $900.00 by `$900 / month` -> $1,800.00")),
        "{:?}",
        file.details
    );
}

#[test]
fn a_policy_that_refuses_the_plainest_call_does_not_hide_a_change() {
    let strict = |text: &str| {
        let rules = "  deny \"no team\" when caller.team == \"\"\n  deny \"no agent\" when caller.agent == \"\"\n  \
                     deny \"unknown plan\" when !(caller.plan in [\"free\", \"pro\"])\n";
        text.replace("  cap at weak", &format!("{rules}  cap at weak"))
    };
    let edits = [
        ("> 24000", "> 30000", "long context"),
        ("\"write_\"", "\"delete_\"", "writes"),
        ("== \"high\"", "== \"urgent\"", "vip"),
        (
            "caller.plan == \"free\"",
            "caller.team == \"guests\"",
            "free plan",
        ),
        ("$900 / month", "$800 / month", "$900 / month"),
    ];
    for (from, to, label) in edits {
        let changes = changes(&strict(FILE), &strict(&with(from, to)));
        let change = changes
            .iter()
            .find(|one| one.subject.contains(label) || from.contains('$'));
        let witness = change.unwrap().witness.as_ref();
        let witness = witness.unwrap_or_else(|| panic!("no witness of {label}: {changes:#?}"));
        let routed = [&witness.old, &witness.new].map(|one| one.decision == "route");
        assert!(routed.contains(&true), "{label}: {witness:#?}");
    }
    let acting = FILE.replace(
        "t.name.startsWith(\"write_\")",
        "t.name.matches(\"(^|_)(write|send)(_|$)\")",
    );
    let rule = acting
        .lines()
        .find(|line| line.contains("matches"))
        .unwrap();
    let without = changes(&strict(&acting), &strict(&acting.replace(rule, "")));
    assert!(without[0].witness.is_some(), "{without:#?}");
    let status = strict(FILE).replace("\"no agent\" when", "\"no agent\" status 401 when");
    let changes = changes(&strict(FILE), &status);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(changes[0].witness.is_some(), "{changes:#?}");
}

/// Rules that are proved to decide nothing come and go without a change of behaviour.
#[test]
fn idle_rules_are_no_change() {
    let after = |line: &str, more: &str| with(line, &format!("{line}\n{more}"));
    let long = r#"  escalate to strong "long context" when request.tokens > 24000"#;
    let free = r#"  cap at weak "free plan" when caller.plan == "free""#;
    for new in [
        after(
            long,
            r#"  escalate to strong "longer" when request.tokens > 48000"#,
        ),
        after(
            long,
            r#"  escalate to strong "never" when request.tokens > 5 && request.tokens < 3"#,
        ),
        after(
            free,
            r#"  cap at weak "free and slow" when caller.plan == "free" && caller.team == "x""#,
        ),
        after(
            free,
            r#"  limit 5 requests / 1m "none" when caller.plan == "a" && caller.plan == "b""#,
        ),
    ] {
        assert_eq!(changes(FILE, &new), [], "{new}");
        assert_eq!(changes(&new, FILE), [], "{new}");
    }
}

/// One that was idle and decides now is a change, and so is the loss of what covered another.
#[test]
fn a_rule_that_comes_to_decide_is_a_change() {
    let long = r#"  escalate to strong "long context" when request.tokens > 24000"#;
    let longer = r#"  escalate to strong "longer" when request.tokens > 48000"#;
    let both = with(long, &format!("{long}\n{longer}"));
    let alone = with(long, longer);
    let found = changes(&both, &alone);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].kind, ChangeKind::Removed);
    assert!(found[0].witness.is_some());
    let lives = both.replace("48000", "12000");
    assert!(!changes(&both, &lives).is_empty());
}

/// Thresholds that are near one another, anywhere, have a prompt between them.
#[test]
fn a_threshold_that_moved_a_little_is_shown() {
    for from in [12, 30, 42, 50, 66] {
        let old = with("0.42", &format!("0.{from}"));
        let new = with("0.42", &format!("0.{}", from + 2));
        let changes = changes(&old, &new);
        assert!(changes[0].witness.is_some(), "{from}: {changes:#?}");
    }
}

/// What a limit counts by, and over which time: shown by who used it, and how long ago.
#[test]
fn quotas_that_count_otherwise_are_shown_by_what_was_used() {
    let after = |new: &str, subject: &str| {
        let change = one(new, Changed, subject);
        let witness = change.witness.clone();
        let witness = witness.unwrap_or_else(|| panic!("no witness: {change:#?}"));
        witness.after.unwrap()
    };
    let budget = "budget `$50 / day`";
    let by = after(
        &with("$50 / day per caller.team", "$50 / day per caller.agent"),
        budget,
    );
    assert!(
        by.starts_with("$50 of `$50 / day` used by a call with caller."),
        "{by}"
    );
    let by = after(&with("$50 / day per caller.team", "$50 / day"), budget);
    assert!(by.contains("used by a call with caller.team"), "{by}");
    let week = after(&with("$50 / day", "$50 / week"), "budget `$50 / week`");
    assert_eq!(week, "$50 of `$50 / week` used 1d ago");
    let zone = with("$50 / day", "$50 / day in \"Asia/Tokyo\"");
    let zone = after(&zone, budget);
    assert!(zone.ends_with("ago"), "{zone}");
    let limit = with("60k tokens / 1m", "60k tokens / 2m");
    let limit = after(&limit, "limit `60k tokens / 2m`");
    assert!(
        limit.contains("60000 tokens") && limit.ends_with("ago"),
        "{limit}"
    );
    let warn = one(&with("at 80% warn", "at 90% warn"), Changed, budget);
    let witness = warn.witness.unwrap();
    assert_eq!((witness.old.warnings, witness.new.warnings), (1, 0));
    let on = with("per caller.team on strong", "per caller.team on weak");
    let on = one(&on, Changed, budget);
    assert!(on.witness.unwrap().after.unwrap().contains("$50 of"));
}

/// Conditions on the clock and on addresses are shown by a call at that time, or from there.
#[test]
fn times_and_addresses_are_borders_too() {
    let rule = |when: &str| {
        let deny = format!("  deny \"closed\" status 403 when {when}\n  cap at weak \"free");
        FILE.replace("  cap at weak \"free", &deny)
    };
    let pairs = [
        ("now.getHours() >= 22", "now.getHours() >= 20"),
        (
            "now.getHours(\"Europe/Berlin\") < 6 && now.getDayOfWeek() == 0",
            "now.getHours(\"Europe/Berlin\") < 7 && now.getDayOfWeek() == 0",
        ),
        ("now.getMonth() == 11", "now.getMonth() == 10"),
        ("now.getDate() > 28", "now.getDate() > 27"),
        ("now.getFullYear() > 2027", "now.getFullYear() > 2028"),
        (
            "now > timestamp(\"2026-12-01T00:00:00Z\")",
            "now > timestamp(\"2026-12-02T00:00:00Z\")",
        ),
        (
            "cidr(\"10.0.0.0/8\").containsIP(source.ip)",
            "cidr(\"10.0.0.0/9\").containsIP(source.ip)",
        ),
        (
            "source.ip == ip(\"192.0.2.1\")",
            "source.ip == ip(\"192.0.2.2\")",
        ),
        ("source.ip.family() == 6", "source.ip.isLinkLocalUnicast()"),
    ];
    for (old, new) in pairs {
        let changes = changes(&rule(old), &rule(new));
        let found = &changes[0];
        assert_eq!(found.subject, "deny `closed`");
        let witness = found.witness.as_ref();
        let request = &witness.unwrap_or_else(|| panic!("{found:#?}")).request;
        let said = request.get("now").or_else(|| request.get("source"));
        assert!(said.is_some(), "{request}");
    }
}

#[test]
fn a_redaction_is_shown_by_a_prompt_that_it_hides() {
    let redact = |what: &str| {
        let rule = format!("  redact {what}\n  cap at weak \"free");
        FILE.replace("  cap at weak \"free", &rule)
    };
    for what in [
        "email",
        "credit-card",
        "phone",
        "ssn",
        "ip-address",
        "api-key",
        "\"INT-[0-9]{6}\"",
        "\"(?i)project (falcon|eagle)\"",
    ] {
        let logs = redact(&format!("{what} in logs"));
        let both = redact(&format!("{what} in request, logs"));
        let changes = changes(&logs, &both);
        assert_eq!(changes.len(), 1, "{changes:#?}");
        let witness = changes[0].witness.as_ref();
        let witness = witness.unwrap_or_else(|| panic!("{changes:#?}"));
        let prompt = witness.prompt.as_ref().unwrap();
        assert_eq!(prompt.place, "sent upstream");
        assert!(prompt.new.contains('['), "{prompt:?}");
        assert!(!prompt.old.contains("[redacted]"), "{prompt:?}");
    }
}
