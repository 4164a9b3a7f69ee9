//! An expression as text again, for messages: on one line, with the fewest parentheses, long lists cut short.

use std::borrow::Cow;
use std::fmt;

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
            write!(f, "({})", self.0)
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
                write!(f, "{}.{}", Operand(operand, 7), mark(*optional))?;
                f.write_str(&field_name(&field.value))
            }
            ExprKind::Index {
                operand,
                index,
                optional,
            } => write!(f, "{}[{}{index}]", Operand(operand, 7), mark(*optional)),
            ExprKind::Call {
                receiver,
                function,
                arguments,
            } => {
                if let Some(receiver) = receiver {
                    write!(f, "{}.", Operand(receiver, 7))?;
                }
                write!(f, "{}(", function.value)?;
                write_list(f, arguments.iter().map(|argument| (false, argument)))?;
                f.write_str(")")
            }
            ExprKind::Unary { operator, operand } => {
                write!(f, "{}{}", operator.value, Operand(operand, 6))
            }
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let tightness = operator.value.precedence();
                let (left, right) = (Operand(left, tightness), Operand(right, tightness + 1));
                write!(f, "{left} {} {right}", operator.value)
            }
            ExprKind::Conditional {
                condition,
                then,
                otherwise,
            } => {
                let (condition, then) = (Operand(condition, 1), Operand(then, 1));
                write!(f, "{condition} ? {then} : {otherwise}")
            }
            ExprKind::List(elements) => {
                f.write_str("[")?;
                write_list(
                    f,
                    elements
                        .iter()
                        .map(|(optional, element)| (*optional, element)),
                )?;
                f.write_str("]")
            }
            ExprKind::Map(_) => f.write_str("{…}"),
            ExprKind::Message { name, .. } => write!(f, "{}{{…}}", name.value),
        }
    }
}

fn mark(optional: bool) -> &'static str {
    if optional { "?" } else { "" }
}

/// The longest list that is written out.
const SHOWN: usize = 5;

fn write_list<'a>(
    f: &mut fmt::Formatter<'_>,
    items: impl ExactSizeIterator<Item = (bool, &'a Expr)>,
) -> fmt::Result {
    let shown = if items.len() > SHOWN {
        SHOWN - 1
    } else {
        SHOWN
    };
    let is_cut = items.len() > SHOWN;
    for (at, (optional, item)) in items.take(shown).enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        write!(f, "{separator}{}{item}", mark(optional))?;
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
