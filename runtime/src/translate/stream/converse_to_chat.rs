//! Bedrock's events as a chat's. They come here as JSON that says their type, taken out of their binary frames before.

use super::super::Context;
use super::super::answer::{converse_finish_reason, converse_usage, thought};
use super::super::chat::{Answer, Called, Choice, Delta, ToolCall};
use super::super::converse::{self, Block, Reasoning, Thought, Usage};
use super::super::json::{Text, write};
use super::{DONE, Event, chat_error};

/// What has come so far.
#[derive(Debug)]
pub(super) struct ConverseToChat {
    context: Context,
    usage: Usage,
    service_tier: Option<String>,
    begun: bool,
    /// How many tools were called.
    calls: u32,
    /// What the block that is open thinks, and its signature.
    thought: Option<(String, String)>,
    over: bool,
}

impl ConverseToChat {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            usage: Usage::default(),
            service_tier: None,
            begun: false,
            calls: 0,
            thought: None,
            over: false,
        }
    }

    pub(super) fn take(&mut self, data: &str, output: &mut Vec<Event>) {
        if self.over {
            return;
        }
        if let Some((kind, message)) = exception(data) {
            self.over = true;
            output.push(chat_error(&kind, &message));
            return;
        }
        let Ok(event) = serde_json::from_str::<converse::Event<'_>>(data) else {
            return;
        };
        self.begin(output);
        if let Some(start) = event.content_block_start {
            self.open(start.start, output);
        }
        if let Some(delta) = event.content_block_delta {
            self.delta(delta.delta, output);
        }
        if event.content_block_stop.is_some() {
            self.stop_block(output);
        }
        if let Some(stop) = event.message_stop {
            let reason = converse_finish_reason(&stop.stop_reason);
            output.push(self.chunk(Delta::default(), Some(reason)));
        }
        if let Some(metadata) = event.metadata {
            self.usage = metadata.usage;
            self.service_tier = metadata.service_tier.r#type.map(|word| word.to_string());
        }
    }

    pub(super) fn finish(&mut self, output: &mut Vec<Event>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.begin(output);
        if self.context.include_usage {
            let usage = Answer {
                usage: Some(converse_usage(self.usage)),
                service_tier: self.service_tier.as_deref().map(Text::from),
                ..self.document()
            };
            output.push(Event::unnamed(write(&usage)));
        }
        output.push(Event::unnamed(DONE.to_owned()));
    }

    fn begin(&mut self, output: &mut Vec<Event>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let delta = Delta {
            role: Some("assistant".into()),
            content: Some("".into()),
            ..Delta::default()
        };
        output.push(self.chunk(delta, None));
    }

    fn open(&mut self, block: Block<'_>, output: &mut Vec<Event>) {
        let Some(call) = block.tool_use else {
            return;
        };
        let index = self.calls;
        self.calls += 1;
        output.push(self.call(ToolCall {
            index: Some(index),
            id: Some(call.tool_use_id),
            r#type: Some("function".into()),
            function: Called {
                name: Some(call.name),
                arguments: Some("".into()),
            },
            ..ToolCall::default()
        }));
    }

    fn delta(&mut self, delta: converse::Delta<'_>, output: &mut Vec<Event>) {
        if let Some(text) = delta.text.filter(|text| !text.is_empty()) {
            let delta = Delta {
                content: Some(text),
                ..Delta::default()
            };
            output.push(self.chunk(delta, None));
        }
        let input = delta.tool_use.map(|call| call.input);
        if let Some(arguments) = input.filter(|input| !input.is_empty()) {
            output.push(self.call(ToolCall {
                index: Some(self.calls.saturating_sub(1)),
                function: Called {
                    name: None,
                    arguments: Some(arguments),
                },
                ..ToolCall::default()
            }));
        }
        if let Some(reasoning) = delta.reasoning_content {
            self.think(reasoning, output);
        }
    }

    fn think(&mut self, reasoning: converse::ReasoningDelta<'_>, output: &mut Vec<Event>) {
        if let Some(data) = reasoning.redacted_content {
            output.push(self.thoughts(&Reasoning {
                redacted_content: Some(data),
                ..Reasoning::default()
            }));
            return;
        }
        let (text, signature) = self.thought.get_or_insert_default();
        text.push_str(reasoning.text.as_deref().unwrap_or_default());
        signature.push_str(reasoning.signature.as_deref().unwrap_or_default());
        if let Some(text) = reasoning.text.filter(|text| !text.is_empty()) {
            let delta = Delta {
                reasoning_content: Some(text),
                ..Delta::default()
            };
            output.push(self.chunk(delta, None));
        }
    }

    /// What was thought goes out once more as the block that it was: with its signature it may come back.
    fn stop_block(&mut self, output: &mut Vec<Event>) {
        if let Some((text, signature)) = self.thought.take() {
            output.push(self.thoughts(&Reasoning {
                reasoning_text: Some(Thought {
                    text: text.into(),
                    signature: Some(signature.into()),
                }),
                ..Reasoning::default()
            }));
        }
    }

    fn thoughts(&self, reasoning: &Reasoning<'_>) -> Event {
        let delta = Delta {
            thinking_blocks: Some(thought(reasoning).into_iter().collect()),
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
            id: (&*self.context.id).into(),
            object: "chat.completion.chunk".into(),
            created: self.context.created,
            model: (&*self.context.model).into(),
            ..Answer::default()
        }
    }
}

/// The kind and the words of an error in the middle of an answer.
fn exception(data: &str) -> Option<(String, String)> {
    let members = crate::json::members(data);
    let found = members
        .iter()
        .find(|member| member.key.ends_with("Exception") || member.key == "error")?;
    let said: serde_json::Value = serde_json::from_str(found.value).ok()?;
    let message = said.get("message").and_then(serde_json::Value::as_str);
    let message = message.unwrap_or("the upstream sent an error");
    Some((found.key.to_string(), message.to_owned()))
}
