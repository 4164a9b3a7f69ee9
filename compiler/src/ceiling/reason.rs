//! Why nothing bounds a flow: the rule that comes nearest, and what to write.

use super::bound::{self, Sharing};
use super::flow::Flow;
use crate::program::{ModelIndex, Program, TierIndex};

/// What nothing bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unbounded {
    /// Calls of this tier
    pub tier: TierIndex,
    /// that this model answers.
    pub model: ModelIndex,
    /// The rule that comes nearest to bounding them.
    pub nearest: Nearest,
}

/// The rule that comes nearest, by its index among the policy's quotas, and why it does not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearest {
    /// No limit and no budget applies.
    Nothing,
    /// It warns, or caps at this tier or above it, and refuses nothing.
    NeverRefuses(usize),
    /// Its condition leaves calls out.
    Conditional(usize),
    /// Its key is a value that the caller chooses for each call.
    CallerChooses(usize),
    /// It counts requests, and nothing bounds what one can cost.
    BoundlessCall(usize),
    /// It holds for each caller by itself, and how many there are is not known.
    EachCaller(usize),
}

impl Nearest {
    /// The index of the rule.
    #[must_use]
    pub const fn quota(self) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::NeverRefuses(quota)
            | Self::Conditional(quota)
            | Self::CallerChooses(quota)
            | Self::BoundlessCall(quota)
            | Self::EachCaller(quota) => Some(quota),
        }
    }
}

impl Unbounded {
    /// Why, in a few words.
    #[must_use]
    pub fn why(&self, program: &Program) -> String {
        let quota = self.nearest.quota();
        let quota = quota.and_then(|quota| program.policy.quotas.get(quota));
        let label = quota.map_or("", |quota| &quota.label.text);
        let model = self.model(program);
        match self.nearest {
            Nearest::Nothing => format!("no limit and no budget applies to `{model}`"),
            Nearest::NeverRefuses(_) => format!("`{label}` refuses nothing"),
            Nearest::Conditional(_) => {
                format!("`{label}` leaves out what its `when` does not match")
            }
            Nearest::CallerChooses(_) => {
                format!("`{label}` counts by a value that callers choose")
            }
            Nearest::BoundlessCall(_) => {
                format!("`{label}` counts requests, and nothing bounds what one to `{model}` costs")
            }
            Nearest::EachCaller(_) => {
                format!("`{label}` holds for each caller by itself, however many there are")
            }
        }
    }

    /// What to write.
    #[must_use]
    pub fn advice(&self, program: &Program) -> String {
        let model = self.model(program);
        match self.nearest {
            Nearest::BoundlessCall(_) => format!(
                "write `budget $… / month on {model}`, or refuse calls by their cost: `deny \"too dear\" when cost.ceiling > 1.0`"
            ),
            _ => format!("write `budget $… / month on {model}`, without `per` and `when`"),
        }
    }

    fn model<'p>(&self, program: &'p Program) -> &'p str {
        let model = program.models.get(self.model);
        model.map_or("", |model| &model.name.value)
    }
}

/// The rule that comes nearest to bounding a flow for everyone.
pub(super) fn nearest(program: &Program, flow: &Flow) -> Nearest {
    let quotas = program.policy.quotas.iter().enumerate();
    let standing = quotas.filter_map(|(index, quota)| {
        Some(match bound::applies(program, quota, flow) {
            Some(false) => return None,
            _ if bound::most(quota, flow.judged).is_none() => Nearest::NeverRefuses(index),
            None => Nearest::Conditional(index),
            Some(true) => match bound::sharing(program, quota) {
                Sharing::Chosen => Nearest::CallerChooses(index),
                _ if !bound::adds_up(quota) || !bound::counts_spending(quota) => return None,
                _ if bound::unit_cost(quota, flow).is_none() => Nearest::BoundlessCall(index),
                _ => Nearest::EachCaller(index),
            },
        })
    });
    standing
        .max_by_key(|nearest| (rank(*nearest), std::cmp::Reverse(nearest.quota())))
        .unwrap_or(Nearest::Nothing)
}

const fn rank(nearest: Nearest) -> u8 {
    match nearest {
        Nearest::Nothing => 0,
        Nearest::NeverRefuses(_) => 1,
        Nearest::Conditional(_) => 2,
        Nearest::CallerChooses(_) => 3,
        Nearest::BoundlessCall(_) => 4,
        Nearest::EachCaller(_) => 5,
    }
}
