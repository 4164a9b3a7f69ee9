//! Every command of `waypost` in this process: exit codes, what goes to which stream, the documented shapes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

#[path = "cli/mod.rs"]
mod harness;

mod cli_check {
    use super::harness::{BROKEN, FILE, Folder, json, waypost, waypost_with};

    #[test]
    fn a_sound_file_says_nothing_on_stdout() {
        let folder = Folder::new("check-sound");
        let path = folder.write("a.route", FILE);
        let ran = waypost(&["check", &path]);
        assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
        assert_eq!(ran.stderr, "no errors in 1 file\n");
        assert_eq!(waypost(&["check", "--quiet", &path]).stderr, "");
    }

    #[test]
    fn findings_go_to_stdout_and_their_number_to_stderr() {
        let ran = waypost_with(&["check", "-", "--stdin-filename", "x.route"], BROKEN);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stdout.starts_with("error[WP0"), "{}", ran.stdout);
        assert!(ran.stdout.contains("[x.route:"), "{}", ran.stdout);
        assert_eq!(ran.stderr, "1 error in x.route\n");
    }

    #[test]
    fn each_finding_on_one_line() {
        let ran = waypost_with(&["check", "-", "--format", "concise"], BROKEN);
        assert_eq!(ran.code, 1);
        assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
        assert!(ran.stdout.starts_with("stdin.route:"), "{}", ran.stdout);
        assert!(ran.stdout.contains(": error[WP0"), "{}", ran.stdout);
    }

    #[test]
    fn findings_as_json() {
        let ran = waypost_with(&["check", "-", "--format", "json"], BROKEN);
        let document = json(&ran.stdout);
        assert_eq!(document["version"], 1);
        let found = &document["diagnostics"][0];
        assert_eq!(found["severity"], "error");
        assert_eq!(found["file"], "stdin.route");
        let line = found["range"]["start"]["line"].as_u64().unwrap() as usize;
        assert!(BROKEN.lines().nth(line - 1).unwrap().contains("strogn"));
        let start = found["range"]["start"]["byte"].as_u64().unwrap() as usize;
        let end = found["range"]["end"]["byte"].as_u64().unwrap() as usize;
        assert_eq!(&BROKEN[start..end], "strogn");
        let clean = waypost_with(&["check", "-", "--format", "json"], FILE);
        assert_eq!(clean.stdout, "{\"diagnostics\":[],\"version\":1}\n");
        assert_eq!(clean.code, 0);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let ran = waypost(&["check", "no/such.route"]);
        assert_eq!(ran.code, 2);
        assert_eq!(ran.stdout, "");
        assert_eq!(
            ran.stderr,
            "error: cannot read `no/such.route`: there is no such file\n"
        );
    }

    #[test]
    fn a_file_that_is_not_text_is_named() {
        let folder = Folder::new("check-bytes");
        let path = folder.write("a.route", "");
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        let ran = waypost(&["check", &path]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.ends_with("it is not UTF-8\n"), "{}", ran.stderr);
    }

    #[test]
    fn folders_are_searched_and_parts_belong_to_their_whole() {
        let folder = Folder::new("check-folder");
        folder.write(
            "deep/whole.route",
            &format!("{FILE}\nimport \"part.route\"\n"),
        );
        // By itself this would be an error: it has no tier `strong`.
        let part = "waypost 1\ncontent part { accept \"part\"  start strong }\n";
        let part = folder.write("deep/part.route", part);
        folder.write(".hidden/broken.route", BROKEN);
        let ran = waypost(&["check", &folder.path()]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.stderr, "no errors in 1 file\n");
        assert_eq!(waypost(&["check", &part]).code, 1);
    }

    #[test]
    fn a_folder_without_files_is_a_mistake() {
        let folder = Folder::new("check-empty");
        let ran = waypost(&["check", &folder.path()]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("no .route file"), "{}", ran.stderr);
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        let escapes = |arguments: &[&str]| {
            let ran = waypost_with(arguments, BROKEN);
            assert_eq!(ran.code, 1);
            ran.stdout.contains('\u{1b}')
        };
        assert!(!escapes(&["check", "-"]));
        assert!(!escapes(&["check", "-", "--color", "never"]));
        assert!(escapes(&["--color", "always", "check", "-"]));
    }
}

