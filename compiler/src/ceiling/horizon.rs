//! How long the windows of a report are, and how much of a quota fits into one.

use waypost_lang::syntax::tree::Window;

use crate::lower::session_idle;
use crate::program::{Program, Quota};

/// The windows that ceilings are given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Horizon {
    /// A clock hour.
    Hour,
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
}

impl Horizon {
    /// All, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

const HOUR: u128 = 3_600_000;
const DAY: u128 = 24 * HOUR;

/// The calendar that a file's ceilings are counted in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    /// The zone that all calendar quotas share; UTC where they differ or there is none.
    pub(super) zone: String,
}

/// One horizon in that calendar.
#[derive(Debug)]
pub(super) struct Reach<'a> {
    horizon: Horizon,
    zone: &'a str,
}

impl Calendar {
    pub(super) fn of(program: &Program) -> Self {
        let quotas = program.policy.quotas.iter();
        let mut zones = quotas
            .filter(|quota| {
                matches!(
                    quota.window.value,
                    Window::Day | Window::Week | Window::Month
                )
            })
            .map(|quota| quota.zone.as_str());
        let first = zones.next().unwrap_or("UTC");
        let zone = if zones.all(|zone| zone == first) {
            first
        } else {
            "UTC"
        };
        Self {
            zone: zone.to_owned(),
        }
    }

    pub(super) fn reach(&self, horizon: Horizon) -> Reach<'_> {
        Reach {
            horizon,
            zone: &self.zone,
        }
    }
}

impl Reach<'_> {
    /// How much a quota that may hold `most` at one time lets through in this horizon, in its own unit.
    pub(super) fn allows(&self, quota: &Quota, amount: u64, most: u64) -> u128 {
        match &quota.window.value {
            Window::Rolling(length) => {
                let refilled = u128::from(amount).saturating_mul(self.milliseconds());
                u128::from(most).saturating_add(refilled / u128::from((*length).max(1)))
            }
            // As many windows as cover the time; no window ever holds more.
            Window::Sliding(length) => u128::from(most)
                .saturating_mul(self.milliseconds().div_ceil(u128::from((*length).max(1)))),
            // A session begins again only after it has been idle.
            Window::Session(idle) => {
                let idle = u128::from(session_idle(idle.as_ref()).max(1));
                u128::from(most).saturating_mul(self.milliseconds() / idle + 1)
            }
            period => u128::from(most).saturating_mul(self.windows(period, &quota.zone)),
        }
    }

    /// How long it is at most: a day of 25 hours where clocks are set back.
    fn milliseconds(&self) -> u128 {
        let set_back = if self.zone == "UTC" { 0 } else { HOUR };
        match self.horizon {
            Horizon::Hour => HOUR,
            Horizon::Day => DAY + set_back,
            Horizon::Month => 31 * DAY + set_back,
        }
    }

    /// How many windows of a calendar quota it touches at most.
    fn windows(&self, period: &Window, zone: &str) -> u128 {
        let days_in_month = match period {
            // A month of 31 days that begins on a Sunday.
            Window::Week => 6,
            Window::Day => 31,
            // The check refuses other words; the lowering takes them for months.
            _ => 1,
        };
        // Another zone's midnight falls within the window: one more.
        let straddled = u128::from(zone != self.zone);
        match (self.horizon, period) {
            (Horizon::Hour | Horizon::Day, _) => 1 + straddled,
            (Horizon::Month, Window::Week) => days_in_month,
            (Horizon::Month, _) => days_in_month + straddled,
        }
    }
}
