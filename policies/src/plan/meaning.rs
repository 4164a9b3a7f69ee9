//! What the records of a plan must mean together: shares, windows, statuses, zones.

use jiff::tz::TimeZone;

use super::verify::Flaw;
use super::view::{Amount, Period, Quota, Root, Scalar, Step, Tier, Window};
use super::{PlanError, section};
use crate::vm::{Key, TypeName, zone};

/// The most records of a kind that decisions can refer to: a counter of 16 bits may stand one after the last.
const MOST: usize = u16::MAX as usize - 1;

/// Checks everything that is not about one column alone and not about code.
pub(super) fn check(root: &Root<'_>) -> Result<(), PlanError> {
    counts(root)?;
    each(section::TIERS, root.tiers(), |tier| check_tier(&tier))?;
    each(
        section::CONTENTS,
        root.contents(),
        |content| match content.threshold() {
            Some(threshold) if !(0.0..=1.0).contains(&threshold) => Err(Flaw::Threshold),
            _ if content.escalations().len() > MOST => Err(Flaw::TooMany),
            _ => Ok(()),
        },
    )?;
    each(section::DENIALS, root.denials(), |denial| {
        match denial.status() {
            400..=599 => Ok(()),
            _ => Err(Flaw::Status),
        }
    })?;
    each(section::QUOTAS, root.quotas(), |quota| check_quota(&quota))?;
    if root.shared().is_some_and(|shared| shared.replicas() == 0) {
        return Err(PlanError::flaw(section::ROOT, 0, Flaw::Replicas));
    }
    constants(root)
}

fn each<T>(
    number: usize,
    rows: impl Iterator<Item = T>,
    check: impl Fn(T) -> Result<(), Flaw>,
) -> Result<(), PlanError> {
    for (index, row) in rows.enumerate() {
        check(row).map_err(|flaw| PlanError::flaw(number, index, flaw))?;
    }
    Ok(())
}

fn counts(root: &Root<'_>) -> Result<(), PlanError> {
    let counts = [
        (section::FILES, root.files().len()),
        (section::SECRETS, root.secrets().len()),
        (section::PROVIDERS, root.providers().len()),
        (section::POOLS, root.pools().len()),
        (section::MODELS, root.models().len()),
        (section::TIERS, root.tiers().len()),
        (section::ACCEPTS, root.accepts().len()),
        (section::CONTENTS, root.contents().len()),
        (section::DENIALS, root.denials().len()),
        (section::CAPS, root.caps().len()),
        (section::QUOTAS, root.quotas().len()),
        (section::PRIORITIES, root.priorities().len()),
    ];
    match counts.iter().find(|(_, count)| *count > MOST) {
        Some((number, count)) => Err(PlanError::flaw(*number, *count, Flaw::TooMany)),
        None => Ok(()),
    }
}

fn check_tier(tier: &Tier<'_>) -> Result<(), Flaw> {
    if tier.steps().is_empty() || tier.steps().len() > MOST {
        return Err(Flaw::Empty);
    }
    for step in tier.steps() {
        if let Step::Split { arms, .. } = step {
            let shares: u64 = arms.map(|(_, share)| u64::from(share)).sum();
            if shares != 10_000 {
                return Err(Flaw::Shares);
            }
        }
    }
    Ok(())
}

fn check_quota(quota: &Quota<'_>) -> Result<(), Flaw> {
    if quota.outcomes().is_empty() {
        return Err(Flaw::NoOutcome);
    }
    let is_concurrent = matches!(quota.amount(), Amount::Concurrent(_));
    if is_concurrent != matches!(quota.window(), Window::Open) {
        return Err(Flaw::Window);
    }
    match quota.window() {
        Window::Rolling(0) | Window::Sliding(0) | Window::Session(0) => Err(Flaw::Window),
        Window::Rolling(_)
        | Window::Sliding(_)
        | Window::Session(_)
        | Window::Call
        | Window::Open => Ok(()),
        Window::Calendar(Period::Day | Period::Week | Period::Month, name) => {
            TimeZone::get(name).map(|_| ()).map_err(|_| Flaw::Zone)
        }
    }
}

fn constants(root: &Root<'_>) -> Result<(), PlanError> {
    let constants = root.constants();
    each(section::ZONES, constants.zones(), |name| {
        zone(name).map(|_| ()).ok_or(Flaw::Zone)
    })?;
    each(section::SETS, constants.sets(), |set| {
        if set.is_sorted_by(|left, right| left < right) {
            Ok(())
        } else {
            Err(Flaw::Set)
        }
    })?;
    composites(root)
}

/// How deep constants may hold one another.
const MOST_NESTED: usize = 128;

/// Constants that hold constants hold earlier ones, and not too deep: so what walks them ends.
fn composites(root: &Root<'_>) -> Result<(), PlanError> {
    let mut depths: Vec<usize> = Vec::new();
    for list in root.constants().lists() {
        let mut depth = 0;
        for (index, scalar) in list.enumerate() {
            let held = match scalar {
                Scalar::Cidr(address, length)
                    if length > if address.is_ipv4() { 32 } else { 128 } =>
                {
                    Err(Flaw::Prefix)
                }
                Scalar::Type(number) if TypeName::from_number(number).is_none() => Err(Flaw::Tag),
                Scalar::List(held) => depths.get(held as usize).copied().ok_or(Flaw::Index),
                Scalar::Map(held) if !is_map(root, held) => Err(Flaw::Map),
                Scalar::Map(held) => depths.get(held as usize).copied().ok_or(Flaw::Index),
                _ => Ok(0),
            };
            let held = held.map_err(|flaw| PlanError::flaw(section::SCALARS, index, flaw))?;
            depth = depth.max(held + 1);
        }
        if depth > MOST_NESTED {
            return Err(PlanError::flaw(section::LISTS, depths.len(), Flaw::Map));
        }
        depths.push(depth);
    }
    Ok(())
}

/// Whether a list constant is a map: keys and values in turn, the keys sorted and distinct.
pub(super) fn is_map(root: &Root<'_>, index: u32) -> bool {
    let Some(list) = root.constants().lists().get(index as usize) else {
        return false;
    };
    let keys = (0..list.len())
        .step_by(2)
        .map(|place| list.get(place).and_then(key));
    let keys: Option<Vec<Key<'_>>> = keys.collect();
    list.len() % 2 == 0 && keys.is_some_and(|keys| keys.is_sorted_by(|left, right| left < right))
}

fn key(scalar: Scalar<'_>) -> Option<Key<'_>> {
    Some(match scalar {
        Scalar::Bool(value) => Key::Bool(value),
        Scalar::Int(number) => Key::Number(number.into()),
        Scalar::Uint(number) => Key::Number(number.into()),
        Scalar::String(text) => Key::Text(text),
        _ => return None,
    })
}
