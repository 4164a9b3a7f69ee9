//! Ports, secrets, versions, shapes and what this version cannot do: each defect beside its nearest neighbour.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "tests"
)]

mod fixture;

use fixture::{SOUND, findings, refused, replaced, taken};
use waypost_compiler::program::{ProviderAuth, Shape};
use waypost_compiler::shape_needs;

const POOL: &str = "kaito { preset \"phi-4-mini-instruct\"  replicas 2..8 }  port 5000";

#[test]
fn a_services_port_is_not_a_containers() {
    refused("port 5000", "port 80", "WP0304", "80");
    refused("port 5000", "port 443", "WP0304", "443");
    taken("port 5000", "port 8080");
    taken("  port 5000", "");
    refused(
        POOL,
        "selector { app: \"vllm\" }  engine vllm  port 80",
        "WP0304",
        "80",
    );
    taken(POOL, "selector { app: \"vllm\" }  engine vllm");
}

#[test]
fn a_pool_has_one_source() {
    refused(
        POOL,
        "endpoints \"http://a:1\"  dns \"b:2\"  engine vllm",
        "WP0307",
        "\"b:2\"",
    );
    taken(POOL, "dns \"vllm.llm.svc:8000\"  engine vllm");
    taken(
        POOL,
        "endpoints \"http://gpu-1:8000\", \"http://gpu-2:8000\"  engine sglang",
    );
    refused(
        POOL,
        "endpoints \"gpu-1:8000\"  engine vllm",
        "WP0307",
        "\"gpu-1:8000\"",
    );
    refused(POOL, "dns \"vllm\"  engine vllm", "WP0307", "\"vllm\"");
    refused(
        POOL,
        "endpoints \"http://a:1\"  engine vllm  port 5000",
        "WP0307",
        "5000",
    );
    refused(POOL, "endpoints \"http://a:1\"", "WP0105", "own");
}

#[test]
fn secrets_are_places() {
    refused(
        "k8s(\"llm/openai\", \"key\")",
        "\"hunter2\"",
        "WP0501",
        "\"hunter2\"",
    );
    refused(
        "env(\"CALLER_KEYS\")",
        "env(\"sk-0000000000\")",
        "WP0501",
        "\"sk-0000000000\"",
    );
    refused(
        "\"llm/openai\"",
        "\"llm/REPLACE_ME\"",
        "WP0501",
        "\"llm/REPLACE_ME\"",
    );
    refused("\"llm/openai\"", "\"openai\"", "WP0307", "\"openai\"");
    refused(
        "resource \"acme\"",
        "resource \"<your-resource>\"",
        "WP0501",
        "\"<your-resource>\"",
    );
    refused(
        "resource \"acme\"",
        "resource \"https://acme.openai.azure.com\"",
        "WP0307",
        "\"https://acme.openai.azure.com\"",
    );
    refused(
        "auth secret key }\nprovider",
        "auth \"sk-0000000000\" }\nprovider",
        "WP0501",
        "\"sk-0000000000\"",
    );
    refused(
        "kind openai  auth",
        "kind openai  url \"https://xxx.dev/v1\"  auth",
        "WP0501",
        "\"https://xxx.dev/v1\"",
    );
    taken(
        "kind openai  auth",
        "kind openai  url \"https://llm.acme.dev/v1\"  auth",
    );
    taken("resource \"acme\"", "resource \"todo-backend\"");
}

#[test]
fn a_pod_mounts_secrets_of_its_own_namespace() {
    refused("\"llm/openai\"", "\"platform/openai\"", "WP0503", "key");
    let unused = format!("{SOUND}\nsecret other = k8s(\"platform/other\", \"key\")\n");
    assert_eq!(findings(&unused), []);
    let system = replaced("namespace \"llm\"", "namespace \"kube-system\"");
    let found = findings(&system.replace("llm/openai", "kube-system/openai"));
    assert_eq!(found, [("WP0503".to_owned(), "\"kube-system\"".to_owned())]);
}

#[test]
fn labels_and_secrets_are_named_as_kubernetes_names_them() {
    let long = "v".repeat(64);
    for (label, at) in [
        ("\"a b\": \"x\"", "\"a b\""),
        ("\"/app\": \"x\"", "\"/app\""),
        ("app: \"-x\"", "\"-x\""),
        (&*format!("app: \"{long}\""), &*format!("\"{long}\"")),
    ] {
        let pool = format!("selector {{ {label} }}  engine vllm");
        refused(POOL, &pool, "WP0307", at);
    }
    taken(
        POOL,
        "selector { app: \"\", \"example.com/Tier_1\": \"A.b-c\" }  engine vllm",
    );
    refused("\"key\")", "\"..key\")", "WP0307", "\"..key\"");
    refused("\"key\")", "\".\")", "WP0307", "\".\"");
    let name = format!("\"llm/{}.x\"", "s".repeat(80));
    taken("\"llm/openai\"", &name);
}

#[test]
fn versions_are_those_whose_manifests_are_known() {
    refused(
        "kaito \"v1beta1\"",
        "kaito \"v1alpha1\"",
        "WP0502",
        "\"v1alpha1\"",
    );
    refused(
        "inference-extension \"1.0\"",
        "inference-extension \"0.5\"",
        "WP0502",
        "\"0.5\"",
    );
    taken(
        "inference-extension \"1.0\"",
        "inference-extension \"1.0.1\"",
    );
    refused(
        "agentgateway \"1.3.1\"",
        "agentgateway \"1.2.0\"",
        "WP0502",
        "\"1.2.0\"",
    );
    taken("agentgateway \"1.3.1\"", "agentgateway \"1.4.1\"");
}

