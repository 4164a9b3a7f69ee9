//! The checker of CEL: what it accepts, as what, and what it says about the rest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

#[path = "../../lang/tests/cel_support/mod.rs"]
mod cel_support;

use cel_support::{apply, render};
use insta::assert_snapshot;
use proptest::prelude::*;
use waypost_compiler::Folder;
use waypost_lang::cel::typed::{Constant, Field, Function, Section, Type, Typed, TypedKind};
use waypost_lang::cel::{Expected, Extent, MAXIMUM_DEPTH, Scope, check as check_expression, parse};
use waypost_lang::{Diagnostic, FileId};

const CONTENT: Section = Section::Content;
const POLICY: Section = Section::Policy;
const PLACE: Section = Section::Place;

fn constant(name: &str) -> Option<Constant> {
    match name {
        "LONG" => Some(Constant::Int(24_000)),
        "TEAMS" => Some(Constant::List(vec![Constant::String(
            "payments".to_owned(),
        )])),
        "HEADER" => Some(Constant::String("x-team".to_owned())),
        _ => None,
    }
}

fn diagnose(
    section: Section,
    source: &str,
    expected: Expected,
) -> (Option<Typed>, Vec<Diagnostic>) {
    let parsed = parse(FileId(0), source, 0, Extent::Statement);
    let scope = Scope {
        tiers: &["weak", "strong"],
        models: &["phi-4-mini", "gpt-5.1"],
        constants: &constant,
        constant_names: &["LONG", "TEAMS", "HEADER"],
        evaluator: Some(&Folder),
        ..Scope::of(section)
    };
    let mut diagnostics = parsed.diagnostics;
    let typed = check_expression(&parsed.expr, &scope, expected, &mut diagnostics);
    (typed, diagnostics)
}

/// The checked expression, or the diagnostics as text.
fn check_as(section: Section, source: &str, expected: Expected) -> Result<Typed, String> {
    match diagnose(section, source, expected) {
        (Some(typed), diagnostics) if diagnostics.is_empty() => Ok(typed),
        // The parser reported a slip such as `=` and read on.
        (_, diagnostics) => Err(render(source, &diagnostics)),
    }
}

#[track_caller]
fn accepts(section: Section, source: &str) -> Typed {
    check_as(section, source, Expected::Bool)
        .unwrap_or_else(|findings| panic!("{source}\n{findings}"))
}

#[track_caller]
fn folds(source: &str, expected: Constant) {
    let typed = check_as(CONTENT, source, Expected::Any)
        .unwrap_or_else(|findings| panic!("{source}\n{findings}"));
    assert_eq!(typed.kind, TypedKind::Constant(expected), "{source}");
}

#[track_caller]
fn has_type(section: Section, source: &str, expected: &str) {
    let typed = check_as(section, source, Expected::Any)
        .unwrap_or_else(|findings| panic!("{source}\n{findings}"));
    assert_eq!(typed.ty.to_string(), expected, "{source}");
}

