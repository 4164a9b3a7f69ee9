//! Calls that are answered.

use serde_json::{Value, json};
use waypost_policies::plan::draft::{Accept, AcceptTarget, ProviderKind, Redaction};
use waypost_runtime::Ending;

use crate::client::{get, request, send};
use crate::upstream::usual_answer;
use crate::world::World;

#[tokio::test]
async fn an_answer_comes_back_as_it_is_and_says_who_gave_it() {
    let mut world = World::start().await;
    let answer = world.ask("What is 2+2?").await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.text),
        (200, &*usual_answer())
    );
    assert_eq!(answer.header("x-waypost-tier"), "weak");
    assert_eq!(answer.header("x-waypost-model"), "cheap");
    assert_eq!(answer.header("x-waypost-rule"), "start");
    assert_eq!(answer.header("x-waypost-replica"), "one");
    // 10 tokens at $1 and 5 at $2 per million.
    assert_eq!(answer.header("x-waypost-cost-usd"), "0.00002");
    assert!(answer.header("x-waypost-request-id").starts_with("wp-"));
    let receipt = world.receipt().await;
    assert_eq!(receipt.request_id, answer.header("x-waypost-request-id"));
    assert_eq!(
        (&*receipt.caller, &*receipt.team, &*receipt.asked),
        ("alpha", "payments", "auto")
    );
    assert_eq!(
        (receipt.usage.input, receipt.usage.output, receipt.estimated),
        (10, 5, false)
    );
    assert_eq!(
        (receipt.status, receipt.ending, receipt.attempts),
        (200, Ending::Answered, 1)
    );
    assert!(receipt.ceiling >= receipt.cost && receipt.first_byte.is_some());
    assert_eq!((&*receipt.rule.file, receipt.rule.line), ("test.route", 15));
}

