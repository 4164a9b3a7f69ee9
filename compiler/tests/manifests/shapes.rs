//! What each shape carries, refuses and says.

use serde_json::json;
use waypost_compiler::program::Shape;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::SourceMap;

use crate::fixture::{Objects, PLAN, TEXT, checked, emitted, refused, with};

/// `line: message`, each on its line.
fn said(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let line = |one: &Diagnostic| {
        let (file, line, _) = sources.position(one.primary.span);
        let name = file.rsplit('/').next().unwrap();
        format!(
            "{name}:{line} {}\n    {}\n",
            one.message, one.primary.message
        )
    };
    diagnostics.iter().map(line).collect()
}

#[test]
fn layered_says_what_it_leaves_out_rule_by_rule() {
    let found = emitted(TEXT, Shape::Layered).diagnostics;
    assert!(
        found
            .iter()
            .all(|one| one.code.number == "WP0504" && !one.is_error())
    );
    insta::assert_snapshot!(said(&checked(TEXT).sources, &found));
}

#[test]
fn waypost_leaves_out_only_what_kaito_cannot_do() {
    let found = emitted(TEXT, Shape::Waypost).diagnostics;
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("stays at 2 replicas"));
    assert!(
        emitted(&with("replicas 2..8", "replicas 2"), Shape::Waypost)
            .diagnostics
            .is_empty()
    );
}

#[test]
fn gateway_api_is_refused_honestly() {
    let found = refused(TEXT, Shape::GatewayApi);
    assert_eq!(found[0].code.number, "WP0601");
}

#[test]
fn a_file_without_deploy_has_no_manifests() {
    let start = TEXT.find("deploy kubernetes").unwrap();
    let end = start + TEXT[start..].find("\n}\n").unwrap() + 3;
    let found = refused(&TEXT.replace(&TEXT[start..end], ""), Shape::Waypost);
    assert_eq!(found[0].code.number, "WP0503");
}

#[test]
fn two_names_that_become_one_are_refused() {
    let pool = "pool phi-x { kaito { preset \"phi-4\"  instance \"\"  replicas 1 }  engine vllm  port 5000 }\n";
    let other = pool.replace("phi-x", "phi.x");
    let model = |name: &str, pool: &str| {
        format!(
            "model {name} {{ via pool {pool} as \"{name}\"  context 8k  output 1k  price input $0.01 output $0.01 }}\n"
        )
    };
    let more = format!(
        "{pool}{other}{}{}",
        model("one", "phi-x"),
        model("two", "phi.x")
    );
    let text = with("tiers weak", &format!("{more}\ntiers weak"));
    let text = text.replace("then gpt-5.1 }", "then one then two then gpt-5.1 }");
    let found = refused(&text, Shape::Waypost);
    assert!(found[0].message.contains("both become"), "{found:#?}");
}

#[test]
fn a_secret_from_the_environment_is_refused() {
    let text = with(
        "k8s(\"llm/aoai-credentials\", \"api-key\")",
        "env(\"AOAI_KEY\")",
    );
    for shape in [Shape::Layered, Shape::Waypost] {
        let found = refused(&text, shape);
        assert_eq!(found[0].code.number, "WP0503");
        assert!(
            found[0].message.contains("an environment variable"),
            "{found:#?}"
        );
    }
}

#[test]
fn only_the_keys_that_are_used_are_mounted() {
    let text = with(
        "secret redis_url ",
        "secret unused = k8s(\"llm/unused\", \"key\")\nsecret redis_url ",
    );
    let objects = Objects::of(&text, Shape::Waypost);
    let volumes = &objects.get("Deployment", "waypost")["spec"]["template"]["spec"]["volumes"];
    assert!(!volumes.to_string().contains("unused"));
    let used =
        json!({"secretName": "aoai-credentials", "items": [{"key": "api-key", "path": "api-key"}]});
    let mut volumes = volumes.as_array().unwrap().iter();
    assert!(volumes.any(|volume| volume["secret"] == used));
}

#[test]
fn the_plan_is_mounted_and_a_new_one_rolls_out() {
    let fingerprint = |plan: &[u8]| {
        let checked = checked(TEXT);
        let program = checked.program.unwrap();
        let emitted =
            waypost_compiler::manifests::emit(&program, &checked.sources, plan, Shape::Waypost)
                .unwrap();
        let deployment = emitted
            .manifests
            .into_iter()
            .find(|one| one.file_name.ends_with("deployment-waypost.yaml"))
            .unwrap();
        let object: serde_json::Value = serde_yaml::from_str(&deployment.yaml).unwrap();
        object["spec"]["template"]["metadata"]["annotations"].clone()
    };
    assert_ne!(fingerprint(PLAN), fingerprint(b"another plan"));
    let objects = Objects::of_shape(Shape::Waypost);
    assert_eq!(
        objects.get("ConfigMap", "waypost-plan")["binaryData"]["plan.waypost"],
        "YSBwbGFu"
    );
    assert_eq!(
        objects.arguments("waypost")[0],
        "/etc/waypost/plan/plan.waypost"
    );
}

