//! The parser of CEL: what it reads, where it ends, and what it says about mistakes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod cel_support;

use cel_support::render;
use insta::assert_snapshot;
use proptest::prelude::*;
use waypost_lang::FileId;
use waypost_lang::cel::expression::{Expr, ExprKind, Literal};
use waypost_lang::cel::{Extent, MAXIMUM_DEPTH, ParsedExpr, parse};

fn statement(source: &str) -> ParsedExpr {
    parse(FileId(0), source, 0, Extent::Statement)
}

/// The expression in a form that shows how it was grouped.
fn shape(expr: &Expr) -> String {
    let all = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(" ");
    let mark = |optional: bool| if optional { "?" } else { "" };
    match &expr.kind {
        ExprKind::Error => "<error>".to_owned(),
        ExprKind::Literal(literal) => format!("{literal:?}"),
        ExprKind::Identifier(name) => name.clone(),
        ExprKind::Select {
            operand,
            field,
            optional,
        } => {
            format!("{}.{}{}", shape(operand), mark(*optional), field.value)
        }
        ExprKind::Index {
            operand,
            index,
            optional,
        } => {
            format!("{}[{}{}]", shape(operand), mark(*optional), shape(index))
        }
        ExprKind::Call {
            receiver,
            function,
            arguments,
        } => {
            let receiver = receiver
                .as_ref()
                .map_or(String::new(), |receiver| shape(receiver) + ".");
            let arguments = all(&mut arguments.iter().map(shape));
            format!("{receiver}{}({arguments})", function.value)
        }
        ExprKind::Unary { operator, operand } => {
            format!("({:?} {})", operator.value, shape(operand))
        }
        ExprKind::Binary {
            operator,
            left,
            right,
        } => {
            format!("({:?} {} {})", operator.value, shape(left), shape(right))
        }
        ExprKind::Conditional {
            condition,
            then,
            otherwise,
        } => {
            format!(
                "(if {} {} {})",
                shape(condition),
                shape(then),
                shape(otherwise)
            )
        }
        ExprKind::List(elements) => format!(
            "[{}]",
            all(&mut elements
                .iter()
                .map(|(optional, element)| mark(*optional).to_owned() + &shape(element)))
        ),
        ExprKind::Map(entries) => format!(
            "{{{}}}",
            all(&mut entries.iter().map(|(optional, key, value)| {
                format!("{}{}:{}", mark(*optional), shape(key), shape(value))
            }))
        ),
        ExprKind::Message { name, fields } => format!(
            "{}{{{}}}",
            name.value,
            all(&mut fields
                .iter()
                .map(|(name, value)| format!("{}:{}", name.value, shape(value))))
        ),
    }
}

#[track_caller]
fn reads(source: &str, expected: &str) {
    let parsed = statement(source);
    assert_eq!(render(source, &parsed.diagnostics), "", "{source}");
    assert_eq!(shape(&parsed.expr), expected, "{source}");
    assert_eq!(parsed.end as usize, source.len(), "{source}");
}

#[track_caller]
fn ends(source: &str, extent: Extent, expected: &str) {
    let parsed = parse(FileId(0), source, 0, extent);
    assert_eq!(render(source, &parsed.diagnostics), "", "{source}");
    assert_eq!(&source[..parsed.end as usize], expected);
}

fn mistakes(sources: &[&str]) -> String {
    let rendered = sources.iter().map(|source| {
        let parsed = statement(source);
        assert_eq!(
            parsed.diagnostics.len(),
            1,
            "one mistake, one diagnostic: {source}"
        );
        render(source, &parsed.diagnostics)
    });
    rendered.collect::<Vec<_>>().join("\n")
}

