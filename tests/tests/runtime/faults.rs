//! Upstreams and clients that break HTTP, or keep to it in ways that few expect.
//!
//! Each fault has the right status or error event, falls back where nothing has been said yet, is charged by the rules,
//! and leaves nothing behind: no connection, no task, no reservation.
//!
//! | fault | where it is shown |
//! |---|---|
//! | upstream reset, hang, slow or half a body, half-closed, wrong `content-length`, truncated chunk, before the first byte | `whole`: another model answers, and the caller is told where none does |
//! | the same within a stream, in every API and for every client | `streams`, `dialects` |
//! | a slow stream, byte by byte | `streams::a_stream_that_only_looks_broken_is_whole`, `unusual` |
//! | 10 MB prompt | `unusual` (sent on, and again to the next model), `errors::ten_megabytes_pass`; many at once: `slow::large_bodies_wait_for_room_…` |
//! | 100 kB headers | of callers: `slow::a_head_beyond_the_bound_…`, `http2::heads_and_bodies_have_the_same_bounds`; of upstreams: `unusual` |
//! | invalid UTF-8 | of callers: `errors::bodies_that_are_no_request_…`, `errors::a_damaged_body_…`; of upstreams: `whole`, `streams::bytes_that_are_no_text_…` |
//! | JSON 10,000 deep | of callers: `errors::deep_json_is_refused_without_harm`; of upstreams: `unusual`, `streams` |
//! | slowloris | `slow::a_head_that_drips_in_…`, `slow::hundreds_who_drip_…`, `slow::a_body_that_drips_in_…` |
//! | 2,000 idle connections | `slow::idle_connections_by_the_thousand_…` |
//! | a thousand clients that hang up mid-stream | `hung_up`; over HTTP/2: `http2::a_call_that_is_given_up_…` |
//! | an endless answer, a client that does not read | `bounds`, `http2::an_answer_that_nobody_reads_…` |

mod bounds;
mod dialects;
mod hung_up;
mod raw;
mod streams;
mod unusual;
mod whole;

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use waypost_policies::plan::draft::ProviderKind;

use crate::client::{get, send};
use crate::world::World;
use raw::Raw;

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

/// How long an attempt may take, and a stream be silent: long enough for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(2);

/// All cases side by side, so that those that wait for time to pass do so together.
async fn at_once<C>(cases: impl IntoIterator<Item = C>)
where
    C: Future<Output = ()> + Send + 'static,
{
    let mut running = JoinSet::new();
    for case in cases {
        running.spawn(case);
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

/// A world whose `cheap` is served by a raw upstream, and `dear` as usual.
async fn before_a_well_one(raw: &Raw) -> World {
    with(raw, &["one"], PATIENCE).await
}

/// A world whose both models are served by a raw upstream.
async fn alone(raw: &Raw) -> World {
    with(raw, &["one", "two"], PATIENCE).await
}

/// The same, where it speaks another API than OpenAI's.
async fn speaking(raw: &Raw, kind: ProviderKind) -> World {
    of_kind(raw, &["one", "two"], PATIENCE, kind).await
}

async fn with(raw: &Raw, providers: &[&str], patience: Duration) -> World {
    of_kind(raw, providers, patience, ProviderKind::OpenAiCompatible).await
}

async fn of_kind(raw: &Raw, providers: &[&str], patience: Duration, kind: ProviderKind) -> World {
    World::with(|draft, settings| {
        draft.quotas = vec![crate::plan::daily(10.0)];
        for provider in &mut draft.providers {
            provider.kind = kind;
            if kind == ProviderKind::Bedrock {
                provider.region = "eu-west-1".to_owned();
            }
        }
        for tier in &mut draft.tiers {
            tier.timeout_milliseconds = u64::try_from(patience.as_millis()).unwrap();
        }
        settings.bounds.silence = patience;
        for provider in providers {
            let base = format!("http://{}/v1", raw.address);
            settings
                .upstreams
                .providers
                .insert((*provider).to_owned(), base);
        }
    })
    .await
}

/// No call, reservation or broken connection is left.
async fn leaves_nothing_behind(world: &World, raw: &mut Raw) {
    let settled = async {
        loop {
            let metrics = send(get(world.admin, "/metrics")).await.text;
            let lines = [
                "waypost_in_flight 0",
                "waypost_reservations_open 0",
                "waypost_reservations_abandoned 0",
            ];
            if lines
                .iter()
                .all(|line| metrics.lines().any(|found| found == *line))
            {
                return;
            }
        }
    };
    let settled = timeout(Duration::from_secs(5), settled).await;
    assert!(settled.is_ok(), "a call or a reservation is still open");
    let closed = timeout(Duration::from_secs(1), raw.all_closed()).await;
    assert!(closed.is_ok(), "a connection is still open");
}
