//! What no schema says: objects that name one another must agree.

use std::collections::BTreeSet;

use serde_json::Value;
use waypost_compiler::program::Shape;

use crate::fixture::{Objects, TEXT, emitted, with};

const SHAPES: [Shape; 2] = [Shape::Layered, Shape::Waypost];

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn pod(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]
}

fn containers(deployment: &Value) -> impl Iterator<Item = &Value> {
    let pod = pod(deployment);
    items(&pod["initContainers"])
        .iter()
        .chain(items(&pod["containers"]))
}

/// Whether every label of `selector` is in `labels`.
fn selects(selector: &Value, labels: &Value) -> bool {
    selector
        .as_object()
        .unwrap()
        .iter()
        .all(|(name, value)| labels[name] == *value)
}

fn selected<'a>(objects: &'a Objects, selector: &Value) -> Vec<&'a Value> {
    objects
        .kind("Deployment")
        .filter(|one| selects(selector, &one["spec"]["template"]["metadata"]["labels"]))
        .collect()
}

#[test]
fn a_deployment_selects_its_own_pods_and_no_others() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        for deployment in objects.kind("Deployment") {
            let selector = &deployment["spec"]["selector"]["matchLabels"];
            assert_eq!(selected(&objects, selector), [deployment]);
        }
    }
}

#[test]
fn a_service_targets_a_port_that_its_pods_name() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        assert!(objects.kind("Service").count() > 0);
        for service in objects.kind("Service") {
            let [deployment] = selected(&objects, &service["spec"]["selector"])[..] else {
                panic!("{service}");
            };
            for port in items(&service["spec"]["ports"]) {
                let named = items(&pod(deployment)["containers"][0]["ports"]);
                let target = named
                    .iter()
                    .find(|one| one["name"] == port["targetPort"])
                    .unwrap();
                assert_eq!(target["containerPort"], port["port"]);
            }
        }
    }
}

#[test]
fn every_mount_is_of_a_volume_and_every_volume_is_of_an_object() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        for deployment in objects.kind("Deployment") {
            let volumes = items(&pod(deployment)["volumes"]);
            let names: BTreeSet<&str> = volumes.iter().map(|one| text(&one["name"])).collect();
            let mounted: BTreeSet<&str> = containers(deployment)
                .flat_map(|one| items(&one["volumeMounts"]))
                .map(|one| text(&one["name"]))
                .collect();
            assert_eq!(names, mounted);
            for volume in volumes.iter().filter(|one| one.get("configMap").is_some()) {
                objects.get("ConfigMap", text(&volume["configMap"]["name"]));
            }
        }
    }
}

#[test]
fn every_path_that_an_argument_names_is_mounted() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        for container in objects.kind("Deployment").flat_map(containers) {
            let mounts: Vec<&str> = items(&container["volumeMounts"])
                .iter()
                .map(|one| text(&one["mountPath"]))
                .collect();
            let words = items(&container["args"])
                .iter()
                .chain(items(&container["command"]));
            for word in words.map(text) {
                let path = word.split('=').next_back().unwrap();
                if path.starts_with('/') {
                    assert!(
                        mounts.iter().any(|mount| path.starts_with(mount)),
                        "{path} of {mounts:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn probes_ask_ports_that_the_container_names() {
    for shape in SHAPES {
        for container in Objects::of_shape(shape)
            .kind("Deployment")
            .flat_map(containers)
        {
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                let (by_name, by_number) = (
                    &container[probe]["httpGet"]["port"],
                    &container[probe]["grpc"]["port"],
                );
                let known = items(&container["ports"])
                    .iter()
                    .any(|port| port["name"] == *by_name || port["containerPort"] == *by_number);
                assert!(
                    known || container.get(probe).is_none(),
                    "{probe} of {container:#}"
                );
            }
        }
    }
}

#[test]
fn nothing_runs_as_root_or_writes_to_its_image() {
    for shape in SHAPES {
        for deployment in Objects::of_shape(shape).kind("Deployment") {
            let security = &pod(deployment)["securityContext"];
            assert_eq!(security["runAsNonRoot"], true);
            assert_ne!(security["runAsUser"], 0);
            assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
            for container in containers(deployment) {
                let security = &container["securityContext"];
                assert_eq!(security["readOnlyRootFilesystem"], true);
                assert_eq!(security["allowPrivilegeEscalation"], false);
                assert_eq!(security["capabilities"]["drop"][0], "ALL");
                assert!(container["resources"]["requests"]["cpu"].is_string());
                assert!(!text(&container["image"]).ends_with(":latest"));
            }
        }
    }
}

#[test]
fn bindings_give_roles_that_exist_to_accounts_that_exist() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        let bindings = objects
            .kind("RoleBinding")
            .chain(objects.kind("ClusterRoleBinding"));
        for binding in bindings {
            let role = &binding["roleRef"];
            objects.get(text(&role["kind"]), text(&role["name"]));
            let subject = &binding["subjects"][0];
            let account = objects.get("ServiceAccount", text(&subject["name"]));
            assert_eq!(subject["namespace"], account["metadata"]["namespace"]);
        }
        for deployment in objects.kind("Deployment") {
            objects.get(
                "ServiceAccount",
                text(&pod(deployment)["serviceAccountName"]),
            );
        }
    }
}

