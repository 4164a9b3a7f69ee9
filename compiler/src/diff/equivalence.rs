//! Whether two expressions certainly do the same.

use waypost_lang::cel::typed::{Type, Typed};

use crate::proofs::Reasoner;

/// Whether they do: they are written alike but for where they stand, or each is proved to hold where the other does.
pub(super) fn equivalent(old: &Typed, new: &Typed) -> bool {
    if old.without_spans() == new.without_spans() {
        return true;
    }
    if old.ty != Type::Bool || new.ty != Type::Bool {
        return false;
    }
    // It knows of neither file's names: what follows without them does so in both.
    let mut reasoner = Reasoner::default();
    let (old, new) = (reasoner.condition(old), reasoner.condition(new));
    reasoner.covers(&old, &[&new]) && reasoner.covers(&new, &[&old])
}
