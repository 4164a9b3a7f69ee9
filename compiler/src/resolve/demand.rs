//! `require "…" { … }`: its expressions typed over the compiled model.

use waypost_lang::cel::typed::{Section, Type, Typed};
use waypost_lang::cel::{Expected, Expr, Scope, Variable, check};
use waypost_lang::diagnostic::nearest;
use waypost_lang::syntax::tree::{Require, Text};
use waypost_lang::{Severity, codes};

use super::collected::Collected;
use super::context::Context;
use super::label::Labels;
use super::names::listed;
use super::values::{missing, word};
use crate::demands::{Kind, placeholders, unclosed_placeholder};
use crate::fold::Folder;
use crate::program::Demand;

/// Every demand whose parts are sound.
pub(crate) fn resolve(collected: &Collected<'_>, context: &mut Context<'_>) -> Vec<Demand> {
    let mut labels = Labels::default();
    let mut demands = Vec::new();
    for (span, demand) in &collected.demands {
        labels.rule(Some(&demand.label), *span, *span, context);
        demands.extend(resolve_one(demand, context));
    }
    demands
}

fn resolve_one(demand: &Require, context: &mut Context<'_>) -> Option<Demand> {
    let each = match &demand.each {
        Some(name) => word(
            "kind of item to demand of",
            name,
            Kind::WORDS,
            context.findings,
        ),
        None => Some(Kind::File),
    };
    let severities = [("error", Severity::Error), ("warning", Severity::Warning)];
    let severity = match &demand.severity {
        Some(name) => word("severity", name, &severities, context.findings),
        None => Some(Severity::Error),
    };
    let Some(that) = &demand.that else {
        let owner = format!("`require \"{}\"`", demand.label.value);
        let (at, why) = (demand.label.span, "what must hold?");
        let example = "that size(tier.budgets) > 0";
        missing(at, &owner, "that", why, example, context.findings);
        return None;
    };
    let each = each?;
    let when = demand.when.as_ref();
    let when = when.map(|when| condition(when, each, context));
    let that = condition(that, each, context);
    let help = demand.help.as_ref();
    let good = help.is_none_or(|help| placeholders_exist(help, each, context));
    let when = match when {
        Some(when) => Some(when?),
        None => None,
    };
    Some(Demand {
        label: demand.label.clone(),
        each,
        when,
        that: that?,
        help: help.filter(|_| good).map(|text| text.value.clone()),
        severity: severity?,
    })
}

/// A condition over an item of this kind, by its name, and the whole `file`.
fn condition(expr: &Expr, each: Kind, context: &mut Context<'_>) -> Option<Typed> {
    let variable = |kind: Kind| Variable {
        name: kind.word(),
        ty: Type::Struct(kind.shape()),
    };
    let variables = [variable(each), variable(Kind::File)];
    let scope = Scope {
        constants: &|name| context.constants.get(name).cloned(),
        constant_names: &context.names.constants,
        evaluator: Some(&Folder),
        ..Scope::of(Section::Policy)
    };
    let scope = scope.with_variables(&variables);
    let mut diagnostics = Vec::new();
    let typed = check(expr, &scope, Expected::Bool, &mut diagnostics);
    context.findings.extend(diagnostics);
    typed
}

/// Whether each `{tier.name}` of a help is a field.
fn placeholders_exist(help: &Text, each: Kind, context: &mut Context<'_>) -> bool {
    let known = [each, Kind::File];
    let unclosed = unclosed_placeholder(&help.value, &known.map(Kind::word));
    if let Some(path) = unclosed {
        let finding = codes::UNCLOSED_DELIMITER
            .error(help.span, format!("`{{{path}` is never closed"))
            .label(format!("a `}}` belongs behind `{path}`"));
        let help = format!("write `{{{path}}}`");
        context.findings.push(finding.help(help));
    }
    let mut good = unclosed.is_none();
    for path in placeholders(&help.value) {
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or("");
        let start = known.iter().find(|kind| kind.word() == first);
        let mut ty = start.map(|kind| Type::Struct(kind.shape()));
        let mut fields: Vec<&str> = known.iter().map(|kind| kind.word()).collect();
        let mut wrong = first;
        for part in parts {
            let Some(Type::Struct(shape)) = ty else { break };
            ty = shape.field(part);
            fields = shape.fields.iter().map(|(name, _)| *name).collect();
            wrong = part;
        }
        if ty.is_some() {
            continue;
        }
        good = false;
        let finding = codes::UNKNOWN_IDENTIFIER
            .error(
                help.span,
                format!("there is no `{path}` to write into a help"),
            )
            .label(format!("`{wrong}` is unknown"));
        let help = match nearest(wrong, fields.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None => format!("write {}", listed(&fields, "or")),
        };
        context.findings.push(finding.help(help));
    }
    good
}
