//! Sets of numbers: intervals over the whole order of a type, exact at every bound.
//!
//! Numbers stand for their place in the order of their type: whole numbers, times and spans of time for themselves, doubles for
//! the rank of their bits. So `x > 0.1` of a double and `x > 1.5` of an int are closed intervals, and a complement loses nothing.
//! NaN is in no interval; it is a member of its own.

use waypost_lang::cel::typed::{Constant, Function, Type};

/// A set of places in the order of a numeric type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Closed intervals, ascending, with a gap between each two.
    intervals: Vec<(i128, i128)>,
    /// Whether NaN is a member.
    nan: bool,
}

const LOWEST: i128 = i128::MIN;
const HIGHEST: i128 = i128::MAX;

impl Numbers {
    /// The places from `low` to `high`, both included; none if they are the wrong way round.
    pub(crate) fn between(low: i128, high: i128) -> Self {
        Self {
            intervals: if low <= high {
                vec![(low, high)]
            } else {
                Vec::new()
            },
            nan: false,
        }
    }

    pub(crate) fn point(place: i128) -> Self {
        Self::between(place, place)
    }

    pub(crate) const fn none() -> Self {
        Self {
            intervals: Vec::new(),
            nan: false,
        }
    }

    /// Every value of a type whose values have an order; none for the others.
    pub(crate) fn every(ty: &Type) -> Option<Self> {
        let (low, high) = match ty {
            Type::Bool => (0, 1),
            Type::Int | Type::Duration => (i64::MIN.into(), i64::MAX.into()),
            Type::Uint => (0, u64::MAX.into()),
            Type::Double => (place_of(f64::NEG_INFINITY), place_of(f64::INFINITY)),
            // More than the years 1 to 9999.
            Type::Timestamp => (i128::from(i64::MIN) * SECOND, i128::from(i64::MAX) * SECOND),
            _ => return None,
        };
        Some(Self {
            nan: *ty == Type::Double,
            ..Self::between(low, high)
        })
    }

    /// The values of `ty` that stand in this relation to a constant; none where the constant is no such number.
    pub(crate) fn related(ty: &Type, relation: Function, constant: &Constant) -> Option<Self> {
        let bound = Bound::of(ty, constant)?;
        Some(
            match relation {
                Function::Equal => bound.equal(),
                Function::NotEqual => bound.equal().complement(),
                Function::Less => Self::between(LOWEST, bound.below),
                Function::LessOrEqual => Self::between(LOWEST, bound.at_most),
                Function::Greater => Self::between(bound.at_most.checked_add(1)?, HIGHEST),
                Function::GreaterOrEqual => Self::between(bound.below.checked_add(1)?, HIGHEST),
                _ => return None,
            }
            .ordered(relation, constant),
        )
    }

    /// Nothing is in order with NaN.
    fn ordered(self, relation: Function, constant: &Constant) -> Self {
        let is_nan = matches!(constant, Constant::Double(value) if value.is_nan());
        match relation {
            Function::Equal if is_nan => Self::none(),
            Function::NotEqual if is_nan => Self::none().complement(),
            Function::Equal | Function::NotEqual => self,
            _ if is_nan => Self::none(),
            _ => self,
        }
    }

    pub(crate) fn complement(&self) -> Self {
        let mut intervals = Vec::with_capacity(self.intervals.len() + 1);
        let mut from = Some(LOWEST);
        for &(low, high) in &self.intervals {
            if let (Some(from), Some(to)) = (from, low.checked_sub(1))
                && from <= to
            {
                intervals.push((from, to));
            }
            from = high.checked_add(1);
        }
        if let Some(from) = from {
            intervals.push((from, HIGHEST));
        }
        Self {
            intervals,
            nan: !self.nan,
        }
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let mut intervals = Vec::new();
        let (mut left, mut right) = (
            self.intervals.iter().peekable(),
            other.intervals.iter().peekable(),
        );
        while let (Some(&&(a, b)), Some(&&(c, d))) = (left.peek(), right.peek()) {
            let (low, high) = (a.max(c), b.min(d));
            if low <= high {
                intervals.push((low, high));
            }
            if b < d {
                left.next();
            } else {
                right.next();
            }
        }
        Self {
            intervals,
            nan: self.nan && other.nan,
        }
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        self.complement()
            .intersection(&other.complement())
            .complement()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.intervals.is_empty() && !self.nan
    }

    pub(crate) fn contains(&self, place: i128) -> bool {
        self.intervals
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&place))
    }

    /// The lowest and the highest member, NaN left out.
    pub(crate) fn extent(&self) -> Option<(i128, i128)> {
        Some((self.intervals.first()?.0, self.intervals.last()?.1))
    }

    /// Whether it is one interval, without NaN.
    pub(crate) const fn is_interval(&self) -> bool {
        self.intervals.len() == 1 && !self.nan
    }

    pub(crate) const fn has_nan(&self) -> bool {
        self.nan
    }

    /// The only member, where there is one.
    pub(crate) fn single(&self) -> Option<i128> {
        match self.intervals.as_slice() {
            [(low, high)] if low == high && !self.nan => Some(*low),
            _ => None,
        }
    }
    /// Members to try, plain ones first: near `near`, else at the ends of the intervals.
    pub(crate) fn samples(&self, near: i128) -> impl Iterator<Item = i128> {
        let nearest = self
            .intervals
            .iter()
            .map(move |(low, high)| near.clamp(*low, *high));
        let ends = self.intervals.iter().flat_map(|(low, high)| [*low, *high]);
        nearest.chain(ends)
    }
}

