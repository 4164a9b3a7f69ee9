//! `waypost diff`.

use crate::harness::{
    BROKEN, FILE, Folder, example, example_requests, json, waypost, waypost_with,
};

#[test]
fn files_that_decide_alike_have_no_difference() {
    let folder = Folder::new("diff-same");
    let old = folder.write("old.route", FILE);
    let renamed = FILE
        .replace("\"long context\"", "\"renamed\"")
        .replace("tiers weak", "\n\n// moved\ntiers weak");
    let new = folder.write("new.route", &renamed);
    let ran = waypost(&["diff", &old, &new]);
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    assert_eq!(ran.stderr, "no change of behaviour\n");
    let ran = waypost_with(&["diff", &old, "-"], &renamed);
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
}

#[test]
fn a_witness_can_be_pasted_into_why() {
    let folder = Folder::new("diff-witness");
    let changed = FILE
        .replace("24000", "30k")
        .replace("== \"high\"", "in [\"high\", \"urgent\"]")
        .replace("cap at weak \"free plan\" when caller.plan == \"free\"", "");
    let old = folder.write("old.route", FILE);
    let new = folder.write("new.route", &changed);
    let ran = waypost(&["diff", &old, &new, "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let document = json(&ran.stdout);
    let changes = document["changes"].as_array().unwrap();
    let rules = changes
        .iter()
        .filter(|change| change["witness"].is_object());
    let mut shown = 0;
    for change in rules {
        let request = folder.write("request.json", &change["witness"]["request"].to_string());
        for (file, side) in [(&old, "old"), (&new, "new")] {
            let ran = waypost(&["why", file, "--request", &request, "--format", "json"]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let why = json(&ran.stdout);
            let claimed = &change["witness"][side];
            assert_eq!(why["tier"], claimed["tier"], "{change}");
            assert_eq!(why["status"], claimed["status"], "{change}");
        }
        assert_ne!(change["witness"]["old"], change["witness"]["new"]);
        shown += 1;
    }
    assert_eq!(shown, 3, "{document:#}");
}

/// What time it is and where a call comes from are part of a request, so that a witness of them can be pasted too.
#[test]
fn times_and_addresses_can_be_pasted_into_why() {
    let folder = Folder::new("diff-moments");
    let rules = |hour: u8, network: &str| {
        let night = format!("deny \"night\" when now.getHours(\"Europe/Berlin\") >= {hour}");
        let inside = format!("deny \"inside\" when cidr(\"{network}\").containsIP(source.ip)");
        FILE.replace(
            "  cap at weak",
            &format!("  {night}\n  {inside}\n  cap at weak"),
        )
    };
    let old = folder.write("old.route", &rules(22, "10.0.0.0/8"));
    let new = folder.write("new.route", &rules(20, "10.0.0.0/9"));
    let ran = waypost(&["diff", &old, &new, "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let document = json(&ran.stdout);
    for (change, field) in document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["now", "source"])
    {
        let request = &change["witness"]["request"];
        assert!(
            request[field].is_string() || request[field].is_object(),
            "{change:#}"
        );
        let request = folder.write("request.json", &request.to_string());
        for (file, side) in [(&old, "old"), (&new, "new")] {
            let ran = waypost(&["why", file, "--request", &request, "--format", "json"]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let status = &json(&ran.stdout)["status"];
            assert_eq!(*status, change["witness"][side]["status"], "{change:#}");
        }
    }
    let request = folder.write(
        "request.json",
        "{\"now\":\"noon\",\"body\":{\"model\":\"auto\"}}",
    );
    let ran = waypost(&["why", &old, "--request", &request]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("`now` is a time such as"),
        "{}",
        ran.stderr
    );
}

#[test]
fn recorded_requests_are_decided_by_both() {
    let folder = Folder::new("diff-recorded");
    let text = std::fs::read_to_string(example()).unwrap();
    let lower = text.replace("threshold   0.42", "threshold   0.0");
    assert_ne!(text, lower);
    let new = folder.write("new.route", &lower);
    let requests = example_requests();
    let ran = waypost(&["diff", &example(), &new, "--requests", &requests]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains(" of 37 recorded requests are decided differently\n    request "),
        "{}",
        ran.stdout
    );
    let ran = waypost(&["diff", &example(), &example(), "--requests", &requests]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "0 of 37 recorded requests are decided differently\n"
    );
}

#[test]
fn a_file_that_does_not_compile_is_no_difference() {
    let folder = Folder::new("diff-broken");
    let old = folder.write("old.route", FILE);
    let new = folder.write("new.route", BROKEN);
    let ran = waypost(&["diff", &old, &new]);
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert!(ran.stderr.contains("error[WP0101]"), "{}", ran.stderr);
    let ran = waypost(&["diff", "-", "-"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("cannot both be standard input"),
        "{}",
        ran.stderr
    );
}
