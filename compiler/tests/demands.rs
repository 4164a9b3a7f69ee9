//! Organisation rules: what a pack demands, of whom, and how it is said. Every pack here is text, none needs Rust.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use waypost_compiler::{Checked, check};
use waypost_lang::Severity;

const SOUND: &str = r#"waypost 1
import "pack.route"
secret key  = k8s("llm/openai", "key")
secret keys = env("CALLER_KEYS")
provider hosted { kind openai  auth secret key }
model big { via hosted  context 400k  output 128k  price input $1.25  cached $0.125  output $10  as of "2026-11-01" }
model small { via pool own  context 128k  output 4k  price input $0.04  output $0.08 }
pool own { kaito { preset "phi-4-mini-instruct"  replicas 2..8 } }
tiers weak < strong
tier weak { try small  timeout 30s }
tier strong { try big then small  timeout 60s  retries 2 }
content {
  accept "auto", "batch-*"
  start weak
  escalate to strong "long" when request.tokens > 24k
}
policy {
  callers { keys secret keys  anonymous deny }
  deny "no team" status 403 when caller.team == ""
  cap at weak "free" when caller.plan == "free"
  limit 600 requests / 1m per caller.key
  budget $50 / day per caller.team on strong { at 80% warn  at 100% cap at weak }
  redact email in logs
}
deploy kubernetes { namespace "llm"  replicas 2..10  image "acme/waypost:latest" }
test "weak" { given { model "auto"  prompt "hi"  caller.team "a" } expect { tier weak } }
"#;

fn checked(text: &str, pack: &str) -> Checked {
    let pack = format!("waypost 1\n{pack}");
    check("root.route", text, &|path: &str| {
        (path == "pack.route").then(|| pack.clone())
    })
}

/// What is said: code, where, what is underlined, and the message.
fn said(checked: &Checked) -> Vec<String> {
    let found = checked.diagnostics.iter();
    let shown = found.map(|one| {
        let (file, line, _) = checked.sources.position(one.primary.span);
        let text = checked.sources.text(one.primary.span);
        format!("{} {file}:{line} `{text}` {}", one.code.number, one.message)
    });
    shown.collect()
}

/// Asserts that a demand of this body is met or not by the sound file.
#[track_caller]
fn meets(body: &str, met: bool) {
    let checked = checked(SOUND, &format!("require \"it\" {{\n{body}\n}}\n"));
    let codes: Vec<&str> = checked
        .diagnostics
        .iter()
        .map(|one| one.code.number)
        .collect();
    let known = codes.iter().all(|code| *code == "WP0490");
    assert!(
        known && codes.is_empty() == met,
        "{body}: {:?}",
        said(&checked)
    );
}

#[test]
fn a_pack_written_as_text_is_held_against_each_item() {
    let pack = r#"require "paid tiers are budgeted" {
  each tier
  when tier.paid
  that tier.budgets.exists(b, b.enforced && b.amount <= 20.0)
  help "lower the budget on {tier.name}: it is tier {tier.rank} of {file.name}"
}
"#;
    let found = checked(SOUND, pack);
    assert_eq!(
        said(&found),
        [
            "WP0490 root.route:11 `strong` the tier `strong` does not meet a demand: paid tiers are budgeted"
        ]
    );
    assert!(found.program.is_none());
    let one = &found.diagnostics[0];
    assert_eq!(one.severity, Severity::Error);
    assert_eq!(
        one.help.as_deref(),
        Some("lower the budget on strong: it is tier 1 of root.route")
    );
    let (file, line, _) = found.sources.position(one.secondary[0].span);
    assert_eq!((file, line), ("pack.route", 5));
    // The neighbour: the same demand with the file's own figure.
    let met = checked(SOUND, &pack.replace("20.0", "50.0"));
    assert_eq!(said(&met), Vec::<String>::new());
    // A warning lets the file through.
    let warned = checked(SOUND, &pack.replace("  help", "  severity warning\n  help"));
    assert_eq!(said(&warned).len(), 1);
    assert!(warned.program.is_some());
}

