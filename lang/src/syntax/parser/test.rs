//! The two blocks of a `test`: `given { … }` and `expect { … }`.

use crate::source::{Span, Spanned};
use crate::syntax::lexer::{TokenKind, offset};
use crate::syntax::tree::{Expect, ExpectKind, Given, Name, Text};

use super::block::Keyword;
use super::fields::{EXPECT, GIVEN};
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn given(&mut self, facts: &mut Vec<Given>) -> Read<()> {
        self.block(&GIVEN, |parser, keyword| {
            facts.push(parser.fact(keyword)?);
            Ok(())
        })
    }

    fn fact(&mut self, keyword: Keyword<'_>) -> Read<Given> {
        Ok(match keyword.name {
            "prompt" => Given::Prompt(self.text()?),
            "system" => Given::System(self.text()?),
            "model" => Given::Model(self.text()?),
            "tools" => Given::Tools(self.texts()?),
            "header" => Given::Header(self.text()?, self.text()?),
            "metadata" => Given::Metadata(self.text()?, self.text()?),
            "stream" => Given::Stream(self.boolean()?),
            "temperature" => Given::Temperature(self.decimal()?),
            "difficulty" => Given::Difficulty(self.decimal()?),
            "at" => Given::Now(self.text()?),
            "spent" => Given::Spent(self.spent_amount()?, self.spent_on()?),
            "tokens" | "max_tokens" | "turns" | "images" => {
                let field = Spanned::new(keyword.name.to_owned(), keyword.span);
                Given::Count(field, self.count()?)
            }
            _ => Given::Caller(caller_field(keyword), self.text()?),
        })
    }

    fn spent_on(&mut self) -> Read<Option<Name>> {
        match self.clause("on") {
            true => self.name("a tier or a model").map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn expect(&mut self, expectations: &mut Vec<Expect>) -> Read<()> {
        self.block(&EXPECT, |parser, keyword| {
            let kind = parser.expectation(keyword.name)?;
            expectations.push(Expect {
                span: parser.span_from(keyword.span.start),
                kind,
            });
            Ok(())
        })
    }

    fn expectation(&mut self, keyword: &str) -> Read<ExpectKind> {
        Ok(match keyword {
            "tier" => ExpectKind::Tier(self.name("a tier")?),
            "model" => ExpectKind::Model(self.name("a model")?),
            "cost" => {
                self.require(TokenKind::Less, "`<`")?;
                ExpectKind::CostBelow(self.money()?)
            }
            "escalated" => ExpectKind::EscalatedBy(self.by_label()?),
            "capped" => ExpectKind::CappedBy(self.by_label()?),
            "limited" => ExpectKind::LimitedBy(self.by_label()?),
            "warned" => ExpectKind::WarnedBy(self.by_label()?),
            "denied" if self.clause("by") => ExpectKind::Denied(Some(self.text()?)),
            "denied" => ExpectKind::Denied(None),
            "status" => ExpectKind::Status(self.integer()?),
            "priority" => ExpectKind::Priority(self.signed()?),
            _ => return Err(self.expected("an expectation")),
        })
    }

    fn by_label(&mut self) -> Read<Text> {
        self.require_word("by")?;
        self.text()
    }
}

/// `team` of `caller.team`.
fn caller_field(keyword: Keyword<'_>) -> Name {
    let field = keyword
        .written
        .strip_prefix("caller.")
        .unwrap_or(keyword.written);
    let length = keyword.span.end - keyword.span.start;
    let start = keyword.span.end - offset(field.len()).min(length);
    Spanned::new(
        field.to_owned(),
        Span::new(keyword.span.file, start, keyword.span.end),
    )
}
