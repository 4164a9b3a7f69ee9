//! What a quota is, wherever it stands in a plan: so that what is used stays used when the plan changes.

use super::codec::{Malformed, Reader, Writer};
use super::quota::{Quota, Unit, Window};
use super::{Calendar, State};
use crate::plan::draft::Period;

/// What tells a quota from others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Identity {
    pub(super) label: String,
    pub(super) per: Option<String>,
    pub(super) on: Option<String>,
    pub(super) when: Option<String>,
}

/// By name what charges and floors refer to by index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Names {
    pub(super) quotas: Vec<Identity>,
    pub(super) contents: Vec<String>,
    pub(super) tiers: Vec<String>,
}

/// A quota and what it is.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) identity: Identity,
    pub(super) quota: Quota,
}

/// Where quotas, content sections and tiers of another state are in this one.
#[derive(Debug, Clone, Default)]
pub(super) struct Mapping {
    quotas: Vec<Option<u16>>,
    contents: Vec<Option<u16>>,
    tiers: Vec<Option<u16>>,
}

impl Mapping {
    pub(super) fn quota(&self, index: u16) -> Option<u16> {
        self.quotas.get(usize::from(index)).copied().flatten()
    }

    pub(super) fn content(&self, index: u16) -> Option<u16> {
        self.contents.get(usize::from(index)).copied().flatten()
    }

    pub(super) fn tier(&self, index: u16) -> Option<u16> {
        self.tiers.get(usize::from(index)).copied().flatten()
    }

    /// The tier of the other state that is this one here.
    pub(super) fn tier_before(&self, index: u16) -> Option<u16> {
        let found = self.tiers.iter().position(|tier| *tier == Some(index))?;
        u16::try_from(found).ok()
    }
}

impl State {
    /// Finds its own in what another state declares.
    ///
    /// A quota goes on where label, unit, window and `per` are the same. One that was given another label (mostly
    /// because its amount, which is its label, was changed) goes on where it counts the same: unit, window, `per`,
    /// `on` and `when`. One that is gone is kept beside those of the plan until its windows are over, so that a file
    /// that is rolled back finds what was used.
    pub(super) fn adopt(&mut self, planned: usize, quotas: &[Declared], names: &Names) -> Mapping {
        let place = |names: &[String], name: &String| {
            let index = names.iter().position(|found| found == name)?;
            u16::try_from(index).ok()
        };
        let of = |own: &[String], others: &[String]| {
            others.iter().map(|name| place(own, name)).collect()
        };
        Mapping {
            contents: of(&self.names.contents, &names.contents),
            tiers: of(&self.names.tiers, &names.tiers),
            quotas: self.adopt_quotas(planned, quotas),
        }
    }

    fn adopt_quotas(&mut self, planned: usize, others: &[Declared]) -> Vec<Option<u16>> {
        let mut places: Vec<Option<usize>> = others
            .iter()
            .map(|other| self.own().position(|own| own.is(other)))
            .collect();
        for (index, other) in others.iter().enumerate() {
            if places.get(index).copied().flatten().is_none() {
                let is_free = |place: &usize| !places.contains(&Some(*place));
                let found = self
                    .own()
                    .take(planned)
                    .enumerate()
                    .find(|(place, own)| is_free(place) && own.counts_like(other));
                let place = found.map(|(place, _)| place);
                let place = place.unwrap_or_else(|| self.keep(other));
                if let Some(slot) = places.get_mut(index) {
                    *slot = Some(place);
                }
            }
        }
        let index = |place: Option<usize>| place.and_then(|place| u16::try_from(place).ok());
        places.into_iter().map(index).collect()
    }

    fn own(&self) -> impl Iterator<Item = Declared> {
        let identities = self.names.quotas.iter();
        identities
            .zip(&self.quotas)
            .map(|(identity, quota)| Declared {
                identity: identity.clone(),
                quota: quota.clone(),
            })
    }

    /// Its quotas, as another state adopts them.
    pub(super) fn declared(&self) -> Vec<Declared> {
        self.own().collect()
    }

