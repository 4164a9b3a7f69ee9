//! `let LONG = 24000`: constants, which may be made of one another in any order.

use std::collections::{BTreeMap, BTreeSet};

use waypost_lang::cel::typed::{Constant, Section, TypedKind};
use waypost_lang::cel::{Expected, Scope, check};
use waypost_lang::cel::{Expr, ExprKind};
use waypost_lang::codes;
use waypost_lang::syntax::tree::Let;

use super::collected::Collected;
use super::context::Names;
use crate::Folder;
use crate::findings::Findings;

/// The value of every constant that has one.
pub(crate) fn resolve(
    collected: &Collected<'_>,
    names: &Names,
    findings: &mut Findings,
) -> BTreeMap<String, Constant> {
    let mut values = BTreeMap::new();
    let mut failed: BTreeSet<&str> = BTreeSet::new();
    let mut pending: Vec<&Let> = collected
        .lets
        .iter()
        .copied()
        .filter(|one| names.constants.owns(&one.name))
        .collect();
    loop {
        let waiting: BTreeSet<&str> = pending.iter().map(|one| one.name.value.as_str()).collect();
        let (ready, blocked): (Vec<&Let>, Vec<&Let>) = pending
            .iter()
            .partition(|one| !mentions(&one.value, &waiting));
        if ready.is_empty() {
            break;
        }
        for constant in ready {
            // Made of one that failed: reported there.
            let value = if mentions(&constant.value, &failed) {
                None
            } else {
                value(constant, &values, names, findings)
            };
            match value {
                Some(value) => drop(values.insert(constant.name.value.clone(), value)),
                None => drop(failed.insert(&constant.name.value)),
            }
        }
        pending = blocked;
    }
    if let Some(first) = pending.first() {
        findings.push(
            codes::CONSTANT_FAILS
                .error(
                    first.value.span,
                    format!("`{}` is defined by itself", first.name.value),
                )
                .label("leads back to this constant")
                .help("write its value"),
        );
    }
    values
}

fn value(
    constant: &Let,
    values: &BTreeMap<String, Constant>,
    names: &Names,
    findings: &mut Findings,
) -> Option<Constant> {
    let scope = Scope {
        constants: &|name| values.get(name).cloned(),
        constant_names: &names.constants,
        evaluator: Some(&Folder),
        ..Scope::of(Section::Constant)
    };
    let mut diagnostics = Vec::new();
    let typed = check(&constant.value, &scope, Expected::Any, &mut diagnostics);
    findings.extend(diagnostics);
    let typed = typed?;
    if let TypedKind::Constant(value) = typed.kind {
        return Some(value);
    }
    findings.push(
        codes::CONSTANT_FAILS
            .error(
                constant.value.span,
                format!("`{}` is not constant", constant.name.value),
            )
            .label("its value is known only at run time")
            .help("write a literal, or an expression of literals and other constants"),
    );
    None
}

/// Whether an identifier of `names` stands in the expression.
fn mentions(expr: &Expr, names: &BTreeSet<&str>) -> bool {
    let any = |all: &[&Expr]| all.iter().any(|one| mentions(one, names));
    match &expr.kind {
        ExprKind::Error | ExprKind::Literal(_) => false,
        ExprKind::Identifier(name) => names.contains(name.as_str()),
        ExprKind::Select { operand, .. } | ExprKind::Unary { operand, .. } => any(&[operand]),
        ExprKind::Index { operand, index, .. } => any(&[operand, index]),
        ExprKind::Call {
            receiver,
            arguments,
            ..
        } => {
            receiver.as_ref().is_some_and(|one| mentions(one, names))
                || arguments.iter().any(|one| mentions(one, names))
        }
        ExprKind::Binary { left, right, .. } => any(&[left, right]),
        ExprKind::Conditional {
            condition,
            then,
            otherwise,
        } => any(&[condition, then, otherwise]),
        ExprKind::List(elements) => elements.iter().any(|(_, one)| mentions(one, names)),
        ExprKind::Map(entries) => entries.iter().any(|(_, key, value)| any(&[key, value])),
        ExprKind::Message { fields, .. } => fields.iter().any(|(_, one)| mentions(one, names)),
    }
}
