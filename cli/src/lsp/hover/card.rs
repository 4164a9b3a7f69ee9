//! What a declared name is: its statement, its documentation, and what the compiler made of it.

use waypost_compiler::Program;
use waypost_compiler::index::{Symbol, SymbolKind};
use waypost_compiler::program::{Model, Step, Tier, Via};
use waypost_lang::cel::typed::Field;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::Item;
use waypost_policies::cost::{Row, Service, Sort};

use super::value::{constant, count, dollars, milliseconds};
use crate::lsp::typing::Surroundings;
use crate::lsp::view::View;

/// Longer statements are cut.
const MOST_LINES: usize = 14;

/// The card of a symbol other than a variable.
pub(super) fn card(view: &View<'_>, symbol: &Symbol) -> String {
    let mut parts = vec![format!("**{}** `{}`", symbol.kind.noun(), symbol.name)];
    let declared = symbol.definitions.first();
    let Some(declared) = declared else {
        parts.push("Nothing declares it.".to_owned());
        return parts.join("\n\n");
    };
    let item = item_at(view, *declared);
    parts.extend(item.and_then(|item| item.documentation.clone()));
    if let Some(item) = item {
        let statement = statement(view, symbol, item, *declared);
        parts.push(format!("```route\n{}\n```", cut(&statement)));
    }
    let program = view.analysis.checked.program.as_ref();
    let facts = match (symbol.kind, program) {
        (SymbolKind::Constant, _) => value(view, symbol),
        (SymbolKind::Tier, Some(program)) => tier(program, &symbol.name, view),
        (SymbolKind::Model, Some(program)) => model(program, &symbol.name),
        _ => None,
    };
    parts.extend(facts);
    parts.push(uses(symbol));
    parts.join("\n\n")
}

fn uses(symbol: &Symbol) -> String {
    match symbol.references.len() {
        0 => "Used nowhere.".to_owned(),
        1 => "Used once.".to_owned(),
        many => format!("Used {many} times."),
    }
}

fn item_at<'v>(view: &'v View<'_>, span: Span) -> Option<&'v Item> {
    let mut items = view.items();
    items.find(|item| {
        item.span.file == span.file && item.span.start <= span.start && span.end <= item.span.end
    })
}

/// The text of the statement: of a label, the rule's own.
fn statement(view: &View<'_>, symbol: &Symbol, item: &Item, declared: Span) -> String {
    let text = view.sources().text(item.span);
    if !symbol.kind.is_label() {
        return text.to_owned();
    }
    let whole = view.text_of(declared.file);
    let before = whole.get(..declared.start as usize).unwrap_or("");
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = whole.get(start..).and_then(|rest| rest.lines().next());
    line.unwrap_or("").trim().to_owned()
}

fn cut(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    match lines.get(..MOST_LINES) {
        Some(first) if lines.len() > MOST_LINES => format!("{}\n  // …", first.join("\n")),
        _ => text.to_owned(),
    }
}

fn value(view: &View<'_>, symbol: &Symbol) -> Option<String> {
    let surroundings = Surroundings::of(view);
    let value = surroundings.constant(&symbol.name)?;
    Some(format!("Its value is `{}`.", constant(value)?))
}

fn tier(program: &Program, name: &str, view: &View<'_>) -> Option<String> {
    let rank = program
        .tiers
        .iter()
        .position(|tier| tier.name.value == name)?;
    let tier = program.tiers.get(rank)?;
    let chain: Vec<&str> = program
        .tiers
        .iter()
        .map(|tier| tier.name.value.as_str())
        .collect();
    let mut text = format!(
        "In the chain `{}`. Tried in this order:\n",
        chain.join(" < ")
    );
    for (number, step) in (1..).zip(steps(tier, program)) {
        text.push_str(&format!("\n{number}. {step}"));
    }
    let timeout = tier.timeout.map(milliseconds);
    let timeout = timeout.unwrap_or_else(|| "none".to_owned());
    text.push_str(&format!("\n\nTimeout {timeout}, retries {}.", tier.retries));
    if let Some(hedge) = &tier.hedge {
        let after = milliseconds(hedge.value);
        text.push_str(&format!(" The next is asked beside one after {after}."));
    }
    if let Some(ceiling) = crate::lsp::ceiling::of_tier(&view.analysis, rank) {
        text.push_str(&format!("\n\nSpend ceiling: {ceiling}."));
    }
    Some(text)
}

