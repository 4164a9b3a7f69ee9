//! WP0422: calls of one session are routed one by one, between models that would cache its prompt.

use waypost_lang::cel::typed::{Field, Function, Typed, TypedKind};
use waypost_lang::{Diagnostic, codes};
use waypost_policies::cost;

use super::Subject;
use crate::ceiling::Dollars;
use crate::program::{Content, Escalation, Model, Program};

/// The session that the figures are of.
const CALLS: u64 = 10;
const PROMPT: u64 = 20_000;

/// Finds content that escalates single calls to another model with a discount on cached prompts, and keeps no session.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for content in program.contents.iter().filter(|one| one.keep.is_none()) {
        let raised = content.escalations.iter();
        let raised = raised.filter(|one| !stays(&one.when));
        let first = raised.filter_map(|one| Some((one, discounted(program, content, one)?)));
        let Some((escalation, model)) = first.min_by_key(|(one, _)| one.span) else {
            continue;
        };
        let Some((cold, warm)) = session(model) else {
            continue;
        };
        let name = &model.name.value;
        found.push(
            codes::COLD_PROMPT_CACHE
                .warning(
                    escalation.label.span,
                    "each call of a session is routed by itself, and finds the prompt cache cold",
                )
                .label(format!("moves single calls of a session to `{name}` and back"))
                .because(
                    model.name.span,
                    format!(
                        "{CALLS} calls with {}k tokens of prompt cost {} here when they stay, up to {} when they move",
                        PROMPT / 1000,
                        warm.readable(),
                        cold.readable(),
                    ),
                )
                .help("keep a session on its tier: `keep session request.headers[?\"x-session-id\"].orValue(\"\") for 10m`"),
        );
    }
}

/// The model that an escalation moves calls to, if it is another one than they start with and caches prompts for less.
fn discounted<'p>(
    program: &'p Program,
    content: &Content,
    escalation: &Escalation,
) -> Option<&'p Model> {
    let home = |tier: usize| program.tiers.get(tier)?.home();
    let to = home(escalation.tier).filter(|to| Some(*to) != home(content.start.value))?;
    let model = program.models.get(to)?;
    let price = model.price.as_ref()?;
    price.discounts_cached().then_some(model)
}

/// Whether a condition that holds for one call of a session holds for those after it: a conversation grows, and what it is sent to
/// stays. Then its calls move once at most, and `keep` would change nothing.
fn stays(when: &Typed) -> bool {
    match &when.kind {
        TypedKind::And(left, right) | TypedKind::Or(left, right) => stays(left) && stays(right),
        TypedKind::Call(function, arguments) if grows(*function, arguments) => true,
        _ => when.fields().iter().all(|field| {
            matches!(
                field,
                Field::RequestModel | Field::RequestPath | Field::RequestSystem
            )
        }),
    }
}

/// `request.tokens > 24000`, `5 <= request.turns`.
fn grows(function: Function, arguments: &[Typed]) -> bool {
    let [left, right] = arguments else {
        return false;
    };
    let (large, small) = match function {
        Function::Greater | Function::GreaterOrEqual => (left, right),
        Function::Less | Function::LessOrEqual => (right, left),
        _ => return false,
    };
    let counts = [Field::RequestTokens, Field::RequestTurns];
    counts
        .iter()
        .any(|count| large.kind == TypedKind::Field(*count))
        && small.fields().is_empty()
}

/// What the prompts of a session cost when no call finds them cached, and when all but the first do.
fn session(model: &Model) -> Option<(Dollars, Dollars)> {
    let price = model.price.as_ref()?;
    let call = |cached| {
        let usage = cost::Usage {
            input: PROMPT,
            cached,
            ..cost::Usage::default()
        };
        u128::try_from(cost::actual(price, usage).0).unwrap_or(0)
    };
    let (cold, warm) = (call(0), call(PROMPT));
    let rest = u128::from(CALLS - 1);
    Some((Dollars(cold * (rest + 1)), Dollars(cold + warm * rest)))
}
