//! A chat's events as Anthropic's.
//!
//! Anthropic's blocks stand one after the other, while a chat may go back and forth between its calls. The block that
//! is open streams; what belongs to another waits, and follows when the answer ends. Text and thoughts never wait for
//! each other: a new block of them begins.

use serde_json::{Value, json};

use super::super::Context;
use super::super::answer::{messages_usage, stop_reason};
use super::super::chat::{self, Answer, ToolCall, Usage};
use super::super::json::{Text, write};
use super::super::messages::{self, Block, ServiceTier};
use super::{DONE, Event, messages_error};

/// What has come so far.
#[derive(Debug)]
pub(super) struct ChatToMessages {
    context: Context,
    begun: bool,
    over: bool,
    open: Option<Open>,
    /// How many blocks were opened.
    blocks: u32,
    /// What came for calls that are not open, in the order in which they began.
    waiting: Vec<Waiting>,
    called: bool,
    finish_reason: Option<String>,
    usage: Option<Usage>,
    service_tier: Option<ServiceTier>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
    Call(u32),
}

#[derive(Debug, Default)]
struct Waiting {
    index: Option<u32>,
    id: String,
    name: String,
    arguments: String,
    text: String,
}

impl ChatToMessages {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            begun: false,
            over: false,
            open: None,
            blocks: 0,
            waiting: Vec::new(),
            called: false,
            finish_reason: None,
            usage: None,
            service_tier: None,
        }
    }

    pub(super) fn take(&mut self, data: &str, output: &mut Vec<Event>) {
        if self.over {
            return;
        }
        if data == DONE {
            self.finish(output);
            return;
        }
        let Ok(answer) = serde_json::from_str::<Answer<'_>>(data) else {
            return;
        };
        if let Some(error) = answer.error.as_ref().filter(|error| error.get() != "null") {
            self.over = true;
            output.push(failure(error.get()));
            return;
        }
        self.begin(&answer.id, &answer.model, output);
        self.usage = answer.usage.or(self.usage);
        let tier = answer.service_tier.as_deref();
        self.service_tier = tier.and_then(ServiceTier::of_chat).or(self.service_tier);
        // There is one answer: Anthropic's clients cannot ask for more.
        for choice in answer
            .choices
            .into_iter()
            .filter(|choice| choice.index == 0)
        {
            self.delta(choice.delta.unwrap_or_default(), output);
            if let Some(reason) = choice.finish_reason {
                self.finish_reason = Some(reason.to_string());
            }
        }
    }

    pub(super) fn finish(&mut self, output: &mut Vec<Event>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.begin("", "", output);
        self.close(output);
        for waiting in std::mem::take(&mut self.waiting) {
            self.catch_up(&waiting, output);
        }
        let reason = self.finish_reason.as_deref().unwrap_or("stop");
        let usage = self.usage.unwrap_or(Usage {
            prompt_tokens: self.context.prompt_tokens,
            ..Usage::default()
        });
        let usage = messages::Usage {
            service_tier: self.service_tier,
            ..messages_usage(usage)
        };
        let delta = json!({"stop_reason": stop_reason(reason, self.called), "stop_sequence": null});
        push(
            output,
            "message_delta",
            json!({"type": "message_delta", "delta": delta, "usage": usage}),
        );
        push(output, "message_stop", json!({"type": "message_stop"}));
    }

    fn begin(&mut self, id: &str, model: &str, output: &mut Vec<Event>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let or = |text: &str, otherwise: &str| match text {
            "" => otherwise.to_owned(),
            text => text.to_owned(),
        };
        let message = json!({
            "id": or(id, &self.context.id), "type": "message", "role": "assistant",
            "model": or(model, &self.context.model), "content": [],
            "stop_reason": null, "stop_sequence": null,
            // The upstream says at the end how many there were.
            "usage": {"input_tokens": self.context.prompt_tokens, "output_tokens": 0},
        });
        push(
            output,
            "message_start",
            json!({"type": "message_start", "message": message}),
        );
    }

    fn delta(&mut self, delta: chat::Delta<'_>, output: &mut Vec<Event>) {
        let thought = delta
            .reasoning_content
            .or_else(|| delta.reasoning?.string().map(Text::from))
            .filter(|text| self.context.thinking && !text.is_empty());
        if let Some(thought) = thought {
            self.text(Open::Thinking, &thought, output);
        }
        for block in delta.thinking_blocks.into_iter().flatten() {
            if let Ok(block) = Block::thought(&block) {
                self.sign(&block, output);
            }
        }
        for text in [delta.content, delta.refusal].into_iter().flatten() {
            if !text.is_empty() {
                self.text(Open::Text, &text, output);
            }
        }
        for call in delta.tool_calls.into_iter().flatten() {
            self.called = true;
            self.call(call, output);
        }
    }

    /// A block of Anthropic's own, which comes when all of its text has: its signature is what is new, or all that it has.
    fn sign(&mut self, block: &Block<'_>, output: &mut Vec<Event>) {
        if !self.context.thinking || matches!(self.open, Some(Open::Call(_))) {
            return;
        }
        let signature = block.signature.as_deref().unwrap_or_default();
        match &block.data {
            Some(data) => {
                self.close(output);
                let hidden = json!({"type": "redacted_thinking", "data": &**data});
                self.start(Open::Thinking, &hidden, output);
            }
            None if signature.is_empty() => return,
            None => {
                if self.open != Some(Open::Thinking) {
                    self.close(output);
                    self.start(Open::Thinking, &thinking(), output);
                }
                let delta = json!({"type": "signature_delta", "signature": signature});
                self.push_delta(&delta, output);
            }
        }
        self.close(output);
    }

    fn text(&mut self, kind: Open, text: &str, output: &mut Vec<Event>) {
        if matches!(self.open, Some(Open::Call(_))) {
            // Only what was said can follow later; what was thought is no use then.
            if kind == Open::Text {
                match self.waiting.last_mut() {
                    Some(last) if last.index.is_none() => last.text.push_str(text),
                    _ => self.waiting.push(Waiting {
                        text: text.to_owned(),
                        ..Waiting::default()
                    }),
                }
            }
            return;
        }
        if self.open != Some(kind) {
            self.close(output);
            let block = match kind {
                Open::Thinking => thinking(),
                _ => json!({"type": "text", "text": ""}),
            };
            self.start(kind, &block, output);
        }
        let delta = match kind {
            Open::Thinking => json!({"type": "thinking_delta", "thinking": text}),
            _ => json!({"type": "text_delta", "text": text}),
        };
        self.push_delta(&delta, output);
    }

    fn call(&mut self, call: ToolCall<'_>, output: &mut Vec<Event>) {
        let index = call.index.unwrap_or(0);
        let arguments = call.function.arguments.unwrap_or_default();
        if self.open != Some(Open::Call(index)) {
            let waiting = self.waiting.iter_mut().find(|one| one.index == Some(index));
            if let Some(waiting) = waiting {
                waiting.arguments.push_str(&arguments);
                return;
            }
            let id = call.id.unwrap_or_default().to_string();
            let name = call.function.name.unwrap_or_default().to_string();
            if matches!(self.open, Some(Open::Call(_))) {
                self.waiting.push(Waiting {
                    index: Some(index),
                    id,
                    name,
                    arguments: arguments.to_string(),
                    text: String::new(),
                });
                return;
            }
            self.close(output);
            self.start(Open::Call(index), &tool_use(&id, &name), output);
        }
        if !arguments.is_empty() {
            self.push_delta(&input_delta(&arguments), output);
        }
    }

    /// Says what waited.
    fn catch_up(&mut self, waiting: &Waiting, output: &mut Vec<Event>) {
        match waiting.index {
            None => self.text(Open::Text, &waiting.text, output),
            Some(index) => {
                let block = tool_use(&waiting.id, &waiting.name);
                self.start(Open::Call(index), &block, output);
                if !waiting.arguments.is_empty() {
                    self.push_delta(&input_delta(&waiting.arguments), output);
                }
            }
        }
        self.close(output);
    }

    fn start(&mut self, kind: Open, block: &Value, output: &mut Vec<Event>) {
        push(
            output,
            "content_block_start",
            json!({"type": "content_block_start", "index": self.blocks, "content_block": block}),
        );
        self.open = Some(kind);
        self.blocks += 1;
    }

    fn push_delta(&self, delta: &Value, output: &mut Vec<Event>) {
        let index = self.blocks.saturating_sub(1);
        push(
            output,
            "content_block_delta",
            json!({"type": "content_block_delta", "index": index, "delta": delta}),
        );
    }

    fn close(&mut self, output: &mut Vec<Event>) {
        if self.open.take().is_some() {
            let index = self.blocks.saturating_sub(1);
            push(
                output,
                "content_block_stop",
                json!({"type": "content_block_stop", "index": index}),
            );
        }
    }
}

fn thinking() -> Value {
    json!({"type": "thinking", "thinking": "", "signature": ""})
}

fn tool_use(id: &str, name: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": {}})
}

fn input_delta(arguments: &str) -> Value {
    json!({"type": "input_json_delta", "partial_json": arguments})
}

fn push(output: &mut Vec<Event>, name: &'static str, data: Value) {
    output.push(Event::named(name, write(&data)));
}

/// An upstream's error in the middle of its answer.
fn failure(error: &str) -> Event {
    let error: Value = serde_json::from_str(error).unwrap_or_default();
    let message = error.get("message").or(Some(&error));
    let message = message.and_then(Value::as_str);
    messages_error(
        "api_error",
        message.unwrap_or("the upstream sent an error"),
        None,
    )
}
