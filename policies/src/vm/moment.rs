//! Times and durations as CEL writes them: RFC 3339, and `1h30m`.

/// Seconds and nanoseconds since 1970 of an RFC 3339 time in the years 1 to 9999.
pub(super) fn parse_timestamp(text: &str) -> Option<(i64, u32)> {
    let mut reader = Reader(text);
    let year = reader.digits(4)?;
    reader.literal("-")?;
    let month = reader.digits(2)?;
    reader.literal("-")?;
    let day = reader.digits(2)?;
    reader.literal("T").or_else(|| reader.literal("t"))?;
    let hour = reader.digits(2)?;
    reader.literal(":")?;
    let minute = reader.digits(2)?;
    reader.literal(":")?;
    let second = reader.digits(2)?;
    let nanoseconds = reader.fraction()?;
    let offset = reader.offset()?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && year >= 1;
    if !in_range || !reader.0.is_empty() {
        return None;
    }
    let days = days_since_1970(year, month, day);
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset;
    timestamp(seconds, nanoseconds)
}

/// The time, if it lies in the years 1 to 9999.
pub(super) fn timestamp(seconds: i64, nanoseconds: u32) -> Option<(i64, u32)> {
    (-62_135_596_800..=253_402_300_799)
        .contains(&seconds)
        .then_some((seconds, nanoseconds))
}

/// Nanoseconds of a duration such as `1h30m`, `-1.5s`, `250ms`.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut rest = rest;
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (nanoseconds, after) = duration_part(rest)?;
        total = total.checked_add(nanoseconds)?;
        rest = after;
    }
    let total = if negative { -total } else { total };
    (!text.is_empty() && text != "-" && text != "+")
        .then(|| i64::try_from(total).ok())
        .flatten()
}

fn duration_part(text: &str) -> Option<(i128, &str)> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, after) = text.split_at_checked(number_end)?;
    let unit_end = after
        .find(|c: char| c.is_ascii_digit() || c == '.')
        .unwrap_or(after.len());
    let (unit, after) = after.split_at_checked(unit_end)?;
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanoseconds = whole.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.chars() {
        place /= 10;
        nanoseconds += i128::from(digit.to_digit(10)?) * place;
    }
    Some((nanoseconds, after))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    // 719,162 days lie between 0001-01-01 and 1970-01-01.
    before * 365 + leap_days + months + day - 1 - 719_162
}

/// A point in time on the wall of some zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    /// From 0.
    pub(super) day_of_year: i64,
    /// Sunday is 0.
    pub(super) weekday: i64,
    /// Seconds since midnight.
    pub(super) second_of_day: i64,
}

/// The date and time of so many seconds since 1970, in years from 0 to 10,000.
pub(super) fn civil(seconds: i64) -> Civil {
    let days = seconds.div_euclid(86_400);
    let mut year = 1970 + days / 366;
    // At most a few years off: each step goes to the year that the day is in.
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    while days_since_1970(year, 1, 1) > days {
        year -= 1;
    }
    let day_of_year = days - days_since_1970(year, 1, 1);
    let (mut month, mut day) = (1, day_of_year);
    while day >= days_in(year, month) {
        day -= days_in(year, month);
        month += 1;
    }
    Civil {
        year,
        month,
        day: day + 1,
        day_of_year,
        // 1970-01-01 was a Thursday.
        weekday: (days + 4).rem_euclid(7),
        second_of_day: seconds.rem_euclid(86_400),
    }
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }

    fn literal(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn fraction(&mut self) -> Option<u32> {
        if self.literal(".").is_none() {
            return Some(0);
        }
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at_checked(end)?;
        if digits.is_empty() || digits.len() > 9 {
            return None;
        }
        self.0 = rest;
        format!("{digits:0<9}").parse().ok()
    }

    /// Seconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        if self.literal("Z").or_else(|| self.literal("z")).is_some() {
            return Some(0);
        }
        let sign = match self.literal("+") {
            Some(()) => 1,
            None => self.literal("-").map(|()| -1)?,
        };
        let hours = self.digits(2)?;
        self.literal(":")?;
        let minutes = self.digits(2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
    }
}

#[cfg(test)]
mod tests {
    use super::{civil, parse_duration, parse_timestamp};

    #[test]
    fn timestamps() {
        assert_eq!(parse_timestamp("1970-01-01T00:00:00Z"), Some((0, 0)));
        assert_eq!(
            parse_timestamp("2009-02-13T23:31:30.5Z"),
            Some((1_234_567_890, 500_000_000))
        );
        assert_eq!(
            parse_timestamp("2024-02-29T01:00:00+02:00"),
            Some((1_709_161_200, 0))
        );
        assert_eq!(
            parse_timestamp("0001-01-01T00:00:00Z"),
            Some((-62_135_596_800, 0))
        );
        for wrong in [
            "2023-02-29T00:00:00Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "0000-01-01T00:00:00Z",
            "",
        ] {
            assert_eq!(parse_timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates() {
        let date = |text: &str| {
            let (seconds, _) = parse_timestamp(text).unwrap_or_default();
            let date = civil(seconds);
            (
                date.year,
                date.month,
                date.day,
                date.day_of_year,
                date.weekday,
                date.second_of_day,
            )
        };
        assert_eq!(date("1970-01-01T00:00:00Z"), (1970, 1, 1, 0, 4, 0));
        assert_eq!(date("2024-12-31T23:59:59Z"), (2024, 12, 31, 365, 2, 86_399));
        assert_eq!(date("2024-02-29T00:00:01Z"), (2024, 2, 29, 59, 4, 1));
        assert_eq!(date("0001-01-01T00:00:00Z"), (1, 1, 1, 0, 1, 0));
        assert_eq!(date("9999-12-31T23:59:59Z"), (9999, 12, 31, 364, 5, 86_399));
        assert_eq!(civil(-62_135_596_801).year, 0);
        assert_eq!(civil(253_402_300_800).year, 10_000);
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1h30m"), Some(5_400_000_000_000));
        assert_eq!(parse_duration("-1.5s"), Some(-1_500_000_000));
        assert_eq!(parse_duration("250ms"), Some(250_000_000));
        assert_eq!(parse_duration("0"), Some(0));
        for wrong in ["", "-", "1", "1d", "h", "1.s.", "9000000h"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
