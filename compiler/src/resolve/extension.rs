//! `extend model NAME { … }`: what overlays change of items that other files declare.
//!
//! Invariants: the order of files and statements does not matter. Of two overlays that write one field, the one
//! whose file imports the other's counts; where neither does, they conflict.

mod field;

use std::borrow::Cow;
use std::collections::BTreeMap;

use waypost_lang::source::{FileId, Span};
use waypost_lang::syntax::tree::{
    Deploy, Extension, File, ItemKind, Let, Model, Name, Pool, Provider, Tier,
};
use waypost_lang::{Diagnostic, SourceMap, codes};

use super::names::unknown;
use crate::findings::Findings;
use crate::imports::Imports;
use field::SOURCE;
pub(crate) use field::{Overlay, is_whole};

/// What overlays can change, as they leave it.
#[derive(Debug, Default)]
pub(crate) struct Extended {
    pub(crate) lets: Vec<Let>,
    pub(crate) providers: Vec<Provider>,
    pub(crate) models: Vec<Model>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) deploys: Vec<(Span, Deploy)>,
}

/// The declarations of all files with what overlays write.
pub(crate) fn extended(
    files: &[File],
    sources: &SourceMap,
    imports: &Imports,
    findings: &mut Findings,
) -> Extended {
    let mut extended = Extended::default();
    let (mut providers, mut models, mut pools) = (Vec::new(), Vec::new(), Vec::new());
    let (mut tiers, mut deploys, mut lets) = (Vec::new(), Vec::new(), Vec::new());
    for item in files.iter().flat_map(|file| &file.items) {
        match &item.kind {
            ItemKind::Let(one) => extended.lets.push(one.clone()),
            ItemKind::Provider(one) => extended.providers.push(one.clone()),
            ItemKind::Model(one) => extended.models.push(one.clone()),
            ItemKind::Pool(one) => extended.pools.push(one.clone()),
            ItemKind::Tier(one) => extended.tiers.push(one.clone()),
            ItemKind::Deploy(one) => extended.deploys.push((item.span, one.clone())),
            ItemKind::Extend(Extension::Let(one)) => lets.push(one),
            ItemKind::Extend(Extension::Provider(one)) => providers.push(one),
            ItemKind::Extend(Extension::Model(one)) => models.push(one),
            ItemKind::Extend(Extension::Pool(one)) => pools.push(one),
            ItemKind::Extend(Extension::Tier(one)) => tiers.push(one),
            ItemKind::Extend(Extension::Deploy(one)) => deploys.push(one),
            _ => {}
        }
    }
    let mut layers = Layers {
        sources,
        imports,
        findings,
    };
    layers.apply(extended.lets.iter_mut(), &lets);
    layers.apply(extended.providers.iter_mut(), &providers);
    layers.apply(extended.models.iter_mut(), &models);
    layers.apply(extended.pools.iter_mut(), &pools);
    layers.apply(extended.tiers.iter_mut(), &tiers);
    layers.apply(extended.deploys.iter_mut().map(|(_, one)| one), &deploys);
    extended
}

/// One field that an overlay writes.
struct Written<'a, T> {
    field: Cow<'static, str>,
    span: Span,
    overlay: &'a T,
}

struct Layers<'a> {
    sources: &'a SourceMap,
    imports: &'a Imports,
    findings: &'a mut Findings,
}

