//! What a call costs: before it leaves, at worst, and in the end.
//!
//! Invariants: integers all the way, in nano-dollars; arithmetic saturates upward, so money never wraps and a wrong
//! figure from an upstream can only make a call look dearer, never cheaper than nothing. A call never costs more than
//! its ceiling while prompt and answer are no longer than was taken for it.

mod price;
#[cfg(test)]
mod tests;

pub use price::{Price, Rates, Row, SORTS, Service, Sort};

use crate::money::NanoDollars;

/// The answer that a call is expected to have, where more is reserved: most answers are short.
pub const EXPECTED_ANSWER: u64 = 256;

/// What a provider says a call used. Parts that are said larger than what they are part of count as all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt, of every sort.
    pub input: u64,
    /// Of these, the ones that the provider read from its cache.
    pub cached: u64,
    /// Of these, the ones that it wrote to its cache for the usual time.
    pub cache_write: u64,
    /// Of these, the ones that it wrote to its cache for an hour.
    pub cache_write_hour: u64,
    /// Of these, sound.
    pub audio_input: u64,
    /// Of the sound, what was read from the cache; counted in `cached` too.
    pub audio_cached: u64,
    /// Of these, images.
    pub image_input: u64,
    /// Tokens of the answer, of every sort.
    pub output: u64,
    /// Of these, what the model thought.
    pub reasoning: u64,
    /// Of these, sound.
    pub audio_output: u64,
    /// How it was served, where the provider says so.
    pub service: Option<Service>,
}

impl Usage {
    /// Prompt and answer together.
    #[must_use]
    pub const fn tokens(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// How many tokens there are of each sort, each token once.
    fn sorted(self) -> [(Sort, u64); SORTS] {
        let cached = self.cached.min(self.input);
        let mut fresh = self.input - cached;
        let mut take = |most: u64| {
            let taken = most.min(fresh);
            fresh -= taken;
            taken
        };
        // The dearer part first: where parts overlap, nothing is taken for cheaper than it was.
        let cache_write_hour = take(self.cache_write_hour);
        let cache_write = take(self.cache_write);
        let audio_cached = self.audio_cached.min(self.audio_input).min(cached);
        let audio_input = take(self.audio_input.saturating_sub(audio_cached));
        let image_input = take(self.image_input);
        let audio_output = self.audio_output.min(self.output);
        let reasoning = self.reasoning.min(self.output - audio_output);
        [
            (Sort::Input, fresh),
            (Sort::Cached, cached - audio_cached),
            (Sort::CacheWrite, cache_write),
            (Sort::CacheWriteHour, cache_write_hour),
            (Sort::AudioInput, audio_input),
            (Sort::AudioCached, audio_cached),
            (Sort::ImageInput, image_input),
            (Sort::Output, self.output - audio_output - reasoning),
            (Sort::Reasoning, reasoning),
            (Sort::AudioOutput, audio_output),
        ]
    }
}

/// What of a call decides, beside its lengths, at which prices it may be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// How it asks to be served.
    pub service: Service,
    /// Whether it asks that some of its prompt be cached for an hour.
    pub caches_for_an_hour: bool,
    /// Whether it sends images.
    pub images: bool,
    /// Whether it sends sound.
    pub audio_input: bool,
    /// Whether it asks for sound.
    pub audio_output: bool,
}

impl Manner {
    /// Whether tokens of this sort may come of it.
    const fn may_use(self, sort: Sort) -> bool {
        match sort {
            Sort::Input | Sort::Cached | Sort::CacheWrite | Sort::Output | Sort::Reasoning => true,
            Sort::CacheWriteHour => self.caches_for_an_hour,
            Sort::AudioInput | Sort::AudioCached => self.audio_input,
            Sort::ImageInput => self.images,
            Sort::AudioOutput => self.audio_output,
        }
    }

    /// What a call is taken to have used where the provider does not say.
    #[must_use]
    pub fn unsaid(self, input: u64, output: u64) -> Usage {
        Usage {
            input,
            audio_input: if self.audio_input { input } else { 0 },
            output,
            audio_output: if self.audio_output { output } else { 0 },
            service: Some(self.service),
            ..Usage::default()
        }
    }

