//! Tokens as the parser takes them: comments put aside, and what is no token reported once.

use crate::codes;
use crate::diagnostic::{Edit, nearest};
use crate::source::{FileId, Span};
use crate::syntax::braces;
use crate::syntax::lexer::{Token, TokenKind, Tokens, offset};

use super::fields::ITEMS;
use super::{Layout, MarkKind, Parser, Read, Reported};

impl<'t> Parser<'t> {
    pub(super) fn new(file: FileId, text: &'t str) -> Self {
        let tokens = Tokens::new(text);
        let balance = braces::balance(text, tokens.all());
        Self {
            file,
            text,
            tokens,
            position: 0,
            ahead: None,
            documentation: Vec::new(),
            blocks: Vec::new(),
            unclosed: balance.unclosed,
            never_closed: 0,
            surplus: balance.surplus,
            suspect: 0..0,
            swallowed: false,
            habit: None,
            open_text: None,
            statement: 0,
            form: "",
            is_binary: false,
            comments: Vec::new(),
            diagnostics: Vec::new(),
            unread: Vec::new(),
            layout: Layout::default(),
        }
    }

    /// The next token, not taken.
    pub(super) fn peek(&mut self) -> Token {
        if let Some(token) = self.ahead {
            return token;
        }
        let token = self.lex();
        self.ahead = Some(token);
        token
    }

    /// Takes the next token.
    pub(super) fn bump(&mut self) -> Token {
        let token = self.peek();
        self.move_to(token.end);
        token
    }

    /// Goes on from the byte `position`.
    pub(super) fn move_to(&mut self, position: u32) {
        self.position = position;
        self.ahead = None;
        self.documentation.clear();
    }

    fn lex(&mut self) -> Token {
        let mut from = self.position;
        let mut first_on_line = from == 0;
        loop {
            let token = self.tokens.at(from);
            first_on_line |= token.first_on_line;
            match token.kind {
                TokenKind::Comment => self.comment(token),
                TokenKind::Unknown => {
                    self.unknown_characters(token);
                    if self.joins_lines(token) {
                        let next = self.tokens.at(token.end);
                        return Token {
                            first_on_line,
                            ..next
                        };
                    }
                }
                _ => {
                    let token = self.checked_text(token);
                    return Token {
                        first_on_line,
                        ..token
                    };
                }
            }
            from = token.end;
        }
    }

    fn comment(&mut self, token: Token) {
        self.comments.push(self.span_of(token));
        let written = token.text(self.text).strip_prefix("///");
        if let Some(line) = written
            && token.first_on_line
        {
            self.documentation
                .push(line.strip_prefix(' ').unwrap_or(line));
        }
    }

    pub(super) fn span_of(&self, token: Token) -> Span {
        Span::new(self.file, token.start, token.end)
    }

    /// From the byte `start` to the last token taken.
    pub(super) fn span_from(&self, start: u32) -> Span {
        Span::new(self.file, start, self.position.max(start))
    }