#[test]
fn operators_bind_as_in_the_specification() {
    reads("a || b && c", "(Or a (And b c))");
    reads("a + b * c - d", "(Subtract (Add a (Multiply b c)) d)");
    reads("(a + b) * c", "(Multiply (Add a b) c)");
    reads("a < b == c", "(Equal (Less a b) c)");
    reads("!a.b[c].d(e, f)", "(Not a.b[c].d(e f))");
    reads("a ? b : c ? d : e", "(if a b (if c d e))");
    reads(
        "a in [1, ?b, ] && !!c",
        "(And (In a [Int(1) ?b]) (Not (Not c)))",
    );
    reads(
        "--a - -1 - 1",
        "(Subtract (Subtract (Negate (Negate a)) Int(-1)) Int(1))",
    );
    reads("m[?\"k\"].orValue(a.?b)", "m[?String(\"k\")].orValue(a.?b)");
    reads("{1: a, ?2: b}", "{Int(1):a ?Int(2):b}");
    reads("(.a.b.C{d: 1}).`x-y`", ".a.b.C{d:Int(1)}.x-y");
}

#[test]
fn literals() {
    reads(
        "[0x1F, 24k, 2M, 7u, -9223372036854775808]",
        "[Int(31) Int(24000) Int(2000000) Uint(7) Int(-9223372036854775808)]",
    );
    reads(
        "[1.5, .5, 1e3, 2.5E-1, -0.5]",
        "[Double(1.5) Double(0.5) Double(1000.0) Double(0.25) Double(-0.5)]",
    );
    reads(
        r#"['a\n\x41\u00e9\U0001F600\101\?']"#,
        "[String(\"a\\nAé😀A?\")]",
    );
    reads(r#"[r'\n', R"\"]"#, r#"[String("\\n") String("\\")]"#);
    reads("'''a'b\r\nc'''", "String(\"a'b\\nc\")");
    reads(r"b'\xff\101é'", "Bytes([255, 65, 195, 169])");
    reads(r"rb'\x'", "Bytes([92, 120])");
    reads("[true, false, null]", "[Bool(true) Bool(false) Null]");
}

#[test]
fn spans_cover_whole_subexpressions() {
    let source = "(a + b) * c.d(e)[0]";
    let parsed = statement(source);
    let ExprKind::Binary { left, right, .. } = &parsed.expr.kind else {
        panic!("{parsed:?}")
    };
    let text = |expr: &Expr| &source[expr.span.start as usize..expr.span.end as usize];
    assert_eq!(text(&parsed.expr), source);
    assert_eq!(text(left), "a + b");
    assert_eq!(text(right), "c.d(e)[0]");
}

#[test]
fn an_expression_ends_with_its_line() {
    ends("a\n  b", Extent::Statement, "a");
    ends(
        "a\n  && b\n  // why\n  || c\n d",
        Extent::Statement,
        "a\n  && b\n  // why\n  || c",
    );
    ends("a\n  ? b\n  : c\n d", Extent::Statement, "a\n  ? b\n  : c");
    ends("[a,\n b]\n.size()", Extent::Statement, "[a,\n b]\n.size()");
    ends("a\n (b)", Extent::Statement, "a");
    ends("a\n [b]", Extent::Statement, "a");
    ends("a // c", Extent::Statement, "a");
    ends("a }", Extent::Statement, "a");
}

#[test]
fn an_expression_ends_before_what_cannot_continue_it() {
    ends("caller.key on strong", Extent::Shortest, "caller.key");
    ends("caller.key { at 80% warn }", Extent::Shortest, "caller.key");
    ends(
        "request.headers[?\"x\"].orValue(\"\") for 10m",
        Extent::Shortest,
        "request.headers[?\"x\"].orValue(\"\")",
    );
    ends("caller.key  then gpt-5.1", Extent::Shortest, "caller.key");
    ends("caller.key = 1", Extent::Shortest, "caller.key");
    ends("caller.key $5", Extent::Shortest, "caller.key");
    ends("caller.key 'open", Extent::Shortest, "caller.key");
}

#[test]
fn slips_of_the_pen() {
    assert_snapshot!(mistakes(&[
        "request.tokens = 5",
        "a and b",
        "a & b",
        "not a && b",
        "a not in [1]",
    ]));
}

#[test]
fn broken_structure() {
    assert_snapshot!(mistakes(&[
        "a &&",
        "a &&\nb",
        "a && && b",
        "(a && b",
        "f(a\nescalate to strong",
        "[a b] || c",
        "a.",
        "a ? b",
        "f(a,)",
        "for == 1",
        "",
        "a + “b”",
    ]));
}

#[test]
fn broken_literals() {
    assert_snapshot!(mistakes(&[
        r"'a\d' == b",
        "'a",
        "10m > a",
        "24_000",
        "1.5k",
        "9223372036854775808",
        "99999999999999999999",
        "1x",
        r"'\ud800'",
    ]));
}

#[test]
fn deep_nesting_is_refused() {
    let depth = MAXIMUM_DEPTH as usize;
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("f(", ")"),
        ("!", ""),
        ("-", ""),
        ("a ? b : ", ""),
    ] {
        let nested = |count: usize| open.repeat(count) + "a" + &close.repeat(count);
        let fits = statement(&nested(depth / 2));
        assert_eq!(fits.diagnostics, [], "{open}");
        let parsed = statement(&nested(100_000));
        assert_eq!(parsed.diagnostics.len(), 1, "{open}");
        assert!(
            parsed.diagnostics[0].message.contains("too deeply"),
            "{open}"
        );
    }
    for chain in [".b", "[0]", " + a", " || a", ".f()"] {
        let parsed = statement(&format!("a{}", chain.repeat(100_000)));
        assert_eq!(parsed.diagnostics.len(), 1, "{chain}");
    }
}

