//! Tables of declared names, and what is said of a name that is in none.

use std::collections::BTreeMap;

use waypost_lang::diagnostic::{Diagnostic, Edit, nearest};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::Name;
use waypost_lang::{cel, codes};

use crate::findings::Findings;

/// A plan counts in 16 bits.
const MOST: usize = 65_535;
/// Tiers are followed through one another, as deep as there are tiers.
const MOST_TIERS: usize = 256;

impl cel::Names for Table {
    fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    fn list(&self) -> Vec<&str> {
        self.names().collect()
    }
}

/// The names declared of one kind; a name's index is its place among the declarations kept.
#[derive(Debug)]
pub(crate) struct Table {
    kind: &'static str,
    declaration: &'static str,
    most: usize,
    entries: BTreeMap<String, (usize, Span)>,
}

impl Table {
    /// A table of a kind, `model`, whose members are declared like `model NAME { … }`.
    pub(crate) const fn new(kind: &'static str, declaration: &'static str) -> Self {
        Self {
            kind,
            declaration,
            most: MOST,
            entries: BTreeMap::new(),
        }
    }

    /// The table of the chain's tiers.
    pub(crate) fn of_tiers() -> Self {
        let table = Self::new("tier", "tier NAME { try MODEL }");
        Self {
            most: MOST_TIERS,
            ..table
        }
    }

    /// Declares each name once, reports the others, and returns what is kept, so that indices match.
    pub(crate) fn declare<'a, T: 'a>(
        &mut self,
        items: impl IntoIterator<Item = &'a T>,
        name: impl Fn(&T) -> &Name,
        findings: &mut Findings,
    ) {
        for item in items {
            self.add(name(item), findings);
        }
    }

    /// Declares one name; reports it if it is taken, or if there are more than a plan can count.
    pub(crate) fn add(&mut self, name: &Name, findings: &mut Findings) {
        if self.entries.len() >= self.most && !self.entries.contains_key(&name.value) {
            findings.push(
                codes::BAD_VALUE
                    .error(
                        name.span,
                        format!("more than {} of the kind {}", self.most, self.kind),
                    )
                    .label("one too many")
                    .help("split the file into several deployments"),
            );
        } else if let Some((_, first)) = self.entries.get(&name.value) {
            findings.push(duplicate(self.kind, name, *first));
        } else {
            let index = self.entries.len();
            self.entries.insert(name.value.clone(), (index, name.span));
        }
    }

    /// Whether the declaration at this name is the one that counts.
    pub(crate) fn owns(&self, name: &Name) -> bool {
        self.entries
            .get(&name.value)
            .is_some_and(|(_, span)| *span == name.span)
    }

    /// The index of a name.
    pub(crate) fn get(&self, name: &str) -> Option<usize> {
        self.entries.get(name).map(|(index, _)| *index)
    }

    /// Where a name is declared.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.entries.get(name).map(|(_, span)| *span)
    }

    /// All names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The index of a name; reports it if it is not declared.
    pub(crate) fn resolve(&self, name: &Name, findings: &mut Findings) -> Option<usize> {
        let found = self.get(&name.value);
        if found.is_none() {
            findings.push(unknown(self.kind, self.declaration, name, self.names()));
        }
        found
    }
}

/// What is said of a `kind` called `name` that nothing declares.
pub(crate) fn unknown<'a>(
    kind: &str,
    declaration: &str,
    name: &Name,
    candidates: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let candidates: Vec<&str> = candidates.collect();
    let diagnostic = codes::UNKNOWN_NAME
        .error(
            name.span,
            format!("there is no {kind} called `{}`", name.value),
        )
        .label("not declared in this file or its imports");
    if let Some(near) = nearest(&name.value, candidates.iter().copied()) {
        return diagnostic
            .help(format!("did you mean `{near}`?"))
            .fix(format!("write `{near}`"), [write(name.span, near)]);
    }
    if candidates.is_empty() {
        diagnostic.help(format!("declare it: `{declaration}`"))
    } else {
        diagnostic.help(format!(
            "declared are {}; or declare it: `{declaration}`",
            listed(&candidates, "and")
        ))
    }
}

/// What is said of the second declaration of a name.
pub(crate) fn duplicate(kind: &str, name: &Name, first: Span) -> Diagnostic {
    codes::DUPLICATE_NAME
        .error(
            name.span,
            format!("the {kind} `{}` is declared twice", name.value),
        )
        .label("declared again here")
        .because(first, "first declared here")
        .help("give one of them another name, or delete it")
}

/// What is said of a value that two statements give differently.
pub(crate) fn conflict(what: &str, second: Span, first: Span) -> Diagnostic {
    codes::DUPLICATE_NAME
        .error(second, format!("{what} is stated twice"))
        .label("stated again here")
        .because(first, "first stated here")
        .help("keep one of them")
}

/// An edit that writes `text` over `span`.
pub(crate) fn write(span: Span, text: &str) -> Edit {
    Edit {
        span,
        text: text.to_owned(),
    }
}

/// "`a`, `b` and `c`".
pub(crate) fn listed(words: &[&str], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [rest @ .., last] => format!("`{}` {conjunction} `{last}`", rest.join("`, `")),
    }
}
