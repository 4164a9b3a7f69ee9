//! Content sections, and the model names that lead to them.

use std::cmp::Reverse;

use waypost_policies::plan::draft;

use super::expressions::Expressions;
use super::index;
use super::origin::Origins;
use crate::program::{Content, Keep};

/// Exact names by name, then prefixes, the longer first: the order in which they win.
pub(crate) fn lower_accepts(contents: &[Content]) -> Vec<draft::Accept> {
    let mut accepts: Vec<draft::Accept> = contents
        .iter()
        .enumerate()
        .flat_map(|(section, content)| content.accepts.iter().map(move |one| (section, one)))
        .map(|(section, accept)| draft::Accept {
            name: accept.name.clone(),
            prefix: accept.prefix,
            target: match accept.model {
                Some(model) => draft::AcceptTarget::Model(index(model)),
                None => draft::AcceptTarget::Content(index(section)),
            },
        })
        .collect();
    accepts.sort_by(|left, right| {
        let key = |one: &draft::Accept| {
            (
                one.prefix,
                Reverse(if one.prefix { one.name.len() } else { 0 }),
            )
        };
        key(left)
            .cmp(&key(right))
            .then_with(|| left.name.cmp(&right.name))
    });
    accepts
}

pub(crate) fn lower(
    contents: &[Content],
    origins: &Origins<'_>,
    expressions: &mut Expressions<'_>,
) -> Vec<draft::Content> {
    contents
        .iter()
        .map(|content| draft::Content {
            name: content.name.clone(),
            start: index(content.start.value),
            start_origin: origins.of(content.start.span),
            escalations: content
                .escalations
                .iter()
                .map(|rule| draft::Escalation {
                    tier: index(rule.tier),
                    label: rule.label.text.clone(),
                    when: expressions.add(&rule.when),
                    origin: origins.of(rule.span),
                })
                .collect(),
            threshold: content.threshold.as_ref().map(|one| one.value),
            keep: content
                .keep
                .as_ref()
                .map(|one| keep(one, origins, expressions)),
        })
        .collect()
}

fn keep(keep: &Keep, origins: &Origins<'_>, expressions: &mut Expressions<'_>) -> draft::Keep {
    draft::Keep {
        session: expressions.add(&keep.session),
        window_milliseconds: keep.window,
        origin: origins.of(keep.span),
    }
}
