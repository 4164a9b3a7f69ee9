//! The statements of a file.

use crate::codes;
use crate::diagnostic::{Edit, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{Token, TokenKind, indent};
use crate::syntax::tree::{Extension, File, Item, ItemKind, Name, Test};

use super::fields::{self, ITEMS};
use super::{MarkKind, Parser, Read, foreign};

impl Parser<'_> {
    /// The whole file.
    pub(super) fn file(&mut self) -> File {
        let mut file = File::default();
        self.first_line(&mut file);
        let mut before = None;
        while self.peek().kind != TokenKind::End {
            self.progress(&mut before);
            self.next_item(&mut file);
        }
        file
    }

    fn first_line(&mut self, file: &mut File) {
        let token = self.peek();
        let word = self.written(token);
        if word == "waypost" {
            return;
        }
        let next = self.tokens.at(token.end);
        let is_sign = matches!(next.kind, TokenKind::Colon | TokenKind::Equal);
        let sign = Some(next).filter(|_| is_sign);
        let number = sign.map_or(next, |sign| self.tokens.at(sign.end));
        let edition = ITEMS.field(word).is_none()
            && number.kind == TokenKind::Number
            && !number.first_on_line
            && self.tokens.at(number.end).first_on_line;
        if token.kind == TokenKind::Word && (edition || nearest(word, ["waypost"]).is_some()) {
            let span = self.span_of(token);
            let with_sign = sign.map_or(span, |sign| span.to(self.span_of(sign)));
            let apart = if with_sign.end == number.start {
                " "
            } else {
                ""
            };
            let edit = Edit {
                span: with_sign,
                text: format!("waypost{apart}"),
            };
            self.report(
                codes::MISSING_VERSION
                    .error(span, format!("expected `waypost 1`, found `{word}`"))
                    .label("not how a file begins")
                    .help("write `waypost 1`")
                    .fix("write `waypost`", [edit]),
            );
            self.bump();
            if sign.is_some() {
                self.bump();
            }
            if let Ok(edition) = self.integer() {
                file.edition = Some(edition);
            }
            return;
        }
        let at = Span::new(self.file, 0, 0);
        let edit = Edit {
            span: at,
            text: "waypost 1\n\n".to_owned(),
        };
        let missing = codes::MISSING_VERSION
            .error(self.first_place(token), "the file does not say its edition");
        let known = ITEMS.field(word).or_else(|| ITEMS.meant(word)).is_some();
        if token.kind == TokenKind::End || known || fields::home_of(word).is_some() {
            self.report(
                missing
                    .label("`waypost 1` belongs before this")
                    .help("begin the file with `waypost 1`")
                    .fix("add `waypost 1`", [edit]),
            );
            return;
        }
        // Likely no file of ours: its every line would be a mistake.
        self.report(missing.label("no statement begins with this").help(
            "a .route file begins with `waypost 1`, and then has statements such as `model NAME { … }`",
        ));
        self.recover_at_top(token.start);
    }

    /// The first token, or the place of one in an empty file; an unclosed string would be a whole line.
    fn first_place(&self, token: Token) -> Span {
        match token.kind {
            TokenKind::End => Span::new(self.file, token.start, token.start),
            _ => self.span_of(token),
        }
    }

    fn next_item(&mut self, file: &mut File) {
        let token = self.peek();
        let word = self.written(token);
        if token.kind != TokenKind::Word {
            self.unexpected_at_top(token);
            return self.recover_at_top(token.start);
        }
        let known = match ITEMS.field(word) {
            Some(field) => field,
            None => match self.unknown_item(token) {
                Some(field) => field,
                None => return self.recover_at_top(token.start),
            },
        };
        let documentation = self.documentation();
        self.bump();
        self.form = known.form;
        self.statement = token.start;
        self.layout.mark(token.start, MarkKind::Statement);
        if known.name == "waypost" {
            return self.edition(token, file);
        }
        let errors = self.diagnostics.len();
        match self.item(known.name) {
            Ok(kind) => {
                file.items.push(Item {
                    span: self.span_from(token.start),
                    documentation,
                    kind,
                });
                self.end_of_item();
            }
            Err(_) => {
                if known.name != word {
                    self.diagnostics.truncate(errors);
                }
                self.recover_at_top(token.start);
            }
        }
    }

    fn documentation(&mut self) -> Option<String> {
        self.peek();
        (!self.documentation.is_empty()).then(|| self.documentation.join("\n"))
    }

    fn edition(&mut self, keyword: Token, file: &mut File) {
        if let Some(first) = &file.edition {
            let first = first.span;
            self.duplicate("waypost", self.span_of(keyword), first);
            self.skip_line();
            return;
        }
        let number = self.peek();
        let (span, found) = self.found(number);
        match (self.at(TokenKind::Number), self.written(number)) {
            (true, "1") => {
                self.bump();
                file.edition = Some(Spanned::new(1, span));
                self.end_of_item();
            }
            _ => {
                self.report(
                    codes::MISSING_VERSION
                        .error(span, format!("expected edition `1`, found {found}"))
                        .label("not an edition of the language")
                        .help("write `waypost 1`"),
                );
                self.skip_line();
            }
        }
    }

    fn item(&mut self, keyword: &str) -> Read<ItemKind> {
        match keyword {
            "import" => self.text().map(ItemKind::Import),
            "secret" => self.secret().map(ItemKind::Secret),
            "let" => self.constant().map(ItemKind::Let),
            "provider" => self.provider().map(ItemKind::Provider),
            "model" => self.model().map(ItemKind::Model),
            "extend" => self.extension().map(ItemKind::Extend),
            "catalog" => self.catalog().map(ItemKind::Catalog),
            "pool" => self.pool().map(ItemKind::Pool),
            "tiers" => self.tiers().map(ItemKind::Tiers),
            "tier" => self.tier().map(ItemKind::Tier),
            "content" => self.content().map(ItemKind::Content),
            "policy" => self.policy().map(ItemKind::Policy),
            "place" => self.place().map(ItemKind::Place),
            "deploy" => self.deploy().map(ItemKind::Deploy),
            "test" => self.test().map(ItemKind::Test),
            "require" => self.demand().map(ItemKind::Require),
            _ => Err(self.expected("a statement")),
        }
    }

    fn extension(&mut self) -> Read<Extension> {
        let kinds = ["model", "provider", "pool", "tier", "deploy", "let"];
        let what = "`model`, `provider`, `pool`, `tier`, `deploy` or `let`";
        let kind = self.one_of(&kinds, what)?;
        self.form = match kind {
            "provider" => "extend provider NAME { … }",
            "pool" => "extend pool NAME { … }",
            "tier" => "extend tier NAME { … }",
            "deploy" => "extend deploy { … }",
            "let" => "extend let LONG = 24000",
            _ => self.form,
        };
        match kind {
            "model" => self.model().map(Extension::Model),
            "provider" => self.provider().map(Extension::Provider),
            "pool" => self.pool().map(Extension::Pool),
            "tier" => self.tier().map(Extension::Tier),
            "let" => self.constant().map(Extension::Let),
            _ => self.deploy().map(Extension::Deploy),
        }
    }

    fn tiers(&mut self) -> Read<Vec<Name>> {
        let mut chain = vec![self.name("a tier")?];
        self.chain_from_the_top();
        // `<` is a binary operator: a line may begin with it.
        while self.peek().kind == TokenKind::Less {
            self.bump();
            chain.push(self.name("a tier")?);
        }
        match self.at_end() || self.at_item() {
            true => Ok(chain),
            false => Err(self.expected("`<`")),
        }
    }

    /// Reports a chain that is written with `>`, and takes the signs for `<`: which end was meant to be the lower one
    /// only its author knows, so nothing else is said of its order.
    fn chain_from_the_top(&mut self) {
        let sign = self.peek();
        if self.written(sign) != ">" || sign.first_on_line {
            return;
        }
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(self.span_of(sign), "expected `<`, found `>`")
                .label("a chain is written from its lowest tier up")
                .help("write the lowest tier first: `tiers weak < strong`"),
        );
        self.suspect_from(sign.start);
    }

    fn test(&mut self) -> Read<Test> {
        let name = self.text()?;
        let (mut given, mut expect) = (Vec::new(), Vec::new());
        self.item_block(&fields::TEST, |parser, keyword| {
            match keyword.name {
                "given" => parser.given(&mut given)?,
                "expect" => parser.expect(&mut expect)?,
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(Test {
            name,
            given,
            expect,
        })
    }

    /// The block of an item: its `{` is marked for the formatter.
    pub(super) fn item_block(
        &mut self,
        block: &'static fields::Block,
        statement: impl FnMut(&mut Self, super::block::Keyword<'_>) -> Read<()>,
    ) -> Read<()> {
        let at = self.peek().start;
        self.layout.mark(at, MarkKind::Brace);
        self.block(block, statement)
    }

    /// After an item: the end of its line, or another item.
    fn end_of_item(&mut self) {
        if self.at_item() || self.at_end() {
            return;
        }
        let token = self.peek();
        self.unexpected_at_top(token);
        self.recover_at_top(token.start);
    }

    fn at_item(&mut self) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Word && ITEMS.field(self.written(token)).is_some()
    }

    fn unexpected_at_top(&mut self, token: Token) {
        match token.kind {
            TokenKind::UnclosedText => {
                self.bump();
                return;
            }
            TokenKind::Slash => {
                self.slash(token);
                return;
            }
            _ => {}
        }
        let text = self.written(token).lines().next().unwrap_or("");
        let rest = self.text.get(token.start as usize..).unwrap_or("");
        let report =
            codes::UNEXPECTED_TOKEN.error(self.span_of(token), format!("unexpected `{text}`"));
        let report = match token.kind {
            TokenKind::CloseBrace => report
                .label("closes nothing")
                .help("remove it, or add the `{` that it closes"),
            TokenKind::Minus if rest.starts_with("---") => report
                .label("a file is one document")
                .help("remove the line; a comment begins with `//`"),
            TokenKind::Minus | TokenKind::Less
                if rest.starts_with("--") || rest.starts_with("<!") =>
            {
                report
                    .label("no comment begins with this")
                    .help("a comment begins with `//`")
            }
            _ => report
                .label("no statement begins with this")
                .help(format!("a file has {}", ITEMS.names())),
        };
        self.report(report);
        if token.kind != TokenKind::OpenBrace {
            self.suspect_from(token.end);
            self.bump();
        }
    }

    fn unknown_item(&mut self, token: Token) -> Option<&'static fields::Field> {
        let (span, written) = (self.span_of(token), self.written(token));
        let other = foreign::advice(written);
        let meant = ITEMS.meant(written).filter(|_| other.is_none());
        let report = codes::UNKNOWN_FIELD
            .error(span, format!("`{written}` begins no statement"))
            .label("unknown here");
        let Some(meant) = meant else {
            let help = match fields::home_of(written) {
                _ if other.is_some() => other.unwrap_or_default().to_owned(),
                Some(home) => format!("`{written}` belongs in `{home}`"),
                None => format!("a file has {}", ITEMS.names()),
            };
            self.report(report.help(help));
            self.suspect_from(token.end);
            self.bump();
            return None;
        };
        let edit = Edit {
            span,
            text: meant.name.to_owned(),
        };
        self.report_habit(
            report
                .help(format!("did you mean `{}`?", meant.name))
                .fix(format!("write `{}`", meant.name), [edit]),
        );
        Some(meant)
    }

    /// Skips to the next line that begins with a statement's word. A stray `}` on the way belongs to the
    /// mistake.
    fn recover_at_top(&mut self, start: u32) {
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::End => break,
                TokenKind::Word if token.first_on_line && self.may_begin_item(token) => break,
                TokenKind::OpenBrace => {
                    self.suspect_from(token.start);
                    self.skip_braces();
                }
                _ => {
                    self.suspect_from(token.end);
                    self.bump();
                }
            }
        }
        self.skipped_from(start);
    }

    /// Whether a line begins with a statement's word, or with what is nearly one and not indented.
    fn may_begin_item(&self, token: Token) -> bool {
        let word = self.written(token);
        ITEMS.field(word).is_some()
            || (indent(self.text, token.start) == 0 && ITEMS.meant(word).is_some())
    }
}
