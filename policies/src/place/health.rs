//! Whether an endpoint that failed gets calls again, and how many.
//!
//! A circuit breaker for each endpoint. Failures in a row open it, and so does a share of failures that is an outlier:
//! the endpoint is ejected, longer each time. Then it gets one call at a time, until one succeeds. From there it starts
//! slowly: what it may have in flight grows until it counts as any other. One that asks to be left alone is.
//!
//! Pure: the time comes in, in nanoseconds since 1970.

/// How long the first ejection lasts; each that follows soon lasts twice as long.
const FIRST_EJECTION: i64 = 1_000_000_000;
/// But never longer than this.
const LONGEST_EJECTION: i64 = 30_000_000_000;
/// How long an endpoint that has recovered is started slowly.
const SLOW_START: i64 = 10_000_000_000;
/// What it may have in flight at the end of that; after it there is no bound.
const SLOW_START_MOST: u32 = 64;
/// An endpoint that has done well for this long is ejected as if for the first time.
const FORGIVEN: i64 = 60_000_000_000;
/// How long failures are counted together.
const WINDOW: i64 = 10_000_000_000;
/// Of fewer calls than this in a window no share is taken.
const FEWEST_CALLS: u32 = 20;
/// An endpoint that asks to be left alone for longer is asked whether it still means it.
const LONGEST_REST: i64 = 300_000_000_000;

/// How an endpoint has been doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Failures since the last success.
    failures: u32,
    /// Ejections that followed one another.
    ejections: u32,
    ejected_until: i64,
    /// When it succeeded again, after an ejection.
    recovered: Option<i64>,
    /// Until when it asked to be left alone.
    rests_until: i64,
    window: Window,
}

/// The calls of the last seconds, and how many of them failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Window {
    since: i64,
    calls: u32,
    failures: u32,
}

impl Window {
    fn count(&mut self, failures: u32, now: i64) {
        // Also where the clock was set back.
        if !(0..WINDOW).contains(&now.saturating_sub(self.since)) {
            *self = Self {
                since: now,
                ..Self::default()
            };
        }
        self.calls = self.calls.saturating_add(1);
        self.failures = self.failures.saturating_add(failures);
    }

    /// Whether half of its calls fail, and they are enough to tell.
    const fn is_outlier(self) -> bool {
        self.calls >= FEWEST_CALLS && self.failures >= self.calls / 2
    }
}

impl Health {
    /// A call failed for the endpoint's sake; whether it is ejected for it. `most` failures in a row eject it, or half
    /// of its calls, and one is enough after an ejection.
    pub fn failed(&mut self, most: u32, now: i64) -> bool {
        if self
            .recovered
            .is_some_and(|since| now.saturating_sub(since) > FORGIVEN)
        {
            (self.ejections, self.recovered) = (0, None);
        }
        self.failures = self.failures.saturating_add(1);
        self.window.count(1, now);
        let is_enough = self.failures >= most || self.window.is_outlier() || self.is_on_trial();
        if now < self.ejected_until || !is_enough {
            // Those that were under way when it was ejected say nothing new.
            return false;
        }
        let length = FIRST_EJECTION << self.ejections.min(8);
        self.ejected_until = now.saturating_add(length.min(LONGEST_EJECTION));
        self.ejections = self.ejections.saturating_add(1);
        self.recovered = None;
        self.window = Window::default();
        true
    }

    /// It asks to be left alone for so many nanoseconds.
    pub fn rests(&mut self, wait: i64, now: i64) {
        let until = now.saturating_add(wait.clamp(0, LONGEST_REST));
        self.rests_until = self.rests_until.max(until);
    }

    /// How much longer it is to be left alone, where it asked for that.
    #[must_use]
    pub fn rests_for(&self, now: i64) -> Option<i64> {
        // A clock that was set back makes no rest longer.
        let left = self.rests_until.saturating_sub(now);
        Some(left).filter(|left| (1..=LONGEST_REST).contains(left))
    }

    /// As if it had not failed; what it asked for stays. For when there is nobody else.
    #[must_use]
    pub fn forgiven(&self) -> Self {
        Self {
            rests_until: self.rests_until,
            ..Self::default()
        }
    }

    /// A call succeeded.
    pub fn succeeded(&mut self, now: i64) {
        self.window.count(0, now);
        if self.is_on_trial() {
            self.recovered = Some(now);
            self.ejected_until = 0;
        }
        self.failures = 0;
    }

