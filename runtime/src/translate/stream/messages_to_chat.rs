//! Anthropic's events as a chat's.

use super::super::Context;
use super::super::answer::{chat_usage, finish_reason, service_tier};
use super::super::chat::{Answer, Called, Choice, Delta, ToolCall};
use super::super::json::{Json, write};
use super::super::messages::{self, Block, Usage};
use super::{DONE, Event, chat_error};

/// What has come so far.
#[derive(Debug)]
pub(super) struct MessagesToChat {
    context: Context,
    id: String,
    model: String,
    usage: Usage,
    /// How many tools were called.
    calls: u32,
    /// What the block that is open thinks, and its signature.
    thought: Option<(String, String)>,
    over: bool,
}

impl MessagesToChat {
    pub(super) fn new(context: Context) -> Self {
        Self {
            id: context.id.clone(),
            model: context.model.clone(),
            context,
            usage: Usage::default(),
            calls: 0,
            thought: None,
            over: false,
        }
    }

    pub(super) fn take(&mut self, data: &str, output: &mut Vec<Event>) {
        let Ok(event) = serde_json::from_str::<messages::Event<'_>>(data) else {
            return;
        };
        if self.over {
            return;
        }
        match &*event.r#type {
            "message_start" => self.start(event.message.unwrap_or_default(), output),
            "content_block_start" => self.open(event.content_block.unwrap_or_default(), output),
            "content_block_delta" => self.delta(event.delta.unwrap_or_default(), output),
            "content_block_stop" => self.stop_block(output),
            "message_delta" => {
                self.usage.update(event.usage.unwrap_or_default());
                let reason = event.delta.and_then(|delta| delta.stop_reason);
                if let Some(reason) = reason {
                    output.push(self.chunk(Delta::default(), Some(finish_reason(&reason))));
                }
            }
            "message_stop" => self.finish(output),
            "error" => {
                let error = event.error.unwrap_or_default();
                self.over = true;
                output.push(chat_error(&error.r#type, &error.message));
            }
            _ => {}
        }
    }

    pub(super) fn finish(&mut self, output: &mut Vec<Event>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        if self.context.include_usage {
            let usage = Answer {
                usage: Some(chat_usage(self.usage)),
                service_tier: service_tier(self.usage),
                ..self.document()
            };
            output.push(Event::unnamed(write(&usage)));
        }
        output.push(Event::unnamed(DONE.to_owned()));
    }

    fn start(&mut self, message: messages::Answer<'_>, output: &mut Vec<Event>) {
        if !message.id.is_empty() {
            self.id = message.id.to_string();
        }
        if !message.model.is_empty() {
            self.model = message.model.to_string();
        }
        self.usage.update(message.usage);
        output.push(self.chunk(
            Delta {
                role: Some("assistant".into()),
                content: Some("".into()),
                ..Delta::default()
            },
            None,
        ));
    }

    fn open(&mut self, block: Block<'_>, output: &mut Vec<Event>) {
        match &*block.r#type {
            "thinking" => self.thought = Some(Default::default()),
            "redacted_thinking" => output.push(self.thoughts(&block)),
            "tool_use" => {
                let index = self.calls;
                self.calls += 1;
                output.push(self.call(ToolCall {
                    index: Some(index),
                    id: block.id,
                    r#type: Some("function".into()),
                    function: Called {
                        name: block.name,
                        arguments: Some("".into()),
                    },
                    extra_content: None,
                }));
            }
            _ => {}
        }
        let text = block.text.filter(|text| !text.is_empty());
        if let Some(text) = text {
            output.push(self.chunk(
                Delta {
                    content: Some(text),
                    ..Delta::default()
                },
                None,
            ));
        }
    }

    fn delta(&mut self, delta: messages::Delta<'_>, output: &mut Vec<Event>) {
        if let Some((text, signature)) = &mut self.thought {
            text.push_str(delta.thinking.as_deref().unwrap_or_default());
            signature.push_str(delta.signature.as_deref().unwrap_or_default());
        }
        if let Some(arguments) = delta.partial_json.filter(|json| !json.is_empty()) {
            output.push(self.call(ToolCall {
                index: Some(self.calls.saturating_sub(1)),
                function: Called {
                    name: None,
                    arguments: Some(arguments),
                },
                ..ToolCall::default()
            }));
        }
        if delta.text.is_some() || delta.thinking.is_some() {
            output.push(self.chunk(
                Delta {
                    content: delta.text,
                    reasoning_content: delta.thinking,
                    ..Delta::default()
                },
                None,
            ));
        }
    }

    /// What was thought goes out once more as the block that it was: with its signature it may come back.
    fn stop_block(&mut self, output: &mut Vec<Event>) {
        if let Some((text, signature)) = self.thought.take() {
            let block = Block {
                r#type: "thinking".into(),
                thinking: Some(text.into()),
                signature: Some(signature.into()),
                ..Block::default()
            };
            output.push(self.thoughts(&block));
        }
    }

    fn thoughts(&self, block: &Block<'_>) -> Event {
        let delta = Delta {
            thinking_blocks: Some(Json::of(block).into_iter().collect()),
            ..Delta::default()
        };
        self.chunk(delta, None)
    }

    fn call(&self, call: ToolCall<'_>) -> Event {
        let delta = Delta {
            tool_calls: Some(vec![call]),
            ..Delta::default()
        };
        self.chunk(delta, None)
    }

    fn chunk(&self, delta: Delta<'_>, finish_reason: Option<&'static str>) -> Event {
        let chunk = Answer {
            choices: vec![Choice {
                index: 0,
                message: None,
                delta: Some(delta),
                finish_reason: finish_reason.map(Into::into),
            }],
            ..self.document()
        };
        Event::unnamed(write(&chunk))
    }

    fn document(&self) -> Answer<'_> {
        Answer {
            id: (&*self.id).into(),
            object: "chat.completion.chunk".into(),
            created: self.context.created,
            model: (&*self.model).into(),
            ..Answer::default()
        }
    }
}
