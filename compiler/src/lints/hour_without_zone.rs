//! WP0462: an hour or a day of the week without a time zone.

use waypost_lang::cel::typed::{Field, Function, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Finds `now.getHours()` and `now.getDayOfWeek()`: they are those of UTC.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for expression in subject.expressions() {
        expression.visit(&mut |typed| {
            let TypedKind::Call(function, arguments) = &typed.kind else {
                return;
            };
            let name = match function {
                Function::Hours => "getHours",
                Function::DayOfWeek => "getDayOfWeek",
                _ => return,
            };
            let [moment] = arguments.as_slice() else {
                return;
            };
            if moment.kind == TypedKind::Field(Field::Now) {
                found.push(
                    codes::HOUR_WITHOUT_ZONE
                        .warning(typed.span, "this is the time in UTC")
                        .label("elsewhere it is another hour, and twice a year it moves")
                        .help(format!(
                            "say which clock is meant: `now.{name}(\"Europe/Berlin\")`, or `\"UTC\"`"
                        )),
                );
            }
        });
    }
}
