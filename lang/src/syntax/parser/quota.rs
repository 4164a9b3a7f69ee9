//! `limit 600 requests / 1m …` and `budget $50 / day …`

use crate::codes;
use crate::diagnostic::Edit;
use crate::source::{Span, Spanned};
use crate::syntax::lexer::TokenKind;
use crate::syntax::literal;
use crate::syntax::tree::{Amount, Outcome, OutcomeAction, Quota, Text, Window};

use super::expression::CLAUSES;
use super::fields::OUTCOMES;
use super::number::is_currency;
use super::{MarkKind, Parser, Read};

/// The words that begin a window.
const WINDOWS: &[&str] = &["day", "week", "month", "session", "call", "sliding"];
/// What a quota counts that is no money.
const UNITS: &[&str] = &["requests", "calls", "tokens", "repeats", "concurrent"];

/// Where each clause of a quota was first written.
#[derive(Default)]
struct Seen(Vec<(&'static str, Span)>);

impl Parser<'_> {
    pub(super) fn quota(&mut self, budget: bool) -> Read<Quota> {
        let start = self.peek().start;
        let (amount, window) = match self.rate_of_elsewhere(budget) {
            Some(rate) => rate,
            None => {
                let amount = match budget {
                    true => self.budget_amount()?,
                    false => self.amount()?,
                };
                let window = match amount.value {
                    Amount::Concurrent(_) if !self.at(TokenKind::Slash) => {
                        Spanned::new(Window::Open, amount.span)
                    }
                    _ => {
                        self.slash_before_window()?;
                        self.window()?
                    }
                };
                (amount, window)
            }
        };
        let rate_span = self.span_from(start);
        let mut quota = Quota {
            budget,
            rate_span,
            amount,
            window,
            zone: self.zone()?,
            burst: None,
            label: None,
            per: None,
            on: None,
            outcomes: Vec::new(),
            when: None,
        };
        let mut seen = Seen::default();
        while self.quota_clause(&mut quota, &mut seen)? {}
        Ok(quota)
    }

    /// Takes the `/` of a rate, or `per` where it stands for one.
    fn slash_before_window(&mut self) -> Read<()> {
        let per = self.peek();
        let next = self.tokens.at(per.end);
        let window = next.kind == TokenKind::Number || WINDOWS.contains(&self.written(next));
        if window && self.instead_of("/", &["per", "a", "every", "each"]) {
            return Ok(());
        }
        self.require(TokenKind::Slash, "`/` and a window")
            .map(|_| ())
    }

    fn zone(&mut self) -> Read<Option<Text>> {
        match self.clause("in") {
            true => self.text().map(Some),
            false => Ok(None),
        }
    }

    /// An amount that is money, unless its unit says that it is not.
    fn budget_amount(&mut self) -> Read<Spanned<Amount>> {
        let number = self.tokens.at(self.position);
        let unit = self.tokens.at(number.end);
        let counts =
            unit.kind == TokenKind::Word && !unit.first_on_line && !is_currency(self.written(unit));
        if counts && number.kind == TokenKind::Number {
            return self.amount();
        }
        let money = self.money()?;
        Ok(Spanned::new(Amount::Money(money.value), money.span))
    }

    /// An amount that is money, unless a unit follows.
    pub(super) fn spent_amount(&mut self) -> Read<Spanned<Amount>> {
        let number = self.tokens.at(self.position);
        let unit = self.tokens.at(number.end);
        if number.kind == TokenKind::Number && UNITS.contains(&self.written(unit)) {
            return self.amount();
        }
        let money = self.money()?;
        Ok(Spanned::new(Amount::Money(money.value), money.span))
    }

    fn amount(&mut self) -> Read<Spanned<Amount>> {
        let token = self.peek();
        let number = literal::read(self.written(token));
        if number.is_some_and(|number| number.money) {
            let money = self.money()?;
            return Ok(Spanned::new(Amount::Money(money.value), money.span));
        }
        let count = self.number("an amount such as `600 requests` or `$50`", |n| n.count())?;
        let what = "`requests`, `tokens`, `repeats` or `concurrent`";
        let amount = match self.one_of(UNITS, what)? {
            "tokens" => Amount::Tokens(count.value),
            "repeats" => Amount::Repeats(count.value),
            "concurrent" => Amount::Concurrent(count.value),
            _ => Amount::Requests(count.value),
        };
        Ok(Spanned::new(amount, self.span_from(count.span.start)))
    }

    fn window(&mut self) -> Read<Spanned<Window>> {
        if self.at(TokenKind::Number) {
            let rolling = self.duration()?;
            return Ok(Spanned::new(Window::Rolling(rolling.value), rolling.span));
        }
        let what = "a window such as `1m` or `day`";
        let next = self.peek();
        if CLAUSES.contains(&self.written(next)) {
            return Err(self.expected(what));
        }
        let word = self.name(what)?;
        let window = match word.value.as_str() {
            "sliding" => {
                let length = self.duration()?;
                Window::Sliding(length.value)
            }
            "session" => {
                let idle = self.clause("idle");
                Window::Session(idle.then(|| self.duration()).transpose()?)
            }
            "call" => Window::Call,
            "day" => Window::Day,
            "week" => Window::Week,
            "month" => Window::Month,
            _ => Window::Other(word.value),
        };
        Ok(Spanned::new(window, self.span_from(word.span.start)))
    }

    /// Reads one clause; whether there was one. They may stand in any order, each once.
    fn quota_clause(&mut self, quota: &mut Quota, seen: &mut Seen) -> Read<bool> {
        let token = self.peek();
        let span = self.span_of(token);
        let name = match token.kind {
            _ if self.at(TokenKind::Text) => {
                let label = self.text()?;
                quota.label.get_or_insert(label);
                "label"
            }
            _ if self.at(TokenKind::OpenBrace) => {
                self.layout.mark(token.start, MarkKind::Brace);
                let outcomes = self.outcomes()?;
                quota.outcomes.extend(outcomes);
                "{ … }"
            }
            _ if self.instead_of("per", &["by", "for", "each"])
                || self.marked_clause("per", MarkKind::Per) =>
            {
                let per = self.short_expression()?;
                quota.per.get_or_insert(per);
                "per"
            }
            _ if self.marked_clause("on", MarkKind::On) => {
                let on = self.name("a tier or a model")?;
                quota.on.get_or_insert(on);
                "on"
            }
            _ if self.marked_clause("burst", MarkKind::Part) => {
                let burst = self.count()?;
                quota.burst.get_or_insert(burst);
                "burst"
            }
            _ => match self.quota_when()? {
                Some(when) => {
                    quota.when.get_or_insert(when);
                    "when"
                }
                None => return Ok(false),
            },
        };
        match seen.0.iter().find(|(first, _)| *first == name) {
            Some((_, first)) => {
                let first = *first;
                self.duplicate(name, span, first);
            }
            None => seen.0.push((name, span)),
        }
        Ok(true)
    }

    /// `when EXPR`, set off as the other clauses of a quota are.
    fn quota_when(&mut self) -> Read<Option<crate::cel::Expr>> {
        match self.marked_clause("when", MarkKind::Part) {
            true => self.statement_expression().map(Some),
            false => Ok(None),
        }
    }

    fn outcomes(&mut self) -> Read<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        self.block(&OUTCOMES, |parser, keyword| {
            let share = parser.percent()?;
            let action = parser.outcome_action()?;
            outcomes.push(Outcome {
                span: parser.span_from(keyword.span.start),
                share,
                action,
            });
            Ok(())
        })?;
        Ok(outcomes)
    }

    /// Takes `at TIER` where `cap at TIER` belongs.
    fn forgotten_cap(&mut self) -> bool {
        let at = self.peek();
        let tier = self.tokens.at(at.end);
        if !self.at_word("at") || tier.kind != TokenKind::Word || tier.first_on_line {
            return false;
        }
        let right = format!("cap at {}", self.written(tier));
        let edit = Edit {
            span: Span::new(self.file, at.start, at.start),
            text: "cap ".to_owned(),
        };
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(self.span_of(at), "expected `cap`, found `at`")
                .label("`cap` is missing before this")
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), [edit]),
        );
        self.bump();
        true
    }

    fn outcome_action(&mut self) -> Read<OutcomeAction> {
        if self.forgotten_cap() {
            return self.name("a tier").map(OutcomeAction::CapAt);
        }
        let actions = ["warn", "deny", "wait", "cap"];
        match self.one_of(&actions, "`warn`, `deny`, `wait 5s` or `cap at TIER`")? {
            "warn" => Ok(OutcomeAction::Warn),
            "deny" => Ok(OutcomeAction::Deny),
            "wait" => self.duration().map(OutcomeAction::Wait),
            _ => {
                self.require_word("at")?;
                self.name("a tier").map(OutcomeAction::CapAt)
            }
        }
    }
}