mod cli_usage {
    use super::harness::waypost;

    #[test]
    fn help_and_version_are_results() {
        let help = waypost(&["--help"]);
        assert_eq!((help.code, &*help.stderr), (0, ""));
        for command in [
            "check",
            "fmt",
            "test",
            "build",
            "why",
            "run",
            "explain",
            "completions",
        ] {
            assert!(help.stdout.contains(command), "{command}");
            let own = waypost(&[command, "--help"]);
            assert_eq!((own.code, &*own.stderr), (0, ""), "{command}");
        }
        let version = waypost(&["--version"]);
        assert_eq!(version.code, 0);
        assert!(version.stdout.starts_with("waypost "));
    }

    #[test]
    fn what_is_not_understood_ends_with_2() {
        for arguments in [
            &["chekc"][..],
            &["check"],
            &["check", "a", "--format", "sarif"],
            &["build", "a"],
            &["why", "a", "--request", "b", "--caller", "shoe=3"],
            &["completions", "ksh"],
            &[],
        ] {
            let ran = waypost(arguments);
            assert_eq!((ran.code, &*ran.stdout), (2, ""), "{arguments:?}");
            assert!(!ran.stderr.is_empty(), "{arguments:?}");
        }
    }

    #[test]
    fn completions_of_each_shell() {
        for (shell, sign) in [
            ("bash", "complete -F _waypost"),
            ("zsh", "#compdef waypost"),
            ("fish", "complete -c waypost"),
        ] {
            let ran = waypost(&["completions", shell]);
            assert_eq!((ran.code, &*ran.stderr), (0, ""));
            assert!(ran.stdout.contains(sign), "{shell}");
            assert!(ran.stdout.contains("stdin-filename"), "{shell}");
        }
    }
}

mod cli_explain {
    use super::harness::{json, waypost};
    use waypost_lang::codes;

    #[test]
    fn every_code_has_its_four_parts() {
        for code in codes::ALL {
            let ran = waypost(&["explain", code.number]);
            assert_eq!((ran.code, &*ran.stderr), (0, ""), "{}", code.number);
            let title = format!("{} {}", code.number, code.name);
            assert!(ran.stdout.starts_with(&title), "{}", ran.stdout);
            for heading in ["What it does", "Why is this bad?", "Example", "Fix"] {
                let (_, rest) = ran
                    .stdout
                    .split_once(&format!("\n{heading}\n\n"))
                    .unwrap_or_else(|| panic!("{title} has no `{heading}`"));
                assert!(!rest.trim().is_empty(), "{title}: `{heading}` is empty");
            }
        }
    }

    #[test]
    fn a_code_is_found_by_number_and_name_and_a_slip_is_answered() {
        let by_number = waypost(&["explain", "wp0203"]);
        assert_eq!(
            by_number.stdout,
            waypost(&["explain", "missing-key"]).stdout
        );
        let slip = waypost(&["explain", "mising-key"]);
        assert_eq!((slip.code, &*slip.stdout), (2, ""));
        assert!(slip.stderr.contains("did you mean `missing-key`?"));
    }

    #[test]
    fn all_codes_are_listed() {
        let ran = waypost(&["explain"]);
        assert_eq!(ran.stdout.lines().count(), codes::ALL.len());
        let document = json(&waypost(&["explain", "--format", "json"]).stdout);
        assert_eq!(document["version"], 1);
        assert_eq!(
            document["codes"].as_array().unwrap().len(),
            codes::ALL.len()
        );
        let one = json(&waypost(&["explain", "WP0203", "--format", "json"]).stdout);
        assert_eq!(one["name"], "missing-key");
        assert!(one["explanation"].as_str().unwrap().contains("## Fix"));
    }
}

mod cli_fmt {
    use super::harness::{FILE, Folder, UNFORMATTED, waypost, waypost_with};

