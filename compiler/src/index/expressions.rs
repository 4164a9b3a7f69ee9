//! Names in expressions: constants, the variables of macros, and strings that name a tier or a model.

use waypost_lang::cel::expression::{BinaryOperator, Literal};
use waypost_lang::cel::typed::Field;
use waypost_lang::cel::{Expr, ExprKind};

use super::collect::Collector;
use super::{Form, SymbolKind};

impl Collector<'_> {
    /// Notes the names of an expression. The parser bounds its depth.
    pub(super) fn expression(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Identifier(name) => self.identifier(name, expr),
            ExprKind::Select { operand, .. } | ExprKind::Unary { operand, .. } => {
                self.expression(operand);
            }
            ExprKind::Index { operand, index, .. } => {
                self.expression(operand);
                self.expression(index);
            }
            ExprKind::Call {
                receiver,
                function,
                arguments,
            } => self.call(receiver.as_deref(), &function.value, arguments),
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                self.compared(operator.value, left, right);
                self.expression(left);
                self.expression(right);
            }
            ExprKind::Conditional {
                condition,
                then,
                otherwise,
            } => {
                for part in [condition, then, otherwise] {
                    self.expression(part);
                }
            }
            ExprKind::List(elements) => {
                for (_, element) in elements {
                    self.expression(element);
                }
            }
            ExprKind::Map(entries) => {
                for (_, key, value) in entries {
                    self.expression(key);
                    self.expression(value);
                }
            }
            _ => {}
        }
    }

    fn identifier(&mut self, name: &str, expr: &Expr) {
        let variable = self.variables.iter().rev().find(|(one, _)| one == name);
        if let Some((_, symbol)) = variable {
            let symbol = *symbol;
            self.note(symbol, expr.span, Form::Bare, false);
        } else if Field::find(name).is_none() && self.constants.contains(name) {
            let symbol = self.symbol(SymbolKind::Constant, name);
            self.note(symbol, expr.span, Form::Bare, false);
        }
    }

    /// A call; the variables of a macro hold in what follows them.
    fn call(&mut self, receiver: Option<&Expr>, function: &str, arguments: &[Expr]) {
        if let Some(receiver) = receiver {
            self.expression(receiver);
        }
        let binds = function == "bind"
            && matches!(receiver.map(|one| &one.kind), Some(ExprKind::Identifier(name)) if name == "cel");
        let around = self.variables.len();
        if binds {
            let [variable, value, body @ ..] = arguments else {
                return;
            };
            self.expression(value);
            self.variable(variable);
            body.iter().for_each(|one| self.expression(one));
        } else {
            let count = match receiver {
                Some(_) => variables(function, arguments.len()),
                None => 0,
            };
            let (variables, rest) = arguments.split_at(count.min(arguments.len()));
            variables.iter().for_each(|one| self.variable(one));
            rest.iter().for_each(|one| self.expression(one));
        }
        self.variables.truncate(around);
    }

    fn variable(&mut self, expr: &Expr) {
        if let ExprKind::Identifier(name) = &expr.kind {
            let symbol = self.fresh(SymbolKind::Variable, name);
            self.note(symbol, expr.span, Form::Bare, true);
            self.variables.push((name.clone(), symbol));
        }
    }

    /// `tier == "strong"`, `model in ["a", "b"]`: the strings are names.
    fn compared(&mut self, operator: BinaryOperator, left: &Expr, right: &Expr) {
        use BinaryOperator::{Equal, In, NotEqual};
        if !matches!(operator, Equal | NotEqual | In) {
            return;
        }
        for (fact, other) in [(left, right), (right, left)] {
            let kind = match &fact.kind {
                ExprKind::Identifier(name) if name == "tier" => SymbolKind::Tier,
                ExprKind::Identifier(name) if name == "model" => SymbolKind::Model,
                _ => continue,
            };
            match &other.kind {
                ExprKind::List(elements) if operator == In => {
                    for (_, element) in elements {
                        self.named(kind, element);
                    }
                }
                _ => self.named(kind, other),
            }
        }
    }

    fn named(&mut self, kind: SymbolKind, expr: &Expr) {
        if let ExprKind::Literal(Literal::String(value)) = &expr.kind {
            self.quoted(kind, value, expr);
        }
    }
}

/// How many of a macro's arguments are its variables.
fn variables(function: &str, arguments: usize) -> usize {
    match (function, arguments) {
        ("all" | "exists" | "exists_one" | "existsOne" | "filter", 2) => 1,
        ("all" | "exists" | "exists_one" | "existsOne", 3) => 2,
        ("map", 2 | 3) => 1,
        ("optMap" | "optFlatMap", 2) => 1,
        ("transformList" | "transformMap" | "transformMapEntry", 3 | 4) => 2,
        _ => 0,
    }
}
