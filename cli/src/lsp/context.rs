//! What stands around a place in a text, by its tokens alone: which block, which statement, what was written of it.
//!
//! Invariant: it works in text that does not parse, which is what a text is while it is typed.

use waypost_lang::syntax::{Block, Token, TokenKind, tokens};

/// A block around a place, or the file itself.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// What it is; absent for braces that are no block.
    pub(crate) block: Option<&'static Block>,
    /// The fields written in it so far.
    pub(crate) seen: Vec<String>,
    /// The tokens of the statement being written.
    pub(crate) statement: Vec<Token>,
    /// How many `(` and `[` of the statement are open.
    depth: usize,
}

/// What a place stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Between or in words.
    Code,
    /// In a comment.
    Comment,
    /// In a string.
    Text(Token),
}

/// What stands around a place.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The blocks around it, the file first.
    pub(crate) frames: Vec<Frame>,
    /// What it stands in.
    pub(crate) inside: Inside,
    /// Where the word begins that ends at the place; the place itself if there is none.
    pub(crate) word: u32,
}

impl Frame {
    const fn new(block: Option<&'static Block>) -> Self {
        Self {
            block,
            seen: Vec::new(),
            statement: Vec::new(),
            depth: 0,
        }
    }

    /// Takes one token of the text into the statement, or begins the next with it.
    fn take(&mut self, token: Token, text: &str) {
        let word = token.text(text);
        let field = self.block.and_then(|block| block.field(word));
        let field = field.filter(|_| token.kind == TokenKind::Word);
        if token.first_on_line && self.depth > 0 && field.is_some() {
            // A bracket that the line before left open.
            self.depth = 0;
        }
        let continues = token.kind == TokenKind::Operator && !matches!(word, "[" | "!");
        let next_line = token.first_on_line && self.depth == 0 && !continues;
        let next_field = field.is_some() && self.depth == 0 && self.may_follow(word, text);
        if next_line || next_field {
            self.statement.clear();
            self.depth = 0;
        }
        if self.statement.is_empty() && token.kind == TokenKind::Word {
            self.seen.push(word.to_owned());
        }
        match word {
            "(" | "[" => self.depth += 1,
            ")" | "]" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.statement.push(token);
    }

    /// Whether a field's word begins a field here, rather than being a word of the one before.
    fn may_follow(&self, word: &str, text: &str) -> bool {
        let words = self.words(text);
        if expression_start(&words).is_some() {
            return false;
        }
        match (words.first(), words.last()) {
            (Some(&"price"), _) => word != "output" || words.contains(&"output"),
            (_, Some(&"cap" | &"then" | &"secret" | &"pool" | &"extend")) => false,
            _ => true,
        }
    }

    /// The words of the statement.
    pub(crate) fn words<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let statement = self.statement.iter();
        statement.map(|token| token.text(text)).collect()
    }

    /// What an opening brace after the statement opens.
    fn opened(&self, text: &str) -> Option<&'static Block> {
        let words = self.words(text);
        let first = words.first().copied()?;
        if self.block.is_some_and(|block| block.kind.is_empty()) {
            let kind = match first {
                "extend" => words.get(1).copied()?,
                _ => first,
            };
            return Block::of(kind);
        }
        if matches!(first, "limit" | "budget") {
            return Block::of("at");
        }
        let last = self.statement.last()?;
        if last.kind != TokenKind::Word {
            return None;
        }
        Block::of(last.text(text))
    }
}

impl Context {
    /// What stands around the byte `at`.
    pub(crate) fn of(text: &str, at: u32) -> Self {
        let mut frames = vec![Frame::new(Block::of(""))];
        let mut context_word = at;
        let mut inside = Inside::Code;
        let mut rest = None;
        let mut scanned = tokens(text);
        for token in scanned.by_ref() {
            if token.kind == TokenKind::End || token.start >= at {
                rest = Some(token);
                break;
            }
            let touches = at <= token.end;
            match token.kind {
                TokenKind::Comment if touches => inside = Inside::Comment,
                TokenKind::Comment => {}
                TokenKind::UnclosedText if touches => inside = Inside::Text(token),
                TokenKind::Text if at < token.end => inside = Inside::Text(token),
                TokenKind::Word | TokenKind::Number if touches => context_word = token.start,
                _ => step(&mut frames, token, text),
            }
            if inside != Inside::Code {
                break;
            }
        }
        let mut context = Self {
            frames,
            inside,
            word: context_word,
        };
        context.begin_line(text, at);
        context.look_ahead(rest.into_iter().chain(scanned), text);
        context
    }

    /// A place on a line of its own begins a statement.
    fn begin_line(&mut self, text: &str, at: u32) {
        let word = self.word.min(at);
        let start = match self.inside {
            Inside::Text(token) => token.start,
            _ => word,
        };
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let written = frame.statement.last().map_or(0, |token| token.end);
        let gap = text.get(written as usize..start as usize).unwrap_or("");
        if frame.depth == 0 && gap.contains('\n') {
            frame.statement.clear();
        }
    }

