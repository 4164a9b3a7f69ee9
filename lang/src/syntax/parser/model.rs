//! `model NAME { … }`

use crate::source::Span;
use crate::syntax::lexer::{TokenKind, scan};
use crate::syntax::literal;
use crate::syntax::tree::{Model, Price, Via};

use super::fields::MODEL;
use super::{MarkKind, Parser, Read, Reported};

impl Parser<'_> {
    pub(super) fn model(&mut self) -> Read<Model> {
        let mut model = Model {
            name: self.name("the model's name")?,
            via: None,
            context: None,
            output: None,
            price: None,
            rejects: Vec::new(),
            serves: Vec::new(),
        };
        self.item_block(&MODEL, |parser, keyword| {
            match keyword.name {
                "via" => model.via = Some(parser.via(keyword.span)?),
                "context" => model.context = Some(parser.count()?),
                "output" => model.output = Some(parser.count()?),
                "price" => model.price = Some(parser.price(keyword.span)?),
                "rejects" => model.rejects = parser.names("a parameter's name")?,
                "serves" => model.serves = parser.names("`chat`, `embeddings` or `completions`")?,
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(model)
    }

    fn via(&mut self, keyword: Span) -> Read<Via> {
        let mut pool = false;
        let mut target = self.name("a provider, or `pool` and a pool")?;
        if target.value == "pool"
            && self.at(TokenKind::Word)
            && !self.at_word("deployment")
            && !self.at_word("as")
        {
            pool = true;
            target = self.name("the pool's name")?;
        }
        let named = ["deployment", "as"]
            .iter()
            .any(|word| self.marked_clause(word, MarkKind::Part));
        let upstream_name = match named {
            true => Some(self.text()?),
            false => None,
        };
        Ok(Via {
            span: self.span_from(keyword.start),
            target,
            pool,
            upstream_name,
        })
    }

    fn price(&mut self, keyword: Span) -> Read<Price> {
        let mut price = Price {
            span: keyword,
            input: None,
            cached: None,
            output: None,
        };
        let (mut any, mut sound) = (false, true);
        while let Some((name, span)) = self.price_part() {
            if any {
                self.layout.mark(span.start, MarkKind::Part);
            }
            any = true;
            // Read to its end even so: `output` is a field's name too.
            let Ok(value) = self.price_per_million() else {
                sound = false;
                continue;
            };
            let slot = match name {
                "input" => &mut price.input,
                "cached" => &mut price.cached,
                _ => &mut price.output,
            };
            match slot {
                Some(first) => {
                    let first = first.span;
                    self.duplicate(name, span, first);
                }
                None => *slot = Some(value),
            }
        }
        if !any {
            return Err(self.expected("`input`, `cached` or `output`"));
        }
        price.span = self.span_from(keyword.start);
        if sound { Ok(price) } else { Err(Reported) }
    }

    /// Takes `input`, `cached` or `output`. `output 128k` is the field of that name: a count of thousands
    /// is no price, and any other number is one, so a forgotten `$` is not taken for a length.
    fn price_part(&mut self) -> Option<(&'static str, Span)> {
        let token = self.peek();
        let name = ["input", "cached", "output"]
            .into_iter()
            .find(|name| self.at_word(name))?;
        let next = scan(self.text, token.end);
        let count = literal::read(self.written(next))
            .is_some_and(|number| !number.money && matches!(number.unit, "k" | "M"));
        if name == "output" && count {
            return None;
        }
        self.bump();
        Some((name, self.span_of(token)))
    }
}