#[test]
fn a_plan_larger_than_a_config_map_is_refused() {
    let checked = checked(TEXT);
    let plan = vec![0; 1024 * 1024 + 1];
    let program = checked.program.unwrap();
    let found =
        waypost_compiler::manifests::emit(&program, &checked.sources, &plan, Shape::Waypost);
    assert!(
        found.unwrap_err()[0]
            .message
            .contains("more than the 1 MiB that a ConfigMap holds")
    );
}

#[test]
fn without_pools_of_pods_nothing_asks_the_api_server() {
    let text = with(
        "kaito     { preset \"phi-4-mini-instruct\"  instance \"Standard_NC24ads_A100_v4\"  replicas 2..8 }",
        "endpoints \"http://gpu-1.lab:8000\"",
    );
    let text = text.replace("  port      5000                                // the container's port: pools address pods, not Services\n", "");
    let objects = Objects::of(&text, Shape::Waypost);
    assert_eq!(objects.kind("Role").count(), 0);
    let pod = &objects.get("Deployment", "waypost")["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    let egress = objects.get("NetworkPolicy", "waypost")["spec"]["egress"].to_string();
    assert!(
        egress.contains("8000") && !egress.contains("6443"),
        "{egress}"
    );
}

#[test]
fn weights_of_place_become_scorers() {
    let config: serde_json::Value =
        serde_yaml::from_str(Objects::of_shape(Shape::Layered).file("phi-epp", "picker.yaml"))
            .unwrap();
    let plugins = config["schedulingProfiles"][0]["plugins"]
        .as_array()
        .unwrap();
    let weight =
        |name: &str| plugins.iter().find(|one| one["pluginRef"] == name).unwrap()["weight"].clone();
    assert_eq!(weight("prefix-cache-scorer"), 3);
    assert_eq!(weight("queue-scorer"), 2);
    assert_eq!(weight("lora-affinity-scorer"), 1);
    let without = Objects::of(&with(", lora 1", ""), Shape::Layered);
    assert!(!without.file("phi-epp", "picker.yaml").contains("lora"));
}

#[test]
fn saturation_is_two_variables_and_later_a_plugin() {
    let first = Objects::of_shape(Shape::Layered);
    let environment = first.container("phi-epp")["env"].to_string();
    assert!(environment.contains("SD_QUEUE_DEPTH_THRESHOLD") && environment.contains("\"0.8\""));
    let later = Objects::of(
        &with("inference-extension \"1.0\"", "inference-extension \"1.5\""),
        Shape::Layered,
    );
    let config: serde_json::Value =
        serde_yaml::from_str(later.file("phi-epp", "picker.yaml")).unwrap();
    assert_eq!(
        config["saturationDetector"]["pluginRef"],
        "utilization-detector"
    );
    let plugins = config["plugins"].as_array().unwrap();
    let detector = plugins
        .iter()
        .find(|one| one["type"] == "utilization-detector")
        .unwrap();
    assert_eq!(
        detector["parameters"],
        json!({"queueDepthThreshold": 5, "kvCacheUtilThreshold": 0.8})
    );
    assert!(
        !later.container("phi-epp")["env"]
            .to_string()
            .contains("SD_")
    );
}

#[test]
fn a_limit_for_all_callers_on_the_paid_route_is_carried_whole() {
    let text = with(
        "limit  60k tokens / 1m    per caller.agent  on strong",
        "limit  90k tokens / 30s   burst 120k  on strong",
    );
    let emission = emitted(&text, Shape::Layered);
    let sources = checked(&text).sources;
    assert!(
        !said(&sources, &emission.diagnostics).contains("90k tokens"),
        "{:#?}",
        emission.diagnostics
    );
    let limits =
        Objects::of(&text, Shape::Layered).route("strong")["policies"]["localRateLimit"].clone();
    let bucket = json!({"maxTokens": 120_000, "tokensPerFill": 90_000, "fillInterval": "30s", "type": "tokens"});
    assert!(limits.as_array().unwrap().contains(&bucket), "{limits}");
}

#[test]
fn retries_and_timeouts_are_the_tiers() {
    let strong = Objects::of_shape(Shape::Layered).route("strong");
    assert_eq!(
        strong["policies"]["timeout"]["backendRequestTimeout"],
        "60s"
    );
    assert_eq!(strong["policies"]["retry"]["attempts"], 2);
}

#[test]
fn a_key_of_openai_in_the_file_is_the_routers_too() {
    let azure = "kind      azure-openai                        // openai | azure-openai | anthropic | openai-compatible | ...\n  resource  \"acme-aoai\"\n  version   \"2024-10-21\"";
    let found = refused(&with(azure, "kind gemini"), Shape::Layered);
    assert!(
        found.iter().any(|one| one.message.contains("`gemini`")),
        "{found:?}"
    );
}