/// Calls `visit` on `expr` and everything in it.
fn walk(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Error | ExprKind::Literal(_) | ExprKind::Identifier(_) => {}
        ExprKind::Select { operand, .. } | ExprKind::Unary { operand, .. } => walk(operand, visit),
        ExprKind::Index { operand, index, .. } => {
            walk(operand, visit);
            walk(index, visit);
        }
        ExprKind::Call {
            receiver,
            arguments,
            ..
        } => {
            receiver.iter().for_each(|receiver| walk(receiver, visit));
            arguments.iter().for_each(|argument| walk(argument, visit));
        }
        ExprKind::Binary { left, right, .. } => {
            walk(left, visit);
            walk(right, visit);
        }
        ExprKind::Conditional {
            condition,
            then,
            otherwise,
        } => {
            walk(condition, visit);
            walk(then, visit);
            walk(otherwise, visit);
        }
        ExprKind::List(elements) => elements
            .iter()
            .for_each(|(_, element)| walk(element, visit)),
        ExprKind::Map(entries) => {
            for (_, key, value) in entries {
                walk(key, visit);
                walk(value, visit);
            }
        }
        ExprKind::Message { fields, .. } => fields.iter().for_each(|(_, value)| walk(value, visit)),
    }
}

/// The text of each node, alone, parses to that node.
fn check_round_trip(source: &str) {
    let parsed = statement(source);
    if !parsed.diagnostics.is_empty() {
        return;
    }
    let printed = format!("({:#})", parsed.expr);
    let read = statement(&printed);
    assert_eq!(read.diagnostics, [], "{printed}");
    assert_eq!(shape(&read.expr), shape(&parsed.expr), "{printed}");
    walk(&parsed.expr, &mut |node| {
        let text = &source[node.span.start as usize..node.span.end as usize];
        let alone = statement(&format!("({text})"));
        assert_eq!(alone.diagnostics, [], "{text}");
        assert_eq!(shape(&alone.expr), shape(node), "{text}");
        assert_eq!(alone.expr.span.start, 1, "{text}");
        assert_eq!(alone.expr.span.end as usize, text.len() + 1, "{text}");
    });
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("request.tokens".to_owned()),
        Just("-1".to_owned()),
        Just("24k".to_owned()),
        Just("'it''s'".to_owned()),
        Just("\"é\"".to_owned()),
        Just("m[?'k']".to_owned()),
        Just(".a".to_owned()),
        Just("1.5".to_owned()),
        Just("7u".to_owned()),
        Just("b'\\xff\"'".to_owned()),
        Just("m.`content-type`".to_owned()),
        Just("m.?k.`in`".to_owned()),
        Just("[1, 2, 3, 4, 5, 6, 7]".to_owned()),
        Just("'\\u0007\\n\\\\'".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let operator = prop::sample::select(vec!["&&", "||", "+", "-", "*", "==", "<", "in", "%"]);
        prop_oneof![
            (two.clone(), operator).prop_map(|((a, b), op)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("( {a} )")),
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.clone().prop_map(|a| format!("- {a}")),
            inner.clone().prop_map(|a| format!("({a}).f({a})")),
            inner.clone().prop_map(|a| format!("({a}).f.?g[?{a}]")),
            inner.clone().prop_map(|a| format!("-({a})")),
            two.clone().prop_map(|(a, b)| format!("({a} - ({b}))")),
            two.clone()
                .prop_map(|(a, b)| format!("{{?{a}: {b}, {b}: {a}}}")),
            two.clone().prop_map(|(a, b)| format!("[{a}, ?{b}]")),
            two.clone().prop_map(|(a, b)| format!("{{{a}: {b}}}")),
            (two, inner).prop_map(|((a, b), c)| format!("({a}) ? ({b}) :\t{c}")),
        ]
    })
}