    /// Takes in a quota that the plan does not have.
    fn keep(&mut self, other: &Declared) -> usize {
        self.names.quotas.push(other.identity.clone());
        self.quotas.push(other.quota.clone());
        self.quotas.len() - 1
    }
}

impl Declared {
    fn is(&self, other: &Self) -> bool {
        self.identity.label == other.identity.label
            && self.identity.per == other.identity.per
            && self.measures_like(other)
    }

    fn counts_like(&self, other: &Self) -> bool {
        let rest = |declared: &Self| Identity {
            label: String::new(),
            ..declared.identity.clone()
        };
        rest(self) == rest(other) && self.measures_like(other)
    }

    fn measures_like(&self, other: &Self) -> bool {
        let windows = match (&self.quota.window, &other.quota.window) {
            (
                Window::Rolling { nanoseconds, .. },
                Window::Rolling {
                    nanoseconds: others,
                    ..
                },
            ) => nanoseconds == others,
            (Window::Calendar(calendar), Window::Calendar(other)) => calendar.is(other),
            (
                Window::Sliding { nanoseconds },
                Window::Sliding {
                    nanoseconds: others,
                },
            )
            | (
                Window::Session { nanoseconds },
                Window::Session {
                    nanoseconds: others,
                },
            ) => nanoseconds == others,
            (Window::Open, Window::Open) | (Window::Call, Window::Call) => true,
            _ => false,
        };
        self.quota.unit == other.quota.unit && windows
    }

    pub(super) fn write(identity: &Identity, quota: &Quota, writer: &mut Writer<'_>) {
        writer.text(&identity.label);
        for text in [&identity.per, &identity.on, &identity.when] {
            writer.text_if_any(text.as_deref());
        }
        writer.byte(match quota.unit {
            Unit::Requests => 0,
            Unit::Tokens => 1,
            Unit::Money => 2,
            Unit::Repeats => 3,
            Unit::Concurrent => 4,
        });
        writer.number(quota.amount);
        match &quota.window {
            Window::Rolling { nanoseconds, burst } => {
                writer.byte(0);
                writer.number(*nanoseconds);
                writer.number(*burst);
            }
            Window::Calendar(calendar) => {
                writer.byte(match calendar.period() {
                    Period::Day => 1,
                    Period::Week => 2,
                    Period::Month => 3,
                });
                writer.text(calendar.zone());
            }
            Window::Sliding { nanoseconds } => {
                writer.byte(4);
                writer.number(*nanoseconds);
            }
            Window::Session { nanoseconds } => {
                writer.byte(5);
                writer.number(*nanoseconds);
            }
            Window::Call => writer.byte(6),
            Window::Open => writer.byte(7),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let identity = Identity {
            label: reader.text()?,
            per: reader.text_if_any()?,
            on: reader.text_if_any()?,
            when: reader.text_if_any()?,
        };
        let unit = match reader.byte()? {
            0 => Unit::Requests,
            1 => Unit::Tokens,
            2 => Unit::Money,
            3 => Unit::Repeats,
            4 => Unit::Concurrent,
            _ => return Err(Malformed),
        };
        let amount = reader.number()?;
        let window = match reader.byte()? {
            0 => Window::Rolling {
                nanoseconds: reader.number()?,
                burst: reader.number()?,
            },
            1 => calendar(Period::Day, &reader.text()?),
            2 => calendar(Period::Week, &reader.text()?),
            3 => calendar(Period::Month, &reader.text()?),
            4 => Window::Sliding {
                nanoseconds: reader.number()?,
            },
            5 => Window::Session {
                nanoseconds: reader.number()?,
            },
            6 => Window::Call,
            7 => Window::Open,
            _ => return Err(Malformed),
        };
        let quota = Quota {
            unit,
            amount,
            window,
        };
        Ok(Self { identity, quota })
    }
}

/// As the verifier does with a plan's: a zone that is gone is counted in UTC.
fn calendar(period: Period, zone: &str) -> Window {
    let calendar = Calendar::new(period, zone);
    Window::Calendar(calendar.unwrap_or_else(|| Calendar::utc(period)))
}
