//! `deploy kubernetes { … }`

use crate::source::{Span, Spanned};
use crate::syntax::lexer::TokenKind;
use crate::syntax::tree::{Deploy, StateStore};

use super::fields::{DEPLOY, VERSIONS};
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn deploy(&mut self) -> Read<Deploy> {
        // There is one deployment, so an overlay need not say of what: `extend deploy { … }`.
        let here = self.span_from(self.statement);
        let target = match self.at(TokenKind::OpenBrace) && self.form.starts_with("extend") {
            true => Spanned::new("kubernetes".to_owned(), here),
            false => self.name("`kubernetes`")?,
        };
        let mut deploy = Deploy {
            target,
            namespace: None,
            shape: None,
            replicas: None,
            monitor: None,
            state: None,
            image: None,
            versions: Vec::new(),
        };
        self.item_block(&DEPLOY, |parser, keyword| {
            match keyword.name {
                "namespace" => deploy.namespace = Some(parser.text()?),
                "shape" => deploy.shape = Some(parser.name("a shape")?),
                "replicas" => deploy.replicas = Some(parser.range()?),
                "monitor" => deploy.monitor = Some(parser.name("a monitor")?),
                "state" => deploy.state = Some(parser.state(keyword.span)?),
                "image" => deploy.image = Some(parser.text()?),
                "versions" => deploy.versions = parser.pairs(&VERSIONS, false)?,
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(deploy)
    }

    fn state(&mut self, keyword: Span) -> Read<StateStore> {
        let kind = self.name("`local` or `redis`")?;
        let secret = match self.clause("secret") {
            true => Some(self.name("the secret's name")?),
            false => None,
        };
        let away = match self.clause("away") {
            true => Some(self.name("`deny` or `share`")?),
            false => None,
        };
        Ok(StateStore {
            span: self.span_from(keyword.start),
            kind,
            secret,
            away,
        })
    }
}
