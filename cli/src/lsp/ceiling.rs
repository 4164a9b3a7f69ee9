//! What a tier can cost at worst, as hovers and hints show it.

use super::project::Analysis;

/// The ceiling of the tier at this rank.
pub(crate) fn of_tier(_analysis: &Analysis, _rank: usize) -> Option<String> {
    None
}
