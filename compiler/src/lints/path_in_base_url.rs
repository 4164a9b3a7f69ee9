//! WP0514: a provider's URL ends with the path that is appended to it.

use waypost_lang::diagnostic::Edit;
use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// What calls append.
const PATHS: &[&str] = &["/chat/completions", "/completions", "/embeddings"];

/// Finds `url "https://…/v1/chat/completions"`.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let ItemKind::Provider(provider) = &item.kind else {
            continue;
        };
        let Some(url) = &provider.url else {
            continue;
        };
        let trimmed = url.value.trim_end_matches('/');
        let mut paths = PATHS.iter();
        let Some((base, path)) = paths.find_map(|path| Some((trimmed.strip_suffix(path)?, *path)))
        else {
            continue;
        };
        let help = format!("write `url \"{base}\"`");
        found.push(
            codes::PATH_IN_BASE_URL
                .warning(url.span, format!("`{path}` is appended to this once more"))
                .label(format!("calls go to `…{path}{path}`, which answers 404"))
                .help(help.clone())
                .fix(
                    help,
                    [Edit {
                        span: url.span,
                        text: format!("\"{base}\""),
                    }],
                ),
        );
    }
}
