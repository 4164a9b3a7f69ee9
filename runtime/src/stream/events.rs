//! Watches a stream of server-sent events go by: passes it on, and remembers what it tells of usage.
//!
//! Invariants: nothing waits for a whole event; where usage is hidden, only the line that is still incomplete waits.
//! What is kept is bounded: a line that is longer than the bound goes by unread, and counts by its length.

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use crate::dialect::Dialect;
use crate::usage::{Reported, hear};

/// The longest line that is read.
const LONGEST_LINE: usize = 1 << 20;

/// What a stream has told so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// What the upstream says was used.
    pub(crate) usage: Option<Reported>,
    /// Tokens of the text that went by, estimated.
    pub(crate) tokens: u64,
    /// Whether an event with data went by.
    pub(crate) data: bool,
    /// The choices that were finished: a bit for each index.
    finished: u128,
    /// How many there are to be.
    answers: u32,
    /// Whether `[DONE]` went by.
    pub(crate) done: bool,
    /// Whether the upstream sent an error.
    pub(crate) error: bool,
    /// Whether a filter of the provider's refuses the prompt.
    pub(crate) blocked: bool,
}

impl Told {
    /// Whether nothing is missing.
    pub(crate) const fn is_complete(&self) -> bool {
        self.done || (self.finished != 0 && self.finished.count_ones() >= self.answers)
    }
}

/// Watches one stream.
#[derive(Debug)]
pub(crate) struct Watcher {
    told: Told,
    /// The dialect that goes by.
    dialect: Dialect,
    /// Whether the event that carries only usage is kept from the client.
    hides_usage: bool,
    /// The line that is still incomplete.
    line: BytesMut,
    /// The line was longer than the bound: the rest of it goes by unread.
    too_long: bool,
    /// The blank line that ends a hidden event goes with it.
    swallows_blank: bool,
    /// Whether the last event is still without the blank line that ends it.
    in_event: bool,
}

impl Watcher {
    /// A watcher of a stream of so many answers.
    pub(crate) fn new(dialect: Dialect, hides_usage: bool, answers: u64) -> Self {
        Self {
            dialect,
            told: Told {
                answers: u32::try_from(answers).unwrap_or(u32::MAX).min(u128::BITS),
                ..Told::default()
            },
            hides_usage,
            line: BytesMut::new(),
            too_long: false,
            swallows_blank: false,
            in_event: false,
        }
    }

    /// Whether the last event is without its end: clients drop such a one when the stream is over.
    pub(crate) fn is_in_event(&self) -> bool {
        self.in_event || self.too_long || !self.line.is_empty()
    }

    pub(crate) const fn told(&self) -> Told {
        self.told
    }

    /// What of a chunk is passed on now.
    pub(crate) fn pass(&mut self, chunk: Bytes) -> Bytes {
        if !self.hides_usage {
            self.scan(&chunk, |_, _| {});
            return chunk;
        }
        let nothing_held = self.line.is_empty();
        let mut output = BytesMut::new();
        let mut hidden = false;
        self.scan(&chunk, |line, passes| match passes {
            true => output.extend_from_slice(line),
            false => hidden = true,
        });
        // Nearly always: whole lines, none of them hidden.
        if nothing_held && !hidden && self.line.is_empty() {
            return chunk;
        }
        output.freeze()
    }

    /// What is still held when the stream ends.
    pub(crate) fn rest(&mut self) -> Bytes {
        let line = self.line.split().freeze();
        if self.too_long || line.is_empty() {
            return Bytes::new();
        }
        match self.read(&line) {
            true if self.hides_usage => line,
            _ => Bytes::new(),
        }
    }

    /// Reads all lines that the chunk completes; `each` gets every piece of text, and whether it is passed on.
    fn scan(&mut self, chunk: &[u8], mut each: impl FnMut(&[u8], bool)) {
        let mut left = chunk;
        while let Some(end) = memchr(b'\n', left) {
            let (piece, after) = left.split_at(end + 1);
            left = after;
            if self.too_long {
                self.too_long = false;
                self.told.tokens += piece.len() as u64 / 4;
                each(piece, true);
            } else if self.line.is_empty() {
                let passes = self.read(piece);
                each(piece, passes);
            } else {
                self.line.extend_from_slice(piece);
                let line = self.line.split();
                let passes = self.read(&line);
                each(&line, passes);
            }
        }
        if self.too_long {
            self.told.tokens += left.len() as u64 / 4;
            each(left, true);
        } else if self.line.len() + left.len() > LONGEST_LINE {
            self.line.extend_from_slice(left);
            let line = self.line.split();
            self.told.tokens += line.len() as u64 / 4;
            self.told.data |= line.trim_ascii_start().starts_with(b"data:");
            self.too_long = true;
            each(&line, true);
        } else {
            self.line.extend_from_slice(left);
        }
    }