#[test]
fn the_layered_shape_needs_two_tiers_pods_and_a_provider() {
    taken("shape waypost", "shape layered");
    let layered = replaced("shape waypost", "shape layered");
    let three = layered
        .replace("tiers weak < strong", "tiers weak < strong < top")
        .replace("tier strong {", "tier top { try big }\ntier strong {");
    assert_eq!(findings(&three), [("WP0503".to_owned(), "top".to_owned())]);
    let hosted = layered.replace("try small then big", "try big then small");
    assert_eq!(
        findings(&hosted),
        [("WP0503".to_owned(), "weak".to_owned())]
    );
    let hedged = layered.replace("timeout 30s", "hedge after 2s  timeout 30s");
    assert_eq!(findings(&hedged), [("WP0503".to_owned(), "2s".to_owned())]);
    let pooled = layered.replace(
        "split big 90%, alt 10% by caller.key  then big",
        "try small then big then alt",
    );
    assert_eq!(
        findings(&pooled),
        [("WP0503".to_owned(), "strong".to_owned())]
    );
}

#[test]
fn another_shape_can_be_asked_about() {
    let text = replaced("try small then big", "try big then small");
    let program = fixture::checked(&text).program.unwrap();
    assert_eq!(shape_needs(&program, Shape::Waypost).len(), 0);
    assert_eq!(shape_needs(&program, Shape::Layered).len(), 1);
}

#[test]
fn what_this_version_cannot_do_is_refused_where_ignoring_it_would_be_open() {
    refused("kind openai  auth", "kind vertex  auth", "WP0601", "vertex");
    refused(
        "kind openai  auth secret key",
        "kind openai  auth workload-identity",
        "WP0601",
        "workload-identity",
    );
    refused(
        "in request, logs",
        "in request, response",
        "WP0601",
        "response",
    );
    refused(
        "threshold 0.42",
        "threshold hold strong at 30%..35%",
        "WP0601",
        "threshold hold strong at 30%..35%",
    );
}

#[test]
fn tokens_need_all_that_they_are_held_to() {
    let jwt = "jwt { issuer \"https://a.dev\"  audience \"llm\"  jwks \"https://a.dev/keys\" }";
    let text = replaced("anonymous deny", jwt);
    assert!(findings(&text).is_empty());
    assert!(
        fixture::checked(&text)
            .program
            .unwrap()
            .policy
            .jwt
            .is_some()
    );
    let half = "jwt { issuer \"https://a.dev\"  audience \"llm\" }";
    refused("anonymous deny", half, "WP0105", half);
}

#[test]
fn what_replicas_share_over_redis() {
    let redis = "secret redis_url = k8s(\"llm/state\", \"url\")\ndeploy kubernetes";
    let with = |state: &str| replaced("deploy kubernetes", redis).replace("state local", state);
    for (state, shares) in [
        ("state redis secret redis_url", false),
        ("state redis secret redis_url away deny", false),
        ("state redis secret redis_url away share", true),
    ] {
        let checked = fixture::checked(&with(state));
        assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
        let redis = checked.program.unwrap().deploy.unwrap().redis.unwrap();
        assert_eq!(redis.shares, shares);
    }
    refused("state local", "state redis", "WP0105", "state redis");
    let found = |state: &str, text: &str| {
        let checked = fixture::checked(&with(state));
        let found = checked.diagnostics.iter().map(|one| one.message.clone());
        let found: Vec<String> = found.collect();
        assert!(found.iter().any(|one| one.contains(text)), "{found:?}");
    };
    found("state redis secret redis_url away wait", "`wait`");
    found("state local away share", "`state local`");
}

#[test]
fn who_speaks_another_api_has_neither_completions_nor_embeddings() {
    for kind in ["anthropic", "gemini", "bedrock  region \"eu-west-1\""] {
        let text = replaced("kind openai  auth", &format!("kind {kind}  auth"));
        assert!(fixture::checked(&text).program.is_some(), "{kind}");
        let text = text.replacen("model big {", "model big { serves chat, embeddings ", 1);
        let checked = fixture::checked(&text);
        let found = checked
            .diagnostics
            .iter()
            .find(|finding| finding.message.contains("`big` cannot serve embeddings"));
        assert!(found.is_some(), "{:?}\n{text}", checked.diagnostics);
    }
}

#[test]
fn amazon_has_regions_and_nobody_else() {
    let kind = "kind openai  auth";
    refused(kind, "kind bedrock  auth", "WP0105", "hosted");
    let region = "kind openai  region \"eu-west-1\"  auth";
    refused(kind, region, "WP0307", "\"eu-west-1\"");
    let wrong = "kind bedrock  region \"eu west\"  auth";
    refused(kind, wrong, "WP0307", "\"eu west\"");
    let text = replaced(kind, "kind bedrock  region \"eu-west-1\"  auth");
    let program = fixture::checked(&text).program.unwrap();
    let host = "https://bedrock-runtime.eu-west-1.amazonaws.com";
    assert_eq!(program.providers[0].url, host);
}

#[test]
fn azures_identity_needs_no_secret() {
    let text = replaced(
        "auth secret key }\nmodel",
        "auth workload-identity }\nmodel",
    );
    let program = fixture::checked(&text).program.unwrap();
    assert_eq!(program.providers[1].auth, ProviderAuth::WorkloadIdentity);
}
