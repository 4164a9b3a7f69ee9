//! A `--filter` that matches nothing: a slip, and which names may have been meant.

use waypost_lang::diagnostic::nearest;

use crate::failure::Failure;

/// How many names are shown.
const MOST: usize = 5;

/// Says which names are near, or which there are.
pub(super) fn matches_nothing(part: &str, names: &[String]) -> Failure {
    let near: Vec<&String> = names.iter().filter(|name| is_near(part, name)).collect();
    let quoted = |names: &[&String]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    let all: Vec<&String> = names.iter().take(MOST).collect();
    let hint = match (near.get(..near.len().min(MOST)), names.len()) {
        (_, 0) => "there are no tests".to_owned(),
        (Some(near), _) if !near.is_empty() => format!("near it are {}", quoted(near)),
        (_, count) if count > MOST => {
            format!("of {count} tests the first are {}", quoted(&all))
        }
        _ => format!("the tests are called {}", quoted(&all)),
    };
    Failure::Other(format!("no test's name contains `{part}`: {hint}"))
}

/// Whether the name contains it but for upper case, or has words that it may be a slip of.
fn is_near(part: &str, name: &str) -> bool {
    let (part, name) = (part.to_lowercase(), name.to_lowercase());
    let words: Vec<&str> = name.split_whitespace().collect();
    let length = part.split_whitespace().count().max(1);
    let mut runs = words.windows(length.min(words.len().max(1)));
    name.contains(&part) || runs.any(|run| nearest(&part, [&*run.join(" ")]).is_some())
}
