//! What tokens cost: a table with a row for each service and length of prompt, and a column for each sort of token.
//!
//! Invariants: a table is never empty and its rows stand in order; the first is what a prompt of any length costs at the
//! usual service; no price is below zero. A sort without a price of its own costs what the sort that it is part of does.

use crate::money::NanoDollars;

/// How many sorts there are.
pub const SORTS: usize = 10;

/// What a token may be: of the prompt the first seven, of the answer the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// Of the prompt, where nothing else is said.
    Input,
    /// Read from the provider's cache.
    Cached,
    /// Written to it, for the usual time.
    CacheWrite,
    /// Written to it for an hour.
    CacheWriteHour,
    /// Sound that was sent.
    AudioInput,
    /// Sound that was sent and that the cache had.
    AudioCached,
    /// Images that were sent.
    ImageInput,
    /// Of the answer, where nothing else is said.
    Output,
    /// What the model thought.
    Reasoning,
    /// Sound that was answered.
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

    /// Whether it is part of the answer.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Output | Self::Reasoning | Self::AudioOutput)
    }

    /// What it costs where it has no price of its own: never one that comes later.
    const fn otherwise(self) -> Self {
        match self {
            Self::CacheWriteHour => Self::CacheWrite,
            Self::AudioCached => Self::AudioInput,
            Self::Input | Self::Cached | Self::CacheWrite | Self::AudioInput | Self::ImageInput => {
                Self::Input
            }
            Self::Output | Self::Reasoning | Self::AudioOutput => Self::Output,
        }
    }
}

/// How a provider serves a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Service {
    /// As usual.
    #[default]
    Standard,
    /// Within a day.
    Batch,
    /// When there is room.
    Flex,
    /// Before others.
    Priority,
}

impl Service {
    /// Every one, in order.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Batch, Self::Flex, Self::Priority];

    /// How a file calls it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
        }
    }

    /// What an answer calls so; nothing where it is no word of ours.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "default" | "standard" | "on_demand" => Some(Self::Standard),
            "batch" => Some(Self::Batch),
            "flex" => Some(Self::Flex),
            "priority" | "fast" => Some(Self::Priority),
            _ => None,
        }
    }

    /// What a request asks for so. A word that is not known may be the dearest: it is taken for that.
    #[must_use]
    pub fn asked(word: &str) -> Self {
        match word {
            "" | "auto" | "standard_only" | "scale" | "reserved" => Self::Standard,
            word => Self::named(word).unwrap_or(Self::Priority),
        }
    }
}

/// What a million tokens of each sort cost: prices are quoted so, and not every one is a whole nano-dollar a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    all: [NanoDollars; SORTS],
    said: [bool; SORTS],
}

impl Rates {
    /// The rates of what is said, in the order of [`Sort::ALL`].
    #[must_use]
    pub fn new(said: [Option<NanoDollars>; SORTS]) -> Self {
        let mut rates = Self {
            all: [NanoDollars::ZERO; SORTS],
            said: said.map(|rate| rate.is_some()),
        };
        for (sort, rate) in Sort::ALL.into_iter().zip(said) {
            let rate = rate.unwrap_or_else(|| rates.of(sort.otherwise()));
            if let Some(place) = rates.all.get_mut(sort as usize) {
                *place = rate;
            }
        }
        rates
    }

    /// A prompt's, the cached part of it, and an answer's.
    #[must_use]
    pub fn simple(input: NanoDollars, cached: NanoDollars, output: NanoDollars) -> Self {
        Self::new(Sort::ALL.map(|sort| match sort {
            Sort::Input => Some(input),
            Sort::Cached => Some(cached),
            Sort::Output => Some(output),
            _ => None,
        }))
    }

    /// What this sort costs.
    #[must_use]
    pub fn of(&self, sort: Sort) -> NanoDollars {
        self.all.get(sort as usize).copied().unwrap_or_default()
    }

    /// What this sort costs, where it has a price of its own.
    #[must_use]
    pub fn said(&self, sort: Sort) -> Option<NanoDollars> {
        let said = self.said.get(sort as usize).copied().unwrap_or_default();
        said.then(|| self.of(sort))
    }

    /// Whether nothing costs anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.all.iter().all(|rate| *rate == NanoDollars::ZERO)
    }

    /// The dearest of the sorts of a prompt, and of an answer.
    #[must_use]
    pub fn dearest(&self) -> (NanoDollars, NanoDollars) {
        let most = |answer: bool| {
            let sorts = Sort::ALL.into_iter();
            let mine = sorts.filter(|sort| sort.is_answer() == answer);
            mine.map(|sort| self.of(sort)).max().unwrap_or_default()
        };
        (most(false), most(true))
    }
}

/// A row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Of calls that are served so.
    pub service: Service,
    /// Whose prompt has more tokens than this.
    pub above: u64,
    /// What their tokens cost, all of them.
    pub rates: Rates,
}

