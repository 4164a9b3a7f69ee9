//! Custom resources against the CRDs of the real projects, agentgateway's config against its schema.
//!
//! They lie beside the project, in `../shared`; without them these tests say so and check nothing.

use std::path::PathBuf;

use serde_json::Value;
use waypost_compiler::manifests::validate::ViolationKind;
use waypost_compiler::manifests::{CrdSet, Violation, validate};
use waypost_compiler::program::Shape;

use crate::fixture::{Objects, TEXT, emitted, with};

fn shared(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()?
        .parent()?
        .join("shared");
    let found = Some(root.join(name)).filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: ../shared/{name} is not there");
    }
    found
}

fn crds() -> Option<CrdSet> {
    let mut set = CrdSet::default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(shared("crds")?)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        set.add(&file.to_string_lossy(), &text).unwrap();
    }
    assert!(
        set.len() > 20,
        "only {} versions of kinds were read",
        set.len()
    );
    Some(set)
}

/// Kinds of Kubernetes itself, which have no CRDs.
const BUILT_IN: [&str; 13] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Namespace",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
];

fn check(text: &str, shape: Shape) {
    let Some(crds) = crds() else { return };
    let mut checked = 0;
    for manifest in emitted(text, shape).manifests {
        let object: Value = serde_yaml::from_str(&manifest.yaml).unwrap();
        if BUILT_IN.contains(&object["kind"].as_str().unwrap()) {
            continue;
        }
        let found = validate(&crds, &manifest.yaml);
        assert!(
            found.is_empty(),
            "{}: {found:#?}\n{}",
            manifest.file_name,
            manifest.yaml
        );
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} custom resources were checked");
}

#[test]
fn every_custom_resource_is_taken_by_its_crd() {
    for shape in [Shape::Layered, Shape::Waypost] {
        check(TEXT, shape);
        check(&with("monitor   azure", "monitor   prometheus"), shape);
        check(
            &with("inference-extension \"1.0\"", "inference-extension \"1.6\""),
            shape,
        );
    }
}

#[test]
fn the_schema_of_every_crd_can_be_used() {
    let (Some(crds), Some(folder)) = (crds(), shared("crds")) else {
        return;
    };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let crd: Value = serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let (group, kind) = (&crd["spec"]["group"], &crd["spec"]["names"]["kind"]);
        for version in crd["spec"]["versions"].as_array().unwrap() {
            let api = format!(
                "{}/{}",
                group.as_str().unwrap(),
                version["name"].as_str().unwrap()
            );
            let found = validate(&crds, &format!("apiVersion: {api}\nkind: {kind}\n"));
            let unusable = found
                .iter()
                .find(|one| one.message.contains("cannot be used"));
            assert_eq!(unusable, None, "{api} {kind}");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} were tried");
}

/// The manifest of a kind with `old` replaced by `new`, and what is found in it.
fn violations(kind: &str, old: &str, new: &str) -> Option<Vec<Violation>> {
    let crds = crds()?;
    let manifests = emitted(TEXT, Shape::Layered).manifests;
    let manifest = manifests
        .iter()
        .find(|manifest| manifest.yaml.contains(&format!("\nkind: {kind}\n")))
        .unwrap();
    assert!(
        manifest.yaml.contains(old),
        "no `{old}` in\n{}",
        manifest.yaml
    );
    Some(validate(&crds, &manifest.yaml.replacen(old, new, 1)))
}

#[track_caller]
fn caught(found: Option<Vec<Violation>>, kind: ViolationKind, text: &str) {
    let Some(found) = found else { return };
    assert!(
        found
            .iter()
            .any(|one| one.kind == kind && one.to_string().contains(text)),
        "{found:#?}"
    );
}

#[test]
fn a_wrong_port_field_is_caught() {
    let found = violations("InferencePool", "  - number: 5000", "  - targetPort: 5000");
    caught(found, ViolationKind::Schema, "targetPort");
}

#[test]
fn a_number_where_an_object_belongs_is_caught() {
    let found = violations(
        "InferencePool",
        "    port:\n      number: 9002\n",
        "    port: 9002\n",
    );
    caught(found, ViolationKind::Schema, ".spec.endpointPickerRef.port");
}

#[test]
fn an_unknown_field_is_caught() {
    let found = violations("Workspace", "  preset:\n", "  presets: {}\n  preset:\n");
    caught(found, ViolationKind::Schema, "presets");
}

#[test]
fn a_workspace_with_a_spec_is_caught() {
    let found = violations("Workspace", "resource:\n", "spec: {}\nresource:\n");
    caught(found, ViolationKind::Schema, "spec");
}

#[test]
fn a_picker_without_a_port_is_caught_by_the_crds_own_rule() {
    // The rule asks for `self.kind`, which is only there because the default is filled in first.
    let found = violations("InferencePool", "    port:\n      number: 9002\n", "");
    caught(
        found,
        ViolationKind::Rule,
        "port is required when kind is 'Service'",
    );
}

#[test]
fn ports_named_twice_are_caught_by_the_crds_own_rule() {
    let found = violations(
        "InferencePool",
        "  - number: 5000",
        "  - number: 5000\n  - number: 5000",
    );
    caught(found, ViolationKind::Rule, "port number must be unique");
}

#[test]
fn a_kind_without_a_crd_is_said_and_no_refusal() {
    let found = violations("Service", "kind: Service", "kind: Service");
    let Some(found) = found else { return };
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].kind, ViolationKind::NoDefinition);
    assert!(!found[0].kind.is_refusal());
}

#[test]
fn what_is_no_manifest_is_refused() {
    let found = validate(&CrdSet::default(), "- a\n- b\n");
    assert_eq!(found[0].kind, ViolationKind::Malformed);
}

#[test]
fn the_gateways_config_is_taken_by_its_schema() {
    let Some(path) = shared("schemas/agentgateway-config.v1.4.1.json") else {
        return;
    };
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let openai = with("kind      azure-openai", "kind      openai");
    let openai = openai.replace(
        "  resource  \"acme-aoai\"\n  version   \"2024-10-21\"\n",
        "",
    );
    let compatible = openai.replace(
        "kind      openai",
        "kind      openai-compatible\n  url       \"https://api.groq.com/openai/v1\"",
    );
    let plain = compatible.replace("https://api.groq.com/openai/v1", "http://vllm.lab:8000/v1");
    for text in [TEXT.to_owned(), openai, compatible, plain] {
        let config = Objects::of(&text, Shape::Layered).gateway_config();
        let errors: Vec<String> = validator
            .iter_errors(&config)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{config:#}");
        let mut broken = config.clone();
        broken["binds"][0]["listeners"][0]["routes"][0]["polices"] = Value::Null;
        assert!(
            !validator.is_valid(&broken),
            "the schema takes a misspelt field"
        );
    }
}
