//! What becomes of each rule of a file: which never match, which always do, which another covers.
//!
//! Invariant: rules that are called dead can all be deleted together, and no decision changes. They are found one after
//! another, each covered by rules that were still alive.

use std::rc::Rc;

use waypost_lang::cel::typed::{Field, Typed};
use waypost_lang::source::Span;

use super::conditions::{self, Judged, Place, Written};
use super::index::Index;
use super::{Condition, Reasoner, known};
use crate::program::{Label, Program, TierIndex};

/// Groups of at most so many rules are also searched for several rules that cover one together.
const FEW: usize = 64;

/// The kind of a rule. Rules of one kind, and of one content section, may cover one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Escalation,
    Denial,
    Cap,
    Priority,
}

/// A rule that has a condition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule<'p> {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) label: &'p Label,
    /// Absent for a priority of all calls.
    pub(crate) when: Option<&'p Typed>,
    /// Of two that match, the stronger decides.
    pub(crate) strength: i64,
    /// Where it raises or lowers to.
    pub(crate) tier: Option<TierIndex>,
}

/// What becomes of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It decides some calls, as far as is known.
    Lives,
    /// Its condition is never true.
    Never,
    /// Its condition is always true.
    Always,
    /// What it does, it does to nobody: it raises to the start or below, or caps at a tier that nobody exceeds.
    Idle,
    /// These, by their place in the group, decide every call that it matches.
    Covered {
        by: Vec<usize>,
        /// Whether it covers the other too.
        same: bool,
    },
}

/// The rules of one kind and section.
#[derive(Debug)]
pub(crate) struct Group<'p> {
    pub(crate) rules: Vec<Rule<'p>>,
    pub(crate) fates: Vec<Fate>,
    /// Where calls start, for escalations.
    pub(crate) start: Option<(TierIndex, Span)>,
}

/// What is proved of a program's rules.
#[derive(Debug)]
pub(crate) struct Proofs<'p> {
    pub(crate) groups: Vec<Group<'p>>,
    /// Each condition by itself: of rules, limits, budgets and pools.
    pub(crate) conditions: Vec<Judged<'p>>,
}

impl<'p> Proofs<'p> {
    pub(crate) fn of(program: &'p Program) -> Self {
        let mut groups = Vec::new();
        let mut judged = Vec::new();
        for content in &program.contents {
            let start = Some((content.start.value, content.start.span));
            let rules = content.escalations.iter().map(|rule| Rule {
                kind: Kind::Escalation,
                span: rule.span,
                label: &rule.label,
                when: Some(&rule.when),
                strength: rank(rule.tier),
                tier: Some(rule.tier),
            });
            let idle = |rule: &Rule<'_>, _: &Condition, _: &mut Reasoner| {
                rule.tier.is_some_and(|tier| tier <= content.start.value)
            };
            let mut reasoner = Reasoner::of_content(content);
            groups.push(group(
                rules.collect(),
                start,
                &mut reasoner,
                &idle,
                &mut judged,
            ));
        }
        let mut reasoner = Reasoner::of_policy(program);
        for rules in [denials(program), priorities(program)] {
            let never = |_: &Rule<'_>, _: &Condition, _: &mut Reasoner| false;
            groups.push(group(rules, None, &mut reasoner, &never, &mut judged));
        }
        let highest = highest_below(program);
        let idle = |rule: &Rule<'_>, condition: &Condition, reasoner: &mut Reasoner| {
            let Some(cap) = rule.tier else { return false };
            let harmless = program
                .tiers
                .iter()
                .zip(&highest)
                .filter(|(_, highest)| **highest <= cap);
            let tiers = harmless.map(|(tier, _)| Rc::from(tier.name.value.as_str()));
            let sees_tier = rule
                .when
                .is_some_and(|when| when.fields().contains(&Field::Tier));
            let all = highest.last().is_none_or(|highest| *highest <= cap);
            all || (sees_tier && reasoner.only_in_tiers(condition, tiers.collect()))
        };
        let caps = group(caps(program), None, &mut reasoner, &idle, &mut judged);
        groups.push(caps);
        judged.extend(conditions::of_quotas(program, &mut reasoner));
        judged.extend(conditions::of_pools(program));
        Self {
            groups,
            conditions: judged,
        }
    }
}

fn rank(tier: TierIndex) -> i64 {
    i64::try_from(tier).unwrap_or(i64::MAX)
}

fn denials(program: &Program) -> Vec<Rule<'_>> {
    let rules = program.policy.denials.iter().map(|rule| Rule {
        kind: Kind::Denial,
        span: rule.span,
        label: &rule.label,
        when: Some(&rule.when),
        strength: -i64::from(rule.status),
        tier: None,
    });
    rules.collect()
}

fn caps(program: &Program) -> Vec<Rule<'_>> {
    let rules = program.policy.caps.iter().map(|rule| Rule {
        kind: Kind::Cap,
        span: rule.span,
        label: &rule.label,
        when: Some(&rule.when),
        strength: -rank(rule.tier),
        tier: Some(rule.tier),
    });
    rules.collect()
}

