//! WP0403: a condition that every call satisfies.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::statement::place;
use crate::proofs::conditions::Place;
use crate::proofs::coverage::{Fate, Group, Kind, Rule};

/// Finds rules that match every call, and conditions that leave nothing out.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for group in &subject.proofs.groups {
        for (rule, fate) in group.rules.iter().zip(&group.fates) {
            if *fate == Fate::Always && rule.kind != Kind::Priority {
                found.push(rule_finding(subject, group, rule));
            }
        }
    }
    for one in &subject.proofs.conditions {
        if one.written.place != Place::Rule && one.total && one.always {
            let finding = codes::ALWAYS_MATCHES
                .warning(one.written.when.span, "this condition is always true")
                .label("it leaves nothing out")
                .help("delete the condition, or correct it");
            found.push(finding);
        }
    }
}

fn rule_finding(subject: &Subject<'_>, group: &Group<'_>, rule: &Rule<'_>) -> Diagnostic {
    let tier = |index: Option<usize>| {
        let tier = index.and_then(|index| subject.program.tiers.get(index));
        tier.map_or("", |tier| tier.name.value.as_str())
    };
    let label = &rule.label.text;
    let start = group.start.map(|(start, _)| start);
    let (message, help) = match rule.kind {
        Kind::Escalation => (
            format!(
                "`{label}` matches every call: none stays at `{}`",
                tier(start)
            ),
            format!(
                "write `start {}` if that is meant, or narrow the condition",
                tier(rule.tier)
            ),
        ),
        Kind::Cap => (
            format!(
                "`{label}` matches every call: none gets more than `{}`",
                tier(rule.tier)
            ),
            "narrow the condition, or take the higher tiers out of `escalate`".to_owned(),
        ),
        _ => (
            format!("`{label}` matches every call: all are refused"),
            "narrow the condition".to_owned(),
        ),
    };
    let span = rule.when.map_or_else(|| place(rule), |when| when.span);
    let finding = codes::ALWAYS_MATCHES
        .warning(span, message)
        .label("this is true of every call")
        .help(help);
    match group.start {
        Some((_, start)) => finding.because(start, "no call stays here"),
        None => finding,
    }
}
