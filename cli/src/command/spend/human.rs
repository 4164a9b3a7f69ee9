//! Ceilings as a table, and below it what to add where nothing bounds.

use waypost_compiler::ceiling::{
    Ceiling, Ceilings, Dollars, Excess, Figures, Horizon, Scope, Unbounded, excesses,
};
use waypost_lang::Span;

use crate::command::plural;
use crate::compile::Compiled;
use crate::table::{self, Column};

/// What a window without a ceiling shows.
const OPEN: &str = "unbounded";

pub(super) fn render(compiled: &Compiled, ceilings: &Ceilings) -> String {
    let rows = rows(compiled, ceilings);
    let mut columns = [
        Column::left("calls of", 0),
        Column::left("by", 0),
        Column::right("in an hour", 0),
        Column::right("a day", 0),
        Column::right("a month", 0),
        Column::left("set by", 0),
    ];
    for (index, column) in columns.iter_mut().enumerate() {
        let cells = rows.iter().filter_map(|row| row.get(index));
        let widest = cells.map(|cell| cell.chars().count()).max();
        column.width = widest.unwrap_or(0).max(column.title.len());
    }
    let mut text = table::header(&columns);
    for row in &rows {
        text += &table::line(&columns, row.iter().map(String::as_str));
    }
    for note in notes(compiled, ceilings) {
        text += &format!("\n{note}\n");
    }
    text
}

fn rows(compiled: &Compiled, ceilings: &Ceilings) -> Vec<[String; 6]> {
    let tiers = compiled.program.tiers.iter().zip(&ceilings.tiers);
    let tiers = tiers.map(|(tier, scope)| (format!("tier {}", tier.name.value), scope));
    let all = tiers.chain([("the whole file".to_owned(), &ceilings.file)]);
    all.flat_map(|(name, scope)| {
        [
            row(compiled, name, "everyone", &scope.everyone, scope),
            row(compiled, String::new(), "one caller", &scope.caller, scope),
        ]
    })
    .collect()
}

fn row(
    compiled: &Compiled,
    name: String,
    by: &str,
    figures: &Figures,
    scope: &Scope,
) -> [String; 6] {
    let cell = |horizon| match figures.of(horizon) {
        Ceiling::Bounded { most, by } if by.is_empty() && !scope.unpriced.is_empty() => {
            debug_assert_eq!(*most, Dollars(0));
            "no price".to_owned()
        }
        Ceiling::Bounded { most, .. } => most.readable(),
        Ceiling::Unbounded(_) => OPEN.to_owned(),
    };
    let [hour, day, month] = Horizon::ALL.map(cell);
    let set_by = set_by(compiled, figures);
    [name, by.to_owned(), hour, day, month, set_by]
}

/// The rules of all windows, each once, with its line.
fn set_by(compiled: &Compiled, figures: &Figures) -> String {
    let mut rules: Vec<String> = Vec::new();
    let all = Horizon::ALL.into_iter().map(|horizon| figures.of(horizon));
    for setter in all.flat_map(Ceiling::by) {
        let each = setter
            .one_call
            .map_or_else(String::new, |call| format!(" × {} a call", call.readable()));
        let rule = format!("{}{each}, {}", setter.label, place(compiled, setter.span));
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules.join("; ")
}

/// `line 12`, with the file where it is an imported one.
fn place(compiled: &Compiled, span: Span) -> String {
    let (file, line, _) = compiled.sources.position(span);
    if span.file.0 == 0 {
        format!("line {line}")
    } else {
        format!("{file}:{line}")
    }
}

/// What replicas that share over Redis let through beyond what is written.
pub(in crate::command) fn shared(excesses: &[Excess]) -> Option<String> {
    let title = "over Redis all replicas together let through, beyond what is written, at most:";
    let lines = excesses.iter().map(|excess| format!("\n  {excess}"));
    (!excesses.is_empty()).then(|| title.to_owned() + &lines.collect::<String>())
}

fn notes(compiled: &Compiled, ceilings: &Ceilings) -> Vec<String> {
    let program = &compiled.program;
    let mut notes = Vec::new();
    if ceilings.replicas > 1 {
        notes.push(format!(
            "{} count by themselves: every figure is {} times what is written",
            plural(
                usize::try_from(ceilings.replicas).unwrap_or(usize::MAX),
                "replica"
            ),
            ceilings.replicas
        ));
    }
    notes.extend(shared(&excesses(program)));
    if ceilings.zone != "UTC" {
        notes.push(format!("days and months are those of {}", ceilings.zone));
    }
    let models = ceilings.file.unpriced.iter();
    let names: Vec<String> = models
        .filter_map(|index| program.models.get(*index))
        .map(|model| format!("`{}`", model.name.value))
        .collect();
    if !names.is_empty() {
        let (verb, what) = match names.len() {
            1 => ("has", "it costs"),
            _ => ("have", "they cost"),
        };
        notes.push(format!(
            "{} {verb} no price: what {what} is not in the figures; write `price input $…  output $…`",
            names.join(", ")
        ));
    }
    let scopes = ceilings.tiers.iter().chain([&ceilings.file]);
    let mut open: Vec<&Unbounded> = Vec::new();
    for figures in scopes.flat_map(|scope| [&scope.everyone, &scope.caller]) {
        if let Ceiling::Unbounded(unbounded) = &figures.month {
            let same =
                |one: &&Unbounded| one.model == unbounded.model && one.nearest == unbounded.nearest;
            if !open.iter().any(same) {
                open.push(unbounded);
            }
        }
    }
    notes.extend(open.into_iter().map(|unbounded| {
        format!(
            "{OPEN}: {}\n  {}",
            unbounded.why(program),
            unbounded.advice(program)
        )
    }));
    notes
}
