//! Strings, by code point.

use regex::RegexBuilder;

use super::machine::Machine;
use super::memory::MOST_TEXT;
use super::value::{Failure, Value};
use super::vocabulary::Function;

/// How large a pattern that is compiled at run time may be, in bytes.
const MOST_PATTERN: usize = 1 << 16;
/// What compiling one is charged, in steps.
const PATTERN_STEPS: u64 = 1 << 13;

pub(super) fn apply<'a>(
    machine: &mut Machine<'a>,
    function: Function,
    arguments: [Value<'a>; 4],
) -> Result<Value<'a>, Failure> {
    use Function as F;
    let [first, second, third, fourth] = arguments;
    match function {
        F::Contains | F::StartsWith | F::EndsWith | F::IndexOf | F::LastIndexOf => {
            search(function, machine.string(first)?, machine.string(second)?)
        }
        F::IndexOfFrom | F::LastIndexOfFrom => {
            let (text, part) = (machine.string(first)?, machine.string(second)?);
            search_from(function, text, part, third)
        }
        F::Matches => matches(machine, first, second),
        F::CharAt => {
            let start = place(machine.string(first)?, second)?;
            let text = machine.peek(first)?;
            let rest = text.get(start..).unwrap_or_default();
            let length = rest.chars().next().map_or(0, char::len_utf8);
            Ok(Machine::part(first, start..start + length))
        }
        F::Substring | F::SubstringTo => {
            let text = machine.string(first)?;
            let start = place(text, second)?;
            let end = match function {
                F::Substring => text.len(),
                _ => place(text, third)?,
            };
            if start > end {
                return Err(Failure::Key);
            }
            Ok(Machine::part(first, start..end))
        }
        F::Trim => {
            let text = machine.string(first)?;
            let start = text.len() - text.trim_start().len();
            let length = text.trim().len();
            Ok(Machine::part(first, start..start + length))
        }
        F::LowerAscii | F::UpperAscii | F::Reverse => changed(machine, function, first),
        F::Replace | F::ReplaceMost => {
            let most = match function {
                F::Replace => usize::MAX,
                _ => limit(fourth)?,
            };
            machine.make(|machine, out| {
                let (text, old) = (machine.string(first)?, machine.string(second)?);
                replace(text, old, machine.string(third)?, most, out)
            })
        }
        F::Split => split(machine, first, second, usize::MAX),
        F::SplitMost => split(machine, first, second, limit(third)?),
        F::Join => machine.make(|machine, out| join(machine, first, second, out)),
        F::Quote => machine.make(|machine, out| {
            quote(machine.string(first)?, out);
            Ok(())
        }),
        _ => Err(Failure::Type),
    }
}

/// `a + b` of strings, octets and lists.
pub(super) fn concatenate<'a>(
    machine: &mut Machine<'a>,
    first: Value<'a>,
    second: Value<'a>,
) -> Result<Value<'a>, Failure> {
    if machine.octets(first).is_some() {
        return machine.make_octets(|machine, out| {
            for part in [first, second] {
                out.extend_from_slice(machine.octets(part).ok_or(Failure::Type)?);
            }
            Ok(())
        });
    }
    if !machine.is_text(first) {
        return machine.append(first, second);
    }
    machine.make(|machine, out| {
        out.push_str(machine.string(first)?);
        out.push_str(machine.string(second)?);
        Ok(())
    })
}

fn changed<'a>(
    machine: &mut Machine<'a>,
    function: Function,
    text: Value<'a>,
) -> Result<Value<'a>, Failure> {
    machine.make(|machine, out| {
        let text = machine.string(text)?;
        if function == Function::Reverse {
            out.extend(text.chars().rev());
            return Ok(());
        }
        out.push_str(text);
        if function == Function::LowerAscii {
            out.make_ascii_lowercase();
        } else {
            out.make_ascii_uppercase();
        }
        Ok(())
    })
}

fn search<'a>(function: Function, text: &str, part: &str) -> Result<Value<'a>, Failure> {
    Ok(match function {
        Function::Contains => Value::Bool(text.contains(part)),
        Function::StartsWith => Value::Bool(text.starts_with(part)),
        Function::EndsWith => Value::Bool(text.ends_with(part)),
        Function::IndexOf => position(text, text.find(part)),
        _ => position(text, text.rfind(part)),
    })
}

/// An offset in code points; -1 where there is none.
fn position<'a>(text: &str, offset: Option<usize>) -> Value<'a> {
    let before = offset.and_then(|offset| text.get(..offset));
    before.map_or(Value::Int(-1), |before| {
        Value::count(before.chars().count())
    })
}

