//! The parts of times and durations.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::value::{Failure, Value};
use super::vocabulary::Function;

/// A part of a time in a zone, or of a duration.
pub(super) fn part<'a>(
    function: Function,
    time: Value<'_>,
    zone: &TimeZone,
) -> Result<Value<'a>, Failure> {
    let (seconds, nanoseconds) = match time {
        Value::Duration(nanoseconds) => return of_duration(function, nanoseconds),
        Value::Timestamp(seconds, nanoseconds) => (seconds, nanoseconds),
        _ => return Err(Failure::Type),
    };
    let nanoseconds = i32::try_from(nanoseconds).map_err(|_| Failure::Arithmetic)?;
    let time = Timestamp::new(seconds, nanoseconds).map_err(|_| Failure::Arithmetic)?;
    let local = zone.to_datetime(time);
    Ok(Value::Int(match function {
        Function::Year => local.year().into(),
        Function::Month => i64::from(local.month()) - 1,
        Function::DayOfYear => i64::from(local.day_of_year()) - 1,
        Function::DayOfMonth => i64::from(local.day()) - 1,
        Function::Date => local.day().into(),
        Function::DayOfWeek => local.weekday().to_sunday_zero_offset().into(),
        Function::Hours => local.hour().into(),
        Function::Minutes => local.minute().into(),
        Function::Seconds => local.second().into(),
        Function::Milliseconds => local.millisecond().into(),
        _ => return Err(Failure::Type),
    }))
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
