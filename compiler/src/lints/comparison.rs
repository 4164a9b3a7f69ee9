//! Comparisons in expressions: what several lints look at.

use waypost_lang::cel::typed::{Constant, Function, Typed, TypedKind};

/// `left OPERATOR right`
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    /// The whole.
    pub(super) whole: &'a Typed,
    /// One of the six.
    pub(super) operator: Function,
    /// Its left side.
    pub(super) left: &'a Typed,
    /// Its right side.
    pub(super) right: &'a Typed,
}

impl<'a> Comparison<'a> {
    /// The same with its sides swapped: `5 > a` for `a < 5`.
    pub(super) const fn swapped(self) -> Self {
        let operator = match self.operator {
            Function::Less => Function::Greater,
            Function::LessOrEqual => Function::GreaterOrEqual,
            Function::Greater => Function::Less,
            Function::GreaterOrEqual => Function::LessOrEqual,
            other => other,
        };
        Self {
            operator,
            left: self.right,
            right: self.left,
            ..self
        }
    }

    /// Both ways round.
    pub(super) const fn both(self) -> [Self; 2] {
        [self, self.swapped()]
    }

    /// Whether it is `==` or `!=`.
    pub(super) const fn is_equality(self) -> bool {
        matches!(self.operator, Function::Equal | Function::NotEqual)
    }

    /// The whole number on the right.
    pub(super) const fn right_integer(self) -> Option<i64> {
        match self.right.kind {
            TypedKind::Constant(Constant::Int(value)) => Some(value),
            _ => None,
        }
    }
}

/// Every comparison in an expression.
pub(super) fn comparisons(expression: &Typed) -> Vec<Comparison<'_>> {
    let mut found = Vec::new();
    expression.visit(&mut |typed| {
        let TypedKind::Call(operator, arguments) = &typed.kind else {
            return;
        };
        let compares = matches!(
            operator,
            Function::Equal
                | Function::NotEqual
                | Function::Less
                | Function::LessOrEqual
                | Function::Greater
                | Function::GreaterOrEqual
        );
        if let (true, [left, right]) = (compares, arguments.as_slice()) {
            found.push(Comparison {
                whole: typed,
                operator: *operator,
                left,
                right,
            });
        }
    });
    found
}
