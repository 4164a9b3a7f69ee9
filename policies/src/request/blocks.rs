//! The messages of Anthropic's API: turns of blocks, in which calls of tools and their results stand.
//!
//! They are read as a chat would be that says the same: each result of a tool is a message of role `tool`, before what
//! else the user says in that turn.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::content::{CacheControl, Content, FILE_PER_TOKEN};
use super::message::{MessageNode, Messages};
use super::node::{Filling, Kept, Mismatch, Node, Text, Value, once};
use crate::tokens;

/// `messages`
pub(super) struct Turns<'m, 'n, 'a>(pub(super) &'m mut Messages<'n, 'a>);

impl<'a> Node<'a> for Turns<'_, '_, 'a> {
    const EXPECTED: &'static str = "an array of messages";
    const ARRAY: bool = true;

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let needs = self.0.needs;
        let mut turn = Turn {
            seen: 0,
            said: MessageNode::new(needs),
            results: Vec::new(),
            keeps_results: needs.messages,
            says: false,
        };
        let more = array.next_element_seed(Filling::new(&mut turn))?.is_some();
        if more {
            for result in turn.results {
                let mut message = MessageNode::new(needs);
                message.role.0 = Cow::Borrowed("tool");
                message.tool_call_id = result.id;
                message.content = result.content;
                self.0.take(message);
            }
            if turn.says {
                self.0.take(turn.said);
            }
        }
        Ok(more)
    }
}

/// One message.
struct Turn<'n, 'a> {
    seen: u32,
    said: MessageNode<'n, 'a>,
    results: Vec<ToolResult<'a>>,
    keeps_results: bool,
    /// Whether there is anything but results.
    says: bool,
}

/// What a tool answered.
struct ToolResult<'a> {
    id: Kept<'a>,
    content: Content<'a>,
}

impl<'a> Node<'a> for Turn<'_, 'a> {
    const EXPECTED: &'static str = "an object with `role` and `content`";
    const OBJECT: bool = true;

    fn null(&mut self) -> bool {
        false
    }

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "role" => {
                once(&mut self.seen, 0, name)?;
                value.into_node(&mut self.said.role)
            }
            "content" => {
                once(&mut self.seen, 1, name)?;
                self.said.content.keep = self.said.keeps_text();
                value.into_node(&mut Blocks(self))
            }
            _ => value.skip(),
        }
    }

    fn end(&mut self) -> Result<(), Mismatch> {
        if self.said.role.0.is_empty() {
            return Err(Mismatch("an object without `role`", Self::EXPECTED));
        }
        self.says |= self.results.is_empty();
        Ok(())
    }
}

/// The content of a message.
struct Blocks<'t, 'n, 'a>(&'t mut Turn<'n, 'a>);

impl<'a> Node<'a> for Blocks<'_, '_, 'a> {
    const EXPECTED: &'static str = "a string or an array of blocks";
    const ARRAY: bool = true;

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.0.says = true;
        self.0.said.content.push(text);
        true
    }

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let turn = &mut *self.0;
        let mut block = Block::new(turn.said.content.keep, turn.keeps_results);
        let more = array.next_element_seed(Filling::new(&mut block))?.is_some();
        if more {
            turn.add(block);
        }
        Ok(more)
    }
}

impl<'a> Turn<'_, 'a> {
    fn add(&mut self, block: Block<'a>) {
        if block.kind.0 == "tool_result" {
            let mut content = block.content;
            content.manner = content.manner.and(block.said.manner);
            self.results.push(ToolResult {
                id: block.tool_use_id,
                content,
            });
            return;
        }
        self.says = true;
        if let Some(input) = block.input {
            self.said
                .calls
                .add(block.name.0, Cow::Borrowed(input.get()));
        }
        let said = &mut self.said.content;
        said.append(block.said);
        // Of a kind that is not known here: what it holds goes to the model all the same.
        said.tokens = said.tokens.saturating_add(block.content.tokens);
        said.images = said.images.saturating_add(block.content.images);
        said.manner = said.manner.and(block.content.manner);
        block.source.count(&block.kind.0, said);
    }
}

/// One block of any kind: its `type` may come last.
struct Block<'a> {
    kind: Kept<'a>,
    said: Content<'a>,
    source: Source<'a>,
    name: Kept<'a>,
    input: Option<&'a RawValue>,
    tool_use_id: Kept<'a>,
    /// What it wraps.
    content: Content<'a>,
}

