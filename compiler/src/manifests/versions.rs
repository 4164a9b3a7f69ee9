//! What the versions in `deploy { versions { … } }` change in the manifests.

use waypost_lang::codes;
use waypost_lang::source::Spanned;

use super::Refusal;
use crate::program::Versions;

/// A version of the Gateway API Inference Extension, which brings the Endpoint Picker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InferenceExtension {
    minor: u64,
    patch: u64,
}

/// The last version with a picker of its own; the picker then moved to llm-d-router.
const LAST_WITH_PICKER: u64 = 5;
const LAST_KNOWN: u64 = 6;

impl InferenceExtension {
    /// What the file says, or the last version with a picker of its own.
    pub(crate) fn of(versions: &Versions) -> Result<Self, Refusal> {
        let Some(written) = &versions.inference_extension else {
            return Ok(Self {
                minor: LAST_WITH_PICKER,
                patch: 0,
            });
        };
        match numbers(&written.value) {
            Some((1, minor, patch)) if minor <= LAST_KNOWN => Ok(Self { minor, patch }),
            _ => Err(unknown(written, "inference-extension", "`1.0` to `1.6`")),
        }
    }

    fn is_llm_d(&self) -> bool {
        self.minor > LAST_WITH_PICKER
    }

    /// The picker's image.
    pub(crate) fn picker_image(&self) -> String {
        if self.is_llm_d() {
            "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0".to_owned()
        } else {
            format!(
                "registry.k8s.io/gateway-api-inference-extension/epp:v1.{}.{}",
                self.minor, self.patch
            )
        }
    }

    /// The apiVersion of an InferenceObjective.
    pub(crate) fn objective_api(&self) -> &'static str {
        if self.is_llm_d() {
            "llm-d.ai/v1alpha2"
        } else {
            "inference.networking.x-k8s.io/v1alpha2"
        }
    }

    /// The group that the picker watches objectives and rewrites in.
    pub(crate) fn objective_group(&self) -> &'static str {
        if self.is_llm_d() {
            "llm-d.ai"
        } else {
            "inference.networking.x-k8s.io"
        }
    }

    /// The apiVersion of an EndpointPickerConfig.
    pub(crate) fn config_api(&self) -> &'static str {
        if self.is_llm_d() {
            "llm-d.ai/v1alpha1"
        } else {
            "inference.networking.x-k8s.io/v1alpha1"
        }
    }

    /// Whether the picker's metrics can be served without a token: 1.0 has no such flag, and an unknown flag
    /// stops it.
    pub(crate) fn metrics_can_be_open(&self) -> bool {
        self.minor >= 1
    }

    /// Whether `--tracing` exists.
    pub(crate) fn has_tracing_flag(&self) -> bool {
        self.minor >= 1
    }

    /// Whether saturation is a plugin; before, it was two environment variables.
    pub(crate) fn saturation_is_a_plugin(&self) -> bool {
        self.minor >= LAST_WITH_PICKER
    }

    /// Whether the engine's metric names are flags.
    pub(crate) fn has_metric_flags(&self) -> bool {
        !self.is_llm_d()
    }

    /// The header that names a call's objective.
    pub(crate) fn objective_header(&self) -> &'static str {
        if self.is_llm_d() {
            "x-llm-d-inference-objective"
        } else {
            "x-gateway-inference-objective"
        }
    }
}

/// The tag of agentgateway's image.
pub(crate) fn agentgateway_tag(versions: &Versions) -> Result<String, Refusal> {
    let Some(written) = &versions.agentgateway else {
        return Ok("v1.4.1".to_owned());
    };
    match numbers(&written.value) {
        // 1.3 is the first whose loader takes `inferenceRouting` as a backend policy of a standalone config.
        Some((1, minor, patch)) if minor >= 3 => Ok(format!("v1.{minor}.{patch}")),
        _ => Err(unknown(written, "agentgateway", "`1.3.1` or later")),
    }
}

/// Checks that the Workspace that we write is of the version asked.
pub(crate) fn check_kaito(versions: &Versions) -> Result<(), Refusal> {
    match &versions.kaito {
        Some(written) if written.value != "v1beta1" => Err(unknown(written, "kaito", "`v1beta1`")),
        _ => Ok(()),
    }
}

fn unknown(written: &Spanned<String>, what: &str, known: &str) -> Refusal {
    codes::VERSIONS_CANNOT_EXPRESS
        .error(
            written.span,
            format!("no manifests are known for {what} `{}`", written.value),
        )
        .help(format!("write {known}"))
        .into()
}

/// `1.0`, `v1.3.1`: three numbers, the last 0 where it is not written.
fn numbers(text: &str) -> Option<(u64, u64, u64)> {
    let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    let patch = parts.next().map_or(Some(0), |part| part.parse().ok())?;
    parts.next().is_none().then_some((major, minor, patch))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_two_or_three_numbers() {
        assert_eq!(numbers("1.0"), Some((1, 0, 0)));
        assert_eq!(numbers("v1.3.1"), Some((1, 3, 1)));
        assert_eq!(numbers("1"), None);
        assert_eq!(numbers("1.0.0.1"), None);
        assert_eq!(numbers("latest"), None);
    }
}
