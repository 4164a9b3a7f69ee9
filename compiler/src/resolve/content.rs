//! `content [NAME] { … }`: which tier answers.
//!
//! Sections of one name are one section, whatever file they stand in.

use std::collections::BTreeSet;

use waypost_lang::cel::typed::{Field, Section, Typed, TypedKind};
use waypost_lang::codes;
use waypost_lang::source::{Span, Spanned};
use waypost_lang::syntax::tree::{self, ContentKind, Name, Text, Threshold};

use super::bounds::{duration, out_of_range};
use super::collected::Collected;
use super::context::Context;
use super::label::Labels;
use super::names::conflict;
use super::values::missing;
use crate::checks::{accept_overlap, this_version};
use crate::program::{Accept, Content, Escalation, Keep, ModelIndex, Policy};

/// All blocks of one name.
struct Merged<'a> {
    name: String,
    span: Span,
    items: Vec<&'a tree::ContentItem>,
}

pub(crate) fn resolve(collected: &Collected<'_>, context: &mut Context<'_>) -> Vec<Content> {
    let mut contents = Vec::new();
    for section in sections(collected) {
        contents.extend(resolve_one(&section, context));
    }
    context.findings.extend(accept_overlap::check(&contents));
    // A name that leads to the same place twice is merged: two files may both say `accept models`.
    let mut seen: BTreeSet<(String, bool)> = BTreeSet::new();
    for accept in contents.iter_mut().map(|content| &mut content.accepts) {
        accept.retain(|one| seen.insert((one.name.clone(), one.prefix)));
    }
    contents
}

/// Says so when nobody may call, or nothing can be called: a closed door should be meant.
pub(crate) fn check_callers(contents: &[Content], policy: &Policy, context: &mut Context<'_>) {
    let open = policy.keys.is_some() || policy.jwt.is_some() || policy.anonymous;
    // What was left out for its error may be what lets callers in.
    let closed = !open && !context.findings.has_errors();
    if let Some(content) = contents.first().filter(|_| closed) {
        let span = policy.callers_span.unwrap_or(content.span);
        context.findings.push(
            codes::MISSING_FIELD
                .warning(span, "nobody may call: no policy says who may")
                .label("every call is answered with 401")
                .help(
                    "write `policy { callers { keys secret NAME } }`, or `anonymous allow` in it",
                ),
        );
    }
}

fn sections<'a>(collected: &Collected<'a>) -> Vec<Merged<'a>> {
    let mut sections: Vec<Merged<'a>> = Vec::new();
    for (span, content) in &collected.contents {
        let name = content.name.as_ref().map_or("", |name| name.value.as_str());
        match sections.iter_mut().find(|section| section.name == name) {
            Some(section) => section.items.extend(&content.items),
            None => sections.push(Merged {
                name: name.to_owned(),
                span: *span,
                items: content.items.iter().collect(),
            }),
        }
    }
    sections
}

/// A section while its statements are read.
#[derive(Default)]
struct Draft {
    accepts: Vec<Accept>,
    accepted: bool,
    start: Option<Spanned<usize>>,
    started: Option<Span>,
    escalations: Vec<Escalation>,
    threshold: Option<Spanned<f64>>,
    thresholded: Option<Span>,
    keep: Option<Keep>,
    kept: Option<Span>,
    labels: Labels,
}

fn resolve_one(section: &Merged<'_>, context: &mut Context<'_>) -> Option<Content> {
    let mut draft = Draft::default();
    for item in &section.items {
        statement(item, &mut draft, context);
    }
    let owner = if section.name.is_empty() {
        "`content`".to_owned()
    } else {
        format!("`content {}`", section.name)
    };
    let head = head(section, context);
    if !draft.accepted {
        let why = "no model name leads to it";
        let example = "accept \"auto\"";
        missing(head, &owner, "accept", why, example, context.findings);
    }
    if draft.started.is_none() {
        let why = "which tier does a call begin at?";
        let example = "start weak";
        missing(head, &owner, "start", why, example, context.findings);
    }
    if draft.thresholded.is_none() {
        let rules = draft.escalations.iter();
        if let Some(span) = rules
            .filter_map(|rule| reads(&rule.when, Field::Threshold))
            .next()
        {
            let example = "threshold 0.42";
            let why = "read here, declared nowhere";
            missing(span, &owner, "threshold", why, example, context.findings);
        }
    }
    Some(Content {
        name: section.name.clone(),
        span: section.span,
        accepts: draft.accepts,
        start: draft.start?,
        escalations: draft.escalations,
        threshold: draft.threshold,
        keep: draft.keep,
    })
}

/// The words before the brace of a section's first block.
fn head(section: &Merged<'_>, context: &Context<'_>) -> Span {
    let text = context.sources.text(section.span);
    let words = text.split('{').next().unwrap_or("").trim_end();
    let length = u32::try_from(words.len()).unwrap_or(0);
    Span {
        end: section.span.start + length,
        ..section.span
    }
}

