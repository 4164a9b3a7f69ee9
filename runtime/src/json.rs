//! Edits JSON text in place: what is not changed stays byte for byte as it was sent.
//!
//! Invariant: the text has been checked to be JSON before (the request was read from it); on text that is not, an
//! edit may be left out, but nothing panics and nothing outside a member is touched.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

/// Strings up to so many words of eight bytes are looked at word by word.
const SHORT: usize = 4;

/// A member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member<'t> {
    /// Its key, unescaped.
    pub(crate) key: Cow<'t, str>,
    /// Its value, as written.
    pub(crate) value: &'t str,
    key_span: Range<usize>,
    value_span: Range<usize>,
}

/// What becomes of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It stays.
    Keep,
    /// It goes.
    Drop,
    /// It gets another value, as JSON text.
    Value(String),
    /// It gets another key and another value, as JSON text; the key needs no escapes.
    Member(&'static str, String),
}

/// The members of the object that `text` is, in order.
pub(crate) fn members(text: &str) -> Vec<Member<'_>> {
    let mut scan = Scan { text, at: 0 };
    // As many as most calls have.
    let mut members = Vec::with_capacity(8);
    scan.space();
    if !scan.take(b'{') {
        return members;
    }
    while let Some(member) = scan.member() {
        members.push(member);
        scan.space();
        if !scan.take(b',') {
            break;
        }
    }
    members
}

/// The object with each member changed as `change` says, and `added` at its end; as it is when nothing changes.
pub(crate) fn rewrite<'t>(
    text: &'t str,
    change: impl FnMut(&Member<'_>) -> Change,
    added: &[String],
) -> Cow<'t, str> {
    rewrite_members(text, &members(text), change, added).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// As [`rewrite`], where the members of `text` are known; `None` when nothing changes.
pub(crate) fn rewrite_members(
    text: &str,
    members: &[Member<'_>],
    change: impl FnMut(&Member<'_>) -> Change,
    added: &[String],
) -> Option<String> {
    let changes: Vec<Change> = members.iter().map(change).collect();
    if added.is_empty() && changes.iter().all(|change| *change == Change::Keep) {
        return None;
    }
    // What stays is copied in runs, each from here to the next change.
    let mut from = 0;
    // Where the member before this one ended.
    let mut at = text.find('{')? + 1;
    let mut is_empty = true;
    let mut output = String::with_capacity(text.len() + 64);
    for (member, change) in members.iter().zip(changes) {
        let (key, value) = (&member.key_span, &member.value_span);
        if change == Change::Drop {
            output.push_str(piece(text, from..at));
            (from, at) = (value.end, value.end);
            continue;
        }
        if is_empty && from > 0 {
            // It has lost those before it: their comma goes with them.
            let gap = piece(text, at..key.start).trim_start();
            let gap = gap.strip_prefix(',').map_or(gap, str::trim_start);
            output.push_str(gap);
            from = key.start;
        }
        is_empty = false;
        at = value.end;
        let (name, new) = match change {
            Change::Keep | Change::Drop => continue,
            Change::Value(new) => (None, new),
            Change::Member(name, new) => (Some(name), new),
        };
        if let Some(name) = name {
            output.push_str(piece(text, from..key.start + 1));
            output.push_str(name);
            from = key.end - 1;
        }
        output.push_str(piece(text, from..value.start));
        output.push_str(&new);
        from = at;
    }
    output.push_str(piece(text, from..at));
    for member in added {
        if !std::mem::take(&mut is_empty) {
            output.push(',');
        }
        output.push_str(member);
    }
    output.push_str(piece(text, at..text.len()));
    Some(output)
}

/// `text` with each string that is a value replaced by what `replace` makes of it; `skip` names members of the
/// outermost object that stay.
pub(crate) fn rewrite_strings<'t>(
    text: &'t str,
    skip: &str,
    mut replace: impl FnMut(&str) -> Option<String>,
) -> Cow<'t, str> {
    let kept = members(text)
        .into_iter()
        .find(|member| member.key == skip)
        .map(|member| member.value_span);
    let mut scan = Scan { text, at: 0 };
    let mut output: Option<String> = None;
    let mut copied = 0;
    while let Some(span) = scan.next_string() {
        scan.space();
        let is_key = scan.peek() == Some(b':');
        if is_key || kept.as_ref().is_some_and(|kept| kept.contains(&span.start)) {
            continue;
        }
        let Some(new) = unescape(piece(text, span.clone())).and_then(|string| replace(&string))
        else {
            continue;
        };
        let output = output.get_or_insert_with(|| String::with_capacity(text.len()));
        output.push_str(piece(text, copied..span.start));
        output.push_str(&quote(&new));
        copied = span.end;
    }
    match output {
        None => Cow::Borrowed(text),
        Some(mut output) => {
            output.push_str(piece(text, copied..text.len()));
            Cow::Owned(output)
        }
    }
}

