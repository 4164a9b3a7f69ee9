//! How many spaces stand between two pieces of a line.

use crate::syntax::lexer::TokenKind;
use crate::syntax::parser::MarkKind;

use super::line::Piece;

/// The spaces before `piece`, before anything is aligned.
pub(super) fn before(piece: &Piece<'_>, previous: Option<&Piece<'_>>) -> usize {
    let Some(previous) = previous else { return 0 };
    if piece.verbatim || previous.verbatim {
        return beside_expression(piece);
    }
    match (previous.kind, piece.kind) {
        (TokenKind::OpenBrace, _) | (_, TokenKind::OpenBrace | TokenKind::CloseBrace) => 1,
        (TokenKind::OpenParen, _) | (_, TokenKind::OpenParen | TokenKind::CloseParen) => 0,
        (_, TokenKind::Comma | TokenKind::Colon) => 0,
        (TokenKind::DotDot, _) | (_, TokenKind::DotDot) => 0,
        (TokenKind::Minus, TokenKind::Number) => 0,
        (TokenKind::Comma, _) => 1,
        _ => set_off(piece.mark),
    }
}

/// An expression's own text is not changed, and what follows it is set off as elsewhere.
fn beside_expression(piece: &Piece<'_>) -> usize {
    match piece.mark {
        _ if piece.verbatim || piece.kind == TokenKind::OpenBrace => 1,
        mark => set_off(mark),
    }
}

fn set_off(mark: Option<MarkKind>) -> usize {
    match mark {
        Some(MarkKind::Statement | MarkKind::Part | MarkKind::Per | MarkKind::On) => 2,
        _ => 1,
    }
}
