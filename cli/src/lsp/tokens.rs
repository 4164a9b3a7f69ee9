//! What every word is, for colours that a grammar of patterns cannot know.
//!
//! Invariants: tokens stand in order, never overlap and never span lines unless the client can show that; columns and
//! lengths count what the client counts.

use lsp_types::{SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokensLegend};
use waypost_compiler::index::{Form, SymbolKind};
use waypost_lang::cel::typed::Field;
use waypost_lang::source::Span;
use waypost_lang::syntax::{Token, TokenKind, tokens};

use super::expression;
use super::position::number;
use super::view::View;

/// Kinds of tokens, by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Kind {
    Keyword,
    Tier,
    Model,
    Pool,
    Provider,
    Variable,
    Parameter,
    Property,
    Function,
    Text,
    Number,
    Comment,
    Operator,
    Section,
}

/// The first bit of the modifiers.
const DECLARATION: u32 = 1;
/// The second.
const READONLY: u32 = 2;

/// What the numbers mean.
pub(crate) fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend {
        token_types: vec![
            SemanticTokenType::KEYWORD,
            SemanticTokenType::ENUM_MEMBER,
            SemanticTokenType::CLASS,
            SemanticTokenType::STRUCT,
            SemanticTokenType::INTERFACE,
            SemanticTokenType::VARIABLE,
            SemanticTokenType::PARAMETER,
            SemanticTokenType::PROPERTY,
            SemanticTokenType::FUNCTION,
            SemanticTokenType::STRING,
            SemanticTokenType::NUMBER,
            SemanticTokenType::COMMENT,
            SemanticTokenType::OPERATOR,
            SemanticTokenType::NAMESPACE,
        ],
        token_modifiers: vec![
            SemanticTokenModifier::DECLARATION,
            SemanticTokenModifier::READONLY,
        ],
    }
}

/// A token in bytes.
struct Piece {
    start: u32,
    end: u32,
    kind: Kind,
    modifiers: u32,
}

/// Every token of the document.
pub(crate) fn full(view: &View<'_>) -> Vec<SemanticToken> {
    let text = view.text();
    let expressions: Vec<Span> = view.tree().map_or_else(Vec::new, |tree| {
        let all = expression::all(tree);
        all.iter().map(|(expr, _)| expr.span).collect()
    });
    let mut pieces = Vec::new();
    for token in tokens(text) {
        let inside = |span: &Span| span.start <= token.start && token.end <= span.end;
        // Expressions stand in order: the first that does not end before the token decides.
        let at = expressions.partition_point(|span| span.end < token.end);
        let in_expression = expressions.get(at).is_some_and(inside);
        piece(view, token, in_expression, &mut pieces);
    }
    encode(view, &pieces)
}

fn piece(view: &View<'_>, token: Token, in_expression: bool, pieces: &mut Vec<Piece>) {
    let kind = match token.kind {
        TokenKind::Word => return word(view, token, in_expression, pieces),
        TokenKind::Text | TokenKind::UnclosedText | TokenKind::CurlyText => Kind::Text,
        TokenKind::Number => Kind::Number,
        TokenKind::Comment => Kind::Comment,
        TokenKind::Operator | TokenKind::Less | TokenKind::DotDot | TokenKind::Equal => {
            Kind::Operator
        }
        TokenKind::Slash | TokenKind::Minus => Kind::Operator,
        _ => return,
    };
    let is_bracket = matches!(token.text(view.text()), "[" | "]" | ".");
    if !is_bracket {
        pieces.push(Piece {
            start: token.start,
            end: token.end,
            kind,
            modifiers: 0,
        });
    }
}

fn word(view: &View<'_>, token: Token, in_expression: bool, pieces: &mut Vec<Piece>) {
    if in_expression {
        return parts(view, token, pieces);
    }
    let (kind, modifiers) = name(view, token.start, token.end).unwrap_or((Kind::Keyword, 0));
    pieces.push(Piece {
        start: token.start,
        end: token.end,
        kind,
        modifiers,
    });
}

