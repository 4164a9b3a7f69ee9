//! What is counted, and how its window runs.

use super::calendar::Calendar;

/// A limit or budget, as far as counting goes.
#[derive(Debug, Clone)]
pub struct Quota {
    /// What it counts.
    pub unit: Unit,
    /// How much, in its unit.
    pub amount: u64,
    /// How its window runs.
    pub window: Window,
}

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Calls.
    Requests,
    /// Tokens of prompt and answer.
    Tokens,
    /// Nano-dollars.
    Money,
}

/// How a quota's window runs.
#[derive(Debug, Clone)]
pub enum Window {
    /// A bucket that holds `burst` and from which the amount drains evenly over the window.
    Rolling {
        /// The window's length.
        nanoseconds: u64,
        /// What the bucket holds, in the quota's unit.
        burst: u64,
    },
    /// A calendar window.
    Calendar(Calendar),
}

impl Quota {
    /// The most that may be used at one time.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        match &self.window {
            Window::Rolling { burst, .. } => *burst,
            Window::Calendar(_) => self.amount,
        }
    }
}

/// What a call used in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Calls: 1, or 0 when it never reached a model.
    pub requests: u64,
    /// Tokens of prompt and answer.
    pub tokens: u64,
    /// Nano-dollars.
    pub money: u64,
}

impl Unit {
    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Money => "nano-dollars",
        }
    }
}

impl Spent {
    /// The part that a quota of this unit counts.
    #[must_use]
    pub fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Requests => self.requests,
            Unit::Tokens => self.tokens,
            Unit::Money => self.money,
        }
    }
}

/// How full a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Settled and reserved together; above the capacity when it is in debt.
    pub used: u64,
    /// The most that may be used.
    pub capacity: u64,
    /// Until nothing is used any more: the bucket has drained, or the window ends.
    pub resets_milliseconds: u64,
}