proptest! {
    #[test]
    fn spans_round_trip(source in expressions()) {
        check_round_trip(&source);
    }

    #[test]
    fn any_text_parses(source in "\\PC*", start in 0_u32..8) {
        for extent in [Extent::Statement, Extent::Shortest] {
            let parsed = parse(FileId(0), &source, start, extent);
            prop_assert!(parsed.end as usize <= source.len().max(start as usize));
        }
    }

    #[test]
    fn mutated_expressions_parse(source in expressions(), at in 0_usize..200, insert in "[-(){}\\[\\]?:.,'\"`\\\\ \\n&|=0-9a-z]{0,3}", drop in 0_usize..4) {
        let mut chars: Vec<char> = source.chars().collect();
        let at = at.min(chars.len());
        let end = (at + drop).min(chars.len());
        chars.splice(at..end, insert.chars());
        let mutated: String = chars.into_iter().collect();
        let parsed = statement(&mutated);
        prop_assert!(parsed.end as usize <= mutated.len());
        for diagnostic in &parsed.diagnostics {
            prop_assert!(diagnostic.primary.span.end as usize <= mutated.len());
            prop_assert!(mutated.get(diagnostic.primary.span.start as usize..diagnostic.primary.span.end as usize).is_some());
        }
        check_round_trip(&mutated);
    }
}

/// Tests of the standard that Waypost reads in its own way, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn the_conformance_suite_parses() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cel-conformance/json");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: there is no {}", folder.display());
        return;
    };
    let mut failures = String::new();
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let file = document["name"].as_str().unwrap();
        for test in document["tests"].as_array().unwrap() {
            let name = format!(
                "{file}/{}/{}",
                test["section"].as_str().unwrap(),
                test["name"].as_str().unwrap()
            );
            if EXCEPTIONS.iter().any(|(exception, _)| *exception == name) {
                continue;
            }
            count += 1;
            let source = test["expr"].as_str().unwrap();
            // The suite knows nothing of lines: inside parentheses they do not count here either.
            let parsed = statement(&format!("({source}\n)"));
            if !parsed.diagnostics.is_empty() {
                failures += &format!(
                    "{name}: {source}\n{}",
                    render(&format!("({source}\n)"), &parsed.diagnostics)
                );
            }
            if let ExprKind::Literal(Literal::String(read)) = &parsed.expr.kind
                && let Some(expected) = test["value"]["string"].as_str()
            {
                assert_eq!(read, expected, "{name}: {source}");
            }
        }
    }
    assert_eq!(failures, "");
    assert!(count > 2000, "{count}");
}
