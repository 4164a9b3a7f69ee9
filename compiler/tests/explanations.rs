//! Every explanation is true: what it shows as the defect gives the finding, what it shows as the fix does not.
//!
//! The `route` blocks of *Example* and *Fix* are top-level statements, each [spliced](splice) into a sound file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use waypost_compiler::{Checked, Date, check, lint};
use waypost_lang::codes::ALL;
use waypost_lang::render::{Color, human};
use waypost_lang::{Code, Diagnostic, codes};

#[path = "lints/splice.rs"]
mod splice;

use splice::{BASE, HEADER, splice};

const NAME: &str = "example.route";
/// The day of every example.
const TODAY: Date = Date {
    year: 2026,
    month: 11,
    day: 25,
};

fn compile(text: &str) -> Checked {
    check(NAME, text, &|path: &str| {
        (path == NAME).then(|| text.to_owned())
    })
}

fn found(text: &str) -> (Checked, Vec<Diagnostic>) {
    let checked = compile(text);
    let diagnostics = lint(&checked, Some(TODAY));
    (checked, diagnostics)
}

/// The `route` blocks of a section of an explanation.
fn blocks(code: Code, section: &str) -> Vec<&'static str> {
    let (_, after) = code.explanation.split_once(section).unwrap_or_default();
    let end = after.find("\n## ").unwrap_or(after.len());
    let (section, _) = after.split_at(end);
    let parts = section.split("```route\n").skip(1);
    parts
        .map(|part| part.split_once("```").expect("a block ends").0)
        .collect()
}

/// A file with the defect.
fn example(code: Code, block: &str) -> String {
    let text = splice(block);
    if code == codes::MISSING_VERSION {
        return text.replacen(HEADER, "", 1);
    }
    text
}

/// The codes of this crate's own library; what manifests cannot carry is found when they are written.
fn explained() -> impl Iterator<Item = Code> {
    let all = ALL.iter().copied();
    all.filter(|code| *code != codes::SHAPE_CANNOT_CARRY)
}

fn rendered(checked: &Checked, diagnostics: &[Diagnostic]) -> String {
    human(&checked.sources, diagnostics, Color::Never)
}

#[test]
fn the_base_is_sound() {
    let (checked, diagnostics) = found(BASE);
    assert_eq!(rendered(&checked, &diagnostics), "");
}

/// All that is wrong, rather than the first.
fn complain(problems: &[String]) {
    let count = problems.len();
    assert!(count == 0, "{count} explanations:\n{}", problems.join("\n"));
}

#[test]
fn each_example_gives_its_finding() {
    let mut problems = Vec::new();
    for code in explained() {
        let examples = blocks(code, "## Example");
        if examples.is_empty() {
            problems.push(format!("{} has no example", code.number));
        }
        for block in examples {
            let (checked, diagnostics) = found(&example(code, block));
            if !diagnostics.iter().any(|one| one.code == code) {
                let report = rendered(&checked, &diagnostics);
                let number = code.number;
                problems.push(format!("{number} is not found in\n{block}\n{report}"));
            }
        }
    }
    complain(&problems);
}

#[test]
fn each_finding_reads_as_its_snapshot_says() {
    for code in explained() {
        let block = blocks(code, "## Example");
        let (checked, mut diagnostics) = found(&example(code, block.first().unwrap()));
        diagnostics.retain(|one| one.code == code);
        for one in &diagnostics {
            let number = code.number;
            assert!(!one.primary.message.is_empty(), "{number}: no label");
            assert!(one.help.is_some(), "{number}: no help");
            assert!(!one.message.ends_with('.'), "{number}: a period");
            let capital = one.message.starts_with(char::is_uppercase);
            assert!(!capital, "{number}: a capital letter");
        }
        insta::assert_snapshot!(code.number, rendered(&checked, &diagnostics));
    }
}

#[test]
fn each_fix_takes_the_finding_away() {
    let mut problems = Vec::new();
    for code in explained() {
        let fixes = blocks(code, "## Fix");
        if fixes.is_empty() {
            problems.push(format!("{} shows no fix", code.number));
        }
        for block in fixes {
            let (checked, diagnostics) = found(&splice(block));
            let left = |one: &&Diagnostic| one.code == code || one.is_error();
            let left: Vec<Diagnostic> = diagnostics.iter().filter(left).cloned().collect();
            if !left.is_empty() {
                let report = rendered(&checked, &left);
                let number = code.number;
                problems.push(format!("the fix of {number} leaves\n{block}\n{report}"));
            }
        }
    }
    complain(&problems);
}

