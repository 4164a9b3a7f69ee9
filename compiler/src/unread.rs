//! What stands in the texts and not in their trees, and which findings may only follow from that.
//!
//! Invariant: a finding is held back only if the unread text could mend it, so that a syntax error hides
//! nothing that is wrong elsewhere.

use waypost_lang::Span;
use waypost_lang::syntax::Parsed;

/// Statements whose loss takes nothing away but their own name.
const PLAIN: &[&str] = &[
    "provider", "model", "pool", "secret", "test", "place", "catalog", "let", "require", "policy",
];

/// The parts of all texts that could not be read.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    /// Whether names may be declared that are written nowhere in the texts, since an import is missing.
    anything: bool,
    /// Declarations that have lost their names: the kind, and the name that is taken for it.
    nameless: Vec<(String, Option<String>)>,
    /// What was not read.
    texts: Vec<String>,
    /// The statements of a file that were read without a part of them.
    partial: Vec<Span>,
    /// Whether a statement was lost that others need, whatever its name.
    needed: bool,
}

impl Unread {
    /// Notes an import whose names are not known.
    pub(crate) fn missing_import(&mut self) {
        self.anything = true;
    }

    /// Notes what the parser has skipped of `text`.
    pub(crate) fn add(&mut self, text: &str, parsed: &Parsed) {
        for span in &parsed.unread {
            let written = text.get(span.start as usize..span.end as usize);
            let written = written.unwrap_or("");
            let mut items = parsed.file.items.iter().map(|item| item.span);
            match items.find(|item| item.contains(*span)) {
                Some(item) => self.partial.push(item),
                None => self.lose(written),
            }
            self.texts.push(written.to_lowercase());
        }
    }

    /// Notes a whole statement that was lost.
    fn lose(&mut self, written: &str) {
        let end = written.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (keyword, rest) = written.split_at(end.unwrap_or(written.len()));
        self.needed |= !PLAIN.contains(&keyword);
        let named = rest
            .trim_start()
            .starts_with(|c: char| c.is_alphabetic() || c == '"');
        if !named && PLAIN.contains(&keyword) {
            self.nameless.push((keyword.to_owned(), None));
        }
    }

    /// Whether anything was not read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.texts.is_empty() && !self.anything && self.nameless.is_empty()
    }

    /// Whether a name of these kinds that is not known may be declared where nothing was read. A declaration
    /// without its name is taken to declare the first that asks.
    pub(crate) fn may_declare(&mut self, kinds: &str, name: &str) -> bool {
        let name = name.to_lowercase();
        let nameless = self.nameless.iter_mut().any(|(kind, taken)| {
            let fits = kind == "let" || has_word(kinds, kind);
            fits && taken.get_or_insert_with(|| name.clone()) == &name
        });
        self.anything || nameless || self.texts.iter().any(|text| has_word(text, &name))
    }

    /// Whether what the statement at `span` lacks may stand where nothing was read.
    pub(crate) fn may_complete(&self, span: Span) -> bool {
        self.anything || self.needed || self.is_partial(span)
    }

    /// Whether a part of the statement at `span` was not read.
    pub(crate) fn is_partial(&self, span: Span) -> bool {
        self.partial.iter().any(|item| item.contains(span))
    }
}

/// Whether `text` has `word` with no letter or digit on either side.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).unwrap_or("");
        let after = text.get(at + word.len()..).unwrap_or("");
        !before.ends_with(part) && !after.starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_word_is_no_part_of_another() {
        assert!(has_word("tier weak { try a }", "weak"));
        assert!(!has_word("tier weaker { try a }", "weak"));
        assert!(has_word("via pool phi", "phi"));
    }
}
