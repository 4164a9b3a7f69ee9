//! The literals of CEL: numbers, strings and bytes, read from the front of a text.
//!
//! Invariant: every literal that starts gets a length, also one that cannot be read, so the lexer moves on.

use nom::bytes::complete::{tag, take_while, take_while_m_n, take_while1};
use nom::combinator::{opt, recognize};
use nom::{IResult, Parser};

use super::expression::Literal;

/// What a literal says, or why it cannot be read.
pub(super) type Reading = Result<Value, Malformed>;

/// The value of a literal. Integers wait for their sign: `-9223372036854775808` is one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// An integer without its sign.
    Integer(u64),
    /// Any other literal.
    Literal(Literal),
}

/// Why a literal cannot be read, and which of its bytes say so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Malformed {
    /// The first byte, counted from the start of the literal.
    pub(super) from: usize,
    /// One past the last byte.
    pub(super) to: usize,
    /// The finding.
    pub(super) message: String,
    /// What is said under the bytes.
    pub(super) label: &'static str,
    /// What to write.
    pub(super) help: String,
    /// Whether it took the rest of the line, or of the text.
    pub(super) swallows: bool,
}

/// The identifier at the front, if there is one.
pub(super) fn identifier(text: &str) -> Option<&str> {
    let starts = text.starts_with(|c: char| is_identifier(c) && !c.is_ascii_digit());
    let end = text.bytes().position(|byte| !is_identifier(byte.into()));
    text.get(..end.unwrap_or(text.len())).filter(|_| starts)
}

fn is_identifier(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// The number at the front and its length, if there is one.
pub(super) fn number(text: &str) -> Option<(Reading, usize)> {
    let (after, digits) = hexadecimal(text)
        .or_else(|_| decimal(text))
        .or_else(|_| digits(text))
        .ok()?;
    let (after, suffix) = suffix(after).unwrap_or((after, None));
    let tail: IResult<&str, &str> = take_while(is_identifier)(after);
    let tail = tail.map_or("", |(_, tail)| tail);
    let length = text.len() - after.len() + tail.len();
    let written = text.get(..length).unwrap_or(text);
    let reading = if tail.is_empty() {
        number_value(digits, suffix)
    } else {
        None
    };
    Some((
        reading.ok_or_else(|| malformed_number(written, tail.is_empty())),
        length,
    ))
}

fn digits(text: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_ascii_digit())(text)
}

fn hexadecimal(text: &str) -> IResult<&str, &str> {
    recognize((tag("0x"), take_while1(|c: char| c.is_ascii_hexdigit()))).parse(text)
}

fn exponent(text: &str) -> IResult<&str, &str> {
    let sign = take_while_m_n(0, 1, |c| c == '+' || c == '-');
    recognize((take_while_m_n(1, 1, |c| c == 'e' || c == 'E'), sign, digits)).parse(text)
}

fn decimal(text: &str) -> IResult<&str, &str> {
    let fraction = recognize((
        take_while(|c: char| c.is_ascii_digit()),
        tag("."),
        digits,
        opt(exponent),
    ));
    fraction.or(recognize((digits, exponent))).parse(text)
}

fn suffix(text: &str) -> IResult<&str, Option<&str>> {
    opt(take_while_m_n(1, 1, |c| matches!(c, 'u' | 'U' | 'k' | 'M'))).parse(text)
}

fn number_value(digits: &str, suffix: Option<&str>) -> Option<Value> {
    let is_decimal = !digits.starts_with("0x") && digits.contains(['.', 'e', 'E']);
    if is_decimal {
        let value = digits.parse::<f64>().ok().filter(|value| value.is_finite());
        return match suffix {
            None => value.map(|value| Value::Literal(Literal::Double(value))),
            Some(_) => None,
        };
    }
    let hexadecimal = digits.strip_prefix("0x");
    let magnitude = match hexadecimal {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse(),
    }
    .ok()?;
    match suffix {
        Some("u" | "U") => Some(Value::Literal(Literal::Uint(magnitude))),
        Some("k") if hexadecimal.is_none() => magnitude.checked_mul(1000).map(Value::Integer),
        Some("M") if hexadecimal.is_none() => magnitude.checked_mul(1_000_000).map(Value::Integer),
        Some(_) => None,
        None => Some(Value::Integer(magnitude)),
    }
}

fn malformed_number(written: &str, too_large: bool) -> Malformed {
    let unit = written.trim_start_matches(|c: char| c.is_ascii_digit());
    let (label, help) = match unit {
        "ms" | "s" | "m" | "h" | "d" => (
            "durations have no literal in expressions",
            format!("write `duration(\"{written}\")`"),
        ),
        _ if unit.starts_with('.') && unit.ends_with(['k', 'M']) => (
            "`k` and `M` follow whole numbers only",
            "write all digits".to_owned(),
        ),
        _ if written.contains('_') => (
            "digits are not grouped in expressions",
            format!("write `{}`", written.replace('_', "")),
        ),
        _ if too_large => ("numbers have 64 bits", "write a smaller number".to_owned()),
        _ => (
            "letters follow the digits",
            "a number may end in `u` (unsigned), `k` (thousand) or `M` (million)".to_owned(),
        ),
    };
    let message = if too_large && !unit.contains('.') {
        format!("`{written}` does not fit")
    } else {
        format!("`{written}` is not a number")
    };
    Malformed {
        from: 0,
        to: written.len(),
        message,
        label,
        help,
        swallows: false,
    }
}

/// How a string literal is written.
struct Style {
    raw: bool,
    bytes: bool,
    quote: &'static str,
    /// The bytes before its content.
    opening: usize,
}