    /// Takes note of a whole line; whether it is passed on.
    fn read(&mut self, line: &[u8]) -> bool {
        let text = line.trim_ascii();
        self.in_event = !text.is_empty();
        if text.is_empty() {
            return !std::mem::take(&mut self.swallows_blank);
        }
        self.swallows_blank = false;
        let Some(data) = text.strip_prefix(b"data:") else {
            return true;
        };
        self.told.data = true;
        let data = data.trim_ascii_start();
        if data == b"[DONE]" {
            self.told.done = true;
            return true;
        }
        let Some(heard) = hear(self.dialect, data) else {
            self.told.tokens += data.len() as u64 / 4;
            return true;
        };
        self.told.tokens += heard.tokens;
        if let Some(usage) = heard.usage {
            self.told.usage = Some(self.told.usage.unwrap_or_default().updated(usage));
        }
        self.told.finished |= heard.finished;
        self.told.done |= heard.done;
        self.told.error |= heard.error;
        self.told.blocked |= heard.blocked;
        self.swallows_blank = self.hides_usage && heard.only_usage;
        !self.swallows_blank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        "data: {\"choices\":[{\"delta\":{\"content\":\"hello\"},\"finish_reason\":null}],\"usage\":null}\n\n",
        ": keep-alive\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\r\n\r\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10}}\n\n",
        "data: [DONE]\n\n",
    );
    const HIDDEN: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10}}\n\n";

    fn passed(hides_usage: bool, chunks: impl Iterator<Item = Vec<u8>>) -> (String, Told) {
        let mut watcher = Watcher::new(Dialect::CHAT, hides_usage, 1);
        let mut output = Vec::new();
        for chunk in chunks {
            output.extend_from_slice(&watcher.pass(Bytes::from(chunk)));
        }
        output.extend_from_slice(&watcher.rest());
        (
            String::from_utf8_lossy(&output).into_owned(),
            watcher.told(),
        )
    }

    #[test]
    fn every_way_to_cut_it_gives_the_same() {
        for size in 1..STREAM.len() {
            let chunks = || STREAM.as_bytes().chunks(size).map(<[u8]>::to_vec);
            let (output, told) = passed(false, chunks());
            assert_eq!(output, STREAM);
            assert_eq!(
                told.usage,
                Some(Reported {
                    input: Some(9),
                    output: Some(1),
                    ..Reported::default()
                })
            );
            assert!(told.is_complete() && told.tokens >= 1 && !told.error);
            let (output, hidden) = passed(true, chunks());
            assert_eq!(output, STREAM.replace(HIDDEN, ""), "in chunks of {size}");
            assert_eq!(hidden, told);
        }
    }

    #[test]
    fn whole_lines_are_not_copied() {
        let chunk =
            Bytes::from_static(b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n");
        let passed = Watcher::new(Dialect::CHAT, true, 1).pass(chunk.clone());
        assert_eq!(passed.as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn a_line_without_end_is_passed_on_and_counted() {
        let mut watcher = Watcher::new(Dialect::CHAT, true, 1);
        let mut length = 0;
        for _ in 0..40 {
            length += watcher.pass(Bytes::from(vec![b'x'; 100_000])).len();
        }
        length += watcher.rest().len();
        assert_eq!(length, 4_000_000);
        assert!(watcher.told().tokens >= 900_000 && !watcher.told().is_complete());
    }

    #[test]
    fn each_answer_has_its_own_end() {
        let mut watcher = Watcher::new(Dialect::CHAT, false, 2);
        let mut is_complete_after = |index: u32| {
            let event = format!(
                "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n"
            );
            watcher.pass(Bytes::from(event));
            watcher.told().is_complete()
        };
        assert!(!is_complete_after(0) && !is_complete_after(0) && is_complete_after(1));
    }

    #[test]
    fn an_error_is_noticed() {
        let (_, told) = passed(
            false,
            std::iter::once(b"data: {\"error\":{\"message\":\"x\"}}\n\n".to_vec()),
        );
        assert!(told.error && !told.is_complete());
    }
}
