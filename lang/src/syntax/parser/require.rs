//! `require "…" { … }`

use crate::syntax::tree::Require;

use super::fields::REQUIRE;
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn demand(&mut self) -> Read<Require> {
        let mut demand = Require {
            label: self.text()?,
            each: None,
            when: None,
            that: None,
            help: None,
            severity: None,
        };
        self.item_block(&REQUIRE, |parser, keyword| {
            match keyword.name {
                "each" => demand.each = Some(parser.name("a kind of item, such as `tier`")?),
                "when" => demand.when = Some(parser.statement_expression()?),
                "that" => demand.that = Some(parser.statement_expression()?),
                "help" => demand.help = Some(parser.text()?),
                "severity" => demand.severity = Some(parser.name("`error` or `warning`")?),
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(demand)
    }
}
