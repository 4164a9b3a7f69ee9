//! Reads along while a request's head arrives, for what is lost once it is parsed: whether it gives its body's length more
//! than once. Two servers in a row that take different ones for the true length can be made to see different requests.
//!
//! Invariant: nothing here decides where a head ends for anybody else; it only tells.

use memchr::memchr;

/// The longest line beginning that means something: `transfer-encoding:`.
const LONGEST: usize = 18;
const LENGTH: &[u8] = b"content-length:";
const CODING: &[u8] = b"transfer-encoding:";

/// A head that is arriving.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// How the line that is not over yet begins.
    line: Vec<u8>,
    has_begun: bool,
    is_over: bool,
    lengths: u32,
    codings: u32,
}

impl Head {
    /// Takes in what has come; tells whether the head is over.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        while !self.is_over && !bytes.is_empty() {
            let end = memchr(b'\n', bytes);
            let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.is_empty() && end.is_some() {
                self.line_over(line);
            } else {
                let room = LONGEST.saturating_sub(self.line.len());
                self.line
                    .extend_from_slice(line.get(..room).unwrap_or(line));
                if end.is_some() {
                    let line = std::mem::take(&mut self.line);
                    self.line_over(&line);
                }
            }
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.is_over
    }

    /// Whether it leaves open where its body ends.
    pub(super) const fn is_ambiguous(&self) -> bool {
        self.lengths > 1 || (self.lengths > 0 && self.codings > 0)
    }

    fn line_over(&mut self, line: &[u8]) {
        let begins = |name: &[u8]| {
            let beginning = line.get(..name.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(name))
        };
        if matches!(line, [] | [b'\r']) {
            // Empty lines before a request mean nothing.
            self.is_over = self.has_begun;
            return;
        }
        self.has_begun = true;
        self.lengths += u32::from(begins(LENGTH));
        self.codings += u32::from(begins(CODING));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, over: bool, ambiguous: bool) {
        for size in [1, 2, 3, 7, 19, 1000] {
            let mut read = Head::default();
            let mut is_over = false;
            for piece in head.as_bytes().chunks(size) {
                is_over = read.read(piece);
            }
            assert_eq!(
                (is_over, read.is_ambiguous()),
                (over, ambiguous),
                "by {size}"
            );
        }
    }

    #[test]
    fn lengths_are_counted_however_the_head_arrives() {
        check("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", true, false);
        check("POST / HTTP/1.1\r\nContent-Length: 5\r\n", false, false);
        check(
            "\r\n\r\nGET / HTTP/1.1\r\nx-content-length: 5\r\n\r\n",
            true,
            false,
        );
        check(
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            true,
            true,
        );
        check(
            "POST / HTTP/1.1\ntransfer-encoding: chunked\nCONTENT-LENGTH:5\n\n",
            true,
            true,
        );
        check(
            "POST / HTTP/1.1\r\ncontent-length: 5\r\na: b\r\ncontent-length: 5\r\n\r\n",
            true,
            true,
        );
    }

    #[test]
    fn what_follows_the_head_is_not_read() {
        check(
            "POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\ncontent-length: 5\r\ntransfer-encoding: x\r\n",
            true,
            false,
        );
    }
}