    #[test]
    fn check_names_what_would_change_and_changes_nothing() {
        let folder = Folder::new("fmt-check");
        let path = folder.write("a.route", UNFORMATTED);
        let ran = waypost(&["fmt", "--check", &path]);
        assert_eq!((ran.code, ran.stdout), (1, format!("{path}\n")));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), UNFORMATTED);
    }

    #[test]
    fn a_difference_reads_like_diff() {
        let folder = Folder::new("fmt-diff");
        let path = folder.write("a.route", UNFORMATTED);
        let ran = waypost(&["fmt", "--diff", &path]);
        assert_eq!(ran.code, 1);
        assert!(
            ran.stdout.contains("\n-tiers weak   <strong\n"),
            "{}",
            ran.stdout
        );
        assert!(
            ran.stdout.contains("\n+tiers weak < strong\n"),
            "{}",
            ran.stdout
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), UNFORMATTED);
    }

    #[test]
    fn a_file_is_rewritten_once() {
        let folder = Folder::new("fmt-write");
        let path = folder.write("a.route", UNFORMATTED);
        let ran = waypost(&["fmt", &path]);
        assert_eq!((ran.code, &*ran.stdout), (0, ""));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("tiers weak < strong\n"));
        let again = waypost(&["fmt", "--check", &path]);
        assert_eq!((again.code, &*again.stdout), (0, ""));
        assert_eq!(waypost(&["fmt", "--diff", &path]).stdout, "");
    }

    #[test]
    fn standard_input_goes_to_standard_output() {
        let ran = waypost_with(&["fmt", "-"], UNFORMATTED);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("tiers weak < strong\n"));
        assert_eq!(waypost_with(&["fmt", "-"], &ran.stdout).stdout, ran.stdout);
    }

    #[test]
    fn what_does_not_parse_stays_as_it_is() {
        let folder = Folder::new("fmt-broken");
        let text = FILE.replace("tiers weak", "tiers <");
        let path = folder.write("a.route", &text);
        let ran = waypost(&["fmt", &path]);
        assert_eq!((ran.code, &*ran.stdout), (1, ""));
        assert!(ran.stderr.contains("error[WP0"), "{}", ran.stderr);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

mod cli_test {
    use super::harness::{FILE, json, waypost_with};

    fn with_tests() -> String {
        format!(
            "{FILE}
test \"cheap\" {{
  given  {{ prompt \"What is 2+2?\" }}
  expect {{ tier weak  model small }}
}}
test \"wrong\" {{
  given  {{ tokens 30k }}
  expect {{ tier weak }}
}}
"
        )
    }

    #[test]
    fn failures_name_the_rule_and_its_line() {
        let ran = waypost_with(&["test", "-"], &with_tests());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(
            ran.stdout.starts_with("ok cheap (stdin.route:"),
            "{}",
            ran.stdout
        );
        let rule = "expected tier weak, was strong: escalated by \"long context\", stdin.route:";
        assert!(ran.stdout.contains(rule), "{}", ran.stdout);
        assert!(
            ran.stdout.contains("request.tokens = 30000 > 24000"),
            "{}",
            ran.stdout
        );
        assert_eq!(ran.stderr, "2 tests: 1 passed, 1 failed\n");
    }

    #[test]
    fn a_filter_leaves_the_others_out() {
        let ran = waypost_with(&["test", "-", "--filter", "che"], &with_tests());
        assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1));
    }

    #[test]
    fn results_as_json() {
        let ran = waypost_with(&["test", "-", "--format", "json"], &with_tests());
        let document = json(&ran.stdout);
        assert_eq!(document["version"], 1);
        assert_eq!(
            (&document["passed"], &document["failed"]),
            (&1.into(), &1.into())
        );
        assert_eq!(document["tests"][0]["passed"], true);
        let failure = &document["tests"][1]["failures"][0];
        assert!(
            failure["message"]
                .as_str()
                .unwrap()
                .starts_with("expected tier weak")
        );
        assert!(failure["line"].as_u64().unwrap() > 1);
    }

    #[test]
    fn a_file_that_does_not_compile_is_a_failure() {
        let ran = waypost_with(&["test", "-"], super::harness::BROKEN);
        assert_eq!((ran.code, &*ran.stdout), (1, ""));
        assert!(ran.stderr.contains("error[WP0"), "{}", ran.stderr);
    }
}

mod cli_build {
    use super::harness::{BROKEN, FILE, Folder, example, shared, waypost};
    use std::collections::BTreeMap;
    use waypost_policies::Plan;

