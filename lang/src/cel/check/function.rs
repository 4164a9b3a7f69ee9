//! Calls of functions that evaluate all their arguments: the overload that fits, and what becomes of a call that
//! fits none.

use std::collections::BTreeSet;

use super::mistake::article;
use super::signature::{Overload, Place};
use super::types::{Chosen, fits, is_open, substituted};
use super::{Checker, TYPE_MISMATCH, Type, Typed, unknown};
use crate::cel::expression::Expr;
use crate::source::Span;

/// A call that is being matched with its overloads. The receiver of a method is its first argument.
pub(super) struct Invocation<'a> {
    pub(super) span: Span,
    pub(super) name: &'a str,
    pub(super) exprs: Vec<&'a Expr>,
    pub(super) arguments: Vec<Typed>,
}

impl Checker<'_> {
    /// Calls one of `overloads`, which is not empty and all written in the same place.
    pub(super) fn invoke(
        &mut self,
        expr: &Expr,
        name: &str,
        overloads: &[&'static Overload],
        exprs: Vec<&Expr>,
    ) -> Typed {
        let arguments: Vec<Typed> = exprs.iter().map(|expr| self.operand(expr)).collect();
        if arguments.iter().any(|argument| argument.ty == Type::Error) {
            return unknown(expr.span);
        }
        let invocation = Invocation {
            span: expr.span,
            name,
            exprs,
            arguments,
        };
        let fitting: Vec<_> = overloads
            .iter()
            .filter_map(|one| Some((*one, self.choose(one, &invocation.arguments)?)))
            .collect();
        let Some((overload, chosen)) = fitting.first() else {
            return self.fits_none(&invocation, overloads);
        };
        let result = substituted(&overload.result, chosen);
        let is_open = invocation.arguments.iter().any(|one| is_open(&one.ty));
        let is_one = fitting
            .iter()
            .all(|(other, chosen)| substituted(&other.result, chosen) == result);
        let result = if is_one || !is_open {
            result
        } else {
            Type::Dyn
        };
        self.total(invocation, overload, result)
    }

    fn choose(&self, overload: &Overload, arguments: &[Typed]) -> Option<Chosen> {
        let mut chosen = Chosen::new();
        let open = !self.is_total();
        let fits = overload.parameters.len() == arguments.len()
            && overload
                .parameters
                .iter()
                .zip(arguments)
                .all(|(parameter, argument)| fits(parameter, &argument.ty, &mut chosen, open));
        fits.then_some(chosen)
    }

    fn fits_none(&mut self, call: &Invocation<'_>, overloads: &[&Overload]) -> Typed {
        let takes = |overload: &Overload, at: usize| {
            let (parameter, argument) = (overload.parameters.get(at), call.arguments.get(at));
            parameter
                .zip(argument)
                .is_some_and(|(parameter, argument)| {
                    fits(
                        parameter,
                        &argument.ty,
                        &mut Chosen::new(),
                        !self.is_total(),
                    )
                })
        };
        let is_method = overloads.iter().any(|one| one.place == Place::Method);
        let mut left: Vec<&&Overload> = overloads.iter().collect();
        if is_method {
            left.retain(|one| takes(one, 0));
            if left.is_empty() {
                return self.wrong_argument(call, overloads, 0);
            }
        }
        let counts: BTreeSet<usize> = left
            .iter()
            .map(|one| one.parameters.len() - usize::from(is_method))
            .collect();
        let count = call.arguments.len() - usize::from(is_method);
        if !counts.contains(&count) {
            let counts: Vec<usize> = counts.into_iter().collect();
            return self.wrong_count(call.span, call.name, &counts, count);
        }
        left.retain(|one| one.parameters.len() == call.arguments.len());
        for at in 0..call.arguments.len() {
            let fitting: Vec<&&Overload> =
                left.iter().copied().filter(|one| takes(one, at)).collect();
            if fitting.is_empty() {
                let left: Vec<&Overload> = left.into_iter().copied().collect();
                return self.wrong_argument(call, &left, at);
            }
            left = fitting;
        }
        // Each argument fits alone: a signature asks two of them to agree.
        let first = left.first().map(|one| **one);
        let left: Vec<&Overload> = first.into_iter().collect();
        self.wrong_argument(call, &left, call.arguments.len().saturating_sub(1))
    }

    fn wrong_argument(
        &mut self,
        call: &Invocation<'_>,
        overloads: &[&Overload],
        at: usize,
    ) -> Typed {
        let mut takes: Vec<String> = Vec::new();
        for overload in overloads {
            let Some(parameter) = overload.parameters.get(at) else {
                continue;
            };
            let one = match parameter {
                Type::List(element) if matches!(**element, Type::Parameter(_)) => {
                    "a list".to_owned()
                }
                Type::Map(..) => "a map".to_owned(),
                parameter => article(parameter),
            };
            if !takes.contains(&one) {
                takes.push(one);
            }
        }
        let takes = takes.join(" or ");
        match (call.exprs.get(at), call.arguments.get(at)) {
            (Some(expr), Some(typed)) => self.wrong_operand(call.name, &takes, expr, &typed.ty),
            _ => unknown(call.span),
        }
    }

    /// A call of a function that is known by its signature only.
    pub(super) fn declared(
        &mut self,
        expr: &Expr,
        name: &str,
        arguments: &[Expr],
    ) -> Option<Typed> {
        let functions = self.scope.functions;
        let mut signatures = functions.iter().filter(|one| one.name == name).peekable();
        signatures.peek()?;
        let typed: Vec<Typed> = arguments.iter().map(|one| self.operand(one)).collect();
        for signature in signatures {
            let mut chosen = Chosen::new();
            let is_meant = signature.parameters.len() == typed.len()
                && signature
                    .parameters
                    .iter()
                    .zip(&typed)
                    .all(|(parameter, argument)| fits(parameter, &argument.ty, &mut chosen, true));
            if is_meant {
                return Some(Typed {
                    span: expr.span,
                    ty: substituted(&signature.result, &chosen),
                    kind: super::TypedKind::Fail(format!("`{name}` has no meaning here")),
                });
            }
        }
        let message = format!("`{name}` does not take these arguments");
        Some(
            self.report(
                TYPE_MISMATCH
                    .error(expr.span, message)
                    .label("no overload fits")
                    .help("write what one of its signatures takes"),
            ),
        )
    }

    pub(super) fn wrong_count(
        &mut self,
        span: Span,
        name: &str,
        takes: &[usize],
        found: usize,
    ) -> Typed {
        let takes: Vec<String> = takes.iter().map(usize::to_string).collect();
        let takes = takes.join(" or ");
        let noun = if takes == "1" {
            "argument"
        } else {
            "arguments"
        };
        self.report(
            TYPE_MISMATCH
                .error(
                    span,
                    format!("`{name}` takes {takes} {noun}, found {found}"),
                )
                .label("this call")
                .help(format!("give it {takes} {noun}")),
        )
    }

    /// The call, which cannot fail or may.
    pub(super) fn finish(
        &mut self,
        invocation: Invocation<'_>,
        overload: &Overload,
        ty: Type,
    ) -> Typed {
        self.apply(invocation.span, overload.function, invocation.arguments, ty)
    }
}
