//! Flow-sensitive narrowing: what a condition proves about what stands after it, what it does not, and the edits that
//! make a refused expression total.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod cel_support;

use cel_support::{apply, render};
use insta::assert_snapshot;
use waypost_lang::cel::typed::{Section, Typed};
use waypost_lang::cel::{Expected, Extent, Scope, check as check_expression, parse};
use waypost_lang::{Diagnostic, FileId};

const CONTENT: Section = Section::Content;
const POLICY: Section = Section::Policy;

fn diagnose(section: Section, source: &str) -> (Option<Typed>, Vec<Diagnostic>) {
    let parsed = parse(FileId(0), source, 0, Extent::Statement);
    let mut diagnostics = parsed.diagnostics;
    let scope = Scope::of(section);
    let typed = check_expression(&parsed.expr, &scope, Expected::Bool, &mut diagnostics);
    (typed, diagnostics)
}

#[track_caller]
fn accepts(section: Section, source: &str) {
    let (_, diagnostics) = diagnose(section, source);
    assert_eq!(render(source, &diagnostics), "", "{source}");
}

#[track_caller]
fn refuses(section: Section, source: &str) {
    let (typed, diagnostics) = diagnose(section, source);
    let found = render(source, &diagnostics);
    assert_eq!((typed, diagnostics.len()), (None, 1), "{source}\n{found}");
    assert!(
        found.contains("WP0208") || found.contains("WP0203"),
        "{source}\n{found}"
    );
}

