//! WP0408, WP0409: a rule that matches calls and does nothing to them.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::statement::place;
use crate::proofs::coverage::{Fate, Group, Kind, Rule};

/// Finds caps at a tier that no call that they match exceeds.
pub(super) fn check_caps(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (rule, _) in idle(subject, Kind::Cap) {
        let tier = name(subject, rule);
        let is_top = rule
            .tier
            .is_some_and(|tier| tier + 1 >= subject.program.tiers.len());
        let label = if is_top {
            format!("`{tier}` is the highest tier")
        } else {
            format!("no call that it matches is ever above `{tier}`")
        };
        let finding = codes::CAP_NEVER_LOWERS
            .warning(
                place(rule),
                format!("`{}` never lowers a call", rule.label.text),
            )
            .label(label)
            .help("cap at a lower tier, or delete the rule");
        found.push(subject.deleting(finding, rule));
    }
}

/// Finds escalations to the start or below it.
pub(super) fn check_escalations(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (rule, group) in idle(subject, Kind::Escalation) {
        let tier = name(subject, rule);
        let mut finding = codes::ESCALATION_TO_START
            .warning(
                place(rule),
                format!("`{}` never raises a call", rule.label.text),
            )
            .label(format!("every call is at least `{tier}` anyway"))
            .help("escalate to a higher tier, or delete the rule");
        if let Some((_, start)) = group.start {
            finding = finding.because(start, "calls start here");
        }
        found.push(subject.deleting(finding, rule));
    }
}

fn name<'s>(subject: &Subject<'s>, rule: &Rule<'_>) -> &'s str {
    let tier = rule.tier.and_then(|tier| subject.program.tiers.get(tier));
    tier.map_or("", |tier| tier.name.value.as_str())
}

fn idle<'s>(subject: &Subject<'s>, kind: Kind) -> Vec<(&'s Rule<'s>, &'s Group<'s>)> {
    let mut found = Vec::new();
    for group in &subject.proofs.groups {
        let rules = group.rules.iter().zip(&group.fates);
        let rules = rules.filter(|(rule, fate)| rule.kind == kind && **fate == Fate::Idle);
        found.extend(rules.map(|(rule, _)| (rule, group)));
    }
    found
}
