//! WP0502: versions whose manifests cannot express what the file says.

use waypost_lang::codes;
use waypost_lang::diagnostic::{Diagnostic, Edit, nearest};
use waypost_lang::syntax::tree::Text;

/// The versions whose manifests are known, by component: releases of one minor version share their layout.
const KNOWN: &[(&str, &[&str])] = &[
    (
        "inference-extension",
        &["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"],
    ),
    ("kaito", &["v1beta1"]),
    ("agentgateway", &["1.3", "1.4"]),
];

/// What is wrong with the version written for a component.
pub(crate) fn check(component: &str, version: &Text) -> Option<Diagnostic> {
    let known = KNOWN.iter().find(|(name, _)| *name == component);
    let known = known.map(|(_, known)| *known)?;
    let written = version.value.as_str();
    if known.iter().any(|one| is_release_of(written, one)) {
        return None;
    }
    let message = format!("no manifests are known for {component} `{written}`");
    let diagnostic = codes::VERSIONS_CANNOT_EXPRESS
        .error(version.span, message)
        .label(reason(component, written));
    let near = nearest(written.trim_start_matches('v'), known.iter().copied());
    let near = near.or_else(|| known.last().copied())?;
    Some(
        diagnostic
            .help(format!(
                "known are `{}`; the nearest is `{near}`",
                known.join("`, `")
            ))
            .fix(
                format!("write `{near}`"),
                [Edit {
                    span: version.span,
                    text: format!("\"{near}\""),
                }],
            ),
    )
}

/// Whether `written` is `known`, or a patch release of it: `1.3.1` is one of `1.3`.
fn is_release_of(written: &str, known: &str) -> bool {
    match written.strip_prefix(known) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(|patch| {
            !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit())
        }),
        None => false,
    }
}

fn reason(component: &str, written: &str) -> &'static str {
    match component {
        "kaito" if written == "v1alpha1" => {
            "its objects may be served under this name, but no longer stored so"
        }
        "inference-extension" if written.trim_start_matches('v').starts_with("0.") => {
            "before 1.0 there is no InferencePool v1"
        }
        _ => "a version whose fields are not known",
    }
}

#[cfg(test)]
mod tests {
    use super::is_release_of;

    #[test]
    fn patch_releases_belong_to_their_minor_version() {
        assert!(is_release_of("1.3.1", "1.3"));
        assert!(is_release_of("1.3", "1.3"));
        assert!(!is_release_of("1.30", "1.3"));
        assert!(!is_release_of("1.3.x", "1.3"));
        assert!(!is_release_of("1.3.", "1.3"));
    }
}
