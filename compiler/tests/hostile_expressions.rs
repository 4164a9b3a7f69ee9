//! Code of every instruction and function that someone changed and sealed again: refused, or run without a panic and in
//! bounded time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use waypost_compiler::lower_expression;
use waypost_lang::SourceMap;
use waypost_lang::cel::typed::{FieldType, Section, Type, Typed};
use waypost_lang::cel::{Expected, Extent, Mode, Scope, Variable, check, parse};
use waypost_policies::Evaluation;
use waypost_policies::plan::{Code, Draft, Plan, encode};
use waypost_policies::vm::{self, Datum, Function, Instruction};

/// Expressions that have every form between them; `x` is an int, `s` a string, `l` a list, `m` a map, `d` anything.
const EXPRESSIONS: &[&str] = &[
    "{'a': x, 'b': [1, {'c': s}]}.b[1].c + m[?'k'].orValue('none')",
    "{?'a': m[?'k'], 'b': s}.exists(k, v, k == v) || [?l[?0], x].exists_one(i, e, i == e)",
    "l.transformList(i, v, i % 2 == 0, v + i).map(v, v * 2).filter(v, v > 3).size()",
    "m.transformMap(k, v, k + v) == m && l.transformMap(i, v, v > i, v).size() > 0",
    "l.transformMapEntry(i, v, {string(i): v}) != {} && !m.all(k, k in m)",
    "cel.bind(y, x + 1, cel.bind(z, y * y, z > y ? z : y)) + cel.bind(y, x, y)",
    "optional.of(s).optMap(t, t + t).orValue('') + optional.ofNonZeroValue('').or(optional.of(s)).value()",
    "optional.of(m).k.hasValue() && optional.unwrap([optional.of(1), optional.none()]) == [1]",
    "type(d) == string || type(x) == int || type(null) == null_type || d == null || dyn([1, 1u, 1.0])[x] == d",
    "'%s %d %.2f %e %x %o %b %X'.format([d, x, 1.5, 2, s, x, true, b'ab']) + strings.quote(s)",
    "s.charAt(x) + s.substring(x) + s.substring(0, x) + s.replace('a', 'b', x) + s.reverse()",
    "s.split(',', x).join('-').indexOf('a', x) + s.lastIndexOf('a', x) + s.indexOf('b') + s.lastIndexOf('c')",
    "s.lowerAscii().upperAscii().trim().matches(s) || s.matches('a+b') || s in ['a', 'b'] || x in l",
    "l.slice(0, x).sort().reverse().distinct() + lists.range(x) + [[1], [2, [3]]].flatten() + [[[1]]].flatten(2)",
    "l.sortBy(e, -e).first().orValue(0) + l.last().orValue(0) + math.greatest(l) + math.least(1, x, 3) + math.greatest(x, 2)",
    "math.bitAnd(x, 7) + math.bitOr(x, 1) + math.bitXor(x, 2) + math.bitNot(x) + math.bitShiftLeft(x, x) + math.bitShiftRight(x, x)",
    "math.sign(x) + int(math.trunc(1.5) + math.ceil(1.2) + math.floor(1.2) + math.round(2.5) + math.sqrt(4.0) + math.abs(-1.0))",
    "math.isNaN(0.0 / 0.0) && math.isInf(1.0 / 0.0) && !math.isFinite(1.0 / 0.0) && -x < 3 && !(x >= 2)",
    "base64.encode(bytes(s)) + string(base64.decode(base64.encode(b'a' + b'b'))) + string(bytes(s))",
    "isInt(s) || isUint(s) || isDouble(s) || isBool(s) || isTimestamp(s) || isDuration(s)",
    "ip(s).isLoopback() || isIP(s) || isCIDR(s) || ip.isCanonical('::1') || ip('::1').family() == 6",
    "cidr('10.0.0.0/8').containsIP(s) || cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') || cidr('10.1.2.3/8').masked().prefixLength() == 8",
    "cidr(s).ip().isUnspecified() || ip(s).isGlobalUnicast() || ip(s).isLinkLocalUnicast() || ip(s).isLinkLocalMulticast()",
    "timestamp('2024-02-29T01:02:03.5Z').getHours('Europe/Berlin') + timestamp(x).getDayOfYear(s) + timestamp(x).getFullYear()",
    "string(timestamp(x) + duration('1h')) + string(duration(s)) + string(timestamp(s) - duration(x))",
    "duration('90m').getMinutes() + timestamp(x).getMilliseconds() + timestamp(x).getDayOfWeek() + timestamp(x).getMonth()",
    "int(s) + int(1.5) + int(uint(x)) + int(bool(s) ? '1' : '2') + int(double(s)) + x / x % x - x",
    "has({'a': {'b': 1}}.a.b) && has(m.k) && m.?k.hasValue() && (d.name == 'n' || d[0] == 1 || size(d) > 0)",
    "s.contains('a') && s.startsWith('b') || s.endsWith('c') && x <= 3 && x != 4 || s.split(',').size() < math.least(l)",
    "s.replace('a', 'bb') + s.trim() + string(s.size() >= 3)",
    // Constants that no engine takes fail as they would from a variable.
    r"d.matches('[') || s.matches('(?i)b\\yb') || timestamp(x).getHours('Nowhere/At') > timestamp(0).getMinutes('')",
    "{1: 'a', 2u: 'b', true: 'c', 's': [1, 2]}[x] == 'a' && [{1: 2}, {3: 4}] != [{1: 2u}] && x in {1: 2}",
];

