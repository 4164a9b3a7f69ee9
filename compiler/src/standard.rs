//! The standard library: packs of rules that are part of the compiler.
//!
//! Invariant: a path that begins with `std/` means a pack of this table and nothing else, so what a file means
//! does not depend on what happens to lie beside it. A folder of one's own is written `./std/…`.

/// Every pack: the path it is imported by, and its text.
pub const PACKS: &[(&str, &str)] = &[
    (
        "std/agents.route",
        include_str!("../../policies/std/agents.route"),
    ),
    (
        "std/catalog.route",
        include_str!("../../policies/std/catalog.route"),
    ),
    (
        "std/company.route",
        include_str!("../../policies/std/company.route"),
    ),
    (
        "std/guards.route",
        include_str!("../../policies/std/guards.route"),
    ),
    (
        "std/privacy.route",
        include_str!("../../policies/std/privacy.route"),
    ),
    (
        "std/regulated.route",
        include_str!("../../policies/std/regulated.route"),
    ),
];

/// The text of the pack imported as `path`.
#[must_use]
pub fn pack(path: &str) -> Option<&'static str> {
    PACKS
        .iter()
        .find(|(name, _)| *name == path)
        .map(|(_, text)| *text)
}
