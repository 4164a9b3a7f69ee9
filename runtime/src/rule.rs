//! Rules as people know them: kind, label, file and line.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::Serialize;
use waypost_policies::decision::RuleReference;
use waypost_policies::plan::Plan;

/// A rule, where it stands, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Site {
    /// `escalate`, `cap`, `deny`, …
    pub kind: &'static str,
    /// Its label.
    pub label: String,
    /// Its file.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
}

/// The rules of one plan as people know them; each is made when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Sites(ArcSwap<HashMap<RuleReference, Arc<Site>>>);

impl Sites {
    pub(crate) fn of(&self, plan: &Plan, rule: RuleReference) -> Arc<Site> {
        if let Some(site) = self.0.load().get(&rule) {
            return Arc::clone(site);
        }
        let site = Arc::new(Site::of(plan, rule));
        self.0.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(rule, Arc::clone(&site));
            known
        });
        site
    }
}

impl Site {
    /// Where a rule of this plan stands.
    pub(crate) fn of(plan: &Plan, rule: RuleReference) -> Self {
        let view = plan.rule(rule);
        Self {
            kind: kind(plan, rule),
            label: view.label.to_owned(),
            file: view.file.to_owned(),
            line: view.line,
        }
    }
}

fn kind(plan: &Plan, rule: RuleReference) -> &'static str {
    match rule {
        RuleReference::Start(_) => "start",
        RuleReference::Escalation(..) => "escalate",
        RuleReference::Keep(_) => "keep",
        RuleReference::Named(_) => "model",
        RuleReference::Cap(_) => "cap",
        RuleReference::Denial(_) => "deny",
        RuleReference::Quota(index) => match plan.quota(index) {
            Some(quota) if quota.budget() => "budget",
            _ => "limit",
        },
    }
}
