//! Times and addresses worth trying: those at the borders of what conditions compare with.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::Value;
use waypost_lang::cel::typed::{Constant, Function, Typed, TypedKind};

use super::request::NOON;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The day of the month of [`NOON`], counted from 0.
const NOON_DATE: i64 = 14;
/// The most times that are tried.
const MOST: usize = 400;
/// One address of each kind that a function asks for.
const KINDS: [&str; 10] = [
    "203.0.113.7",
    "10.0.0.1",
    "2001:db8::1",
    "::1",
    "169.254.1.1",
    "fe80::1",
    "224.0.0.1",
    "ff02::1",
    "0.0.0.0",
    "::",
];

/// What conditions say of times and addresses.
#[derive(Debug, Default)]
pub(super) struct Moments {
    whole: BTreeSet<i64>,
    times: BTreeSet<i64>,
    durations: BTreeSet<i64>,
    addresses: BTreeSet<IpAddr>,
    networks: BTreeSet<(IpAddr, u8)>,
    of_hour: bool,
    of_day: bool,
    of_week: bool,
    of_year: bool,
}

impl Moments {
    pub(super) fn add(&mut self, condition: &Typed) {
        condition.visit(&mut |typed| match &typed.kind {
            TypedKind::Constant(constant) => self.add_constant(constant),
            TypedKind::Call(function, _) => self.add_function(*function),
            _ => {}
        });
    }

    fn add_constant(&mut self, constant: &Constant) {
        match constant {
            Constant::Int(number) => drop(self.whole.insert(*number)),
            Constant::Timestamp(seconds, _) => {
                self.times.insert(seconds.saturating_mul(SECOND));
            }
            Constant::Duration(length) => drop(self.durations.insert(*length)),
            Constant::Ip(address) => drop(self.addresses.insert(*address)),
            Constant::Cidr(address, length) => drop(self.networks.insert((*address, *length))),
            Constant::String(text) => self.add_text(text),
            Constant::List(items) => items.iter().for_each(|item| self.add_constant(item)),
            _ => {}
        }
    }

    /// A text that may be read as one of them.
    fn add_text(&mut self, text: &str) {
        if let Ok(time) = text.parse::<Timestamp>() {
            self.times.insert(time.as_second().saturating_mul(SECOND));
        } else if let Ok(address) = text.parse() {
            self.addresses.insert(address);
        } else if let Some((address, length)) = text.split_once('/')
            && let (Ok(address), Ok(length)) = (address.parse(), length.parse())
        {
            self.networks.insert((address, length));
        }
    }

    const fn add_function(&mut self, function: Function) {
        match function {
            Function::Minutes | Function::Seconds => self.of_hour = true,
            Function::Hours => self.of_day = true,
            Function::DayOfWeek => self.of_week = true,
            Function::Date
            | Function::DayOfMonth
            | Function::DayOfYear
            | Function::Month
            | Function::Year => self.of_year = true,
            _ => {}
        }
    }

    /// Times on either side of those that are compared with, and one of each hour, weekday and month that is asked for.
    pub(super) fn times(&self) -> Vec<Value> {
        let mut all: Vec<i64> = Vec::new();
        for time in &self.times {
            let shifts = std::iter::once(&0).chain(&self.durations);
            for base in shifts.flat_map(|shift| [time.saturating_add(*shift), time - shift]) {
                all.extend([
                    base,
                    base.saturating_sub(SECOND),
                    base.saturating_add(SECOND),
                ]);
            }
        }
        for day in self.days() {
            for hour in self.hours() {
                for minute in self.minutes() {
                    all.push(NOON.saturating_add(day + hour + minute));
                }
            }
        }
        let mut seen = BTreeSet::new();
        all.retain(|time| seen.insert(*time));
        let said = all.into_iter().take(MOST).filter_map(|time| {
            let time = Timestamp::from_nanosecond(i128::from(time)).ok()?;
            Some(Value::from(time.to_string()))
        });
        said.collect()
    }

    /// From noon on, in nanoseconds.
    fn days(&self) -> Vec<i64> {
        let mut days = vec![0];
        if self.of_week {
            days.extend(1..7);
        }
        if self.of_year {
            days.extend(-NOON_DATE..=16);
            days.extend((1..12).map(|month| month * 61 / 2));
            let years = self
                .whole
                .iter()
                .filter(|year| (1971..2200).contains(*year));
            let near = years.flat_map(|year| [year - 1, *year, year + 1]);
            // The middle of January stays in it over two centuries of leap days.
            days.extend(near.map(|year| (year - 2026) * 36_525 / 100));
        }
        days.into_iter().map(|day| day * DAY).collect()
    }

    fn hours(&self) -> Vec<i64> {
        match self.of_day {
            true => (0..24).map(|hour| hour * HOUR).collect(),
            false => vec![0],
        }
    }

    fn minutes(&self) -> Vec<i64> {
        let mut minutes = BTreeSet::from([0]);
        if self.of_hour {
            let asked = self.whole.iter().filter(|number| (0..60).contains(*number));
            let near = asked.flat_map(|number| (-1..=1).map(move |step| number + step));
            minutes.extend(near.map(|number| number * (MINUTE + SECOND)));
        }
        minutes.into_iter().collect()
    }

    /// The borders of networks and the addresses beyond them, those that are compared with, and one of each kind.
    pub(super) fn addresses(&self) -> Vec<Value> {
        let mut all: Vec<IpAddr> = Vec::new();
        for (address, length) in &self.networks {
            let (first, last) = borders(*address, *length);
            all.extend([first, last]);
            all.extend(next(last, 1).into_iter().chain(next(first, -1)));
        }
        for address in &self.addresses {
            all.extend(std::iter::once(*address).chain(next(*address, 1)));
        }
        all.extend(KINDS.iter().filter_map(|text| text.parse::<IpAddr>().ok()));
        let said = all.into_iter().map(|address| address.to_string());
        said.map(Value::from).collect()
    }
}

/// The first and the last address of a network.
fn borders(address: IpAddr, length: u8) -> (IpAddr, IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let free = u32::MAX.checked_shr(u32::from(length)).unwrap_or(0);
            let bits = address.to_bits();
            (
                IpAddr::V4((bits & !free).into()),
                IpAddr::V4((bits | free).into()),
            )
        }
        IpAddr::V6(address) => {
            let free = u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
            let bits = address.to_bits();
            (
                IpAddr::V6((bits & !free).into()),
                IpAddr::V6((bits | free).into()),
            )
        }
    }
}

/// The address so many further on, if there is one.
fn next(address: IpAddr, step: i8) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => {
            IpAddr::V4(address.to_bits().checked_add_signed(step.into())?.into())
        }
        IpAddr::V6(address) => {
            IpAddr::V6(address.to_bits().checked_add_signed(step.into())?.into())
        }
    })
}
