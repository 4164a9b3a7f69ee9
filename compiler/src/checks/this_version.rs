//! WP0601: what this version parses but cannot do.
//!
//! Invariant: an error where ignoring it would let calls through or send them elsewhere, a warning where the
//! runtime is closed without it.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::Name;

use crate::program::ProviderKind;

/// A kind of provider whose dialect the runtime does not speak.
pub(crate) fn provider_kind(kind: &Name) -> Diagnostic {
    let message = format!(
        "this version cannot call a provider of kind `{}`",
        kind.value
    );
    codes::NOT_IN_THIS_BUILD
        .error(kind.span, message)
        .label("its dialect is not spoken yet")
        .help("use `gemini` with a key of Google's AI Studio, or a gateway that speaks one of the other kinds")
}

/// `auth workload-identity` where it is not Azure's: no token would be sent.
pub(crate) fn workload_identity(span: Span, kind: ProviderKind) -> Diagnostic {
    let message = format!(
        "this version cannot authenticate at `{}` with a workload's identity",
        kind.word()
    );
    codes::NOT_IN_THIS_BUILD
        .error(span, message)
        .label("calls would leave without credentials")
        .help("write `auth secret NAME`, with the key in a Kubernetes secret")
}

/// `threshold hold`: nothing would steer it.
pub(crate) fn threshold_hold(span: Span) -> Diagnostic {
    codes::NOT_IN_THIS_BUILD
        .error(
            span,
            "this version cannot hold a share of calls by steering the threshold",
        )
        .label("nothing would steer it")
        .help("write a fixed one, such as `threshold 0.42`")
}

/// `redact … in response`: answers would pass as they are.
pub(crate) fn redact_response(place: &Name) -> Diagnostic {
    codes::NOT_IN_THIS_BUILD
        .error(
            place.span,
            "this version cannot redact what callers get back",
        )
        .label("answers would pass as they are")
        .help("write `in request, logs`")
}

/// `shape gateway-api`: no manifests of it are written, and building them is refused.
pub(crate) fn gateway_api(shape: &Name) -> Diagnostic {
    codes::NOT_IN_THIS_BUILD
        .warning(
            shape.span,
            "this version writes no manifests of the shape `gateway-api`",
        )
        .label("`waypost build` refuses it")
        .help("write `shape waypost` or `shape layered`")
}

/// `lora` as a signal, `endpoint.lora` in a condition: nobody asks replicas for their adapters.
pub(crate) fn adapters(span: Span) -> Diagnostic {
    codes::NOT_IN_THIS_BUILD
        .warning(
            span,
            "this version's runtime does not know which adapters a replica has loaded",
        )
        .label("all replicas count as having none")
        .help("leave it out; the picker of `shape layered` knows them")
}
