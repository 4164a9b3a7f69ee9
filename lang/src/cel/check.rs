//! The checker: resolves names, chooses overloads, folds constants, and refuses what could fail at run time.
//!
//! Invariants: whatever it returns under [`Mode::Total`] is total, reads only what its section may read, and reads
//! the maps of a call by constant keys only; it returns nothing without having said why.

mod access;
mod call;
mod container;
mod format;
mod function;
mod guard;
mod membership;
mod mistake;
mod names;
mod operator;
mod partial;
mod signature;
mod standard;
mod types;

pub use signature::{Callable, functions};

use super::expression::{BinaryOperator, Expr, ExprKind, Literal, UnaryOperator};
use super::scope::{Expected, Mode, Scope};
use super::typed::{Constant, Function, Type, Typed, TypedKind};
use crate::codes::{NOT_A_BOOL, TYPE_MISMATCH, UNKNOWN_IDENTIFIER};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use guard::Guard;
use mistake::article;
use partial::Clause;
use types::{is_open, unify};

/// Checks `expr`; nothing if anything was wrong with it, and then `diagnostics` or those of the parser say what.
pub fn check(
    expr: &Expr,
    scope: &Scope<'_>,
    expected: Expected,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Typed> {
    let mut checker = Checker {
        scope,
        locals: Vec::new(),
        bound: Vec::new(),
        nesting: 0,
        guards: Vec::new(),
        clause: (expected == Expected::Bool).then(|| Clause::of(expr)),
        parts: Vec::new(),
        ordered_with: None,
        failed: false,
        diagnostics,
    };
    let mut typed = checker.value(expr);
    checker.expect(expected, expr, &typed);
    typed.ty = typed.ty.settled();
    (!checker.failed).then_some(typed)
}

/// A name that a macro around gives.
struct Local {
    name: String,
    meaning: Meaning,
}

/// What such a name stands for.
enum Meaning {
    /// Each element in turn; the number as in [`TypedKind::Local`].
    Element(u16, Type),
    /// Another expression.
    Bound(Typed),
}

struct Checker<'a> {
    scope: &'a Scope<'a>,
    /// The names that the macros around give, the outermost first.
    locals: Vec<Local>,
    /// What the locals around stand for that are no elements.
    bound: Vec<(u16, Typed)>,
    /// How many locals are around.
    nesting: u16,
    /// What holds wherever the current expression is evaluated.
    guards: Vec<Guard>,
    /// The condition that the current expression is a part of.
    clause: Option<Clause>,
    /// What is read of the current expression: the whole with each part, and the part, the outermost first.
    parts: Vec<(Span, String)>,
    /// The type of the literal that the current operand is ordered with, and a value of it.
    ordered_with: Option<(&'static str, &'static str)>,
    failed: bool,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    /// Checks an expression that is used as a value, so it is no map of the call.
    fn value(&mut self, expr: &Expr) -> Typed {
        let typed = self.any(expr);
        if matches!(
            (&typed.kind, &typed.ty),
            (TypedKind::Field(_), Type::Map(..))
        ) {
            return self.map_as_value(expr);
        }
        typed
    }

    /// Checks an expression that is no part of the condition around it.
    fn apart(&mut self, expr: &Expr) -> Typed {
        let clause = self.clause.take();
        let typed = self.value(expr);
        self.clause = clause;
        typed
    }

    /// Checks an expression that may be a map of the call, because a key of it is read.
    fn any(&mut self, expr: &Expr) -> Typed {
        let is_part = matches!(expr.kind, ExprKind::Select { .. } | ExprKind::Index { .. });
        let parts = (!is_part).then(|| std::mem::take(&mut self.parts));
        let mut typed = self.kind_of(expr);
        if let Some(parts) = parts {
            self.parts = parts;
        }
        if self.scope.mode == Mode::Unchecked {
            typed.ty = Type::Dyn;
        } else if typed.ty == Type::Dyn
            && let Some(ty) = self.known_type(&typed)
        {
            return converted(typed, ty);
        }
        typed
    }

    fn kind_of(&mut self, expr: &Expr) -> Typed {
        match &expr.kind {
            ExprKind::Error => {
                self.failed = true;
                unknown(expr.span)
            }
            ExprKind::Literal(literal) => constant(expr.span, literal_value(literal)),
            ExprKind::Identifier(name) => self.identifier(expr.span, name),
            ExprKind::Select {
                operand,
                field,
                optional,
            } => self.select(expr, operand, field, *optional),
            ExprKind::Index {
                operand,
                index,
                optional,
            } => self.index(expr, operand, index, *optional),
            ExprKind::Call {
                receiver,
                function,
                arguments,
            } => self.call(expr, receiver.as_deref(), function, arguments),
            ExprKind::Unary { operator, operand } => self.unary(expr, operator.value, operand),
            ExprKind::Binary {
                operator,
                left,
                right,
            } => match operator.value {
                BinaryOperator::And | BinaryOperator::Or => {
                    self.logic(expr, operator.value, left, right)
                }
                BinaryOperator::In => self.membership(expr, left, right),
                operator => self.binary(expr, operator, left, right),
            },
            ExprKind::Conditional {
                condition,
                then,
                otherwise,
            } => self.conditional(expr, condition, then, otherwise),
            ExprKind::List(elements) => self.list(expr, elements),
            ExprKind::Map(entries) => self.map(expr, entries),
            ExprKind::Message { name, .. } => self.report(
                UNKNOWN_IDENTIFIER
                    .error(name.span, format!("there is no message `{}`", name.value))
                    .label("expressions have no messages")
                    .help("compare fields with constants"),
            ),
        }
    }

    fn unary(&mut self, expr: &Expr, operator: UnaryOperator, operand: &Expr) -> Typed {
        match operator {
            UnaryOperator::Not => {
                let typed = self.condition(operand, "!");
                if typed.ty == Type::Error {
                    return typed;
                }
                self.apply(expr.span, Function::Not, vec![typed], Type::Bool)
            }
            UnaryOperator::Negate => {
                let typed = self.operand(operand);
                match typed.ty {
                    Type::Error => unknown(expr.span),
                    ref ty if is_open(ty) && !self.is_total() => {
                        self.apply(expr.span, Function::Negate, vec![typed], Type::Dyn)
                    }
                    Type::Int | Type::Double => {
                        let ty = typed.ty.clone();
                        self.apply(expr.span, Function::Negate, vec![typed], ty)
                    }
                    _ => self.wrong_operand("-", "an int or a double", operand, &typed.ty),
                }
            }
        }
    }

    fn logic(&mut self, expr: &Expr, operator: BinaryOperator, left: &Expr, right: &Expr) -> Typed {
        let is_and = operator == BinaryOperator::And;
        let sign = if is_and { "&&" } else { "||" };
        let left = self.condition(left, sign);
        // The right is read only if the left did not decide.
        let guards = self.implied(&left, is_and);
        let right = self.under(guards, |checker| checker.condition(right, sign));
        if left.ty == Type::Error || right.ty == Type::Error {
            return unknown(expr.span);
        }
        let kind = match (bool_of(&left), bool_of(&right)) {
            _ if !self.is_total() && is_and => TypedKind::And(Box::new(left), Box::new(right)),
            _ if !self.is_total() => TypedKind::Or(Box::new(left), Box::new(right)),
            (Some(value), _) if value != is_and => TypedKind::Constant(Constant::Bool(value)),
            (Some(_), _) => right.kind,
            (_, Some(value)) if value == is_and => left.kind,
            _ if is_and => TypedKind::And(Box::new(left), Box::new(right)),
            _ => TypedKind::Or(Box::new(left), Box::new(right)),
        };
        Typed {
            span: expr.span,
            ty: Type::Bool,
            kind,
        }
    }

    fn conditional(
        &mut self,
        expr: &Expr,
        condition: &Expr,
        then: &Expr,
        otherwise: &Expr,
    ) -> Typed {
        let test = self.condition(condition, "?");
        let (if_true, if_false) = (self.implied(&test, true), self.implied(&test, false));
        let (then_expr, otherwise_expr) = (then, otherwise);
        let mut then = self.under(if_true, |checker| checker.apart(then));
        let mut otherwise = self.under(if_false, |checker| checker.apart(otherwise));
        if test.ty == Type::Error {
            return unknown(expr.span);
        }
        let Some(ty) = self.agreed(&mut then, &mut otherwise) else {
            let message = format!(
                "`{then_expr}` is {}, `{otherwise_expr}` is {}",
                article(&then.ty),
                article(&otherwise.ty)
            );
            return self.report(
                TYPE_MISMATCH
                    .error(expr.span, message)
                    .label("both sides of `:` must have one type")
                    .because(then.span, then.ty.to_string())
                    .because(otherwise.span, otherwise.ty.to_string())
                    .help("convert one side, for example with `string(…)` or `double(…)`"),
            );
        };
        let kind = match bool_of(&test) {
            Some(true) => then.kind,
            Some(false) => otherwise.kind,
            None => TypedKind::Conditional(Box::new(test), Box::new(then), Box::new(otherwise)),
        };
        Typed {
            span: expr.span,
            ty,
            kind,
        }
    }

    /// The type of both; where one of them is `null` and may be, that of the other.
    fn agreed(&self, left: &mut Typed, right: &mut Typed) -> Option<Type> {
        let ty = unify(left, right);
        if ty.is_none() && !self.is_total() {
            let joined = self.joined([&left.ty, &right.ty].into_iter());
            return Some(joined).filter(|joined| *joined != Type::Dyn);
        }
        ty
    }

    /// Checks an operand of a logical operator.
    fn condition(&mut self, expr: &Expr, operator: &str) -> Typed {
        let clause = self.clause.replace(Clause::of(expr));
        let typed = self.value(expr);
        self.clause = clause;
        match typed.ty {
            Type::Bool | Type::Error => typed,
            ref ty if is_open(ty) && !self.is_total() => typed,
            Type::Dyn => self.dynamic(expr, &format!("`{operator}` takes bools")),
            _ => {
                let help = match operator {
                    "!" => format!("put what it negates in parentheses: `!({expr} …)`"),
                    _ => mistake::as_condition(expr, &typed.ty),
                };
                self.report(
                    TYPE_MISMATCH
                        .error(
                            expr.span,
                            format!(
                                "`{operator}` takes bools, `{expr}` is {}",
                                article(&typed.ty)
                            ),
                        )
                        .label(typed.ty.to_string())
                        .help(help),
                )
            }
        }
    }

    /// Checks an operand or argument. An optional that is known to have a value stands for the value.
    fn operand(&mut self, expr: &Expr) -> Typed {
        let typed = self.value(expr);
        match &typed.ty {
            Type::Optional(inner) if self.is_total() && self.has_value(&typed) => {
                let ty = (**inner).clone();
                call(expr.span, Function::Value, vec![typed], ty)
            }
            _ => typed,
        }
    }

    /// Checks what `check` evaluates where `guards` hold.
    fn under<T>(&mut self, guards: Vec<Guard>, check: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.guards.len();
        self.guards.extend(guards);
        let result = check(self);
        self.guards.truncate(before);
        result
    }

    fn expect(&mut self, expected: Expected, expr: &Expr, typed: &Typed) {
        match (expected, &typed.ty) {
            (_, Type::Error)
            | (Expected::Bool, Type::Bool)
            | (Expected::String, Type::String)
            | (Expected::Any, _) => {}
            (_, ty) if is_open(ty) && !self.is_total() => {}
            (Expected::Bool, Type::Dyn) => {
                self.dynamic(expr, "a condition is a bool");
            }
            (Expected::Bool, ty) => {
                let help = mistake::as_condition(expr, ty);
                self.report(
                    NOT_A_BOOL
                        .error(
                            expr.span,
                            format!("a condition is a bool, `{expr}` is {}", article(ty)),
                        )
                        .label(ty.to_string())
                        .help(help),
                );
            }
            (Expected::String, Type::Dyn) => {
                self.dynamic(expr, "a key is a string");
            }
            (Expected::String, ty) => {
                let help = match ty {
                    Type::Optional(_) => {
                        format!("say what a missing one means: `{expr}.orValue(\"\")`")
                    }
                    _ => format!("write `string({expr})`, or name a field that is a string"),
                };
                self.report(
                    TYPE_MISMATCH
                        .error(
                            expr.span,
                            format!("a key is a string, `{expr}` is {}", article(ty)),
                        )
                        .label(ty.to_string())
                        .help(help),
                );
            }
        }
    }

    /// Reports a mistake; what stands there has no known type, so nothing follows from it. Where nothing is
    /// checked it fails when it is evaluated.
    fn report(&mut self, diagnostic: Diagnostic) -> Typed {
        let span = diagnostic.primary.span;
        if self.scope.mode == Mode::Unchecked {
            return Typed {
                span,
                ty: Type::Dyn,
                kind: TypedKind::Fail(diagnostic.message),
            };
        }
        self.failed = true;
        self.diagnostics.push(diagnostic);
        unknown(span)
    }

    /// Calls `function`, or computes it now if all arguments are constants.
    fn apply(&mut self, span: Span, function: Function, arguments: Vec<Typed>, ty: Type) -> Typed {
        let is_constant = arguments.iter().all(|one| constant_of(one).is_some());
        let typed = call(span, function, arguments, ty);
        if is_constant {
            self.computed(typed)
        } else {
            typed
        }
    }

    /// The value of an expression that reads nothing.
    fn computed(&mut self, typed: Typed) -> Typed {
        let Some(evaluator) = self.scope.evaluator else {
            return typed;
        };
        match evaluator.evaluate(&typed) {
            Ok(value) => Typed {
                kind: TypedKind::Constant(value),
                ..typed
            },
            Err(failure) if self.is_total() => {
                let (span, failure) = mistake::why_not_computed(&typed, &failure);
                self.constant_fails(span, &failure)
            }
            Err(_) => typed,
        }
    }

    /// Whether functions of constants are computed now.
    fn evaluates(&self) -> bool {
        self.scope.evaluator.is_some()
    }
}