impl Row {
    /// Whether it is of the same calls as another, and all costs the same there.
    #[must_use]
    pub fn costs_the_same(&self, other: &Self) -> bool {
        let of = |row: &Self| (row.service, row.above, row.rates.all);
        of(self) == of(other)
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    rows: Box<[Row]>,
}

impl Price {
    /// A table of these rows; `None` unless the first is the usual one, all stand in order and each service has a row for
    /// prompts of any length.
    #[must_use]
    pub fn new(rows: Vec<Row>) -> Option<Self> {
        let first = rows.first()?;
        let mut last: Option<&Row> = None;
        for row in &rows {
            let follows = match last {
                Some(last) if last.service == row.service => last.above < row.above,
                Some(last) => last.service < row.service && row.above == 0,
                None => row.above == 0,
            };
            if !follows {
                return None;
            }
            last = Some(row);
        }
        (first.service == Service::Standard).then(|| Self {
            rows: rows.into_boxed_slice(),
        })
    }

    /// A table of one row.
    #[must_use]
    pub fn flat(rates: Rates) -> Self {
        let row = Row {
            service: Service::Standard,
            above: 0,
            rates,
        };
        Self {
            rows: Box::new([row]),
        }
    }

    /// Its rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What a prompt of any length costs at the usual service.
    #[must_use]
    pub fn base(&self) -> Rates {
        let first = self.rows.first();
        first.map_or_else(|| Rates::new([None; SORTS]), |row| row.rates)
    }

    /// The row for a prompt of so many tokens; none where the service has none at all.
    #[must_use]
    pub fn row(&self, service: Service, tokens: u64) -> Option<&Row> {
        let mine = self.rows.iter().filter(|row| row.service == service);
        mine.take_while(|row| row.above == 0 || tokens > row.above)
            .last()
    }

    /// Whether calls that ask for this service are known to cost this much or that.
    #[must_use]
    pub fn has(&self, service: Service) -> bool {
        self.rows.iter().any(|row| row.service == service)
    }

    /// Whether all costs the same as there, whatever each of the two leaves unsaid.
    #[must_use]
    pub fn costs_the_same(&self, other: &Self) -> bool {
        let mut pairs = self.rows.iter().zip(&other.rows);
        self.rows.len() == other.rows.len() && pairs.all(|(own, other)| own.costs_the_same(other))
    }

    /// Whether the cache gives a discount.
    #[must_use]
    pub fn discounts_cached(&self) -> bool {
        let base = self.base();
        base.of(Sort::Cached) < base.of(Sort::Input)
    }

    /// Whether nothing costs anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.rows.iter().all(|row| row.rates.is_free())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn row(service: Service, above: u64) -> Row {
        Row {
            service,
            above,
            rates: Rates::new([None; SORTS]),
        }
    }

    #[test]
    fn a_table_stands_in_order() {
        use Service::{Flex, Priority, Standard};
        let accepted = |rows: &[(Service, u64)]| {
            let rows = rows.iter().map(|(service, above)| row(*service, *above));
            Price::new(rows.collect()).is_some()
        };
        assert!(accepted(&[(Standard, 0)]));
        assert!(accepted(&[
            (Standard, 0),
            (Standard, 9),
            (Flex, 0),
            (Priority, 0)
        ]));
        assert!(!accepted(&[]));
        assert!(!accepted(&[(Flex, 0)]));
        assert!(!accepted(&[(Standard, 1)]));
        assert!(!accepted(&[(Standard, 0), (Standard, 0)]));
        assert!(!accepted(&[(Standard, 0), (Priority, 0), (Flex, 0)]));
        assert!(!accepted(&[(Standard, 0), (Priority, 9)]));
    }

    #[test]
    fn what_is_not_said_costs_what_it_is_part_of() {
        let mut said = [None; SORTS];
        said[Sort::Input as usize] = Some(NanoDollars(5));
        said[Sort::CacheWrite as usize] = Some(NanoDollars(6));
        said[Sort::AudioInput as usize] = Some(NanoDollars(30));
        said[Sort::Output as usize] = Some(NanoDollars(20));
        let rates = Rates::new(said);
        let all = Sort::ALL.map(|sort| rates.of(sort).0);
        assert_eq!(all, [5, 5, 6, 6, 30, 30, 5, 20, 20, 20]);
        assert_eq!(rates.dearest(), (NanoDollars(30), NanoDollars(20)));
        assert_eq!(rates.said(Sort::Cached), None);
    }

    #[test]
    fn a_prompt_is_priced_by_the_last_row_below_its_length() {
        let rows = vec![
            row(Service::Standard, 0),
            row(Service::Standard, 200),
            row(Service::Standard, 500),
            row(Service::Flex, 0),
        ];
        let price = Price::new(rows).unwrap();
        let above = |service, tokens| price.row(service, tokens).map(|row| row.above);
        assert_eq!(above(Service::Standard, 200), Some(0));
        assert_eq!(above(Service::Standard, 201), Some(200));
        assert_eq!(above(Service::Standard, u64::MAX), Some(500));
        assert_eq!(above(Service::Flex, 900), Some(0));
        assert_eq!(above(Service::Priority, 9), None);
    }
}
