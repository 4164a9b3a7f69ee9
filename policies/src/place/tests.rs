#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use proptest::prelude::*;

use super::*;
use crate::plan::draft::{Engine, Overflow};

const SECOND: i64 = 1_000_000_000;
const NOW: i64 = 1_000 * SECOND;

/// `prefer prefix 3, queue 2, kv-cache 2` and `saturate queue 5, kv-cache 80%`
fn placement() -> Placement {
    Placement {
        prefix: 3,
        queue: 2,
        kv_cache: 2,
        lora: 0,
        saturate_queue: Some(5),
        saturate_kv_cache: Some(8_000),
        wait_milliseconds: 0,
        overflow: Overflow::Next,
        only: Vec::new(),
    }
}

fn ejected_until(end: i64) -> Health {
    let mut health = Health::default();
    health.failed(1, end - SECOND);
    health
}

fn endpoint(queue: u32, running: u32, kv_cache: f64, age: i64) -> Endpoint {
    let snapshot = Snapshot {
        queue: Some(queue),
        running: Some(running),
        kv_cache: Some(kv_cache),
    };
    Endpoint {
        scraped: Some(Scraped {
            snapshot,
            at: NOW - age,
            in_flight: 0,
        }),
        ..Endpoint::default()
    }
}

fn idle() -> Endpoint {
    endpoint(0, 0, 0.0, 0)
}

fn pick_from(endpoints: &[Endpoint], warm: &[usize]) -> Result<usize, NoPick> {
    pick(
        &placement(),
        endpoints,
        Prompt { warm, blocks: 10 },
        &|_| false,
        NOW,
        0,
    )
    .map(|pick| pick.index)
}

#[test]
fn the_shorter_queue_wins() {
    assert_eq!(
        pick_from(&[endpoint(3, 4, 0.2, 0), endpoint(1, 4, 0.2, 0)], &[]),
        Ok(1)
    );
}

#[test]
fn a_warm_prefix_wins_over_a_little_load() {
    assert_eq!(
        pick_from(&[idle(), endpoint(0, 1, 0.1, 0)], &[0, 10]),
        Ok(1)
    );
}

#[test]
fn own_calls_count_before_the_next_scrape_shows_them() {
    let mut busy = idle();
    busy.in_flight = 3;
    assert_eq!(pick_from(&[busy, endpoint(0, 1, 0.0, 0)], &[]), Ok(1));
}

#[test]
fn saturated_endpoints_are_passed_over() {
    assert_eq!(
        pick_from(&[endpoint(5, 8, 0.1, 0), endpoint(4, 8, 0.7, 0)], &[10, 0]),
        Ok(1)
    );
    assert_eq!(
        pick_from(&[endpoint(0, 8, 0.8, 0), endpoint(4, 8, 0.7, 0)], &[10, 0]),
        Ok(1)
    );
    assert_eq!(
        pick_from(&[endpoint(5, 8, 0.1, 0), endpoint(0, 0, 0.8, 0)], &[]),
        Err(NoPick::Saturated)
    );
}

#[test]
fn calls_sent_since_the_scrape_wait_only_where_others_do() {
    let mut endpoints = [endpoint(0, 8, 0.1, 0), endpoint(1, 8, 0.1, 0)];
    endpoints[0].in_flight = 20;
    assert!(!endpoints[0].is_saturated(&placement(), NOW));
    endpoints[1].in_flight = 4;
    assert!(endpoints[1].is_saturated(&placement(), NOW));
}

#[test]
fn without_fresh_figures_own_calls_tell_saturation() {
    let mut unknown = Endpoint {
        in_flight: 4,
        ..Endpoint::default()
    };
    assert_eq!(pick_from(&[unknown], &[]), Ok(0));
    unknown.in_flight = 5;
    assert_eq!(pick_from(&[unknown], &[]), Err(NoPick::Saturated));
    // What is stale may neither say that there is room nor that there is none.
    let mut stale = endpoint(9, 9, 0.9, 10 * SECOND);
    assert_eq!(pick_from(&[stale], &[]), Ok(0));
    stale.in_flight = 5;
    assert_eq!(pick_from(&[stale], &[]), Err(NoPick::Saturated));
}

#[test]
fn nobody_is_there() {
    assert_eq!(pick_from(&[], &[]), Err(NoPick::NoEndpoint));
    let cooling = Endpoint {
        health: ejected_until(NOW + 1),
        ..idle()
    };
    assert_eq!(pick_from(&[cooling], &[]), Err(NoPick::NoEndpoint));
    assert_eq!(
        pick_from(
            &[Endpoint {
                health: ejected_until(NOW),
                ..idle()
            }],
            &[]
        ),
        Ok(0)
    );
}