/// A string as JSON.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// JSON with nothing but printable ASCII in it, for headers.
pub(crate) fn ascii(json: &str) -> String {
    let mut output = String::with_capacity(json.len());
    for character in json.chars() {
        if matches!(character, ' '..='~') {
            output.push(character);
            continue;
        }
        let mut units = [0; 2];
        for unit in character.encode_utf16(&mut units) {
            output.push_str(&format!("\\u{unit:04x}"));
        }
    }
    output
}

/// The string that a JSON string with its quotes stands for.
fn unescape(quoted: &str) -> Option<Cow<'_, str>> {
    if quoted.contains('\\') {
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    } else {
        quoted
            .get(1..quoted.len().checked_sub(1)?)
            .map(Cow::Borrowed)
    }
}

/// All spans come from the scan below, which cuts only at ASCII.
fn piece(text: &str, span: Range<usize>) -> &str {
    text.get(span).unwrap_or_default()
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn member(&mut self) -> Option<Member<'t>> {
        self.space();
        let key_span = self.string()?;
        self.space();
        if !self.take(b':') {
            return None;
        }
        self.space();
        let value_span = self.value()?;
        Some(Member {
            key: unescape(piece(self.text, key_span.clone()))?,
            value: piece(self.text, value_span.clone()),
            key_span,
            value_span,
        })
    }

    /// The string that starts here, with its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if !self.take(b'"') {
            return None;
        }
        self.at = end_of_string(self.text.as_bytes(), self.at)?;
        Some(start..self.at)
    }

    /// The next string from here on, whatever stands before it.
    fn next_string(&mut self) -> Option<Range<usize>> {
        self.at += memchr::memchr(b'"', self.rest())?;
        self.string()
    }

    /// The value that starts here.
    fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        match self.peek()? {
            b'"' => return self.string(),
            b'{' | b'[' => self.container()?,
            _ => {
                while !matches!(
                    self.peek(),
                    None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
                ) {
                    self.at += 1;
                }
            }
        }
        (self.at > start).then_some(start..self.at)
    }

    /// Passes over the object or array that starts here. In valid JSON its brackets match, so counting them is enough.
    fn container(&mut self) -> Option<()> {
        let (bytes, mut depth) = (self.text.as_bytes(), 0_usize);
        loop {
            let byte = bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'"' => self.at = end_of_string(bytes, self.at)?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(());
                    }
                }
                _ => {}
            }
        }
    }
}

/// Where the string ends whose opening quote stands before `at`: after its closing one.
fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += end_of_plain(bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// Where the quote or backslash is that ends the plain text at the beginning of `bytes`. Most strings are short: a
/// search that is quick over long ones costs more than they do.
fn end_of_plain(bytes: &[u8]) -> Option<usize> {
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().take(SHORT).enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
        if found != 0 {
            return Some(8 * index + found.trailing_zeros() as usize / 8);
        }
    }
    if let Some(far) = bytes.get(8 * SHORT..) {
        return Some(8 * SHORT + memchr2(b'"', b'\\', far)?);
    }
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\');
    Some(8 * words.len() + rest.iter().position(is_end)?)
}

/// The high bit of each byte that is zero; those above the lowest may be wrong.
const fn zeros(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    word.wrapping_sub(ONES) & !word & HIGH
}

#[cfg(test)]
mod tests;
