//! `content [NAME] { … }`

use crate::syntax::lexer::TokenKind;
use crate::syntax::tree::{Accept, Content, ContentItem, ContentKind, Threshold};

use super::fields::CONTENT;
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn content(&mut self) -> Read<Content> {
        let name = match self.at(TokenKind::Word) {
            true => Some(self.name("the block's name")?),
            false => None,
        };
        let mut items = Vec::new();
        self.item_block(&CONTENT, |parser, keyword| {
            let kind = parser.content_kind(keyword.name)?;
            if !keyword.again {
                items.push(ContentItem {
                    span: parser.span_from(keyword.span.start),
                    kind,
                });
            }
            Ok(())
        })?;
        Ok(Content { name, items })
    }

    fn content_kind(&mut self, keyword: &str) -> Read<ContentKind> {
        match keyword {
            "accept" => self.list(Self::accept).map(ContentKind::Accept),
            "start" => self.name("a tier").map(ContentKind::Start),
            "escalate" => self.escalate(),
            "threshold" => self.threshold().map(ContentKind::Threshold),
            "keep" => self.keep(),
            _ => Err(self.expected("a statement")),
        }
    }

    fn accept(&mut self) -> Read<Accept> {
        if self.at(TokenKind::Text) {
            let pattern = self.text()?;
            let alias = match self.clause("as") {
                true => Some(self.name("a model")?),
                false => None,
            };
            return Ok(Accept::Pattern { pattern, alias });
        }
        let token = self.peek();
        self.one_of(&["models"], "a model name in quotes, or `models`")?;
        Ok(Accept::Models(self.span_of(token)))
    }

    fn escalate(&mut self) -> Read<ContentKind> {
        self.require_word("to")?;
        self.mark_value();
        let tier = self.name("a tier")?;
        let label = self.label()?;
        let when = self.when()?;
        Ok(ContentKind::Escalate { tier, label, when })
    }

    /// A rule's label, if it has one.
    pub(super) fn label(&mut self) -> Read<Option<crate::syntax::tree::Text>> {
        match self.peek().kind {
            TokenKind::Text if self.at(TokenKind::Text) => self.text().map(Some),
            TokenKind::UnclosedText if self.at(TokenKind::UnclosedText) => Err(super::Reported),
            _ => Ok(None),
        }
    }

    fn threshold(&mut self) -> Read<Threshold> {
        if self.at(TokenKind::Number) {
            return self.decimal().map(Threshold::Fixed);
        }
        self.one_of(&["hold"], "a decimal, or `hold`")?;
        let tier = self.name("a tier")?;
        self.require_word("at")?;
        let low = self.percent()?;
        let high = match self.eat(TokenKind::DotDot) {
            true => self.percent()?,
            false => low.clone(),
        };
        Ok(Threshold::Hold { tier, low, high })
    }

    fn keep(&mut self) -> Read<ContentKind> {
        self.require_word("session")?;
        let session = self.short_expression()?;
        self.require_word("for")?;
        let window = self.duration()?;
        Ok(ContentKind::Keep { session, window })
    }
}
