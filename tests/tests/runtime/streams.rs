//! Streamed answers.

use std::io;
use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use waypost_runtime::Ending;

use crate::client::{open, request, send};
use crate::upstream::USAGE;
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";

fn streamed(include_usage: Option<bool>) -> String {
    let mut body =
        json!({"model": "auto", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    if let Some(include_usage) = include_usage {
        body["stream_options"] = json!({"include_usage": include_usage});
    }
    body.to_string()
}

fn delta(text: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
    )
}

fn usage() -> String {
    format!("data: {{\"choices\":[],\"usage\":{USAGE}}}\n\n")
}

const END: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn say(events: &UnboundedSender<io::Result<String>>, text: impl Into<String>) {
    events.send(Ok(text.into())).unwrap();
}

/// The events that `auto` sends when it is well.
fn say_all(events: UnboundedSender<io::Result<String>>) {
    for text in [
        delta("one "),
        delta("two"),
        END.to_owned(),
        usage(),
        DONE.to_owned(),
    ] {
        say(&events, text);
    }
}

#[tokio::test]
async fn a_stream_passes_as_it_comes() {
    let mut world = World::start().await;
    let events = world.one.streams();
    say(&events, delta("one"));
    let mut body = open(request(world.address, CHAT, streamed(Some(true))))
        .await
        .into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, delta("one"));
    // Half an event, then its other half: nothing waits for the whole.
    say(&events, "data: {\"choices\":[{\"delta\":{\"con");
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "data: {\"choices\":[{\"delta\":{\"con"
    );
    say(
        &events,
        format!("tent\":\"two\"}}}}]}}\n\n{END}{}{DONE}", usage()),
    );
    drop(events);
    let rest = body.collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(format!("{}{DONE}", usage()).as_bytes()));
    let receipt = world.receipt().await;
    assert_eq!(
        (receipt.ending, receipt.usage.input, receipt.usage.output),
        (Ending::Answered, 10, 5)
    );
    assert!(receipt.streamed && !receipt.estimated && receipt.cost.0 == 20_000);
}

#[tokio::test]
async fn usage_is_counted_and_hidden_from_who_did_not_ask() {
    for asked in [None, Some(false)] {
        let mut world = World::start().await;
        say_all(world.one.streams());
        let answer = send(request(world.address, CHAT, streamed(asked))).await;
        assert_eq!(
            answer.text,
            format!("{}{}{END}{DONE}", delta("one "), delta("two"))
        );
        assert_eq!(answer.header("content-type"), "text/event-stream");
        assert_eq!(answer.header("x-waypost-model"), "cheap");
        assert_eq!(
            world.one.call().await.json()["stream_options"],
            json!({"include_usage": true})
        );
        let receipt = world.receipt().await;
        assert_eq!(
            (receipt.usage.input, receipt.usage.output, receipt.estimated),
            (10, 5, false)
        );
    }
}

/// The error event that ends a broken stream.
fn last_event(text: &str) -> Value {
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    serde_json::from_str(last.trim().strip_prefix("data: ").unwrap()).unwrap()
}

#[tokio::test]
async fn a_stream_that_breaks_ends_in_an_error_event_and_is_charged_for_what_came() {
    let mut world = World::start().await;
    let events = world.one.streams();
    say(&events, delta("some words that were sent"));
    say(&events, "data: {\"choices\":[{\"del");
    let call = open(request(world.address, CHAT, streamed(None))).await;
    events.send(Err(io::Error::other("gone"))).unwrap();
    let text = String::from_utf8(
        call.into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec(),
    )
    .unwrap();
    assert!(text.starts_with(&delta("some words that were sent")));
    assert_eq!(last_event(&text)["error"]["code"], "stream_broken");
    let receipt = world.receipt().await;
    assert_eq!(receipt.ending, Ending::Broken);
    assert!(receipt.estimated && receipt.usage.output >= 4 && receipt.cost.0 > 0);
}