fn style(text: &str) -> Option<Style> {
    let prefix = text
        .bytes()
        .take_while(|byte| matches!(byte, b'r' | b'R' | b'b' | b'B'))
        .count();
    let letters = text.get(..prefix)?;
    let (raw, bytes) = (letters.contains(['r', 'R']), letters.contains(['b', 'B']));
    if prefix != usize::from(raw) + usize::from(bytes) {
        return None;
    }
    let rest = text.get(prefix..)?;
    let quote = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| rest.starts_with(quote))?;
    Some(Style {
        raw,
        bytes,
        quote,
        opening: prefix + quote.len(),
    })
}

/// The string or bytes literal at the front and its length, if there is one.
pub(super) fn string(text: &str) -> Option<(Reading, usize)> {
    let style = style(text)?;
    if let Some(plain) = plain(text, &style) {
        return Some(plain);
    }
    let mut content = Content {
        style: &style,
        octets: Vec::new(),
        malformed: None,
    };
    let mut at = style.opening;
    loop {
        let rest = text.get(at..).unwrap_or("");
        if rest.starts_with(style.quote) {
            return Some((content.finish(), at + style.quote.len()));
        }
        let Some(c) = rest.chars().next() else { break };
        if style.quote.len() == 1 && matches!(c, '\n' | '\r') {
            break;
        }
        at += content.push(rest, c, at);
    }
    let written = text.get(..at).unwrap_or(text);
    Some((Err(unterminated(&style, written)), at))
}

/// A text on one line that means what it says.
fn plain(text: &str, style: &Style) -> Option<(Reading, usize)> {
    let rest = text.get(style.opening..)?;
    let quote = style.quote.as_bytes().first().copied();
    let ends = |byte: u8| Some(byte) == quote || matches!(byte, b'\\' | b'\n' | b'\r');
    let end = rest.bytes().position(ends)?;
    let is_closed = rest.as_bytes().get(end).copied() == quote;
    if style.bytes || style.quote.len() > 1 || !is_closed {
        return None;
    }
    let content = Literal::String(rest.get(..end)?.to_owned());
    Some((Ok(Value::Literal(content)), style.opening + end + 1))
}

fn unterminated(style: &Style, written: &str) -> Malformed {
    Malformed {
        from: 0,
        to: style.opening.max(
            written
                .trim_end()
                .len()
                .min(written.lines().next().map_or(0, str::len)),
        ),
        message: "the string does not end".to_owned(),
        label: "it starts here",
        help: format!("write `{}` where it ends", style.quote),
        swallows: true,
    }
}

struct Content<'a> {
    style: &'a Style,
    octets: Vec<u8>,
    malformed: Option<Malformed>,
}

impl Content<'_> {
    /// Adds the character, escape or newline at the front of `rest`; returns how many bytes it was written as.
    fn push(&mut self, rest: &str, c: char, at: usize) -> usize {
        if c == '\\' && !self.style.raw {
            return self.push_escape(rest, at);
        }
        if c == '\r' {
            self.octets.push(b'\n');
            return if rest.starts_with("\r\n") { 2 } else { 1 };
        }
        self.push_char(c);
        c.len_utf8()
    }

    fn push_char(&mut self, c: char) {
        self.octets
            .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn push_escape(&mut self, rest: &str, at: usize) -> usize {
        let Some((value, length)) = escape(rest, self.style.bytes) else {
            let length = rest.chars().take(2).map(char::len_utf8).sum();
            let written = rest.get(..length).unwrap_or(rest).trim_end();
            self.malformed
                .get_or_insert_with(|| bad_escape(written, at));
            // A backslash before the end of the line must not hide that the string does not end.
            return if written.len() < length { 1 } else { length };
        };
        match value {
            Escape::Octet(octet) => self.octets.push(octet),
            Escape::Char(c) => self.push_char(c),
        }
        length
    }

    fn finish(self) -> Reading {
        if let Some(malformed) = self.malformed {
            return Err(malformed);
        }
        if self.style.bytes {
            return Ok(Value::Literal(Literal::Bytes(self.octets)));
        }
        let text = String::from_utf8_lossy(&self.octets).into_owned();
        Ok(Value::Literal(Literal::String(text)))
    }
}

fn bad_escape(written: &str, at: usize) -> Malformed {
    Malformed {
        from: at,
        to: at + written.len(),
        message: format!("`{written}` is not an escape"),
        label: "nothing is written like this",
        help: "write `\\\\` for a backslash, or put `r` before the string to take every character as it is"
            .to_owned(),
        swallows: false,
    }
}

enum Escape {
    Octet(u8),
    Char(char),
}

/// The escape at the front and its length. In bytes, `\x` and octal escapes are octets and `\u` does not exist.
fn escape(rest: &str, bytes: bool) -> Option<(Escape, usize)> {
    let kind = rest.chars().nth(1)?;
    let simple = match kind {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' | '?' | '"' | '\'' | '`' => kind,
        _ => return numeric_escape(rest, kind, bytes),
    };
    Some((Escape::Char(simple), 2))
}

fn numeric_escape(rest: &str, kind: char, bytes: bool) -> Option<(Escape, usize)> {
    let (skip, count, radix) = match kind {
        'x' | 'X' => (2, 2, 16),
        'u' if !bytes => (2, 4, 16),
        'U' if !bytes => (2, 8, 16),
        '0'..='3' => (1, 3, 8),
        _ => return None,
    };
    let digits = rest.get(skip..skip + count)?;
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = u32::from_str_radix(digits, radix).ok()?;
    let escape = if bytes {
        Escape::Octet(u8::try_from(value).ok()?)
    } else {
        Escape::Char(char::from_u32(value)?)
    };
    Some((escape, skip + count))
}
