//! Strings as CEL writes them: where one ends, and what it says.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while};
use nom::combinator::verify;
use nom::{IResult, Parser as _};

use super::literal::Refusal;

/// Where a string ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextExtent {
    /// Its bytes, quotes included.
    pub(crate) length: usize,
    /// Whether its closing quote is there.
    pub(crate) closed: bool,
}

/// What stands before a string's content, and what ends it.
struct Opening<'t> {
    raw: bool,
    bytes: bool,
    quote: &'t str,
    length: usize,
}

fn opening(input: &str) -> Option<Opening<'_>> {
    let prefix = |input| -> IResult<&str, &str> {
        verify(take_while(|c| "rRbB".contains(c)), |p: &str| p.len() <= 2).parse(input)
    };
    let quote = |input| -> IResult<&str, &str> {
        alt((tag("\"\"\""), tag("'''"), tag("\""), tag("'"))).parse(input)
    };
    let (_, (prefix, quote)) = (prefix, quote).parse(input).ok()?;
    Some(Opening {
        raw: prefix.contains(['r', 'R']),
        bytes: prefix.contains(['b', 'B']),
        quote,
        length: prefix.len() + quote.len(),
    })
}

/// The extent of the string that begins `input`, if one does.
pub(crate) fn extent(input: &str) -> Option<TextExtent> {
    // Asked of every token, and nearly none is a string.
    if !input.starts_with(['"', '\'', 'r', 'R', 'b', 'B']) {
        return None;
    }
    let opening = opening(input)?;
    let long = opening.quote.len() == 3;
    let body = input.as_bytes().get(opening.length..)?;
    let quote = opening.quote.as_bytes();
    let mut escaped = false;
    // What matters is ASCII, and no byte of another character is.
    for (at, byte) in body.iter().enumerate() {
        if *byte == b'\n' && !long {
            let line = input.get(opening.length..opening.length + at);
            return Some(TextExtent {
                length: opening.length + line.unwrap_or("").trim_end().len(),
                closed: false,
            });
        }
        if escaped {
            escaped = false;
        } else if *byte == b'\\' && !opening.raw {
            escaped = true;
        } else if quote.first() == Some(byte)
            && (!long || body.get(at..).is_some_and(|rest| rest.starts_with(quote)))
        {
            return Some(TextExtent {
                length: opening.length + at + quote.len(),
                closed: true,
            });
        }
    }
    Some(TextExtent {
        length: input.trim_end().len(),
        closed: false,
    })
}

/// An escape that means nothing: its bytes within the literal, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadText {
    /// From where, in bytes of the literal.
    pub(crate) start: usize,
    /// To where.
    pub(crate) end: usize,
    /// What is wrong with it.
    pub(crate) refusal: Refusal,
}

/// The value of a closed string literal.
pub(crate) fn decode(written: &str) -> Result<String, BadText> {
    let Some(opening) = opening(written) else {
        // Typographic quotes: one character on each side.
        let mut inner = written.chars();
        inner.next();
        inner.next_back();
        return Ok(inner.as_str().to_owned());
    };
    if opening.bytes {
        return Err(BadText {
            start: 0,
            end: written.len(),
            refusal: Refusal::new(
                "is bytes, where text belongs",
                "remove the `b` before the quote",
            ),
        });
    }
    let end = written.len() - opening.quote.len();
    let body = written.get(opening.length..end).unwrap_or("");
    if opening.raw || !body.contains('\\') {
        return Ok(body.to_owned());
    }
    unescape(body).map_err(|bad| BadText {
        start: bad.start + opening.length,
        end: bad.end + opening.length,
        ..bad
    })
}

fn unescape(body: &str) -> Result<String, BadText> {
    let mut value = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((plain, after)) = rest.split_once('\\') {
        value.push_str(plain);
        let start = body.len() - after.len() - 1;
        let (character, length) = escape(after).ok_or_else(|| {
            let bad = after.chars().next().map_or(0, char::len_utf8);
            BadText {
                start,
                end: start + 1 + bad,
                refusal: Refusal::new("is not an escape", "write a backslash itself as `\\\\`"),
            }
        })?;
        value.push(character);
        rest = after.get(length..).unwrap_or("");
    }
    value.push_str(rest);
    Ok(value)
}

/// What follows a backslash: the character meant, and how many bytes said so.
fn escape(after: &str) -> Option<(char, usize)> {
    let first = after.chars().next()?;
    let simple = match first {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '?' | '"' | '\'' | '`' => first,
        'x' | 'X' => return code_point(after, 1, 2, 16),
        'u' => return code_point(after, 1, 4, 16),
        'U' => return code_point(after, 1, 8, 16),
        '0'..='3' => return code_point(after, 0, 3, 8),
        _ => return None,
    };
    Some((simple, 1))
}

fn code_point(after: &str, skip: usize, digits: usize, radix: u32) -> Option<(char, usize)> {
    let written = after.get(skip..skip + digits)?;
    if !written.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = u32::from_str_radix(written, radix).ok()?;
    Some((char::from_u32(value)?, skip + digits))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::decode;

    #[test]
    fn strings_are_decoded_as_cel_does() {
        assert_eq!(decode(r#""a\n\"\u00e9\x41\101""#).unwrap(), "a\n\"éAA");
        assert_eq!(decode(r#"r"INT-\d""#).unwrap(), r"INT-\d");
        assert_eq!(decode("'''it's'''").unwrap(), "it's");
        let bad = decode(r#""ab\q""#).unwrap_err();
        assert_eq!((bad.start, bad.end), (3, 5));
        assert!(decode(r#"b"x""#).is_err());
    }
}
