//! The parts of times and durations.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::moment;
use super::value::{Failure, Value};
use super::vocabulary::Function;

/// A part of a time in a zone (UTC without one), or of a duration.
pub(super) fn part<'a>(
    function: Function,
    time: Value<'_>,
    zone: Option<&TimeZone>,
) -> Result<Value<'a>, Failure> {
    let (seconds, nanoseconds) = match time {
        Value::Duration(nanoseconds) => return of_duration(function, nanoseconds),
        Value::Timestamp(seconds, nanoseconds) => {
            moment::timestamp(seconds, nanoseconds).ok_or(Failure::Arithmetic)?
        }
        _ => return Err(Failure::Type),
    };
    let local = moment::civil(seconds + zone.map_or(0, |zone| offset(zone, seconds)));
    let second = local.second_of_day;
    Ok(Value::Int(match function {
        Function::Year => local.year,
        Function::Month => local.month - 1,
        Function::DayOfYear => local.day_of_year,
        Function::DayOfMonth => local.day - 1,
        Function::Date => local.day,
        Function::DayOfWeek => local.weekday,
        Function::Hours => second / 3_600,
        Function::Minutes => second / 60 % 60,
        Function::Seconds => second % 60,
        Function::Milliseconds => i64::from(nanoseconds / 1_000_000),
        _ => return Err(Failure::Type),
    }))
}

/// Seconds that a zone is ahead of UTC. What the library does not tell near the year 10,000 is as the day before.
fn offset(zone: &TimeZone, seconds: i64) -> i64 {
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let time = Timestamp::from_second(seconds.clamp(first, last));
    time.map_or(0, |time| zone.to_offset(time).seconds().into())
}

fn of_duration<'a>(function: Function, nanoseconds: i64) -> Result<Value<'a>, Failure> {
    Ok(Value::Int(match function {
        Function::Hours => nanoseconds / 3_600_000_000_000,
        Function::Minutes => nanoseconds / 60_000_000_000,
        Function::Seconds => nanoseconds / 1_000_000_000,
        Function::Milliseconds => nanoseconds / 1_000_000 % 1_000,
        _ => return Err(Failure::Type),
    }))
}