/// Where an expression reads a fact, if it does.
pub(crate) fn reads(typed: &Typed, field: Field) -> Option<Span> {
    let mut found = None;
    typed.visit(&mut |inner| {
        if matches!(inner.kind, TypedKind::Field(one) if one == field) {
            found.get_or_insert(inner.span);
        }
    });
    found
}

fn statement(item: &tree::ContentItem, draft: &mut Draft, context: &mut Context<'_>) {
    match &item.kind {
        ContentKind::Accept(accepts) => {
            draft.accepted = true;
            for one in accepts {
                accept(one, &mut draft.accepts, context);
            }
        }
        ContentKind::Start(tier) => start(tier, draft, context),
        ContentKind::Escalate { tier, label, when } => {
            let rank = context.tier(tier);
            let label = draft
                .labels
                .rule(label.as_ref(), when.span, item.span, context);
            let when = context.condition(when, Section::Content);
            draft
                .escalations
                .extend(rank.zip(when).map(|(tier, when)| Escalation {
                    span: item.span,
                    tier,
                    label,
                    when,
                }));
        }
        ContentKind::Threshold(written) => threshold(written, item.span, draft, context),
        ContentKind::Keep { session, window } => {
            if let Some(first) = draft.kept {
                context.findings.push(conflict("`keep`", item.span, first));
            }
            draft.kept.get_or_insert(item.span);
            let session = context.key(session, Section::Content);
            let window = duration("a session's window", window, context.findings);
            draft.keep = session.zip(window).map(|(session, window)| Keep {
                span: item.span,
                session,
                window,
            });
        }
    }
}

fn start(name: &Name, draft: &mut Draft, context: &mut Context<'_>) {
    let rank = context.tier(name);
    match (draft.started, &draft.start, rank) {
        (Some(first), Some(before), Some(rank)) if before.value != rank => {
            context.findings.push(conflict("`start`", name.span, first));
        }
        (Some(_), _, _) => {}
        (None, _, _) => {
            draft.started = Some(name.span);
            draft.start = rank.map(|rank| Spanned::new(rank, name.span));
        }
    }
}

fn threshold(written: &Threshold, statement: Span, draft: &mut Draft, context: &mut Context<'_>) {
    if let Some(first) = draft.thresholded {
        context
            .findings
            .push(conflict("`threshold`", statement, first));
        return;
    }
    draft.thresholded = Some(statement);
    match written {
        Threshold::Fixed(value) if (0.0..=1.0).contains(&value.value) => {
            draft.threshold = Some(value.clone());
        }
        Threshold::Fixed(value) => out_of_range(
            value.span,
            format!("a threshold cannot be {}", value.value),
            "no difficulty reaches it",
            "`difficulty` is a probability: write a number from 0 to 1",
            context.findings,
        ),
        Threshold::Hold { tier, .. } => {
            context.tier(tier);
            context
                .findings
                .push(this_version::threshold_hold(statement));
        }
    }
}

fn accept(written: &tree::Accept, accepts: &mut Vec<Accept>, context: &mut Context<'_>) {
    match written {
        tree::Accept::Models(span) => {
            let mut models: Vec<(ModelIndex, String)> = context
                .names
                .models
                .names()
                .filter_map(|name| Some((context.names.models.get(name)?, name.to_owned())))
                .collect();
            models.sort();
            accepts.extend(models.into_iter().map(|(model, name)| Accept {
                span: *span,
                name,
                prefix: false,
                model: Some(model),
            }));
        }
        tree::Accept::Pattern { pattern, alias } => {
            let model = match alias {
                Some(name) => match context.names.models.resolve(name, context.findings) {
                    Some(model) => Some(model),
                    None => return,
                },
                None => None,
            };
            let Some((name, prefix)) = split_pattern(pattern, context) else {
                return;
            };
            accepts.push(Accept {
                span: pattern.span,
                name,
                prefix,
                model,
            });
        }
    }
}

/// The name, or what it must begin with.
fn split_pattern(pattern: &Text, context: &mut Context<'_>) -> Option<(String, bool)> {
    let (name, prefix) = match pattern.value.strip_suffix('*') {
        Some(name) => (name, true),
        None => (pattern.value.as_str(), false),
    };
    let (label, help) = if name.contains('*') {
        (
            "a `*` before its end",
            "one `*` may stand at the end, for any rest: `\"router-mf-*\"`",
        )
    } else if pattern.value.is_empty() {
        (
            "empty",
            "write a model name that clients send, such as `\"auto\"`",
        )
    } else if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        (
            "a space in it",
            "write a model name that clients send, such as `\"auto\"`",
        )
    } else {
        return Some((name.to_owned(), prefix));
    };
    let message = format!("`{}` is no model name to accept", pattern.value);
    out_of_range(pattern.span, message, label, help, context.findings);
    None
}