    fn contents(folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
        files
    }

    #[test]
    fn the_plan_loads_and_every_file_is_named() {
        let folder = Folder::new("build-plan");
        let path = folder.write("a.route", FILE);
        let ran = waypost(&["build", &path, "-o", &folder.join("out")]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.stdout, format!("{}\n", folder.join("out/plan.waypost")));
        let bytes = std::fs::read(folder.join("out/plan.waypost")).unwrap();
        assert_eq!(Plan::load(bytes).unwrap().tiers().len(), 2);
    }

    #[test]
    fn two_builds_are_the_same_and_stale_manifests_go() {
        for shape in ["waypost", "layered"] {
            let folder = Folder::new(&format!("build-{shape}"));
            let out = folder.join("out");
            let build = || waypost(&["build", &example(), "-o", &out, "--shape", shape]);
            let ran = build();
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let manifests = folder.join("out/manifests");
            let first = contents(&manifests);
            assert!(first.len() > 10, "{:?}", first.keys());
            assert_eq!(ran.stdout.lines().count(), first.len() + 1);
            folder.write("out/manifests/99-service-gone.yaml", "stale");
            folder.write("out/manifests/notes.yaml", "mine");
            let again = build();
            assert!(again.stderr.contains("removed"), "{}", again.stderr);
            let mut second = contents(&manifests);
            assert_eq!(second.remove("notes.yaml").unwrap(), b"mine");
            assert_eq!(first, second);
            assert!(first.keys().next().unwrap().starts_with("00-"));
        }
    }

    #[test]
    fn what_does_not_compile_writes_nothing() {
        let folder = Folder::new("build-broken");
        let path = folder.write("a.route", BROKEN);
        let ran = waypost(&["build", &path, "-o", &folder.join("out")]);
        assert_eq!((ran.code, &*ran.stdout), (1, ""));
        assert!(!std::path::Path::new(&folder.join("out")).exists());
    }

    #[test]
    fn manifests_pass_the_definitions_of_the_data_folder() {
        let Some(crds) = shared("crds") else {
            return;
        };
        let folder = Folder::new("build-crds");
        let out = folder.join("out");
        let ran = waypost(&[
            "build",
            &example(),
            "-o",
            &out,
            "--shape",
            "layered",
            "--crds",
            &crds,
        ]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("checked against its definition"),
            "{}",
            ran.stderr
        );
        let empty = Folder::new("build-no-crds");
        let ran = waypost(&["build", &example(), "-o", &out, "--crds", &empty.path()]);
        assert_eq!(ran.code, 2);
        assert!(
            ran.stderr.contains("no CustomResourceDefinition"),
            "{}",
            ran.stderr
        );
    }
}

mod cli_why {
    use super::harness::{FILE, Folder, example, example_requests, json, waypost, waypost_with};

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
        let body = "{\n \"model\": \"auto\",\n \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]\n}";
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
    fn what_is_no_request_is_named() {
        let (_folder, path) = file("why-bad");
        let complain = |text: &str, words: &str| {
            let ran = waypost_with(&["why", &path, "--request", "-"], text);
            assert_eq!((ran.code, &*ran.stdout), (2, ""), "{text}");
            assert!(ran.stderr.contains(words), "{}", ran.stderr);
        };
        complain("", "no request");
        complain("{\"body\":", "request 1");
        complain("{\"body\":{},\"shoe\":1}", "shoe");
        complain("{\"messages\":[]}", "model");
        complain(
            "{\"path\":\"/v1/shoes\",\"body\":{\"model\":\"a\"}}",
            "/v1/shoes",
        );
    }
}

mod cli_demo {
    use super::harness::{Client, example_plan};

    const QUESTION: &str = r#"{"model":"m","messages":[{"role":"user","content":"What is 2+2?"}]}"#;

    #[test]
    fn every_pool_and_provider_has_its_servers() {
        let client = Client::start(2);
        let upstreams = client.upstreams();
        assert_eq!(upstreams.pools["phi"].len(), 2);
        assert!(upstreams.providers.contains_key("aoai"));
        assert!(
            upstreams.pools["phi"]
                .iter()
                .all(|base| base.starts_with("http://127.0.0."))
        );
        let models = client.get(&client.pool(0, "/v1/models")).json();
        assert_eq!(models["data"][0]["id"], "phi-4-mini-instruct");
        assert_eq!(example_plan().pools().len(), 1);
    }

