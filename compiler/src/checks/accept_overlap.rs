//! WP0306: one model name that leads to two places.

use std::collections::BTreeMap;

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use crate::program::{Accept, Content};

/// Names accepted twice with different meanings. A longer prefix beside a shorter one is none: the longer wins.
pub(crate) fn check(contents: &[Content]) -> Vec<Diagnostic> {
    let mut accepts: BTreeMap<(&str, bool), (usize, &Accept)> = BTreeMap::new();
    let mut found = Vec::new();
    for (section, content) in contents.iter().enumerate() {
        for accept in &content.accepts {
            let key = (accept.name.as_str(), accept.prefix);
            match accepts.get(&key) {
                Some((other, first)) if !same(*other, first, section, accept) => {
                    found.push(overlap(first, accept, contents.get(*other), content));
                }
                Some(_) => {}
                None => drop(accepts.insert(key, (section, accept))),
            }
        }
    }
    found
}

/// Whether both lead to the same place: one model, or one section.
fn same(first_section: usize, first: &Accept, section: usize, accept: &Accept) -> bool {
    match (first.model, accept.model) {
        (Some(first), Some(second)) => first == second,
        (None, None) => first_section == section,
        _ => false,
    }
}

fn overlap(
    first: &Accept,
    second: &Accept,
    first_content: Option<&Content>,
    content: &Content,
) -> Diagnostic {
    let name = if second.prefix {
        format!("{}*", second.name)
    } else {
        second.name.clone()
    };
    let there = first_content.map_or("", |content| content.name.as_str());
    codes::ACCEPT_OVERLAP
        .error(
            second.span,
            format!("the model name `{name}` leads to two places"),
        )
        .label(leads(second, &content.name))
        .because(first.span, leads(first, there))
        .help("let one of them accept another name")
}

fn leads(accept: &Accept, section: &str) -> String {
    match (accept.model, section) {
        (Some(_), _) => "leads to a model by name".to_owned(),
        (None, "") => "leads to the unnamed `content`".to_owned(),
        (None, section) => format!("leads to `content {section}`"),
    }
}
