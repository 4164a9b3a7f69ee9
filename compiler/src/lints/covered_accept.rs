//! WP0460: a model name that another of the same section accepts already.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::Accept;

/// Finds names that lead where a prefix, or the same name before them, leads anyway.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for content in &subject.program.contents {
        let own: Vec<&Accept> = content
            .accepts
            .iter()
            .filter(|one| one.model.is_none())
            .collect();
        for (at, accept) in own.iter().enumerate() {
            let covering = own
                .iter()
                .enumerate()
                .find(|(other, one)| covers(one, accept, *other < at));
            let Some((_, covering)) = covering else {
                continue;
            };
            // A longer prefix of another section lies between the two, and the name gets the call back.
            let elsewhere = subject
                .program
                .contents
                .iter()
                .filter(|one| one.span != content.span);
            let mut others = elsewhere.flat_map(|one| &one.accepts);
            if others.any(|one| between(covering, one, accept)) {
                continue;
            }
            found.push(
                codes::COVERED_ACCEPT
                    .warning(
                        accept.span,
                        format!("`{}` is accepted already", shown(accept)),
                    )
                    .label("adds nothing")
                    .because(covering.span, format!("`{}` accepts it", shown(covering)))
                    .help("delete one of the two"),
            );
        }
    }
}

fn covers(wide: &Accept, narrow: &Accept, earlier: bool) -> bool {
    if wide.name == narrow.name && wide.prefix == narrow.prefix {
        return earlier;
    }
    wide.prefix && narrow.name.starts_with(&wide.name)
}

fn between(wide: &Accept, other: &Accept, narrow: &Accept) -> bool {
    other.prefix && other.name.len() > wide.name.len() && narrow.name.starts_with(&other.name)
}

fn shown(accept: &Accept) -> String {
    let star = if accept.prefix { "*" } else { "" };
    format!("{}{star}", accept.name)
}
