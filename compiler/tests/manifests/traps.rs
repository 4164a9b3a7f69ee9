//! The fifteen traps of the seed stack, one test each: what bit there must not be in what we write.

use serde_json::json;
use waypost_compiler::program::Shape;

use crate::fixture::{Objects, TEXT, emitted, with};

fn layered() -> Objects {
    Objects::of_shape(Shape::Layered)
}

#[test]
fn trap_01_the_pool_targets_the_containers_port() {
    let objects = layered();
    let pool = objects.get("InferencePool", "phi-pool");
    assert_eq!(pool["spec"]["targetPorts"], json!([{"number": 5000}]));
    assert_eq!(
        objects.gateway_config()["services"][0]["ports"],
        json!({"5000": 5000})
    );
    assert_eq!(
        objects.route("weak")["backends"][0]["service"]["port"],
        5000
    );
}

#[test]
fn trap_02_pool_and_objective_are_of_different_groups() {
    let objects = layered();
    let api = |kind: &str, name: &str| objects.get(kind, name)["apiVersion"].clone();
    assert_eq!(
        api("InferencePool", "phi-pool"),
        "inference.networking.k8s.io/v1"
    );
    assert_eq!(
        api("InferenceObjective", "phi-weak"),
        "inference.networking.x-k8s.io/v1alpha2"
    );
    let later = Objects::of(
        &with("inference-extension \"1.0\"", "inference-extension \"1.6\""),
        Shape::Layered,
    );
    let objective = later.get("InferenceObjective", "phi-weak");
    assert_eq!(objective["apiVersion"], "llm-d.ai/v1alpha2");
    assert!(
        later
            .file("phi-epp", "picker.yaml")
            .starts_with("apiVersion: llm-d.ai/v1alpha1\n")
    );
    let image = later.container("phi-epp")["image"].as_str().unwrap();
    assert!(
        image.starts_with("ghcr.io/llm-d/llm-d-router-endpoint-picker:"),
        "{image}"
    );
}

#[test]
fn trap_03_the_picker_is_plaintext_as_its_client_and_closed_to_others() {
    let objects = layered();
    assert!(
        objects
            .arguments("phi-epp")
            .contains(&"--secure-serving=false")
    );
    let ingress = &objects.get("NetworkPolicy", "phi-epp")["spec"]["ingress"];
    let on_9002: Vec<_> = ingress
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["ports"][0]["port"] == 9002)
        .collect();
    let gateway_only = json!([{"podSelector": {"matchLabels": {"app": "agentgateway"}}}]);
    assert_eq!(on_9002.len(), 1);
    assert_eq!(on_9002[0]["from"], gateway_only);
}

#[test]
fn trap_03_no_flag_is_passed_that_the_pickers_version_does_not_have() {
    // 1.0 has neither flag, and Go's flag package ends the process on an unknown one.
    let unknown = ["--metrics-endpoint-auth=false", "--tracing=false"];
    let first = layered();
    assert!(
        !first
            .arguments("phi-epp")
            .iter()
            .any(|flag| unknown.contains(flag))
    );
    let later = Objects::of(
        &with("inference-extension \"1.0\"", "inference-extension \"1.4\""),
        Shape::Layered,
    );
    for flag in unknown {
        assert!(later.arguments("phi-epp").contains(&flag), "{flag}");
    }
}

#[test]
fn trap_04_inference_routing_is_a_policy_of_the_backend() {
    let objects = layered();
    let weak = objects.route("weak");
    assert_eq!(weak["policies"].get("inferenceRouting"), None);
    let backend = &weak["backends"][0];
    assert_eq!(
        backend["policies"]["inferenceRouting"]["endpointPicker"]["host"],
        "phi-epp.llm.svc.cluster.local:9002"
    );
    let service = &objects.gateway_config()["services"][0];
    assert_eq!(service["vips"], json!([]));
    let hostname = service["hostname"].as_str().unwrap();
    assert_eq!(backend["service"]["name"], format!("llm/{hostname}"));
}

