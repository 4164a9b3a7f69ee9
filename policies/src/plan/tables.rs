//! What is built once when a plan is loaded: compiled patterns, time zones, what each expression reads, the order
//! of accepted names, and what the plan needs to know of a call.

use std::cmp::Reverse;

use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};

use super::ranked::{Ranked, Rule};
use super::verify::Flaw;
use super::view::{Amount, Model, ProviderKind, Quota, Root, Step, Tier, Via};
use super::{Needs, PlanError, meaning, section};
use crate::cost::{Price, Sort};
use crate::vm::{self, Bounds, Condition, Field, Kind, Summary};

/// How large a compiled pattern may be, in bytes: nearly all fit the first.
const PATTERN_SIZES: [usize; 2] = [1 << 16, 1 << 20];
/// How large all compiled patterns of a plan may be together.
const ALL_PATTERNS: usize = 1 << 27;
/// How long a pattern's text may be: parsing takes many times as much memory.
const LONGEST_PATTERN: usize = 1 << 16;

#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) needs: Needs,
    pub(crate) patterns: Vec<Regex>,
    pub(crate) zones: Vec<TimeZone>,
    pub(crate) expressions: Vec<Summary>,
    /// Of each expression the form in which it is evaluated fastest, if it has one.
    pub(crate) conditions: Vec<Option<Condition>>,
    /// The model that each tier tries first; a split stands for its largest arm.
    pub(crate) homes: Vec<u16>,
    /// Of each model the lowest tier whose home it is.
    pub(crate) home_tiers: Vec<Option<u16>>,
    /// Accepted names that are exact, sorted by name.
    pub(crate) exact: Vec<u16>,
    /// Accepted prefixes, the longest first.
    pub(crate) prefixes: Vec<u16>,
    /// What each model costs.
    pub(crate) prices: Vec<Option<Price>>,
    /// Whether each model is served as a call asks: its provider reads `service_tier`, and it is sent.
    pub(crate) served_as_asked: Vec<bool>,
    pub(crate) ranks: Ranks,
}

/// Rules in the order in which they win.
#[derive(Debug)]
pub(crate) struct Ranks {
    /// Of each content section the escalations that raise a call: to the highest tier first.
    pub(crate) escalations: Vec<Ranked>,
    /// To the lowest tier first.
    pub(crate) caps: Ranked,
    /// The lowest status first, then by label, so that their order in the file says nothing.
    pub(crate) denials: Ranked,
    /// The highest first.
    pub(crate) priorities: Ranked,
    /// Quotas in the order of the plan.
    pub(crate) quotas: Ranked,
    /// Of these the ones that cap or warn: they are asked before it is known which model answers.
    pub(crate) steering: Ranked,
}

impl Tables {
    /// Builds them, and verifies what only building them can: patterns, code, the types of expressions.
    pub(super) fn build(root: &Root<'_>) -> Result<Self, PlanError> {
        let mut room = ALL_PATTERNS;
        let patterns = root.constants().patterns();
        let patterns = compile(section::PATTERNS, patterns, &mut room)?;
        let redactions = root.redactions().map(|redaction| redaction.pattern());
        compile(section::REDACTIONS, redactions, &mut room)?;
        let zones = root.constants().zones();
        let zones = zones.map(|name| vm::zone(name).unwrap_or(TimeZone::UTC));
        let expressions = summaries(root)?;
        types(root, &expressions)?;
        let (exact, prefixes) = accepted(root);
        let homes: Vec<u16> = root.tiers().filter_map(|tier| home(&tier)).collect();
        Ok(Self {
            needs: needs(root, &expressions),
            patterns,
            zones: zones.collect(),
            expressions,
            conditions: root
                .expressions()
                .map(|expression| Condition::of(expression.code(), root.constants()))
                .collect(),
            home_tiers: home_tiers(&homes, root.models().len()),
            homes,
            exact,
            prefixes,
            prices: root
                .models()
                .map(|model| Price::new(model.price().collect()))
                .collect(),
            served_as_asked: root
                .models()
                .map(|model| is_served_as_asked(root, &model))
                .collect(),
            ranks: ranks(root),
        })
    }
}

fn is_served_as_asked(root: &Root<'_>, model: &Model<'_>) -> bool {
    let Via::Provider(provider) = model.via() else {
        return false;
    };
    let provider = root.providers().get(provider.into());
    let reads = provider.is_some_and(|provider| match provider.kind() {
        ProviderKind::OpenAi
        | ProviderKind::AzureOpenAi
        | ProviderKind::OpenAiCompatible
        | ProviderKind::Bedrock => true,
        ProviderKind::Anthropic | ProviderKind::Gemini => false,
    });
    reads && model.rejects().all(|parameter| parameter != "service_tier")
}

