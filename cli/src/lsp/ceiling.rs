//! What a tier can cost at worst, as hovers and hints show it.

use waypost_compiler::ceiling::Ceiling;

use super::project::Analysis;

/// The ceiling of the tier at this rank: `at most $50.00 / day, set by "$50 / day"`, or why there is none.
pub(crate) fn of_tier(analysis: &Analysis, rank: usize) -> Option<String> {
    let figures = &analysis.ceilings()?.tiers.get(rank)?.everyone;
    // What a month bounds as tightly as a day is said of the month.
    let horizons = match figures.day.most() == figures.month.most() {
        true => [("month", &figures.month), ("day", &figures.day)],
        false => [("day", &figures.day), ("month", &figures.month)],
    };
    for (window, ceiling) in horizons {
        if let Ceiling::Bounded { most, by } = ceiling {
            let most = most.readable();
            return Some(match by.first() {
                Some(setter) => format!("at most {most} / {window}, set by `{}`", setter.label),
                None => format!("at most {most} / {window}"),
            });
        }
    }
    Some("unbounded spend".to_owned())
}
