//! Edits JSON text in place: what is not changed stays byte for byte as it was sent.
//!
//! Invariant: the text has been checked to be JSON before (the request was read from it); on text that is not, an
//! edit may be left out, but nothing panics and nothing outside a member is touched.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

/// Strings up to this length are looked at byte by byte.
const SHORT: usize = 24;

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
    let open = text.find('{')?;
    let mut output = Object {
        text: String::with_capacity(text.len() + 64),
        empty: true,
    };
    output.text.push_str(piece(text, 0..open + 1));
    let mut at = open + 1;
    for (member, change) in members.iter().zip(changes) {
        let gap = piece(text, at..member.key_span.start);
        let colon = piece(text, member.key_span.end..member.value_span.start);
        let key = piece(text, member.key_span.clone());
        at = member.value_span.end;
        match change {
            Change::Drop => {}
            Change::Keep => output.push(gap, &[key, colon, member.value]),
            Change::Value(value) => output.push(gap, &[key, colon, &value]),
            Change::Member(key, value) => output.push(gap, &["\"", key, "\"", colon, &value]),
        }
    }
    for member in added {
        let gap = if output.empty { "" } else { "," };
        output.push(gap, &[member]);
    }
    output.text.push_str(piece(text, at..text.len()));
    Some(output.text)
}

/// An object as it is written.
struct Object {
    text: String,
    empty: bool,
}

impl Object {
    /// Writes a member after the `gap` that stood before it.
    fn push(&mut self, gap: &str, parts: &[&str]) {
        // The first that stays may have lost those before it: their comma goes with them.
        let gap = match gap.trim_start().strip_prefix(',') {
            Some(rest) if self.empty => rest.trim_start(),
            _ => gap,
        };
        self.empty = false;
        self.text.push_str(gap);
        parts.iter().for_each(|part| self.text.push_str(part));
    }
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
        loop {
            self.at += end_of_plain(self.rest())?;
            let stop = self.peek();
            self.at += 1;
            if stop == Some(b'"') {
                return Some(start..self.at);
            }
            self.at += 1;
        }
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
        let mut depth = 0_usize;
        loop {
            let mark = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
            self.at += self.rest().iter().position(mark)?;
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => depth = depth.saturating_sub(1),
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

/// Where the quote or backslash is that ends the plain text at the beginning of `bytes`. Most strings are short: a
/// search that is quick over long ones costs more than they do.
fn end_of_plain(bytes: &[u8]) -> Option<usize> {
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\');
    let (near, far) = bytes.split_at(bytes.len().min(SHORT));
    near.iter()
        .position(is_end)
        .or_else(|| Some(near.len() + memchr2(b'"', b'\\', far)?))
}

#[cfg(test)]
mod tests;
