//! What must hold of every expression: one that is accepted has a value on every call.

use waypost_compiler::{Folder, check, lower, lower_expression};
use waypost_lang::SourceMap;
use waypost_lang::cel::typed::{FieldType, Section, Type, Typed};
use waypost_lang::cel::{self, Expected, Extent, Mode, Scope, Variable};
use waypost_policies::facts::Request;
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::vm::{self, Datum, Failure};
use waypost_policies::{Evaluation, example};

const VARIABLES: &[(&str, FieldType)] = &[
    ("x", || Type::Int),
    ("s", || Type::String),
    ("l", || Type::List(Box::new(Type::Int))),
    ("m", || {
        Type::Map(Box::new(Type::String), Box::new(Type::String))
    }),
    ("d", || Type::Dyn),
];

fn values() -> [Vec<Datum>; 2] {
    let text = |text: &str| Datum::String(text.to_owned());
    let map = |value: &str| Datum::Map(vec![(text("k"), text(value))]);
    let list = |all: &[i64]| Datum::List(all.iter().copied().map(Datum::Int).collect());
    [
        vec![
            Datum::Int(1),
            text("a,b"),
            list(&[3, 1, 2]),
            map("a"),
            map("n"),
        ],
        vec![
            Datum::Int(i64::MIN),
            text("größer 🦀"),
            list(&[]),
            map(""),
            Datum::Null,
        ],
    ]
}

fn typed(text: &str, evaluator: Option<&dyn cel::Evaluate>) -> Option<Typed> {
    let file = SourceMap::default().add("a", text);
    let parsed = cel::parse(file, text, 0, Extent::Statement);
    assert!(text.get(..parsed.end as usize).is_some(), "{}", parsed.end);
    for found in &parsed.diagnostics {
        super::text::findings_lie_within(found, &|span| {
            text.get(span.start as usize..span.end as usize).is_some()
        });
    }
    if !parsed.diagnostics.is_empty() {
        return None;
    }
    let variables: Vec<Variable<'_>> = VARIABLES
        .iter()
        .map(|(name, ty)| Variable { name, ty: ty() })
        .collect();
    let scope = Scope {
        variables: &variables,
        mode: Mode::Fallible,
        evaluator,
        ..Scope::of(Section::Constant)
    };
    let mut diagnostics = Vec::new();
    let typed = cel::check(&parsed.expr, &scope, Expected::Any, &mut diagnostics)?;
    diagnostics.is_empty().then_some(typed)
}

fn run(typed: &Typed) -> Vec<Result<Datum, Failure>> {
    let plan = Plan::load(encode(&lower_expression(typed))).expect("what was compiled loads");
    let mut evaluation = Evaluation::default();
    let run = |values: Vec<Datum>| vm::evaluate(&plan, 0, &values, &mut evaluation);
    values().into_iter().map(run).collect()
}

/// Any text is no expression, or one that is compiled and run; what of it was computed before is what is computed then.
/// Its variables are `x`, an int, `s`, a string, `l`, a list, `m`, a map, and `d`, anything.
///
/// # Panics
/// When that does not hold.
pub fn expression(text: &str) {
    let Some(plain) = typed(text, None) else {
        return;
    };
    let values = run(&plain);
    if let Some(folded) = typed(text, Some(&Folder)) {
        assert_eq!(format!("{values:?}"), format!("{:?}", run(&folded)));
    }
}

/// Before the condition of a rule in `content`, and before one in `policy`.
const BEFORE: &str = r#"waypost 1
secret k = env("K")
provider p { kind openai  auth secret k }
model small { via p  context 8k  output 1k  price input $0.04  output $0.08 }
tiers weak < strong
tier weak { try small }
tier strong { try small }
let LONG = 24k
content {
  accept "auto"
  start weak
  escalate to strong "it" when "#;
const BETWEEN: &str =
    "\n}\npolicy {\n  callers { keys secret k  anonymous deny }\n  deny \"it\" when ";
const AFTER: &str = "\n}\n";

/// What has a value within a decision only.
const OF_A_DECISION: [&str; 4] = ["threshold", "tier", "model", "cost"];

/// Any condition that is accepted, in `content` or in `policy`, holds or does not on every call: only too much work may
/// stop it. Whether it was accepted anywhere.
///
/// # Panics
/// When that does not hold.
pub fn condition(text: &str) -> bool {
    if OF_A_DECISION.iter().any(|word| text.contains(word)) {
        return false;
    }
    let content = format!("{BEFORE}{text}{BETWEEN}true{AFTER}");
    let policy = format!("{BEFORE}true{BETWEEN}{text}{AFTER}");
    let has_values = |file: &&String| rules_have_values(file);
    [content, policy].iter().filter(has_values).count() > 0
}

fn rules_have_values(file: &str) -> bool {
    let checked = check("a.route", file, &|_: &str| None);
    let Some(program) = &checked.program else {
        return false;
    };
    let plan = Plan::load(encode(&lower(program, &checked.sources))).expect("it loads");
    let state = State::new(&plan, [1, 2]);
    let mut evaluation = Evaluation::default();
    let draft = plan.to_draft();
    let contents = draft.contents.iter().flat_map(|one| &one.escalations);
    let rules = contents.map(|rule| rule.when);
    let rules: Vec<u32> = rules
        .chain(draft.denials.iter().map(|rule| rule.when))
        .collect();
    for request in [&super::plan::request(), &Request::default()] {
        let request = Request {
            headers: vec![None; plan.headers().len()],
            metadata: vec![None; plan.metadata().len()],
            ..request.clone()
        };
        let mut facts = example::facts(&request);
        facts.caller.claims = vec![None; plan.claims().len()];
        for rule in &rules {
            let held = vm::holds(&plan, *rule, &facts, &state, &mut evaluation);
            assert!(
                matches!(held, Ok(_) | Err(Failure::Work)),
                "{file} has no value: {held:?}"
            );
        }
    }
    true
}
