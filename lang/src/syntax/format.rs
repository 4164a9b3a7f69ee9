//! The formatter: one style, no options.
//!
//! Invariants: it changes nothing but spaces, so the tree and every comment stay; what it has written it
//! leaves as it is; the author's line breaks stay, and the text of an expression, but for the space at the
//! ends of its lines.

mod align;
mod gap;
mod line;

use crate::diagnostic::Diagnostic;
use crate::source::FileId;

use super::parser::parse_with_layout;
use line::Line;

/// The text in the one style, or what must be corrected before it has one.
///
/// # Errors
/// The errors of a text that does not parse: what was not understood is not rewritten.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let (parsed, layout) = parse_with_layout(FileId::default(), text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    let mut lines = line::lines(text, &layout);
    align::align(&mut lines);
    Ok(write(&lines))
}

fn write(lines: &[Line<'_>]) -> String {
    let mut text = String::new();
    for line in lines {
        if line.blank_before {
            text.push('\n');
        }
        line.write(&mut text);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::format;

    fn check(text: &str, expected: &str) {
        let formatted = format(text).unwrap();
        assert_eq!(formatted, expected);
        assert_eq!(format(&formatted).unwrap(), formatted, "not idempotent");
    }

    #[test]
    fn fields_align_and_those_that_share_a_line_stand_apart() {
        check(
            "waypost 1\nmodel a{\nvia   b deployment \"c\"\ncontext 400k output 128k // long\nprice input $1 cached $0.1 output $10\nrejects x,y , // two\n}\n\n\n\n",
            r#"waypost 1
model a {
  via     b  deployment "c"
  context 400k  output 128k  // long
  price   input $1  cached $0.1  output $10
  rejects x, y,              // two
}
"#,
        );
    }

    #[test]
    fn rules_align_their_conditions() {
        check(
            r#"waypost 1
content {
  accept "auto",models
  start weak
  escalate   to strong "a" when x   >  1
  // why
  escalate to strong "longer" when   y
    // inner
 && z
  keep session a.b for 10m
}
policy {
  limit 600 requests/1m per caller.key
  budget $50/day per caller.team on strong {at 80% warn at 100% cap at weak}
  budget $900 / month { at 100% deny }
  priority - 10
}
"#,
            r#"waypost 1
content {
  accept      "auto", models
  start       weak
  escalate to strong "a" when x   >  1
  // why
  escalate to strong "longer" when y
    // inner
    && z
  keep session a.b for 10m
}
policy {
  limit    600 requests / 1m  per caller.key
  budget   $50 / day          per caller.team  on strong { at 80% warn  at 100% cap at weak }
  budget   $900 / month                                  { at 100% deny }
  priority -10
}
"#,
        );
    }

    #[test]
    fn one_line_items_align_their_blocks() {
        check(
            r#"

waypost 1
secret a=env("A") // first
secret longer = k8s( "x/y" , "z" , )
tiers weak<strong
tier weak {try a then b}
tier strong { try b timeout 60s }
pool p { kaito{replicas 2 .. 8} selector {app:"vllm",tier : "x",} namespace "llm" }
"#,
            r#"waypost 1
secret a      = env("A")  // first
secret longer = k8s("x/y", "z",)
tiers weak < strong
tier weak   { try a  then b }
tier strong { try b  timeout 60s }
pool p      { kaito { replicas 2..8 }  selector { app: "vllm", tier: "x", } namespace "llm" }
"#,
        );
    }

    #[test]
    fn texts_of_several_lines_stay_as_they_are() {
        let text = "waypost 1\n\ntest \"a\" {\n  given {\n    prompt \"\"\"one  \n  two\n\"\"\"  // said\n  }\n}\n";
        check(text, text);
    }

    #[test]
    fn a_text_with_errors_is_not_rewritten() {
        assert!(format("waypost 1\nmodel {").is_err());
    }
}
