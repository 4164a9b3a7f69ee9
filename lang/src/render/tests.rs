#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use super::{Color, Found, concise, github, human, json, junit, sarif, summary};
use crate::codes::{BAD_VALUE, MISSING_KEY, TIER_NOT_IN_CHAIN, UNEXPECTED_TOKEN, UNKNOWN_NAME};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::source::{FileId, SourceMap, Span};

fn one(text: &str) -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add("agents.route", text);
    sources
}

const fn found<'a>(sources: &'a SourceMap, diagnostics: &'a [Diagnostic]) -> Found<'a> {
    Found {
        sources,
        diagnostics,
    }
}

/// The span of the first `needle` in the file.
fn at(sources: &SourceMap, file: u16, needle: &str) -> Span {
    let text = sources.file(FileId(file)).unwrap().text();
    let start = u32::try_from(text.find(needle).unwrap()).unwrap();
    let length = u32::try_from(needle.len()).unwrap();
    Span::new(FileId(file), start, start + length)
}

fn check(name: &str, sources: &SourceMap, diagnostics: &[Diagnostic]) {
    let text = human(sources, diagnostics, Color::Never);
    insta::assert_snapshot!(name, text);
}

const HEADER: &str = r#"content {
  start weak
  escalate to strong "vip" when request.headers["x-priority"] == "high"
}
"#;