const SECOND: i128 = 1_000_000_000;

/// Where a constant stands in the order of a type.
struct Bound {
    /// The last place below it.
    below: i128,
    /// The last place not above it.
    at_most: i128,
}

impl Bound {
    fn of(ty: &Type, constant: &Constant) -> Option<Self> {
        let exactly = |place: i128| Self {
            below: place - 1,
            at_most: place,
        };
        match (ty, constant) {
            (Type::Bool, Constant::Bool(value)) => Some(exactly(i128::from(*value))),
            (Type::Int | Type::Uint, _) => match constant {
                Constant::Double(value) => Some(Self::among_whole(*value)),
                _ => whole(constant).map(exactly),
            },
            (Type::Double, Constant::Double(value)) if value.is_nan() => Some(exactly(0)),
            (Type::Double, Constant::Double(value)) => Some(exactly(place_of(*value))),
            (Type::Double, _) => whole(constant).map(Self::among_doubles),
            (Type::Timestamp, Constant::Timestamp(seconds, nanoseconds)) => Some(exactly(
                i128::from(*seconds) * SECOND + i128::from(*nanoseconds),
            )),
            (Type::Duration, Constant::Duration(nanoseconds)) => {
                Some(exactly(i128::from(*nanoseconds)))
            }
            _ => None,
        }
    }

    /// A double among whole numbers; beyond 64 bits the cast saturates, where the order is decided anyway.
    fn among_whole(value: f64) -> Self {
        let clamped = value.clamp(-1e30, 1e30);
        Self {
            below: clamped.ceil() as i128 - 1,
            at_most: clamped.floor() as i128,
        }
    }

    /// A whole number among doubles: the nearest double may lie on either side of it.
    fn among_doubles(whole: i128) -> Self {
        let nearest = whole as f64;
        let (place, rounded) = (place_of(nearest), nearest as i128);
        Self {
            below: if rounded < whole { place } else { place - 1 },
            at_most: if rounded <= whole { place } else { place - 1 },
        }
    }

    fn equal(&self) -> Numbers {
        Numbers::between(self.below.saturating_add(1), self.at_most)
    }
}

fn whole(constant: &Constant) -> Option<i128> {
    match constant {
        Constant::Int(value) => Some(i128::from(*value)),
        Constant::Uint(value) => Some(i128::from(*value)),
        _ => None,
    }
}

/// The rank of a double among all doubles; both zeros have one.
pub(crate) fn place_of(value: f64) -> i128 {
    let magnitude = i128::from(value.abs().to_bits());
    if value < 0.0 { -magnitude } else { magnitude }
}
/// The double of a rank.
pub(crate) fn double_at(place: i128) -> f64 {
    let magnitude = f64::from_bits(u64::try_from(place.unsigned_abs()).unwrap_or(0));
    if place < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a value is in the relation, asked of the set and computed.
    fn agree(value: f64, relation: Function, constant: &Constant) -> bool {
        let set = Numbers::related(&Type::Double, relation, constant);
        let member = set.is_some_and(|set| {
            if value.is_nan() {
                set.has_nan()
            } else {
                set.contains(place_of(value))
            }
        });
        let other = match constant {
            Constant::Int(other) => *other as f64,
            Constant::Double(other) => *other,
            _ => f64::NAN,
        };
        let holds = match relation {
            Function::Equal => value == other,
            Function::NotEqual => value != other,
            Function::Less => value < other,
            Function::LessOrEqual => value <= other,
            Function::Greater => value > other,
            _ => value >= other,
        };
        member == holds
    }

    #[test]
    fn doubles_are_members_where_they_are_in_the_relation() {
        let values = [
            f64::NAN,
            f64::NEG_INFINITY,
            -1.5,
            -0.0,
            0.0,
            0.1,
            1.0,
            1.5,
            2.0,
            f64::INFINITY,
        ];
        let constants = values
            .map(Constant::Double)
            .into_iter()
            .chain([Constant::Int(0), Constant::Int(1)]);
        for constant in constants {
            for value in values {
                for relation in [
                    Function::Equal,
                    Function::NotEqual,
                    Function::Less,
                    Function::LessOrEqual,
                    Function::Greater,
                    Function::GreaterOrEqual,
                ] {
                    assert!(
                        agree(value, relation, &constant),
                        "{value} {relation:?} {constant:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_whole_number_that_is_no_double_lies_between_two() {
        let odd = Constant::Int((1 << 53) + 1);
        let above = Numbers::related(&Type::Double, Function::Greater, &odd);
        let equal = Numbers::related(&Type::Double, Function::Equal, &odd);
        assert_eq!(equal, Some(Numbers::none()));
        assert!(
            above.is_some_and(|above| !above.contains(place_of((1_u64 << 53) as f64))
                && above.contains(place_of(((1_u64 << 53) + 2) as f64)))
        );
    }

    #[test]
    fn whole_numbers_compare_with_fractions() {
        let above = Numbers::related(&Type::Int, Function::Greater, &Constant::Double(1.5));
        let at_least = Numbers::related(&Type::Int, Function::GreaterOrEqual, &Constant::Int(2));
        assert_eq!(above, at_least);
        let equal = Numbers::related(&Type::Int, Function::Equal, &Constant::Double(1.5));
        assert_eq!(equal, Some(Numbers::none()));
    }

    #[test]
    fn a_complement_of_a_complement_is_the_set() {
        let set = Numbers::between(1, 5).union(&Numbers::between(9, 9));
        assert_eq!(set.complement().complement(), set);
        assert!(set.intersection(&set.complement()).is_empty());
    }
}