    pub(super) fn written(&self, token: Token) -> &'t str {
        token.text(self.text)
    }

    pub(super) fn line_start(&self, at: u32) -> u32 {
        let before = self.text.get(..at as usize).unwrap_or("");
        offset(before.rfind('\n').map_or(0, |newline| newline + 1))
    }

    /// Whether the statement has ended: its line has, or its block.
    pub(super) fn at_end(&mut self) -> bool {
        let token = self.peek();
        token.first_on_line || matches!(token.kind, TokenKind::End | TokenKind::CloseBrace)
    }

    /// Whether the statement goes on with a token of this kind.
    pub(super) fn at(&mut self, kind: TokenKind) -> bool {
        let token = self.peek();
        token.kind == kind && !token.first_on_line
    }

    /// Takes a token of this kind if the statement goes on with one.
    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.bump();
        }
        found
    }

    /// Takes a token of this kind, written as `what`.
    pub(super) fn require(&mut self, kind: TokenKind, what: &str) -> Read<Token> {
        if self.at(kind) {
            return Ok(self.bump());
        }
        Err(self.expected(what))
    }

    /// Whether the statement goes on with this word.
    pub(super) fn at_word(&mut self, word: &str) -> bool {
        let token = self.peek();
        self.at(TokenKind::Word) && self.written(token) == word
    }

    /// Takes a word that begins a clause of the statement. On a line of its own it is a mistake, but a plain
    /// one: no statement begins with it.
    pub(super) fn clause(&mut self, word: &str) -> bool {
        let token = self.peek();
        if token.kind != TokenKind::Word || self.written(token) != word {
            return false;
        }
        if token.first_on_line {
            if self.begins_statement(word) || ITEMS.field(word).is_some() {
                return false;
            }
            self.clause_on_new_line(token, word);
        }
        self.bump();
        true
    }

    /// Takes such a word and marks it for the formatter.
    pub(super) fn marked_clause(&mut self, word: &str, mark: MarkKind) -> bool {
        let at = self.peek().start;
        let found = self.clause(word);
        if found {
            self.layout.mark(at, mark);
        }
        found
    }

    fn clause_on_new_line(&mut self, token: Token, word: &str) {
        let gap = Span::new(self.file, self.position, token.start);
        let plain = self
            .text
            .get(gap.start as usize..gap.end as usize)
            .is_some_and(|gap| gap.trim().is_empty());
        let mut report = codes::UNEXPECTED_TOKEN
            .error(self.span_of(token), format!("`{word}` cannot begin a line"))
            .label("belongs to the statement above")
            .help(format!(
                "a statement ends with its line: write `{word}` at the end of the line above"
            ));
        if plain {
            let edit = Edit {
                span: gap,
                text: " ".to_owned(),
            };
            report = report.fix("join the lines", [edit]);
        }
        self.report(report);
    }

    /// Takes exactly this word, or what is nearly it.
    pub(super) fn require_word(&mut self, word: &'static str) -> Read<()> {
        self.one_of(&[word], &format!("`{word}`")).map(|_| ())
    }

    /// Takes one of these words, or what is nearly one.
    pub(super) fn one_of(&mut self, words: &[&'static str], what: &str) -> Read<&'static str> {
        for word in words {
            if self.clause(word) {
                return Ok(word);
            }
        }
        let token = self.peek();
        let guess = nearest(self.written(token), words.iter().copied());
        let guess = words.iter().find(|word| guess == Some(**word));
        match guess {
            Some(word) if self.at(TokenKind::Word) => {
                self.misspelt(token, word);
                self.bump();
                Ok(word)
            }
            _ => Err(self.expected(what)),
        }
    }

    fn misspelt(&mut self, token: Token, word: &str) {
        self.misspelt_as(token, word, "misspelt");
    }

    pub(super) fn misspelt_as(&mut self, token: Token, word: &str, label: &str) {
        let span = self.span_of(token);
        let edit = Edit {
            span,
            text: word.to_owned(),
        };
        let found = self.written(token);
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(span, format!("expected `{word}`, found `{found}`"))
                .label(label)
                .help(format!("write `{word}`"))
                .fix(format!("write `{word}`"), [edit]),
        );
    }

    /// Reports that `what` does not come next.
    pub(super) fn expected(&mut self, what: &str) -> Reported {
        let token = self.peek();
        if token.kind == TokenKind::UnclosedText {
            return Reported;
        }
        let (span, found) = self.found(token);
        let report = codes::UNEXPECTED_TOKEN
            .error(span, format!("expected {what}, found {found}"))
            .label(format!("{what} belongs here"));
        let report = match self.form {
            "" => report,
            form => report.help(format!("write it as `{form}`")),
        };
        self.report(report)
    }

    /// Where and what the next token is, in the reader's words.
    pub(super) fn found(&self, token: Token) -> (Span, String) {
        let before = Span::new(self.file, self.position, self.position);
        match token.kind {
            TokenKind::End => (before, "the end of the file".to_owned()),
            _ if token.first_on_line => (before, "the end of the line".to_owned()),
            _ => (
                self.span_of(token),
                format!("`{}`", shortened(self.written(token))),
            ),
        }
    }
}

/// The first line of a text, and not too much of it: messages quote it.
pub(super) fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    let short: String = line.chars().take(40).collect();
    if short.len() == text.len() {
        short
    } else {
        format!("{short}…")
    }
}
