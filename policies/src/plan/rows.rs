//! Records in place.

use std::fmt;
use std::marker::PhantomData;

use super::column::Row;
use super::image::Image;

/// Records of one section, read in place: an iterator, and by index.
pub struct Rows<'p, R> {
    image: &'p Image,
    start: usize,
    count: usize,
    row: PhantomData<R>,
}

impl<'p, R: Row> Rows<'p, R> {
    pub(super) const fn new(image: &'p Image, start: usize, count: usize) -> Self {
        Self {
            image,
            start,
            count,
            row: PhantomData,
        }
    }

    /// The record at `index`, counted from the first that is left.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<R::Value<'p>> {
        if index >= self.count {
            return None;
        }
        let bytes = self.image.row::<R>(self.start + index)?;
        Some(R::read(bytes, self.image))
    }

    /// Whether none is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl<R> Clone for Rows<'_, R> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<R> fmt::Debug for Rows<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records from {}", self.count, self.start)
    }
}

impl<'p, R: Row> Iterator for Rows<'p, R> {
    type Item = R::Value<'p>;

    fn next(&mut self) -> Option<R::Value<'p>> {
        let first = self.get(0)?;
        self.start += 1;
        self.count -= 1;
        Some(first)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl<R: Row> ExactSizeIterator for Rows<'_, R> {}
