//! The content of a message: a string, or parts of text, images, sound and files.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::node::{Filling, Kept, Node, Text, Value};
use crate::cost::Manner;
use crate::tokens;

/// Characters of base64 that one token of sound has: ten tokens a second, at a middling rate of bits.
const SOUND_PER_TOKEN: u64 = 2_000;
/// Characters of base64 that one token of a file has: the text in a document is a part of its bytes.
pub(super) const FILE_PER_TOKEN: u64 = 16;

/// A message's content.
#[derive(Default)]
pub(super) struct Content<'a> {
    /// Whether its text is wanted.
    pub(super) keep: bool,
    /// Its text, if that is wanted; parts are joined by newlines.
    pub(super) text: Cow<'a, str>,
    /// Estimated.
    pub(super) tokens: u64,
    /// Image parts.
    pub(super) images: u64,
    /// Sound among it, and how long it is cached.
    pub(super) manner: Manner,
}

impl<'a> Content<'a> {
    pub(super) fn push(&mut self, text: Text<'a, '_>) {
        self.tokens = self.tokens.saturating_add(tokens::of_text(text.now));
        if !self.keep || text.now.is_empty() {
            return;
        }
        if self.text.is_empty() {
            self.text = text.keep();
        } else {
            let joined = self.text.to_mut();
            joined.push('\n');
            joined.push_str(text.now);
        }
    }

    /// What is said after it.
    pub(super) fn append(&mut self, other: Self) {
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.images = self.images.saturating_add(other.images);
        self.manner = self.manner.and(other.manner);
        if self.keep {
            join(&mut self.text, other.text);
        }
    }
}

/// Two texts, with a line break between them where neither is empty.
pub(super) fn join<'a>(text: &mut Cow<'a, str>, more: Cow<'a, str>) {
    if text.is_empty() {
        *text = more;
    } else if !more.is_empty() {
        let text = text.to_mut();
        text.push('\n');
        text.push_str(&more);
    }
}

impl<'a> Node<'a> for Content<'a> {
    const EXPECTED: &'static str = "a string or an array of parts";
    const ARRAY: bool = true;

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.push(text);
        true
    }

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let mut part = Part {
            content: self,
            kind: Kept::default(),
            image: Image::default(),
        };
        let more = array.next_element_seed(Filling::new(&mut part))?.is_some();
        if more {
            part.count_image();
        }
        Ok(more)
    }
}

/// One part of a content.
struct Part<'c, 'a> {
    content: &'c mut Content<'a>,
    kind: Kept<'a>,
    image: Image,
}

impl Part<'_, '_> {
    fn count_image(&mut self) {
        let is_image =
            self.image.seen || matches!(&*self.kind.0, "image_url" | "input_image" | "image");
        if is_image {
            let size = if self.image.low {
                tokens::IMAGE_LOW
            } else {
                tokens::IMAGE
            };
            self.content.images = self.content.images.saturating_add(1);
            self.content.tokens = self.content.tokens.saturating_add(size);
        }
    }
}

impl<'a> Node<'a> for Part<'_, 'a> {
    const EXPECTED: &'static str = "an object with a `type`";
    const OBJECT: bool = true;

    fn null(&mut self) -> bool {
        false
    }

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.content.push(text);
        true
    }

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "type" => value.into_node(&mut self.kind),
            "text" | "refusal" => value.into_node(&mut PartText(self.content)),
            "image_url" => value.into_node(&mut self.image),
            "input_audio" => {
                self.content.manner.audio_input = true;
                value.into_node(&mut Attachment {
                    tokens: &mut self.content.tokens,
                    per_token: SOUND_PER_TOKEN,
                })
            }
            "file" => value.into_node(&mut Attachment {
                tokens: &mut self.content.tokens,
                per_token: FILE_PER_TOKEN,
            }),
            "cache_control" => value.into_node(&mut CacheControl(&mut self.content.manner)),
            // As Responses send a file.
            "file_data" => {
                let mut size = Size(0);
                value.into_node(&mut size)?;
                let tokens = size.0.div_ceil(FILE_PER_TOKEN);
                self.content.tokens = self.content.tokens.saturating_add(tokens);
                Ok(())
            }
            _ => value.skip(),
        }
    }
}

/// `cache_control`: for how long.
pub(super) struct CacheControl<'m>(pub(super) &'m mut Manner);

impl<'a> Node<'a> for CacheControl<'_> {
    const EXPECTED: &'static str = "an object with a `type`";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "ttl" => {
                let mut lifetime = Kept::default();
                value.into_node(&mut lifetime)?;
                self.0.caches_for_an_hour |= lifetime.0 == "1h";
                Ok(())
            }
            _ => value.skip(),
        }
    }
}

/// The text of a part.
struct PartText<'c, 'a>(&'c mut Content<'a>);

impl<'a> Node<'a> for PartText<'_, 'a> {
    const EXPECTED: &'static str = "a string";

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.0.push(text);
        true
    }
}

/// An image: only its detail counts, never its bytes.
#[derive(Default)]
struct Image {
    seen: bool,
    low: bool,
}

impl<'a> Node<'a> for Image {
    const EXPECTED: &'static str = "an object with a `url`";
    const OBJECT: bool = true;

    fn string(&mut self, _url: Text<'a, '_>) -> bool {
        self.seen = true;
        true
    }

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        self.seen = true;
        match name {
            "detail" => {
                let mut detail = Kept::default();
                value.into_node(&mut detail)?;
                self.low = detail.0 == "low";
                Ok(())
            }
            _ => value.skip(),
        }
    }
}

/// Sound or a file within the request: its size counts.
struct Attachment<'c> {
    tokens: &'c mut u64,
    per_token: u64,
}

impl<'a> Node<'a> for Attachment<'_> {
    const EXPECTED: &'static str = "an object";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "data" | "file_data" => {
                let mut size = Size(0);
                value.into_node(&mut size)?;
                *self.tokens = self.tokens.saturating_add(size.0.div_ceil(self.per_token));
                Ok(())
            }
            _ => value.skip(),
        }
    }
}

/// The length of a string.
struct Size(u64);

impl<'a> Node<'a> for Size {
    const EXPECTED: &'static str = "a string";

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.0 = text.now.len() as u64;
        true
    }
}
