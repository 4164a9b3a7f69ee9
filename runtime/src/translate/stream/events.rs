//! Reads server-sent events from chunks of any size.
//!
//! Only their data: every dialect says in it what the event's name says. Lines end in LF or CRLF; an event whose data
//! has several lines is one text with line breaks.

use memchr::memchr;

/// The longest event that is kept; what is longer is no event of a model.
const LONGEST_EVENT: usize = 16 << 20;

/// Puts events together.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The line that is still incomplete.
    line: Vec<u8>,
    /// The data of the event that is still incomplete.
    data: String,
    has_data: bool,
}

impl Reader {
    /// Calls `take` with the data of each event that this chunk completes.
    pub(super) fn read(&mut self, chunk: &[u8], mut take: impl FnMut(&str)) {
        let mut left = chunk;
        while let Some(end) = memchr(b'\n', left) {
            let (piece, after) = left.split_at(end);
            left = after.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                self.take_line(piece, &mut take);
            } else {
                self.line.extend_from_slice(piece);
                let line = std::mem::take(&mut self.line);
                self.take_line(&line, &mut take);
            }
        }
        if self.line.len() + left.len() <= LONGEST_EVENT {
            self.line.extend_from_slice(left);
        }
    }

    /// The stream is over: what was begun is whole.
    pub(super) fn end(&mut self, mut take: impl FnMut(&str)) {
        let line = std::mem::take(&mut self.line);
        self.take_line(&line, &mut take);
        self.take_line(b"", &mut take);
    }

    fn take_line(&mut self, line: &[u8], take: &mut impl FnMut(&str)) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                take(&self.data);
                self.data.clear();
            }
            return;
        }
        let Some(data) = line.strip_prefix(b"data:") else {
            return;
        };
        let data = data.strip_prefix(b" ").unwrap_or(data);
        if self.data.len() + data.len() > LONGEST_EVENT {
            return;
        }
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push('\n');
        }
        self.data.push_str(&String::from_utf8_lossy(data));
    }
}
