//! The most that one call can cost: what the context holds, what an answer may be, how many answers may be asked for.

use waypost_policies::request::{MOST_ANSWERS, MOST_TOKENS};

use crate::program::{Model, Price};
use waypost_policies::cost::{Row, Service, longest};

/// The answer that is reserved where the client sets no limit.
const USUAL_LIMIT: u128 = 4096;

/// What denials leave of a call's size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// At most so many tokens of prompt.
    pub(super) tokens: Option<u128>,
    /// At most so many tokens of answer, where the call says how many.
    pub(super) max_tokens: Option<u128>,
    /// A ceiling of at most so many nano-dollars.
    pub(super) ceiling: Option<u128>,
}

/// The most that a million tokens of a prompt and of an answer can cost, whatever they are.
#[derive(Clone, Copy)]
struct Rates {
    prompt: u128,
    answer: u128,
}

/// The most that a call of `model` can reserve, in nano-dollars; `None` where nothing bounds it.
pub(super) fn dearest(model: &Model, price: &Price, size: &Size) -> Option<u128> {
    let mut most = Some(0);
    for rates in reached(model, price, size).map(rates) {
        let surfaces = [
            (model.serves.chat, chat(model, rates, size)),
            // Any number of prompts fit in a body, each with its answers.
            (model.serves.completions, None),
            (model.serves.embeddings, embeddings(rates, size)),
        ];
        for (_, cost) in surfaces.into_iter().filter(|(served, _)| *served) {
            most = most
                .zip(cost)
                .map(|(most, cost): (u128, u128)| most.max(cost));
        }
    }
    match (most, size.ceiling) {
        (Some(most), Some(ceiling)) => Some(most.min(ceiling)),
        (most, ceiling) => most.or(ceiling),
    }
}

/// The most that a token of such a call can cost, in nano-dollars per million.
pub(super) fn dearest_token(model: &Model, price: &Price) -> u128 {
    let answers = model.serves.chat || model.serves.completions;
    let most = reached(model, price, &Size::default()).map(|row| {
        let rates = rates(row);
        if answers {
            rates.prompt.max(rates.answer)
        } else {
            rates.prompt
        }
    });
    most.max().unwrap_or(0)
}

/// The rows of a price at which a call may be held: those of the lengths that its prompt can have, and of the service that
/// callers may ask for.
fn reached<'p>(
    model: &Model,
    price: &'p Price,
    size: &Size,
) -> impl Iterator<Item = &'p Row> + use<'p> {
    let serves = model.serves;
    let context = model
        .context
        .filter(|_| serves.chat && !serves.completions && !serves.embeddings);
    let most = smaller(context.map(u128::from), size.tokens);
    let most = most.map_or(u64::MAX, |most| u64::try_from(most).unwrap_or(u64::MAX));
    let asks = !model.rejects.iter().any(|name| name == "service_tier");
    price.rows().iter().filter(move |row| {
        let served = asks || row.service == Service::Standard;
        served && (row.above == 0 || longest(most) > row.above)
    })
}

fn rates(row: &Row) -> Rates {
    let (prompt, answer) = row.rates.dearest();
    let amount = |nanos: i64| u128::try_from(nanos).unwrap_or(0);
    Rates {
        prompt: amount(prompt.0),
        answer: amount(answer.0),
    }
}

/// A chat asks for up to [`MOST_ANSWERS`] answers; prompt and answer fit the context together.
fn chat(model: &Model, rates: Rates, size: &Size) -> Option<u128> {
    let context = model.context.map(u128::from);
    let room = |answer: u128| {
        let left = context.map(|context| context.saturating_sub(answer));
        smaller(left, size.tokens)
    };
    room(0)?;
    let output = smaller(model.output.map(u128::from), context).unwrap_or(u128::MAX);
    let most = [size.max_tokens, Some(u128::from(MOST_TOKENS))];
    let said = most.into_iter().flatten().fold(output, u128::min);
    let cost = |prompt: u128, answer: u128| {
        let answers = answer.saturating_mul(u128::from(MOST_ANSWERS));
        cost(rates, prompt, answers)
    };
    // The cost is concave in the answer's length: its most lies at an end, or where the prompt's own bound begins.
    let kink = context
        .zip(size.tokens)
        .map_or(0, |(context, tokens)| context.saturating_sub(tokens));
    let said = [0, said, kink.min(said)]
        .into_iter()
        .filter_map(|answer| Some(cost(room(answer)?, answer)));
    // A call that does not say must only leave room for one token, whatever is reserved for it.
    let usual = model
        .output
        .map_or(USUAL_LIMIT, |output| USUAL_LIMIT.min(output.into()));
    let unsaid = room(1).map(|prompt| cost(prompt, usual));
    said.chain(unsaid).max()
}

/// Embeddings have no answer, and as many inputs as a body holds.
fn embeddings(rates: Rates, size: &Size) -> Option<u128> {
    size.tokens.map(|tokens| cost(rates, tokens, 0))
}

fn smaller(one: Option<u128>, other: Option<u128>) -> Option<u128> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// As `policies::cost` has it, wide enough for any number of answers.
fn cost(rates: Rates, prompt: u128, answers: u128) -> u128 {
    let total = rates
        .prompt
        .saturating_mul(prompt)
        .saturating_add(rates.answer.saturating_mul(answers));
    total.div_ceil(1_000_000)
}
