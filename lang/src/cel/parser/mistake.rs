//! What the parser says about an expression that is not CEL, and where it goes on.

use super::{BinaryOperator, Diagnostic, EXPRESSION_SYNTAX, Extent, Parser, Span, TokenKind};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::literal::{self, Malformed};
use crate::diagnostic::Edit;
use crate::source::Spanned;

/// What people write in other languages, and what it is in CEL.
const MEANT: &[(&str, &str, BinaryOperator)] = &[
    ("=", "==", BinaryOperator::Equal),
    ("===", "==", BinaryOperator::Equal),
    ("is", "==", BinaryOperator::Equal),
    ("equals", "==", BinaryOperator::Equal),
    ("!==", "!=", BinaryOperator::NotEqual),
    ("<>", "!=", BinaryOperator::NotEqual),
    ("is not", "!=", BinaryOperator::NotEqual),
    ("≠", "!=", BinaryOperator::NotEqual),
    ("≤", "<=", BinaryOperator::LessOrEqual),
    ("≥", ">=", BinaryOperator::GreaterOrEqual),
    ("=>", ">=", BinaryOperator::GreaterOrEqual),
    ("&", "&&", BinaryOperator::And),
    ("|", "||", BinaryOperator::Or),
    ("and", "&&", BinaryOperator::And),
    ("or", "||", BinaryOperator::Or),
    ("AND", "&&", BinaryOperator::And),
    ("OR", "||", BinaryOperator::Or),
];

