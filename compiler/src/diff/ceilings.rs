//! Spend ceilings that moved: for each tier and the file, by everyone and by one caller.

use std::collections::BTreeSet;

use super::{Change, ChangeKind};
use crate::Program;
use crate::ceiling::{Ceiling, Ceilings, Figures, Horizon, Scope, ceiling};

/// Every ceiling that is another one now.
pub(super) fn compare(old: &Program, new: &Program) -> Vec<Change> {
    let (before, after) = (ceiling(old), ceiling(new));
    let tiers: BTreeSet<&str> = [old, new]
        .into_iter()
        .flat_map(|program| &program.tiers)
        .map(|tier| &*tier.name.value)
        .collect();
    let mut changes = Vec::new();
    for name in tiers {
        let (was, is) = (tier(&before, old, name), tier(&after, new, name));
        // A tier that came or went is said to have.
        if let (Some(was), Some(is)) = (was, is) {
            changes.extend(moved(&format!("spend ceiling of tier `{name}`"), was, is));
        }
    }
    changes.extend(moved(
        "spend ceiling of the file",
        &before.file,
        &after.file,
    ));
    changes
}

fn tier<'c>(ceilings: &'c Ceilings, program: &Program, name: &str) -> Option<&'c Scope> {
    let mut tiers = program.tiers.iter();
    let index = tiers.position(|tier| tier.name.value == name)?;
    ceilings.tiers.get(index)
}

fn moved(subject: &str, was: &Scope, is: &Scope) -> Option<Change> {
    let mut details = figures("", &was.everyone, &is.everyone);
    details.extend(figures(" by one caller", &was.caller, &is.caller));
    (!details.is_empty()).then(|| Change {
        kind: ChangeKind::Changed,
        subject: subject.to_owned(),
        details,
        old: None,
        new: None,
        is_rule: false,
        witness: None,
    })
}

fn figures(who: &str, was: &Figures, is: &Figures) -> Vec<String> {
    let horizons = [
        (Horizon::Hour, "an hour"),
        (Horizon::Day, "a day"),
        (Horizon::Month, "a month"),
    ];
    let changed = horizons.into_iter().filter_map(|(horizon, word)| {
        let (was, is) = (was.of(horizon), is.of(horizon));
        let differs = was.most() != is.most();
        differs.then(|| format!("{word}{who}: {} -> {}", figure(was), figure(is)))
    });
    changed.collect()
}

/// ``$1,550.00 by `$50 / day` ``
fn figure(ceiling: &Ceiling) -> String {
    let Some(most) = ceiling.most() else {
        return "unbounded".to_owned();
    };
    let by = ceiling.by().first();
    let by = by.map_or_else(String::new, |rule| format!(" by `{}`", rule.label));
    format!("{}{by}", most.readable())
}