    /// The fields that stand in the block after the place count as written, too.
    fn look_ahead(&mut self, rest: impl Iterator<Item = Token>, text: &str) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let mut depth = 0_usize;
        for token in rest {
            match token.kind {
                TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseBrace if depth == 0 => break,
                TokenKind::CloseBrace => depth -= 1,
                TokenKind::Word if depth == 0 => {
                    let word = token.text(text);
                    let known = frame.block.and_then(|block| block.field(word));
                    if known.is_some() {
                        frame.seen.push(word.to_owned());
                    }
                }
                _ => {}
            }
        }
    }

    /// The innermost block's word; "" in the file itself, or in braces that are no block.
    pub(crate) fn block(&self) -> &'static str {
        let innermost = self.frames.last().and_then(|frame| frame.block);
        innermost.map_or("", |block| block.kind)
    }

    /// Whether the place is in no block.
    pub(crate) fn is_top(&self) -> bool {
        self.frames.len() == 1
    }

    /// The words of the statement before the place.
    pub(crate) fn words<'t>(&self, text: &'t str) -> Vec<&'t str> {
        self.frames
            .last()
            .map_or_else(Vec::new, |frame| frame.words(text))
    }

    /// The byte at which the expression begins that the place stands in, if it stands in one.
    pub(crate) fn expression(&self, text: &str) -> Option<u32> {
        let frame = self.frames.last()?;
        let start = expression_start(&frame.words(text))?;
        let before = frame.statement.get(start.checked_sub(1)?)?;
        Some(before.end)
    }
}

/// Follows the blocks through one token.
fn step(frames: &mut Vec<Frame>, token: Token, text: &str) {
    let word = token.text(text);
    let margin = token.first_on_line && text.get(..token.start as usize).is_none_or(at_margin);
    let item = Block::of("").and_then(|file| file.field(word));
    if margin && token.kind == TokenKind::Word && item.is_some() {
        // Whatever a block before left open.
        frames.truncate(1);
    }
    let Some(frame) = frames.last_mut() else {
        return;
    };
    match token.kind {
        TokenKind::OpenBrace => {
            let block = frame.opened(text);
            frame.statement.push(token);
            frames.push(Frame::new(block));
        }
        TokenKind::CloseBrace => {
            if frames.len() > 1 {
                frames.pop();
            }
            let top = frames.len() == 1;
            if let Some(frame) = frames.last_mut() {
                frame.statement.push(token);
                if top {
                    frame.statement.clear();
                }
            }
        }
        _ => frame.take(token, text),
    }
}

fn at_margin(before: &str) -> bool {
    before.is_empty() || before.ends_with('\n')
}

/// The word of a statement at which the expression begins that its end stands in, if it stands in one.
fn expression_start(words: &[&str]) -> Option<usize> {
    if words.first() == Some(&"let") {
        return words.iter().position(|word| *word == "=").map(|at| at + 1);
    }
    let mut start = None;
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate() {
        match *word {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "when" if depth == 0 => return Some(at + 1),
            "that" if at == 0 => return Some(1),
            "per" | "session" | "by" if depth == 0 && at > 0 && start.is_none() => {
                start = Some(at + 1);
            }
            "on" | "burst" | "for" | "then" if depth == 0 => start = None,
            _ => {}
        }
    }
    // `escalated by "label"`: a label, no expression.
    let verb = words.first().copied().unwrap_or("");
    start.filter(|_| matches!(verb, "limit" | "budget" | "keep" | "split"))
}

#[cfg(test)]
mod tests {
    use super::{Context, Inside};

    /// The block and the statement's words at `|`.
    fn check(marked: &str, block: &str, words: &[&str], in_expression: bool) {
        let at = marked.find('|').unwrap_or(0);
        let text = marked.replacen('|', "", 1);
        let context = Context::of(&text, u32::try_from(at).unwrap_or(0));
        assert_eq!(context.block(), block, "{marked}");
        assert_eq!(context.words(&text), words, "{marked}");
        assert_eq!(
            context.expression(&text).is_some(),
            in_expression,
            "{marked}"
        );
    }

    #[test]
    fn the_block_and_the_statement_are_known_in_broken_text() {
        check("waypost 1\n|", "", &[], false);
        check("model a {\n  via |", "model", &["via"], false);
        check(
            "model a {\n  context 400k  ou|",
            "model",
            &["context", "400k"],
            false,
        );
        check(
            "model a {\n  price input $1 |",
            "model",
            &["price", "input", "$1"],
            false,
        );
        check(
            "content {\n  escalate to |",
            "content",
            &["escalate", "to"],
            false,
        );
        check(
            "content {\n  escalate to a when x > (\n  start |",
            "content",
            &["start"],
            false,
        );
        check("policy {\n  deny when |", "policy", &["deny", "when"], true);
        check(
            "policy {\n  limit 1 requests / 1m per |",
            "policy",
            &["limit", "1", "requests", "/", "1m", "per"],
            true,
        );
        check(
            "policy {\n  budget $1 / day { at 100% |",
            "at",
            &["at", "100%"],
            false,
        );
        check("pool a {\n  kaito { |", "kaito", &[], false);
        check("policy {\n  deny when x\ntier b { |", "tier", &[], false);
        check(
            "test \"x\" { expect { escalated by |",
            "expect",
            &["escalated", "by"],
            false,
        );
    }

    #[test]
    fn strings_and_comments_are_told_apart() {
        let text = "import \"std/";
        assert!(matches!(Context::of(text, 12).inside, Inside::Text(_)));
        assert_eq!(Context::of("// a", 4).inside, Inside::Comment);
    }
}
