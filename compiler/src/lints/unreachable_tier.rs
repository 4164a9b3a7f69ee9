//! WP0407: a tier that no call is ever given.

use std::collections::BTreeSet;

use waypost_lang::syntax::tree::{ItemKind, Step};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::proofs::coverage::{Fate, Kind};
use crate::proofs::known::final_tiers;

/// Finds tiers that no start, escalation, cap, quota, alias or model by name leads to, and that no other tier names.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let mut reached = final_tiers(program);
    let unreached_by_rules = only_by_dead_rules(subject);
    reached.retain(|tier| !unreached_by_rules.contains(tier));
    let named = named_by_tiers(subject);
    for (index, tier) in program.tiers.iter().enumerate() {
        let name = &tier.name;
        if reached.contains(&index) || named.contains(name.value.as_str()) {
            continue;
        }
        let label = if index == 0 {
            "no `start` and no `cap` leads to it"
        } else {
            "no `start`, `escalate` or `cap` leads to it"
        };
        found.push(
            codes::UNREACHABLE_TIER
                .warning(name.span, format!("no call is ever given the tier `{}`", name.value))
                .label(label)
                .help(format!("write the rule that should lead to it, such as `escalate to {} when …`, or delete the tier", name.value)),
        );
    }
}

/// Tiers that only rules lead to which never match.
fn only_by_dead_rules(subject: &Subject<'_>) -> BTreeSet<usize> {
    let (mut dead, mut alive) = (BTreeSet::new(), BTreeSet::new());
    for group in &subject.proofs.groups {
        for (rule, fate) in group.rules.iter().zip(&group.fates) {
            if rule.kind == Kind::Escalation || rule.kind == Kind::Cap {
                let to = if *fate == Fate::Never {
                    &mut dead
                } else {
                    &mut alive
                };
                to.extend(rule.tier);
            }
        }
        alive.extend(group.start.map(|(start, _)| start));
    }
    let quotas = subject
        .program
        .policy
        .quotas
        .iter()
        .flat_map(|quota| &quota.outcomes);
    alive.extend(quotas.filter_map(|outcome| match outcome.action {
        crate::program::Action::CapAt(tier) => Some(tier),
        _ => None,
    }));
    let accepts = subject
        .program
        .contents
        .iter()
        .flat_map(|content| &content.accepts);
    if accepts.into_iter().any(|accept| accept.model.is_some()) {
        return BTreeSet::new();
    }
    dead.difference(&alive).copied().collect()
}

/// Tiers that other tiers try: lists of models with a name.
fn named_by_tiers<'s>(subject: &Subject<'s>) -> BTreeSet<&'s str> {
    let items = subject.files.iter().flat_map(|file| &file.items);
    let mut named = BTreeSet::new();
    for item in items {
        if let ItemKind::Tier(tier) = &item.kind {
            named.extend(tier.steps.iter().filter_map(|step| match step {
                Step::Try(name) => Some(name.value.as_str()),
                Step::Split(_) => None,
            }));
        }
    }
    named
}
