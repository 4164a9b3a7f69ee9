//! Takes events out of Amazon's binary frames (`application/vnd.amazon.eventstream`) and says them as server-sent ones.
//!
//! A frame is: its length and that of its headers, a checksum of both, headers, payload, a checksum of all of it; numbers
//! are big-endian. Invariants: a frame whose checksums, lengths or headers are wrong ends the stream, and nothing of it is
//! passed on; no more than one frame is held. An event becomes `data: {"TYPE":PAYLOAD}`.

use bytes::{Buf as _, Bytes, BytesMut};

/// Length, length of the headers, and the checksum of both.
const PRELUDE: usize = 12;
/// The checksum at the end.
const TRAILER: usize = 4;
/// The longest frame: what Amazon's own clients take.
const LONGEST_FRAME: usize = 24 << 20;
/// The media type of such a stream.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";

/// Why a stream of frames cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of its stream has an impossible length")]
    Length,
    #[error("a frame of its stream has a wrong checksum")]
    Checksum,
    #[error("a frame of its stream has headers that cannot be read")]
    Headers,
    #[error("a frame of its stream holds no JSON")]
    Payload,
    #[error("its stream ends within a frame")]
    Cut,
}

/// Puts frames together.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The frame that is still incomplete.
    held: BytesMut,
    /// Why nothing more is read.
    failure: Option<FrameError>,
}

impl Frames {
    /// The events that this chunk completes, up to a frame that is wrong.
    pub(crate) fn read(&mut self, chunk: &[u8]) -> Bytes {
        if self.failure.is_some() {
            return Bytes::new();
        }
        self.held.extend_from_slice(chunk);
        let mut output = Vec::new();
        self.failure = self.take_frames(&mut output).err();
        output.into()
    }

    /// Why nothing more can be read.
    pub(crate) fn failure(&self) -> Option<FrameError> {
        self.failure
    }

    /// The stream is over; what is wrong with that.
    pub(crate) fn cut(&self) -> Option<FrameError> {
        (!self.held.is_empty()).then_some(FrameError::Cut)
    }

    fn take_frames(&mut self, output: &mut Vec<u8>) -> Result<(), FrameError> {
        while let Some(length) = self.length()? {
            if self.held.len() < length {
                break;
            }
            let frame = self.held.split_to(length);
            event(&frame, output)?;
        }
        Ok(())
    }

    /// The length of the frame that begins; `None` where that is not known yet.
    fn length(&self) -> Result<Option<usize>, FrameError> {
        let Some(prelude) = self.held.get(..PRELUDE) else {
            return Ok(None);
        };
        let (lengths, mut checksum) = prelude.split_at(PRELUDE - 4);
        if crc32fast::hash(lengths) != checksum.get_u32() {
            return Err(FrameError::Checksum);
        }
        let mut lengths = lengths;
        let length = lengths.get_u32() as usize;
        let headers = lengths.get_u32() as usize;
        let possible = PRELUDE + TRAILER..=LONGEST_FRAME;
        if !possible.contains(&length) || headers > length - PRELUDE - TRAILER {
            return Err(FrameError::Length);
        }
        Ok(Some(length))
    }
}

/// Writes the event of a whole frame, whose lengths fit.
fn event(frame: &[u8], output: &mut Vec<u8>) -> Result<(), FrameError> {
    let (checked, mut checksum) = frame
        .split_at_checked(frame.len() - TRAILER)
        .ok_or(FrameError::Length)?;
    if crc32fast::hash(checked) != checksum.get_u32() {
        return Err(FrameError::Checksum);
    }
    let mut headers_length = checked.get(4..8).ok_or(FrameError::Length)?;
    let headers_length = headers_length.get_u32() as usize;
    let (headers, payload) = checked
        .get(PRELUDE..)
        .and_then(|rest| rest.split_at_checked(headers_length))
        .ok_or(FrameError::Length)?;
    let headers = Headers::read(headers)?;
    let payload = std::str::from_utf8(payload).map_err(|_| FrameError::Payload)?;
    let payload = match payload.trim() {
        "" => "{}",
        payload => payload,
    };
    if serde_json::from_str::<serde::de::IgnoredAny>(payload).is_err() {
        return Err(FrameError::Payload);
    }
    let kind = crate::json::quote(headers.kind);
    output.extend_from_slice(format!("data: {{{kind}:").as_bytes());
    match headers.message {
        Some(message) => {
            let error = serde_json::json!({ "message": message });
            output.extend_from_slice(error.to_string().as_bytes());
        }
        // Line breaks in JSON stand only between its parts, and would end the event.
        None => output.extend(payload.bytes().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            byte => byte,
        })),
    }
    output.extend_from_slice(b"}\n\n");
    Ok(())
}

/// What headers say of a frame.
#[derive(Debug, Default)]
struct Headers<'f> {
    /// The event's type, or the error's.
    kind: &'f str,
    /// The words of an error that has no payload.
    message: Option<&'f str>,
}