const VARIABLES: &[(&str, FieldType)] = &[
    ("x", || Type::Int),
    ("s", || Type::String),
    ("l", || Type::List(Box::new(Type::Int))),
    ("m", || {
        Type::Map(Box::new(Type::String), Box::new(Type::String))
    }),
    ("d", || Type::Dyn),
];

fn typed(text: &str) -> Typed {
    let mut sources = SourceMap::default();
    let file = sources.add("hostile", text);
    let parsed = parse(file, text, 0, Extent::Statement);
    assert_eq!(parsed.diagnostics, [], "{text}");
    let variables: Vec<Variable<'_>> = VARIABLES
        .iter()
        .map(|(name, ty)| Variable { name, ty: ty() })
        .collect();
    let scope = Scope {
        variables: &variables,
        mode: Mode::Fallible,
        ..Scope::of(Section::Constant)
    };
    let mut diagnostics = Vec::new();
    let typed = check(&parsed.expr, &scope, Expected::Any, &mut diagnostics);
    typed.unwrap_or_else(|| panic!("{text}: {diagnostics:#?}"))
}

static DRAFTS: LazyLock<Vec<Draft>> = LazyLock::new(|| {
    let drafts = EXPRESSIONS
        .iter()
        .map(|text| lower_expression(&typed(text)));
    drafts.collect()
});

fn values() -> [Vec<Datum>; 3] {
    let text = |text: &str| Datum::String(text.to_owned());
    let map = |value: &str| Datum::Map(vec![(text("k"), text(value)), (text("name"), text("n"))]);
    let list =
        |numbers: &[i64]| Datum::List(numbers.iter().map(|number| Datum::Int(*number)).collect());
    [
        vec![
            Datum::Int(1),
            text("a,b"),
            list(&[3, 1, 2]),
            map("a"),
            map("n"),
        ],
        vec![
            Datum::Int(-7),
            text("10.0.0.1"),
            list(&[]),
            map(""),
            Datum::Null,
        ],
        vec![
            Datum::Int(i64::MAX),
            text("größer 🦀"),
            list(&[i64::MIN, 5]),
            map("x"),
            list(&[1]),
        ],
    ]
}

/// Whether it loads; then it runs on every set of values, twice with the same result.
fn runs_if_it_loads(draft: &Draft) -> bool {
    let started = Instant::now();
    let Ok(plan) = Plan::load(encode(draft)) else {
        return false;
    };
    let mut evaluation = Evaluation::default();
    for values in values() {
        let first = vm::evaluate(&plan, 0, &values, &mut evaluation);
        let second = vm::evaluate(&plan, 0, &values, &mut evaluation);
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
    }
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "it took too long"
    );
    true
}