impl Parser<'_> {
    /// Whether a word or sign that is not CEL may be a slip of the pen, and not what follows the expression.
    fn may_be_slip(&self) -> bool {
        self.extent == Extent::Statement || !self.brackets.is_empty()
    }

    /// The operator that was meant by something that is none.
    pub(super) fn meant_operator(&self, written: &str) -> Option<BinaryOperator> {
        if !self.may_be_slip() {
            return None;
        }
        // `exists(t => …)` is no comparison.
        if written == "=>" && !self.brackets.is_empty() {
            return None;
        }
        if written == "is" && self.lexer.clone().next().kind.is_word("not") {
            return Some(BinaryOperator::NotEqual);
        }
        if written == "not" && self.lexer.clone().next().kind.is_word("in") {
            return Some(BinaryOperator::In);
        }
        MEANT
            .iter()
            .find(|(wrong, ..)| *wrong == written)
            .map(|(_, _, operator)| *operator)
    }

    /// Takes the current token as `operator`, and says so if it was written in another way.
    pub(super) fn take_operator(&mut self, operator: BinaryOperator) {
        let span = self.current.span;
        let mut span = span;
        let mut written = match &self.current.kind {
            TokenKind::Symbol(symbol) => (*symbol).to_owned(),
            TokenKind::Word(word) => (*word).to_owned(),
            TokenKind::Unknown(sign) => sign.to_string(),
            _ => String::new(),
        };
        self.advance();
        if written == "is" && operator == BinaryOperator::NotEqual {
            self.advance();
            written = "is not".to_owned();
            span = Span::new(span.file, span.start, self.previous_end);
        }
        if written.starts_with("is") && self.is_word_for_nothing() {
            return self.compared_with_nothing(span, operator);
        }
        let joins = matches!(operator, BinaryOperator::And | BinaryOperator::Or);
        if joins && self.current.kind.is_word("when") && self.may_be_slip() {
            self.advance();
            self.second_when(span, operator);
            return;
        }
        if written == "not" {
            self.advance();
            let span = Span::new(span.file, span.start, self.previous_end);
            self.report(
                EXPRESSION_SYNTAX
                    .error(span, "`not in` is not an operator")
                    .label("CEL negates the whole test")
                    .help("write `!(x in list)`"),
            );
            return;
        }
        let meant = MEANT
            .iter()
            .find(|(wrong, _, meant)| *wrong == written && *meant == operator);
        if let Some((wrong, right, ..)) = meant {
            self.report_meant(span, wrong, right);
        }
    }

    /// Stops at a sign of other languages that no operator of CEL stands for.
    pub(super) fn foreign_operator(&mut self) {
        let (label, help) = match self.current.kind {
            TokenKind::Symbol("=>") => (
                "a variable and its test stand apart by a comma",
                "write `,`, as in `list.exists(x, x.name == \"a\")`",
            ),
            TokenKind::Symbol("=~") => (
                "patterns are matched by a function",
                "write `text.matches(r\"pattern\")`",
            ),
            _ => return,
        };
        let span = self.current.span;
        let written = self.found();
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, format!("{written} is not an operator"))
                .label(label)
                .help(help),
        );
    }

    /// Says that `not`, which stands before an operand from `operand` on, is none.
    pub(super) fn report_not(&mut self, not: Span, operand: u32) {
        let report = EXPRESSION_SYNTAX
            .error(not, "`not` is not an operator")
            .label("CEL writes `!`");
        // `not a == b` negates the comparison, `!a == b` would not.
        let compared = self
            .binary_operator()
            .is_some_and(|operator| !matches!(operator, BinaryOperator::And | BinaryOperator::Or));
        let edit = Edit {
            span: Span::new(not.file, not.start, operand),
            text: "!".to_owned(),
        };
        match compared {
            true => self
                .report(report.help("write `!`, and parentheses around a comparison: `!(a == b)`")),
            false => self.report_word(report.help("write `!`").fix("write `!`", [edit])),
        }
    }

    fn report_meant(&mut self, span: Span, wrong: &str, right: &str) {
        let edit = Edit {
            span,
            text: right.to_owned(),
        };
        self.report_word(
            EXPRESSION_SYNTAX
                .error(span, format!("`{wrong}` is not an operator"))
                .label(format!("CEL writes `{right}`"))
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), [edit]),
        );
    }

    /// Says that no name follows a `.`; `?.[` is how other languages read a key that may be missing.
    pub(super) fn name_after_dot(&mut self) {
        if !(self.at("[") && self.previous_is("?.")) {
            return self.expected("a name", "after the `.`");
        }
        let span = Span::new(
            self.current.span.file,
            self.previous_end.saturating_sub(2),
            self.current.span.end,
        );
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, "`?.[` is not CEL")
                .label("reads a key that may be missing")
                .help("write `[?\"key\"].orValue(\"\")`"),
        );
    }

    fn is_word_for_nothing(&self) -> bool {
        let words = ["null", "NULL", "None", "nil", "undefined"];
        words.iter().any(|word| self.current.kind.is_word(word))
    }

    /// `is null`, as SQL and Python ask for what was not sent.
    fn compared_with_nothing(&mut self, operator: Span, meant: BinaryOperator) {
        let span = operator.to(self.current.span);
        let written = self.lexer.between(span.start as usize, span.end);
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, format!("`{written}` is not CEL"))
                .label("nothing is absent here")
                .help(format!(
                    "a text that was not sent is `\"\"`, a number 0: write `{meant} \"\"` or `{meant} 0`"
                )),
        );
    }

    /// `&& when`: one `when` is enough.
    fn second_when(&mut self, span: Span, operator: BinaryOperator) {
        let span = Span::new(span.file, span.start, self.previous_end);
        let right = operator.to_string();
        let edit = Edit {
            span,
            text: right.clone(),
        };
        self.report(
            EXPRESSION_SYNTAX
                .error(span, "a rule has one `when`")
                .label("the condition goes on here")
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), [edit]),
        );
    }

    /// Makes a finding of an operator of another language. All in one expression are one habit with one fix.
    fn report_word(&mut self, finding: Diagnostic) {
        let last = self.diagnostics.last_mut();
        let Some(first) = last.filter(|first| first.message.ends_with("is not an operator")) else {
            return self.report(finding);
        };
        let mut again = first
            .clone()
            .because(finding.primary.span, finding.primary.message);
        if let (Some(known), Some(fix)) = (&mut again.fix, finding.fix) {
            known.edits.extend(fix.edits);
            if known.title != fix.title {
                known.title = "write CEL's operators".to_owned();
                again.help = Some("write CEL's operators: `&&`, `||`, `!`, `==`, `!=`".to_owned());
            }
        }
        *first = again;
    }

    /// The whole of `x-session-id` in `request.headers.x-session-id`, of which `name` is the first part.
    pub(super) fn dashed_key(
        &self,
        operand: &Expr,
        name: &Spanned<String>,
    ) -> Option<Spanned<String>> {
        let ExprKind::Select { field, .. } = &operand.kind else {
            return None;
        };
        let map = matches!(
            field.value.as_str(),
            "headers" | "metadata" | "labels" | "claims"
        );
        let adjacent = self.at("-") && self.current.span.start == name.span.end;
        let text = self.lexer.rest();
        if !map || !adjacent || !text.starts_with(char::is_alphanumeric) {
            return None;
        }
        let end = text.find(|c: char| !c.is_alphanumeric() && !"-_".contains(c));
        let rest = text.get(..end.unwrap_or(text.len()))?;
        let length = super::super::lexer::offset(rest.len());
        let end = self.current.span.end.saturating_add(length);
        let span = Span::new(name.span.file, name.span.start, end);
        Some(Spanned::new(format!("{}-{rest}", name.value), span))
    }

    pub(super) fn needs_brackets(&mut self, key: Spanned<String>, start: u32) {
        let map = self
            .lexer
            .before(key.span.start)
            .get(start as usize..)
            .unwrap_or("");
        let map = map.trim_end().trim_end_matches('.').to_owned();
        let right = format!("{map}[?\"{}\"].orValue(\"\")", key.value);
        let edit = Edit {
            span: Span::new(key.span.file, start, key.span.end),
            text: right.clone(),
        };
        while self.current.span.start < key.span.end && self.current.kind != TokenKind::End {
            self.advance();
        }
        self.stop(
            EXPRESSION_SYNTAX
                .error(key.span, format!("`{}` is a key, not a field", key.value))
                .label("a key with `-` stands in brackets and quotes")
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), [edit]),
        );
    }

    /// Whether the token after the current one starts an operand, on the same line.
    pub(super) fn starts_operand_after(&self) -> bool {
        let next = self.lexer.clone().next();
        let starts = match &next.kind {
            TokenKind::Word(word) => *word != "in",
            TokenKind::Symbol(symbol) => *symbol == "(",
            TokenKind::Integer(_) | TokenKind::Literal(_) => true,
            _ => false,
        };
        starts && !next.on_new_line && self.may_be_slip()
    }

    pub(super) fn report_malformed(&mut self, malformed: Malformed) {
        let token = self.current.span;
        let at = |offset: usize| {
            token
                .start
                .saturating_add(super::super::lexer::offset(offset))
        };
        let span = Span::new(token.file, at(malformed.from), at(malformed.to));
        self.report(
            EXPRESSION_SYNTAX
                .error(span, malformed.message)
                .label(malformed.label)
                .help(malformed.help),
        );
    }

    pub(super) fn report_too_large(&mut self, span: Span) {
        self.report(
            EXPRESSION_SYNTAX
                .error(span, "the number does not fit")
                .label("integers have 64 bits, with a sign")
                .help("write a smaller number, or an unsigned one: `18446744073709551615u`"),
        );
    }

    pub(super) fn reserved(&mut self, word: &str) {
        if self.brackets.is_empty() && self.extent == Extent::Shortest {
            self.missing_operand();
            return;
        }
        let span = self.current.span;
        let report = EXPRESSION_SYNTAX
            .error(span, format!("`{word}` is a reserved word"))
            .label("nothing in an expression has this name");
        let name = self
            .lexer
            .rest()
            .strip_prefix('.')
            .and_then(literal::identifier);
        if let (true, Some(name)) = (matches!(word, "var" | "const" | "let"), name) {
            let edit = Edit {
                span: Span::new(span.file, span.start, span.end.saturating_add(1)),
                text: String::new(),
            };
            let help = format!("a constant stands by itself: write `{name}`");
            return self.stop(report.help(help).fix(format!("write `{name}`"), [edit]));
        }
        self.stop(report.help(match word {
            "if" | "else" => "CEL writes `condition ? a : b`",
            "for" | "loop" | "while" => "look through a list: `list.exists(x, …)`",
            "function" => "look through a list: `list.exists(x, …)`",
            _ => "write the name of a field, such as `request.tokens`",
        }));
    }

    /// What stands between `{` and `}` where a map is none: `{caller.plan}`, `${LONG}`.
    fn in_braces(&self) -> Option<(u32, String)> {
        let text = self.lexer.before(self.current.span.start);
        let open = text.rfind('{')?;
        let inner = text.get(open + 1..)?.trim();
        let start = super::super::lexer::offset(open);
        let dollar = text.get(..open)?.ends_with('$');
        let plain = inner
            .chars()
            .all(|c| c.is_alphanumeric() || "._".contains(c));
        (plain && !inner.is_empty())
            .then(|| (start.saturating_sub(u32::from(dollar)), inner.to_owned()))
    }

    /// Says that what stands in braces needs none.
    pub(super) fn needs_no_braces(&mut self) -> bool {
        let Some((start, inner)) = self.in_braces().filter(|_| self.at("}")) else {
            return false;
        };
        let span = Span::new(self.current.span.file, start, self.current.span.end);
        let edit = Edit {
            span,
            text: inner.clone(),
        };
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, "names stand without braces")
                .label("nothing is filled in here")
                .help(format!("write `{inner}`"))
                .fix(format!("write `{inner}`"), [edit]),
        );
        true
    }

    /// An amount or a name after `$`, or a text in quotes of print, with the edit that makes it CEL's.
    fn sign_of_elsewhere(&self) -> Option<(Span, &'static str, String)> {
        let TokenKind::Unknown(sign) = self.current.kind else {
            return None;
        };
        let (at, rest) = (self.current.span, self.lexer.rest());
        let span = |length: usize| {
            Span::new(
                at.file,
                at.start,
                at.end.saturating_add(super::super::lexer::offset(length)),
            )
        };
        match sign {
            '$' if rest.starts_with('{') => {
                let (name, _) = rest.strip_prefix('{')?.split_once('}')?;
                let is_name = literal::identifier(name) == Some(name);
                is_name.then(|| {
                    let label = "a constant stands by itself";
                    (span(name.len() + 2), label, name.to_owned())
                })
            }
            '$' if rest.starts_with(|c: char| c.is_ascii_digit()) => {
                let amount = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
                let amount = rest.get(..amount.unwrap_or(rest.len()))?;
                let right = match amount.contains('.') {
                    true => amount.to_owned(),
                    false => format!("{amount}.0"),
                };
                Some((
                    span(amount.len()),
                    "money is a number of US dollars here",
                    right,
                ))
            }
            '“' | '”' | '„' | '‘' | '’' | '«' => {
                let line = rest.lines().next()?;
                let (end, close) = line
                    .char_indices()
                    .find(|(_, c)| matches!(c, '”' | '“' | '’' | '»' | '"'))?;
                let inner = line.get(..end)?;
                let length = end + close.len_utf8();
                (!inner.contains(['"', '\\'])).then(|| {
                    (
                        span(length),
                        "quoted with other characters",
                        format!("\"{inner}\""),
                    )
                })
            }
            _ => None,
        }
    }

    pub(super) fn missing_operand(&mut self) {
        if let Some((span, label, right)) = self.sign_of_elsewhere() {
            let written = self.lexer.before(span.start).len();
            let written = self.lexer.between(written, span.end);
            let edit = Edit {
                span,
                text: right.clone(),
            };
            return self.stop(
                EXPRESSION_SYNTAX
                    .error(span, format!("`{written}` is not CEL"))
                    .label(label)
                    .help(format!("write `{right}`"))
                    .fix(format!("write `{right}`"), [edit]),
            );
        }
        let after = Span::new(self.current.span.file, self.previous_end, self.previous_end);
        let is_line_over = self.is_outside_on_new_line() || self.current.kind == TokenKind::End;
        let (span, label) = if is_line_over {
            (after, "the line ends here".to_owned())
        } else {
            (self.current.span, format!("found {}", self.found()))
        };
        let help = match self.current.kind {
            _ if self.previous_is("%") => {
                "percentages have no literal here: write a fraction, such as `0.5`"
            }
            TokenKind::Symbol("=") if self.previous_is("==") => "CEL writes `==`",
            TokenKind::Symbol("=") if self.previous_is("!=") => "CEL writes `!=`",
            TokenKind::Unknown('“' | '”' | '‘' | '’' | '„') => {
                "strings stand between straight quotes: `\"…\"`"
            }
            TokenKind::Symbol("/") => "a pattern is a text: `text.matches(r\"pattern\")`",
            TokenKind::Symbol("?") | TokenKind::Unknown('?') => {
                "say what a missing one means: `request.headers[?\"x-tenant\"].orValue(\"\")`"
            }
            TokenKind::Unknown('$') => {
                "money has no literal here: `cost.estimate` is a number of US dollars"
            }
            _ if is_line_over && self.current.kind != TokenKind::End => {
                "an expression goes on in the next line if that line starts with the operator, or inside parentheses"
            }
            _ => "write a field, a constant, a call or an expression in parentheses",
        };
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, "an operand is missing")
                .label(label)
                .help(help),
        );
    }

    /// Whether what was read so far ends in `word`.
    pub(super) fn previous_is_word(&self, word: &str) -> bool {
        let before = self.lexer.before(self.previous_end);
        let name = before
            .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
            .next();
        name == Some(word)
    }

    /// Says that a list stands in brackets.
    pub(super) fn report_parentheses(&mut self, open: u32, close: Span) {
        let file = close.file;
        let edit = |span, text: &str| Edit {
            span,
            text: text.to_owned(),
        };
        let open = Span::new(file, open, open.saturating_add(1));
        self.report(
            EXPRESSION_SYNTAX
                .error(open, "a list stands in brackets")
                .label("these are parentheses")
                .because(close, "to here")
                .help("write `[` and `]`")
                .fix(
                    "write the list in brackets",
                    [edit(open, "["), edit(close, "]")],
                ),
        );
    }

    /// Whether what was read so far ends in `symbol`.
    fn previous_is(&self, symbol: &str) -> bool {
        self.lexer.before(self.previous_end).ends_with(symbol)
    }

    pub(super) fn expected(&mut self, what: &str, place: &str) {
        let (span, found) = if self.is_outside_on_new_line() {
            let end = Span::new(self.current.span.file, self.previous_end, self.previous_end);
            (end, "the end of the line".to_owned())
        } else {
            (self.current.span, self.found())
        };
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, format!("expected {what}, found {found}"))
                .label(format!("{what} belongs here"))
                .help(format!("write {what} {place}")),
        );
    }

    /// Says that the innermost bracket is not closed by `bracket` where it should be.
    pub(super) fn unclosed(&mut self, bracket: &str) {
        // A quote too few pairs the others wrongly, up to one without a partner.
        if let TokenKind::Malformed(malformed) = self.current.kind.clone()
            && malformed.swallows
        {
            return self.stop(
                EXPRESSION_SYNTAX
                    .error(self.current.span, "a quote is missing on this line")
                    .label("this one has no partner")
                    .help("write the quote where a string before it ends, or where this one does"),
            );
        }
        let opened = self.brackets.last().copied();
        let is_line_over = self.current.on_new_line
            || self.current.kind == TokenKind::End
            || ["}", "]", ")"]
                .iter()
                .any(|close| self.current.kind.is(close));
        if let (Some((open, span)), true) = (opened, is_line_over) {
            let end = Span::new(span.file, self.previous_end, self.previous_end);
            self.stop(
                EXPRESSION_SYNTAX
                    .error(span, format!("`{open}` is not closed"))
                    .label("it opens here")
                    .because(end, format!("`{bracket}` is missing here"))
                    .help(format!("write `{bracket}` where it ends")),
            );
            return;
        }
        let help = match &self.current.kind {
            kind if kind.is_word("if") => "CEL writes `condition ? a : b`".to_owned(),
            kind if kind.is_word("for") => {
                "look through a list: `list.exists(x, …)`, `list.all(x, …)`".to_owned()
            }
            _ => format!("write an operator before it, or `{bracket}`"),
        };
        self.stop(
            EXPRESSION_SYNTAX
                .error(
                    self.current.span,
                    format!(
                        "expected an operator or `{bracket}`, found {}",
                        self.found()
                    ),
                )
                .label("nothing connects this to what stands before it")
                .help(help),
        );
    }

    pub(super) fn too_deep(&mut self, span: Span) {
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, "the expression is nested too deeply")
                .label(format!("more than {} levels", super::MAXIMUM_DEPTH))
                .help("write several rules, or a list: `caller.team in [\"a\", \"b\"]`"),
        );
    }

    fn found(&self) -> String {
        match &self.current.kind {
            TokenKind::Word(word) => format!("`{word}`"),
            TokenKind::Quoted(name) => format!("`` `{name}` ``"),
            TokenKind::Integer(value) => format!("`{value}`"),
            TokenKind::Literal(_) => "a literal".to_owned(),
            TokenKind::Malformed(_) => "a broken literal".to_owned(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::Unknown(c) => format!("`{c}`"),
            TokenKind::End => "the end of the text".to_owned(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if !self.stopped {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports a mistake that nothing can be read after, and skips the rest of the expression.
    fn stop(&mut self, diagnostic: Diagnostic) {
        if self.stopped {
            return;
        }
        self.diagnostics.push(diagnostic);
        let mut open: Vec<&str> = self.brackets.iter().map(|(open, _)| *open).collect();
        while !self.is_after_mistake(&open) {
            match self.current.kind {
                TokenKind::Symbol(bracket @ ("(" | "[" | "{")) => open.push(bracket),
                TokenKind::Symbol(close @ (")" | "]" | "}")) => {
                    while open.pop().is_some_and(|open| closing(open) != close) {}
                }
                _ => {}
            }
            self.advance();
        }
        self.stopped = true;
    }

    /// Whether the current token stands after an expression with a mistake: it starts the next line, closes
    /// what the expression did not open, or follows an expression that ends as soon as it can.
    fn is_after_mistake(&self, open: &[&str]) -> bool {
        match self.current.kind {
            TokenKind::End => return true,
            _ if self.current.on_new_line => return true,
            TokenKind::Symbol(close @ (")" | "]" | "}")) => {
                return !open.iter().any(|open| closing(open) == close);
            }
            // At no depth, a brace opens a block of the file.
            TokenKind::Symbol("{") if open.is_empty() => return true,
            _ => {}
        }
        open.is_empty() && self.extent == Extent::Shortest
    }
}

fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}
