//! Numbers that must lie in a range, and what is said of those that do not.

use waypost_lang::codes;
use waypost_lang::source::{Span, Spanned};
use waypost_lang::syntax::tree::{Percent, Range};

use crate::findings::Findings;

/// Reports `message` at `span` as a value out of range; the help says what would do.
pub(crate) fn out_of_range(
    span: Span,
    message: impl Into<String>,
    label: impl Into<String>,
    help: impl Into<String>,
    findings: &mut Findings,
) {
    findings.push(
        codes::BAD_VALUE
            .error(span, message)
            .label(label)
            .help(help),
    );
}

/// The number, if it lies in `low..=high`.
pub(crate) fn number(
    what: &str,
    number: &Spanned<u64>,
    low: u64,
    high: u64,
    findings: &mut Findings,
) -> Option<u64> {
    let good = (low..=high).contains(&number.value);
    if !good {
        out_of_range(
            number.span,
            format!("{what} cannot be {}", number.value),
            "out of range",
            if high == u64::MAX {
                format!("write {low} or more")
            } else {
                format!("write a number from {low} to {high}")
            },
            findings,
        );
    }
    good.then_some(number.value)
}

/// The number as one of 32 bits, if it lies in `low..=high`.
pub(crate) fn small(
    what: &str,
    value: &Spanned<u64>,
    low: u32,
    high: u32,
    findings: &mut Findings,
) -> Option<u32> {
    number(what, value, low.into(), high.into(), findings).and_then(|value| value.try_into().ok())
}

/// The duration, if it is longer than nothing.
pub(crate) fn duration(
    what: &str,
    duration: &Spanned<u64>,
    findings: &mut Findings,
) -> Option<u64> {
    if duration.value == 0 {
        out_of_range(
            duration.span,
            format!("{what} cannot be zero"),
            "no time at all",
            "write a duration such as `30s`",
            findings,
        );
    }
    (duration.value > 0).then_some(duration.value)
}

/// A number of replicas from 1 up, the least not above the most.
pub(crate) fn replicas(range: &Spanned<Range>, findings: &mut Findings) -> Option<Range> {
    let Range { low, high } = range.value;
    let (label, help) = if low > high {
        (
            "the least is above the most",
            format!("write `{high}..{low}`"),
        )
    } else if low == 0 {
        (
            "nobody would answer at zero",
            "write 1 or more as the least".to_owned(),
        )
    } else if high > 10_000 {
        (
            "more than a cluster holds",
            "write 10000 or less".to_owned(),
        )
    } else {
        return Some(range.value);
    };
    let message = format!("replicas cannot be {low}..{high}");
    out_of_range(range.span, message, label, help, findings);
    None
}

/// A share of a whole, from 0 to 100%.
pub(crate) fn share(
    what: &str,
    share: &Spanned<Percent>,
    low: u32,
    high: u32,
    findings: &mut Findings,
) -> Option<Percent> {
    let good = (low..=high).contains(&share.value.0);
    if !good {
        out_of_range(
            share.span,
            format!("{what} cannot be {}", percent(share.value.0)),
            "out of range",
            format!(
                "write a share from {} to {}",
                percent(low.max(100)),
                percent(high)
            ),
            findings,
        );
    }
    good.then_some(share.value)
}

/// Hundredths of a percent as written: 8000 is `80%`, 50 is `0.5%`.
pub(crate) fn percent(hundredths: u32) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    if rest == 0 {
        format!("{whole}%")
    } else {
        let decimals = format!("{rest:02}");
        format!("{whole}.{}%", decimals.trim_end_matches('0'))
    }
}
