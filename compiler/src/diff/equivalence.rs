//! Whether two expressions certainly do the same.

use waypost_lang::cel::typed::Typed;

/// Whether they do: written alike, but for where they stand.
pub(super) fn equivalent(old: &Typed, new: &Typed) -> bool {
    old.without_spans() == new.without_spans()
}
