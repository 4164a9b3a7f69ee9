//! What conditions mean where traffic decides: text by code point, numbers beyond 2^53, claims of any type, times in
//! zones, optionals, empty lists, macros in macros. Each as it is written in a file, and what it says of one call.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::borrow::Cow;

use waypost_compiler::{check as check_file, lower};
use waypost_policies::facts::{Claim, Facts, Message, Request, ToolCall};
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, example, vm};

/// 2026-03-29T00:30:00.25Z, half an hour before Berlin's clocks go forward.
const NOW: i64 = 1_774_744_200_250_000_000;

fn message(role: &'static str, content: &'static str, calls: &[&'static str]) -> Message<'static> {
    let call = |name: &&'static str| ToolCall {
        name: Cow::Borrowed(*name),
        arguments: Cow::Borrowed("{\"path\":\"/etc/passwd\"}"),
    };
    Message {
        role: Cow::Borrowed(role),
        content: Cow::Borrowed(content),
        tool_calls: calls.iter().map(call).collect(),
        ..Message::default()
    }
}

fn plan(section: &str, expression: &str) -> Plan {
    let rules = match section {
        "content" => [
            format!("  escalate to strong \"x\" when {expression}\n"),
            String::new(),
        ],
        _ => [String::new(), format!("  deny \"x\" when {expression}\n")],
    };
    let [content, policy] = rules;
    let file = format!(
        "waypost 1\n\
         pool a {{ endpoints \"http://a.test\"  engine vllm }}\n\
         model small {{ via pool a }}\n\
         model large {{ via pool a }}\n\
         tiers weak < strong\n\
         tier weak {{ try small }}\n\
         tier strong {{ try large }}\n\
         content {{\n  accept \"auto\"\n  start weak\n{content}}}\n\
         policy {{\n  callers {{ anonymous allow }}\n{policy}}}\n"
    );
    let checked = check_file("semantics.route", &file, &|_: &str| None);
    let Some(program) = checked.program else {
        panic!("{expression}: {:#?}", checked.diagnostics);
    };
    Plan::load(encode(&lower(&program, &checked.sources))).unwrap()
}

fn claims(plan: &Plan) -> Vec<Option<Claim<'static>>> {
    let claim = |name: &str| {
        let texts = |texts: &[&'static str]| {
            Claim::Strings(texts.iter().map(|text| Cow::Borrowed(*text)).collect())
        };
        Some(match name {
            "groups" => texts(&["ops", "größer"]),
            "none" => texts(&[]),
            "group" => Claim::String(Cow::Borrowed("ops")),
            "level" => Claim::Int(9_007_199_254_740_993),
            "ratio" => Claim::Double(0.5),
            "admin" => Claim::Bool(true),
            _ => return None,
        })
    };
    plan.claims().map(claim).collect()
}

fn holds(section: &str, expression: &str) -> Result<bool, vm::Failure> {
    let plan = plan(section, expression);
    let mut request = Request {
        messages: vec![
            message("system", "", &[]),
            message("user", "größe 🦀", &[]),
            message("assistant", "", &["read_file", "write_file"]),
            message("tool", "ok", &[]),
        ],
        ..example::request("Größe: 4 µm, 🦀!")
    };
    let header = |name: &str| (name == "x-team").then_some(Cow::Borrowed("payments"));
    request.headers = plan.headers().map(header).collect();
    request.metadata = plan.metadata().map(|_| None).collect();
    let mut facts: Facts<'_> = example::facts(&request);
    facts.now = NOW;
    facts.source_ip = "::ffff:10.1.2.3".parse().unwrap();
    facts.caller.claims = claims(&plan);
    let state = State::new(&plan, [1, 2]);
    let when = match section {
        "content" => plan
            .content(0u16)
            .unwrap()
            .escalations()
            .get(0)
            .unwrap()
            .when(),
        _ => plan.denial(0u16).unwrap().when(),
    };
    vm::holds(&plan, when, &facts, &state, &mut Evaluation::default())
}

/// Every line is true.
fn check(section: &str, expressions: &[&str]) {
    for expression in expressions {
        assert_eq!(holds(section, expression), Ok(true), "{expression}");
        let negated = format!("!({expression})");
        assert_eq!(holds(section, &negated), Ok(false), "{negated}");
    }
}

#[test]
fn text_is_counted_by_code_point() {
    check(
        "content",
        &[
            r#"size(request.prompt) == 15"#,
            r#"request.prompt.indexOf("🦀") == 13"#,
            r#"request.prompt.lastIndexOf("!") == 14"#,
            r#"request.prompt.split(" ").size() == 4"#,
            r#""🦀ä".split("") == ["🦀", "ä"]"#,
            r#"request.prompt < "z" && "z" < "ä" && "ä" < "🦀""#,
            r#"request.prompt.lowerAscii() == "größe: 4 µm, 🦀!""#,
            r#""ÄB".lowerAscii() == "Äb""#,
        ],
    );
}