/// The diagnostics of each source: exactly one each, and if it has a fix, the fix removes it.
#[track_caller]
fn check(sources: &[(Section, &str)]) -> String {
    let rendered = sources.iter().map(|(section, source)| {
        let (typed, diagnostics) = diagnose(*section, source, Expected::Bool);
        let text = render(source, &diagnostics);
        assert_eq!(
            diagnostics.len(),
            1,
            "one mistake, one diagnostic: {source}\n{text}"
        );
        assert_eq!(typed, None, "{source}");
        if let Some(fix) = &diagnostics[0].fix {
            let fixed = apply(source, fix);
            let (_, after) = diagnose(*section, &fixed, Expected::Bool);
            assert_eq!(render(&fixed, &after), "", "{source}");
        }
        text
    });
    rendered.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_rules_of_the_language_page() {
    accepts(
        CONTENT,
        "request.tools.exists(t, t.name.startsWith(\"write_\"))",
    );
    accepts(CONTENT, "request.tokens > 24000");
    accepts(CONTENT, "difficulty >= threshold");
    accepts(POLICY, "caller.team == \"sandbox\" && tier == \"strong\"");
    accepts(POLICY, "caller.plan == \"free\"");
    accepts(POLICY, "caller.plan == \"pro\"");
    accepts(CONTENT, "request.tokens > 100k");
    let key = check_as(
        CONTENT,
        "request.headers[?\"x-session-id\"].orValue(\"\")",
        Expected::String,
    )
    .unwrap();
    assert_eq!(key.ty, Type::String);
    assert_eq!(
        key.map_keys().into_iter().collect::<Vec<_>>(),
        [(Field::RequestHeaders, "x-session-id")]
    );
    check_as(POLICY, "caller.key", Expected::String).unwrap();
}

#[test]
fn many_forms() {
    for source in [
        "request.tokens + request.max_tokens > LONG",
        "difficulty > 1 || request.tokens > 1.5 || 1u < 2",
        "request.messages.all(m, m.role == 'user' || m.tool_calls.exists_one(c, c.name == 'x'))",
        "request.messages.filter(m, m.role == 'tool').size() > 3",
        "request.tools.map(t, t.name.size() > 3, t.name).join(',').contains('x')",
        "request.messages.map(m, m.content) == ['a', \"b\"]",
        "size(request.prompt) > 10 && matches(request.prompt, '^a')",
        "request.prompt.lowerAscii().trim().replace('a', 'b').split(' ').size() > 2",
        "request.prompt.indexOf('x') >= 0",
        "has(request.temperature) && request.temperature > 0.5",
        "request.temperature.orValue(1.0) > 0.5",
        "request.temperature.or(optional.of(1.0)).value() > 0.5",
        "request.model in ['a', 'b'] + ['c']",
        "(request.stream ? 1 : 2) == request.turns % 3",
        "request.tokens / 2 > 5 && double(request.tokens) / double(request.turns) > 2.0",
        "math.greatest(request.tokens, request.max_tokens, 5) > 4",
        "math.ceil(difficulty * 10.0) == 3.0 && math.abs(request.tokens) > 1",
        "string(request.tokens) == '5'",
        "request.?temperature.hasValue()",
    ] {
        accepts(CONTENT, source);
    }
    for source in [
        "now.getHours('Europe/Berlin') >= 22 && now.getDayOfWeek() != 0",
        "now - timestamp('2026-01-01T00:00:00Z') > duration('24h')",
        "(now + duration('1h')).getFullYear() == 2026",
        "cidr('10.0.0.0/8').containsIP(source.ip) && source.ip != ip('10.0.0.1')",
        "source.ip.family() == 4 && !source.ip.isLoopback()",
        "cost.ceiling > 0.25 && tier in ['weak', 'strong'] && model != 'gpt-5.1'",
        "caller.team in TEAMS",
        "caller.claims[?'role'].orValue('') == 'admin'",
        "'role' in caller.claims && caller.claims['role'] == 'admin'",
        "caller.claims[?'level'].orValue(0) != 3",
        "has(caller.claims.role) && caller.claims.role in ['a', 'b']",
        "caller.claims.?role == optional.of('admin')",
        "'admin' in caller.claims[?'groups'].orValue([])",
        "caller.team in caller.claims[?'teams'].orValue([])",
    ] {
        accepts(POLICY, source);
    }
    for source in [
        "endpoint.labels[?'gpu'].orValue('') == 'h100'",
        "endpoint.queue < 5 && endpoint.kv_cache < 0.8 && endpoint.zone == 'a' && 'x' in endpoint.lora",
    ] {
        accepts(PLACE, source);
    }
}

#[test]
fn a_guard_makes_a_key_safe() {
    for source in [
        r#""x" in request.headers && request.headers["x"] == "1""#,
        r#"has(request.headers.x) && request.headers.x == "1""#,
        r#"!("x" in request.headers) || request.headers["x"] == "1""#,
        r#""x" in request.headers ? request.headers["x"] == "1" : false"#,
        r#"!("x" in request.headers) ? false : request.headers["x"] == "1""#,
        r#""x" in request.headers && (request.stream || request.headers["x"] == "1")"#,
        r#"(request.stream && "x" in request.headers) && request.headers["x"] == "1""#,
        r#"("x" in request.headers && request.stream || "x" in request.headers) && request.headers["x"] == "1""#,
        r#"request.headers[?"x"].hasValue() && request.headers[?"x"].value() == "1""#,
        r#"request.headers[?"x"].hasValue() && request.headers["x"] == "1""#,
        r#"request.headers[?"x"] != optional.none() && request.headers["x"] == "1""#,
        r#""x-team" in request.headers && request.headers[HEADER] == "1""#,
        r#""x" in request.headers && request.tools.exists(t, t.name == request.headers["x"])"#,
        r#"!(!("x" in request.headers) || request.headers["x"] == "1")"#,
    ] {
        accepts(CONTENT, source);
    }
}

#[test]
fn names_of_expressions_are_written_out() {
    let bound = accepts(CONTENT, "cel.bind(t, request.tokens, t > 5 && t < 9)");
    let by_hand = accepts(CONTENT, "request.tokens > 5 && request.tokens < 9");
    let shape = |typed: &Typed| {
        let mut kinds = Vec::new();
        typed.visit(&mut |typed| kinds.push(std::mem::discriminant(&typed.kind)));
        kinds
    };
    assert_eq!(shape(&bound), shape(&by_hand));
    // What costs something is evaluated once.
    let bound = accepts(CONTENT, "cel.bind(t, request.tokens + 1, t > 5 && t < 9)");
    assert!(matches!(bound.kind, TypedKind::Bind { local: 0, .. }));
    folds(
        "cel.bind(x, 2, cel.bind(y, x * 3, x + y))",
        Constant::Int(8),
    );
    has_type(
        CONTENT,
        "request.temperature.optMap(t, t * 2.0)",
        "optional(double)",
    );
    has_type(
        CONTENT,
        "request.temperature.optFlatMap(t, request.headers[?'x'])",
        "optional(string)",
    );
    accepts(
        CONTENT,
        "request.headers[?'x'].optMap(x, x.size() > 3 && request.headers['x'] != 'abcd').orValue(false)",
    );
    accepts(
        CONTENT,
        "request.tools.exists(t, cel.bind(n, t.name, request.messages.exists(m, m.name == n)))",
    );
}

#[test]
fn names_of_expressions_do_not_make_trees_larger() {
    let count = |source: &str| {
        let mut count = 0;
        accepts(CONTENT, source).visit(&mut |_| count += 1);
        count
    };
    let doubled = (0..40).fold("x0 > 1".to_owned(), |body, at| {
        format!("cel.bind(x{at}, x{0} + x{0}, {body})", at + 1)
    });
    assert!(count(&format!("cel.bind(x40, request.tokens, {doubled})")) < 300);
    let sum = " + 1".repeat(100);
    let nested = (0..50).fold("x0 > 1".to_owned(), |body, at| {
        format!("cel.bind(x{at}, x{}{sum}, {body})", at + 1)
    });
    let nested = format!("cel.bind(x50, request.tokens, {nested})");
    assert!(accepts(CONTENT, &nested).depth() < 2 * MAXIMUM_DEPTH);
    let long = format!("cel.block([{}], true)", "1, ".repeat(200));
    assert!(
        check_as(CONTENT, &long, Expected::Bool)
            .unwrap_err()
            .contains("too long")
    );
}

#[test]
fn what_is_no_guard() {
    for source in [
        r#""x" in request.headers || request.headers["x"] == "1""#,
        r#"request.headers["x"] == "1" && "x" in request.headers"#,
        r#""y" in request.headers && request.headers["x"] == "1""#,
        r#""x" in request.metadata && request.headers["x"] == "1""#,
        r#"("x" in request.headers || request.stream) && request.headers["x"] == "1""#,
        r#"("x" in request.headers && request.stream) || request.headers["x"] == "1""#,
        r#""x" in request.headers ? true : request.headers["x"] == "1""#,
        r#"request.tools.exists(t, "x" in request.headers) && request.headers["x"] == "1""#,
        r#"!("x" in request.headers && request.stream) || request.stream ? request.headers["x"] == "1" : true"#,
    ] {
        let findings = check_as(CONTENT, source, Expected::Bool).expect_err(source);
        assert!(findings.contains("WP0203"), "{findings}");
    }
}

#[test]
fn constants_fold() {
    folds("1 + 2 * 3 - 4", Constant::Int(3));
    folds("7 / 2 + 7 % 4 + -7 / 2", Constant::Int(3));
    folds("LONG / 1k", Constant::Int(24));
    folds(
        "1 == 1.0 && 1u == 1 && 1 < 1.5 && 9007199254740993 > 9007199254740992",
        Constant::Bool(true),
    );
    folds(
        "'a' + \"b\" == 'ab' && 'b' in ['a', 'b']",
        Constant::Bool(true),
    );
    folds("size('añ') + size([1, 2]) + 'abc'.size()", Constant::Int(7));
    folds("int('12') + int(3.9) + int(2u)", Constant::Int(17));
    folds("double('1.5') + double(1)", Constant::Double(2.5));
    folds("duration('1h30m')", Constant::Duration(5_400_000_000_000));
    folds(
        "timestamp('1970-01-01T00:00:00Z') + duration('1500ms')",
        Constant::Timestamp(1, 500_000_000),
    );
    folds(
        "timestamp('1970-01-02T00:00:00Z') - timestamp('1970-01-01T00:00:00Z') == duration('24h')",
        Constant::Bool(true),
    );
    folds(
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('::/0').containsIP(ip('10.1.2.3'))",
        Constant::Bool(true),
    );
    folds("ip('::ffff:a00:1') == ip('10.0.0.1')", Constant::Bool(true));
    folds("true || request.stream", Constant::Bool(true));
    folds(
        "math.greatest(1, 3, 2) + math.least([4, 5][0], 9)",
        Constant::Int(7),
    );
    folds("[1, 2][1]", Constant::Int(2));
    folds(
        "TEAMS[0].upperAscii()",
        Constant::String("PAYMENTS".to_owned()),
    );
    folds("false ? request.tokens : 5", Constant::Int(5));
    folds("0.0 / 0.0 == 0.0 / 0.0", Constant::Bool(false));
    folds("[[1]] == [[1.0]]", Constant::Bool(true));
}

#[test]
fn types_as_they_are_written() {
    has_type(
        CONTENT,
        "request.messages.map(m, m.tool_calls)",
        "list(list(tool call))",
    );
    has_type(CONTENT, "request.temperature", "optional(double)");
    has_type(POLICY, "caller.claims[?'a']", "optional(dyn)");
    has_type(CONTENT, "[]", "list(dyn)");
    has_type(CONTENT, "request.stream ? [] : ['a']", "list(string)");
    has_type(CONTENT, "optional.none().orValue(5)", "int");
    has_type(POLICY, "now - now", "duration");
    // A list or optional of anything stays one: nothing may take its elements for strings.
    has_type(CONTENT, "['x'] + [1, 'a']", "list(dyn)");
    has_type(CONTENT, "request.stream ? ['x'] : [1, 'a']", "list(dyn)");
    has_type(
        POLICY,
        "request.stream ? caller.claims[?'a'] : optional.of(1.0)",
        "optional(dyn)",
    );
    has_type(CONTENT, "request.tools.map(t, t.name) + []", "list(string)");
    has_type(
        CONTENT,
        "request.stream ? optional.none() : request.temperature",
        "optional(double)",
    );
}

#[test]
fn what_an_expression_reads() {
    let typed = accepts(
        CONTENT,
        "'x' in request.headers && request.metadata[?'k'].orValue(request.model).matches('a+') && request.tools.exists(t, t.name == request.path)",
    );
    let fields: Vec<_> = typed.fields().into_iter().map(Field::path).collect();
    assert_eq!(
        fields,
        [
            "request.model",
            "request.path",
            "request.tools",
            "request.headers",
            "request.metadata"
        ]
    );
    assert_eq!(
        typed.map_keys().into_iter().collect::<Vec<_>>(),
        [(Field::RequestHeaders, "x"), (Field::RequestMetadata, "k")]
    );
    assert_eq!(typed.patterns()[0].value, "a+");
    let typed = accepts(POLICY, "now.getHours('Europe/Berlin') > 5");
    assert_eq!(typed.zones()[0].value, "Europe/Berlin");
}

#[test]
fn comprehension_variables_are_numbered_by_nesting() {
    let typed = accepts(
        CONTENT,
        "request.messages.exists(m, m.tool_calls.exists(c, c.name == m.name))",
    );
    let mut locals = Vec::new();
    typed.visit(&mut |typed| {
        if let TypedKind::Local(number) = typed.kind {
            locals.push(number);
        }
    });
    assert_eq!(locals, [0, 1, 0]);
}

#[test]
fn a_guarded_key_is_a_value_of_a_lookup() {
    let typed = accepts(
        CONTENT,
        r#""x" in request.headers && request.headers["x"] == "1""#,
    );
    let mut found = false;
    typed.visit(&mut |typed| found |= matches!(typed.kind, TypedKind::Call(Function::Value, _)));
    assert!(found);
}

#[test]
fn wp0202_unknown_identifier() {
    assert_snapshot!(check(&[
        (CONTENT, "request.tokns > 5"),
        (CONTENT, "tokens > 5"),
        (CONTENT, "dificulty > 0.5"),
        (CONTENT, "request.tokens > LOGN"),
        (POLICY, "tier == weak"),
        (POLICY, "model == gpt"),
        (CONTENT, "request.tools.exists(t, t.nam == 'x')"),
        (CONTENT, "request.tools.exists(t, u.name == 'x')"),
        (CONTENT, "request == 1"),
        (CONTENT, "wholly.unknown == 1"),
        (CONTENT, "(Request{model: 'x'}) == 1"),
    ]));
}

#[test]
fn wp0203_missing_key() {
    assert_snapshot!(check(&[
        (CONTENT, "request.headers[\"x-priority\"] == \"high\""),
        (CONTENT, "request.metadata.team == 'a'"),
        (POLICY, "caller.claims['role'] == 'admin'"),
        (PLACE, "endpoint.labels[\"gpu\"] == \"h100\""),
    ]));
}

#[test]
fn wp0204_type_mismatch() {
    assert_snapshot!(check(&[
        (CONTENT, "request.tokens == \"5\""),
        (CONTENT, "request.model == 5"),
        (CONTENT, "request.tokens > \"many\""),
        (CONTENT, "request.temperature > 0.5"),
        (CONTENT, "request.tokens * 1.5 > 3.0"),
        (POLICY, "source.ip == '10.0.0.1'"),
        (POLICY, "now > '2026-01-01'"),
        (CONTENT, "request.tokens && request.stream"),
        (CONTENT, "!request.model"),
        (CONTENT, "request.tokens.contains('x')"),
        (CONTENT, "request.model.contains(5)"),
        (CONTENT, "request.model.contains()"),
        (CONTENT, "request.tokens in ['a']"),
        (CONTENT, "'a' in request.prompt"),
        (CONTENT, "request.headers == request.model"),
        (CONTENT, "request.tools == []"),
        (CONTENT, "request.model == null"),
        (CONTENT, "size(request.headers) > 1"),
        (CONTENT, "request.model.x == 1"),
        (CONTENT, "request.tokens.exists(t, true)"),
        (CONTENT, "request.tools.exists('t', true)"),
        (CONTENT, "request.tools.exists(t, t == 'x')"),
        (CONTENT, "has(request.model)"),
        (CONTENT, "has(request.headers['x'])"),
        (CONTENT, "(request.stream ? 1 : 'a') == 1"),
        (CONTENT, "request.model.orValue('x') == 'y'"),
        (CONTENT, "request.headers[?'x'].orValue(5) == 5"),
        (CONTENT, "request.headers[5] == 'x'"),
        (POLICY, "tier >= 'strong'"),
        (POLICY, "-now == 1"),
    ]));
    let key = check_as(CONTENT, "request.tokens", Expected::String).unwrap_err();
    assert_snapshot!("wp0204_key", key);
}

#[test]
fn wp0205_section_seam() {
    assert_snapshot!(check(&[
        (CONTENT, "caller.team == 'sandbox'"),
        (CONTENT, "tier == 'strong'"),
        (CONTENT, "now.getHours() > 5"),
        (CONTENT, "endpoint.queue > 5"),
        (POLICY, "request.prompt.contains('x')"),
        (POLICY, "difficulty > 0.5"),
        (POLICY, "endpoint.labels[?'gpu'].orValue('') == 'h100'"),
        (PLACE, "request.tokens > 5"),
        (PLACE, "caller.team == 'x'"),
        (Section::Constant, "request.tokens > 5"),
    ]));
}

#[test]
fn wp0206_not_a_bool() {
    assert_snapshot!(check(&[
        (CONTENT, "request.tokens"),
        (CONTENT, "request.model"),
        (CONTENT, "request.temperature"),
        (CONTENT, "request.tools"),
        (CONTENT, "request.tools.exists(t, t.name)"),
        (POLICY, "now"),
    ]));
}

#[test]
fn wp0207_unknown_function() {
    assert_snapshot!(check(&[
        (CONTENT, "request.model.startswith('x')"),
        (CONTENT, "len(request.model) > 5"),
        (CONTENT, "request.model.toLowerCase() == 'x'"),
        (CONTENT, "frobnicate(1)"),
        (CONTENT, "math.cbrt(2.0) > 1.0"),
    ]));
}

#[test]
fn wp0208_partial_operation() {
    assert_snapshot!(check(&[
        (CONTENT, "request.messages[0].role == 'user'"),
        (CONTENT, "request.temperature.value() > 0.5"),
        (CONTENT, "request.tokens / request.turns > 5"),
        (CONTENT, "request.tokens % request.turns > 5"),
        (CONTENT, "int(request.model) > 5"),
        (CONTENT, "int(difficulty) > 5"),
        (CONTENT, "uint(request.tokens) > 5u"),
        (CONTENT, "request.headers[?request.model].hasValue()"),
        (CONTENT, "request.prompt.matches(request.model)"),
        (CONTENT, "request.prompt.substring(1) == 'x'"),
        (POLICY, "caller.claims[?'level'].orValue(0) > 3"),
        (POLICY, "caller.claims[?'admin'].orValue(false)"),
        (POLICY, "now.getHours(caller.team) > 3"),
        (POLICY, "timestamp(caller.team) > now"),
        (POLICY, "ip(request.model) == source.ip"),
    ]));
}

#[test]
fn wp0209_unknown_literal() {
    assert_snapshot!(check(&[
        (POLICY, "tier == 'strogn'"),
        (POLICY, "'premium' != tier"),
        (POLICY, "tier in ['weak', 'stong']"),
        (POLICY, "model == 'gpt-5'"),
        (CONTENT, "request.headers[?'X-Team'].orValue('') == 'a'"),
        (CONTENT, "'X-Team' in request.headers"),
        (CONTENT, "has(request.headers.Host)"),
    ]));
}

#[test]
fn wp0210_constant_fails() {
    assert_snapshot!(check(&[
        (CONTENT, "9223372036854775807 + 1 > 0"),
        (CONTENT, "request.tokens / 0 > 1"),
        (CONTENT, "5 % 0 == 1"),
        (CONTENT, "int('five') > 1"),
        (CONTENT, "[1, 2][2] == 3"),
        (POLICY, "now > timestamp('yesterday')"),
        (POLICY, "now - now > duration('1d')"),
        (POLICY, "source.ip == ip('10.0.0')"),
        (POLICY, "cidr('10.0.0.0/33').containsIP(source.ip)"),
    ]));
}

#[test]
fn the_deepest_expressions_check() {
    let depth = MAXIMUM_DEPTH as usize - 3;
    let forms = [
        ("!", "", depth),
        ("request.tokens > 1 && (", ")", depth - 1),
        ("request.stream ? true : (", ")", depth / 2),
        ("[1].exists(x, ", ")", depth),
    ];
    for (open, close, count) in forms {
        let source = open.repeat(count) + "request.stream" + &close.repeat(count);
        accepts(CONTENT, &source);
    }
    accepts(CONTENT, &vec!["request.stream"; depth].join(" || "));
}

/// What is found in the `when`s of a block of an explanation.
fn findings_of(block: &str) -> String {
    let mut section = CONTENT;
    let mut findings = String::new();
    for line in block.lines() {
        match line.split_whitespace().next() {
            Some("policy") => section = POLICY,
            Some("content") => section = CONTENT,
            _ => {}
        }
        if let Some((_, source)) = line.split_once(" when ")
            && let Err(found) = check_as(section, source, Expected::Bool)
        {
            findings += &found;
        }
    }
    findings
}

#[test]
fn explanations_hold_what_they_say() {
    let codes = waypost_lang::codes::ALL
        .iter()
        .filter(|code| code.number.starts_with("WP02"));
    let mut count = 0;
    for code in codes {
        count += 1;
        let (before, fix) = code.explanation.split_once("## Fix").expect(code.number);
        let (before, example) = before.split_once("## Example").expect(code.number);
        assert!(
            before.contains("## What it does") && before.contains("## Why is this bad?"),
            "{}",
            code.number
        );
        assert!(
            before.starts_with(&format!("# {}\n", code.name)),
            "{}",
            code.number
        );
        let found = findings_of(example);
        assert!(
            found.contains(&format!("error[{}]", code.number)),
            "{}: {found}",
            code.number
        );
        assert!(fix.contains("```route"), "{}", code.number);
        assert_eq!(findings_of(fix), "", "{}", code.number);
    }
    assert_eq!(count, 10);
}

proptest! {
    /// Whatever parses is either given a type or refused with a reason, and never panics.
    #[test]
    fn any_expression_is_typed_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "request", ".", "tokens", "headers", "[", "]", "?", "\"x\"", "'X'", "(", ")", "&&", "||", "!", "==", "in", "+", "/",
            "0", "1", "2.5", "tier", "caller", "claims", "has", ".value()", ".orValue(1)", ".exists(t, ", "t", "size", ":", ",",
            "request.temperature", "request.messages", "request.headers", "caller.claims", "now", "ip", "TEAMS", "optional.none()", "-", "%",
        ]), 0..14),
        section in prop::sample::select(vec![CONTENT, POLICY, PLACE]),
    ) {
        let source = words.join(" ");
        for expected in [Expected::Bool, Expected::String, Expected::Any] {
            match check_as(section, &source, expected) {
                Ok(typed) => {
                    typed.visit(&mut |typed| assert_ne!(&typed.ty, &Type::Error));
                    typed.visit(&mut |typed| if let TypedKind::Field(field) = typed.kind {
                        assert!(!matches!(field.ty(), Type::Map(..)), "{source}");
                        assert!(field.sections().contains(&section), "{source}");
                    });
                }
                Err(findings) => assert_ne!(findings, "", "{}", source),
            }
        }
    }
}