impl Block<'_> {
    fn new(keep: bool, keep_wrapped: bool) -> Self {
        let content = |keep| Content {
            keep,
            ..Content::default()
        };
        Self {
            kind: Kept::default(),
            said: content(keep),
            source: Source::default(),
            name: Kept::default(),
            input: None,
            tool_use_id: Kept::default(),
            content: content(keep_wrapped),
        }
    }
}

impl<'a> Node<'a> for Block<'a> {
    const EXPECTED: &'static str = "an object with a `type`";
    const OBJECT: bool = true;

    fn null(&mut self) -> bool {
        false
    }

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "type" => value.into_node(&mut self.kind),
            "text" => value.into_node(&mut BlockText(&mut self.said)),
            // What the model thought goes back to it, and is no text of the conversation.
            "thinking" => {
                let mut thought = Content::default();
                value.into_node(&mut BlockText(&mut thought))?;
                self.said.tokens = self.said.tokens.saturating_add(thought.tokens);
                Ok(())
            }
            "source" => value.into_node(&mut self.source),
            "name" => value.into_node(&mut self.name),
            "input" => {
                self.input = Some(value.read()?);
                Ok(())
            }
            "tool_use_id" => value.into_node(&mut self.tool_use_id),
            "content" => value.into_node(&mut Wrapped(&mut self.content)),
            "cache_control" => value.into_node(&mut CacheControl(&mut self.said.manner)),
            _ => value.skip(),
        }
    }
}

/// The text of a block.
struct BlockText<'c, 'a>(&'c mut Content<'a>);

impl<'a> Node<'a> for BlockText<'_, 'a> {
    const EXPECTED: &'static str = "a string";

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.0.push(text);
        true
    }
}

/// What a block wraps: a string, or blocks of text, images and documents.
struct Wrapped<'c, 'a>(&'c mut Content<'a>);

impl<'a> Node<'a> for Wrapped<'_, 'a> {
    const EXPECTED: &'static str = "a string or an array of blocks";
    const ARRAY: bool = true;
    const OBJECT: bool = true;

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.0.push(text);
        true
    }

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let mut part = WrappedPart {
            kind: Kept::default(),
            content: &mut *self.0,
            source: Source::default(),
        };
        let more = array.next_element_seed(Filling::new(&mut part))?.is_some();
        if more {
            let WrappedPart {
                kind,
                content,
                source,
            } = part;
            source.count(&kind.0, content);
        }
        Ok(more)
    }
}

/// A block within another: nothing stands within it that is read.
struct WrappedPart<'c, 'a> {
    kind: Kept<'a>,
    content: &'c mut Content<'a>,
    source: Source<'a>,
}

impl<'a> Node<'a> for WrappedPart<'_, 'a> {
    const EXPECTED: &'static str = "an object with a `type`";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "type" => value.into_node(&mut self.kind),
            "text" => value.into_node(&mut BlockText(self.content)),
            "source" => value.into_node(&mut self.source),
            "cache_control" => value.into_node(&mut CacheControl(&mut self.content.manner)),
            _ => value.skip(),
        }
    }
}

/// Where an image or a document comes from.
#[derive(Default)]
struct Source<'a> {
    kind: Kept<'a>,
    data: Kept<'a>,
}

impl Source<'_> {
    /// Adds what it is to the content that it stands in.
    fn count(&self, kind: &str, content: &mut Content<'_>) {
        let tokens = match kind {
            "image" => {
                content.images = content.images.saturating_add(1);
                tokens::IMAGE
            }
            "document" if self.kind.0 == "text" => tokens::of_text(&self.data.0),
            "document" => (self.data.0.len() as u64).div_ceil(FILE_PER_TOKEN),
            _ => 0,
        };
        content.tokens = content.tokens.saturating_add(tokens);
    }
}

impl<'a> Node<'a> for Source<'a> {
    const EXPECTED: &'static str = "an object with a `type`";
    const OBJECT: bool = true;

    fn string(&mut self, _text: Text<'a, '_>) -> bool {
        true
    }

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "type" => value.into_node(&mut self.kind),
            "data" => value.into_node(&mut self.data),
            _ => value.skip(),
        }
    }
}
