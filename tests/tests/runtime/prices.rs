//! What calls cost: every sort of token at its price, at the service that answered, and nothing that has no price.

use hyper::StatusCode;
use serde_json::{Value, json};
use waypost_policies::NanoDollars;
use waypost_policies::cost::{Price, Rates, Row, Service, Sort};
use waypost_policies::plan::draft::ProviderKind;

use crate::client::{Answer, request, send};
use crate::upstream::Script;
use crate::world::World;

/// Nano-dollars a token, of what is said.
fn rates(said: &[(Sort, i64)]) -> Rates {
    Rates::new(Sort::ALL.map(|sort| {
        let found = said.iter().find(|(one, _)| *one == sort);
        found.map(|(_, nanos)| NanoDollars(nanos * 1_000_000))
    }))
}

fn row(service: Service, above: u64, times: i64) -> Row {
    let said = [
        (Sort::Input, 10),
        (Sort::Cached, 1),
        (Sort::CacheWrite, 12),
        (Sort::CacheWriteHour, 20),
        (Sort::Output, 50),
        (Sort::Reasoning, 60),
    ];
    Row {
        service,
        above,
        rates: rates(&said.map(|(sort, nanos)| (sort, nanos * times))),
    }
}

/// A world whose cheap model has such a price, at such a provider.
async fn world(kind: ProviderKind, rows: Vec<Row>) -> World {
    World::with(move |draft, _| {
        draft.providers[0].kind = kind;
        draft.models[0].price = Price::new(rows);
    })
    .await
}

async fn ask(world: &World, path: &str, body: &Value) -> Answer {
    send(request(world.address, path, body.to_string())).await
}

fn answers(world: &World, body: &Value) {
    world
        .one
        .then(Script::Whole(StatusCode::OK, Vec::new(), body.to_string()));
}

fn chat(service_tier: Option<&str>) -> Value {
    let mut body =
        json!({"model": "auto", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]});
    if let Some(tier) = service_tier {
        body["service_tier"] = tier.into();
    }
    body
}

fn answered(service_tier: Option<&str>) -> Value {
    json!({
        "id": "c", "object": "chat.completion", "service_tier": service_tier,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "four"}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 20},
            "completion_tokens_details": {"reasoning_tokens": 10},
        },
    })
}

const COST: i64 = 20 * 10 + 60 + 20 * 12 + 20 * 50 + 10 * 60;

#[tokio::test]
async fn every_sort_of_token_has_its_price() {
    let mut world = world(ProviderKind::OpenAi, vec![row(Service::Standard, 0, 1)]).await;
    answers(&world, &answered(None));
    let answer = ask(&world, "/v1/chat/completions", &chat(None)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        answer.headers["x-waypost-cost-usd"],
        NanoDollars(COST).to_string()
    );
    let receipt = world.receipt().await;
    assert_eq!(receipt.cost, NanoDollars(COST));
    let tokens = &receipt.to_json()["tokens"];
    assert_eq!(tokens["cache_write"], 20);
    assert_eq!(tokens["reasoning"], 10);
    let metrics = send(crate::client::get(world.admin, "/metrics")).await.text;
    for line in [r#"type="cache_write"} 20"#, r#"type="reasoning"} 10"#] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn an_hour_in_the_cache_is_held_and_charged_only_where_it_was_asked_for() {
    let mut world = world(ProviderKind::Anthropic, vec![row(Service::Standard, 0, 1)]).await;
    let mut body = json!({"model": "auto", "max_tokens": 50, "messages": [{"role": "user", "content": [{
        "type": "text", "text": "hi", "cache_control": {"type": "ephemeral"},
    }]}]});
    let said = json!({
        "id": "m", "type": "message", "role": "assistant", "model": "c", "content": [{"type": "text", "text": "four"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "cache_creation_input_tokens": 30, "output_tokens": 5},
    });
    let mut held = Vec::new();
    for (ttl, cost) in [
        ("5m", 10 * 10 + 30 * 12 + 5 * 50),
        ("1h", 10 * 10 + 30 * 20 + 5 * 50),
    ] {
        body["messages"][0]["content"][0]["cache_control"]["ttl"] = ttl.into();
        answers(&world, &said);
        let answer = ask(&world, "/v1/messages", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let receipt = world.receipt().await;
        assert_eq!(receipt.cost, NanoDollars(cost), "{ttl}");
        held.push(receipt.ceiling);
    }
    assert!(held[0] < held[1], "{held:?}");
}

#[tokio::test]
async fn the_service_that_answered_is_charged_and_the_one_that_was_asked_for_is_held() {
    let rows = vec![
        row(Service::Standard, 0, 2),
        row(Service::Flex, 0, 1),
        row(Service::Priority, 0, 5),
    ];
    let mut world = world(ProviderKind::OpenAi, rows).await;
    let cases = [
        (None, None, 2),
        (None, Some("default"), 2),
        (Some("flex"), Some("flex"), 1),
        (Some("flex"), None, 1),
        (Some("priority"), Some("priority"), 5),
        (Some("priority"), None, 5),
        (Some("priority"), Some("default"), 2),
        (None, Some("priority"), 5),
    ];
    let mut held = Vec::new();
    for (asked, said, times) in cases {
        answers(&world, &answered(said));
        let answer = ask(&world, "/v1/chat/completions", &chat(asked)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let receipt = world.receipt().await;
        assert_eq!(
            receipt.cost,
            NanoDollars(COST * times),
            "{asked:?} {said:?}"
        );
        held.push((asked, receipt.ceiling));
    }
    let of = |tier| held.iter().find(|(asked, _)| *asked == tier).unwrap().1;
    assert_eq!(of(None), of(Some("flex")));
    assert!(of(Some("priority")) > of(None));
}

#[tokio::test]
async fn what_has_no_price_is_not_sold() {
    let mut world = world(ProviderKind::OpenAi, vec![row(Service::Standard, 0, 1)]).await;
    let sound = json!({"model": "cheap", "messages": [{"role": "user", "content": [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]}]});
    let mut speaks = chat(None);
    speaks["modalities"] = json!(["text", "audio"]);
    speaks["model"] = "cheap".into();
    let mut urgent = chat(Some("priority"));
    urgent["model"] = "cheap".into();
    for (body, what, param) in [
        (sound, "audio-input", "messages"),
        (speaks, "audio-output", "modalities"),
        (urgent, "priority", "service_tier"),
    ] {
        let answer = ask(&world, "/v1/chat/completions", &body).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        let error = &answer.json()["error"];
        assert_eq!(error["code"], "unpriced");
        assert_eq!(error["param"], param);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("`{what}`")), "{message}");
        assert_eq!(world.receipt().await.cost, NanoDollars::ZERO);
    }
}
