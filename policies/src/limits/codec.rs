//! Numbers and texts as bytes: small numbers are short, and what is read is never trusted.

/// Bytes that are no record of this state: written by another version, or not by Waypost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record says what no record says")]
pub struct Malformed;

/// Appends to a record.
pub(super) struct Writer<'b>(pub(super) &'b mut Vec<u8>);

impl Writer<'_> {
    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Seven bits a byte, the lowest first.
    pub(super) fn number(&mut self, value: impl Into<u128>) {
        let mut left = value.into();
        while left >= 0x80 {
            self.0.push(left as u8 | 0x80);
            left >>= 7;
        }
        self.0.push(left as u8);
    }

    pub(super) fn length(&mut self, value: usize) {
        self.number(value as u64);
    }

    pub(super) fn time(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn key(&mut self, value: u128) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn text(&mut self, value: &str) {
        self.length(value.len());
        self.0.extend_from_slice(value.as_bytes());
    }

    pub(super) fn text_if_any(&mut self, value: Option<&str>) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            self.text(value);
        }
    }
}

/// Takes from a record what a [`Writer`] wrote.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn wide_number(&mut self) -> Result<u128, Malformed> {
        let mut value = 0_u128;
        for shift in (0..u128::BITS).step_by(7) {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7f);
            let placed = part << shift;
            if placed >> shift != part {
                return Err(Malformed);
            }
            value |= placed;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    pub(super) fn number<N: TryFrom<u128>>(&mut self) -> Result<N, Malformed> {
        N::try_from(self.wide_number()?).map_err(|_| Malformed)
    }

    pub(super) fn time(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn key(&mut self) -> Result<u128, Malformed> {
        self.array().map(u128::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Result<String, Malformed> {
        let length: usize = self.number()?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| Malformed)
    }

    pub(super) fn text_if_any(&mut self) -> Result<Option<String>, Malformed> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(Malformed),
        }
    }

    /// As many as are said to follow, each read in turn.
    pub(super) fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count: usize = self.number()?;
        // Each takes a byte at least: a length that is not true reserves no memory.
        let mut list = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            list.push(one(self)?);
        }
        Ok(list)
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*array)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(number: u128, time: i64, text: String, option: Option<String>) {
            let mut bytes = Vec::new();
            let mut writer = Writer(&mut bytes);
            writer.number(number);
            writer.time(time);
            writer.text(&text);
            writer.text_if_any(option.as_deref());
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.wide_number().unwrap(), number);
            prop_assert_eq!(reader.time().unwrap(), time);
            prop_assert_eq!(reader.text().unwrap(), text);
            prop_assert_eq!(reader.text_if_any().unwrap(), option);
            prop_assert!(reader.end().is_ok());
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_malformed() {
        assert_eq!(Reader(&[0xff; 19]).wide_number(), Err(Malformed));
        assert_eq!(Reader(&[0x80, 0x04]).number::<u8>(), Err(Malformed));
        assert_eq!(Reader(&[0x80]).number::<u8>(), Err(Malformed));
    }
}
