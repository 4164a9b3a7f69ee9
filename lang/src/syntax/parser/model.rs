//! `model NAME { … }` and `catalog NAME { … }`

use crate::codes;
use crate::diagnostic::Edit;
use crate::source::{Span, Spanned};
use crate::syntax::lexer::TokenKind;
use crate::syntax::literal;
use crate::syntax::tree::{Catalog, Date, Model, Name, Price, PriceRow, Service, Sort, Via};

use super::fields::{CATALOG, MODEL};
use super::{MarkKind, Parser, Read, Reported};

impl Model {
    fn named(name: Name) -> Self {
        Self {
            name,
            via: None,
            context: None,
            output: None,
            price: None,
            rejects: Vec::new(),
            serves: Vec::new(),
            lacks: Vec::new(),
            retires: None,
            listed: None,
        }
    }
}

impl Parser<'_> {
    pub(super) fn model(&mut self) -> Read<Model> {
        let name = self.name("the model's name")?;
        let mut model = Model::named(name);
        self.item_block(&MODEL, |parser, keyword| match keyword.name {
            "via" => {
                model.via = Some(parser.via(keyword.span)?);
                Ok(())
            }
            "listed" => {
                parser.require_word("as")?;
                model.listed = Some(parser.name("a name of the catalog")?);
                Ok(())
            }
            field => parser.model_field(field, keyword.span, &mut model),
        })?;
        Ok(model)
    }

    /// `catalog NAME { … }`: a model's fields without who serves it.
    pub(super) fn catalog(&mut self) -> Read<Catalog> {
        let name = self.name("the name that the provider lists")?;
        let mut model = Model::named(name);
        let mut source = None;
        self.item_block(&CATALOG, |parser, keyword| match keyword.name {
            "source" => {
                source = Some(parser.text()?);
                Ok(())
            }
            field => parser.model_field(field, keyword.span, &mut model),
        })?;
        Ok(Catalog { model, source })
    }

    fn model_field(&mut self, field: &str, keyword: Span, model: &mut Model) -> Read<()> {
        match field {
            "context" => model.context = Some(self.count()?),
            "output" => model.output = Some(self.count()?),
            "price" => self.price_row(keyword, &mut model.price)?,
            "rejects" => model.rejects = self.names("a parameter's name")?,
            "serves" => model.serves = self.names("`chat`, `embeddings` or `completions`")?,
            "lacks" => model.lacks = self.names("`images` or `tools`")?,
            "retires" => model.retires = Some(self.date()?),
            _ => return Err(self.expected("a field")),
        }
        Ok(())
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

    /// `price priority above 272k  input $…`: a row, and the day on which the prices were read.
    fn price(&mut self, keyword: Span) -> Read<(PriceRow, Option<Spanned<Date>>)> {
        let mut row = self.price_head(keyword)?;
        let (mut any, mut sound) = (row.service.is_some() || row.above.is_some(), true);
        let mut rates = 0;
        while let Some((sort, span)) = self.price_part() {
            if any {
                self.layout.mark(span.start, MarkKind::Part);
            }
            any = true;
            rates += 1;
            self.skip_separator(sort.word());
            // Read to its end even so: `output` is a field's name too.
            let Ok(value) = self.price_per_million() else {
                sound = false;
                continue;
            };
            self.per_million();
            match row.rates.get_mut(sort as usize) {
                Some(Some(first)) => {
                    let first = first.span;
                    self.duplicate(sort.word(), span, first);
                }
                Some(place) => *place = Some(value),
                None => {}
            }
        }
        if rates == 0 {
            return Err(self.expected("`input`, `cached` or `output`"));
        }
        let mut as_of = None;
        if self.at_word("as") {
            let at = self.peek().start;
            self.layout.mark(at, MarkKind::Part);
            self.bump();
            self.require_word("of")?;
            as_of = Some(self.date()?);
        }
        row.span = self.span_from(keyword.start);
        if sound {
            Ok((row, as_of))
        } else {
            Err(Reported)
        }
    }

    /// Of which calls a row of prices is.
    fn price_head(&mut self, keyword: Span) -> Read<PriceRow> {
        let mut row = PriceRow::new(keyword);
        let mut services = Service::ALL.into_iter();
        if let Some(value) = services.find(|service| self.at_word(service.word())) {
            let token = self.peek();
            self.bump();
            row.service = Some(Spanned {
                value,
                span: self.span_of(token),
            });
        }
        if self.at_word("above") {
            self.bump();
            row.above = Some(self.count()?);
        }
        Ok(row)
    }

    /// Adds a row to a model's price, if it is the first of its kind.
    fn price_row(&mut self, keyword: Span, price: &mut Option<Price>) -> Read<()> {
        let (row, as_of) = self.price(keyword)?;
        let price = price.get_or_insert_with(|| Price {
            span: row.span,
            rows: Vec::new(),
            as_of: None,
        });
        match (&price.as_of, as_of) {
            (Some(first), Some(again)) => self.duplicate("as of", again.span, first.span),
            (None, Some(day)) => price.as_of = Some(day),
            (_, None) => {}
        }
        let first = price.rows.iter().find(|other| other.is_of(&row));
        match first.map(|first| Span {
            end: first.span.start + 5,
            ..first.span
        }) {
            Some(first) => self.duplicate(&row.head(), keyword, first),
            None => price.rows.push(row),
        }
        Ok(())
    }

    /// Takes `/ 1M` after a price, which needs none.
    fn per_million(&mut self) {
        let slash = self.peek();
        if !self.eat(TokenKind::Slash) {
            return;
        }
        if self.at(TokenKind::Number) {
            self.bump();
        }
        if self.at_word("tokens") {
            self.bump();
        }
        let span = self.span_from(slash.start);
        let written = self.text.get(span.start as usize..span.end as usize);
        let edit = Edit {
            span,
            text: String::new(),
        };
        let found = written.unwrap_or("");
        self.report_habit(
            codes::UNEXPECTED_TOKEN
                .error(span, format!("unexpected `{found}` after a price"))
                .label("prices are per 1M tokens")
                .help("remove it, and write the price in US dollars per 1M tokens")
                .fix("remove what follows the price", [edit]),
        );
    }

    /// Takes `input`, `cached`, `output` or another sort. `output 128k` is the field of that name: a count of thousands
    /// is no price, and any other number is one, so a forgotten `$` is not taken for a length.
    fn price_part(&mut self) -> Option<(Sort, Span)> {
        let token = self.peek();
        let mut sorts = Sort::ALL.into_iter();
        let sort = sorts.find(|sort| self.at_word(sort.word()))?;
        let next = self.tokens.at(token.end);
        let count = literal::read(self.written(next))
            .is_some_and(|number| !number.money && matches!(number.unit, "k" | "M"));
        if sort == Sort::Output && count {
            return None;
        }
        self.bump();
        Some((sort, self.span_of(token)))
    }
}
