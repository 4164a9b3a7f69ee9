//! WP0463: a part of a date is compared with a number that it never has.

use waypost_lang::cel::typed::{Function, Type, Typed, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::comparison::{Comparison, comparisons};

/// Finds comparisons that come out alike for every moment.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for expression in subject.expressions() {
        for one in comparisons(expression)
            .into_iter()
            .flat_map(Comparison::both)
        {
            let Some((low, high, counts)) = range(one.left) else {
                continue;
            };
            let Some(outcome) = one
                .right_integer()
                .and_then(|bound| same(one.operator, low, high, bound))
            else {
                continue;
            };
            let text = subject.sources.text(one.whole.span);
            found.push(
                codes::IMPOSSIBLE_DATE
                    .warning(one.whole.span, format!("`{text}` is always {outcome}"))
                    .label(counts)
                    .help(format!("compare with a number from {low} to {high}")),
            );
        }
    }
}

/// The least, the most, and how it counts.
fn range(value: &Typed) -> Option<(i64, i64, &'static str)> {
    let TypedKind::Call(function, arguments) = &value.kind else {
        return None;
    };
    let moment = arguments.first()?;
    if moment.ty != Type::Timestamp {
        return None;
    }
    match function {
        Function::Month => Some((0, 11, "months count from 0: January is 0, December is 11")),
        Function::DayOfMonth => Some((0, 30, "`getDayOfMonth` counts from 0; `getDate` from 1")),
        Function::Date => Some((1, 31, "days of a month count from 1")),
        Function::DayOfWeek => Some((
            0,
            6,
            "days count from Sunday, which is 0, to Saturday, which is 6",
        )),
        Function::Hours => Some((0, 23, "hours go from 0 to 23")),
        Function::Minutes | Function::Seconds => Some((0, 59, "they go from 0 to 59")),
        _ => None,
    }
}

/// What the comparison comes to, where that is one thing for the whole range.
fn same(operator: Function, low: i64, high: i64, bound: i64) -> Option<bool> {
    let (at_low, at_high) = match operator {
        Function::Equal => return (bound < low || bound > high).then_some(false),
        Function::NotEqual => return (bound < low || bound > high).then_some(true),
        Function::Less => (low < bound, high < bound),
        Function::LessOrEqual => (low <= bound, high <= bound),
        Function::Greater => (low > bound, high > bound),
        Function::GreaterOrEqual => (low >= bound, high >= bound),
        _ => return None,
    };
    (at_low == at_high).then_some(at_low)
}
