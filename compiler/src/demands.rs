//! `require "…" { … }`: what an organisation demands of every file that imports its rules.
//!
//! Invariants: a rule reads the compiled model and nothing else; its expressions are checked like those of routing and
//! evaluated by the same machine. A rule that could not be evaluated counts as not met. A file that routes nothing is a
//! pack itself: its rules are checked there, and held against who imports it.

mod model;
mod shape;

use waypost_lang::cel::typed::Typed;
use waypost_lang::source::Span;
use waypost_lang::{Diagnostic, Severity, SourceMap, codes};
use waypost_policies::Evaluation;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::vm::{Datum, Failure, evaluate};

use crate::imports::Imports;
use crate::lower::lower_expression;
use crate::program::{Demand, Program};
use model::{Item, Items};
pub use shape::Kind;

/// What a program does not fulfil.
pub(crate) fn check(program: &Program, sources: &SourceMap, imports: &Imports) -> Vec<Diagnostic> {
    if program.demands.is_empty() || program.contents.is_empty() {
        return Vec::new();
    }
    let items = Items::new(program, sources);
    let whole = items.of(Kind::File);
    let Some(file) = whole.first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for demand in &program.demands {
        let Some(rule) = Rule::new(demand) else {
            continue;
        };
        for item in items.of(demand.each) {
            let Some(because) = rule.refuses(&item, &file.value) else {
                continue;
            };
            let at = item
                .span
                .unwrap_or_else(|| brought_by(demand.label.span, imports));
            found.push(finding(demand, &item, &file.value, at, &because, sources));
        }
    }
    found
}

/// A rule made ready to be evaluated.
struct Rule {
    when: Option<Plan>,
    that: Plan,
}

impl Rule {
    fn new(demand: &Demand) -> Option<Self> {
        let when = match &demand.when {
            Some(when) => Some(plan(when)?),
            None => None,
        };
        Some(Self {
            when,
            that: plan(&demand.that)?,
        })
    }

    /// Why an item is refused, if it is.
    fn refuses(&self, item: &Item, file: &Datum) -> Option<String> {
        let variables = [item.value.clone(), file.clone()];
        let holds = |plan: &Plan| match evaluate(plan, 0, &variables, &mut Evaluation::default()) {
            Ok(Datum::Bool(value)) => Ok(value),
            Ok(_) => Err(Failure::Type),
            Err(failure) => Err(failure),
        };
        if matches!(self.when.as_ref().map(holds), Some(Ok(false))) {
            return None;
        }
        match holds(&self.that) {
            Ok(true) => None,
            Ok(false) => Some("does not hold here".to_owned()),
            Err(_) => Some("could not be worked out here, so it counts as not met".to_owned()),
        }
    }
}

fn plan(typed: &Typed) -> Option<Plan> {
    Plan::load(encode(&lower_expression(typed))).ok()
}

/// Where the file that was asked for brings a rule in: its own import, or the rule itself if it is its own.
fn brought_by(rule: Span, imports: &Imports) -> Span {
    let root = waypost_lang::FileId(0);
    if rule.file == root {
        return rule;
    }
    let mut own = imports.iter().filter(|import| import.span.file == root);
    let brings = |target| target == rule.file || imports.reaches(target, rule.file);
    own.find(|import| brings(import.target))
        .map_or(rule, |import| import.span)
}

fn finding(
    demand: &Demand,
    item: &Item,
    file: &Datum,
    at: Span,
    because: &str,
    sources: &SourceMap,
) -> Diagnostic {
    let who = match demand.each {
        Kind::File => "the file".to_owned(),
        Kind::Callers => "`callers`".to_owned(),
        Kind::Deploy => "the deployment".to_owned(),
        Kind::Content if item.name.is_empty() => "`content`".to_owned(),
        kind => format!("the {} `{}`", kind.word(), item.name),
    };
    let message = format!("{who} does not meet a demand: {}", demand.label.value);
    let diagnostic = match demand.severity {
        Severity::Error => codes::DEMAND_NOT_MET.error(at, message),
        _ => codes::DEMAND_NOT_MET.warning(at, message),
    };
    let (pack, line, _) = sources.position(demand.label.span);
    let diagnostic = diagnostic
        .label(format!("`{pack}` line {line} demands it"))
        .because(demand.that.span, because);
    diagnostic.help(match &demand.help {
        Some(help) => filled(help, &[(demand.each.word(), &item.value), ("file", file)]),
        None => format!("make this hold: `{}`", sources.text(demand.that.span)),
    })
}

/// The names in braces of a help: `{tier.name}`. Braces around anything else are text.
pub(crate) fn placeholders(help: &str) -> Vec<&str> {
    let path = |text: &&str| {
        text.contains('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.')
    };
    let parts = help.split('{').skip(1);
    parts
        .filter_map(|part| part.split_once('}'))
        .map(|(inside, _)| inside)
        .filter(path)
        .collect()
}

/// A name in a help that one of these words begins and no brace ends: `{tier.name, …`.
pub(crate) fn unclosed_placeholder<'h>(help: &'h str, words: &[&str]) -> Option<&'h str> {
    let unclosed = help.split('{').skip(1).filter(|part| !part.contains('}'));
    let mut paths = unclosed.filter_map(|part| {
        let of_path = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
        let end = part.find(|c| !of_path(c)).unwrap_or(part.len());
        part.get(..end).map(|path| path.trim_end_matches('.'))
    });
    paths.find(|path| {
        let first = path.split_once('.').map(|(first, _)| first);
        first.is_some_and(|first| words.contains(&first))
    })
}

fn filled(help: &str, variables: &[(&str, &Datum)]) -> String {
    let mut text = help.to_owned();
    for path in placeholders(help) {
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or("");
        let start = variables.iter().find(|(name, _)| *name == first);
        let value = start.and_then(|(_, datum)| parts.try_fold(*datum, field));
        if let Some(value) = value {
            text = text.replace(&format!("{{{path}}}"), &shown(value));
        }
    }
    text
}

fn field<'d>(datum: &'d Datum, name: &str) -> Option<&'d Datum> {
    let Datum::Map(entries) = datum else {
        return None;
    };
    let mut entries = entries.iter();
    let found = entries.find(|(key, _)| matches!(key, Datum::String(key) if key == name));
    found.map(|(_, value)| value)
}

fn shown(datum: &Datum) -> String {
    match datum {
        Datum::String(text) => text.clone(),
        Datum::Int(number) => number.to_string(),
        Datum::Double(number) => number.to_string(),
        Datum::Bool(value) => value.to_string(),
        Datum::Duration(nanoseconds) => format!("{}s", nanoseconds / 1_000_000_000),
        Datum::List(elements) => {
            let elements: Vec<String> = elements.iter().map(shown).collect();
            elements.join(", ")
        }
        _ => String::new(),
    }
}
