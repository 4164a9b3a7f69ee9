//! WP0401, WP0405, WP0406: a rule that can never decide anything, because others cover it.

use waypost_lang::source::Span;
use waypost_lang::{Code, Diagnostic, codes};

use super::Subject;
use super::statement::{effect, place};
use crate::proofs::coverage::{Fate, Group, Kind, Rule};

/// Finds rules that another one of the same block covers, or several together.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (rule, covers, group) in covered(subject, false) {
        let [cover] = covers.as_slice() else {
            found.push(together(subject, rule, &covers, group));
            continue;
        };
        if is_elsewhere(subject, rule, cover) {
            continue;
        }
        found.push(single(codes::DEAD_RULE, subject, rule, cover, group));
    }
}

/// Finds rules that do what an earlier one does, on the same calls.
pub(super) fn check_duplicates(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (rule, covers, _) in covered(subject, true) {
        let Some(cover) = covers.first() else {
            continue;
        };
        let finding = codes::DUPLICATE_RULE
            .warning(
                place(rule),
                format!(
                    "`{}` does what `{}` does",
                    rule.label.text, cover.label.text
                ),
            )
            .label("on exactly the same calls")
            .because(place(cover), "the same condition")
            .help("delete one of them, or correct the condition that was copied");
        found.push(subject.deleting(finding, rule));
    }
}

/// Finds rules that one of another block or file covers.
pub(super) fn check_shadowed(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (rule, covers, group) in covered(subject, false) {
        if let [cover] = covers.as_slice()
            && is_elsewhere(subject, rule, cover)
        {
            found.push(single(codes::SHADOWED_RULE, subject, rule, cover, group));
        }
    }
}

type Covered<'s> = (&'s Rule<'s>, Vec<&'s Rule<'s>>, &'s Group<'s>);

fn covered<'s>(subject: &Subject<'s>, wanted: bool) -> Vec<Covered<'s>> {
    let mut all = Vec::new();
    for group in &subject.proofs.groups {
        for (rule, fate) in group.rules.iter().zip(&group.fates) {
            if let Fate::Covered { by, same } = fate
                && *same == wanted
            {
                let covers = by.iter().filter_map(|one| group.rules.get(*one));
                all.push((rule, covers.collect(), group));
            }
        }
    }
    all
}

fn is_elsewhere(subject: &Subject<'_>, rule: &Rule<'_>, cover: &Rule<'_>) -> bool {
    let block = |span: Span| subject.block(span);
    block(rule.span) != block(cover.span)
}

fn single(
    code: Code,
    subject: &Subject<'_>,
    rule: &Rule<'_>,
    cover: &Rule<'_>,
    group: &Group<'_>,
) -> Diagnostic {
    let label = if code == codes::SHADOWED_RULE {
        "a rule elsewhere already does all that it could do"
    } else {
        "another rule already does all that it could do"
    };
    let finding = code
        .warning(
            place(rule),
            format!("`{}` never decides anything", rule.label.text),
        )
        .label(label)
        .because(place(cover), reason(subject, rule, cover))
        .help(help(rule.kind, &cover.label.text));
    // Behind a rule that matches every call, it is that one that is wrong.
    let is_always = group
        .rules
        .iter()
        .zip(&group.fates)
        .any(|(one, fate)| one.span == cover.span && *fate == Fate::Always);
    if is_always {
        finding
    } else {
        subject.deleting(finding, rule)
    }
}

fn together(
    subject: &Subject<'_>,
    rule: &Rule<'_>,
    covers: &[&Rule<'_>],
    group: &Group<'_>,
) -> Diagnostic {
    let mut finding = codes::DEAD_RULE
        .warning(
            place(rule),
            format!("`{}` never decides anything", rule.label.text),
        )
        .label("other rules together already do all that it could do")
        .help(format!(
            "delete it: {} rules cover every call that it matches",
            covers.len()
        ));
    for cover in covers {
        finding = finding.because(
            place(cover),
            format!(
                "`{}` {} some of its calls",
                cover.label.text,
                effect(group_kind(group))
            ),
        );
    }
    subject.deleting(finding, rule)
}

fn group_kind(group: &Group<'_>) -> Kind {
    group
        .rules
        .first()
        .map_or(Kind::Escalation, |rule| rule.kind)
}

/// Why the cover covers, in the words of the file.
fn reason(subject: &Subject<'_>, rule: &Rule<'_>, cover: &Rule<'_>) -> String {
    let text = |rule: &Rule<'_>| rule.when.and_then(|when| subject.quoted(when.span));
    match (text(rule), text(cover)) {
        (_, None) if cover.when.is_none() => format!("`{}` is for every call", cover.label.text),
        (Some(narrow), Some(broad)) if narrow != broad => {
            format!("every call with `{narrow}` has `{broad}`")
        }
        _ => format!(
            "`{}` {} every call that it matches",
            cover.label.text,
            effect(cover.kind)
        ),
    }
}

fn help(kind: Kind, cover: &str) -> String {
    match kind {
        Kind::Escalation => format!("delete it, raise it to a higher tier, or narrow `{cover}`"),
        Kind::Denial => format!("delete it, or narrow `{cover}`"),
        Kind::Cap => format!("delete it, cap it lower, or narrow `{cover}`"),
        Kind::Priority => format!("delete it, give it a higher number, or narrow `{cover}`"),
    }
}
