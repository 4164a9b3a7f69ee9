//! WP0312: a window that no clock can count.

use jiff::tz::TimeZone;
use waypost_lang::diagnostic::{Diagnostic, Edit, nearest};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Amount, Quota, Window};
use waypost_lang::{Code, codes};

use crate::program::Program;

/// The words for windows.
const WORDS: &[&str] = &["day", "week", "month", "session", "call"];
/// The longest rolling window: what it holds must outlive a restart, and a month has a calendar word.
const LONGEST: u64 = 31 * 24 * 60 * 60 * 1000;

/// What is wrong with the window of a quota and with its zone.
pub(crate) fn check(quota: &Quota) -> Option<Diagnostic> {
    let span = quota.window.span;
    match (&quota.window.value, quota.amount.value) {
        (Window::Other(word), _) => Some(unknown_word(word, quota)),
        (Window::Open, _) => zoneless(quota, "calls that are open know no time zone"),
        (_, Amount::Concurrent(_)) => Some(
            codes::UNCOUNTABLE_WINDOW
                .error(span, "`concurrent` takes no window")
                .label("a call counts while it is open, and no longer")
                .help("delete the window, or count `requests`"),
        ),
        (Window::Rolling(length) | Window::Sliding(length), _) => length_of_time(*length, span)
            .or_else(|| zoneless(quota, "a rolling window knows no time zone")),
        (Window::Session(idle), _) => idle
            .as_ref()
            .and_then(|idle| length_of_time(idle.value, idle.span))
            .or_else(|| zoneless(quota, "a session knows no time zone")),
        (Window::Call, Amount::Requests(_) | Amount::Repeats(_)) => Some(
            codes::UNCOUNTABLE_WINDOW
                .error(span, "a call is one request")
                .label("so nothing is counted here")
                .help("bound its `tokens` or its dollars, or count calls `/ session`"),
        ),
        (Window::Call, _) => zoneless(quota, "a call knows no time zone"),
        (Window::Day | Window::Week | Window::Month, _) => unknown_zone(quota),
    }
}

fn length_of_time(length: u64, span: Span) -> Option<Diagnostic> {
    match length {
        0 => Some(
            codes::UNCOUNTABLE_WINDOW
                .error(span, "a window of no time")
                .label("nothing fits into it")
                .help("write a duration above zero, such as `1m`"),
        ),
        1..=LONGEST => None,
        _ => Some(
            codes::UNCOUNTABLE_WINDOW
                .error(span, "a rolling window is at most 31 days long")
                .label("longer than that")
                .help("write at most `31d`, or a calendar window: `day`, `week` or `month`"),
        ),
    }
}

fn zoneless(quota: &Quota, what: &str) -> Option<Diagnostic> {
    quota.zone.as_ref().map(|zone| {
        codes::UNCOUNTABLE_WINDOW
            .error(zone.span, what)
            .label("it has no midnight")
            .help("delete the zone, or write a calendar window: `day`, `week` or `month`")
    })
}

/// Quotas by session in a file whose content names none, and that do not name it themselves.
pub(crate) fn nameless_sessions(program: &Program) -> Vec<Diagnostic> {
    let contents = &program.contents;
    // A file without content is there to be imported.
    if contents.is_empty() || contents.iter().any(|content| content.keep.is_some()) {
        return Vec::new();
    }
    let quotas = program.policy.quotas.iter();
    let nameless = quotas
        .filter(|quota| matches!(quota.window.value, Window::Session(_)) && quota.per.is_none());
    nameless
        .map(|quota| {
            codes::UNCOUNTABLE_WINDOW
                .error(quota.window.span, "nothing says which calls are one session")
                .label("would count every call of a caller as one")
                .help("write `keep session request.headers[?\"x-session-id\"].orValue(\"\") for 10m` in `content`, or say it here with `per`")
        })
        .collect()
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
            "write a calendar window (`day`, `week`, `month`), a duration such as `1m`, `24h` or `14d`, `session` or `call`",
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
