//! `policy { … }`

use crate::source::Span;
use crate::syntax::lexer::TokenKind;
use crate::syntax::tree::{Callers, Jwt, Policy, PolicyItem, PolicyKind, Redaction};

use super::fields::{CALLERS, JWT, POLICY};
use super::{MarkKind, Parser, Read};

impl Parser<'_> {
    pub(super) fn policy(&mut self) -> Read<Policy> {
        let mut items = Vec::new();
        self.item_block(&POLICY, |parser, keyword| {
            let kind = parser.policy_kind(keyword.name)?;
            items.push(PolicyItem {
                span: parser.span_from(keyword.span.start),
                kind,
            });
            Ok(())
        })?;
        Ok(Policy { items })
    }

    fn policy_kind(&mut self, keyword: &str) -> Read<PolicyKind> {
        match keyword {
            "callers" => self.callers().map(PolicyKind::Callers),
            "deny" => self.deny(),
            "cap" => self.cap(),
            "limit" => self.quota(false).map(PolicyKind::Quota),
            "budget" => self.quota(true).map(PolicyKind::Quota),
            "redact" => self.redact(),
            "priority" => self.priority(),
            _ => Err(self.expected("a statement")),
        }
    }

    fn callers(&mut self) -> Read<Callers> {
        let mut callers = Callers::default();
        self.block(&CALLERS, |parser, keyword| {
            match keyword.name {
                "keys" => {
                    callers.keys = match parser.dotted_secret() {
                        Some(name) => Some(name),
                        None => {
                            parser.require_word("secret")?;
                            Some(parser.name("the secret's name")?)
                        }
                    };
                }
                "jwt" => callers.jwt = Some(parser.jwt(keyword.span)?),
                "anonymous" => callers.anonymous = Some(parser.name("`deny` or `allow`")?),
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(callers)
    }

    fn jwt(&mut self, keyword: Span) -> Read<Jwt> {
        let mut jwt = Jwt {
            span: keyword,
            issuer: None,
            audience: None,
            jwks: None,
            key: None,
            team: None,
            agent: None,
            plan: None,
            name: None,
        };
        self.block(&JWT, |parser, keyword| {
            match keyword.name {
                "issuer" => jwt.issuer = Some(parser.text()?),
                "audience" => jwt.audience = Some(parser.text()?),
                "jwks" => jwt.jwks = Some(parser.text()?),
                "key" => jwt.key = Some(parser.text()?),
                "team" => jwt.team = Some(parser.text()?),
                "agent" => jwt.agent = Some(parser.text()?),
                "plan" => jwt.plan = Some(parser.text()?),
                "name" => jwt.name = Some(parser.text()?),
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        jwt.span = self.span_from(keyword.start);
        Ok(jwt)
    }

    fn deny(&mut self) -> Read<PolicyKind> {
        let label = self.label()?;
        let status = match self.clause("status") {
            true => Some(self.integer()?),
            false => None,
        };
        let when = self.when()?;
        Ok(PolicyKind::Deny {
            label,
            status,
            when,
        })
    }

    fn cap(&mut self) -> Read<PolicyKind> {
        self.require_word("at")?;
        self.mark_value();
        let tier = self.name("a tier")?;
        let label = self.label()?;
        let when = self.when()?;
        Ok(PolicyKind::Cap { tier, label, when })
    }

    fn redact(&mut self) -> Read<PolicyKind> {
        let patterns = self.list(Self::redaction)?;
        let places = match self.marked_clause("in", MarkKind::Part) {
            true => self.names("`request`, `response` or `logs`")?,
            false => Vec::new(),
        };
        Ok(PolicyKind::Redact { patterns, places })
    }

    fn redaction(&mut self) -> Read<Redaction> {
        if self.at(TokenKind::Text) {
            return self.text().map(Redaction::Pattern);
        }
        let what = "a kind such as `email`, or a pattern in quotes";
        if self.at_word("in") {
            return Err(self.expected(what));
        }
        self.name(what).map(Redaction::Kind)
    }

    fn priority(&mut self) -> Read<PolicyKind> {
        let value = self.signed()?;
        let label = self.label()?;
        let when = self.optional_when()?;
        Ok(PolicyKind::Priority { value, label, when })
    }
}