#[test]
fn patterns_are_not_anchored() {
    check(
        "content",
        &[
            r#"request.prompt.matches("[0-9]")"#,
            r#"!request.prompt.matches("^[0-9]")"#,
            r#"request.prompt.matches("(?i)GRÖßE")"#,
            r#"request.prompt.matches("^.{15}$")"#,
            r#"request.prompt.matches("")"#,
        ],
    );
}

#[test]
fn whole_numbers_compare_exactly() {
    check(
        "policy",
        &[
            // A double has no 2^53 + 1: comparing by doubles would say they are equal, as the standard does beside one.
            r#"caller.claims[?"level"].orValue(0) == 9007199254740993"#,
            r#"caller.claims[?"level"].orValue(0) != 9007199254740992"#,
            r#"caller.claims[?"level"].orValue(0) == 9007199254740992.0"#,
            r#"caller.claims[?"ratio"].orValue(0.0) == 0.5"#,
            r#"caller.claims[?"ratio"].orValue(0.0) != 0"#,
        ],
    );
}

#[test]
fn a_claim_of_another_type_is_equal_to_nothing_and_has_no_elements() {
    check(
        "policy",
        &[
            r#""ops" in caller.claims[?"groups"].orValue([])"#,
            r#"!("dev" in caller.claims[?"groups"].orValue([]))"#,
            r#"!("ops" in caller.claims[?"none"].orValue([]))"#,
            r#"!("ops" in caller.claims[?"missing"].orValue([]))"#,
            // Some issuers send one group as a string.
            r#"!("ops" in caller.claims[?"group"].orValue([]))"#,
            r#"!("ops" in caller.claims[?"level"].orValue([]))"#,
            r#"caller.claims[?"group"].orValue("") == "ops""#,
            r#"caller.claims[?"group"].orValue("") != true"#,
            r#"caller.claims[?"admin"].orValue(false) == true"#,
            r#"caller.claims[?"groups"].orValue([]) != "ops""#,
            r#""admin" in caller.claims && !("missing" in caller.claims)"#,
        ],
    );
}

#[test]
fn times_have_zones() {
    check(
        "policy",
        &[
            r#"now.getHours() == 0 && now.getMinutes() == 30"#,
            r#"now.getHours("Europe/Berlin") == 1"#,
            r#"(now + duration("30m")).getHours("Europe/Berlin") == 3"#,
            r#"now.getHours("-02:30") == 22 && now.getMinutes("-02:30") == 0"#,
            r#"now.getDayOfWeek() == 0 && now.getDayOfWeek("-02:30") == 6"#,
            r#"now.getMonth() == 2 && now.getDate() == 29 && now.getDayOfMonth() == 28"#,
            r#"now.getMilliseconds() == 250"#,
            r#"now >= timestamp("2026-03-29T02:30:00+02:00")"#,
            r#"now - timestamp("2026-03-29T00:00:00Z") == duration("1800.25s")"#,
        ],
    );
}

#[test]
fn optionals_chain() {
    check(
        "content",
        &[
            r#"request.headers[?"x-team"].orValue("") == "payments""#,
            r#"request.headers[?"x-none"].orValue("") == """#,
            r#"request.headers[?"x-none"].or(request.headers[?"x-team"]).orValue("") == "payments""#,
            r#"request.headers[?"x-none"].or(request.metadata[?"team"]).orValue("no") == "no""#,
            r#"request.headers[?"x-team"].hasValue() && !request.headers[?"x-none"].hasValue()"#,
            r#"request.temperature.orValue(1.0) == 1.0"#,
            r#""x-team" in request.headers && !("x-none" in request.headers)"#,
        ],
    );
}

#[test]
fn nothing_is_true_of_all_and_of_none() {
    check(
        "content",
        &[
            r#"request.tools.all(t, t.name == "x")"#,
            r#"!request.tools.exists(t, t.name == "x")"#,
            r#"!request.tools.exists_one(t, true)"#,
            r#"request.tools.map(t, t.name) == []"#,
            r#"request.tools.filter(t, true).size() == 0"#,
        ],
    );
}

#[test]
fn macros_nest() {
    check(
        "content",
        &[
            r#"request.messages.exists(m, m.tool_calls.exists(c, c.name.startsWith("write_")))"#,
            r#"request.messages.all(m, m.tool_calls.all(c, c.arguments.contains("passwd")))"#,
            r#"request.messages.exists_one(m, m.tool_calls.size() == 2)"#,
            r#"request.messages.filter(m, m.tool_calls.exists(c, c.name == "read_file")).size() == 1"#,
            r#"request.messages.map(m, m.role) == ["system", "user", "assistant", "tool"]"#,
            r#"request.messages.exists(m, request.messages.exists(n, m.role == "user" && n.role == "tool"))"#,
            r#"request.messages.map(m, m.tool_calls.map(c, m.role + c.name)).exists(l, "assistantread_file" in l)"#,
        ],
    );
}

#[test]
fn an_address_written_as_one_of_version_6_is_the_same() {
    check(
        "policy",
        &[
            r#"cidr("10.0.0.0/8").containsIP(source.ip)"#,
            r#"!cidr("10.1.2.0/31").containsIP(source.ip)"#,
            r#"source.ip == ip("10.1.2.3")"#,
        ],
    );
}