    #[test]
    fn a_chat_is_answered_with_usage() {
        let client = Client::start(1);
        let answer = client
            .post(&client.pool(0, "/v1/chat/completions"), QUESTION)
            .json();
        assert_eq!(answer["object"], "chat.completion");
        assert_eq!(answer["choices"][0]["message"]["content"], "2+2 = 4.");
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");
        assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
        assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() > 0);
    }

    #[test]
    fn azures_path_names_the_model() {
        let client = Client::start(1);
        let path = "/openai/deployments/gpt-5.1/chat/completions?api-version=2024-10-21";
        let answer = client.post(&client.provider("aoai", path), QUESTION).json();
        assert_eq!(answer["model"], "gpt-5.1");
    }

    #[test]
    fn a_stream_says_the_same_and_its_usage_when_asked() {
        let client = Client::start(1);
        let url = client.pool(0, "/v1/chat/completions");
        let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"What is 2+2?"}]}"#;
        let answer = client.post(&url, body);
        assert_eq!(answer.content_type, "text/event-stream");
        let events = answer.events();
        let text: String = events
            .iter()
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(text, "2+2 = 4.");
        assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
        let last = events.last().unwrap();
        assert_eq!(last["usage"]["completion_tokens"], 3);
        assert!(answer.text.ends_with("data: [DONE]\n\n"));
        let plain = body.replace(r#""stream_options":{"include_usage":true},"#, "");
        assert!(!client.post(&url, &plain).text.contains("usage"));
    }

    #[test]
    fn a_demanded_tool_is_called() {
        let client = Client::start(1);
        let body = r#"{"model":"m","tool_choice":"required","messages":[{"role":"user","content":"hi"}],
            "tools":[{"type":"function","function":{"name":"look_up","parameters":
                {"type":"object","required":["days"],"properties":{"days":{"type":"integer","minimum":2}}}}}]}"#;
        let answer = client
            .post(&client.pool(0, "/v1/chat/completions"), body)
            .json();
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        let function = &choice["message"]["tool_calls"][0]["function"];
        assert_eq!(function["name"], "look_up");
        assert_eq!(function["arguments"], "{\"days\":2}");
    }

    #[test]
    fn a_prefix_seen_before_is_cached_and_counted() {
        let client = Client::start(1);
        let url = client.pool(0, "/v1/chat/completions");
        let prefix = "the same long beginning ".repeat(20);
        let ask = |end: &str| {
            let content = format!("{prefix}{end}");
            let messages = serde_json::json!([{ "role": "user", "content": content }]);
            let body = serde_json::json!({ "model": "m", "max_tokens": 2, "messages": messages });
            let answer = client.post(&url, &body.to_string()).json();
            assert_eq!(answer["choices"][0]["finish_reason"], "length");
            answer["usage"]["prompt_tokens_details"]["cached_tokens"]
                .as_u64()
                .unwrap()
        };
        assert_eq!(ask("one"), 0);
        let cached = ask("two");
        assert!(cached >= 100, "{cached}");
        let metrics = client.get(&client.pool(0, "/metrics")).text;
        for name in [
            "vllm:num_requests_waiting",
            "vllm:num_requests_running",
            "vllm:kv_cache_usage_perc",
            "vllm:prefix_cache_queries_total",
            "vllm:prefix_cache_hits_total",
        ] {
            assert!(metrics.contains(&format!("\n{name}{{")), "{metrics}");
        }
        let hits = metrics
            .lines()
            .find(|line| line.starts_with("vllm:prefix_cache_hits_total"));
        assert!(hits.unwrap().ends_with(&format!(" {cached}")), "{metrics}");
    }

    #[test]
    fn what_is_no_call_is_refused_in_openais_shape() {
        let client = Client::start(1);
        let bad = client.post(&client.pool(0, "/v1/chat/completions"), "{");
        assert_eq!(bad.status, 400);
        assert_eq!(bad.json()["error"]["type"], "invalid_request_error");
        assert_eq!(client.get(&client.pool(0, "/nothing")).status, 404);
    }
}