/// A value that is known to be of a type, as one of that type.
fn converted(typed: Typed, ty: Type) -> Typed {
    let function = match ty {
        Type::Bool => Function::ToBool,
        Type::Int => Function::ToInt,
        Type::Uint => Function::ToUint,
        Type::Double => Function::ToDouble,
        _ => Function::ToString,
    };
    call(typed.span, function, vec![typed], ty)
}

/// What stands where something was reported.
fn unknown(span: Span) -> Typed {
    Typed {
        span,
        ty: Type::Error,
        kind: TypedKind::Constant(Constant::Null),
    }
}

fn call(span: Span, function: Function, arguments: Vec<Typed>, ty: Type) -> Typed {
    Typed {
        span,
        ty,
        kind: TypedKind::Call(function, arguments),
    }
}

fn constant(span: Span, value: Constant) -> Typed {
    Typed {
        span,
        ty: value.ty(),
        kind: TypedKind::Constant(value),
    }
}

fn literal_value(literal: &Literal) -> Constant {
    match literal {
        Literal::Null => Constant::Null,
        Literal::Bool(value) => Constant::Bool(*value),
        Literal::Int(value) => Constant::Int(*value),
        Literal::Uint(value) => Constant::Uint(*value),
        Literal::Double(value) => Constant::Double(*value),
        Literal::String(text) => Constant::String(text.clone()),
        Literal::Bytes(octets) => Constant::Bytes(octets.clone()),
    }
}

/// The value, if it is known and its type too.
fn constant_of(typed: &Typed) -> Option<&Constant> {
    match &typed.kind {
        TypedKind::Constant(value) if typed.ty != Type::Error => Some(value),
        _ => None,
    }
}

fn bool_of(typed: &Typed) -> Option<bool> {
    match constant_of(typed) {
        Some(Constant::Bool(value)) => Some(*value),
        _ => None,
    }
}

fn text_of(typed: &Typed) -> Option<&str> {
    match constant_of(typed) {
        Some(Constant::String(text)) => Some(text),
        _ => None,
    }
}
