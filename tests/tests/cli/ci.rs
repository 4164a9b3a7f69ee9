//! The files by which other repositories run Waypost in CI: what pre-commit, GitHub and problem matchers demand of them.

use regex::Regex;
use serde_json::Value;

use crate::harness::{BROKEN, Folder, waypost, waypost_with};

fn read(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    serde_yaml::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The words of a command line, run on a folder with one sound, formatted file.
fn runs(arguments: &[&str], folder: &str) {
    let ran = waypost(&[arguments, &[folder]].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
}

#[test]
fn hooks_have_what_pre_commit_demands_and_name_commands_that_run() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let folder = Folder::new("ci-hooks");
    folder.write(
        "a.route",
        &waypost_with(&["fmt", "-"], crate::harness::FILE).stdout,
    );
    let ids: Vec<&str> = hooks
        .as_array()
        .unwrap()
        .iter()
        .map(|hook| {
            for field in ["id", "name", "entry", "language"] {
                assert!(hook[field].is_string(), "{field}: {hook}");
            }
            let files = Regex::new(hook["files"].as_str().unwrap()).unwrap();
            assert!(files.is_match("gateway/a.route") && !files.is_match("a.router"));
            let mut words = hook["entry"].as_str().unwrap().split(' ');
            assert_eq!(words.next(), Some("waypost"));
            runs(&words.collect::<Vec<_>>(), &folder.path());
            hook["id"].as_str().unwrap()
        })
        .collect();
    assert_eq!(ids, ["waypost-fmt", "waypost-lint", "waypost-test"]);
}

#[test]
fn the_action_has_what_github_demands() {
    let action = yaml("action.yml");
    assert!(action["name"].is_string() && action["description"].is_string());
    assert_eq!(action["runs"]["using"], "composite");
    let inputs = action["inputs"].as_object().unwrap();
    let page = read("docs/ci.md");
    for (name, input) in inputs {
        assert!(input["description"].is_string(), "{name}");
        // GitHub takes strings only.
        assert!(input["default"].is_string(), "{name}");
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/ci.md does not name {name}"
        );
    }
    let used = Regex::new(r"inputs\.([a-z-]+)").unwrap();
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert_eq!(
            step["shell"], "bash",
            "a step that runs needs a shell: {step}"
        );
        let script = step["run"].as_str().unwrap();
        assert!(
            !script.contains("${{"),
            "an input pasted into a script: {script}"
        );
        for found in used.captures_iter(&step.to_string()) {
            assert!(inputs.contains_key(&found[1]), "{}", &found[1]);
        }
    }
}

/// The scripts of the action, on a file of ours: lint writes its log and fails for an error, test runs.
#[cfg(unix)]
#[test]
fn the_scripts_of_the_action_run() {
    let action = yaml("action.yml");
    let folder = Folder::new("ci-action");
    folder.write(
        "waypost",
        "#!/bin/sh\necho \"$@\"\ncase \"$*\" in *broken*) exit 1;; esac\n",
    );
    let binary = folder.join("waypost");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&binary, mode).unwrap();
    let run = |step: &str, paths: &str, output: &str| {
        let steps = action["runs"]["steps"].as_array().unwrap();
        let step = steps.iter().find(|one| one["name"] == step).unwrap();
        let ran = std::process::Command::new("bash")
            // As GitHub starts it.
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
            .arg(step["run"].as_str().unwrap())
            .envs([
                ("WAYPOST", &*binary),
                ("PATHS", paths),
                ("FORMAT", "github"),
            ])
            .envs([("OUTPUT", output), ("DENY", "true")])
            .output()
            .unwrap();
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
    };
    let said = |words: &str| (Some(0), format!("{words}\n"));
    assert_eq!(
        run("Lint", "a b", ""),
        said("lint --format github --deny-warnings a b")
    );
    assert_eq!(run("Test", "a b", ""), said("test --coverage a b"));
    let log = folder.join("log");
    assert_eq!(run("Lint", "broken", &log), (Some(1), String::new()));
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log, "lint --format github --deny-warnings broken\n");
}

#[test]
fn the_problem_matcher_matches_what_concise_writes() {
    let matcher: Value = serde_json::from_str(&read(".github/waypost-matcher.json")).unwrap();
    let pattern = &matcher["problemMatcher"][0]["pattern"][0];
    let regexp = pattern["regexp"].as_str().unwrap();
    // What ECMAScript and our engine read alike.
    assert!(!regexp.contains("(?"), "{regexp}");
    let regexp = Regex::new(regexp).unwrap();
    let group = |name: &str| usize::try_from(pattern[name].as_u64().unwrap()).unwrap();
    let broken = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("broken");
    let many = waypost(&["check", "--format", "concise", broken.to_str().unwrap()]).stdout;
    let one = waypost_with(&["check", "-", "--format", "concise"], BROKEN).stdout;
    let mut lines = 0;
    for line in many.lines().chain(one.lines()) {
        let found = regexp
            .captures(line)
            .unwrap_or_else(|| panic!("not matched: {line}"));
        assert!(found[group("file")].ends_with(".route"), "{line}");
        assert!(found[group("code")].starts_with("WP"), "{line}");
        assert!(
            matches!(&found[group("severity")], "error" | "warning"),
            "{line}"
        );
        for number in ["line", "column"] {
            assert!(found[group(number)].parse::<u32>().unwrap() > 0, "{line}");
        }
        assert!(!found[group("message")].is_empty(), "{line}");
        lines += 1;
    }
    assert!(lines > 40, "{lines}");
}