#[test]
fn trap_04_keys_are_files_not_shell_variables() {
    let objects = layered();
    let auth = &objects.route("strong")["policies"]["backendAuth"];
    assert_eq!(
        auth,
        &json!({"key": {"file": "/etc/agentgateway/secrets/aoai-credentials/api-key"}})
    );
    assert!(
        !objects
            .file("agentgateway-config", "config.yaml")
            .contains('$')
    );
}

#[test]
fn trap_05_a_higher_priority_is_served_first() {
    let objects = layered();
    let priority = |name: &str| objects.get("InferenceObjective", name)["spec"]["priority"].clone();
    assert_eq!(priority("phi-paying-customers"), 10);
    assert_eq!(priority("phi-weak"), 0);
    let text = emitted(TEXT, Shape::Layered).manifests;
    let objective = text
        .iter()
        .find(|one| one.file_name.contains("inferenceobjective"))
        .unwrap();
    assert!(
        objective
            .yaml
            .contains("# higher is served first, below zero is shed")
    );
}

#[test]
fn trap_06_the_workspace_places_nodes_and_the_pool_selects_pods() {
    let objects = layered();
    let workspace = objects.get("Workspace", "workspace-phi");
    assert_eq!(workspace["apiVersion"], "kaito.sh/v1beta1");
    assert_eq!(workspace.get("spec"), None);
    assert_eq!(
        workspace["resource"]["labelSelector"]["matchLabels"].get("kaito.sh/workspace"),
        None
    );
    assert_eq!(
        workspace["resource"]["instanceType"],
        "Standard_NC24ads_A100_v4"
    );
    assert_eq!(
        workspace["inference"]["preset"]["name"],
        "phi-4-mini-instruct"
    );
    let selector = &objects.get("InferencePool", "phi-pool")["spec"]["selector"]["matchLabels"];
    assert_eq!(selector, &json!({"kaito.sh/workspace": "workspace-phi"}));
}

#[test]
fn trap_07_monitors_are_of_the_group_that_scrapes_and_select_a_namespace() {
    for shape in [Shape::Layered, Shape::Waypost] {
        let azure = Objects::of_shape(shape);
        for monitor in azure.kind("PodMonitor") {
            assert_eq!(monitor["apiVersion"], "azmonitoring.coreos.com/v1");
            assert_eq!(
                monitor["spec"]["namespaceSelector"]["matchNames"],
                json!(["llm"])
            );
            let endpoint = &monitor["spec"]["podMetricsEndpoints"][0];
            assert_eq!(endpoint.get("port"), None);
            assert!(endpoint["targetPort"].is_u64());
        }
        let upstream = Objects::of(&with("monitor   azure", "monitor   prometheus"), shape);
        for monitor in upstream.kind("PodMonitor") {
            assert_eq!(monitor["apiVersion"], "monitoring.coreos.com/v1");
            let endpoint = &monitor["spec"]["podMetricsEndpoints"][0];
            assert_ne!(endpoint["port"].as_str().unwrap_or(""), "");
            assert_eq!(endpoint.get("targetPort"), None);
        }
        assert!(upstream.kind("PodMonitor").count() >= 2);
    }
}

#[test]
fn trap_08_the_namespace_is_first_and_there_is_one_pool() {
    for shape in [Shape::Layered, Shape::Waypost] {
        let emitted = emitted(TEXT, shape);
        assert_eq!(emitted.manifests[0].file_name, "00-namespace-llm.yaml");
    }
    assert_eq!(layered().kind("InferencePool").count(), 1);
}

#[test]
fn trap_09_no_placeholder_stands_where_a_secret_belongs() {
    for shape in [Shape::Layered, Shape::Waypost] {
        for manifest in emitted(TEXT, shape).manifests {
            for sign in ["<your", "REPLACE", "changeme", "sk-"] {
                assert!(
                    !manifest.yaml.contains(sign),
                    "{sign} in {}",
                    manifest.file_name
                );
            }
        }
        for secret in Objects::of_shape(shape).kind("Secret") {
            assert_eq!((secret.get("data"), secret.get("stringData")), (None, None));
        }
    }
}