    /// What either of two parts of a call says.
    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            service: self.service,
            caches_for_an_hour: self.caches_for_an_hour || other.caches_for_an_hour,
            images: self.images || other.images,
            audio_input: self.audio_input || other.audio_input,
            audio_output: self.audio_output || other.audio_output,
        }
    }

    /// The first thing that such a call uses and that this table has no price for: it would be counted for too little.
    #[must_use]
    pub fn unpriced(self, price: &Price) -> Option<&'static str> {
        if price.is_free() {
            return None;
        }
        let rates = price.base();
        let lacks = |used: bool, sort: Sort| used && rates.said(sort).is_none();
        if lacks(self.audio_input, Sort::AudioInput) {
            return Some(Sort::AudioInput.word());
        }
        if lacks(self.audio_output, Sort::AudioOutput) {
            return Some(Sort::AudioOutput.word());
        }
        let dearer = self.service == Service::Priority && !price.has(Service::Priority);
        dearer.then_some(Service::Priority.word())
    }
}

/// What a call costs at worst: the dearest that any token of it can be, at the dearest row that its prompt can reach.
#[must_use]
pub fn ceiling(price: &Price, manner: Manner, input: u64, reserved_answer: u64) -> NanoDollars {
    let longest = longest(input);
    let reached = price.rows().iter().filter(|row| {
        let serves = row.service == Service::Standard || row.service == manner.service;
        serves && (row.above == 0 || longest > row.above)
    });
    let costs = reached.map(|row| {
        let (mut prompt, mut answer) = (NanoDollars::ZERO, NanoDollars::ZERO);
        for sort in Sort::ALL.into_iter().filter(|sort| manner.may_use(*sort)) {
            let dearest = match sort.is_answer() {
                true => &mut answer,
                false => &mut prompt,
            };
            *dearest = row.rates.of(sort).max(*dearest);
        }
        sum([(prompt, input), (answer, reserved_answer)])
    });
    costs.max().unwrap_or_default()
}

/// How many tokens a provider may count for a prompt that is taken to have so many: an estimate may be this far below.
#[must_use]
pub const fn longest(input: u64) -> u64 {
    input.saturating_add(input / 4)
}

/// What a call is expected to cost where none of its prompt is cached.
#[must_use]
pub fn estimate(price: &Price, manner: Manner, input: u64, expected_answer: u64) -> NanoDollars {
    actual(price, manner.unsaid(input, expected_answer))
}

/// What a call cost. All of its tokens cost what the row of its prompt's length says. A service that the table does not
/// know for such a prompt costs the dearest of what is known of it and the usual.
#[must_use]
pub fn actual(price: &Price, usage: Usage) -> NanoDollars {
    let sorted = usage.sorted();
    let at = |row: &Row| sum(sorted.map(|(sort, tokens)| (row.rates.of(sort), tokens)));
    let service = usage.service.unwrap_or_default();
    let standard = price.row(Service::Standard, usage.input);
    match (price.row(service, usage.input), standard) {
        (Some(own), Some(standard)) if own.above < standard.above => at(own).max(at(standard)),
        (Some(own), _) => at(own),
        (None, _) => {
            let all = Service::ALL.into_iter();
            let known = all.filter_map(|service| price.row(service, usage.input));
            known.map(at).max().unwrap_or_default()
        }
    }
}

/// Tokens at their prices per million, rounded up once: a call is never cheaper than what it used.
fn sum<const PARTS: usize>(parts: [(NanoDollars, u64); PARTS]) -> NanoDollars {
    const MILLION: i128 = 1_000_000;
    // 2⁶³ times 2⁶⁴ is 2¹²⁷: one product fits, the sum saturates.
    let total = parts
        .into_iter()
        .map(|(price, tokens)| i128::from(price.0).saturating_mul(i128::from(tokens)))
        .fold(0_i128, i128::saturating_add);
    let nanos = total.saturating_add(MILLION - 1) / MILLION;
    NanoDollars(i64::try_from(nanos).unwrap_or(i64::MAX))
}
