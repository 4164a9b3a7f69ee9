//! What tokens cost: `price input $1.25  output $10.00`, and rows for longer prompts and other services.

use super::{Date, NanoDollars};
use crate::source::{Span, Spanned};

/// How many sorts of token a price may name.
pub const SORTS: usize = 10;

/// A sort of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// `input`
    Input,
    /// `cached`
    Cached,
    /// `cache-write`
    CacheWrite,
    /// `cache-write-1h`
    CacheWriteHour,
    /// `audio-input`
    AudioInput,
    /// `audio-cached`
    AudioCached,
    /// `image-input`
    ImageInput,
    /// `output`
    Output,
    /// `reasoning`
    Reasoning,
    /// `audio-output`
    AudioOutput,
}

impl Sort {
    /// Every one, in order.
    pub const ALL: [Self; SORTS] = [
        Self::Input,
        Self::Cached,
        Self::CacheWrite,
        Self::CacheWriteHour,
        Self::AudioInput,
        Self::AudioCached,
        Self::ImageInput,
        Self::Output,
        Self::Reasoning,
        Self::AudioOutput,
    ];

    /// How a file calls it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Cached => "cached",
            Self::CacheWrite => "cache-write",
            Self::CacheWriteHour => "cache-write-1h",
            Self::AudioInput => "audio-input",
            Self::AudioCached => "audio-cached",
            Self::ImageInput => "image-input",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::AudioOutput => "audio-output",
        }
    }
}

/// A service that a provider sells beside its usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// `batch`
    Batch,
    /// `flex`
    Flex,
    /// `priority`
    Priority,
}

impl Service {
    /// Every one, in order.
    pub const ALL: [Self; 3] = [Self::Batch, Self::Flex, Self::Priority];

    /// How a file calls it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
        }
    }
}

/// All that is said of what a model's tokens cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// The first field.
    pub span: Span,
    /// One for each field, in the order written.
    pub rows: Vec<PriceRow>,
    /// `as of "2026-11-01"`: when it was read from the provider's list.
    pub as_of: Option<Spanned<Date>>,
}

/// One field: `price priority above 272k  input $5.00  output $22.50`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRow {
    /// The whole field.
    pub span: Span,
    /// `priority`; absent of the usual service.
    pub service: Option<Spanned<Service>>,
    /// `above 272k`: of prompts with more tokens than this; absent of those of any length.
    pub above: Option<Spanned<u64>>,
    /// In nano-dollars per 1M tokens, by [`Sort`]; what is not written is absent.
    pub rates: [Option<Spanned<NanoDollars>>; SORTS],
}

impl PriceRow {
    /// A row without rates.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self {
            span,
            service: None,
            above: None,
            rates: std::array::from_fn(|_| None),
        }
    }

    /// What this sort costs, where it is written.
    #[must_use]
    pub fn rate(&self, sort: Sort) -> Option<&Spanned<NanoDollars>> {
        self.rates.get(sort as usize)?.as_ref()
    }

    /// Of which calls it is, as a file says it: `price priority above 272k`.
    #[must_use]
    pub fn head(&self) -> String {
        let mut head = "price".to_owned();
        if let Some(service) = &self.service {
            head.push(' ');
            head.push_str(service.value.word());
        }
        if let Some(above) = &self.above {
            let (count, unit) = match above.value {
                count if count % 1_000_000 == 0 => (count / 1_000_000, "M"),
                count if count % 1_000 == 0 => (count / 1_000, "k"),
                count => (count, ""),
            };
            head.push_str(&format!(" above {count}{unit}"));
        }
        head
    }

    /// Whether it is of the same calls as another.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        let service = |row: &Self| row.service.as_ref().map(|service| service.value);
        let above = |row: &Self| row.above.as_ref().map(|above| above.value);
        service(self) == service(other) && above(self) == above(other)
    }
}

impl Price {
    /// The row of the usual service for prompts of any length, if it is written.
    #[must_use]
    pub fn base(&self) -> Option<&PriceRow> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.service.is_none() && row.above.is_none())
    }
}
