//! `provider NAME { … }`

use crate::source::Spanned;
use crate::syntax::lexer::TokenKind;
use crate::syntax::tree::{Auth, Provider};

use super::fields::PROVIDER;
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn provider(&mut self) -> Read<Provider> {
        let mut provider = Provider {
            name: self.name("the provider's name")?,
            kind: None,
            resource: None,
            url: None,
            version: None,
            region: None,
            auth: None,
        };
        self.item_block(&PROVIDER, |parser, keyword| {
            match keyword.name {
                "kind" => provider.kind = Some(parser.name("a kind of API")?),
                "resource" => provider.resource = Some(parser.text()?),
                "url" => provider.url = Some(parser.text()?),
                "version" => provider.version = Some(parser.text()?),
                "region" => provider.region = Some(parser.text()?),
                "auth" => provider.auth = Some(parser.auth()?),
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(provider)
    }

    fn auth(&mut self) -> Read<Spanned<Auth>> {
        let start = self.peek().start;
        let auth = if self.at(TokenKind::Text) {
            Auth::Literal(self.text()?)
        } else if let Some(name) = self.dotted_secret() {
            Auth::Secret(name)
        } else {
            let kinds = ["secret", "workload-identity", "none"];
            match self.one_of(&kinds, "`secret NAME`, `workload-identity` or `none`")? {
                "secret" => Auth::Secret(self.name("the secret's name")?),
                "none" => Auth::None,
                _ => Auth::WorkloadIdentity,
            }
        };
        Ok(Spanned::new(auth, self.span_from(start)))
    }
}