fn missing_header(sources: &SourceMap) -> Diagnostic {
    MISSING_KEY
        .error(
            at(sources, 0, r#"request.headers["x-priority"]"#),
            r#"`request.headers["x-priority"]` can be missing"#,
        )
        .label("not every call sends this header")
        .help(r#"say what a missing header means: `request.headers[?"x-priority"].orValue("")`"#)
}

#[test]
fn one_label_and_a_help() {
    let sources = one(HEADER);
    check("one_label", &sources, &[missing_header(&sources)]);
}

#[test]
fn several_labels_on_one_line_and_on_others() {
    let sources = one(
        "tiers weak < strong\n\ntier weak { try a then b }\n\n\n\n\ntier strong { try weak }\n",
    );
    let diagnostic = TIER_NOT_IN_CHAIN
        .error(at(&sources, 0, "try weak"), "`strong` tries a lower tier")
        .label("leads down")
        .because(at(&sources, 0, "weak < strong"), "the chain")
        .because(at(&sources, 0, "then b"), "the end of `weak`")
        .because(at(&sources, 0, "tier strong"), "");
    check("several_labels", &sources, &[diagnostic]);
}

#[test]
fn a_span_over_several_lines() {
    let sources = one("pool lab {\n  engine vllm\n  port 80\n}\nlet A = 1\n");
    let diagnostic = BAD_VALUE
        .warning(
            at(&sources, 0, "pool lab {\n  engine vllm\n  port 80\n}"),
            "`lab` says too little",
        )
        .label("from here to there")
        .because(at(&sources, 0, "port 80"), "a Service's port");
    check("several_lines", &sources, &[diagnostic]);
}

#[test]
fn the_end_of_a_file_has_a_line_of_its_own() {
    let sources = one("policy {\n");
    let end = Span::new(FileId(0), 9, 9);
    let diagnostic = UNEXPECTED_TOKEN
        .error(end, "`policy` is not closed")
        .label("`}` is missing here")
        .because(at(&sources, 0, "{"), "opened here");
    check("end_of_file", &sources, &[diagnostic]);
}

#[test]
fn the_end_of_a_file_without_a_line_break() {
    let sources = one("tiers weak <");
    let diagnostic = UNEXPECTED_TOKEN
        .error(at(&sources, 0, "<").after(), "a tier is missing after `<`")
        .label("here");
    check("end_without_break", &sources, &[diagnostic]);
}

#[test]
fn an_empty_file() {
    let sources = one("");
    let diagnostic = UNEXPECTED_TOKEN
        .error(Span::new(FileId(0), 0, 0), "the file is empty")
        .label("`waypost 1` belongs here");
    check("empty_file", &sources, &[diagnostic]);
}

#[test]
fn carriage_returns_tabs_and_wide_characters() {
    let sources = one("waypost 1\r\n\ttier\tweak { try 模型 }\r\nlet A = \"日本\" + x\r\n");
    let model = UNKNOWN_NAME
        .error(at(&sources, 0, "模型"), "no model is called `模型`")
        .label("not declared");
    let name = UNKNOWN_NAME
        .error(at(&sources, 0, "x"), "unknown")
        .because(at(&sources, 0, "x\r\n"), "with its line break");
    check("characters", &sources, &[model, name]);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let sources = one("let A = \"\u{1b}[2J\"\n");
    let diagnostic = UNKNOWN_NAME.error(at(&sources, 0, "let A"), "bad");
    let text = human(&sources, &[diagnostic], Color::Never);
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn labels_in_another_file_get_their_own_frame() {
    let mut sources = one("import \"pack.route\"\nmodel a { via b }\n");
    sources.add("pack.route", "\n\nmodel a { via c }\n");
    let diagnostic = UNKNOWN_NAME
        .error(at(&sources, 0, "model a"), "`a` is declared twice")
        .because(at(&sources, 1, "model a"), "first here")
        .fix(
            "rename one",
            [Edit {
                span: at(&sources, 0, "a"),
                text: "b".to_owned(),
            }],
        );
    check("two_files", &sources, &[diagnostic]);
}

#[test]
fn spans_that_do_not_exist_are_moved_to_where_there_is_text() {
    let sources = one("è\n");
    let beyond = UNKNOWN_NAME.error(Span::new(FileId(0), 100, 200), "beyond the end");
    let inside = UNKNOWN_NAME.error(Span::new(FileId(0), 1, 1), "inside a character");
    let backward = UNKNOWN_NAME.error(Span::new(FileId(0), 3, 1), "backward");
    let elsewhere = UNKNOWN_NAME.error(Span::new(FileId(7), 0, 1), "in no file");
    check(
        "impossible_spans",
        &sources,
        &[beyond, inside, backward, elsewhere],
    );
}

#[test]
fn colours_only_when_asked() {
    let sources = one(HEADER);
    let found = [missing_header(&sources)];
    let plain = human(&sources, &found, Color::Never);
    let coloured = human(&sources, &found, Color::Always);
    assert!(!plain.contains('\u{1b}'));
    assert!(coloured.contains("\u{1b}[1;31merror[WP0203]"));
    assert_eq!(without_escapes(&coloured), plain);
}

fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').unwrap().1)
}

#[test]
fn concise_is_one_line_each() {
    let sources = one(HEADER);
    let warning = BAD_VALUE.warning(at(&sources, 0, "start weak"), "two\nlines");
    let text = concise(&sources, &[missing_header(&sources), warning]);
    insta::assert_snapshot!("concise", text);
}

#[test]
fn json_has_every_part() {
    let sources = one(HEADER);
    let diagnostic = missing_header(&sources)
        .because(at(&sources, 0, "start weak"), "starts here")
        .fix(
            "write `[?`",
            [Edit {
                span: at(&sources, 0, "[\"x"),
                text: "[?\"x".to_owned(),
            }],
        );
    let text = json(&[found(&sources, &[diagnostic])]);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn the_summary_counts_and_names() {
    let mut sources = one(HEADER);
    sources.add("b.route", "x");
    let error = missing_header(&sources);
    let warning = BAD_VALUE.warning(at(&sources, 1, "x"), "w");
    let say = |found: &[Diagnostic]| summary(&[(&sources, found)]);
    assert_eq!(say(&[]), None);
    assert_eq!(
        say(&[error.clone(), error.clone()]).unwrap(),
        "2 errors in agents.route"
    );
    assert_eq!(
        say(&[error, warning]).unwrap(),
        "1 error, 1 warning in 2 files"
    );
}

/// A code of the tests' own, so that nobody's explanation stands in a snapshot.
const fn code(number: &'static str, name: &'static str) -> Code {
    Code {
        number,
        name,
        explanation: "# a-name\n\n## What it does\n\nFinds `this`. And\nthat.\n\n## Example\n\n```route\nlet\n  A = 1\n```\n",
    }
}

/// Two findings with every part, and a file without any.
fn with_every_format(check: impl Fn(&[Found<'_>])) {
    let mut sources = one(HEADER);
    sources.add("pa,rt:100%.route", "\u{feff}tier strong { try <a> & b }\n");
    let mut missing = missing_header(&sources)
        .because(at(&sources, 1, "strong"), "the tier")
        .because(at(&sources, 0, "start weak"), "")
        .fix(
            "write `[?`",
            [Edit {
                span: at(&sources, 0, "[\"x"),
                text: "[?\"x".to_owned(),
            }],
        );
    missing.code = code("WP0203", "missing-key");
    let odd = code("WP0307", "bad-value")
        .warning(
            at(&sources, 1, "<a> &"),
            "100% of `<a>`,\r\nand \u{1b}[31m\"more\"",
        )
        .help("say 'a', not <a>");
    let mut sound = SourceMap::default();
    sound.add("sound.route", "waypost 1\n");
    check(&[found(&sources, &[missing, odd]), found(&sound, &[])]);
}

/// What the specification demands of a log beyond its schema: a rule's index leads to the rule, a region does not end
/// before it starts, and places have numbers of their own.
fn check_sarif(text: &str) {
    let log: serde_json::Value = serde_json::from_str(text).unwrap();
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(
            run["tool"]["driver"]["rules"][index]["id"],
            result["ruleId"]
        );
        let none = Vec::new();
        let related = result["relatedLocations"].as_array().unwrap_or(&none);
        let ids: Vec<u64> = related
            .iter()
            .map(|one| one["id"].as_u64().unwrap())
            .collect();
        assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
        for location in result["locations"]
            .as_array()
            .unwrap()
            .iter()
            .chain(related)
        {
            let region = &location["physicalLocation"]["region"];
            let at = |field: &str| region[field].as_u64().unwrap();
            let (start, end) = (
                (at("startLine"), at("startColumn")),
                (at("endLine"), at("endColumn")),
            );
            assert!(start >= (1, 1) && start <= end, "{region}");
        }
    }
}

#[test]
fn sarif_has_rules_regions_fixes_and_related_places() {
    with_every_format(|found| {
        let text = sarif(found);
        check_sarif(&text);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        insta::assert_snapshot!("sarif", serde_json::to_string_pretty(&value).unwrap());
    });
}

#[test]
fn workflow_commands_escape_what_ends_them() {
    with_every_format(|found| {
        let text: String = found
            .iter()
            .map(|one| github(one.sources, one.diagnostics))
            .collect();
        insta::assert_snapshot!("github", text);
    });
}

#[test]
fn junit_is_xml_whatever_is_said() {
    with_every_format(|found| insta::assert_snapshot!("junit", junit::findings(found)));
}

mod any_span {
    use proptest::prelude::*;

    use super::{BAD_VALUE, Color, FileId, Span, concise, github, human, json, junit, one, sarif};

    proptest! {
        #[test]
        fn renders(
            text in "[a-z\u{e9}\u{6a21}\t\r\n ]{0,40}",
            spans in proptest::collection::vec((0_u32..60, 0_u32..60), 1..5),
        ) {
            let sources = one(&text);
            let mut spans = spans.into_iter().map(|(start, end)| Span::new(FileId(0), start, end));
            let mut diagnostic = BAD_VALUE.error(spans.next().unwrap(), "m").label("primary");
            for span in spans {
                diagnostic = diagnostic.because(span, "secondary");
            }
            let found = [diagnostic];
            let all = [super::found(&sources, &found)];
            prop_assert!(human(&sources, &found, Color::Never).contains("primary"));
            prop_assert!(concise(&sources, &found).starts_with("agents.route:"));
            prop_assert_eq!(github(&sources, &found).lines().count(), 1);
            prop_assert!(junit::findings(&all).contains("failures=\"1\""));
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json(&all)).is_ok());
            super::check_sarif(&sarif(&all));
        }
    }
}

#[test]
fn what_a_terminal_would_act_on_is_not_written() {
    let sources = one("\u{feff}start \"a\u{1b}[2J\u{202e}b\"\n");
    let found = UNKNOWN_NAME
        .error(at(&sources, 0, "\"a"), "no `a\u{1b}[2J\u{202e}b`")
        .label("not \u{1b}[31m")
        .help("write\n\u{9b}31m");
    for text in [
        human(&sources, std::slice::from_ref(&found), Color::Never),
        concise(&sources, std::slice::from_ref(&found)),
    ] {
        let strange = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(strange), "{text:?}");
        assert!(text.contains(":1:7"), "{text}");
    }
}

#[test]
fn a_long_line_is_shown_where_it_matters() {
    let text = format!("a {}needle {}\n", "x ".repeat(5000), "y ".repeat(5000));
    let sources = one(&text);
    let found = BAD_VALUE.error(at(&sources, 0, "needle"), "z".repeat(5000));
    let text = human(&sources, &[found.label("here")], Color::Never);
    assert!(text.contains("agents.route:1:10003"), "{text}");
    assert!(text.contains("x needle y"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() < 700),
        "{text}"
    );
}
