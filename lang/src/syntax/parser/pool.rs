//! `pool NAME { … }`

use crate::source::Span;
use crate::syntax::tree::{Engine, Kaito, Pool, Selector};

use super::fields::{KAITO, METRICS, POOL, SELECTOR};
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn pool(&mut self) -> Read<Pool> {
        let mut pool = Pool {
            name: self.name("the pool's name")?,
            kaito: None,
            engine: None,
            port: None,
            endpoints: Vec::new(),
            dns: None,
            selector: None,
        };
        self.item_block(&POOL, |parser, keyword| {
            match keyword.name {
                "kaito" => pool.kaito = Some(parser.kaito(keyword.span)?),
                "engine" => pool.engine = Some(parser.engine()?),
                "port" => pool.port = Some(parser.integer()?),
                "endpoints" => pool.endpoints = parser.texts()?,
                "dns" => pool.dns = Some(parser.text()?),
                "selector" => pool.selector = Some(parser.selector(keyword.span)?),
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(pool)
    }

    fn kaito(&mut self, keyword: Span) -> Read<Kaito> {
        let mut kaito = Kaito {
            span: keyword,
            preset: None,
            instance: None,
            replicas: None,
        };
        self.block(&KAITO, |parser, keyword| {
            match keyword.name {
                "preset" => kaito.preset = Some(parser.text()?),
                "instance" => kaito.instance = Some(parser.text()?),
                "replicas" => kaito.replicas = Some(parser.range()?),
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        kaito.span = self.span_from(keyword.start);
        Ok(kaito)
    }

    fn engine(&mut self) -> Read<Engine> {
        let name = self.name("an engine")?;
        let metrics = match name.value.as_str() {
            "custom" => self.pairs(&METRICS, false)?,
            _ => Vec::new(),
        };
        Ok(Engine { name, metrics })
    }

    fn selector(&mut self, keyword: Span) -> Read<Selector> {
        let labels = self.pairs(&SELECTOR, true)?;
        let namespace = match self.clause("namespace") {
            true => Some(self.text()?),
            false => None,
        };
        Ok(Selector {
            span: self.span_from(keyword.start),
            labels,
            namespace,
        })
    }
}
