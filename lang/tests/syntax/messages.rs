//! What is said of what does not parse: one mistake, one message.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::SourceMap;

use super::parsed;

/// Each finding as `code @line:column-line:column message | label | help`, and what more it says.
pub(crate) fn render(text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut sources = SourceMap::default();
    let id = sources.add("a.route", text);
    let file = sources.file(id).unwrap();
    let at = |offset| {
        let (line, column) = file.line_column(offset);
        format!("{line}:{column}")
    };
    let mut lines = Vec::new();
    for found in diagnostics {
        let span = found.primary.span;
        lines.push(format!(
            "{} @{}-{} {} | {} | {}",
            found.code.number,
            at(span.start),
            at(span.end),
            found.message,
            found.primary.message,
            found.help.as_deref().unwrap_or("-"),
        ));
        for label in &found.secondary {
            lines.push(format!("  @{} {}", at(label.span.start), label.message));
        }
        if let Some(fix) = &found.fix {
            lines.push(format!("  fix: {}", fix.title));
        }
    }
    lines.join("\n")
}

/// The findings of a text whose first line is already there.
fn of(text: &str) -> String {
    let text = format!("waypost 1\n{text}");
    render(&text, &parsed(&text).diagnostics)
}

macro_rules! check {
    ($text:expr, @$expected:literal) => {
        insta::assert_snapshot!(of($text), @$expected)
    };
}

