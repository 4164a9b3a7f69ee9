//! `tier NAME { … }`

use crate::codes;
use crate::diagnostic::Edit;
use crate::source::Span;
use crate::syntax::lexer::TokenKind;
use crate::syntax::tree::{Name, Percent, Split, Step, Tier};

use super::fields::TIER;
use super::{MarkKind, Parser, Read};
use crate::source::Spanned;

impl Parser<'_> {
    pub(super) fn tier(&mut self) -> Read<Tier> {
        let mut tier = Tier {
            name: self.name("the tier's name")?,
            steps: Vec::new(),
            timeout: None,
            retries: None,
            hedge: None,
        };
        self.item_block(&TIER, |parser, keyword| {
            match keyword.name {
                "try" => parser.fallback(None, &mut tier.steps)?,
                "split" => parser.fallback(Some(keyword.span), &mut tier.steps)?,
                "timeout" => tier.timeout = Some(parser.duration()?),
                "retries" => tier.retries = Some(parser.integer()?),
                "hedge" => {
                    parser.require_word("after")?;
                    tier.hedge = Some(parser.duration()?);
                }
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(tier)
    }

    /// `A then B then …`, after `try` or after `split`.
    fn fallback(&mut self, split: Option<Span>, steps: &mut Vec<Step>) -> Read<()> {
        steps.push(self.step(split)?);
        while self.meant_then() || self.marked_clause("then", MarkKind::Part) {
            let span = self.peek();
            let split = match self.clause("split") {
                true => Some(self.span_of(span)),
                false => None,
            };
            steps.push(self.step(split)?);
        }
        Ok(())
    }

    /// Takes what others write between a model and its fallback: a comma, an arrow, `or`.
    fn meant_then(&mut self) -> bool {
        if self.instead_of("then", &["or", "else", "and", "fallback", "next"]) {
            return true;
        }
        let sign = self.peek();
        let arrow = self.at(TokenKind::Minus) && self.tokens.at(sign.end).text(self.text) == ">";
        let end = sign.end + u32::from(arrow);
        let next = self.tokens.at(end);
        let model = next.kind == TokenKind::Word
            && !next.first_on_line
            && !self.may_begin_statement(self.written(next));
        if !model || !(arrow || self.at(TokenKind::Comma)) {
            return false;
        }
        self.move_to(end);
        let span = self.span_from(sign.start);
        let written = self.text.get(sign.start as usize..end as usize);
        let edit = Edit {
            span,
            text: " then".to_owned(),
        };
        let found = written.unwrap_or("");
        self.report_habit(
            codes::UNEXPECTED_TOKEN
                .error(span, format!("expected `then`, found `{found}`"))
                .label("a fallback follows `then`")
                .help(format!("write `then {}`", self.written(next)))
                .fix("write `then`", [edit]),
        );
        true
    }

    fn step(&mut self, split: Option<Span>) -> Read<Step> {
        match split {
            Some(keyword) => self.split(keyword).map(Step::Split),
            None => self.name("a model or a tier").map(Step::Try),
        }
    }

    fn split(&mut self, keyword: Span) -> Read<Split> {
        let arms = self.list(Self::arm)?;
        let key = match self.clause("by") {
            true => Some(self.short_expression()?),
            false => None,
        };
        Ok(Split {
            span: self.span_from(keyword.start),
            arms,
            key,
        })
    }

    fn arm(&mut self) -> Read<(Name, Spanned<Percent>)> {
        Ok((self.name("a model")?, self.percent()?))
    }
}
