//! The operator's port.

use serde_json::json;

use crate::client::{get, request, send};
use crate::world::World;

#[tokio::test]
async fn health_and_the_plan_are_told() {
    let world = World::start().await;
    assert_eq!(
        send(get(world.admin, "/healthz")).await.json(),
        json!({"status": "ok"})
    );
    assert_eq!(
        send(get(world.admin, "/readyz")).await.json(),
        json!({"ready": true, "missing": []})
    );
    let plan = send(get(world.admin, "/plan")).await.json();
    assert_eq!(
        (&plan["compiler"], &plan["sizes"]["tiers"]),
        (&json!("test"), &json!(2))
    );
    assert_eq!(send(get(world.admin, "/nothing")).await.status, 404);
    assert_eq!(send(request(world.admin, "/metrics", "")).await.status, 405);
}

#[tokio::test]
async fn the_last_decisions_say_why_by_source_line() {
    let world = World::start().await;
    world.ask("hi").await;
    world.ask("HARD").await;
    let decisions = send(get(world.admin, "/decisions")).await.json();
    let list = decisions["decisions"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    let newest = &list[0];
    assert_eq!(
        newest["rule"],
        json!({"kind": "escalate", "label": "hard prompt", "file": "test.route", "line": 16})
    );
    assert_eq!(
        (&newest["tier"], &newest["model"], &newest["ending"]),
        (&json!("strong"), &json!("dear"), &json!("answered"))
    );
    let tokens = &newest["tokens"];
    assert_eq!(
        (&tokens["input"], &tokens["output"]),
        (&json!(10), &json!(5))
    );
    assert_eq!(
        (&tokens["cached"], &tokens["estimated"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(newest["cost_usd"], "0.0002");
    let text = decisions.to_string();
    assert!(
        !text.contains("HARD") && !text.contains("alpha-key"),
        "no text of a call and no key: {text}"
    );
}

#[tokio::test]
async fn metrics_name_tiers_models_rules_and_outcomes() {
    let world = World::start().await;
    world.ask("hi").await;
    world.chat("{").await;
    let metrics = send(get(world.admin, "/metrics")).await.text;
    for line in [
        r#"waypost_decisions_total{tier="weak",model="cheap",rule="start",outcome="answered"} 1"#,
        r#"waypost_responses_total{surface="chat",status="200"} 1"#,
        r#"waypost_responses_total{surface="chat",status="400"} 1"#,
        r#"gen_ai_server_request_duration_seconds_count{waypost_tier="weak",gen_ai_request_model="cheap"} 1"#,
        r#"gen_ai_server_time_to_first_token_seconds_count{waypost_tier="weak",gen_ai_request_model="cheap"} 1"#,
        r#"waypost_tokens_total{model="cheap",type="output"} 5"#,
        r#"waypost_cost_dollars_total{tier="weak",model="cheap"} 0.00002"#,
        "waypost_in_flight 0",
        "waypost_reservations_open 0",
        "waypost_evaluation_errors_total 0",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} is not in\n{metrics}"
        );
    }
}