#[test]
fn wp0001_a_field_without_its_value() {
    check!("model a {\n  via b\n  context\n  output 4k\n}", @r##"WP0001 @4:10-4:10 expected a count, found the end of the line | a count belongs here | write it as `context 400k`"##);
}

#[test]
fn wp0001_another_kind_of_value() {
    check!("provider a { kind openai  version 2024  url \"x\" }", @r##"
        WP0001 @2:35-2:39 expected a string, found `2024` | strings stand in quotes | write `"2024"`
          fix: put it in quotes
    "##);
}

#[test]
fn wp0001_a_misspelt_clause_word() {
    check!("content { escalate too strong \"x\" wen true }", @r##"
        WP0001 @2:20-2:23 expected `to`, found `too` | misspelt | write `to`
          fix: write `to`
        WP0001 @2:35-2:38 expected `when`, found `wen` | misspelt | write `when`
          fix: write `when`
    "##);
}

#[test]
fn wp0001_a_rule_without_its_condition() {
    check!("policy {\n  deny \"x\"\n  cap at weak when\n  priority 1\n}", @r##"
        WP0001 @3:11-3:11 expected `when`, found the end of the line | `when` belongs here | write it as `deny "label" status 403 when …`
        WP0001 @4:19-4:19 expected an expression, found the end of the line | an expression belongs here | write it as `cap at weak "label" when …`
    "##);
}

#[test]
fn wp0001_a_clause_on_a_line_of_its_own() {
    check!("content {\n  escalate to strong \"x\"\n    when true\n  start weak\n}", @r##"
        WP0001 @4:5-4:9 `when` cannot begin a line | belongs to the statement above | a statement ends with its line: write `when` at the end of the line above
          fix: join the lines
    "##);
}

#[test]
fn wp0001_a_statement_after_an_expression() {
    check!("content {\n  escalate to strong when true start weak\n  start weak\n}", @r##"WP0001 @3:32-3:37 unexpected `start` after the expression | the expression ends before this | an expression takes the rest of its line: begin `start` on a new one"##);
}

#[test]
fn wp0001_a_stray_brace() {
    check!("tier a { try b }\n}\ntier c { try d }", @r##"WP0001 @3:1-3:2 unexpected `}` | closes nothing | remove it, or add the `{` that it closes"##);
}

#[test]
fn wp0001_a_block_without_its_brace() {
    check!("policy\n  deny when true\n}\ntier c { tri d }", @r##"
        WP0001 @2:7-2:7 expected `{`, found the end of the line | `{` belongs here | write it as `policy { … }`
        WP0005 @5:10-5:13 `tri` is no field of `tier` | unknown here | did you mean `try`?
          fix: write `try`
    "##);
}

#[test]
fn wp0001_a_separator_between_fields() {
    check!("tier a { try b, timeout 60s }\nkaito { }", @r##"
        WP0001 @2:15-2:16 unexpected `,` between fields | separates nothing | remove it: fields stand apart by spaces or lines
          fix: remove `,`
        WP0005 @3:1-3:6 `kaito` begins no statement | unknown here | `kaito` belongs in `pool`
    "##);
}

#[test]
fn wp0002_a_string_without_its_end() {
    check!("test \"x\" {\n  given  { prompt \"What is 2+2?  caller.team a }\n  expect { tier weak }\n}", @r##"WP0002 @3:19-3:47 the string is never closed | no closing quote on this line | end it with `"`; text of several lines stands between `"""`"##);
}

#[test]
fn wp0002_a_long_string_without_its_end() {
    check!("test \"x\" {\n  given { prompt \"\"\"What\nis\n }\n}", @r##"WP0002 @3:18-3:21 the string is never closed | opened here | close it with the same three quotes"##);
}

#[test]
fn wp0003_numbers_in_the_wrong_unit() {
    check!(
        "model a {\n  context 10m\n  output 1.5\n  price input 1.25  cached $0.0000000125  output $1k\n}\ntier b { try c  timeout 60  retries 2x }",
        @r##"
        WP0003 @3:11-3:14 `10m` is a duration, where a count belongs | cannot be read as meant | write `10M`
          fix: write `10M`
        WP0003 @4:10-4:13 `1.5` is not a whole count | cannot be read as meant | write fewer decimals, nothing is rounded for you
        WP0003 @5:15-5:19 `1.25` is a decimal, where money belongs | cannot be read as meant | write `$1.25`
          fix: write `$1.25`
        WP0003 @5:28-5:41 `$0.0000000125` is not exact in nano-dollars (nine decimals) | cannot be read as meant | write fewer decimals, nothing is rounded for you
        WP0003 @5:50-5:53 `$1k` is not an amount of money | cannot be read as meant | write `$1000`
          fix: write `$1000`
        WP0003 @7:25-7:27 `60` has no unit | cannot be read as meant | say of what: `ms`, `s`, `m`, `h` or `d`
        WP0003 @7:37-7:39 `2x` has an unknown unit, where a plain integer belongs | cannot be read as meant | write an integer without a unit
    "##
    );
}

#[test]
fn wp0003_names_and_escapes() {
    check!("tier Strong { try b }\nimport \"a\\qb\"\nlet Long-name = 1\npool p { dns b\"x\" }", @r##"
        WP0003 @2:6-2:12 `Strong` is not a name | names are small letters and digits | write `strong`
          fix: write `strong`
        WP0003 @3:10-3:12 `\q` is not an escape | cannot be read as meant | write a backslash itself as `\\`
        WP0003 @4:5-4:14 `Long-name` is not a constant's name | cannot be used in an expression | write capital letters, digits and `_`, such as `LONG`
        WP0003 @5:14-5:18 `b"x"` is bytes, where text belongs | cannot be read as meant | remove the `b` before the quote
    "##);
}

#[test]
fn wp0003_numbers_that_do_not_fit() {
    check!("policy {\n  limit 99999999999999999999 requests / 1m\n  budget $0.0000000001 / day\n}", @r##"
        WP0003 @3:9-3:29 `99999999999999999999` is too large | cannot be read as meant | write a smaller number
        WP0003 @4:10-4:23 `$0.0000000001` is not exact in nano-dollars (nine decimals) | cannot be read as meant | write fewer decimals, nothing is rounded for you
    "##);
}

#[test]
fn wp0004_no_first_line() {
    let text = "tier a { try b }\n";
    insta::assert_snapshot!(render(text, &parsed(text).diagnostics), @r##"
        WP0004 @1:1-1:5 the file does not say its edition | `waypost 1` belongs before this | begin the file with `waypost 1`
          fix: add `waypost 1`
    "##);
}

#[test]
fn wp0004_an_empty_file() {
    insta::assert_snapshot!(render("", &parsed("").diagnostics), @r##"
        WP0004 @1:1-1:1 the file does not say its edition | `waypost 1` belongs before this | begin the file with `waypost 1`
          fix: add `waypost 1`
    "##);
}

#[test]
fn wp0004_another_edition() {
    let text = "waypost 2\ntier a { try b }\n";
    insta::assert_snapshot!(render(text, &parsed(text).diagnostics), @r##"WP0004 @1:9-1:10 expected edition `1`, found `2` | not an edition of the language | write `waypost 1`"##);
}

#[test]
fn wp0004_a_misspelt_first_line() {
    let text = "waypoint 1\ntier a { try b }\n";
    insta::assert_snapshot!(render(text, &parsed(text).diagnostics), @r##"
        WP0004 @1:1-1:9 expected `waypost 1`, found `waypoint` | not how a file begins | write `waypost 1`
          fix: write `waypost`
    "##);
}

#[test]
fn wp0005_misspelt_fields_and_statements() {
    check!("modle a { contxt 400k  otput 4k }\ncontent { acept \"a\"  strat weak }", @r##"
        WP0005 @2:1-2:6 `modle` begins no statement | unknown here | did you mean `model`?
          fix: write `model`
        WP0005 @2:11-2:17 `contxt` is no field of `model` | unknown here | did you mean `context`?
          fix: write `context`
        WP0005 @2:24-2:29 `otput` is no field of `model` | unknown here | did you mean `output`?
          fix: write `output`
        WP0005 @3:11-3:16 `acept` is no field of `content` | unknown here | did you mean `accept`?
          fix: write `accept`
        WP0005 @3:22-3:27 `strat` is no field of `content` | unknown here | did you mean `start`?
          fix: write `start`
    "##);
}

#[test]
fn wp0005_a_statement_of_another_section() {
    check!("content {\n  deny \"x\" when true\n  start weak\n}\nescalate to strong when true\ntier a { colour 3  try b }", @r##"
        WP0005 @3:3-3:7 `deny` is no field of `content` | unknown here | `deny` belongs in `policy`
        WP0005 @6:1-6:9 `escalate` begins no statement | unknown here | `escalate` belongs in `content`
        WP0005 @7:10-7:16 `colour` is no field of `tier` | unknown here | `tier` takes `try`, `split`, `timeout`, `retries`, `hedge`
    "##);
}

#[test]
fn wp0006_fields_written_twice() {
    check!(
        "provider a {\n  kind openai\n  kind anthropic\n}\npolicy { limit 1 calls / 1s per a per b }\ndeploy kubernetes { versions { kaito \"1\"  kaito \"2\" } }\nwaypost 1",
        @r##"
        WP0006 @4:3-4:7 `kind` is written twice | again here | keep one of the two
          @3:3 first here
        WP0006 @6:35-6:38 `per` is written twice | again here | keep one of the two
          @6:29 first here
        WP0006 @7:43-7:48 `kaito` is written twice | again here | keep one of the two
          @7:32 first here
        WP0006 @8:1-8:8 `waypost` is written twice | again here | keep one of the two
          @1:9 first here
    "##
    );
}

#[test]
fn wp0007_a_block_that_the_next_statement_ends() {
    check!("pool phi {\n  port 5000\n\ntier weak { try a }\ntier strong { try }", @r##"
        WP0007 @2:10-2:11 `{` is never closed | opened here | add the missing `}`
          @5:1 `tier` stands outside of it
        WP0001 @6:19-6:20 expected a model or a tier, found `}` | a model or a tier belongs here | write it as `try phi-4-mini then gpt-5.1`
    "##);
}

#[test]
fn wp0007_an_inner_block_that_the_next_field_ends() {
    check!("pool phi {\n  kaito { preset \"x\"\n  engine vllm\n}\ntier weak { try a }", @r##"
        WP0007 @3:9-3:10 `{` is never closed | opened here | add the missing `}`
          @4:3 `engine` stands outside of it
    "##);
}

#[test]
fn wp0007_at_the_end_of_the_file() {
    check!("content {\n  start weak\n", @r##"WP0007 @2:9-2:10 `{` is never closed | opened here | add the missing `}`"##);
}

#[test]
fn wp0007_a_parenthesis() {
    check!("secret a = k8s(\"b/c\", \"d\"\nsecret e = env(\"F\"", @r##"
        WP0007 @2:15-2:16 `(` is never closed | opened here | add the missing `)`
        WP0007 @3:15-3:16 `(` is never closed | opened here | add the missing `)`
    "##);
}

#[test]
fn wp0008_characters_of_other_languages() {
    check!("# a comment\ntier a { try b; timeout 60s }\nimport “std/a.route”\n/* more\n */\n@tier c { try d }", @r##"
        WP0008 @2:1-2:12 `#` does not begin a comment | read as a comment | write `// a comment`
          fix: write `//`
        WP0008 @3:15-3:16 `;` means nothing here | not part of the language | remove it: a statement ends with its line, and fields need no separator
          fix: remove `;`
        WP0008 @4:8-4:21 only straight quotes make a string | quoted with other characters | write `"std/a.route"`
          fix: use straight quotes
        WP0008 @5:1-6:4 `/*` does not begin a comment | read as a comment | begin each line of the comment with `//`
        WP0008 @7:1-7:2 `@` means nothing here | not part of the language | remove it; if it is part of a text, quote the text
    "##);
}

#[test]
fn a_mistake_hides_none_after_it() {
    check!(
        "provider a { kind }\nmodel b { via }\npool c { port x }\ntier d { try 5 }\ncontent { start }\npolicy { limit 5 }\nplace c { prefer 3 }\ndeploy x { shape }\ntest { }",
        @r##"
        WP0001 @2:19-2:20 expected a kind of API, found `}` | a kind of API belongs here | write it as `kind azure-openai`
        WP0001 @3:15-3:16 expected a provider, or `pool` and a pool, found `}` | a provider, or `pool` and a pool belongs here | write it as `via PROVIDER deployment "gpt-5.1"`
        WP0001 @4:15-4:16 expected a number, found `x` | a number belongs here | write it as `port 5000`
        WP0001 @5:14-5:15 expected a model or a tier, found `5` | a model or a tier belongs here | write it as `try phi-4-mini then gpt-5.1`
        WP0001 @6:17-6:18 expected a tier, found `}` | a tier belongs here | write it as `start weak`
        WP0001 @7:18-7:19 expected `requests`, `tokens`, `repeats` or `concurrent`, found `}` | `requests`, `tokens`, `repeats` or `concurrent` belongs here | write it as `limit 600 requests / 1m per caller.key`
        WP0001 @8:18-8:19 expected a signal such as `queue`, found `3` | a signal such as `queue` belongs here | write it as `prefer prefix 3, queue 2`
        WP0001 @9:18-9:19 expected a shape, found `}` | a shape belongs here | write it as `shape waypost`
        WP0001 @10:6-10:7 expected a string, found `{` | a string belongs here | write it as `test "what must hold" { given { … } expect { … } }`
    "##
    );
}

#[test]
fn a_bad_expression_is_one_mistake() {
    let text = "waypost 1\ncontent {\n  escalate to strong \"a\" when request.tokens >\n    oops\n  start weak\n  trheshold 0.5\n}";
    let found = parsed(text).diagnostics;
    let codes: Vec<_> = found.iter().map(|found| found.code.number).collect();
    assert_eq!(codes, ["WP0201", "WP0005"]);
}

/// The `route` blocks of an explanation, each with the heading that it stands under.
fn examples(explanation: &str) -> Vec<(&str, &str)> {
    let sections = explanation.split("\n## ").skip(1);
    sections
        .flat_map(|section| {
            let (heading, rest) = section.split_once('\n').unwrap();
            let blocks = rest.split("```route\n").skip(1);
            blocks.map(move |block| (heading, block.split_once("```").unwrap().0))
        })
        .collect()
}

#[test]
fn explanations_show_the_mistake_and_its_correction() {
    let ours = codes::ALL
        .iter()
        .filter(|code| code.number.starts_with("WP00"));
    for code in ours {
        let examples = examples(code.explanation);
        let [("Example", wrong), ("Fix", right)] = examples[..] else {
            panic!("{}: {examples:?}", code.number)
        };
        let first_line = match code.number {
            "WP0004" => "",
            _ => "waypost 1\n",
        };
        let found = parsed(&format!("{first_line}{wrong}")).diagnostics;
        assert!(!found.is_empty(), "{}", code.number);
        assert!(
            found.iter().all(|found| found.code == *code),
            "{}: {found:?}",
            code.number
        );
        super::clean(&format!("{first_line}{right}"));
    }
}

/// The text with every fix made.
fn fixed(text: &str) -> String {
    let mut edits: Vec<_> = parsed(text)
        .diagnostics
        .into_iter()
        .flat_map(|found| found.fix.unwrap().edits)
        .collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut text = text.to_owned();
    for edit in edits {
        let range = edit.span.start as usize..edit.span.end as usize;
        text.replace_range(range, &edit.text);
    }
    text
}

#[test]
fn fixes_correct_what_they_are_offered_for() {
    for text in [
        "tier a { try b }\n",
        "wayppost 1\nmodle a { contxt 400k  otput 4k }\n",
        "waypost 1\ncontent { escalate too strong \"x\" wen true }\n",
        "waypost 1\ncontent {\n  escalate to strong \"x\"\n    when true\n}\n",
        "waypost 1 # first\nimport “std/agents.route”\n",
        "waypost 1\ntier a { try b, timeout 60s }\n",
        "waypost 1\npolicy { limit 5 request / 1m  budget $5 / day { at 80% wran } }\n",
    ] {
        super::clean(&fixed(text));
    }
}

#[test]
fn wp0007_before_a_statement_whose_word_is_also_a_clause() {
    check!(
        "deploy kubernetes {\n  state redis\n\nsecret a = env(\"B\")\npolicy {\n  budget $5 / day { at 80% cap\n    at 100% deny }\n}",
        @r##"
        WP0007 @2:19-2:20 `{` is never closed | opened here | add the missing `}`
          @5:1 `secret` stands outside of it
        WP0001 @7:31-7:31 expected `at`, found the end of the line | `at` belongs here | write it as `at 100% cap at weak`
    "##
    );
}

/// Thousands of blocks that are never closed are one cause: few are said, and the last says how many more.
#[test]
fn wp0007_many_unclosed_blocks() {
    let texts = [
        "tier a {\n".repeat(3000),
        format!("policy {}", "{".repeat(3000)),
        (0..3000)
            .map(|n| format!("tier t{n} {{\n  try m\n"))
            .collect(),
    ];
    for text in texts {
        let text = format!("waypost 1\n{text}");
        let found = parsed(&text).diagnostics;
        assert!((1..=4).contains(&found.len()), "{}", found.len());
    }
}

#[test]
fn wp0007_how_many_more() {
    let text = "tier a { try m\n".repeat(6);
    let said = of(&text);
    assert!(
        said.contains("as are 3 more that are never closed"),
        "{said}"
    );
}
