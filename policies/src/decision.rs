//! What came of a decision: plain data, by index into the plan.

use smallvec::SmallVec;

use crate::money::NanoDollars;
use crate::plan::draft::{ModelIndex, TierIndex};

/// Everything decided about one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The content section that took the call; `None` for a model by name.
    pub content: Option<u16>,
    /// Where the call started.
    pub start: TierIndex,
    /// The content tier: start, escalations and session floor together.
    pub content_tier: TierIndex,
    /// The final tier, after caps.
    pub tier: TierIndex,
    /// What set the final tier.
    pub rule: RuleReference,
    /// The cap that lowered the call, if one did.
    pub capped_by: Option<RuleReference>,
    /// The difficulty, where a rule read it.
    pub difficulty: Option<f64>,
    /// The threshold in force, where one is declared.
    pub threshold: Option<f64>,
    /// The model that the client named; `None` where a content section took the call.
    pub named: Option<ModelIndex>,
    /// The priority and the rule that gave it.
    pub priority: (i64, Option<u16>),
    /// Quotas whose `warn` share this call passes.
    pub warnings: Vec<u16>,
    /// What becomes of the call.
    pub outcome: Outcome,
    /// For a session: whose floor to raise once the call is admitted.
    pub session: Option<SessionFloor>,
}

/// A rule of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleReference {
    /// `start` of this content section.
    Start(u16),
    /// Content section and escalation.
    Escalation(u16, u16),
    /// `keep` of this content section.
    Keep(u16),
    /// The client named the model.
    Named(ModelIndex),
    /// A cap.
    Cap(u16),
    /// A limit or budget.
    Quota(u16),
    /// A denial.
    Denial(u16),
}

/// A session's floor: remembered once the call is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionFloor {
    /// The content section whose `keep` it is.
    pub content: u16,
    /// The session.
    pub key: Key,
    /// The floor.
    pub tier: TierIndex,
}

/// A string by its keyed 128-bit hash: the value of a `per`, a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u128);

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every call has the large one, and a box would allocate for each"
)]
pub enum Outcome {
    /// A model may answer.
    Route(Route),
    /// A rule forbids it.
    Denied {
        /// Index of the denial.
        denial: u16,
        /// The status of the answer.
        status: u16,
    },
    /// A quota has no room for it.
    Limited {
        /// Index of the quota that binds.
        quota: u16,
        /// When there may be room; `None` when never: the call alone is larger than the quota.
        retry_after_milliseconds: Option<u64>,
    },
    /// No model of the tier can serve it.
    NoModel(Vec<Skipped>),
    /// No `accept` takes the model name it sent.
    UnknownModel,
}

impl Outcome {
    /// What reports call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Route(_) => "route",
            Self::Denied { .. } => "deny",
            Self::Limited { .. } => "limit",
            Self::NoModel(_) => "no-model",
            Self::UnknownModel => "unknown-model",
        }
    }

    /// The HTTP status of the answer; 200 where a model may give it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Route(_) => 200,
            Self::Denied { status, .. } => *status,
            Self::Limited { .. } => 429,
            Self::UnknownModel => 404,
            Self::NoModel(skipped) if is_forbidden(skipped) => 403,
            Self::NoModel(skipped) => {
                let is_own_fault = |skipped: &Skipped| {
                    matches!(
                        skipped.reason,
                        SkipReason::Context
                            | SkipReason::Surface
                            | SkipReason::Lacks(_)
                            | SkipReason::Unpriced(_)
                    )
                };
                if skipped.iter().all(is_own_fault) {
                    400
                } else {
                    503
                }
            }
        }
    }

    /// The rule that refused the call.
    #[must_use]
    pub const fn refused_by(&self) -> Option<RuleReference> {
        match self {
            Self::Denied { denial, .. } => Some(RuleReference::Denial(*denial)),
            Self::Limited { quota, .. } => Some(RuleReference::Quota(*quota)),
            _ => None,
        }
    }
}

/// Whether the first thing that was wrong is that the caller may not use the model.
fn is_forbidden(skipped: &[Skipped]) -> bool {
    skipped
        .first()
        .is_some_and(|skipped| skipped.reason == SkipReason::NotAllowed)
}

impl SkipReason {
    /// The rule that says so.
    #[must_use]
    pub const fn rule(self) -> Option<RuleReference> {
        match self {
            Self::Cap(cap) => Some(RuleReference::Cap(cap)),
            Self::QuotaCap(quota) | Self::Quota(quota) => Some(RuleReference::Quota(quota)),
            Self::Denial(denial) => Some(RuleReference::Denial(denial)),
            Self::Context
            | Self::Surface
            | Self::Lacks(_)
            | Self::Unpriced(_)
            | Self::NotAllowed
            | Self::Failed => None,
        }
    }
}

/// A model that may answer, and what it may cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Which.
    pub model: ModelIndex,
    /// Which step of the tier; deciding again from the next one falls back.
    pub step: u16,
    /// What is expected: the prompt and a usual answer.
    pub estimate: NanoDollars,
    /// The worst: the prompt and all of the answer's tokens.
    pub ceiling: NanoDollars,
    /// The most tokens the answer may have: what the client asked, at most what the model can.
    pub max_tokens: u64,
    /// What is reserved before the call leaves, all or nothing.
    pub charges: Charges,
    /// Models of earlier steps that were passed over, with the reason of each.
    pub skipped: Vec<Skipped>,
}

/// All of a reservation. As many quotas as one call has in practice take no memory of their own.
pub type Charges = SmallVec<[Charge; 6]>;

/// A part of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Index of the quota.
    pub quota: u16,
    /// Which bucket of it.
    pub key: Key,
    /// In the quota's unit: requests, tokens or nano-dollars.
    pub amount: u64,
    /// The most of the bucket that may be used after it, in the quota's unit (a cap or denial below 100%).
    pub bound: u64,
}

/// A model that was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// Which.
    pub model: ModelIndex,
    /// Why.
    pub reason: SkipReason,
}

/// Why a model was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// Its context window is smaller than the prompt and the answer.
    Context,
    /// It does not serve this surface.
    Surface,
    /// It cannot take what the call sends.
    Lacks(Capability),
    /// It has a price, and none for what this call uses: no rule could count it.
    Unpriced(&'static str),
    /// The caller may use only other models.
    NotAllowed,
    /// It belongs to a tier above what a cap allows.
    Cap(u16),
    /// A quota's outcome caps the call below it.
    QuotaCap(u16),
    /// A denial forbids it.
    Denial(u16),
    /// A quota has no room for it.
    Quota(u16),
    /// It was tried and failed.
    Failed,
}

/// What a call may send and not every model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Image parts.
    Images,
    /// Tools that the model may call.
    Tools,
}

impl Capability {
    /// In the words of the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Tools => "tools",
        }
    }
}
