//! What a cluster does with the manifests: how it reads them, what it cuts, what it stops.

use serde_json::Value;
use waypost_compiler::manifests::{MANAGED, Manifest, emit};
use waypost_compiler::program::Shape;

use crate::fixture::{Objects, TEXT, checked, emitted, refused, with};

const SHAPES: [Shape; 2] = [Shape::Waypost, Shape::Layered];
const KAITO: &str = "kaito     { preset \"phi-4-mini-instruct\"  instance \"Standard_NC24ads_A100_v4\"  replicas 2..8 }";

fn egress(objects: &Objects, policy: &str) -> Vec<Value> {
    let policy = objects.get("NetworkPolicy", policy);
    policy["spec"]["egress"].as_array().unwrap().clone()
}

fn argument<'a>(arguments: &[&'a str], flag: &str) -> &'a str {
    let at = arguments.iter().position(|argument| *argument == flag);
    arguments[at.unwrap() + 1]
}

#[test]
fn labels_that_yaml_1_1_reads_as_something_else_stay_labels() {
    let selector = "selector { app: \"on\", tier: \"1_000\", y: \"2024-10-21\" }";
    let emitted = emitted(&with(KAITO, selector), Shape::Waypost);
    let monitor = emitted
        .manifests
        .iter()
        .find(|manifest| manifest.file_name.ends_with("podmonitor-engine-phi.yaml"));
    let yaml = &monitor.unwrap().yaml;
    for line in ["app: 'on'", "tier: '1_000'", "'y': '2024-10-21'"] {
        assert!(yaml.contains(line), "no {line} in\n{yaml}");
    }
}

#[test]
fn the_version_of_azures_api_is_no_day() {
    let objects = Objects::of_shape(Shape::Layered);
    let config = objects.file("agentgateway-config", "config.yaml");
    assert!(config.contains("apiVersion: '2024-10-21'"), "{config}");
}

#[test]
fn names_are_resolved_wherever_the_resolver_is() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        for policy in objects.kind("NetworkPolicy") {
            let rules = policy["spec"]["egress"].as_array();
            let dns = |rule: &&Value| rule["ports"][0]["port"] == 53;
            for rule in rules.into_iter().flatten().filter(dns) {
                assert!(
                    rule.get("to").is_none(),
                    "{rule} misses a cache on the node"
                );
            }
        }
    }
}

#[test]
fn services_of_the_cluster_are_reached_behind_their_ports() {
    let pool = "endpoints \"http://vllm.gpu.svc.cluster.local\"";
    let text = with(KAITO, pool).replace("  port      5000", "  //");
    let rules = egress(&Objects::of(&text, Shape::Waypost), "waypost");
    let to = |rule: &&Value| {
        rule["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == "gpu"
    };
    let rule = rules.iter().find(to).unwrap();
    assert!(rule.get("ports").is_none(), "{rule}");

    let hosted = "kind      openai-compatible\n  url \"http://litellm.ai.svc:4000/v1\"";
    let text = with("kind      azure-openai", hosted)
        .replace("  resource  \"acme-aoai\"\n", "")
        .replace("  version   \"2024-10-21\"\n", "")
        .replace("deployment \"gpt-5.1\"", "as \"gpt-5.1\"");
    for (shape, policy) in [
        (Shape::Waypost, "waypost"),
        (Shape::Layered, "agentgateway"),
    ] {
        let rules = egress(&Objects::of(&text, shape), policy);
        let selector = "kubernetes.io/metadata.name";
        let to = |rule: &Value| rule["to"][0]["namespaceSelector"]["matchLabels"][selector] == "ai";
        assert!(rules.iter().any(to), "{rules:?}");
    }
}

#[test]
fn a_pod_is_given_as_long_as_the_runtime_drains() {
    let objects = Objects::of_shape(Shape::Waypost);
    let drain: u64 = argument(&objects.arguments("waypost"), "--drain")
        .parse()
        .unwrap();
    let leaves = &objects.container("waypost")["lifecycle"]["preStop"]["sleep"]["seconds"];
    let pod = &objects.get("Deployment", "waypost")["spec"]["template"]["spec"];
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(drain > 300, "an answer may be silent for 300 s");
    assert!(
        grace > drain + leaves.as_u64().unwrap(),
        "{grace} for {drain}"
    );
}

#[test]
fn agentgateway_lets_answers_end_too() {
    let objects = Objects::of_shape(Shape::Layered);
    let config = objects.gateway_config();
    assert_eq!(config["config"]["connectionTerminationDeadline"], "320s");
}

#[test]
fn a_plan_too_large_for_an_annotation_says_how_it_is_applied() {
    let checked = checked(TEXT);
    let program = checked.program.unwrap();
    let note = |octets: usize| {
        let plan = vec![0; octets];
        let emitted = emit(&program, &checked.sources, &plan, Shape::Waypost).unwrap();
        let says = |manifest: &Manifest| manifest.yaml.contains("# too large");
        emitted.manifests.iter().any(says)
    };
    assert!(!note(100 * 1024));
    assert!(note(200 * 1024));
}

#[test]
fn a_monitor_of_the_operator_says_what_it_needs() {
    let text = with("monitor   azure", "monitor   prometheus");
    for shape in SHAPES {
        for manifest in emitted(&text, shape).manifests {
            let monitor = manifest.file_name.contains("-podmonitor-");
            let says = manifest.yaml.contains("podMonitorSelector");
            assert_eq!(says, monitor, "{}", manifest.file_name);
        }
    }
}

#[test]
fn secrets_of_similar_and_of_long_names_have_volumes_of_their_own() {
    let long = "s".repeat(80);
    let text = TEXT
        .replace("llm/aoai-credentials", &format!("llm/{long}"))
        .replace("llm/waypost-callers", "llm/a.b")
        .replace("llm/waypost-state", "llm/a-b");
    let objects = Objects::of(&text, Shape::Waypost);
    let pod = &objects.get("Deployment", "waypost")["spec"]["template"]["spec"];
    let volumes = pod["volumes"].as_array().unwrap();
    let mut names: Vec<&str> = volumes
        .iter()
        .map(|volume| volume["name"].as_str().unwrap())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| name.len() <= 63 && !name.contains('.'))
    );
    names.sort_unstable();
    names.dedup();
    // Three secrets, the plan and the state.
    assert_eq!(names.len(), 5, "{names:?}");
    let mounts = objects.container("waypost")["volumeMounts"]
        .as_array()
        .unwrap();
    for secret in ["a.b", "a-b", long.as_str()] {
        let path = format!("/etc/waypost/secrets/{secret}");
        let mount = mounts
            .iter()
            .find(|mount| mount["mountPath"] == path)
            .unwrap();
        let volume = volumes
            .iter()
            .find(|volume| volume["name"] == mount["name"]);
        assert_eq!(volume.unwrap()["secret"]["secretName"], secret);
    }
}