impl Layers<'_> {
    /// Lets `overlays` change the items that they name.
    fn apply<'t, T: Overlay + 't>(
        &mut self,
        items: impl Iterator<Item = &'t mut T>,
        overlays: &[&T],
    ) {
        if overlays.is_empty() {
            return;
        }
        let mut declared: BTreeMap<String, &mut T> = BTreeMap::new();
        for item in items {
            let name = item.name().value.clone();
            declared.entry(name).or_insert(item);
        }
        let mut by_item: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
        for overlay in overlays {
            let name = overlay.name();
            match declared.get(&name.value) {
                None => {
                    let names = declared.keys().map(String::as_str);
                    self.findings.push(undeclared(T::KIND, name, names));
                }
                Some(base) => match self.refused(T::KIND, name, base.name()) {
                    Some(refusal) => self.findings.push(refusal),
                    None => by_item.entry(&name.value).or_default().push(overlay),
                },
            }
        }
        for (name, overlays) in by_item {
            if let Some(base) = declared.get_mut(name) {
                self.merge(*base, &overlays);
            }
        }
    }

    /// Why this file may not extend that item.
    fn refused(&self, kind: &str, name: &Name, base: &Name) -> Option<Diagnostic> {
        let (here, there) = (name.span.file, base.span.file);
        let called = called(kind, &name.value);
        if here == there {
            return Some(
                codes::DUPLICATE_NAME
                    .error(
                        name.span,
                        format!("{called} is extended where it is declared"),
                    )
                    .label(format!("extends a {kind} of this file"))
                    .because(base.span, "declared here")
                    .help("write the fields at its declaration; `extend` is for what is imported"),
            );
        }
        if self.imports.reaches(here, there) {
            return None;
        }
        let (here, there) = (self.file(here), self.file(there));
        let message = format!("`{here}` extends {called} without importing it");
        Some(
            codes::UNKNOWN_NAME
                .error(name.span, message)
                .label(format!(
                    "declared in `{there}`, which this file does not import"
                ))
                .because(base.span, "declared here")
                .help(format!("import `{there}` in `{here}`, or move the overlay")),
        )
    }

    /// Writes what counts of each field.
    fn merge<T: Overlay>(&mut self, base: &mut T, overlays: &[&T]) {
        let mut fields: BTreeMap<Cow<'static, str>, Vec<Written<'_, T>>> = BTreeMap::new();
        for overlay in overlays {
            for (field, span) in overlay.fields(base) {
                fields.entry(field.clone()).or_default().push(Written {
                    field,
                    span,
                    overlay,
                });
            }
        }
        let mut counting = Vec::new();
        for (_, written) in fields {
            counting.extend(self.counting(written, &called(T::KIND, &base.name().value)));
        }
        // Where replicas come from decides what its other fields mean.
        counting.sort_by_key(|one| one.field != SOURCE);
        for one in counting {
            base.take(&one.field, one.overlay);
        }
    }

    /// The write that counts, of all that overlays make of one field.
    fn counting<'a, T>(
        &mut self,
        mut written: Vec<Written<'a, T>>,
        of: &str,
    ) -> Option<Written<'a, T>> {
        let files: Vec<FileId> = written.iter().map(|one| one.span.file).collect();
        written.retain(|one| {
            let mut others = files.iter();
            !others.any(|other| self.imports.reaches(*other, one.span.file))
        });
        let mut written = written.into_iter();
        let first = written.next()?;
        for second in written {
            if self.says_the_same(&first, &second) {
                continue;
            }
            let (field, one, other) = (
                &first.field,
                self.place(first.span),
                self.place(second.span),
            );
            self.findings.push(
                codes::DUPLICATE_NAME
                    .error(
                        second.span,
                        format!("`{field}` of {of} is set by two overlays: {one} and {other}"),
                    )
                    .label("set again here")
                    .because(first.span, "first set here")
                    .help("keep one, or let one file import the other: then its word counts"),
            );
        }
        Some(first)
    }

    /// Whether two overlays write the same value, and alike: then it does not matter which of them counts.
    fn says_the_same<T>(&self, one: &Written<'_, T>, other: &Written<'_, T>) -> bool {
        field::is_whole(&one.field) && self.sources.text(one.span) == self.sources.text(other.span)
    }

    fn file(&self, file: FileId) -> &str {
        self.sources.file(file).map_or("", |file| file.name())
    }

    /// "`prod.route` line 12"
    fn place(&self, span: Span) -> String {
        let (file, line, _) = self.sources.position(span);
        format!("`{file}` line {line}")
    }
}

/// "the model `gpt-5.1`"; there is one deployment.
pub(crate) fn called(kind: &str, name: &str) -> String {
    match kind {
        "deployment" => "the deployment".to_owned(),
        _ => format!("the {kind} `{name}`"),
    }
}

fn undeclared<'a>(kind: &str, name: &Name, names: impl Iterator<Item = &'a str>) -> Diagnostic {
    if kind == "deployment" {
        return codes::UNKNOWN_NAME
            .error(name.span, "there is no `deploy` to extend")
            .label("no file declares a deployment")
            .help("write it as a declaration: `deploy kubernetes { … }`");
    }
    let declaration = match kind {
        "constant" => "let NAME = 24k".to_owned(),
        _ => format!("{kind} NAME {{ … }}"),
    };
    unknown(kind, &declaration, name, names)
}