#[test]
fn equals_take_turns() {
    let endpoints = [idle(); 3];
    let turns: Vec<_> = (0..6)
        .map(|turn| {
            pick(
                &placement(),
                &endpoints,
                Prompt::default(),
                &|_| false,
                NOW,
                turn,
            )
            .unwrap()
            .index
        })
        .collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
}

fn check_metrics(
    engine: &Engine,
    text: &str,
    queue: Option<u32>,
    running: Option<u32>,
    kv_cache: Option<f64>,
) {
    assert_eq!(
        Snapshot::parse(text, engine),
        Snapshot {
            queue,
            running,
            kv_cache
        },
        "{text}"
    );
}

#[test]
fn vllm() {
    let text = r#"
# HELP vllm:num_requests_waiting Number of requests waiting.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="phi \"4\" } x"} 2.0
vllm:num_requests_waiting{engine="1",model_name="phi"} 3.0 1700000000
vllm:num_requests_running{engine="0"} 7
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="1"} 0.5
vllm:num_requests_waiting_by_reason{reason="x"} 99
"#;
    check_metrics(&Engine::Vllm, text, Some(5), Some(7), Some(0.5));
    check_metrics(
        &Engine::Vllm,
        "vllm:gpu_cache_usage_perc 0.75",
        None,
        None,
        Some(0.75),
    );
}

#[test]
fn other_engines() {
    let sglang = "sglang:num_queue_reqs{model_name=\"m\"} 4\nsglang:num_running_reqs 2\nsglang:token_usage 0.3\n";
    check_metrics(&Engine::Sglang, sglang, Some(4), Some(2), Some(0.3));
    let trtllm = "trtllm_num_requests_waiting 1\ntrtllm_num_requests_running 2\ntrtllm_kv_cache_utilization 0.9\n";
    check_metrics(&Engine::Trtllm, trtllm, Some(1), Some(2), Some(0.9));
    let triton = "nv_trt_llm_request_metrics{model=\"m\",request_type=\"waiting\",version=\"1\"} 3\n\
                  nv_trt_llm_request_metrics{request_type=\"scheduled\"} 4\n\
                  nv_trt_llm_request_metrics{request_type=\"max\"} 512\n\
                  nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"fraction\"} 0.1\n";
    check_metrics(&Engine::Trtllm, triton, Some(3), Some(4), Some(0.1));
    let custom = Engine::Custom {
        queue: "q".into(),
        running: String::new(),
        kv_cache: "k".into(),
    };
    check_metrics(&custom, "q 3\nk 0.2\nr 9\n", Some(3), None, Some(0.2));
}

#[test]
fn odd_lines_are_passed_over() {
    let text = "vllm:num_requests_waiting NaN\nvllm:num_requests_waiting\nvllm:num_requests_waiting{a=\"b\nvllm:num_requests_waiting x\n\
                vllm:num_requests_waiting -3\nvllm:kv_cache_usage_perc +Inf\n{} 5\n\n 7";
    check_metrics(&Engine::Vllm, text, Some(0), None, Some(1.0));
    assert!(Snapshot::parse("<html>not metrics</html>", &Engine::Vllm).is_empty());
}

#[test]
fn a_conversation_that_goes_on_stays_warm_where_it_was() {
    let mut index = PrefixIndex::new(1000);
    let system = "s".repeat(700);
    let first = prefix::chain("m", &[&system, &"a".repeat(600)]);
    let longer = prefix::chain("m", &[&system, &"a".repeat(1600)]);
    assert_eq!(
        (first.len(), longer.len()),
        (1300 / prefix::BLOCK, 2300 / prefix::BLOCK)
    );
    index.insert(7, &first);
    assert_eq!(index.warm(7, &longer), first.len());
    assert_eq!(index.warm(8, &longer), 0);
    assert_eq!(
        index.warm(7, &prefix::chain("other", &[&system, &"a".repeat(600)])),
        0
    );
    // Another beginning: nothing after it is warm.
    assert_eq!(
        index.warm(7, &prefix::chain("m", &["x", &system, &"a".repeat(599)])),
        0
    );
    index.retain(|endpoint| endpoint != 7);
    assert_eq!(index.warm(7, &longer), 0);
}

#[test]
fn pieces_are_one_text() {
    let text: String = ('a'..='z').cycle().take(2000).collect();
    let (head, tail) = text.split_at(777);
    assert_eq!(
        prefix::chain("m", &[&text]),
        prefix::chain("m", &[head, "", tail])
    );
    assert!(prefix::chain("m", &["short"]).is_empty());
}

