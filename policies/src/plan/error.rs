//! Why a plan is not loaded.

use super::{FORMAT, section, verify::Flaw};

/// Why a plan is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The file does not begin as a plan does.
    #[error("this is not a plan")]
    NotAPlan,
    /// It was sealed by another version.
    #[error("the plan has format {0}, and this program reads format {FORMAT}")]
    Format(u32),
    /// It ends too early, or goes on after its end.
    #[error("the plan is cut short or has something after its end")]
    Length,
    /// A section was changed after it was sealed.
    #[error("the plan's {section} do not match their checksum")]
    Checksum {
        /// Which section.
        section: &'static str,
    },
    /// The strings are not UTF-8.
    #[error("the plan's strings are not UTF-8")]
    Utf8,
    /// A record means nothing.
    #[error("record {record} of the plan's {section}: {flaw}")]
    Record {
        /// Which section.
        section: &'static str,
        /// Which record of it, from 0.
        record: usize,
        /// What is wrong.
        flaw: Flaw,
    },
}

impl PlanError {
    pub(super) fn flaw(number: usize, record: usize, flaw: Flaw) -> Self {
        Self::Record {
            section: section::NAMES.get(number).copied().unwrap_or_default(),
            record,
            flaw,
        }
    }
}
