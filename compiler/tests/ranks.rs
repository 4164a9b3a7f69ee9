//! Many rules at once: what the search by rank and family finds is what asking every rule by itself finds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::borrow::Cow;
use std::fmt::Write as _;

use proptest::prelude::*;
use waypost_compiler::{check, lower};
use waypost_policies::explain::RuleExplanation;
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, Outcome, decide, example, explain};

const WORDS: [&str; 6] = ["", "a", "ab", "abc", "b", "ü"];
const TIERS: [&str; 4] = ["t0", "t1", "t2", "t3"];

/// Turns random numbers into choices; when they run out, the first of each.
struct Choices(std::vec::IntoIter<u32>);

impl Choices {
    fn below(&mut self, count: usize) -> usize {
        self.0.next().unwrap_or(0) as usize % count
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    fn order(&mut self) -> &'static str {
        ["<", "<=", ">", ">="][self.below(4)]
    }

    /// A condition that content may ask (`0`), or policy (`1`).
    fn condition(&mut self, policy: usize, depth: usize) -> String {
        if depth > 0 && self.below(2) == 1 {
            let (left, right) = (
                self.condition(policy, depth - 1),
                self.condition(policy, depth - 1),
            );
            return match self.below(5) {
                0..=2 => format!("{left} && {right}"),
                3 => format!("({left} || {right})"),
                _ => format!("!({left}) && {right}"),
            };
        }
        let (order, number, word, other) = (self.order(), self.below(6), self.word(), self.word());
        let header = "request.headers[?\"x-h\"].orValue(\"ab\")";
        match (self.below(7), policy) {
            (0, _) => format!("request.tokens {order} {number}"),
            (1, _) => format!("{number} {order} request.turns"),
            (2, _) => format!("{header} == \"{word}\""),
            (3, _) => format!("{header} in [\"{word}\", \"{other}\"]"),
            (4, 0) => format!("request.prompt.startsWith(\"{word}\")"),
            (4, _) => format!("caller.team.startsWith(\"{word}\")"),
            (5, 0) => format!("difficulty {order} 0.{number}"),
            (5, _) => format!("cost.ceiling {order} {number}.0"),
            (_, 0) => format!("request.tools.exists(t, t.name == \"{word}\")"),
            (_, _) => format!("\"{word}\" == caller.plan"),
        }
    }
}

fn file(choices: &mut Choices, rules: usize) -> String {
    let mut content = String::new();
    let mut policy = String::new();
    for rule in 0..rules {
        let tier = TIERS[choices.below(4)];
        let (asked, cap) = (choices.condition(0, 2), choices.condition(1, 2));
        let _ = writeln!(content, "  escalate to {tier} \"e{rule}\" when {asked}");
        let _ = match choices.below(8) {
            0..=3 => writeln!(policy, "  cap at {tier} \"c{rule}\" when {cap}"),
            4 => writeln!(
                policy,
                "  deny \"d{rule}\" status {} when {cap} && request.turns > 4",
                400 + choices.below(4)
            ),
            _ => writeln!(
                policy,
                "  priority {} \"p{rule}\" when {cap}",
                choices.below(9)
            ),
        };
    }
    format!(
        "waypost 1\nprovider p {{ kind openai  auth none }}\nmodel m {{ via p  price input $1  output $1 }}\n\
         model n {{ via p  price input $900  output $900 }}\ntiers t0 < t1 < t2 < t3\ntier t0 {{ try m }}\ntier t1 {{ try n then m }}\n\
         tier t2 {{ try m then n }}\ntier t3 {{ try n }}\ncontent {{\n  accept \"auto\"\n  start t1\n{content}}}\n\
         policy {{\n  callers {{ anonymous allow }}\n{policy}}}\n"
    )
}

fn matched<'e>(
    rules: &'e [RuleExplanation],
    kind: &'e str,
) -> impl Iterator<Item = &'e RuleExplanation> {
    rules
        .iter()
        .filter(move |rule| rule.kind == kind && rule.matched)
}

fn rank(rule: &RuleExplanation) -> usize {
    let tier = rule.to.as_deref().unwrap();
    TIERS.iter().position(|one| *one == tier).unwrap()
}

/// The first of those with the largest key.
fn best<'e, K: Ord>(
    rules: impl Iterator<Item = &'e RuleExplanation>,
    key: impl Fn(&RuleExplanation) -> K,
) -> Option<&'e RuleExplanation> {
    rules.fold(None, |best, rule| match best {
        Some(best) if key(best) >= key(rule) => Some(best),
        _ => Some(rule),
    })
}

fn agree(choices: &mut Choices, plan: &Plan) {
    let state = State::new(plan, [1, 2]);
    let prompt = choices.word();
    let mut request = example::request(prompt);
    request.tokens = choices.below(7) as u64;
    request.turns = 1 + choices.below(6) as u64;
    request.max_tokens = Some(choices.below(3) as u64 * 2_000);
    request.tools = (0..choices.below(3))
        .map(|_| example::tool(choices.word()))
        .collect();
    let header = (choices.below(3) > 0).then(|| Cow::Borrowed(choices.word()));
    request.headers = vec![header; plan.headers().len()];
    let mut facts = example::facts(&request);
    facts.caller.team = Cow::Borrowed(choices.word());
    facts.caller.plan = Cow::Borrowed(choices.word());
    facts.difficulty = Some(choices.below(8) as f64 / 10.0);

    let mut evaluation = Evaluation::default();
    let decision = decide(plan, &facts, &state, &mut evaluation);
    let explanation = explain(plan, &facts, &state, &mut evaluation);
    let rules = &explanation.rules;
    let raised = best(matched(rules, "escalate"), rank).filter(|rule| rank(rule) > 1);
    let content = raised.map_or(1, rank);
    assert_eq!(usize::from(decision.content_tier), content);
    let cap = best(matched(rules, "cap"), |rule| 9 - rank(rule));
    let tier = cap.map_or(content, |cap| rank(cap).min(content));
    assert_eq!(usize::from(decision.tier), tier);
    let setter = cap
        .filter(|cap| rank(cap) < content)
        .or(raised)
        .map_or("start", |rule| rule.label.as_str());
    assert_eq!(plan.rule(decision.rule).label, setter);
    let status = |label: &str| {
        plan.denials()
            .find(|denial| denial.label() == label)
            .map(|denial| denial.status())
    };
    let denials = matched(rules, "deny").map(|rule| (status(&rule.label), rule.label.as_str()));
    let denied = match &decision.outcome {
        Outcome::Denied { denial, .. } => Some(plan.denial(*denial).unwrap().label()),
        _ => None,
    };
    assert_eq!(denied, denials.min().map(|(_, label)| label));
    let value = |rule: &RuleExplanation| {
        plan.priorities()
            .find(|one| one.label() == rule.label)
            .map(|one| one.value())
    };
    let priority = best(matched(rules, "priority"), value);
    let found = decision
        .priority
        .1
        .map(|found| plan.priority(found).unwrap().label());
    assert_eq!(found, priority.map(|rule| rule.label.as_str()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_search_finds_what_asking_each_finds(numbers in prop::collection::vec(any::<u32>(), 2_000)) {
        let mut choices = Choices(numbers.into_iter());
        let rules = 5 + choices.below(60);
        let text = file(&mut choices, rules);
        let checked = check("ranks.route", &text, &|_: &str| None);
        let Some(program) = checked.program else {
            panic!("{:?}\n{text}", checked.diagnostics);
        };
        let plan = Plan::load(encode(&lower(&program, &checked.sources))).unwrap();
        for _ in 0..20 {
            agree(&mut choices, &plan);
        }
    }
}
