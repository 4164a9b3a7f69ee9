//! WP0516: a preview of Azure's API that is older than a year.

use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic, codes};

use super::{Date, Subject};

/// Finds `version "2023-03-15-preview"`: previews are taken away, released versions stay longer.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(today) = subject.today else {
        return;
    };
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let ItemKind::Provider(provider) = &item.kind else {
            continue;
        };
        let Some(version) = &provider.version else {
            continue;
        };
        let since = version.value.strip_suffix("-preview").and_then(date);
        let Some(since) = since.filter(|since| is_old(*since, today)) else {
            continue;
        };
        let month = format!("{}-{:02}", since.year, since.month);
        found.push(
            codes::STALE_PREVIEW_VERSION
                .warning(
                    version.span,
                    format!("`{}` is a preview of more than a year ago", version.value),
                )
                .label(format!(
                    "of {month}; Azure retires previews, and then answers 404"
                ))
                .help("write a released version, such as `version \"2024-10-21\"`"),
        );
    }
}

/// `2024-10-21`
fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let date = Date {
        year: parts.next()?.parse().ok()?,
        month: parts.next()?.parse().ok()?,
        day: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(date)
}

fn is_old(since: Date, today: Date) -> bool {
    let next_year = Date {
        year: since.year.saturating_add(1),
        ..since
    };
    next_year < today
}