/// Each refused with one finding, whose edit makes it compile.
#[track_caller]
fn mended(sources: &[(Section, &str)]) -> String {
    let rendered = sources.iter().map(|(section, source)| {
        let (_, diagnostics) = diagnose(*section, source);
        let text = render(source, &diagnostics);
        assert_eq!(diagnostics.len(), 1, "{source}\n{text}");
        let fix = diagnostics[0]
            .fix
            .as_ref()
            .unwrap_or_else(|| panic!("no fix: {text}"));
        accepts(*section, &apply(source, fix));
        text
    });
    rendered.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_divisor_that_is_tested() {
    for source in [
        "request.turns != 0 && request.tokens / request.turns > 2",
        "0 != request.turns && request.tokens % request.turns > 2",
        "request.turns == 0 || request.tokens / request.turns > 2",
        "!(request.turns == 0) && request.tokens / request.turns > 2",
        "!(request.turns == 0 || request.tokens / request.turns > 2)",
        "request.turns > 0 ? request.tokens / request.turns > 2 : false",
        "request.turns <= 0 ? false : request.tokens / request.turns > 2",
        "0 < request.turns && request.tokens / request.turns > 2",
        "request.turns >= 1 && request.stream && request.tokens / request.turns > 2",
        "request.turns < 0 && request.tokens / request.turns > 2",
        "request.turns == 3 && request.tokens / request.turns > 2",
        "(request.turns == 3 || request.turns > 7) && request.tokens / request.turns > 2",
        "request.tokens / math.greatest(request.turns, 1) > 2",
        "size(request.tools) != 0 && request.tokens / size(request.tools) > 2",
        "request.tools != [] && request.tokens / request.tools.size() > 2 || request.model != '' && 9 / size(request.model) > 2",
        "[1, 2].exists(d, d != 0 && request.tokens / d > 2)",
        "[1, 2].map(d, d > 0, request.tokens / d) == [1]",
        "cel.bind(n, request.turns + 1, n != 0 && request.tokens / n > 5)",
        "cel.bind(ok, request.turns > 0, ok && request.tokens / request.turns > 5)",
        "request.turns + 1 > 0 && cel.bind(n, request.turns + 1, request.tokens / n > 5)",
    ] {
        // Records have no equality of their own.
        accepts(
            CONTENT,
            &source.replace("request.tools != []", "size(request.tools) > 0"),
        );
    }
    for source in [
        "request.turns != 0 || request.tokens / request.turns > 2",
        "request.turns > -1 && request.tokens / request.turns > 2",
        "request.turns < 1 && request.tokens / request.turns > 2",
        "request.turns != 1 && request.tokens / request.turns > 2",
        "request.tokens != 0 && request.tokens / request.turns > 2",
        "(request.turns != 0 || request.stream) && request.tokens / request.turns > 2",
        "request.tokens / request.turns > 2 && request.turns != 0",
        "request.turns > 0 ? true : request.tokens / request.turns > 2",
        "[1, 2].exists(d, d != 0) && [0, 1].exists(d, request.tokens / d > 2)",
        "cel.bind(n, request.turns + 1, n != 0) && cel.bind(n, request.images + 1, 5 / n > 2)",
        "cel.bind(n, request.turns + 1, n != 0) && [0].exists(n, 5 / n > 2)",
        "request.tokens / math.greatest(request.turns, 0) > 2",
    ] {
        refuses(CONTENT, source);
    }
}

#[test]
fn a_part_of_a_list_or_text_that_is_long_enough() {
    for source in [
        "size(request.messages) > 0 && request.messages[0].role == 'user'",
        "request.messages.size() >= 2 && request.messages[1].content != ''",
        "size(request.messages) == 3 && request.messages[2].role == request.messages[0].role",
        "!(size(request.messages) < 1) && request.messages[0].role == 'user'",
        "size(request.messages) != 0 && request.messages[0].role == 'user'",
        "request.messages[?0].hasValue() && request.messages[0].role == 'user'",
        "request.messages[?0].?role.orValue('') == 'user'",
        "request.messages[?0].role.orValue('') == 'user'",
        "request.messages.exists(m, size(m.tool_calls) > 0 && m.tool_calls[0].name == 'x')",
        "request.tools.exists(t, size(t.name) >= 3 && t.name.substring(0, 3) == 'abc')",
        "size(request.model) > 4 && request.model.charAt(4) == 'x'",
        "request.model.split('-')[?1].orValue('') == 'mini'",
        "cel.bind(parts, request.model.split('-'), size(parts) > 1 && parts[1] == 'mini')",
        "cel.bind(parts, request.model.split('-'), size(parts) > 1 && parts.slice(0, 2).join() == 'ab')",
        "request.messages.last().hasValue() && request.messages.last().value().role == 'user'",
        "request.messages.first().optMap(m, m.role == 'user').orValue(false)",
    ] {
        accepts(CONTENT, source);
    }
    for source in [
        "size(request.messages) > 0 && request.messages[1].role == 'user'",
        "size(request.tools) > 0 && request.messages[0].role == 'user'",
        "size(request.messages) < 5 && request.messages[0].role == 'user'",
        "size(request.messages) >= 0 && request.messages[0].role == 'user'",
        "size(request.messages) > 0 && request.messages[-1].role == 'user'",
        "size(request.messages) > 5 && request.messages[request.turns].role == 'user'",
        "size(request.model) > 2 && request.model.substring(2, 1) == ''",
        "size(request.model) > 2 && request.model.substring(0, 4) == ''",
    ] {
        refuses(CONTENT, source);
    }
}

#[test]
fn parts_of_claims() {
    for source in [
        "caller.claims[?'org'].?team.orValue('') == 'search'",
        "caller.claims[?'org'].team.orValue('') == 'search'",
        "caller.claims.?org.?team.?lead[?0].orValue('') == 'ada'",
        "has(caller.claims.?org.team) && caller.claims.org.team == 'search'",
        "caller.claims.?org.?team.hasValue() && caller.claims.org.team == 'search'",
        "'org' in caller.claims && caller.claims.org.?team.orValue('') == 'search'",
        "'org' in caller.claims && has(caller.claims.org.team) && caller.claims.org.team == 'search'",
        "'admin' in caller.claims[?'org'].?roles.orValue([])",
        "caller.claims.?org.optMap(o, 'x' in o).orValue(false)",
        "cel.bind(level, caller.claims[?'level'].orValue(0), type(level) == int && level > 3)",
        "type(caller.claims[?'level'].orValue(0)) == int && caller.claims[?'level'].orValue(0) > 3",
        "cel.bind(team, caller.claims.?org.?team.orValue(''), type(team) == string && team.startsWith('se'))",
        "type(caller.claims[?'admin'].orValue(false)) == bool && caller.claims[?'admin'].orValue(false)",
    ] {
        accepts(POLICY, source);
    }
    for source in [
        "caller.claims.org.team == 'search'",
        "'org' in caller.claims && caller.claims.org.team == 'search'",
        "has(caller.claims.?org.team) && caller.claims.org.lead == 'ada'",
        "has(caller.claims.?org.team) && caller.claims.unit.team == 'search'",
        "cel.bind(level, caller.claims[?'level'].orValue(0), type(level) != int && level > 3)",
        "cel.bind(level, caller.claims[?'level'].orValue(0), type(level) == int || level > 3)",
    ] {
        refuses(POLICY, source);
    }
}

#[test]
fn maps_that_are_written_out() {
    for source in [
        "{'phi': 1, 'gpt': 2}[?request.model].orValue(0) > 1",
        "request.model in {'phi': 1} && {'phi': 1}[request.model] > 0",
        "cel.bind(cost, {'phi': 1, 'gpt': 2}, request.model in cost && cost[request.model] > 1)",
        "cel.bind(cost, {'phi': request.tokens}, has(cost.phi) && cost.phi > 1)",
        "{'a': request.tokens, ?'b': request.headers[?'b'].optMap(b, b.size())}.exists(k, v, k == 'a' && v > 5)",
        "{'a': request.tokens}.transformMap(k, v, v + 1).all(k, k == 'a')",
        "request.tools.transformList(i, t, i > 0, t.name) == ['x']",
        "request.tools.exists(i, t, i == 0 && t.name == 'x') && request.tools.existsOne(i, t, i < 2)",
        "[?request.headers[?'a'], 'b'].size() > 1",
        "'%s uses %d tokens'.format([request.model, request.tokens]) == 'x'",
        "[request.tokens, 3].sort() == [3, 4] && [request.model].distinct().reverse() == ['x']",
        "request.tools.sortBy(t, t.name).map(t, t.name) == ['a', 'b']",
        "math.bitAnd(request.tokens, 1) == 1 && math.sqrt(difficulty) > 0.5 && !math.isNaN(difficulty)",
        "lists.range(3).exists(i, i == request.turns) && [[1], [request.turns]].flatten() == [1, 2]",
        "base64.encode(bytes(request.model)) == 'eA==' && strings.quote(request.model) == '\"x\"'",
        "dyn(request.tokens) == 5 && type(request.tokens) == int && type(request.model) != list",
        "isIP(request.headers[?'x-real-ip'].orValue('')) && ip(request.headers[?'x-real-ip'].orValue('')).isGlobalUnicast()",
        "optional.unwrap([request.headers[?'a'], request.headers[?'b']]).size() == 2",
        "cel.block([request.tokens + 1, cel.index(0) * 2], cel.index(1) > cel.index(0))",
    ] {
        accepts(CONTENT, source);
    }
    for source in [
        "{'phi': 1}[request.model] > 0",
        "{request.model: 1, request.path: 2}.size() > 1",
        "request.model in {'gpt': 1} && {'phi': 1}[request.model] > 0",
        "'%d'.format([request.model]) == 'x'",
        "'%d'.format([]) == 'x'",
        "request.model.format([1]) == 'x'",
        "request.tools.transformMapEntry(i, t, {t.name: i}).size() > 0",
        "base64.decode(request.model) == b'x'",
        "math.bitShiftLeft(1, request.tokens) > 5",
        "lists.range(request.tokens).size() > 5",
        "math.greatest(request.tools.map(t, t.name.size())) > 5",
    ] {
        refuses(CONTENT, source);
    }
}

#[test]
fn edits_that_make_an_expression_total() {
    assert_snapshot!(mended(&[
        (CONTENT, "request.tokens / request.turns > 2"),
        (
            CONTENT,
            "request.stream || request.tokens % (request.turns + 1) > 2"
        ),
        (CONTENT, "!(request.tokens / request.turns > 2)"),
        (CONTENT, "request.tools.exists(t, 10 / size(t.name) > 2)"),
        (CONTENT, "(request.tokens / request.turns > 2 ? 1 : 2) == 1"),
        (
            CONTENT,
            "request.tokens / request.turns > 2 ? request.stream : false"
        ),
        (CONTENT, "request.messages[0].role == 'user'"),
        (CONTENT, "request.model.substring(0, 3) == 'phi'"),
        (CONTENT, "request.model.split('-')[1] == 'mini'"),
        (
            CONTENT,
            "math.greatest(request.tools.map(t, size(t.name))) > 5"
        ),
        (CONTENT, "ip(request.model).isLoopback()"),
        (CONTENT, "request.headers['x'].startsWith('a')"),
        (CONTENT, "{'phi': 1}[request.model] > 0"),
        (CONTENT, "request.headers[?'x'].value() == 'a'"),
        (POLICY, "caller.claims.org.team == 'search'"),
        (POLICY, "caller.claims['org']['team'][0] == 'search'"),
        (
            POLICY,
            "has(caller.claims.org) && caller.claims.org.team == 'search'"
        ),
    ]));
}

/// What may be no number, no time or of another type, and the edit for it.
#[test]
fn edits_for_texts_patterns_and_claims() {
    assert_snapshot!(mended(&[
        (CONTENT, "int(request.model) > 3"),
        (CONTENT, "request.stream || uint(request.model) > 3u"),
        (CONTENT, "double(request.headers[?'x'].orValue('')) > 0.5"),
        (CONTENT, "bool(request.headers[?'x-debug'].orValue(''))"),
        (
            CONTENT,
            "timestamp(request.metadata[?'at'].orValue('')).getHours() > 3"
        ),
        (CONTENT, "duration(request.model).getHours() > 1"),
        (CONTENT, "request.tools.exists(t, int(t.name) > 3)"),
        (CONTENT, "request.model.matches(request.path)"),
        (
            CONTENT,
            "request.path == '/v1' && !matches(request.model, request.path)"
        ),
        (POLICY, "caller.claims['n'] > 3"),
        (POLICY, "caller.team == 'a' || 0.5 <= caller.claims.n"),
        (POLICY, "caller.claims[?'n'].orValue(0) > 3"),
        (POLICY, "'n' in caller.claims && caller.claims.n < 'b'"),
        (POLICY, "caller.claims[?'n'].orValue(0) + 1 > 3"),
        (POLICY, "int(caller.claims[?'n'].orValue(0)) > 3"),
    ]));
}

/// Outside a condition nothing can be tested first: a value stands for what has none.
#[test]
fn edits_outside_a_condition() {
    let check = |source: &str| {
        let parsed = parse(FileId(0), source, 0, Extent::Shortest);
        let mut diagnostics = parsed.diagnostics;
        let scope = Scope::of(CONTENT);
        check_expression(&parsed.expr, &scope, Expected::String, &mut diagnostics);
        diagnostics
    };
    let mended = [
        "string(request.tokens / request.turns)",
        "string(request.tokens % (request.turns + 1) + 1)",
        "string(int(request.model))",
        "string(request.model.matches(request.path))",
    ];
    let rendered = mended.map(|source| {
        let diagnostics = check(source);
        let text = render(source, &diagnostics);
        assert_eq!(diagnostics.len(), 1, "{text}");
        let fix = diagnostics[0]
            .fix
            .as_ref()
            .unwrap_or_else(|| panic!("{text}"));
        let fixed = apply(source, fix);
        assert_eq!(render(&fixed, &check(&fixed)), "", "{fixed}");
        text
    });
    assert_snapshot!(rendered.join("\n"));
}

#[test]
fn a_text_that_is_tested() {
    for source in [
        "isInt(request.model) && int(request.model) > 3",
        "!isInt(request.model) || int(request.model) > 3",
        "isUint(request.model) ? uint(request.model) > 3u : false",
        "isDouble(request.model) && double(request.model) > 0.5",
        "isBool(request.model) && bool(request.model)",
        "isTimestamp(request.model) && timestamp(request.model).getHours() > 3",
        "isDuration(request.model) && duration(request.model).getHours() > 1",
    ] {
        accepts(CONTENT, source);
    }
    for source in [
        "isInt(request.model) || int(request.model) > 3",
        "!isInt(request.model) && int(request.model) > 3",
        "isInt(request.path) && int(request.model) > 3",
        "isUint(request.model) && int(request.model) > 3",
        "isDouble(request.model) && int(request.model) > 3",
        "isDuration(request.model) && timestamp(request.model).getHours() > 3",
    ] {
        refuses(CONTENT, source);
    }
}
