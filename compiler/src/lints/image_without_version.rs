//! WP0510: an image whose version may change under the same name.

use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Finds `image` with the tag `latest`, or with none.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let ItemKind::Deploy(deploy) = &item.kind else {
            continue;
        };
        let Some(image) = deploy
            .image
            .as_ref()
            .filter(|image| !is_pinned(&image.value))
        else {
            continue;
        };
        found.push(
            codes::IMAGE_WITHOUT_VERSION
                .warning(
                    image.span,
                    format!("`{}` may be another image tomorrow", image.value),
                )
                .label("no version that stays what it is")
                .help("write a version (`:1.4.2`) or a digest (`@sha256:…`)"),
        );
    }
}

fn is_pinned(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    image.contains("@sha256:") || name.split_once(':').is_some_and(|(_, tag)| tag != "latest")
}