#[test]
fn only_pods_that_ask_the_api_server_hold_a_token() {
    for (shape, holders) in [
        (Shape::Layered, vec!["phi-epp"]),
        (Shape::Waypost, vec!["waypost"]),
    ] {
        let objects = Objects::of_shape(shape);
        let with_token: Vec<&str> = objects
            .kind("Deployment")
            .filter(|one| pod(one)["automountServiceAccountToken"] == true)
            .map(|one| text(&one["metadata"]["name"]))
            .collect();
        assert_eq!(with_token, holders);
    }
}

#[test]
fn policies_open_ports_that_the_selected_pods_listen_on() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        for policy in objects.kind("NetworkPolicy") {
            let selector = &policy["spec"]["podSelector"]["matchLabels"];
            for deployment in selected(&objects, selector) {
                let listening: Vec<&Value> = items(&pod(deployment)["containers"][0]["ports"])
                    .iter()
                    .map(|port| &port["containerPort"])
                    .collect();
                for port in items(&policy["spec"]["ingress"])
                    .iter()
                    .flat_map(|rule| items(&rule["ports"]))
                {
                    assert!(
                        listening.contains(&&port["port"]),
                        "{port} of {listening:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn whoever_may_send_to_a_pod_is_let_in_there() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        let policies: Vec<&Value> = objects.kind("NetworkPolicy").collect();
        for policy in &policies {
            let own = &policy["spec"]["podSelector"]["matchLabels"];
            for rule in items(&policy["spec"]["egress"]) {
                let to = &rule["to"][0]["podSelector"]["matchLabels"];
                let there = policies
                    .iter()
                    .find(|one| one["spec"]["podSelector"]["matchLabels"] == *to);
                let Some(there) = there.filter(|_| to.is_object()) else {
                    continue;
                };
                let admitted = items(&there["spec"]["ingress"]).iter().any(|ingress| {
                    ingress["ports"] == rule["ports"]
                        && items(&ingress["from"])
                            .iter()
                            .any(|from| from["podSelector"]["matchLabels"] == *own)
                });
                assert!(admitted, "{own} may send to {to}, which does not let it in");
            }
        }
    }
}

#[test]
fn every_deployment_has_a_policy() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        for deployment in objects.kind("Deployment") {
            objects.get("NetworkPolicy", text(&deployment["metadata"]["name"]));
        }
    }
}

#[test]
fn names_are_labels_and_namespaced_objects_are_of_the_namespace() {
    let of_the_cluster = ["Namespace", "ClusterRole", "ClusterRoleBinding"];
    for shape in SHAPES {
        for object in Objects::of_shape(shape).all() {
            let name = text(&object["metadata"]["name"]);
            let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.len() <= 63 && name.chars().all(label), "{name}");
            let namespace = object["metadata"].get("namespace");
            if of_the_cluster.contains(&text(&object["kind"])) {
                assert_eq!(namespace, None);
            } else {
                assert_eq!(namespace.unwrap(), "llm");
            }
        }
    }
}

#[test]
fn an_autoscaler_and_its_deployment_do_not_both_count() {
    for shape in SHAPES {
        let objects = Objects::of_shape(shape);
        for scaler in objects.kind("HorizontalPodAutoscaler") {
            let target = &scaler["spec"]["scaleTargetRef"];
            let deployment = objects.get(text(&target["kind"]), text(&target["name"]));
            assert_eq!(deployment["spec"].get("replicas"), None);
        }
        let fixed = Objects::of(&with("replicas  2..10", "replicas  3"), shape);
        assert_eq!(fixed.kind("HorizontalPodAutoscaler").count(), 0);
        assert!(
            fixed
                .kind("Deployment")
                .any(|one| one["spec"]["replicas"] == 3)
        );
    }
}

#[test]
fn two_emissions_are_the_same_bytes_and_show_no_path() {
    for shape in SHAPES {
        let first = emitted(TEXT, shape);
        assert_eq!(first, emitted(TEXT, shape));
        for manifest in &first.manifests {
            assert!(
                !manifest.yaml.contains("somewhere/else"),
                "{}",
                manifest.file_name
            );
            assert!(
                !manifest.yaml.contains(": !"),
                "a tag in {}",
                manifest.file_name
            );
        }
    }
}

#[test]
fn file_names_sort_in_apply_order() {
    for shape in SHAPES {
        let emitted = emitted(TEXT, shape);
        let names: Vec<&str> = emitted
            .manifests
            .iter()
            .map(|one| one.file_name.as_str())
            .collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
    }
}
