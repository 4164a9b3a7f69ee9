//! Tests of costs.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;

/// US dollars per million tokens, in thousandths.
fn rates(said: &[(Sort, i64)]) -> Rates {
    Rates::new(Sort::ALL.map(|sort| {
        let found = said.iter().find(|(one, _)| *one == sort);
        found.map(|(_, thousandths)| NanoDollars(thousandths * 1_000_000))
    }))
}

fn row(service: Service, above: u64, said: &[(Sort, i64)]) -> Row {
    Row {
        service,
        above,
        rates: rates(said),
    }
}

/// gpt-5.1's: $1.25, $0.125 and $10 per million tokens.
fn plain() -> Price {
    let said = [
        (Sort::Input, 1_250),
        (Sort::Cached, 125),
        (Sort::Output, 10_000),
    ];
    Price::flat(rates(&said))
}

/// A price for everything, longer prompts dearer, flexible calls cheaper, urgent ones dearer still.
fn full() -> Price {
    let scaled = |percent: i64| {
        [
            (Sort::Input, 5_000),
            (Sort::Cached, 500),
            (Sort::CacheWrite, 6_250),
            (Sort::CacheWriteHour, 10_000),
            (Sort::AudioInput, 32_000),
            (Sort::AudioCached, 400),
            (Sort::ImageInput, 8_000),
            (Sort::Output, 25_000),
            (Sort::Reasoning, 30_000),
            (Sort::AudioOutput, 64_000),
        ]
        .map(|(sort, thousandths)| (sort, thousandths * percent / 100))
    };
    let rows = vec![
        row(Service::Standard, 0, &scaled(100)),
        row(Service::Standard, 200_000, &scaled(200)),
        row(Service::Flex, 0, &scaled(50)),
        row(Service::Priority, 0, &scaled(250)),
    ];
    Price::new(rows).unwrap()
}

fn nanos(price: &Price, usage: Usage) -> i64 {
    actual(price, usage).0
}

#[test]
fn ceiling_takes_the_whole_answer() {
    let ceiling = ceiling(&plain(), Manner::default(), 1000, 4096);
    assert_eq!(ceiling, NanoDollars(1_250_000 + 40_960_000));
}

#[test]
fn each_sort_is_charged_at_its_price() {
    let usage = Usage {
        input: 1000,
        cached: 300,
        cache_write: 200,
        cache_write_hour: 100,
        audio_input: 150,
        audio_cached: 50,
        image_input: 60,
        output: 100,
        reasoning: 40,
        audio_output: 10,
        service: None,
    };
    let input = 240 * 5_000 + 250 * 500 + 200 * 6_250 + 100 * 10_000;
    let other = 100 * 32_000 + 50 * 400 + 60 * 8_000;
    let output = 50 * 25_000 + 40 * 30_000 + 10 * 64_000;
    assert_eq!(nanos(&full(), usage), input + other + output);
}

#[test]
fn a_part_of_a_nano_dollar_is_one() {
    let price = Price::flat(Rates::simple(
        NanoDollars(37_500_000),
        NanoDollars::ZERO,
        NanoDollars::ZERO,
    ));
    let usage = |input| Usage {
        input,
        ..Usage::default()
    };
    assert_eq!(nanos(&price, usage(2)), 75);
    assert_eq!(nanos(&price, usage(3)), 113);
}

#[test]
fn parts_larger_than_the_whole_are_all_of_it() {
    let usage = Usage {
        input: 10,
        cached: 800,
        audio_input: 900,
        output: 5,
        reasoning: 70,
        ..Usage::default()
    };
    assert_eq!(nanos(&full(), usage), 10 * 500 + 5 * 30_000);
}

#[test]
fn a_longer_prompt_costs_more_for_all_of_it() {
    let usage = |input| Usage {
        input,
        output: 10,
        ..Usage::default()
    };
    assert_eq!(
        nanos(&full(), usage(200_000)),
        200_000 * 5_000 + 10 * 25_000
    );
    assert_eq!(
        nanos(&full(), usage(200_001)),
        200_001 * 10_000 + 10 * 50_000
    );
    // A prompt that may be counted longer than was estimated is held at the dearer row.
    let ceiling = |input| ceiling(&full(), Manner::default(), input, 0).0;
    assert_eq!(ceiling(160_000), 160_000 * 6_250);
    assert_eq!(ceiling(160_001), 160_001 * 12_500);
}

#[test]
fn the_service_that_answered_is_charged() {
    let usage = |service, input| Usage {
        input,
        service,
        ..Usage::default()
    };
    let at = |service, input| nanos(&full(), usage(Some(service), input));
    assert_eq!(at(Service::Flex, 100), 100 * 2_500);
    assert_eq!(at(Service::Priority, 100), 100 * 12_500);
    // No row says what a long prompt costs there: the dearer of what is known.
    assert_eq!(at(Service::Flex, 300_000), 300_000 * 10_000);
    assert_eq!(at(Service::Priority, 300_000), 300_000 * 12_500);
    // No row at all: the dearest of all services.
    assert_eq!(at(Service::Batch, 100), 100 * 12_500);
}

