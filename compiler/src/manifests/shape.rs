//! The shapes, one module each.

pub(crate) mod egress;
pub(crate) mod layered;
pub(crate) mod serving;
pub(crate) mod waypost;