/// `text` with the edits of the first finding of `code` that has any.
fn edited(text: &str, diagnostics: &[Diagnostic], code: Code) -> Option<String> {
    let mut fixes = diagnostics.iter().filter(|one| one.code == code);
    let fix = fixes.find_map(|one| one.fix.as_ref())?;
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut edited = text.to_owned();
    for edit in edits {
        let range = edit.span.start as usize..edit.span.end as usize;
        edited.replace_range(range, &edit.text);
    }
    Some(edited)
}

/// A finding's own edit leaves one of them less, and the file as sound as it was.
#[test]
fn each_edit_of_an_example_takes_the_finding_away() {
    let mut problems = Vec::new();
    for code in explained() {
        for block in blocks(code, "## Example") {
            let text = example(code, block);
            let (_, before) = found(&text);
            let Some(edited) = edited(&text, &before, code) else {
                continue;
            };
            let (checked, after) = found(&edited);
            let of = |list: &[Diagnostic]| list.iter().filter(|one| one.code == code).count();
            let errors = |list: &[Diagnostic]| list.iter().filter(|one| one.is_error()).count();
            if of(&after) >= of(&before) || errors(&after) > errors(&before) {
                let report = rendered(&checked, &after);
                problems.push(format!("{}:\n{edited}\n{report}", code.number));
            }
        }
    }
    complain(&problems);
}

#[test]
fn each_explanation_has_its_parts() {
    for code in ALL {
        let title = format!("# {}\n", code.name);
        assert!(code.explanation.starts_with(&title), "{}", code.number);
        for part in [
            "## What it does",
            "## Why is this bad?",
            "## Example",
            "## Fix",
        ] {
            assert!(code.explanation.contains(part), "{}: {part}", code.number);
        }
    }
}

/// Whether a block, spliced into the base, has a finding of this code.
fn has(code: &str, block: &str) -> bool {
    let (checked, diagnostics) = found(&splice(block));
    let errors: Vec<Diagnostic> = diagnostics
        .iter()
        .filter(|one| one.is_error())
        .cloned()
        .collect();
    assert_eq!(rendered(&checked, &errors), "", "{block}");
    diagnostics.iter().any(|one| one.code.number == code)
}

/// Conditions of a rule in `content`, each with what must not be found in it and, where there is one, its defect.
const CONTENT: &[(&str, &str, &str)] = &[
    (
        "WP0442",
        "request.path == \"/v1/chat/completions\"",
        "request.path == \"/v1/chat\"",
    ),
    (
        "WP0442",
        "request.response_format == \"json_schema\"",
        "request.response_format == \"json\"",
    ),
    (
        "WP0442",
        "request.model.lowerAscii() == \"gpt\"",
        "request.model.lowerAscii() == \"GPT\"",
    ),
    (
        "WP0442",
        "request.messages.exists(m, m.role in [\"user\", \"tool\"])",
        "request.messages.exists(m, m.role in [\"user\", \"bot\"])",
    ),
    (
        "WP0443",
        "request.temperature.orValue(1.0) == 0.0",
        "0.5 != difficulty",
    ),
    (
        "WP0444",
        "request.prompt.contains(\"SELECT \")",
        "request.prompt.startsWith(\"select \")",
    ),
    (
        "WP0444",
        "request.system.contains(\"derive\")",
        "request.messages.exists(m, m.content.contains(\"derive\"))",
    ),
    (
        "WP0445",
        "request.prompt.matches(\"prove\")",
        "request.model.matches(\"gpt\")",
    ),
    (
        "WP0445",
        "request.tools.exists(t, t.name.matches(\"^write_\"))",
        "request.tools.exists(t, t.name.matches(\"write_\"))",
    ),
    (
        "WP0461",
        "request.max_tokens > 500",
        "500 > request.max_tokens",
    ),
    (
        "WP0461",
        "request.max_tokens != 0 && request.max_tokens < 500",
        "request.max_tokens <= 500",
    ),
];

/// The same in `policy`.
const POLICY: &[(&str, &str, &str)] = &[
    ("WP0443", "cost.estimate == 0.0", "cost.estimate == 0.1"),
    (
        "WP0462",
        "now.getHours(\"UTC\") < 6",
        "now.getDayOfWeek() == 0",
    ),
    (
        "WP0463",
        "now.getDate(\"UTC\") == 31",
        "now.getDate(\"UTC\") == 0",
    ),
    (
        "WP0463",
        "now.getDayOfWeek(\"UTC\") >= 6",
        "now.getDayOfWeek(\"UTC\") == 7",
    ),
    (
        "WP0463",
        "now.getHours(\"UTC\") >= 23",
        "24 <= now.getHours(\"UTC\")",
    ),
];

