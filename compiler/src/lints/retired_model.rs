//! WP0470: a model that its provider has shut down, or will within two months.

use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// How long before a shutdown it is said: what Azure and Anthropic give as notice at least.
const NOTICE: i64 = 60;

/// Finds models past or near the day on which they retire.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(today) = subject.today else { return };
    for model in &subject.program.models {
        let Some(retires) = &model.retires else {
            continue;
        };
        let (name, left) = (&model.name, retires.value.days_since(today));
        let (message, label) = match left {
            ..=0 => (
                format!("`{}` was shut down on {}", name.value, retires.value),
                "calls to it fail".to_owned(),
            ),
            1..=NOTICE => (
                format!("`{}` is shut down on {}", name.value, retires.value),
                format!(
                    "answers for {left} more day{}",
                    if left == 1 { "" } else { "s" }
                ),
            ),
            _ => continue,
        };
        found.push(
            codes::RETIRED_MODEL
                .warning(name.span, message)
                .label(label)
                .because(retires.span, "says so")
                .help("route to its successor; where your provider keeps it longer, write its own `retires`"),
        );
    }
}