#[test]
fn every_kind_of_item_can_be_asked_for() {
    meets(
        "that size(file.tiers) == 2 && file.tiers[?0].hasValue()",
        true,
    );
    meets("that size(file.tiers) == 3", false);
    meets(
        "each tier\nthat tier.timeout <= duration(\"60s\") && tier.retries < 3",
        true,
    );
    meets("each tier\nthat tier.timeout <= duration(\"59s\")", false);
    meets("each tier\nwhen tier.rank > 0\nthat tier.paid", true);
    meets("each tier\nthat tier.paid", false);
    meets(
        "each model\nwhen model.paid\nthat model.price.input < 2.0 && model.price.as_of >= \"2026-06-01\"",
        true,
    );
    meets(
        "each model\nthat model.hosted || model.pool == \"own\"",
        true,
    );
    meets("each model\nthat model.hosted", false);
    meets(
        "each provider\nthat provider.url.startsWith(\"https://\") && provider.auth == \"secret\"",
        true,
    );
    meets(
        "each pool\nthat pool.source == \"kaito\" && pool.replicas_least >= 2 && !pool.saturates",
        true,
    );
    meets("each secret\nthat secret.source == \"kubernetes\"", false);
    meets(
        "each content\nthat content.start == \"weak\" && \"batch-*\" in content.accepts",
        true,
    );
    meets(
        "each escalation\nthat escalation.to == \"strong\" && escalation.condition.contains(\"tokens\")",
        true,
    );
    meets("each cap\nthat cap.labelled && cap.to == \"weak\"", true);
    meets("each denial\nthat denial.status == 403", true);
    meets("each limit\nthat limit.per != \"\"", true);
    meets("each limit\nthat limit.counts == \"dollars\"", false);
    meets(
        "each budget\nthat budget.window == \"day\" && budget.on == \"big\" && budget.amount == 50.0",
        true,
    );
    meets(
        "each redaction\nthat redaction.what == \"email\" && redaction.logs && !redaction.request",
        true,
    );
    meets(
        "each callers\nthat callers.keys && !callers.anonymous && !callers.jwt",
        true,
    );
    meets(
        "each deploy\nthat deploy.replicas_most == 10 && deploy.state == \"local\" && deploy.monitor == \"\"",
        true,
    );
    meets(
        "each deploy\nthat !deploy.image.endsWith(\":latest\")",
        false,
    );
    meets(
        "that file.tests == 1 && file.callers.keys && file.deploy.declared",
        true,
    );
}

#[test]
fn a_mistake_in_a_pack_is_said_there_with_the_nearest_name() {
    let mistake = |body: &str| {
        let found = checked(SOUND, &format!("require \"it\" {{\n{body}\n}}\n"));
        let help = found.diagnostics[0].help.clone().unwrap();
        let all = said(&found);
        assert_eq!(all.len(), 1, "{all:?}");
        format!("{} | {help}", all[0])
    };
    assert_eq!(
        mistake("each tier\nthat tier.piad"),
        "WP0202 pack.route:4 `piad` a tier has no field `piad` | write `paid`"
    );
    assert_eq!(
        mistake("each teir\nthat true"),
        "WP0307 pack.route:3 `teir` `teir` is no kind of item to demand of | did you mean `tier`?"
    );
    assert!(mistake("each tier\nthat size(tier.name)").starts_with("WP0206"));
    assert!(mistake("each tier\nthat tier.rank == \"first\"").starts_with("WP0204"));
    assert!(mistake("that request.tokens > 5").starts_with("WP0202"));
    assert!(mistake("each tier\nthat tier.models[0].paid").starts_with("WP0208"));
    assert_eq!(
        mistake("each tier\nthat true\nhelp \"see {tier.nme} { at 100% deny }\""),
        "WP0202 pack.route:5 `\"see {tier.nme} { at 100% deny }\"` there is no `tier.nme` to write into a help | write `name`"
    );
    assert_eq!(
        mistake("each tier\nthat true\nhelp \"see {tier.name, {file.tests} and { at 100% deny\""),
        "WP0007 pack.route:5 `\"see {tier.name, {file.tests} and { at 100% deny\"` `{tier.name` is never closed | write `{tier.name}`"
    );
    assert_eq!(
        mistake("each tier\nwhen tier.paid"),
        "WP0105 pack.route:2 `\"it\"` `require \"it\"` has no `that` | write, for example, `that size(tier.budgets) > 0`"
    );
    assert!(mistake("that true\nseverity fatal").starts_with("WP0307"));
}