#[tokio::test]
async fn a_stream_that_just_ends_is_broken_too() {
    let mut world = World::start().await;
    let events = world.one.streams();
    say(&events, delta("half a"));
    drop(events);
    let answer = send(request(world.address, CHAT, streamed(Some(true)))).await;
    assert!(
        last_event(&answer.text)["error"]["message"]
            .as_str()
            .unwrap()
            .contains("ended before")
    );
    assert_eq!(world.receipt().await.ending, Ending::Broken);
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends() {
    let mut world =
        World::with(|_, settings| settings.bounds.silence = std::time::Duration::from_millis(50))
            .await;
    let events = world.one.streams();
    say(&events, delta("well"));
    let answer = send(request(world.address, CHAT, streamed(None))).await;
    assert!(
        last_event(&answer.text)["error"]["message"]
            .as_str()
            .unwrap()
            .contains("fell silent")
    );
    world.one.ended().await;
    assert_eq!(world.receipt().await.ending, Ending::Broken);
    drop(events);
}

#[tokio::test]
async fn a_stream_that_begins_with_an_error_falls_back() {
    let mut world = World::start().await;
    let events = world.one.streams();
    say(
        &events,
        ": hello\n\ndata: {\"error\":{\"message\":\"overloaded\"}}\n\n",
    );
    say_all(world.two.streams());
    let answer = send(request(world.address, CHAT, streamed(None))).await;
    assert!(
        answer.text.contains("two") && !answer.text.contains("error"),
        "{}",
        answer.text
    );
    assert_eq!(&*world.receipt().await.model, "dear");
}

#[tokio::test]
async fn a_stream_that_breaks_before_its_first_byte_falls_back() {
    let world = World::start().await;
    world
        .one
        .streams()
        .send(Err(io::Error::other("gone")))
        .unwrap();
    say_all(world.two.streams());
    let answer = send(request(world.address, CHAT, streamed(None))).await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert!(answer.text.ends_with(DONE));
}

#[tokio::test]
async fn a_caller_who_hangs_up_cancels_the_upstream_and_pays_for_what_was_sent() {
    let mut world = World::with(|draft, _| draft.quotas = vec![crate::plan::daily(1.0)]).await;
    let events = world.one.streams();
    say(&events, delta("these words were sent already"));
    let mut body = open(request(world.address, CHAT, streamed(None)))
        .await
        .into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    world.one.ended().await;
    let receipt = world.receipt().await;
    assert_eq!((receipt.ending, receipt.status), (Ending::HungUp, 499));
    assert!(
        receipt.estimated && receipt.usage.output >= 4 && receipt.usage.input > 0,
        "{receipt:?}"
    );
    let metrics = send(crate::client::get(world.admin, "/metrics")).await.text;
    assert!(metrics.contains("waypost_reservations_open 0"), "{metrics}");
    drop(events);
}

#[tokio::test]
async fn what_comes_of_an_upstream_after_its_farewell_is_nobodys_loss() {
    for breaks in [true, false] {
        let mut world = World::with(|_, settings| {
            settings.bounds.silence = Duration::from_millis(50);
        })
        .await;
        let events = world.one.streams();
        say(&events, format!("{}{END}{}{DONE}", delta("one"), usage()));
        let mut body = open(request(world.address, CHAT, streamed(Some(true))))
            .await
            .into_body();
        let all = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(all.ends_with(DONE.as_bytes()));
        if breaks {
            events.send(Err(io::Error::other("gone"))).unwrap();
        }
        assert_eq!(body.collect().await.unwrap().to_bytes(), "");
        let receipt = world.receipt().await;
        assert_eq!(
            (receipt.ending, receipt.usage.output),
            (Ending::Answered, 5)
        );
        drop(events);
    }
}

#[tokio::test]
async fn a_stream_that_never_begins_is_left_for_the_next_model() {
    let mut world = World::start().await;
    let events = world.one.streams();
    for _ in 0..5 {
        say(&events, format!(": {}\n\n", "x".repeat(1_000_000)));
    }
    say_all(world.two.streams());
    let answer = send(request(world.address, CHAT, streamed(None))).await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    let receipt = world.receipt().await;
    assert!(
        receipt.tried[0].failure.contains("larger than"),
        "{:?}",
        receipt.tried
    );
}

#[tokio::test]
async fn an_event_without_end_is_not_waited_for() {
    let world = World::start().await;
    let events = world.one.streams();
    say(&events, format!("data: {}", "x".repeat(2_000_000)));
    let answer = open(request(world.address, CHAT, streamed(None))).await;
    assert_eq!(answer.headers()["x-waypost-model"], "cheap");
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off() {
    let mut world = World::with(|_, settings| {
        settings.bounds.unread = Duration::from_millis(50);
    })
    .await;
    let events = world.one.streams();
    for _ in 0..40 {
        say(&events, delta(&"x".repeat(500_000)));
    }
    let _unread = open(request(world.address, CHAT, streamed(None))).await;
    assert_eq!(world.receipt().await.ending, Ending::HungUp);
}