impl<'f> Headers<'f> {
    fn read(mut bytes: &'f [u8]) -> Result<Self, FrameError> {
        let mut headers = Self::default();
        let mut take = |length: usize| {
            let (piece, rest) = bytes.split_at_checked(length).ok_or(FrameError::Headers)?;
            bytes = rest;
            Ok(piece)
        };
        loop {
            let Ok([length]) = take(1) else {
                return Ok(headers);
            };
            let name = take(usize::from(*length))?;
            let [kind] = take(1)? else {
                return Err(FrameError::Headers);
            };
            let length = match kind {
                0 | 1 => 0,
                2 => 1,
                3 => 2,
                4 => 4,
                5 | 8 => 8,
                9 => 16,
                6 | 7 => usize::from(take(2)?.get_u16()),
                _ => return Err(FrameError::Headers),
            };
            let value = take(length)?;
            if *kind != 7 {
                continue;
            }
            let value = std::str::from_utf8(value).map_err(|_| FrameError::Headers)?;
            match name {
                b":event-type" | b":exception-type" => headers.kind = value,
                b":error-code" => headers.kind = "error",
                b":error-message" => headers.message = Some(value),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn frame(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
        let mut head = Vec::new();
        for (name, value) in headers {
            head.push(u8::try_from(name.len()).unwrap());
            head.extend_from_slice(name.as_bytes());
            head.push(7);
            head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
            head.extend_from_slice(value.as_bytes());
        }
        let length = PRELUDE + head.len() + payload.len() + TRAILER;
        let mut frame = Vec::new();
        frame.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
        frame.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
        frame.extend_from_slice(&head);
        frame.extend_from_slice(payload.as_bytes());
        frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
        frame
    }

    fn stream() -> Vec<u8> {
        let event = |kind, payload| {
            frame(
                &[
                    (":event-type", kind),
                    (":content-type", "application/json"),
                    (":message-type", "event"),
                ],
                payload,
            )
        };
        [
            event("messageStart", r#"{"role":"assistant"}"#),
            event("contentBlockDelta", "{\"delta\":\n{\"text\":\"a\\nb\"}}"),
            frame(
                &[
                    (":exception-type", "throttlingException"),
                    (":message-type", "exception"),
                ],
                r#"{"message":"slow down"}"#,
            ),
            frame(
                &[
                    (":error-code", "500"),
                    (":error-message", "oh"),
                    (":message-type", "error"),
                ],
                "",
            ),
        ]
        .concat()
    }

    const SAID: &str = concat!(
        "data: {\"messageStart\":{\"role\":\"assistant\"}}\n\n",
        "data: {\"contentBlockDelta\":{\"delta\": {\"text\":\"a\\nb\"}}}\n\n",
        "data: {\"throttlingException\":{\"message\":\"slow down\"}}\n\n",
        "data: {\"error\":{\"message\":\"oh\"}}\n\n",
    );

    #[test]
    fn every_way_to_cut_it_gives_the_same_events() {
        let stream = stream();
        for size in 1..=stream.len() {
            let mut frames = Frames::default();
            let mut said = Vec::new();
            for chunk in stream.chunks(size) {
                said.extend_from_slice(&frames.read(chunk));
            }
            assert_eq!((frames.failure(), frames.cut()), (None, None));
            assert_eq!(
                String::from_utf8(said).unwrap(),
                SAID,
                "in chunks of {size}"
            );
        }
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let whole = frame(
            &[(":event-type", "metadata")],
            r#"{"usage":{"inputTokens":1}}"#,
        );
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                let mut frames = Frames::default();
                let read = frames.read(&damaged);
                let noticed = read.is_empty() && frames.failure().is_some();
                assert!(noticed, "bit {bit} of byte {at}: {read:?}");
            }
        }
    }

    #[test]
    fn damage_ends_the_stream_at_the_same_frame_in_pieces_of_any_size() {
        let said = |bytes: &[u8], size: usize| {
            let mut frames = Frames::default();
            let said: Vec<Bytes> = bytes.chunks(size).map(|chunk| frames.read(chunk)).collect();
            (said.concat(), frames.failure())
        };
        let stream = stream();
        for at in 0..stream.len() {
            let mut damaged = stream.clone();
            damaged[at] ^= 0x41;
            let whole = said(&damaged, damaged.len());
            assert!(whole.1.is_some(), "byte {at}");
            for size in [1, 7, 64] {
                assert_eq!(said(&damaged, size), whole, "byte {at}");
            }
        }
    }

    #[test]
    fn what_ends_within_a_frame_is_cut() {
        let whole = frame(&[(":event-type", "messageStop")], "{}");
        let mut frames = Frames::default();
        assert!(frames.read(&whole[..whole.len() - 1]).is_empty());
        assert_eq!(frames.cut(), Some(FrameError::Cut));
    }

    #[test]
    fn impossible_lengths_are_not_waited_for() {
        let mut frame = Vec::new();
        frame.extend_from_slice(&u32::MAX.to_be_bytes());
        frame.extend_from_slice(&0_u32.to_be_bytes());
        frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
        let mut frames = Frames::default();
        assert!(frames.read(&frame).is_empty());
        assert_eq!(frames.failure(), Some(FrameError::Length));
    }
}
