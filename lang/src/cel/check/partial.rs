//! Functions that fail on some values: what keeps them from it, or what to write instead.

use super::function::Invocation;
use super::guard::whole;
use super::mistake::is_whole_text;
use super::signature::{Needs, Overload};
use super::types::is_ordered;
use super::{Checker, Type, Typed, TypedKind, constant_of, format, text_of, unknown};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::typed::Function;
use crate::codes::PARTIAL_OPERATION;
use crate::diagnostic::{Diagnostic, Edit};
use crate::source::Span;

impl Checker<'_> {
    /// Finishes a call whose overload is chosen, if what it needs is given.
    pub(super) fn total(
        &mut self,
        mut invocation: Invocation<'_>,
        overload: &Overload,
        ty: Type,
    ) -> Typed {
        if !self.is_total() || overload.needs == Needs::Nothing {
            return self.finish(invocation, overload, ty);
        }
        if let Needs::SecondReads(function) = overload.needs {
            let read = invocation.arguments.pop();
            let expr = invocation.exprs.last().copied();
            let (Some(text), Some(expr)) = (read, expr) else {
                return unknown(invocation.span);
            };
            let address = self.read(function, text, expr);
            if address.ty == Type::Error {
                return address;
            }
            invocation.arguments.push(address);
            return self.finish(invocation, overload, ty);
        }
        let is_constant = invocation
            .arguments
            .iter()
            .all(|argument| constant_of(argument).is_some());
        if is_constant {
            return self.of_constants(invocation, overload, ty);
        }
        match self.refusal(&invocation, overload) {
            Some(refusal) => self.report(refusal),
            None => self.finish(invocation, overload, ty),
        }
    }

    /// A call of constants: it fails always or never, which is known if it can be computed now.
    fn of_constants(&mut self, invocation: Invocation<'_>, overload: &Overload, ty: Type) -> Typed {
        let Invocation {
            span, arguments, ..
        } = &invocation;
        let typed = super::call(*span, overload.function, arguments.clone(), ty);
        let computed = self.computed(typed);
        if computed.ty == Type::Error || constant_of(&computed).is_some() {
            return computed;
        }
        match self.refusal(&invocation, overload) {
            Some(refusal) => self.report(refusal),
            None => computed,
        }
    }

    /// The address or network that a text is.
    fn read(&mut self, test: Function, text: Typed, expr: &Expr) -> Typed {
        let (function, ty) = match test {
            Function::IsIp => (Function::ToIp, Type::Ip),
            _ => (Function::ToCidr, Type::Cidr),
        };
        if constant_of(&text).is_none() && !self.is_readable(test, &text) {
            let refusal = self.unreadable(test, text.span, expr);
            return self.report(refusal);
        }
        self.apply(text.span, function, vec![text], ty)
    }

    fn unreadable(&self, test: Function, span: Span, expr: &Expr) -> Diagnostic {
        let (test, what, example) = match test {
            Function::IsIp => ("isIP", "address", "ip(\"10.0.0.1\")"),
            _ => ("isCIDR", "network", "cidr(\"10.0.0.0/8\")"),
        };
        let finding = PARTIAL_OPERATION
            .error(span, format!("the {what} is only known at run time"))
            .label(format!("the text may be no {what}"))
            .help(format!(
                "write a constant: `{example}`, or test it first: `{test}({expr}) && …`"
            ));
        self.guarded(finding, &format!("{test}({expr:#})"))
    }

    /// Why the call could fail, if it could.
    fn refusal(&self, call: &Invocation<'_>, overload: &Overload) -> Option<Diagnostic> {
        let arguments = call.arguments.as_slice();
        let (first, first_expr) = (arguments.first()?, *call.exprs.first()?);
        let last_expr = *call.exprs.last()?;
        match overload.needs {
            Needs::Constant => {
                let is_constant = arguments.last().is_some_and(|one| text_of(one).is_some());
                (!is_constant).then(|| {
                    let finding = not_constant(overload.function, last_expr);
                    match overload.function {
                        Function::Matches => {
                            found_as_it_is(finding, call.span, first_expr, last_expr)
                        }
                        _ => finding,
                    }
                })
            }
            Needs::Address if self.is_readable(Function::IsIp, first) => None,
            Needs::Address => Some(self.unreadable(Function::IsIp, call.span, first_expr)),
            Needs::Network if self.is_readable(Function::IsCidr, first) => None,
            Needs::Network => Some(self.unreadable(Function::IsCidr, call.span, first_expr)),
            Needs::Within => self.out_of_range(call, arguments.get(1..)?),
            Needs::Position => self.out_of_range(call, arguments.get(2..)?),
            Needs::Small(limit) => {
                let is_small = arguments
                    .last()
                    .and_then(whole)
                    .is_some_and(|one| one <= limit);
                let message = format!(
                    "`{}` fails if `{last_expr}` is below 0 or too large",
                    call.name
                );
                (!is_small).then(|| {
                    PARTIAL_OPERATION
                        .error(last_expr.span, message)
                        .label("only known at run time")
                        .help("write a constant")
                })
            }
            Needs::Order => self.no_order(call, first),
            Needs::Clauses => format::refusal(call),
            Needs::Luck => Some(
                PARTIAL_OPERATION
                    .error(call.span, format!("`{}` can fail on a string", call.name))
                    .label("the text may be of another form")
                    .help("write a constant, or compare the text as it is"),
            ),
            Needs::Nothing | Needs::SecondReads(_) => None,
        }
    }

    fn no_order(&self, call: &Invocation<'_>, list: &Typed) -> Option<Diagnostic> {
        let is_ordered = matches!(&list.ty, Type::List(element) if is_ordered(element));
        (!is_ordered).then(|| {
            PARTIAL_OPERATION
                .error(
                    call.span,
                    format!("`{}` can fail on {}", call.name, super::article(&list.ty)),
                )
                .label("its elements may have no order")
                .help("sort numbers, strings or times: `list.map(x, x.name).sort()`")
        })
    }

    fn out_of_range(&self, call: &Invocation<'_>, indices: &[Typed]) -> Option<Diagnostic> {
        let of = call.arguments.first()?;
        let expr = call.exprs.first()?;
        let known: Option<Vec<u64>> = indices.iter().map(whole).collect();
        let highest = known
            .as_deref()
            .filter(|known| known.is_sorted())
            .and_then(<[u64]>::last);
        if highest.is_some_and(|highest| *highest <= self.least_size(of)) {
            return None;
        }
        let finding = PARTIAL_OPERATION
            .error(call.span, format!("`{}` can be out of range", call.name))
            .label("the text or list may be shorter");
        Some(match highest {
            Some(highest) => {
                let test = format!("size({expr:#}) >= {highest}");
                let finding = finding.help(format!("test its size first: `{test} && …`"));
                self.guarded(finding, &test)
            }
            None => match of.ty {
                Type::String => finding.help("use `contains`, `startsWith`, `endsWith` or `split`"),
                _ => finding.help("look through the list: `list.exists(x, …)`"),
            },
        })
    }

    /// As [`Self::guarded`]; where there is no condition, offers a value for when the test fails.
    pub(super) fn defaulted(
        &self,
        finding: Diagnostic,
        test: &str,
        span: Span,
        ty: &Type,
    ) -> Diagnostic {
        if self.clause.is_some() || !is_whole_text(test) {
            return self.guarded(finding, test);
        }
        let otherwise = match ty {
            Type::Int => "0",
            Type::Uint => "0u",
            Type::Double => "0.0",
            Type::Bool => "false",
            Type::String => "\"\"",
            Type::Timestamp => "timestamp(0)",
            Type::Duration => "duration(\"0s\")",
            _ => return finding,
        };
        let edit = |offset, text: String| Edit {
            span: Span::new(span.file, offset, offset),
            text,
        };
        let edits = [
            edit(span.start, format!("({test} ? ")),
            edit(span.end, format!(" : {otherwise})")),
        ];
        let title = format!("say what it is otherwise: `{test} ? … : {otherwise}`");
        finding.help(title.clone()).fix(title, edits)
    }

    /// Offers to write `test &&` before the condition that the current expression stands in.
    pub(super) fn guarded(&self, finding: Diagnostic, test: &str) -> Diagnostic {
        let Some(clause) = self.clause.filter(|_| is_whole_text(test)) else {
            return finding;
        };
        let at = |offset| Span::new(clause.span.file, offset, offset);
        let edit = |offset, text: String| Edit {
            span: at(offset),
            text,
        };
        let title = format!("test it first: `{test} && …`");
        let (start, end) = (clause.span.start, clause.span.end);
        if clause.binds_loosely {
            let edits = [
                edit(start, format!("{test} && (")),
                edit(end, ")".to_owned()),
            ];
            return finding.fix(title, edits);
        }
        finding.fix(title, [edit(start, format!("{test} && "))])
    }
}