fn steps(tier: &Tier, program: &Program) -> Vec<String> {
    let named = |model: usize| program.models.get(model);
    let steps = tier.steps.iter();
    steps
        .map(|step| match step {
            Step::Try(model) => named(model.value).map(|model| in_short(model, program)),
            Step::Split { arms, .. } => {
                let arms = arms.iter().filter_map(|(model, share)| {
                    let model = in_short(named(model.value)?, program);
                    Some(format!("{}%: {model}", f64::from(share.0) / 100.0))
                });
                Some(arms.collect::<Vec<_>>().join("; "))
            }
        })
        .map(Option::unwrap_or_default)
        .collect()
}

fn in_short(model: &Model, program: &Program) -> String {
    let price = model.price.as_ref().map_or_else(
        || "no price".to_owned(),
        |price| {
            let rate = |sort| dollars(price.base().of(sort).0);
            let (input, output) = (rate(Sort::Input), rate(Sort::Output));
            format!("{input} in, {output} out per 1M tokens")
        },
    );
    format!(
        "`{}` via {}: {price}",
        model.name.value,
        via(model, program)
    )
}

fn via(model: &Model, program: &Program) -> String {
    let (kind, name) = match model.via {
        Via::Provider(index) => (
            "provider",
            program.providers.get(index).map(|one| &one.name.value),
        ),
        Via::Pool(index) => ("pool", program.pools.get(index).map(|one| &one.name.value)),
    };
    let name = name.map_or("", String::as_str);
    format!("{kind} `{name}`")
}

/// A row of a price: `priority, above 272000, per 1M tokens: input $5, output $30`.
fn row(row: &Row) -> String {
    let is_usual = row.service == Service::Standard && row.above == 0;
    let shown =
        |sort: &Sort| row.rates.said(*sort).is_some() || (is_usual && *sort == Sort::Cached);
    let sorts = Sort::ALL.into_iter().filter(shown);
    let rates = sorts.map(|sort| format!("{} {}", sort.word(), dollars(row.rates.of(sort).0)));
    let rates: Vec<String> = rates.collect();
    let mut of = String::new();
    if row.service != Service::Standard {
        of = format!("{}, ", row.service.word());
    }
    if row.above > 0 {
        of += &format!("prompts above {} tokens, ", count(row.above));
    }
    format!("{of}per 1M tokens: {}", rates.join(", "))
}

fn model(program: &Program, name: &str) -> Option<String> {
    let mut models = program.models.iter();
    let at = models.position(|model| model.name.value == name)?;
    let model = program.models.get(at)?;
    let mut facts = vec![format!(
        "served by {} as `{}`",
        via(model, program),
        model.upstream_name
    )];
    if let Some(tokens) = model.context {
        facts.push(format!("context {} tokens", count(tokens)));
    }
    if let Some(tokens) = model.output {
        facts.push(format!("answers of up to {} tokens", count(tokens)));
    }
    match &model.price {
        Some(price) => facts.extend(price.rows().iter().map(row)),
        None => facts.push("no price: budgets cannot count it".to_owned()),
    }
    let tiers: Vec<String> = program
        .tiers
        .iter()
        .filter(|tier| tries(tier, at))
        .map(|tier| format!("`{}`", tier.name.value))
        .collect();
    facts.push(match tiers.is_empty() {
        true => "in no tier".to_owned(),
        false => format!("tried by {}", tiers.join(", ")),
    });
    Some(format!("- {}", facts.join("\n- ")))
}

fn tries(tier: &Tier, model: usize) -> bool {
    tier.steps.iter().any(|step| match step {
        Step::Try(one) => one.value == model,
        Step::Split { arms, .. } => arms.iter().any(|(one, _)| one.value == model),
    })
}

/// "`content` and `policy`": the sections that may read a fact.
pub(super) fn sections_of(field: Field) -> String {
    let sections: Vec<String> = field
        .sections()
        .iter()
        .map(|section| format!("`{}`", section.keyword()))
        .collect();
    sections.join(" and ")
}
