//! `waypost why`.

use crate::harness::{FILE, Folder, example, example_requests, json, waypost, waypost_with};

const LONG: &str = r#"{"path":"/v1/chat/completions","headers":{"X-Priority":"high"},"caller":{"plan":"free"},"body":{"model":"auto","messages":[{"role":"user","content":"hi"}]}}"#;

fn file(name: &str) -> (Folder, String) {
    let folder = Folder::new(name);
    let path = folder.write("a.route", FILE);
    (folder, path)
}

#[test]
fn a_decision_rule_by_rule() {
    let (_folder, path) = file("why-json");
    let arguments = ["why", &path, "--request", "-", "--format", "json"];
    let ran = waypost_with(&arguments, LONG);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    let document = json(&ran.stdout);
    assert_eq!(document["version"], 1);
    assert_eq!(document["decision"], "route");
    assert_eq!(document["status"], 200);
    assert_eq!(document["tier"], "weak");
    assert_eq!(document["model"], "small");
    assert_eq!(document["start"], "weak");
    assert_eq!(document["capped_by"], "free plan");
    let rules = document["rules"].as_array().unwrap();
    let vip = rules.iter().find(|rule| rule["label"] == "vip").unwrap();
    assert_eq!(vip["kind"], "escalate");
    assert_eq!(vip["matched"], true);
    assert_eq!(vip["to"], "strong");
    assert!(vip["line"].as_u64().unwrap() > 1);
    assert_eq!(vip["values"]["request.headers[\"x-priority\"]"], "high");
    assert!(document["cost"]["estimate_usd"].is_string());
    assert!(document["cost"]["ceiling_usd"].is_string());
}

#[test]
fn a_decision_for_people() {
    let (_folder, path) = file("why-human");
    let ran = waypost_with(&["why", &path, "--request", "-"], LONG);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("routed to small, tier weak\n"),
        "{}",
        ran.stdout
    );
    let course = "starts at weak, raised to strong by \"vip\", capped at weak by \"free plan\"";
    assert!(ran.stdout.contains(course), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("✓ escalate to strong \"vip\""),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("· escalate to strong \"long context\""));
}

#[test]
fn the_caller_may_be_another() {
    let (_folder, path) = file("why-caller");
    let tier = |caller: &str| {
        let arguments = [
            "why",
            &path,
            "--request",
            "-",
            "--format",
            "json",
            "--caller",
            "team=x",
            "--caller",
            caller,
        ];
        let document = json(&waypost_with(&arguments, LONG).stdout);
        document["tier"].as_str().unwrap().to_owned()
    };
    assert_eq!(tier("plan=pro"), "strong");
    assert_eq!(tier("plan=free"), "weak");
}

#[test]
fn a_bare_body_and_a_sealed_plan_will_do() {
    let (folder, path) = file("why-bare");
    let ran = waypost(&["build", &path, "-o", &folder.join("out")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let body =
        "{\n \"model\": \"auto\",\n \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]\n}";
    let request = folder.write("r.json", body);
    let plan = folder.join("out/plan.waypost");
    let of = |file: &str| waypost(&["why", file, "--request", &request, "--format", "json"]);
    assert_eq!(of(&plan).code, 0);
    assert_eq!(json(&of(&plan).stdout)["tier"], "weak");
    let lasting = |file: &str| {
        let mut document = json(&of(file).stdout);
        // When a window ends comes nearer while the test runs.
        for rule in document["rules"].as_array_mut().unwrap() {
            if let Some(quota) = rule["quota"].as_object_mut() {
                quota.remove("resets_ms");
            }
        }
        document
    };
    assert_eq!(lasting(&plan), lasting(&path));
}

#[test]
fn every_recorded_request_of_the_example_is_explained() {
    let requests = example_requests();
    let text = std::fs::read_to_string(&requests).unwrap();
    let ran = waypost(&[
        "why",
        &example(),
        "--request",
        &requests,
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), text.lines().count());
    for line in ran.stdout.lines() {
        let document = json(line);
        assert_eq!(document["version"], 1);
        let status = document["status"].as_u64().unwrap();
        assert!([200, 400, 403, 404, 429].contains(&status), "{line}");
    }
}

#[test]
fn the_file_may_come_from_standard_input() {
    let folder = Folder::new("why-stdin");
    let request = folder.write("r.json", LONG);
    let ran = waypost_with(&["why", "-", "--request", &request], FILE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("stdin.route:"), "{}", ran.stdout);
    let both = waypost_with(&["why", "-", "--request", "-"], FILE);
    assert_eq!((both.code, &*both.stdout), (2, ""));
}

#[test]
fn what_is_no_request_is_named() {
    let (_folder, path) = file("why-bad");
    let complain = |text: &str, words: &str| {
        let ran = waypost_with(&["why", &path, "--request", "-"], text);
        assert_eq!((ran.code, &*ran.stdout), (2, ""), "{text}");
        assert!(!ran.stderr.contains("struct"), "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    };
    complain("", "no request");
    complain("{\"body\":", "request 1");
    complain("{\"body\":{},\"shoe\":1}", "shoe");
    complain("{\"messages\":[]}", "model");
    complain("[{\"model\":\"auto\"}]", "a request is a JSON object");
    complain("7", "a request is a JSON object");
    complain("{\"body\":{},\"caller\":{\"tem\":\"a\"}}", "`tem`");
    complain("{\"body\":{},\"caller\":{\"team\":5}}", "expected a string");
    complain(
        "{\"path\":\"/v1/shoes\",\"body\":{\"model\":\"a\"}}",
        "/v1/shoes",
    );
}