/// Offers to look for the text of a pattern instead, which needs no compiling.
fn found_as_it_is(finding: Diagnostic, span: Span, text: &Expr, pattern: &Expr) -> Diagnostic {
    let receiver = match text.kind {
        ExprKind::Conditional { .. } | ExprKind::Binary { .. } | ExprKind::Unary { .. } => {
            format!("({text:#})")
        }
        _ => format!("{text:#}"),
    };
    let right = format!("{receiver}.contains({pattern:#})");
    let finding = finding.help(format!(
        "write the pattern as a string, or look for the text itself: `{right}`"
    ));
    if !is_whole_text(&right) {
        return finding;
    }
    let title = format!("look for the text itself: `{right}`");
    finding.fix(title, [Edit { span, text: right }])
}

fn not_constant(function: Function, expr: &Expr) -> Diagnostic {
    let (what, help) = match function {
        Function::Matches => ("the pattern", "write the pattern as a string"),
        _ => (
            "the time zone",
            "write the zone as a string: `\"Europe/Berlin\"`",
        ),
    };
    PARTIAL_OPERATION
        .error(
            expr.span,
            format!("{what} `{expr}` is only known at run time"),
        )
        .label("what it says could be wrong then")
        .help(help)
}

/// The condition that an expression stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clause {
    span: Span,
    /// Whether it needs parentheses after `&&`.
    binds_loosely: bool,
}

impl Clause {
    pub(super) fn of(expr: &Expr) -> Self {
        use crate::cel::expression::{BinaryOperator, ExprKind};
        let binds_loosely = match &expr.kind {
            ExprKind::Conditional { .. } => true,
            ExprKind::Binary { operator, .. } => operator.value == BinaryOperator::Or,
            _ => false,
        };
        Self {
            span: expr.span,
            binds_loosely,
        }
    }
}

/// The elements of a list that is written out.
pub(super) fn written_elements(list: &Typed) -> Option<Vec<Type>> {
    match &list.kind {
        TypedKind::List(elements) => Some(elements.iter().map(|one| one.ty.clone()).collect()),
        TypedKind::Constant(super::Constant::List(elements)) => {
            Some(elements.iter().map(super::Constant::ty).collect())
        }
        _ => None,
    }
}
