//! WP0502: versions whose manifests cannot express what the file says.

use waypost_lang::codes;
use waypost_lang::diagnostic::{Diagnostic, Edit};
use waypost_lang::syntax::tree::Text;

/// The components, and the versions whose manifests are known: for those with releases, the least and the last
/// minor version of 1.
const KAITO: &str = "v1beta1";
const INFERENCE_EXTENSION: (u64, u64) = (0, 6);
/// From 1.3 on agentgateway takes `inferenceRouting` as a policy of a backend.
const AGENTGATEWAY: (u64, u64) = (3, 6);

/// What is wrong with the version written for a component.
pub(crate) fn check(component: &str, version: &Text) -> Option<Diagnostic> {
    let written = version.value.as_str();
    let (known, near) = match component {
        "kaito" if written == KAITO => return None,
        "kaito" => (None, KAITO.to_owned()),
        "inference-extension" => releases(written, INFERENCE_EXTENSION)?,
        "agentgateway" => releases(written, AGENTGATEWAY)?,
        _ => return None,
    };
    Some(
        codes::VERSIONS_CANNOT_EXPRESS
            .error(
                version.span,
                format!("no manifests are known for {component} `{written}`"),
            )
            .label(reason(component, written))
            .help(match known {
                Some(known) => format!("known are {known}; the nearest is `{near}`"),
                None => format!("write `{near}`"),
            })
            .fix(
                format!("write `{near}`"),
                [Edit {
                    span: version.span,
                    text: format!("\"{near}\""),
                }],
            ),
    )
}

/// Unless `written` is one of the releases, those that are known and the nearest of them.
fn releases(written: &str, (least, last): (u64, u64)) -> Option<(Option<String>, String)> {
    let minor = match numbers(written) {
        Some((1, minor)) if (least..=last).contains(&minor) => return None,
        Some((1, minor)) => minor.clamp(least, last),
        Some((0, _)) => least,
        _ => last,
    };
    let known = format!("`1.{least}` to `1.{last}`");
    Some((Some(known), format!("1.{minor}")))
}

/// Major and minor of `1.3`, `1.3.1` or `v1.3.1`.
fn numbers(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    let patch = parts.next().map_or(Some(0_u64), |part| part.parse().ok());
    (patch.is_some() && parts.next().is_none()).then_some((major, minor))
}

fn reason(component: &str, written: &str) -> &'static str {
    match component {
        "kaito" if written == "v1alpha1" => "the Workspaces that come out are of another version",
        "inference-extension" if written.trim_start_matches('v').starts_with("0.") => {
            "before 1.0 there is no InferencePool v1"
        }
        _ => "a version whose fields are not known",
    }
}

#[cfg(test)]
mod tests {
    use super::releases;

    #[test]
    fn releases_are_told_from_what_is_not_known() {
        assert_eq!(releases("1.3.1", (3, 6)), None);
        assert_eq!(releases("v1.4", (3, 6)), None);
        let nearest = |text| releases(text, (3, 6)).map(|(_, near)| near);
        assert_eq!(nearest("1.2.9").as_deref(), Some("1.3"));
        assert_eq!(nearest("0.9").as_deref(), Some("1.3"));
        assert_eq!(nearest("1.9").as_deref(), Some("1.6"));
        assert_eq!(nearest("latest").as_deref(), Some("1.6"));
        assert_eq!(nearest("1.3.x").as_deref(), Some("1.6"));
    }
}