#[test]
fn trap_10_both_bases_have_one_shape_and_penalties_are_dropped() {
    let objects = layered();
    let upstreams: serde_json::Value =
        serde_json::from_str(objects.file("routellm-config", "upstreams.json")).unwrap();
    let base = |model: &str| upstreams[model]["api_base"].as_str().unwrap().to_owned();
    let host = "http://agentgateway.llm.svc.cluster.local:4000";
    assert_eq!(base("openai/gpt-5.1"), format!("{host}/strong/v1"));
    assert_eq!(
        base("openai/phi-4-mini-instruct"),
        format!("{host}/weak/v1")
    );
    let dropped = json!(["frequency_penalty", "presence_penalty"]);
    assert_eq!(upstreams["openai/gpt-5.1"]["drop"], dropped);
    assert!(
        objects
            .file("routellm-config", "start.py")
            .contains("litellm.drop_params = True")
    );
    for route in ["strong", "weak"] {
        let path = &objects.route(route)["matches"][0]["path"]["pathPrefix"];
        assert_eq!(path, &format!("/{route}"));
    }
}

#[test]
fn trap_11_the_catalog_is_nested_and_its_rates_are_strings() {
    let catalog = &layered().gateway_config()["config"]["modelCatalog"][0]["inline"];
    let rates = &catalog["providers"]["azure"]["models"]["gpt-5.1"]["rates"];
    assert_eq!(
        rates,
        &json!({"input": "1.25", "cacheRead": "0.125", "output": "10"})
    );
}

#[test]
fn trap_12_the_threshold_is_in_the_name_and_said_to_need_calibration() {
    let emitted = emitted(TEXT, Shape::Layered);
    let config = emitted
        .manifests
        .iter()
        .find(|one| one.file_name.ends_with("routellm-config.yaml"));
    assert!(config.unwrap().yaml.contains("router-mf-0.42"));
    assert!(emitted.diagnostics.iter().any(|one| {
        one.primary.message.contains("win rate") && one.help.as_ref().unwrap().contains("calibrate")
    }));
}

#[test]
fn trap_13_a_lost_session_is_said() {
    let emitted = emitted(TEXT, Shape::Layered);
    assert!(
        emitted
            .diagnostics
            .iter()
            .any(|one| one.message.contains("`keep session`"))
    );
}

#[test]
fn trap_14_the_paid_route_has_a_limit_on_tokens() {
    let objects = layered();
    let limits = &objects.route("strong")["policies"]["localRateLimit"];
    let tokens = json!({"maxTokens": 60000, "tokensPerFill": 60000, "fillInterval": "60s", "type": "tokens"});
    // Without `type` the bucket would count calls: the seed's 60,000 tokens a minute were 60,000 calls.
    assert!(limits.as_array().unwrap().contains(&tokens), "{limits}");
    let replicas = &objects.get("Deployment", "agentgateway")["spec"]["replicas"];
    assert_eq!(replicas, 1, "each pod counts by itself");
}

#[test]
fn trap_15_what_the_router_cannot_do_is_said() {
    let emitted = emitted(TEXT, Shape::Layered);
    let said = |text: &str| {
        emitted
            .diagnostics
            .iter()
            .any(|one| one.message.contains(text) || one.primary.message.contains(text))
    };
    assert!(said("embeds every prompt with OpenAI"));
    assert!(said("scores the last message only"));
    assert!(said("calls with tools"));
    let objects = layered();
    let key = &objects.container("routellm")["env"][0];
    assert_eq!(
        key["valueFrom"]["secretKeyRef"],
        json!({"name": "routellm-openai", "key": "api-key"})
    );
}
