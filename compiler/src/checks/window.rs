//! WP0312: a window that no clock can count.

use jiff::tz::TimeZone;
use waypost_lang::diagnostic::{Diagnostic, Edit, nearest};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Quota, Window};
use waypost_lang::{Code, codes};

/// The words for calendar windows.
const WORDS: &[&str] = &["day", "week", "month"];
/// The longest rolling window: what it holds must outlive a restart, and a month has a calendar word.
const LONGEST: u64 = 31 * 24 * 60 * 60 * 1000;

/// What is wrong with the window of a quota and with its zone.
pub(crate) fn check(quota: &Quota) -> Option<Diagnostic> {
    let span = quota.window.span;
    match &quota.window.value {
        Window::Other(word) => Some(unknown_word(word, quota)),
        Window::Rolling(0) => Some(
            codes::UNCOUNTABLE_WINDOW
                .error(span, "a window of no time")
                .label("nothing fits into it")
                .help("write a duration above zero, such as `1m`"),
        ),
        Window::Rolling(length) if *length > LONGEST => Some(
            codes::UNCOUNTABLE_WINDOW
                .error(span, "a rolling window is at most 31 days long")
                .label("longer than that")
                .help("write at most `31d`, or a calendar window: `day`, `week` or `month`"),
        ),
        Window::Rolling(_) => quota.zone.as_ref().map(|zone| {
            codes::UNCOUNTABLE_WINDOW
                .error(zone.span, "a rolling window knows no time zone")
                .label("it has no midnight")
                .help("delete the zone, or write a calendar window: `day`, `week` or `month`")
        }),
        Window::Day | Window::Week | Window::Month => unknown_zone(quota),
    }
}

fn unknown_word(word: &str, quota: &Quota) -> Diagnostic {
    let diagnostic = codes::UNCOUNTABLE_WINDOW
        .error(quota.window.span, format!("no clock counts a `{word}`"))
        .label("not a window");
    let singular = word.strip_suffix('s').unwrap_or(word);
    let meant = match word {
        "daily" => Some("day"),
        "weekly" => Some("week"),
        "monthly" => Some("month"),
        "second" => Some("1s"),
        "minute" => Some("1m"),
        "hour" => Some("1h"),
        _ => nearest(singular, WORDS.iter().copied()),
    };
    match meant {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
            format!("write `{near}`"),
            [Edit {
                span: quota.window.span,
                text: near.to_owned(),
            }],
        ),
        None => diagnostic.help(
            "write a calendar window (`day`, `week`, `month`) or a duration such as `1m`, `24h` or `14d`",
        ),
    }
}

fn unknown_zone(quota: &Quota) -> Option<Diagnostic> {
    let zone = quota.zone.as_ref()?;
    let known = TimeZone::get(&zone.value).is_ok();
    (!known).then(|| no_zone(&zone.value, zone.span, codes::UNCOUNTABLE_WINDOW))
}

/// What is said of the name of a time zone that the database does not know.
pub(crate) fn no_zone(written: &str, span: Span, code: Code) -> Diagnostic {
    let names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.as_str().to_owned())
        .collect();
    let diagnostic = code
        .error(span, format!("there is no time zone `{written}`"))
        .label("not a name of the time zone database");
    match nearest(written, names.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
            format!("write `{near}`"),
            [Edit {
                span,
                text: format!("\"{near}\""),
            }],
        ),
        None => {
            diagnostic.help("write a region and city, such as `\"Europe/Berlin\"`, or `\"UTC\"`")
        }
    }
}
