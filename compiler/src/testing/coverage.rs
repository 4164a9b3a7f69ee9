//! Which rules the tests of a file reach, and which no test does.
//!
//! A rule is reached when a test makes it match: a condition that holds, a limit or budget of which an outcome acts,
//! a `keep` that puts the call into a session.

use std::collections::BTreeMap;

use waypost_lang::SourceMap;
use waypost_policies::explain::RuleExplanation;
use waypost_policies::plan::draft::Origin;
use waypost_policies::{Explanation, Plan};

use super::Outcome;

/// A rule, by where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// `escalate`, `keep`, `cap`, `deny`, `limit`, `budget` or `priority`.
    pub kind: &'static str,
    /// Its label, or its own text.
    pub label: String,
}

impl Rule {
    /// With the file's name as the user gave it: a plan's names are relative to its first file.
    fn named(self, plan: &Plan, sources: &SourceMap) -> Self {
        let mut files = sources.files();
        let file = files.find(|(id, _)| plan.file(id.0) == Some(&*self.file));
        match file {
            Some((_, file)) => Self {
                file: file.name().to_owned(),
                ..self
            },
            None => self,
        }
    }
}

/// The rules of one or several plans, and how many tests reached each.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    rules: BTreeMap<Rule, usize>,
}

impl Coverage {
    /// Adds the rules of a plan by the names of its sources; a rule that several files import counts once.
    pub fn declare(&mut self, plan: &Plan, sources: &SourceMap) {
        for rule in rules(plan) {
            let rule = rule.named(plan, sources);
            self.rules.entry(rule).or_insert(0);
        }
    }

    /// Adds what a test of that plan reached.
    pub fn add(&mut self, outcome: &Outcome, plan: &Plan, sources: &SourceMap) {
        for rule in &outcome.reached {
            let rule = rule.clone().named(plan, sources);
            if let Some(count) = self.rules.get_mut(&rule) {
                *count += 1;
            }
        }
    }

    /// Every rule by file and line, and how many tests reached it.
    pub fn rules(&self) -> impl Iterator<Item = (&Rule, usize)> {
        self.rules.iter().map(|(rule, count)| (rule, *count))
    }

    /// How many rules there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.rules.len()
    }

    /// How many a test reached.
    #[must_use]
    pub fn reached(&self) -> usize {
        self.rules.values().filter(|count| **count > 0).count()
    }

    /// The share that is reached, in tenths of a percent, rounded down: 1000 says that nothing is left. Of no rules, all.
    #[must_use]
    pub fn per_mille(&self) -> usize {
        match self.total() {
            0 => 1000,
            total => self.reached() * 1000 / total,
        }
    }
}

/// The rules that a decision reached.
pub(super) fn reached(explanation: &Explanation, is_in_session: bool) -> Vec<Rule> {
    let acts = |rule: &&RuleExplanation| rule.matched || rule.kind == "keep" && is_in_session;
    let rules = explanation.rules.iter().filter(acts);
    rules
        .map(|rule| Rule {
            file: rule.file.clone(),
            line: rule.line,
            kind: rule.kind,
            label: rule.label.clone(),
        })
        .collect()
}

fn rules(plan: &Plan) -> Vec<Rule> {
    let rule = |kind, label: &str, origin: Origin| Rule {
        file: plan.file(origin.file).unwrap_or_default().to_owned(),
        line: origin.line,
        kind,
        label: label.to_owned(),
    };
    let mut all = Vec::new();
    for content in plan.contents() {
        let escalations = content.escalations();
        all.extend(escalations.map(|one| rule("escalate", one.label(), one.origin())));
        all.extend(
            content
                .keep()
                .map(|keep| rule("keep", "keep", keep.origin())),
        );
    }
    all.extend(
        plan.caps()
            .map(|cap| rule("cap", cap.label(), cap.origin())),
    );
    all.extend(
        plan.denials()
            .map(|denial| rule("deny", denial.label(), denial.origin())),
    );
    all.extend(plan.quotas().map(|quota| {
        let kind = if quota.budget() { "budget" } else { "limit" };
        rule(kind, quota.label(), quota.origin())
    }));
    all.extend(
        plan.priorities()
            .map(|priority| rule("priority", priority.label(), priority.origin())),
    );
    all
}
