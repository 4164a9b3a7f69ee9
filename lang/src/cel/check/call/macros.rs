//! `has`, and the macros over lists.

use super::article;
use crate::cel::check::mistake::as_condition;
use crate::cel::check::{Checker, Local, Meaning, TYPE_MISMATCH, Type, Typed, TypedKind, unknown};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::print::quote;
use crate::cel::typed::{Comprehension, Function};
use crate::codes::{NOT_A_BOOL, NOT_IN_THIS_BUILD};
use crate::source::Spanned;

impl Checker<'_> {
    pub(super) fn has(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let ExprKind::Select {
            operand,
            field,
            optional: false,
        } = &argument.kind
        else {
            return self.not_a_field(expr, argument);
        };
        let is_group = matches!(&operand.kind, ExprKind::Identifier(_));
        let base = if is_group {
            None
        } else {
            Some(self.any(operand))
        };
        if let Some(Typed {
            kind: TypedKind::Field(map),
            ty: Type::Map(..),
            ..
        }) = &base
        {
            let map = *map;
            if !self.check_key(map, field, false) {
                return unknown(expr.span);
            }
            return Typed {
                span: expr.span,
                ty: Type::Bool,
                kind: TypedKind::HasKey(map, field.value.clone()),
            };
        }
        if base.is_some_and(|base| base.ty == Type::Error) {
            return unknown(expr.span);
        }
        let typed = self.any(argument);
        match typed.ty {
            Type::Error => unknown(expr.span),
            Type::Optional(_) => self.apply(expr.span, Function::HasValue, vec![typed], Type::Bool),
            ty => self.always_there(expr, argument, &ty),
        }
    }

    fn not_a_field(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let help = match &argument.kind {
            ExprKind::Index { operand, index, .. } => format!("write `{index} in {operand}`"),
            _ => "write `has(request.headers.name)`, or `\"name\" in request.headers`".to_owned(),
        };
        self.report(
            TYPE_MISMATCH
                .error(expr.span, "`has` takes a field")
                .label("this is none")
                .help(help),
        )
    }

    fn always_there(&mut self, expr: &Expr, argument: &Expr, ty: &Type) -> Typed {
        let help = match ty {
            Type::Map(..) => format!("ask for one key: {} in {argument}", quote("key")),
            _ => as_condition(argument, ty),
        };
        self.report(
            TYPE_MISMATCH
                .error(expr.span, format!("`{argument}` is always there"))
                .label("this is always true")
                .help(help),
        )
    }

    pub(super) fn comprehension(
        &mut self,
        expr: &Expr,
        receiver: &Expr,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let range = self.operand(receiver);
        let element = match &range.ty {
            Type::Error => return unknown(expr.span),
            Type::List(element) => (**element).clone(),
            ty => {
                let ty = ty.clone();
                return self.wrong_operand(&function.value, "a list", receiver, &ty);
            }
        };
        let kind = match function.value.as_str() {
            "all" => Comprehension::All,
            "exists" => Comprehension::Exists,
            "map" => Comprehension::Map,
            "filter" => Comprehension::Filter,
            _ => Comprehension::ExistsOne,
        };
        let (name, filter, body) = match self.parts(expr, kind, function, arguments) {
            Ok(parts) => parts,
            Err(reported) => return reported,
        };
        let local = self.nesting;
        self.nesting += 1;
        self.locals.push(Local {
            name: name.to_owned(),
            meaning: Meaning::Element(local, element.clone()),
        });
        let filter = filter.map(|filter| Box::new(self.condition(filter, "map")));
        let guards = filter.as_ref().map_or_else(Vec::new, |filter| {
            crate::cel::check::guard::implied(filter, true)
        });
        let body = self.under(guards, |checker| match kind {
            Comprehension::Map => checker.value(body),
            _ => checker.body(body, &function.value),
        });
        self.locals.pop();
        self.nesting -= 1;
        let ty = match kind {
            Comprehension::Map => Type::List(Box::new(body.ty.clone())),
            Comprehension::Filter => Type::List(Box::new(element)),
            _ => Type::Bool,
        };
        if body.ty == Type::Error {
            return unknown(expr.span);
        }
        Typed {
            span: expr.span,
            ty,
            kind: TypedKind::Comprehension {
                kind,
                range: Box::new(range),
                local,
                second: None,
                filter,
                body: Box::new(body),
            },
        }
    }

    /// The variable, the condition of a `map`, and the body; or what stands for a call that has none.
    fn parts<'a>(
        &mut self,
        expr: &Expr,
        kind: Comprehension,
        function: &Spanned<String>,
        arguments: &'a [Expr],
    ) -> Result<(&'a str, Option<&'a Expr>, &'a Expr), Typed> {
        let (variable, filter, body) = match arguments {
            [variable, body] => (variable, None, body),
            [variable, filter, body] if kind == Comprehension::Map => {
                (variable, Some(filter), body)
            }
            [_, _, _] => return Err(self.two_variables(expr, function)),
            _ => {
                let takes: &[usize] = if kind == Comprehension::Map {
                    &[2, 3]
                } else {
                    &[2]
                };
                return Err(self.wrong_count(expr.span, &function.value, takes, arguments.len()));
            }
        };
        match &variable.kind {
            ExprKind::Identifier(name) => Ok((name, filter, body)),
            _ => Err(self.not_a_variable(variable, function)),
        }
    }

    /// The condition of a macro.
    fn body(&mut self, expr: &Expr, name: &str) -> Typed {
        let typed = self.value(expr);
        match &typed.ty {
            Type::Bool | Type::Error => typed,
            Type::Dyn => self.dynamic(expr, &format!("`{name}` takes a condition")),
            ty => {
                let help = as_condition(expr, ty);
                self.report(
                    NOT_A_BOOL
                        .error(
                            expr.span,
                            format!("`{name}` takes a condition, `{expr}` is {}", article(ty)),
                        )
                        .label(ty.to_string())
                        .help(help),
                )
            }
        }
    }

    fn two_variables(&mut self, expr: &Expr, function: &Spanned<String>) -> Typed {
        self.report(
            NOT_IN_THIS_BUILD
                .error(
                    expr.span,
                    format!(
                        "`{}` with two variables is not in this version",
                        function.value
                    ),
                )
                .label("three arguments")
                .help(format!("write `list.{}(x, …)`", function.value)),
        )
    }

    pub(super) fn not_a_variable(&mut self, variable: &Expr, function: &Spanned<String>) -> Typed {
        self.report(
            TYPE_MISMATCH
                .error(
                    variable.span,
                    format!("`{variable}` is not the name of a variable"),
                )
                .label("the name of each element belongs here")
                .help(format!("write `list.{}(x, …)`", function.value)),
        )
    }
}
