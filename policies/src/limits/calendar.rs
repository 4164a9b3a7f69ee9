//! Calendar windows: days, weeks and months in a time zone.
//!
//! A window runs from one local midnight to another, so a day has 23 or 25 hours where clocks change. Windows of
//! one calendar neither overlap nor leave a gap.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::plan::draft::Period;

/// A period in a time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    period: Period,
    zone: TimeZone,
}

/// From when to when, in nanoseconds since 1970; the end is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first nanosecond.
    pub start: i64,
    /// The first one after it.
    pub end: i64,
}

impl Calendar {
    /// The calendar of `period` in the zone with this IANA name; `None` when there is no such zone.
    ///
    /// Zones come from the database that is compiled in, so every machine counts alike.
    #[must_use]
    pub fn new(period: Period, zone: &str) -> Option<Self> {
        let zone = match zone {
            "UTC" => TimeZone::UTC,
            name => TimeZone::get(name).ok()?,
        };
        Some(Self { period, zone })
    }

    /// The calendar of `period` in UTC.
    #[must_use]
    pub fn utc(period: Period) -> Self {
        Self {
            period,
            zone: TimeZone::UTC,
        }
    }

    pub(super) const fn period(&self) -> Period {
        self.period
    }

    /// The name of its zone.
    pub(super) fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Whether its windows are the other's.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.period == other.period && self.zone() == other.zone()
    }

    /// The window that `now` lies in.
    #[must_use]
    pub fn span(&self, now: i64) -> Span {
        self.local_span(now).unwrap_or_else(|| utc_day(now))
    }

    /// `None` only at the ends of the calendar, thousands of years away.
    fn local_span(&self, now: i64) -> Option<Span> {
        let today = Timestamp::from_nanosecond(i128::from(now))
            .ok()?
            .to_zoned(self.zone.clone())
            .date();
        let (first, next) = match self.period {
            Period::Day => (today, today.tomorrow().ok()?),
            Period::Week => {
                let monday = today
                    .checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days())
                    .ok()?;
                (monday, monday.checked_add(7.days()).ok()?)
            }
            Period::Month => {
                let first = today.first_of_month();
                (first, first.checked_add(1.month()).ok()?)
            }
        };
        Some(Span {
            start: self.midnight(first)?,
            end: self.midnight(next)?,
        })
    }

    /// The first moment of a day: midnight, or the end of the gap where clocks skip it.
    fn midnight(&self, date: Date) -> Option<i64> {
        let first = date.to_zoned(self.zone.clone()).ok()?.timestamp();
        i64::try_from(first.as_nanosecond()).ok()
    }
}

const DAY: i64 = 86_400 * 1_000_000_000;

fn utc_day(now: i64) -> Span {
    let start = now.div_euclid(DAY).saturating_mul(DAY);
    Span {
        start,
        end: start.saturating_add(DAY),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> i64 {
        i64::try_from(text.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap()
    }

    fn check(period: Period, zone: &str, now: &str, start: &str, end: &str) {
        let span = Calendar::new(period, zone).unwrap().span(at(now));
        assert_eq!(
            span,
            Span {
                start: at(start),
                end: at(end)
            },
            "{period:?} in {zone} at {now}"
        );
    }

    #[test]
    fn days() {
        check(
            Period::Day,
            "UTC",
            "2026-11-24T21:30:00Z",
            "2026-11-24T00:00:00Z",
            "2026-11-25T00:00:00Z",
        );
        check(
            Period::Day,
            "Europe/Berlin",
            "2026-11-24T23:30:00Z",
            "2026-11-24T23:00:00Z",
            "2026-11-25T23:00:00Z",
        );
    }

    #[test]
    fn days_where_clocks_change_are_shorter_or_longer() {
        check(
            Period::Day,
            "Europe/Berlin",
            "2026-03-29T12:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
        );
        check(
            Period::Day,
            "Europe/Berlin",
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        );
    }

    #[test]
    fn a_midnight_that_clocks_skip() {
        // Cairo, 2024-04-26: 00:00 becomes 01:00.
        check(
            Period::Day,
            "Africa/Cairo",
            "2024-04-26T09:00:00Z",
            "2024-04-25T22:00:00Z",
            "2024-04-26T21:00:00Z",
        );
    }

    #[test]
    fn weeks_begin_on_monday() {
        check(
            Period::Week,
            "UTC",
            "2026-11-29T23:59:59Z",
            "2026-11-23T00:00:00Z",
            "2026-11-30T00:00:00Z",
        );
        check(
            Period::Week,
            "UTC",
            "2026-11-30T00:00:00Z",
            "2026-11-30T00:00:00Z",
            "2026-12-07T00:00:00Z",
        );
    }

    #[test]
    fn months() {
        check(
            Period::Month,
            "UTC",
            "2028-02-29T12:00:00Z",
            "2028-02-01T00:00:00Z",
            "2028-03-01T00:00:00Z",
        );
        check(
            Period::Month,
            "America/New_York",
            "2026-12-01T03:00:00Z",
            "2026-11-01T04:00:00Z",
            "2026-12-01T05:00:00Z",
        );
    }

    #[test]
    fn a_zone_must_exist() {
        assert!(Calendar::new(Period::Day, "Europe/Berlin").is_some());
        assert!(Calendar::new(Period::Day, "Europe/Berlyn").is_none());
    }

    proptest! {
        #[test]
        fn windows_hold_their_moment_and_meet(
            now in at("1975-01-01T00:00:00Z")..at("2199-01-01T00:00:00Z"),
            period in prop_oneof![Just(Period::Day), Just(Period::Week), Just(Period::Month)],
            zone in prop_oneof![
                Just("UTC"), Just("Europe/Berlin"), Just("America/Sao_Paulo"), Just("Africa/Cairo"),
                Just("Australia/Lord_Howe"), Just("Asia/Kathmandu"), Just("Pacific/Chatham"),
                // One skipped a whole day, the other repeats the hour after midnight.
                Just("Pacific/Apia"), Just("America/Havana"),
            ],
        ) {
            let calendar = Calendar::new(period, zone).unwrap();
            let span = calendar.span(now);
            prop_assert!(span.start <= now && now < span.end);
            prop_assert_eq!(calendar.span(span.start), span);
            prop_assert_eq!(calendar.span(span.end - 1), span);
            prop_assert_eq!(calendar.span(span.end).start, span.end);
        }
    }
}