#[test]
fn what_was_sent_last_stays() {
    let mut index = PrefixIndex::new(20);
    let chains: Vec<_> = (0..10)
        .map(|n| prefix::chain("m", &[&format!("{n}").repeat(4 * prefix::BLOCK)]))
        .collect();
    for chain in &chains {
        index.insert(1, chain);
    }
    assert_eq!(index.warm(1, &chains[9]), 4);
    assert_eq!(index.warm(1, &chains[0]), 0);
}

fn any_endpoint() -> impl Strategy<Value = Endpoint> {
    let scraped = prop::option::of((0..8_u32, 0..20_u32, 0.0..1.0_f64, -40..60_i64, 0..4_u32));
    (0..8_u32, scraped, -2..2_i64).prop_map(|(in_flight, scraped, cooling)| Endpoint {
        in_flight,
        in_flight_tokens: u64::from(in_flight) * 100,
        scraped: scraped.map(|(queue, running, kv_cache, age, in_flight)| Scraped {
            snapshot: Snapshot {
                queue: Some(queue),
                running: Some(running),
                kv_cache: Some(kv_cache),
            },
            at: NOW - age * SECOND,
            in_flight,
        }),
        health: ejected_until(NOW + cooling),
    })
}

proptest! {
    #[test]
    fn what_is_excluded_cooling_or_saturated_is_never_picked(
        endpoints in prop::collection::vec(any_endpoint(), 0..8),
        warm in prop::collection::vec(0..12_usize, 0..8),
        excluded in any::<u8>(),
        turn in any::<usize>(),
    ) {
        let is_excluded = |index: usize| excluded & (1 << index) != 0;
        let may = |index: usize| {
            let endpoint = endpoints[index];
            !is_excluded(index) && endpoint.health.admits(endpoint.in_flight, NOW)
        };
        let prompt = Prompt { warm: &warm, blocks: 10 };
        match pick(&placement(), &endpoints, prompt, &is_excluded, NOW, turn) {
            Ok(Pick { index, scores }) => {
                prop_assert!(may(index) && !endpoints[index].is_saturated(&placement(), NOW));
                for part in [scores.prefix, scores.queue, scores.kv_cache] {
                    prop_assert!((0.0..=1.0).contains(&part));
                }
            }
            Err(NoPick::Saturated) => {
                prop_assert!((0..endpoints.len()).any(may));
                prop_assert!((0..endpoints.len()).filter(|index| may(*index)).all(|index| endpoints[index].is_saturated(&placement(), NOW)));
            }
            Err(NoPick::NoEndpoint) => prop_assert!(!(0..endpoints.len()).any(may)),
        }
    }

    #[test]
    fn at_equal_loads_a_warm_prefix_wins(
        load in (0..5_u32, 0..20_u32, 0.0..0.79_f64, 0..60_i64), count in 2..6_usize, which in any::<usize>(), warm in 1..10_usize, turn in any::<usize>(),
    ) {
        let endpoints = vec![endpoint(load.0, load.1, load.2, load.3 * SECOND); count];
        let mut matches = vec![0; count];
        matches[which % count] = warm;
        let prompt = Prompt { warm: &matches, blocks: 10 };
        let picked = pick(&placement(), &endpoints, prompt, &|_| false, NOW, turn).unwrap();
        prop_assert_eq!(picked.index, which % count);
    }

    #[test]
    fn a_stale_idle_endpoint_never_beats_a_fresh_idle_one(
        age in FRESH + 1..100 * SECOND, others in prop::collection::vec(any_endpoint(), 0..4), turn in any::<usize>(), scraped in any::<bool>(),
    ) {
        let stale = if scraped { endpoint(0, 0, 0.0, age) } else { Endpoint::default() };
        let mut endpoints = vec![stale, idle()];
        endpoints.extend(others);
        let picked = pick(&placement(), &endpoints, Prompt::default(), &|_| false, NOW, turn).unwrap();
        prop_assert_ne!(picked.index, 0);
    }

    #[test]
    fn metrics_never_panic(text in "(?s).{0,300}") {
        for engine in [Engine::Vllm, Engine::Sglang, Engine::Trtllm] {
            let _ = Snapshot::parse(&text, &engine);
        }
    }

    #[test]
    fn warmth_is_the_longest_beginning_that_is_kept(
        prompts in prop::collection::vec(prop::collection::vec(0..3_u8, 1..8), 1..12), most in 8..40_usize,
    ) {
        let mut index = PrefixIndex::new(most);
        for prompt in &prompts {
            let text: String = prompt.iter().map(|part| part.to_string().repeat(prefix::BLOCK)).collect();
            let chain = prefix::chain("m", &[&text]);
            index.insert(1, &chain);
            prop_assert_eq!(index.warm(1, &chain), chain.len().min(most / 2));
        }
    }
}