#[test]
fn a_pools_name_that_is_too_long_is_said_once_and_at_the_pool() {
    let name = "p".repeat(54);
    let text = TEXT
        .replace("pool phi", &format!("pool {name}"))
        .replace("place phi", &format!("place {name}"));
    for (shape, most) in [(Shape::Waypost, 53), (Shape::Layered, 38)] {
        let found = refused(&text, shape);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(
            found[0].help.as_deref(),
            Some(format!("name it in at most {most} characters").as_str())
        );
        let shorter = text.replace(&name, &"p".repeat(most));
        emitted(&shorter, shape);
        let span = found[0].primary.span;
        assert_eq!(span.end - span.start, 54, "{span:?}");
    }
}

#[test]
fn two_tiers_with_one_route_are_refused() {
    let text = TEXT.replace("weak", "a_b").replace("strong", "a-b");
    let found = refused(&text, Shape::Layered);
    assert!(found[0].message.contains("`/a-b`"), "{found:#?}");
    emitted(&text, Shape::Waypost);
}

#[test]
fn every_manifest_says_whose_it_is() {
    for shape in SHAPES {
        for manifest in emitted(TEXT, shape).manifests {
            let says = manifest.yaml.lines().any(|line| line.trim() == MANAGED);
            assert!(says, "{}", manifest.file_name);
        }
    }
}

#[test]
fn shedding_is_carried_only_at_a_priority_that_the_picker_sheds() {
    let said = |then: &str, priority: &str| {
        let text = with("overflow  wait 2s then next", &format!("overflow  {then}"));
        let text = text.replace(
            "priority 10 \"paying customers\"           when caller.plan == \"pro\"",
            priority,
        );
        let diagnostics = emitted(&text, Shape::Layered).diagnostics;
        let messages = diagnostics.into_iter().map(|one| one.message);
        messages
            .filter(|one| one.contains("`overflow"))
            .collect::<Vec<_>>()
    };
    assert!(said("wait 2s then next", "")[0].contains("next"));
    assert!(said("shed", "priority 1 \"all\"")[0].contains("shed"));
    assert_eq!(said("shed", "priority -1 \"all\""), [""; 0]);
    assert!(said("wait 2s then shed", "priority -1 \"all\"")[0].contains("wait"));
}

#[test]
fn that_a_counting_gateway_is_one_pod_is_said_where_more_are_asked_for() {
    let said = |text: &str| {
        let diagnostics = emitted(text, Shape::Layered).diagnostics;
        diagnostics
            .iter()
            .any(|one| one.message.contains("`replicas` for RouteLLM only"))
    };
    assert!(said(TEXT));
    assert!(!said(&with("replicas  2..10", "replicas  1")));
}
