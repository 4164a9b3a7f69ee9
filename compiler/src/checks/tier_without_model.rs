//! WP0303: a tier that no model can answer.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::syntax::tree::Name;

/// A tier of the chain that nothing declares.
pub(crate) fn undeclared(name: &Name) -> Diagnostic {
    codes::TIER_WITHOUT_MODEL
        .error(name.span, format!("the tier `{}` has no model", name.value))
        .label("stands in the chain, and nothing says what it tries")
        .help(format!("declare it: `tier {} {{ try MODEL }}`", name.value))
}

/// A tier whose block tries nothing.
pub(crate) fn empty(name: &Name) -> Diagnostic {
    codes::TIER_WITHOUT_MODEL
        .error(name.span, format!("the tier `{}` has no model", name.value))
        .label("tries nothing, so every call to it would fail")
        .help("write what it tries: `try MODEL then MODEL`")
}
