//! WP0475: an overlay that writes what is so without it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Extension, ItemKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::resolve::extension::{Overlay, called, is_whole};

/// A field of an item: its kind, its name, and the field's.
type Place = (&'static str, String, Cow<'static, str>);

/// Finds fields that one overlay alone writes, and writes as they are declared.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let items = || subject.files.iter().flat_map(|file| &file.items);
    if !items().any(|item| matches!(item.kind, ItemKind::Extend(_))) {
        return;
    }
    let mut fields = Fields::default();
    for item in items() {
        match &item.kind {
            ItemKind::Let(one) => fields.declare(one),
            ItemKind::Provider(one) => fields.declare(one),
            ItemKind::Model(one) => fields.declare(one),
            ItemKind::Pool(one) => fields.declare(one),
            ItemKind::Tier(one) => fields.declare(one),
            ItemKind::Deploy(one) => fields.declare(one),
            ItemKind::Extend(Extension::Let(one)) => fields.extend(one),
            ItemKind::Extend(Extension::Provider(one)) => fields.extend(one),
            ItemKind::Extend(Extension::Model(one)) => fields.extend(one),
            ItemKind::Extend(Extension::Pool(one)) => fields.extend(one),
            ItemKind::Extend(Extension::Tier(one)) => fields.extend(one),
            ItemKind::Extend(Extension::Deploy(one)) => fields.extend(one),
            _ => {}
        }
    }
    for (place, overlays) in &fields.extended {
        let (Some(base), [only]) = (fields.declared.get(place), overlays.as_slice()) else {
            continue;
        };
        let (kind, name, field) = place;
        if words(subject, *base) == words(subject, *only) {
            let value = words(subject, *only).join(" ");
            found.push(
                codes::IDLE_OVERLAY
                    .warning(
                        *only,
                        format!(
                            "`{field}` of {} is `{value}` without this",
                            called(kind, name)
                        ),
                    )
                    .label("changes nothing")
                    .because(*base, "declared so here")
                    .help("delete it, or write what differs here"),
            );
        }
    }
}

#[derive(Default)]
struct Fields {
    declared: BTreeMap<Place, Span>,
    extended: BTreeMap<Place, Vec<Span>>,
}

impl Fields {
    fn declare<T: Overlay>(&mut self, item: &T) {
        for (place, span) in places(item) {
            self.declared.entry(place).or_insert(span);
        }
    }

    fn extend<T: Overlay>(&mut self, item: &T) {
        for (place, span) in places(item) {
            self.extended.entry(place).or_default().push(span);
        }
    }
}

/// The fields of an item whose span is the whole of their value.
fn places<T: Overlay>(item: &T) -> impl Iterator<Item = (Place, Span)> {
    let name = item.name().value.clone();
    let fields = item
        .fields(item)
        .into_iter()
        .filter(|(field, _)| is_whole(field));
    fields.map(move |(field, span)| ((T::KIND, name.clone(), field), span))
}

fn words<'a>(subject: &Subject<'a>, span: Span) -> Vec<&'a str> {
    subject.sources.text(span).split_whitespace().collect()
}