fn priorities(program: &Program) -> Vec<Rule<'_>> {
    let rules = program.policy.priorities.iter().map(|rule| Rule {
        kind: Kind::Priority,
        span: rule.span,
        label: &rule.label,
        when: rule.when.as_ref(),
        strength: rule.value,
        tier: None,
    });
    rules.collect()
}

/// For each content tier the highest tier that a cap could hold such a call, or one of its fallbacks, away from.
fn highest_below(program: &Program) -> Vec<TierIndex> {
    let reached = known::visible_tiers(program);
    let mut highest = 0;
    let tiers = 0..program.tiers.len();
    tiers
        .map(|tier| {
            if reached.contains(&tier) {
                let models = known::models_of(program, tier).into_iter();
                let homes = models.filter_map(|model| known::home_tier(program, model));
                highest = homes.chain([tier]).max().unwrap_or(tier).max(highest);
            }
            highest
        })
        .collect()
}

/// Whether a rule does nothing even where it matches.
type Idle<'a> = &'a dyn Fn(&Rule<'_>, &Condition, &mut Reasoner) -> bool;

fn group<'p>(
    rules: Vec<Rule<'p>>,
    start: Option<(TierIndex, Span)>,
    reasoner: &mut Reasoner,
    idle: Idle<'_>,
    judged: &mut Vec<Judged<'p>>,
) -> Group<'p> {
    let conditions: Vec<Condition> = rules
        .iter()
        .map(|rule| {
            rule.when
                .map_or_else(Condition::always, |when| reasoner.condition(when))
        })
        .collect();
    let mut fates: Vec<Fate> = rules
        .iter()
        .zip(&conditions)
        .map(|(rule, condition)| {
            let own = written(rule).map(|written| Judged::of(reasoner, written, condition));
            let (never, always) = own
                .as_ref()
                .map_or((false, false), |one| (one.never.is_some(), one.always));
            judged.extend(own);
            if never {
                Fate::Never
            } else if idle(rule, condition, reasoner) {
                Fate::Idle
            } else if always {
                Fate::Always
            } else {
                Fate::Lives
            }
        })
        .collect();
    let mut index = Index::default();
    for (at, (rule, condition)) in rules.iter().zip(&conditions).enumerate() {
        if fates.get(at).is_some_and(is_alive) {
            index.add(at, rule.strength, &condition.formula);
        }
    }
    for at in (0..rules.len()).rev() {
        if fates.get(at).is_some_and(is_alive)
            && let Some(fate) = covered(at, &rules, &conditions, &fates, &index, reasoner)
            && let Some(slot) = fates.get_mut(at)
        {
            *slot = fate;
        }
    }
    Group {
        rules,
        fates,
        start,
    }
}

fn written<'p>(rule: &Rule<'p>) -> Option<Written<'p>> {
    Some(Written {
        place: Place::Rule,
        when: rule.when?,
        label: Some(rule.label),
        span: rule.span,
    })
}

const fn is_alive(fate: &Fate) -> bool {
    matches!(fate, Fate::Lives | Fate::Always)
}

fn covered(
    at: usize,
    rules: &[Rule<'_>],
    conditions: &[Condition],
    fates: &[Fate],
    index: &Index,
    reasoner: &Reasoner,
) -> Option<Fate> {
    let (rule, condition) = (rules.get(at)?, conditions.get(at)?);
    let may_cover = |other: &usize| {
        *other != at
            && fates.get(*other).is_some_and(is_alive)
            && rules
                .get(*other)
                .is_some_and(|other| other.strength >= rule.strength)
    };
    let proves = |covers: &[&Condition]| match (rule.kind, covers) {
        // A priority whose condition fails does not count.
        (Kind::Priority, [cover]) => reasoner.holds_where(condition, cover),
        (Kind::Priority, _) => false,
        _ => reasoner.covers(condition, covers),
    };
    let one = index
        .candidates(rule.strength, &condition.formula)
        .into_iter()
        .filter(may_cover)
        .find(|other| conditions.get(*other).is_some_and(|cover| proves(&[cover])));
    if let Some(one) = one {
        let other = conditions.get(one)?;
        let equal = rules.get(one)?.strength == rule.strength;
        let same = equal && reasoner.covers(other, &[condition]);
        return Some(Fate::Covered {
            by: vec![one],
            same,
        });
    }
    if rules.len() > FEW {
        return None;
    }
    let mut by: Vec<usize> = (0..rules.len()).filter(may_cover).collect();
    let of = |by: &[usize]| {
        by.iter()
            .filter_map(|one| conditions.get(*one))
            .collect::<Vec<_>>()
    };
    if by.len() < 2 || !proves(&of(&by)) {
        return None;
    }
    for one in by.clone() {
        let fewer: Vec<usize> = by.iter().copied().filter(|other| *other != one).collect();
        if proves(&of(&fewer)) {
            by = fewer;
        }
    }
    Some(Fate::Covered { by, same: false })
}
