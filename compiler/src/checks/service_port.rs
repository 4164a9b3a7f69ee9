//! WP0304: a pool's port that is a Service's, not the container's.

use waypost_lang::codes;
use waypost_lang::diagnostic::{Diagnostic, Edit};
use waypost_lang::source::Spanned;
use waypost_lang::syntax::tree::Pool;

/// What a KAITO or selector pool says when its port is one that only a Service listens on.
pub(crate) fn check(port: &Spanned<u64>, pool: &Pool, owner: &str) -> Option<Diagnostic> {
    // No engine's container listens below 1024: its server does not run as root.
    if port.value != 80 && port.value != 443 {
        return None;
    }
    let diagnostic = codes::SERVICE_PORT
        .error(
            port.span,
            format!(
                "{} is a Service's port, and {owner} addresses pods",
                port.value
            ),
        )
        .label("no container of the pool listens here");
    Some(if pool.kaito.is_some() {
        diagnostic
            .help("KAITO's containers listen on 5000, which its Service maps to 80: write `port 5000`")
            .fix(
                "write `5000`",
                [Edit {
                    span: port.span,
                    text: "5000".to_owned(),
                }],
            )
    } else {
        diagnostic.help(
            "write the container's port: 8000 for vLLM and TensorRT-LLM, 30000 for SGLang unless started otherwise",
        )
    })
}