#[test]
fn the_ceiling_takes_the_dearest_that_can_apply() {
    let hold = |manner| ceiling(&full(), manner, 1, 1).0;
    let usual = Manner::default();
    assert_eq!(hold(usual), 6_250 + 30_000);
    let hour = Manner {
        caches_for_an_hour: true,
        ..usual
    };
    assert_eq!(hold(hour), 10_000 + 30_000);
    let images = Manner {
        images: true,
        ..usual
    };
    assert_eq!(hold(images), 8_000 + 30_000);
    let sound = Manner {
        audio_input: true,
        audio_output: true,
        ..usual
    };
    assert_eq!(hold(sound), 32_000 + 64_000);
    let served = |service| Manner { service, ..usual };
    assert_eq!(hold(served(Service::Flex)), 6_250 + 30_000);
    assert_eq!(hold(served(Service::Priority)), 15_625 + 75_000);
}

#[test]
fn what_has_no_price_is_named() {
    let sound = Manner {
        audio_input: true,
        ..Manner::default()
    };
    let urgent = Manner {
        service: Service::Priority,
        ..Manner::default()
    };
    assert_eq!(sound.unpriced(&plain()), Some("audio-input"));
    assert_eq!(urgent.unpriced(&plain()), Some("priority"));
    assert_eq!(Manner::default().unpriced(&plain()), None);
    assert_eq!(sound.unpriced(&full()), None);
    assert_eq!(urgent.unpriced(&full()), None);
    let free = Price::flat(rates(&[]));
    assert_eq!(sound.unpriced(&free), None);
    assert_eq!(urgent.unpriced(&free), None);
}

prop_compose! {
    fn manners()(
        service in prop::sample::select(&Service::ALL[..]),
        [caches_for_an_hour, images, audio_input, audio_output] in any::<[bool; 4]>(),
    ) -> Manner {
        Manner { service, caches_for_an_hour, images, audio_input, audio_output }
    }
}

prop_compose! {
    /// What such a call may come to: a prompt up to what an estimate may be wrong by is not part of it.
    fn usages(manner: Manner)(
        counts in any::<[u64; 10]>(), served in any::<bool>(),
    ) -> Usage {
        let [input, cached, write, hour, audio, audio_cached, image, output, reasoning, spoken] = counts;
        let only = |used: bool, tokens: u64| if used { tokens } else { 0 };
        Usage {
            input,
            cached,
            cache_write: write,
            cache_write_hour: only(manner.caches_for_an_hour, hour),
            audio_input: only(manner.audio_input, audio),
            audio_cached: only(manner.audio_input, audio_cached),
            image_input: only(manner.images, image),
            output,
            reasoning,
            audio_output: only(manner.audio_output, spoken),
            service: served.then_some(manner.service),
        }
    }
}

proptest! {
    #[test]
    fn the_ceiling_bounds_what_was_reserved(
        (manner, usage) in manners().prop_flat_map(|manner| (Just(manner), usages(manner))),
        reserved in any::<u64>(),
        short in any::<bool>(),
    ) {
        for price in [plain(), full()] {
            // A service without a price is not asked for: `unpriced` says so before.
            prop_assume!(price.has(manner.service) || manner.service == Service::Standard);
            let input = if short { usage.input % 400_000 } else { usage.input };
            let usage = Usage { input, output: usage.output.min(reserved), ..usage };
            let ceiling_of = |answer| ceiling(&price, manner, input, answer);
            prop_assert!(actual(&price, usage) <= ceiling_of(reserved));
            prop_assert!(ceiling_of(usage.output) <= ceiling_of(reserved));
            prop_assert!(actual(&price, usage) >= NanoDollars::ZERO);
            prop_assert!(estimate(&price, manner, input, usage.output) <= ceiling_of(reserved));
        }
    }

    #[test]
    fn every_token_is_sorted_once(usage in usages(Manner {
        caches_for_an_hour: true, images: true, audio_input: true, audio_output: true, service: Service::Standard,
    })) {
        let sorted = usage.sorted();
        let all = |answer: bool| {
            let mine = sorted.iter().filter(|(sort, _)| sort.is_answer() == answer);
            mine.map(|(_, tokens)| u128::from(*tokens)).sum::<u128>()
        };
        prop_assert_eq!(all(false), u128::from(usage.input));
        prop_assert_eq!(all(true), u128::from(usage.output));
        prop_assert!(Sort::ALL.into_iter().eq(sorted.iter().map(|(sort, _)| *sort)));
    }
}