    /// How many calls it may have in flight: none while it is ejected, `None` without a bound.
    #[must_use]
    pub fn most_in_flight(&self, now: i64) -> Option<u32> {
        if now < self.ejected_until || self.rests_for(now).is_some() {
            return Some(0);
        }
        if self.is_on_trial() {
            return Some(1);
        }
        let since = now.saturating_sub(self.recovered?).max(0);
        if since >= SLOW_START {
            return None;
        }
        let grown = since.saturating_mul(SLOW_START_MOST.into()) / SLOW_START;
        Some(u32::try_from(grown).unwrap_or(SLOW_START_MOST).max(1))
    }

    /// Whether it may get one more call.
    #[must_use]
    pub fn admits(&self, in_flight: u32, now: i64) -> bool {
        self.most_in_flight(now).is_none_or(|most| in_flight < most)
    }

    /// When it may get a call again, where it is ejected.
    #[must_use]
    pub fn ejected_for(&self, now: i64) -> Option<i64> {
        Some(self.ejected_until.saturating_sub(now)).filter(|left| *left > 0)
    }

    /// It was ejected and has not succeeded since.
    const fn is_on_trial(&self) -> bool {
        self.ejected_until != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn it_is_ejected_tried_and_started_slowly() {
        let mut health = Health::default();
        health.failed(3, SECOND);
        health.failed(3, SECOND);
        assert_eq!(health.most_in_flight(SECOND), None);
        health.failed(3, SECOND);
        assert_eq!(health.most_in_flight(SECOND), Some(0));
        assert_eq!(health.most_in_flight(2 * SECOND), Some(1));
        health.succeeded(2 * SECOND);
        let most = [2, 7, 11, 12].map(|second| health.most_in_flight(second * SECOND));
        assert_eq!(most, [Some(1), Some(32), Some(57), None]);
    }

    #[test]
    fn ejections_grow_and_are_forgiven() {
        let mut health = Health::default();
        let mut now = SECOND;
        let mut lengths = Vec::new();
        for _ in 0..7 {
            health.failed(1, now);
            let length = health.ejected_for(now).unwrap_or_default();
            lengths.push(length / SECOND);
            now += length;
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 30, 30]);
        health.succeeded(now);
        health.failed(1, now + FORGIVEN + 1);
        assert_eq!(health.ejected_for(now + FORGIVEN + 1), Some(SECOND));
    }

    #[test]
    fn half_of_its_calls_are_too_many_failures() {
        let mut health = Health::default();
        let mut ejected = Vec::new();
        for call in 0..20 {
            if call % 2 == 0 {
                health.succeeded(SECOND);
            } else if health.failed(5, SECOND) {
                ejected.push(call);
            }
        }
        assert_eq!(
            ejected,
            [19],
            "the first call by which there are enough to tell"
        );
        // Spread over time they are not an outlier.
        let mut health = Health::default();
        for call in 0..40 {
            match call % 2 {
                0 => health.succeeded(call * SECOND),
                _ => assert!(!health.failed(5, call * SECOND)),
            }
        }
    }

    #[test]
    fn one_that_asks_for_it_is_left_alone() {
        let mut health = Health::default();
        health.rests(2 * SECOND, SECOND);
        health.rests(SECOND, SECOND);
        assert_eq!(health.most_in_flight(2 * SECOND), Some(0));
        assert_eq!(health.forgiven().most_in_flight(2 * SECOND), Some(0));
        assert_eq!(health.rests_for(2 * SECOND), Some(SECOND));
        assert_eq!(health.most_in_flight(3 * SECOND), None);
        health.rests(i64::MAX, SECOND);
        assert_eq!(health.most_in_flight(SECOND + LONGEST_REST), None);
    }

    proptest! {
        /// Whatever happens, an endpoint is never lost: it gets a call again within the longest ejection, and after
        /// a success and a slow start there is no bound.
        #[test]
        fn an_endpoint_always_comes_back(
            events in proptest::collection::vec((any::<bool>(), 0..40 * SECOND), 0..60),
            most in 1..6_u32,
        ) {
            let (mut health, mut now) = (Health::default(), SECOND);
            for (succeeds, pause) in events {
                now += pause;
                if succeeds {
                    health.succeeded(now);
                    prop_assert!(health.admits(0, now));
                } else {
                    health.failed(most, now);
                }
                prop_assert!(health.admits(0, now + LONGEST_EJECTION));
            }
            health.succeeded(now);
            prop_assert_eq!(health.most_in_flight(now + SLOW_START), None);
        }

        /// One that never fails is never bounded.
        #[test]
        fn success_costs_nothing(times in proptest::collection::vec(0..SECOND, 0..20)) {
            let (mut health, mut now) = (Health::default(), 0);
            for time in times {
                now += time;
                health.succeeded(now);
                prop_assert_eq!(health.most_in_flight(now), None);
            }
        }
    }
}