fn compile<'p>(
    number: usize,
    patterns: impl Iterator<Item = &'p str>,
    room: &mut usize,
) -> Result<Vec<Regex>, PlanError> {
    let compile = |(index, text): (usize, &str)| {
        within(text, room).map_err(|_| PlanError::flaw(number, index, Flaw::Pattern))
    };
    patterns.enumerate().map(compile).collect()
}

/// A pattern as a plan compiles it. The compiler asks it too, so that what compiles loads.
///
/// # Errors
///
/// If it is no regular expression, or one that is too large.
pub fn pattern(text: &str) -> Result<Regex, regex::Error> {
    let mut room = ALL_PATTERNS;
    within(text, &mut room)
}

/// A pattern compiled, within what is left for all of them.
fn within(text: &str, room: &mut usize) -> Result<Regex, regex::Error> {
    let mut refusal = regex::Error::CompiledTooBig(LONGEST_PATTERN);
    if text.len() > LONGEST_PATTERN {
        return Err(refusal);
    }
    for size in PATTERN_SIZES {
        let Some(left) = room.checked_sub(size) else {
            break;
        };
        let compiled = RegexBuilder::new(text)
            .size_limit(size)
            .dfa_size_limit(1 << 20)
            .build();
        match compiled {
            Ok(compiled) => {
                *room = left;
                return Ok(compiled);
            }
            Err(reason) => refusal = reason,
        }
    }
    Err(refusal)
}

fn summaries(root: &Root<'_>) -> Result<Vec<Summary>, PlanError> {
    let constants = root.constants();
    let bounds = Bounds {
        strings: constants.strings().len(),
        lists: (0..constants.lists().len())
            .map(|index| u32::try_from(index).is_ok_and(|index| meaning::is_map(root, index)))
            .collect(),
        sets: constants.sets().len(),
        patterns: constants.patterns().len(),
        zones: constants.zones().len(),
        maps: [
            root.headers().len(),
            root.metadata().len(),
            root.claims().len(),
            root.labels().len(),
        ],
    };
    let verify = |(index, expression): (usize, super::view::Expression<'_>)| {
        vm::verify(expression.code(), &bounds)
            .map_err(|flaw| PlanError::flaw(section::EXPRESSIONS, index, Flaw::Code(flaw)))
    };
    root.expressions().enumerate().map(verify).collect()
}

/// Conditions are bools, what is counted or kept by is a string.
fn types(root: &Root<'_>, expressions: &[Summary]) -> Result<(), PlanError> {
    let is = |index: u32, kind: Kind| {
        let summary = expressions.get(index as usize);
        if summary.is_some_and(|summary| summary.result == kind || summary.result == Kind::Any) {
            return Ok(());
        }
        let record = index as usize;
        Err(PlanError::flaw(
            section::EXPRESSIONS,
            record,
            Flaw::ExpressionType,
        ))
    };
    for content in root.contents() {
        for escalation in content.escalations() {
            is(escalation.when(), Kind::Bool)?;
        }
        if let Some(keep) = content.keep() {
            is(keep.session(), Kind::Text)?;
        }
    }
    for denial in root.denials() {
        is(denial.when(), Kind::Bool)?;
    }
    for cap in root.caps() {
        is(cap.when(), Kind::Bool)?;
    }
    for quota in root.quotas() {
        quota.when().map_or(Ok(()), |when| is(when, Kind::Bool))?;
        quota.per().map_or(Ok(()), |per| is(per, Kind::Text))?;
    }
    for priority in root.priorities() {
        priority
            .when()
            .map_or(Ok(()), |when| is(when, Kind::Bool))?;
    }
    for pool in root.pools() {
        for only in pool.placement().only() {
            is(only, Kind::Bool)?;
        }
    }
    for step in root.tiers().flat_map(|tier| tier.steps()) {
        if let Step::Split { key: Some(key), .. } = step {
            is(key, Kind::Text)?;
        }
    }
    Ok(())
}