#[tokio::test]
async fn the_upstream_gets_the_same_bytes_but_for_the_model_and_its_own_key() {
    let mut world = World::start().await;
    let mut call = request(
        world.address,
        "/v1/chat/completions",
        r#"{"temperature":0.10, "model": "auto","messages":[{"role":"user","content":"hi"}],"x":{"y":[1, 2]}}"#,
    );
    let headers = call.headers_mut();
    headers.insert("x-trace", "t1".parse().unwrap());
    headers.insert("x-waypost-explain", "0".parse().unwrap());
    headers.insert("x-forwarded-for", "10.1.2.3".parse().unwrap());
    headers.insert("cookie", "secret=1".parse().unwrap());
    headers.insert("connection", "x-hop".parse().unwrap());
    headers.insert("x-hop", "1".parse().unwrap());
    send(call).await;
    let call = world.one.call().await;
    assert_eq!(
        call.text,
        r#"{"temperature":0.10, "model": "cheap-upstream","messages":[{"role":"user","content":"hi"}],"x":{"y":[1, 2]}}"#
    );
    assert_eq!(call.path, "/v1/chat/completions");
    assert_eq!(call.headers["authorization"], "Bearer sk-one");
    assert_eq!(call.headers["x-trace"], "t1");
    for gone in ["x-waypost-explain", "x-forwarded-for", "cookie", "x-hop"] {
        assert!(!call.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn content_raises_the_tier() {
    let mut world = World::start().await;
    let answer = world.ask("HARD: derive the EM algorithm").await;
    assert_eq!(answer.header("x-waypost-tier"), "strong");
    assert_eq!(answer.header("x-waypost-rule"), "hard prompt");
    assert_eq!(world.two.call().await.json()["model"], "dear-upstream");
    assert_eq!(world.receipt().await.rule.line, 16);
}

#[tokio::test]
async fn rejected_parameters_are_dropped_and_long_answers_cut_to_what_is_reserved() {
    let mut world =
        World::with(|draft, _| draft.models[0].rejects = vec!["presence_penalty".to_owned()]).await;
    world
        .chat(r#"{"model":"auto","presence_penalty":0.5,"max_tokens":5000,"messages":[{"role":"user","content":"hi"}]}"#)
        .await;
    let sent = world.one.call().await.json();
    assert_eq!(
        sent,
        json!({"model": "cheap-upstream", "max_tokens": 1000, "messages": [{"role": "user", "content": "hi"}]})
    );
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(
        metrics.contains(
            r#"waypost_dropped_parameters_total{model="cheap",parameter="presence_penalty"} 1"#
        ),
        "{metrics}"
    );
}

#[tokio::test]
async fn what_the_plan_redacts_does_not_leave() {
    let mut world = World::with(|draft, _| {
        draft.redactions = vec![Redaction {
            pattern: "INT-[0-9]{6}".to_owned(),
            replacement: "[internal]".to_owned(),
            request: true,
            logs: true,
            response: false,
        }];
    })
    .await;
    world
        .chat(r#"{"model":"auto","messages":[{"role":"user","content":[{"type":"text","text":"see INT-123456\nand INT-654321"}]}],"metadata":{"INT-000000":"INT-000000"}}"#)
        .await;
    let sent = world.one.call().await.json();
    assert_eq!(
        sent["messages"][0]["content"][0]["text"],
        "see [internal]\nand [internal]"
    );
    assert_eq!(sent["metadata"]["INT-000000"], "[internal]");
}

#[tokio::test]
async fn the_other_surfaces_go_the_same_way() {
    let mut world = World::start().await;
    let embeddings = r#"{"model":"cheap","input":["a","b"]}"#;
    let answer = send(request(world.address, "/v1/embeddings", embeddings)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(world.one.call().await.path, "/v1/embeddings");
    let completions = r#"{"model":"cheap","prompt":"once upon"}"#;
    let answer = send(request(world.address, "/v1/completions", completions)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(world.one.call().await.path, "/v1/completions");
}

/// Whatever a body says beside what is decided on, in whatever way it writes it, arrives as it was sent.
#[tokio::test]
async fn unknown_fields_pass_byte_for_byte_on_every_surface() {
    let mut world = World::with(|draft, _| draft.providers[0].kind = ProviderKind::OpenAi).await;
    let unknown = r#""future" :{"a":[1.50, 1e3,null ],"\u00e9":"\u0041\/"},"#;
    for (path, rest) in [
        (
            "/v1/chat/completions",
            r#""messages":[{"role":"user","content":"hi","x":1}]"#,
        ),
        ("/v1/completions", r#""prompt" : "once", "echo":true"#),
        ("/v1/embeddings", r#""input": ["a" ,"b"],"dimensions":8"#),
        (
            "/v1/responses",
            r#""input":[{"role":"user","content":"hi"}],"store": false"#,
        ),
    ] {
        let body = format!("{{ {unknown}\"model\" :\"cheap\",\t{rest}\n}}");
        let answer = send(request(world.address, path, body.clone())).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let call = world.one.call().await;
        assert_eq!(call.path, path);
        assert_eq!(call.text, body.replace("\"cheap\"", "\"cheap-upstream\""));
    }
}

#[tokio::test]
async fn a_routers_name_and_threshold_are_a_model_as_routellms_clients_expect() {
    let mut world = World::with(|draft, _| {
        draft.contents[0].threshold = Some(0.5);
        draft.accepts.push(Accept {
            name: "router-mf-".to_owned(),
            prefix: true,
            target: AcceptTarget::Content(0),
        });
    })
    .await;
    let body = r#"{"model":"router-mf-0.11593","messages":[{"role":"user","content":"hi"}]}"#;
    let told = send(request(world.address, "/v1/route", body)).await.json();
    assert_eq!(told["threshold"], json!(0.11593));
    let answer = world.chat(body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(world.one.call().await.json()["model"], "cheap-upstream");
    assert_eq!(world.receipt().await.asked, "router-mf-0.11593");
    let other = body.replace("router-mf", "router-bert");
    assert_eq!(world.chat(other).await.error("code"), "model_not_found");
}

#[tokio::test]
async fn the_decision_alone_takes_the_body_of_any_call() {
    let mut world = World::start().await;
    let said = r#""messages":[{"role":"user","content":"HARD"}]"#;
    let hard = r#""model":"auto","max_tokens":7"#;
    for (path, body) in [
        ("/v1/chat/completions", format!("{{{hard},{said}}}")),
        (
            "/v1/messages",
            format!(r#"{{{hard},"system":"be brief",{said}}}"#),
        ),
        (
            "/v1/responses",
            r#"{"model":"auto","input":"HARD","max_output_tokens":7}"#.to_owned(),
        ),
        (
            "/v1/completions",
            r#"{"model":"dear","prompt":"once","max_tokens":7}"#.to_owned(),
        ),
    ] {
        let told = send(request(world.address, "/v1/route", body.clone())).await;
        assert_eq!(told.status, 200, "{path}: {}", told.text);
        let named = format!("/v1/route?path={path}");
        let named = send(request(world.address, &named, body.clone()))
            .await
            .json();
        assert_eq!(told.json(), named, "{path}");
        assert_eq!(named["tier"], "strong", "{path}");
        send(request(world.address, path, body)).await;
        let ceiling = world.receipt().await.ceiling.to_string();
        assert_eq!(named["cost"]["ceiling_usd"], ceiling, "{path}");
    }
    let embeddings = r#"{"model":"cheap","input":["a","b"]}"#;
    let escaped = "/v1/route?path=%2Fv1%2Fembeddings";
    let told = send(request(world.address, escaped, embeddings))
        .await
        .json();
    assert_eq!(told["decision"], "route");
    let wrong = send(request(
        world.address,
        "/v1/route?path=/v1/chat",
        embeddings,
    ))
    .await;
    assert_eq!(
        (wrong.status.as_u16(), &*wrong.error("param")),
        (400, "path")
    );
}

#[tokio::test]
async fn the_models_are_the_names_that_clients_may_send() {
    let world = World::start().await;
    let models = send(get(world.address, "/v1/models")).await.json();
    let names: Vec<&str> = models["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        (models["object"].as_str().unwrap(), names),
        ("list", vec!["auto", "cheap", "dear"])
    );
    assert_eq!(
        send(get(world.address, "/v1/models/dear")).await.json()["id"],
        "dear"
    );
    assert_eq!(
        send(get(world.address, "/v1/models/none"))
            .await
            .error("code"),
        "model_not_found"
    );
}

#[tokio::test]
async fn the_decision_alone_forwards_and_counts_nothing() {
    let mut world = World::with(|draft, _| draft.quotas = vec![crate::plan::daily(1.0)]).await;
    let body = crate::client::chat("HARD one");
    let first = send(request(world.address, "/v1/route", body.clone())).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(
        (&first.json()["decision"], &first.json()["tier"]),
        (&json!("route"), &json!("strong"))
    );
    let rule = &first.json()["rules"][0];
    assert_eq!(
        (&rule["label"], &rule["line"], &rule["matched"]),
        (&json!("hard prompt"), &json!(16), &json!(true))
    );
    let second = send(request(world.address, "/v1/route", body)).await.json();
    let budget = &second["rules"][1];
    assert_eq!(
        (&budget["label"], &budget["quota"]["used"]),
        (&json!("daily budget"), &json!("0.0000"))
    );
    assert_eq!((world.one.calls(), world.two.calls()), (0, 0));
}

#[tokio::test]
async fn an_answer_explains_itself_when_asked_to() {
    let world = World::start().await;
    let mut call = request(
        world.address,
        "/v1/chat/completions",
        crate::client::chat("HARD größer"),
    );
    call.headers_mut()
        .insert("x-waypost-explain", "1".parse().unwrap());
    let answer = send(call).await;
    let decision: Value = serde_json::from_str(answer.header("x-waypost-decision")).unwrap();
    assert_eq!(
        (&decision["tier"], &decision["model"]),
        (&json!("strong"), &json!("dear"))
    );
    let plain = world.ask("hi").await;
    assert!(!plain.headers.contains_key("x-waypost-decision"));
}

#[tokio::test]
async fn azure_is_asked_by_deployment_version_and_its_own_header() {
    let mut world = World::with(|draft, settings| {
        draft.providers[0].kind = ProviderKind::AzureOpenAi;
        draft.providers[0].api_version = "2024-10-21".to_owned();
        draft.models[0].upstream_name = "gpt-5-mini".to_owned();
        let base = settings.upstreams.providers.get_mut("one").unwrap();
        *base = base.trim_end_matches("/v1").to_owned();
    })
    .await;
    world
        .chat(r#"{"model":"cheap","max_tokens":7,"messages":[{"role":"user","content":"hi"}]}"#)
        .await;
    let call = world.one.call().await;
    assert_eq!(
        call.path,
        "/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(call.headers["api-key"], "sk-one");
    assert!(!call.headers.contains_key("authorization"));
    assert_eq!(call.json()["max_completion_tokens"], 7);
    assert!(call.json().get("max_tokens").is_none());
}

#[tokio::test]
async fn the_decision_that_is_told_is_the_one_that_is_made() {
    let mut world = World::start().await;
    for prompt in [
        "What is 2+2?",
        "HARD: derive it",
        "",
        "HARD",
        "ordinary words",
    ] {
        for model in ["auto", "cheap", "dear"] {
            let body = json!({"model": model, "messages": [{"role": "user", "content": prompt}]})
                .to_string();
            let told = send(request(world.address, "/v1/route", body.clone()))
                .await
                .json();
            let made = world.chat(body).await;
            assert_eq!(
                told["tier"],
                made.header("x-waypost-tier"),
                "{model}: {prompt}"
            );
            assert_eq!(told["model"], made.header("x-waypost-model"));
            assert_eq!(told["rule"], made.header("x-waypost-rule"));
            let ceiling = world.receipt().await.ceiling.to_string();
            assert_eq!(told["cost"]["ceiling_usd"], ceiling);
        }
    }
}
