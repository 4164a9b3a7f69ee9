//! `place POOL { … }`

use crate::source::{Span, Spanned};
use crate::syntax::literal;
use crate::syntax::tree::{Bound, Name, Overflow, Percent, Place};

use super::fields::PLACE;
use super::{Parser, Read};

impl Parser<'_> {
    pub(super) fn place(&mut self) -> Read<Place> {
        let mut place = Place {
            pool: self.name("the pool's name")?,
            prefer: Vec::new(),
            saturate: Vec::new(),
            overflow: None,
            only: Vec::new(),
        };
        self.item_block(&PLACE, |parser, keyword| {
            match keyword.name {
                "prefer" => place.prefer = parser.list(Self::weight)?,
                "saturate" => place.saturate = parser.list(Self::bound)?,
                "overflow" => place.overflow = Some(parser.overflow(keyword.span)?),
                "only" => {
                    let when = parser.when()?;
                    place
                        .only
                        .push((parser.span_from(keyword.span.start), when));
                }
                _ => return Err(parser.expected("a field")),
            }
            Ok(())
        })?;
        Ok(place)
    }

    fn weight(&mut self) -> Read<(Name, Spanned<u64>)> {
        let signal = self.name("a signal such as `queue`")?;
        self.skip_separator(&signal.value);
        Ok((signal, self.integer()?))
    }

    fn bound(&mut self) -> Read<(Name, Spanned<Bound>)> {
        let signal = self.name("a signal such as `queue`")?;
        self.skip_separator(&signal.value);
        let token = self.peek();
        let share = literal::read(self.written(token)).is_some_and(|number| number.unit == "%")
            || self.tokens.at(token.end).text(self.text) == "%";
        let bound = self.number("a count or a percentage", |number| match share {
            true => number.percent().map(|share| Bound::Share(Percent(share))),
            false => number.count().map(Bound::Count),
        })?;
        Ok((signal, bound))
    }

    /// `wait 2s then next`, `wait 2s`, `next` or `shed`.
    fn overflow(&mut self, keyword: Span) -> Read<Overflow> {
        let mut wait = None;
        let mut then = None;
        if self.clause("wait") {
            wait = Some(self.duration()?);
            if self.clause("then") {
                then = Some(self.name("`next` or `shed`")?);
            }
        } else {
            then = Some(self.name("`wait`, `next` or `shed`")?);
        }
        Ok(Overflow {
            span: self.span_from(keyword.start),
            wait,
            then,
        })
    }
}
