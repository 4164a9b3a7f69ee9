//! The input of OpenAI's Responses: a string, or items that were said or done before.
//!
//! They are read as a chat would be that says the same: calls that the model made together belong to one message.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::content::Content;
use super::message::{MessageNode, Messages};
use super::node::{Filling, Kept, Mismatch, Node, Text, Value};

/// `input`
pub(super) struct Items<'m, 'n, 'a> {
    messages: &'m mut Messages<'n, 'a>,
    /// What the model said last; calls of tools may follow.
    answer: Option<MessageNode<'n, 'a>>,
}

impl<'m, 'n, 'a> Items<'m, 'n, 'a> {
    pub(super) fn new(messages: &'m mut Messages<'n, 'a>) -> Self {
        Self {
            messages,
            answer: None,
        }
    }

    fn message(&self, role: &'static str) -> MessageNode<'n, 'a> {
        let mut message = MessageNode::new(self.messages.needs);
        message.role.0 = Cow::Borrowed(role);
        message
    }

    fn say(&mut self, message: MessageNode<'n, 'a>) {
        self.flush();
        if message.role.0 == "assistant" {
            self.answer = Some(message);
        } else {
            self.messages.take(message);
        }
    }

    fn flush(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.messages.take(answer);
        }
    }

    fn take(&mut self, item: Item<'a>) {
        match &*item.kind.0 {
            "" | "message" => {
                let mut message = self.message("user");
                if !item.role.0.is_empty() {
                    message.role = item.role;
                }
                message.content = item.content;
                match &mut self.answer {
                    // Text that stands behind its calls.
                    Some(answer) if message.role.0 == "assistant" && !answer.calls.is_empty() => {
                        answer.content.keep = answer.keeps_text();
                        answer.content.append(message.content);
                    }
                    _ => self.say(message),
                }
            }
            "function_call" => {
                let mut answer = match self.answer.take() {
                    Some(answer) => answer,
                    None => self.message("assistant"),
                };
                answer.calls.add(item.name.0, item.arguments.0);
                self.answer = Some(answer);
            }
            "function_call_output" => {
                let mut message = self.message("tool");
                message.tool_call_id = item.call_id;
                message.content = item.output;
                self.say(message);
            }
            // Of a kind that is not known here: what it holds goes to the model all the same.
            _ => {
                let held = item.content.tokens.saturating_add(item.output.tokens);
                self.messages.tokens = self.messages.tokens.saturating_add(held);
                let manner = item.content.manner.and(item.output.manner);
                self.messages.manner = self.messages.manner.and(manner);
            }
        }
    }
}

impl<'a> Node<'a> for Items<'_, '_, 'a> {
    const EXPECTED: &'static str = "a string or an array of items";
    const ARRAY: bool = true;

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        if !text.now.is_empty() {
            let mut message = self.message("user");
            message.content.keep = message.keeps_text();
            message.content.push(text);
            self.say(message);
        }
        true
    }

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let needs = self.messages.needs;
        let mut item = Item::new(needs.messages || needs.prompt || needs.system);
        let more = array.next_element_seed(Filling::new(&mut item))?.is_some();
        if more {
            self.take(item);
        }
        Ok(more)
    }

    fn end(&mut self) -> Result<(), Mismatch> {
        self.flush();
        Ok(())
    }
}

/// One item of any kind: its `type` may come last.
#[derive(Default)]
struct Item<'a> {
    kind: Kept<'a>,
    role: Kept<'a>,
    content: Content<'a>,
    call_id: Kept<'a>,
    name: Kept<'a>,
    arguments: Kept<'a>,
    output: Content<'a>,
}

impl Item<'_> {
    fn new(keep: bool) -> Self {
        let content = || Content {
            keep,
            ..Content::default()
        };
        Self {
            content: content(),
            output: content(),
            ..Self::default()
        }
    }
}

impl<'a> Node<'a> for Item<'a> {
    const EXPECTED: &'static str = "an object with a `type` or a `role`";
    const OBJECT: bool = true;

    fn null(&mut self) -> bool {
        false
    }

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "type" => value.into_node(&mut self.kind),
            "role" => value.into_node(&mut self.role),
            "content" => value.into_node(&mut self.content),
            "call_id" => value.into_node(&mut self.call_id),
            "name" => value.into_node(&mut self.name),
            "arguments" => value.into_node(&mut self.arguments),
            "output" => value.into_node(&mut self.output),
            _ => value.skip(),
        }
    }
}