#[test]
fn constants_of_the_files_may_be_read_and_changed() {
    let pack =
        "let DEAREST = 20.0\nrequire \"cheap\" {\neach budget\nthat budget.amount <= DEAREST\n}\n";
    assert_eq!(said(&checked(SOUND, pack)).len(), 1);
    let changed = format!("{SOUND}extend let DEAREST = 80.0\n");
    assert_eq!(said(&checked(&changed, pack)), Vec::<String>::new());
}

#[test]
fn a_demand_of_the_file_points_at_the_import_that_brings_it() {
    let found = checked(SOUND, "require \"tested\" {\nthat file.tests > 9\n}\n");
    assert_eq!(
        said(&found),
        ["WP0490 root.route:2 `\"pack.route\"` the file does not meet a demand: tested"]
    );
    assert_eq!(
        found.diagnostics[0].help.as_deref(),
        Some("make this hold: `file.tests > 9`")
    );
    // A pack by itself routes nothing and owes nothing.
    let alone = check(
        "pack.route",
        "waypost 1\nrequire \"tested\" {\nthat file.tests > 9\n}\n",
        &|_: &str| None,
    );
    assert_eq!(said(&alone), Vec::<String>::new());
}

/// The sound file with a part replaced and the company's packs imported.
fn company(part: &str, by: &str) -> Vec<String> {
    assert!(SOUND.contains(part));
    let text = SOUND.replace(part, by);
    let found = checked(&text, "import \"std/company.route\"\n");
    found
        .diagnostics
        .iter()
        .filter(|one| one.code.number == "WP0490")
        .map(|one| one.message.clone())
        .collect()
}

#[test]
fn the_company_pack_demands_budgets_known_callers_and_redacted_logs() {
    assert_eq!(company("tier weak", "tier weak"), Vec::<String>::new());
    let budget = "the tier `strong` does not meet a demand: every paid tier has a budget";
    let cases = [
        (
            "{ at 80% warn  at 100% cap at weak }",
            "{ at 80% warn }",
            budget,
        ),
        ("on strong { at", "on small { at", budget),
        (
            "cap at weak }",
            "cap at weak } when caller.plan == \"free\"",
            budget,
        ),
        (
            "anonymous deny",
            "anonymous allow",
            "`callers` does not meet a demand: no anonymous callers",
        ),
        (
            "redact email in logs",
            "redact email in request",
            "the file does not meet a demand: prompts are redacted in logs",
        ),
        (
            "  redact email in logs\n",
            "",
            "the file does not meet a demand: prompts are redacted in logs",
        ),
    ];
    for (part, by, message) in cases {
        assert_eq!(company(part, by), [message], "{by}");
    }
    // The neighbours that meet them.
    assert_eq!(
        company(
            "budget $50 / day per caller.team on strong",
            "budget $50 / day"
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        company("output $10  as", "output $10  as"),
        Vec::<String>::new()
    );
    assert_eq!(
        company("try big then small", "try small"),
        Vec::<String>::new()
    );
}

#[test]
fn the_regulated_pack_adds_its_own() {
    let found = checked(SOUND, "import \"std/regulated.route\"\n");
    let messages: Vec<&str> = found
        .diagnostics
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "the secret `keys` does not meet a demand: secrets are kept in Kubernetes",
            "the deployment does not meet a demand: images are pinned",
        ]
    );
}
