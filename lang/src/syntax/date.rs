//! Days of the calendar.

use std::fmt;

use super::tree::Date;

impl Date {
    /// Reads `2027-03-31`; nothing if there is no such day.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let whole = year.len() == 4 && month.len() == 2 && day.len() == 2;
        if !whole || parts.next().is_some() || ![year, month, day].into_iter().all(digits) {
            return None;
        }
        let date = Self {
            year: year.parse().ok()?,
            month: month.parse().ok()?,
            day: day.parse().ok()?,
        };
        let exists =
            (1..=12).contains(&date.month) && (1..=date.month_length()).contains(&date.day);
        (exists && date.year >= 1).then_some(date)
    }

    const fn month_length(self) -> u8 {
        let leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// The days from `earlier` to this one; below zero if it is the later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        self.number() - earlier.number()
    }

    /// Its number in a count of days, with years that begin in March so that a leap day is the last.
    fn number(self) -> i64 {
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        let (year, month) = if month < 3 {
            (year - 1, month + 9)
        } else {
            (year, month - 3)
        };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        365 * year + leap_days + (153 * month + 2) / 5 + i64::from(self.day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::Date;

    fn day(text: &str) -> Date {
        Date::read(text).unwrap()
    }

    #[test]
    fn only_days_that_exist_are_read() {
        assert_eq!(day("2028-02-29").to_string(), "2028-02-29");
        for none in [
            "2027-02-29",
            "2100-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-04-31",
            "2027-4-30",
            "27-04-30",
            "2027-04-30T",
            "2027-04-30-1",
            "",
            "0000-01-01",
            "+027-01-01",
        ] {
            assert_eq!(Date::read(none), None, "{none}");
        }
    }

    #[test]
    fn days_are_counted_across_months_and_leap_years() {
        assert_eq!(day("2027-03-01").days_since(day("2027-02-28")), 1);
        assert_eq!(day("2028-03-01").days_since(day("2028-02-28")), 2);
        assert_eq!(day("2027-01-01").days_since(day("2026-01-01")), 365);
        assert_eq!(day("2029-01-01").days_since(day("2028-01-01")), 366);
        assert_eq!(day("2026-11-25").days_since(day("2027-01-24")), -60);
        assert_eq!(day("2001-01-01").days_since(day("1970-01-01")), 11_323);
    }
}