/// The kind of a name that stands at these very bytes.
fn name(view: &View<'_>, start: u32, end: u32) -> Option<(Kind, u32)> {
    let occurrence = view.analysis.index().at(view.file, start)?;
    let here = occurrence.span.start == start && occurrence.span.end == end;
    if !here || occurrence.form != Form::Bare {
        return None;
    }
    let symbol = view.analysis.index().symbol(occurrence.symbol)?;
    let (kind, modifiers) = match symbol.kind {
        SymbolKind::Tier => (Kind::Tier, 0),
        SymbolKind::Model | SymbolKind::Catalog => (Kind::Model, 0),
        SymbolKind::Pool => (Kind::Pool, 0),
        SymbolKind::Provider => (Kind::Provider, 0),
        SymbolKind::Secret | SymbolKind::Constant => (Kind::Variable, READONLY),
        SymbolKind::Content => (Kind::Section, 0),
        SymbolKind::Variable => (Kind::Parameter, 0),
        SymbolKind::Escalation | SymbolKind::Rule => (Kind::Text, 0),
    };
    let declared = u32::from(occurrence.definition) * DECLARATION;
    Some((kind, modifiers | declared))
}

/// The parts of `request.tools.exists`: outside expressions it is one token, in them three.
fn parts(view: &View<'_>, token: Token, pieces: &mut Vec<Piece>) {
    let text = view.text();
    let written = token.text(text);
    let called = text
        .get(token.end as usize..)
        .is_some_and(|rest| rest.trim_start().starts_with('('));
    let mut start = token.start;
    let words: Vec<&str> = written.split(['.', '-']).collect();
    let count = words.len();
    for (index, word) in words.into_iter().enumerate() {
        let end = start + number(word.len());
        let last = index + 1 == count;
        let (kind, modifiers) = match word {
            "true" | "false" | "null" | "in" => (Kind::Keyword, 0),
            _ if last && called => (Kind::Function, 0),
            _ => match name(view, start, end) {
                Some(found) => found,
                None if index == 0 && Field::find(word).is_none() && count > 1 => {
                    (Kind::Variable, READONLY)
                }
                None => (Kind::Property, 0),
            },
        };
        if end > start {
            pieces.push(Piece {
                start,
                end,
                kind,
                modifiers,
            });
        }
        start = end + 1;
    }
}

/// As the protocol writes them: each relative to the one before.
fn encode(view: &View<'_>, pieces: &[Piece]) -> Vec<SemanticToken> {
    let (mut line, mut column) = (0, 0);
    let mut encoded = Vec::with_capacity(pieces.len());
    for piece in pieces {
        for (start, end) in lines_of(view, piece) {
            let at = view.position(start);
            let text = view.text().get(start as usize..end as usize);
            let length = text.map_or(0, |text| view.client.encoding.width(text));
            if length == 0 {
                continue;
            }
            let same_line = at.line == line;
            encoded.push(SemanticToken {
                delta_line: at.line.saturating_sub(line),
                delta_start: if same_line {
                    at.character.saturating_sub(column)
                } else {
                    at.character
                },
                length,
                token_type: piece.kind as u32,
                token_modifiers_bitset: piece.modifiers,
            });
            (line, column) = (at.line, at.character);
        }
    }
    encoded
}

/// A token's bytes, line by line where the client wants that.
fn lines_of(view: &View<'_>, piece: &Piece) -> Vec<(u32, u32)> {
    let first = view.lines().line(piece.start);
    let last = view
        .lines()
        .line(piece.end.saturating_sub(1).max(piece.start));
    if first == last || view.client.long_tokens {
        return vec![(piece.start, piece.end)];
    }
    (first..=last)
        .map(|line| {
            let (start, end) = view.lines().bytes(view.text(), line);
            (start.max(piece.start), end.min(piece.end))
        })
        .filter(|(start, end)| start < end)
        .collect()
}
