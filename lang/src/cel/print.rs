//! An expression as text again, on one line and with the fewest parentheses: `{expr}` for messages, with long lists
//! cut short, and `{expr:#}` whole, to be written into a file.

use std::borrow::Cow;
use std::fmt::{self, Display as _};

use super::expression::{BinaryOperator, Expr, ExprKind, Literal, UnaryOperator};

/// How tightly the outermost operator binds; operands that bind looser need parentheses.
fn precedence(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Conditional { .. } => 0,
        ExprKind::Binary { operator, .. } => operator.value.precedence(),
        ExprKind::Unary { .. } => 6,
        ExprKind::Literal(Literal::Int(value)) if *value < 0 => 6,
        ExprKind::Literal(Literal::Double(value)) if value.is_sign_negative() => 6,
        _ => 7,
    }
}

struct Operand<'a>(&'a Expr, u8);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if precedence(&self.0.kind) < self.1 {
            f.write_str("(")?;
            self.0.fmt(f)?;
            f.write_str(")")
        } else {
            self.0.fmt(f)
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Error => f.write_str("…"),
            ExprKind::Literal(literal) => literal.fmt(f),
            ExprKind::Identifier(name) => f.write_str(name),
            ExprKind::Select {
                operand,
                field,
                optional,
            } => {
                Operand(operand, 7).fmt(f)?;
                write!(f, ".{}{}", mark(*optional), field_name(&field.value))
            }
            ExprKind::Index {
                operand,
                index,
                optional,
            } => {
                Operand(operand, 7).fmt(f)?;
                write!(f, "[{}", mark(*optional))?;
                index.fmt(f)?;
                f.write_str("]")
            }
            ExprKind::Call {
                receiver,
                function,
                arguments,
            } => {
                if let Some(receiver) = receiver {
                    Operand(receiver, 7).fmt(f)?;
                    f.write_str(".")?;
                }
                write!(f, "{}(", function.value)?;
                write_list(f, arguments, |f, argument| argument.fmt(f))?;
                f.write_str(")")
            }
            ExprKind::Unary { operator, operand } => {
                write!(f, "{}", operator.value)?;
                // A sign before a number would be part of it.
                let negates = operator.value == UnaryOperator::Negate;
                let tightness = if negates && starts_with_number(operand) {
                    8
                } else {
                    6
                };
                Operand(operand, tightness).fmt(f)
            }
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let tightness = operator.value.precedence();
                Operand(left, tightness).fmt(f)?;
                write!(f, " {} ", operator.value)?;
                Operand(right, tightness + 1).fmt(f)
            }
            ExprKind::Conditional {
                condition,
                then,
                otherwise,
            } => {
                Operand(condition, 1).fmt(f)?;
                f.write_str(" ? ")?;
                Operand(then, 1).fmt(f)?;
                f.write_str(" : ")?;
                otherwise.fmt(f)
            }
            ExprKind::List(_) | ExprKind::Map(_) | ExprKind::Message { .. } => {
                write_collection(&self.kind, f)
            }
        }
    }
}

/// What stands in brackets, element by element.
fn write_collection(kind: &ExprKind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        ExprKind::List(elements) => {
            f.write_str("[")?;
            write_list(f, elements, |f, (optional, element)| {
                f.write_str(mark(*optional))?;
                element.fmt(f)
            })?;
            f.write_str("]")
        }
        ExprKind::Map(entries) => {
            f.write_str("{")?;
            write_list(f, entries, |f, (optional, key, value)| {
                f.write_str(mark(*optional))?;
                key.fmt(f)?;
                f.write_str(": ")?;
                value.fmt(f)
            })?;
            f.write_str("}")
        }
        ExprKind::Message { name, fields } => {
            write!(f, "{}{{", name.value)?;
            write_list(f, fields, |f, (name, value)| {
                write!(f, "{}: ", field_name(&name.value))?;
                value.fmt(f)
            })?;
            f.write_str("}")
        }
        _ => Ok(()),
    }
}

fn starts_with_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(literal) => matches!(literal, Literal::Int(_) | Literal::Double(_)),
        ExprKind::Select { operand, .. } | ExprKind::Index { operand, .. } => {
            starts_with_number(operand)
        }
        ExprKind::Call { receiver, .. } => receiver.as_deref().is_some_and(starts_with_number),
        _ => false,
    }
}

fn mark(optional: bool) -> &'static str {
    if optional { "?" } else { "" }
}

/// The longest list that is written out.
const SHOWN: usize = 5;

fn write_list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    write_item: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    let is_cut = items.len() > SHOWN && !f.alternate();
    let shown = if is_cut { SHOWN - 1 } else { items.len() };
    for (at, item) in items.iter().take(shown).enumerate() {
        f.write_str(if at == 0 { "" } else { ", " })?;
        write_item(f, item)?;
    }
    f.write_str(if is_cut { ", …" } else { "" })
}

/// The name of a field as it is written after a dot.
pub(super) fn field_name(name: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let starts = !name.starts_with(|c: char| c.is_ascii_digit());
    if starts && name.chars().all(is_plain) && !matches!(name, "in" | "true" | "false" | "null") {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("`{name}`"))
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Uint(value) => write!(f, "{value}u"),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::String(text) => f.write_str(&quote(text)),
            Self::Bytes(octets) => {
                f.write_str("b\"")?;
                for octet in octets {
                    match octet {
                        b'"' | b'\\' => write!(f, "\\{}", char::from(*octet))?,
                        b' '..=b'~' => write!(f, "{}", char::from(*octet))?,
                        _ => write!(f, "\\x{octet:02x}")?,
                    }
                }
                f.write_str("\"")
            }
        }
    }
}

/// `text` as a string literal of CEL.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

impl fmt::Display for UnaryOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Not => "!",
            Self::Negate => "-",
        })
    }
}

impl BinaryOperator {
    /// How tightly it binds, from 1 for `||` to 5 for `*`.
    #[must_use]
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide | Self::Remainder => 5,
            _ => 3,
        }
    }
}

impl fmt::Display for BinaryOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        })
    }
}
