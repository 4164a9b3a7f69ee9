//! The messages of a chat, and the calls of tools in them.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::content::{CacheControl, Content, join};
use super::node::{Filling, Kept, Mismatch, Node, Text, Value, once};
use crate::cost::Manner;
use crate::facts::{Message, ToolCall};
use crate::plan::Needs;
use crate::tokens;

/// `messages`
pub(super) struct Messages<'n, 'a> {
    pub(super) needs: &'n Needs,
    pub(super) all: Vec<Message<'a>>,
    pub(super) prompt: Cow<'a, str>,
    pub(super) system: Cow<'a, str>,
    pub(super) tokens: u64,
    pub(super) images: u64,
    pub(super) manner: Manner,
    pub(super) count: u64,
    /// Answers of the model among them.
    pub(super) assistant: u64,
}

impl<'n, 'a> Messages<'n, 'a> {
    pub(super) fn new(needs: &'n Needs) -> Self {
        Self {
            needs,
            all: Vec::new(),
            prompt: Cow::default(),
            system: Cow::default(),
            tokens: tokens::ANSWER_PRIMER,
            images: 0,
            manner: Manner::default(),
            count: 0,
            assistant: 0,
        }
    }

    /// What the system says before all messages, wherever it stood.
    pub(super) fn open_with(&mut self, preamble: Content<'a>) {
        if preamble.tokens == 0 {
            return;
        }
        self.tokens = self
            .tokens
            .saturating_add(tokens::MESSAGE)
            .saturating_add(preamble.tokens);
        self.manner = self.manner.and(preamble.manner);
        if self.needs.system {
            let later = std::mem::replace(&mut self.system, preamble.text.clone());
            join(&mut self.system, later);
        }
        if self.needs.messages {
            let message = Message {
                role: Cow::Borrowed("system"),
                content: preamble.text,
                ..Message::default()
            };
            self.all.insert(0, message);
        }
    }

    pub(super) fn take(&mut self, node: MessageNode<'_, 'a>) {
        let MessageNode {
            role,
            content,
            name,
            tool_call_id,
            calls,
            ..
        } = node;
        self.count += 1;
        self.images = self.images.saturating_add(content.images);
        self.manner = self.manner.and(content.manner);
        self.tokens = [
            tokens::MESSAGE,
            content.tokens,
            calls.tokens,
            tokens::of_text(&name.0),
        ]
        .into_iter()
        .fold(self.tokens, u64::saturating_add);
        match &*role.0 {
            "user" if self.needs.prompt => self.prompt.clone_from(&content.text),
            "system" | "developer" if self.needs.system => {
                join(&mut self.system, content.text.clone())
            }
            "assistant" => self.assistant += 1,
            _ => {}
        }
        if self.needs.messages {
            self.all.push(Message {
                role: role.0,
                content: content.text,
                name: name.0,
                tool_call_id: tool_call_id.0,
                tool_calls: calls.all,
            });
        }
    }
}

impl<'a> Node<'a> for Messages<'_, 'a> {
    const EXPECTED: &'static str = "an array of messages";
    const ARRAY: bool = true;

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let mut node = MessageNode::new(self.needs);
        let more = array.next_element_seed(Filling::new(&mut node))?.is_some();
        if more {
            self.take(node);
        }
        Ok(more)
    }
}

/// One message.
pub(super) struct MessageNode<'n, 'a> {
    needs: &'n Needs,
    seen: u32,
    pub(super) role: Kept<'a>,
    pub(super) content: Content<'a>,
    name: Kept<'a>,
    pub(super) tool_call_id: Kept<'a>,
    pub(super) calls: Calls<'a>,
}

impl<'n> MessageNode<'n, '_> {
    pub(super) fn new(needs: &'n Needs) -> Self {
        Self {
            needs,
            seen: 0,
            role: Kept::default(),
            content: Content::default(),
            name: Kept::default(),
            tool_call_id: Kept::default(),
            calls: Calls {
                keep: needs.messages,
                ..Calls::default()
            },
        }
    }

    /// Whether its text is wanted, as far as can be told: its role may come after its content.
    pub(super) fn keeps_text(&self) -> bool {
        let needs = self.needs;
        match &*self.role.0 {
            "" => needs.messages || needs.prompt || needs.system,
            "user" => needs.messages || needs.prompt,
            "system" | "developer" => needs.messages || needs.system,
            _ => needs.messages,
        }
    }
}