fn instructions(code: &[u8]) -> Vec<Instruction<'_>> {
    let (mut rest, mut found) = (code, Vec::new());
    while let Some((instruction, after)) = Instruction::decode(rest) {
        found.push(instruction);
        rest = after;
    }
    found
}

#[test]
fn unchanged_they_run_and_have_every_function_between_them() {
    for (draft, text) in DRAFTS.iter().zip(EXPRESSIONS) {
        assert!(runs_if_it_loads(draft), "{text}");
    }
    let called: Vec<Function> = DRAFTS
        .iter()
        .flat_map(|draft| instructions(&draft.expressions[0].code.0))
        .filter_map(|instruction| match instruction {
            Instruction::Call(function) | Instruction::Zoned(function, _) => Some(function),
            Instruction::ZonedBy(function) => Some(function),
            _ => None,
        })
        .collect();
    // What gives claims and parts of times that are like others here.
    let others = [
        Function::Part,
        Function::Date,
        Function::DayOfMonth,
        Function::Seconds,
    ];
    let missing: Vec<&Function> = Function::ALL
        .iter()
        .filter(|function| !called.contains(function) && !others.contains(function))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

proptest! {
    #[test]
    fn code_with_other_bytes(
        which in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), prop_oneof![0..150_u8, any::<u8>()]), 1..4),
    ) {
        let mut draft = DRAFTS[which.index(DRAFTS.len())].clone();
        let Code(code) = &mut draft.expressions[0].code;
        for (place, value) in changes {
            let place = place.index(code.len());
            code[place] = value;
        }
        runs_if_it_loads(&draft);
    }

    /// A function put in another's place: most have other types, some only at run time.
    #[test]
    fn code_with_other_functions(which in any::<Index>(), place in any::<Index>(), function in any::<Index>()) {
        let mut draft = DRAFTS[which.index(DRAFTS.len())].clone();
        let code = &draft.expressions[0].code.0;
        let mut instructions = instructions(code);
        let calls: Vec<usize> = (0..instructions.len())
            .filter(|index| matches!(instructions[*index], Instruction::Call(_)))
            .collect();
        if !calls.is_empty() {
            let function = Function::ALL[function.index(Function::ALL.len())];
            instructions[calls[place.index(calls.len())]] = Instruction::Call(function);
            let mut changed = Vec::new();
            instructions.iter().for_each(|instruction| instruction.encode(&mut changed));
            draft.expressions[0].code = Code(changed);
        }
        runs_if_it_loads(&draft);
    }

    /// A part of one expression's code put into another.
    #[test]
    fn code_put_elsewhere(from in any::<Index>(), to in any::<Index>(), at in any::<Index>(), length in 1..40_usize) {
        let source = DRAFTS[from.index(DRAFTS.len())].expressions[0].code.0.clone();
        let mut draft = DRAFTS[to.index(DRAFTS.len())].clone();
        let Code(code) = &mut draft.expressions[0].code;
        let length = length.min(source.len()).min(code.len());
        let (start, place) = (at.index(source.len() - length + 1), at.index(code.len() - length + 1));
        code[place..place + length].copy_from_slice(&source[start..start + length]);
        runs_if_it_loads(&draft);
    }

    /// Constants that hold others: cycles, what is no map, what is not there.
    #[test]
    fn constants_with_other_numbers(which in any::<Index>(), places in prop::collection::vec((any::<Index>(), any::<Index>(), 0..6_u32), 1..4)) {
        use waypost_policies::plan::draft::Scalar;
        let mut draft = DRAFTS[which.index(DRAFTS.len())].clone();
        let lists = &mut draft.constants.lists;
        for (list, place, number) in places {
            if lists.is_empty() {
                break;
            }
            let list = list.index(lists.len());
            if lists[list].is_empty() {
                continue;
            }
            let place = place.index(lists[list].len());
            lists[list][place] = match number % 4 {
                0 => Scalar::List(number),
                1 => Scalar::Map(number),
                2 => Scalar::Type(40),
                _ => Scalar::Uint(number.into()),
            };
        }
        runs_if_it_loads(&draft);
    }
}