/// `indexOf` looks for the first at or after a place, `lastIndexOf` for the last at or before it.
fn search_from<'a>(
    function: Function,
    text: &str,
    part: &str,
    from: Value<'a>,
) -> Result<Value<'a>, Failure> {
    let from = place(text, from)?;
    let offset = if function == Function::IndexOfFrom {
        let rest = text.get(from..).unwrap_or_default();
        rest.find(part).map(|offset| from + offset)
    } else {
        let end = from.saturating_add(part.len()).min(text.len());
        // A part that ends inside of a character is none.
        let end = (end..=text.len()).find(|end| text.is_char_boundary(*end));
        let before = end.and_then(|end| text.get(..end)).unwrap_or_default();
        before
            .rmatch_indices(part)
            .map(|(offset, _)| offset)
            .find(|offset| *offset <= from)
    };
    Ok(position(text, offset))
}

/// The bytes before a place that is given in code points; the end of the text is one.
fn place(text: &str, index: Value<'_>) -> Result<usize, Failure> {
    let Value::Int(index) = index else {
        return Err(index.failure().unwrap_or(Failure::Type));
    };
    let index = usize::try_from(index).map_err(|_| Failure::Key)?;
    let mut offsets = text
        .char_indices()
        .map(|(offset, _)| offset)
        .chain([text.len()]);
    offsets.nth(index).ok_or(Failure::Key)
}

/// How many at most: below 0, all.
fn limit(value: Value<'_>) -> Result<usize, Failure> {
    match value {
        Value::Int(most) => Ok(usize::try_from(most).unwrap_or(usize::MAX)),
        value => Err(value.failure().unwrap_or(Failure::Type)),
    }
}

fn matches<'a>(
    machine: &Machine<'a>,
    text: Value<'a>,
    pattern: Value<'a>,
) -> Result<Value<'a>, Failure> {
    let (text, pattern) = (machine.string(text)?, machine.string(pattern)?);
    machine.charge(PATTERN_STEPS + 64 * pattern.len() as u64)?;
    let compiled = RegexBuilder::new(pattern).size_limit(MOST_PATTERN).build();
    let compiled = compiled.map_err(|_| Failure::Conversion)?;
    Ok(Value::Bool(compiled.is_match(text)))
}

fn replace(text: &str, old: &str, new: &str, most: usize, out: &mut String) -> Result<(), Failure> {
    let mut end = 0;
    for (start, found) in text.match_indices(old).take(most) {
        out.push_str(text.get(end..start).unwrap_or_default());
        out.push_str(new);
        end = start + found.len();
        if out.len() > MOST_TEXT {
            return Err(Failure::Work);
        }
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(())
}

/// `"".split(…)` is a list of one empty string; an empty separator separates characters. The last of `most` pieces is
/// all that is left.
fn split<'a>(
    machine: &mut Machine<'a>,
    text: Value<'a>,
    separator: Value<'a>,
    most: usize,
) -> Result<Value<'a>, Failure> {
    let (mut position, mut pieces) = (0, 0);
    let mut list = machine.empty_list();
    // Reading all of it is charged once, not again for each piece.
    machine.string(text)?;
    machine.string(separator)?;
    let mut done = most == 0;
    while !done {
        pieces += 1;
        let whole = machine.peek(text)?;
        let by = machine.peek(separator)?;
        let rest = whole.get(position..).unwrap_or_default();
        let (length, skipped) = match (by.is_empty(), rest.chars().next(), rest.find(by)) {
            (true, None, _) => break,
            _ if pieces == most => {
                done = true;
                (rest.len(), 0)
            }
            (true, Some(character), _) => (character.len_utf8(), 0),
            (false, _, Some(offset)) => (offset, by.len()),
            (false, _, None) => {
                done = true;
                (rest.len(), 0)
            }
        };
        let piece = Machine::part(text, position..position + length);
        position += length + skipped;
        machine.charge(1)?;
        list = machine.extend(list, piece)?;
    }
    Ok(list)
}

fn join<'a>(
    machine: &Machine<'a>,
    list: Value<'a>,
    separator: Value<'a>,
    out: &mut String,
) -> Result<(), Failure> {
    let separator = machine.string(separator)?;
    let length = machine.length(list).ok_or(Failure::Type)?;
    for index in 0..length {
        machine.charge(1)?;
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(machine.string(machine.element(list, index))?);
        if out.len() > MOST_TEXT {
            return Err(Failure::Work);
        }
    }
    Ok(())
}

/// As a literal of CEL.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let escaped = match character {
            '\u{07}' => 'a',
            '\u{08}' => 'b',
            '\u{0c}' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{0b}' => 'v',
            '\\' => '\\',
            '"' => '"',
            other => {
                out.push(other);
                continue;
            }
        };
        out.extend(['\\', escaped]);
    }
    out.push('"');
}