fn ranks(root: &Root<'_>) -> Ranks {
    let escalations = root.contents().map(|content| {
        let start = content.start();
        let raising = (0..).zip(content.escalations());
        let raising = raising.filter(|(_, rule)| rule.tier() > start);
        ranked(
            root,
            raising.map(|(place, rule)| (Reverse(rule.tier()), place, Some(rule.when()))),
        )
    });
    let caps = (0..).zip(root.caps());
    let denials = (0..).zip(root.denials());
    let priorities = (0..).zip(root.priorities());
    let quotas = || (0..).zip(root.quotas());
    let steers = |quota: &Quota<'_>| quota.outcomes().any(|outcome| !outcome.action().refuses());
    Ranks {
        escalations: escalations.collect(),
        caps: ranked(
            root,
            caps.map(|(place, rule)| (rule.tier(), place, Some(rule.when()))),
        ),
        denials: ranked(
            root,
            denials.map(|(place, rule)| ((rule.status(), rule.label()), place, Some(rule.when()))),
        ),
        priorities: ranked(
            root,
            priorities.map(|(place, rule)| (Reverse(rule.value()), place, rule.when())),
        ),
        quotas: ranked(
            root,
            quotas().map(|(place, quota)| ((), place, quota.when())),
        ),
        steering: ranked(
            root,
            quotas()
                .filter(|(_, quota)| steers(quota))
                .map(|(place, quota)| ((), place, quota.when())),
        ),
    }
}

/// Rules by what ranks them, then by their place; each with its place and condition.
fn ranked<K: Ord>(root: &Root<'_>, rules: impl Iterator<Item = (K, u16, Option<u32>)>) -> Ranked {
    let mut rules: Vec<(K, u16, Option<u32>)> = rules.collect();
    rules.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    let rules = rules.into_iter();
    let rules = rules.map(|(_, place, when)| Rule { place, when }).collect();
    let expressions = root.expressions();
    let code = |index: u32| {
        let expression = expressions.get(index as usize);
        expression.map_or(&[][..], |expression| expression.code())
    };
    Ranked::new(rules, code, &root.constants())
}

/// Of arms with equal shares the last, as the compiler has it where `on` names a tier.
fn home(tier: &Tier<'_>) -> Option<u16> {
    match tier.steps().next()? {
        Step::Try(model) => Some(model),
        Step::Split { arms, .. } => {
            let largest = arms.reduce(|best, arm| if arm.1 >= best.1 { arm } else { best });
            largest.map(|(model, _)| model)
        }
    }
}

fn home_tiers(homes: &[u16], models: usize) -> Vec<Option<u16>> {
    let mut tiers = vec![None; models];
    for (tier, home) in (0..).zip(homes) {
        if let Some(lowest @ None) = tiers.get_mut(usize::from(*home)) {
            *lowest = Some(tier);
        }
    }
    tiers
}

fn needs(root: &Root<'_>, expressions: &[Summary]) -> Needs {
    let reads = |field: Field| expressions.iter().any(|summary| summary.reads(field));
    let difficulty = reads(Field::Difficulty);
    let owned = |text: &str| text.to_owned();
    Needs {
        prompt: difficulty || reads(Field::RequestPrompt),
        system: reads(Field::RequestSystem),
        messages: reads(Field::RequestMessages),
        tools: reads(Field::RequestTools),
        difficulty,
        fingerprint: root
            .quotas()
            .any(|quota| matches!(quota.amount(), Amount::Repeats(_))),
        cache_lifetime: root.models().any(|model| {
            let mut rows = model.price();
            rows.any(|row| row.rates.said(Sort::CacheWriteHour).is_some())
        }),
        headers: root.headers().map(owned).collect(),
        metadata: root.metadata().map(owned).collect(),
        claims: root.claims().map(owned).collect(),
    }
}

fn accepted(root: &Root<'_>) -> (Vec<u16>, Vec<u16>) {
    let name = |index: &u16| {
        let accept = root.accepts().get((*index).into());
        accept.map_or("", |accept| accept.name())
    };
    let is_prefix = |index: &u16| {
        let accept = root.accepts().get((*index).into());
        accept.is_some_and(|accept| accept.prefix())
    };
    let all = 0..u16::try_from(root.accepts().len()).unwrap_or(u16::MAX);
    let (mut prefixes, mut exact): (Vec<u16>, Vec<u16>) = all.partition(is_prefix);
    exact.sort_by(|left, right| name(left).cmp(name(right)));
    prefixes.sort_by(|left, right| {
        let lengths = name(right).len().cmp(&name(left).len());
        lengths.then_with(|| name(left).cmp(name(right)))
    });
    (exact, prefixes)
}