#[test]
fn conditions_and_their_nearest_neighbours() {
    for (code, sound, defect) in CONTENT {
        let block =
            |when: &str| format!("content {{\n  escalate to strong \"it\" when {when}\n}}\n");
        assert!(!has(code, &block(sound)), "{code}: {sound}");
        assert!(has(code, &block(defect)), "{code}: {defect}");
    }
    for (code, sound, defect) in POLICY {
        let block = |when: &str| format!("policy {{\n  cap at weak \"it\" when {when}\n}}\n");
        assert!(!has(code, &block(sound)), "{code}: {sound}");
        assert!(has(code, &block(defect)), "{code}: {defect}");
    }
}

#[test]
fn statements_and_their_nearest_neighbours() {
    let deny = |rule: &str| format!("policy {{ deny \"it\" {rule} }}");
    assert!(!has(
        "WP0456",
        &deny("status 429 when caller.team == \"a\"")
    ));
    assert!(!has(
        "WP0456",
        &deny("status 503 when now < timestamp(\"2026-12-01T00:00:00Z\")")
    ));
    assert!(has("WP0456", &deny("status 409 when caller.team == \"a\"")));
    let priority =
        |rule: &str| format!("policy {{\n  priority {rule} when caller.plan == \"a\"\n}}");
    assert!(!has("WP0517", &priority("-5 \"nightly batch\"")));
    assert!(has("WP0517", &priority("5 \"nightly batch\"")));
    let image = |name: &str| format!("deploy kubernetes {{ namespace \"llm\"  image \"{name}\" }}");
    assert!(!has("WP0510", &image("reg:5000/waypost@sha256:0a1b")));
    assert!(has("WP0510", &image("reg:5000/waypost")));
    let version = |date: &str| {
        format!(
            "provider aoai {{ kind azure-openai  resource \"acme\"  version \"{date}\"  auth secret aoai_key }}"
        )
    };
    assert!(!has("WP0516", &version("2026-04-01-preview")));
    assert!(has("WP0516", &version("2025-04-01-preview")));
    let url =
        |url: &str| format!("provider aoai {{ kind openai  url \"{url}\"  auth secret aoai_key }}");
    assert!(!has("WP0515", &url("http://gateway.llm:8080/v1")));
    assert!(!has("WP0515", &url("http://10.0.0.4/v1")));
    assert!(has("WP0515", &url("http://api.example.ai:8080/v1")));
}

/// What a group of codes is about, by the two digits after `WP`.
const GROUPS: &[(&str, &str)] = &[
    ("00", "The text"),
    ("01", "Names"),
    ("02", "Expressions"),
    ("03", "Routing and money"),
    ("04", "What goes wrong later"),
    ("05", "Deployment"),
    ("06", "Not in this version"),
];

/// The page of all explanations: a table by group, then each in full, its headings two levels lower.
fn page() -> String {
    let mut page = "# Findings\n\n\
        Everything that `waypost lint` can find. Written from the compiler's own explanations (`waypost explain CODE`) by\n\
        `WAYPOST_BLESS=1 cargo test -p waypost-compiler --test explanations`; do not edit.\n"
        .to_owned();
    let of_group = |digits: &'static str| {
        ALL.iter()
            .filter(move |code| code.number.get(2..4) == Some(digits))
    };
    for (digits, title) in GROUPS {
        page += &format!("\n## {title}\n\n| code | name | |\n|---|---|---|\n");
        for code in of_group(digits) {
            let (number, name) = (code.number, code.name);
            page += &format!(
                "| [{number}](#{}-{name}) | {name} | {} |\n",
                number.to_lowercase(),
                what(*code)
            );
        }
    }
    for code in GROUPS.iter().flat_map(|(digits, _)| of_group(digits)) {
        page += &format!("\n## {} {}\n", code.number, code.name);
        let (_, body) = code.explanation.split_once('\n').expect(code.number);
        for line in body.trim_end().lines() {
            let level = if line.starts_with("## ") { "#" } else { "" };
            page += &format!("{level}{line}\n");
        }
    }
    page
}

/// The first sentence of what a code does, on one line.
fn what(code: Code) -> String {
    let (_, after) = code
        .explanation
        .split_once("## What it does")
        .expect(code.number);
    let words: Vec<&str> = after
        .split("\n## ")
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let text = words.join(" ");
    let sentence = text
        .split_once(". ")
        .map_or(text.as_str(), |(first, _)| first);
    format!("{}.", sentence.trim_end_matches('.')).replace('|', "\\|")
}

#[test]
fn the_page_of_all_explanations_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lints.md");
    if std::env::var_os("WAYPOST_BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/lints.md is out of date: run this test with WAYPOST_BLESS=1"
    );
}
