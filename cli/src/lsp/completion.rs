//! What may be written at a place: the words of the statement, the names that belong there, the facts that the section
//! may read.
//!
//! Invariant: it reads tokens, never the tree, of the text before the place; names come from the last tree that could be
//! read. So it works in the middle of a word and of a broken file.

mod clauses;
mod expressions;
mod strings;

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, InsertTextFormat,
    MarkupContent, MarkupKind, Position, TextEdit,
};
use waypost_compiler::index::SymbolKind;
use waypost_lang::source::Span;

use super::context::{Context, Inside};
use super::view::View;
use super::vocabulary;

/// What may be written at a position.
pub(crate) fn complete(view: &View<'_>, at: Position) -> Vec<CompletionItem> {
    let offset = view.offset(at);
    let context = Context::of(view.text(), offset);
    let mut list = List {
        view,
        context: &context,
        offset,
        start: context.word,
        items: Vec::new(),
    };
    match context.inside {
        Inside::Comment => strings::comment(&mut list),
        Inside::Text(token) => strings::text(&mut list, token),
        Inside::Code => match context.expression(view.text()) {
            Some(start) => expressions::expression(&mut list, start),
            None => clauses::statement(&mut list),
        },
    }
    list.items
}

/// The candidates for a place.
pub(crate) struct List<'v> {
    view: &'v View<'v>,
    context: &'v Context,
    /// The place.
    offset: u32,
    /// Where what is being completed begins.
    start: u32,
    items: Vec<CompletionItem>,
}

impl List<'_> {
    /// A word that stands for itself.
    fn word(&mut self, word: &str, kind: CompletionItemKind, detail: &str) {
        self.insert(word, word, kind, detail, "");
    }

    /// Several keywords.
    fn keywords(&mut self, words: &[&str]) {
        for word in words {
            self.word(word, CompletionItemKind::KEYWORD, "");
        }
    }

    /// The words of a fixed set that a field takes.
    fn values(&mut self, block: &str, field: &str) {
        for (word, meaning) in vocabulary::words(block, field) {
            self.word(word, CompletionItemKind::ENUM_MEMBER, meaning);
        }
    }

    /// Every declared name of a kind.
    fn names(&mut self, kind: SymbolKind) {
        let view = self.view;
        let index = view.analysis.index();
        let declared = index.symbols().filter(|one| one.kind == kind);
        for symbol in declared.filter(|one| !one.definitions.is_empty()) {
            // The word being completed may itself have been read as a name.
            let itself = symbol.definitions.iter().all(|span| {
                span.file == view.file && span.start <= self.offset && self.offset <= span.end
            });
            if !itself {
                self.word(&symbol.name, item_kind(kind), kind.noun());
            }
        }
    }

    /// One candidate; `inserted` may hold places to fill in, as `${1:name}`.
    fn insert(
        &mut self,
        label: &str,
        inserted: &str,
        kind: CompletionItemKind,
        detail: &str,
        documentation: &str,
    ) {
        if self.items.iter().any(|one| one.label == label) {
            return;
        }
        let is_snippet = inserted.contains('$');
        let snippets = self.view.client.snippets;
        let text = match is_snippet && !snippets {
            true => plain(inserted),
            false => inserted.to_owned(),
        };
        let range = self
            .view
            .range(Span::new(self.view.file, self.start, self.offset));
        self.items.push(CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            detail: (!detail.is_empty()).then(|| detail.to_owned()),
            documentation: (!documentation.is_empty()).then(|| {
                Documentation::MarkupContent(MarkupContent {
                    kind: MarkupKind::Markdown,
                    value: documentation.to_owned(),
                })
            }),
            insert_text_format: (is_snippet && snippets).then_some(InsertTextFormat::SNIPPET),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(range, text))),
            sort_text: Some(format!("{:04}", self.items.len())),
            ..CompletionItem::default()
        });
    }
}

/// How editors show a kind of name.
const fn item_kind(kind: SymbolKind) -> CompletionItemKind {
    match kind {
        SymbolKind::Tier => CompletionItemKind::ENUM_MEMBER,
        SymbolKind::Model | SymbolKind::Catalog => CompletionItemKind::CLASS,
        SymbolKind::Pool => CompletionItemKind::STRUCT,
        SymbolKind::Provider => CompletionItemKind::INTERFACE,
        SymbolKind::Secret | SymbolKind::Constant => CompletionItemKind::CONSTANT,
        SymbolKind::Content => CompletionItemKind::MODULE,
        SymbolKind::Escalation | SymbolKind::Rule => CompletionItemKind::EVENT,
        SymbolKind::Variable => CompletionItemKind::VARIABLE,
    }
}

/// A snippet as text: each place with what it suggests.
fn plain(snippet: &str) -> String {
    let mut text = String::new();
    let mut rest = snippet;
    while let Some((before, after)) = rest.split_once('$') {
        if let Some(before) = before.strip_suffix('\\') {
            text.push_str(before);
            text.push('$');
            rest = after;
            continue;
        }
        text.push_str(before);
        rest = match after
            .strip_prefix('{')
            .and_then(|open| open.split_once('}'))
        {
            Some((place, after)) => {
                let choice = place
                    .split_once('|')
                    .and_then(|(_, all)| all.split([',', '|']).next());
                let default = place.split_once(':').map(|(_, default)| default);
                text.push_str(choice.or(default).unwrap_or(""));
                after
            }
            None => after.trim_start_matches(|c: char| c.is_ascii_digit()),
        };
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_snippet_is_text_for_clients_that_know_none() {
        assert_eq!(plain("price \\$${1:1.00} $0"), "price $1.00 ");
        assert_eq!(plain("x ${1|a,b|} / ${2:1m}"), "x a / 1m");
    }
}