impl<'a> Node<'a> for MessageNode<'_, 'a> {
    const EXPECTED: &'static str = "an object with `role` and `content`";
    const OBJECT: bool = true;

    fn null(&mut self) -> bool {
        false
    }

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "role" => {
                once(&mut self.seen, 0, name)?;
                value.into_node(&mut self.role)
            }
            "content" => {
                once(&mut self.seen, 1, name)?;
                self.content.keep = self.keeps_text();
                value.into_node(&mut self.content)
            }
            "tool_calls" => {
                once(&mut self.seen, 2, name)?;
                value.into_node(&mut self.calls)
            }
            "function_call" => {
                once(&mut self.seen, 3, name)?;
                self.calls.take(|call| value.into_node(call))
            }
            "name" => value.into_node(&mut self.name),
            "cache_control" => value.into_node(&mut CacheControl(&mut self.content.manner)),
            "tool_call_id" => value.into_node(&mut self.tool_call_id),
            // What the model thought or refused to say goes back to it as text.
            "refusal" | "reasoning_content" => {
                let mut said = Content::default();
                value.into_node(&mut said)?;
                self.content.tokens = self.content.tokens.saturating_add(said.tokens);
                Ok(())
            }
            _ => value.skip(),
        }
    }

    fn end(&mut self) -> Result<(), Mismatch> {
        if self.role.0.is_empty() {
            return Err(Mismatch("an object without `role`", Self::EXPECTED));
        }
        Ok(())
    }
}

/// `tool_calls`
#[derive(Default)]
pub(super) struct Calls<'a> {
    pub(super) keep: bool,
    all: Vec<ToolCall<'a>>,
    tokens: u64,
}

impl<'a> Calls<'a> {
    pub(super) fn is_empty(&self) -> bool {
        // Each call has some.
        self.tokens == 0
    }

    /// A call whose parts were read elsewhere.
    pub(super) fn add(&mut self, name: Cow<'a, str>, arguments: Cow<'a, str>) {
        self.tokens = [
            tokens::TOOL,
            tokens::of_text(&name),
            tokens::of_text(&arguments),
        ]
        .into_iter()
        .fold(self.tokens, u64::saturating_add);
        if self.keep {
            self.all.push(ToolCall { name, arguments });
        }
    }

    fn take<E>(&mut self, read: impl FnOnce(&mut CallNode<'a>) -> Result<(), E>) -> Result<(), E> {
        let mut call = CallNode {
            keep: self.keep,
            ..CallNode::default()
        };
        read(&mut call)?;
        if call.seen {
            self.tokens = self
                .tokens
                .saturating_add(call.tokens)
                .saturating_add(tokens::TOOL);
            if self.keep {
                self.all.push(ToolCall {
                    name: call.name.0,
                    arguments: call.arguments,
                });
            }
        }
        Ok(())
    }
}

impl<'a> Node<'a> for Calls<'a> {
    const EXPECTED: &'static str = "an array of tool calls";
    const ARRAY: bool = true;

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let mut more = false;
        self.take(|call| {
            more = array.next_element_seed(Filling::new(call))?.is_some();
            Ok(())
        })?;
        Ok(more)
    }
}

/// One call: the function's name and arguments, wherever they stand.
#[derive(Default)]
struct CallNode<'a> {
    keep: bool,
    seen: bool,
    name: Kept<'a>,
    arguments: Cow<'a, str>,
    tokens: u64,
}

impl<'a> Node<'a> for CallNode<'a> {
    const EXPECTED: &'static str = "an object with a `function`";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        self.seen = true;
        match name {
            "function" | "custom" => value.into_node(self),
            "name" => {
                value.into_node(&mut self.name)?;
                self.tokens = self.tokens.saturating_add(tokens::of_text(&self.name.0));
                Ok(())
            }
            "arguments" | "input" => value.into_node(&mut Arguments(self)),
            _ => value.skip(),
        }
    }
}

/// The arguments of a call: JSON in a string.
struct Arguments<'c, 'a>(&'c mut CallNode<'a>);

impl<'a> Node<'a> for Arguments<'_, 'a> {
    const EXPECTED: &'static str = "a string of JSON";

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.0.tokens = self.0.tokens.saturating_add(tokens::of_text(text.now));
        if self.0.keep {
            self.0.arguments = text.keep();
        }
        true
    }
}
