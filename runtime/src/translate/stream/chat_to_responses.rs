//! A chat's events as those of OpenAI's Responses.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::Context;
use super::super::answer::{
    Incomplete, Response, call_id, call_item, message_id, message_item, reasoning_id,
    reasoning_item, responses_usage, summary_part,
};
use super::super::chat::{self, Answer, ToolCall, Usage};
use super::super::json::{Json, Text, write};
use super::{DONE, Event, responses_error};

/// What has come so far.
#[derive(Debug)]
pub(super) struct ChatToResponses {
    context: Context,
    model: String,
    begun: bool,
    over: bool,
    /// The number of the next event.
    number: u64,
    items: Vec<Item>,
    finish_reason: Option<String>,
    usage: Option<Usage>,
    service_tier: Option<String>,
}

/// A part of the answer.
#[derive(Debug)]
struct Item {
    id: String,
    kind: Kind,
    /// The thoughts, or the arguments, so far.
    text: String,
    /// What a message says, or refuses to, so far.
    parts: Vec<Said>,
}

#[derive(Debug)]
struct Said {
    is_refusal: bool,
    text: String,
}

impl Said {
    fn json(&self) -> Value {
        let text = &self.text;
        match self.is_refusal {
            true => json!({"type": "refusal", "refusal": text}),
            false => {
                json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Reasoning,
    Message,
    Call {
        index: u32,
        id: String,
        name: String,
    },
}

/// What makes an event what it is, beside its type and number.
#[derive(Serialize)]
struct Numbered<'a, T> {
    r#type: &'static str,
    sequence_number: u64,
    #[serde(flatten)]
    rest: &'a T,
}

impl ChatToResponses {
    pub(super) fn new(context: Context) -> Self {
        Self {
            model: context.model.clone(),
            context,
            begun: false,
            over: false,
            number: 0,
            items: Vec::new(),
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
            output.push(failure(error));
            return;
        }
        if !answer.model.is_empty() {
            self.model = answer.model.to_string();
        }
        self.begin(output);
        self.usage = answer.usage.or(self.usage);
        let tier = answer.service_tier.map(|word| word.to_string());
        self.service_tier = tier.or(self.service_tier.take());
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
        if self.over {
            return;
        }
        self.begin(output);
        self.over = true;
        let items = std::mem::take(&mut self.items);
        let mut done = Vec::with_capacity(items.len());
        for (place, item) in (0_u32..).zip(&items) {
            done.push(self.close(place, item, output));
        }
        let incomplete = Incomplete::of(self.finish_reason.as_deref());
        let name = match incomplete {
            None => "response.completed",
            Some(_) => "response.incomplete",
        };
        self.whole(name, None, incomplete, &done, output);
    }

    fn begin(&mut self, output: &mut Vec<Event>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        for name in ["response.created", "response.in_progress"] {
            self.whole(name, Some("in_progress"), None, &[], output);
        }
    }

    /// An event with the response as far as it has come.
    fn whole(
        &mut self,
        name: &'static str,
        status: Option<&'static str>,
        incomplete: Option<Incomplete>,
        items: &[Value],
        output: &mut Vec<Event>,
    ) {
        let response = Response {
            context: &self.context,
            model: &self.model,
            incomplete,
            status,
            output: items,
            usage: self.usage.map(responses_usage),
            service_tier: self.service_tier.as_deref(),
        };
        let response = response.value();
        let data = format!(
            "{{\"type\":\"{name}\",\"sequence_number\":{},\"response\":{}}}",
            self.number,
            response.as_ref().map_or("null", Json::get)
        );
        self.number += 1;
        output.push(Event::named(name, data));
    }

    fn push(&mut self, name: &'static str, rest: &Value, output: &mut Vec<Event>) {
        let event = Numbered {
            r#type: name,
            sequence_number: self.number,
            rest,
        };
        self.number += 1;
        output.push(Event::named(name, write(&event)));
    }

    fn delta(&mut self, delta: chat::Delta<'_>, output: &mut Vec<Event>) {
        let thought = delta
            .reasoning_content
            .or_else(|| delta.reasoning?.string().map(Text::from))
            .filter(|text| self.context.thinking && !text.is_empty());
        if let Some(thought) = thought {
            self.think(&thought, output);
        }
        for (text, is_refusal) in [(delta.content, false), (delta.refusal, true)] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                self.say(&text, is_refusal, output);
            }
        }
        for call in delta.tool_calls.into_iter().flatten() {
            self.call(call, output);
        }
    }

    fn place_of(&self, kind: &Kind) -> Option<usize> {
        self.items.iter().position(|item| item.kind == *kind)
    }

    fn think(&mut self, text: &str, output: &mut Vec<Event>) {
        let place = match self.place_of(&Kind::Reasoning) {
            Some(place) => place,
            None => {
                let id = reasoning_id(&self.context);
                let item = reasoning_item(&id, None);
                let place = self.add(&item, id.clone(), Kind::Reasoning, output);
                self.push(
                    "response.reasoning_summary_part.added",
                    &json!({"item_id": id, "output_index": place, "summary_index": 0, "part": summary_part("")}),
                    output,
                );
                place
            }
        };
        let id = self.extend(place, text);
        self.push(
            "response.reasoning_summary_text.delta",
            &json!({"item_id": id, "output_index": place, "summary_index": 0, "delta": text}),
            output,
        );
    }

    fn say(&mut self, text: &str, is_refusal: bool, output: &mut Vec<Event>) {
        let place = match self.place_of(&Kind::Message) {
            Some(place) => place,
            None => {
                let id = message_id(&self.context);
                let item = message_item(&id, "in_progress", json!([]));
                self.add(&item, id, Kind::Message, output)
            }
        };
        let Some(item) = self.items.get_mut(place) else {
            return;
        };
        let id = item.id.clone();
        let found = item
            .parts
            .iter()
            .position(|part| part.is_refusal == is_refusal);
        let index = found.unwrap_or(item.parts.len());
        if found.is_none() {
            let part = Said {
                is_refusal,
                text: String::new(),
            };
            let begins = part.json();
            item.parts.push(part);
            self.push(
                "response.content_part.added",
                &json!({"item_id": id, "output_index": place, "content_index": index, "part": begins}),
                output,
            );
        }
        let item = self.items.get_mut(place);
        if let Some(part) = item.and_then(|item| item.parts.get_mut(index)) {
            part.text.push_str(text);
        }
        let delta =
            json!({"item_id": id, "output_index": place, "content_index": index, "delta": text});
        match is_refusal {
            true => self.push("response.refusal.delta", &delta, output),
            false => self.push(
                "response.output_text.delta",
                &without_logprobs(&delta),
                output,
            ),
        }
    }

    fn call(&mut self, call: ToolCall<'_>, output: &mut Vec<Event>) {
        let index = call.index.unwrap_or(0);
        let is_it =
            |item: &Item| matches!(&item.kind, Kind::Call { index: this, .. } if *this == index);
        let place = match self.items.iter().position(is_it) {
            Some(place) => place,
            None => {
                let id = call_id(&self.context, index);
                let called = call.id.unwrap_or_default().to_string();
                let name = call.function.name.unwrap_or_default().to_string();
                let item = call_item(&id, "in_progress", &called, &name, "");
                let kind = Kind::Call {
                    index,
                    id: called,
                    name,
                };
                self.add(&item, id, kind, output)
            }
        };
        let arguments = call.function.arguments.unwrap_or_default();
        if arguments.is_empty() {
            return;
        }
        let id = self.extend(place, &arguments);
        self.push(
            "response.function_call_arguments.delta",
            &json!({"item_id": id, "output_index": place, "delta": &*arguments}),
            output,
        );
    }

    fn add(&mut self, item: &Value, id: String, kind: Kind, output: &mut Vec<Event>) -> usize {
        let place = self.items.len();
        self.push(
            "response.output_item.added",
            &json!({"output_index": place, "item": item}),
            output,
        );
        self.items.push(Item {
            id,
            kind,
            text: String::new(),
            parts: Vec::new(),
        });
        place
    }

    /// Adds to what an item says; its id.
    fn extend(&mut self, place: usize, text: &str) -> String {
        match self.items.get_mut(place) {
            Some(item) => {
                item.text.push_str(text);
                item.id.clone()
            }
            None => String::new(),
        }
    }

    /// Ends an item; what it has become.
    fn close(&mut self, place: u32, item: &Item, output: &mut Vec<Event>) -> Value {
        let (id, text) = (&item.id, &item.text);
        let whole = match &item.kind {
            Kind::Reasoning => {
                let at = json!({"item_id": id, "output_index": place, "summary_index": 0});
                let text_done = with(&at, "text", json!(text));
                self.push("response.reasoning_summary_text.done", &text_done, output);
                let part_done = with(&at, "part", summary_part(text));
                self.push("response.reasoning_summary_part.done", &part_done, output);
                reasoning_item(id, Some(text))
            }
            Kind::Message => {
                for (index, part) in (0_u32..).zip(&item.parts) {
                    let at = json!({"item_id": id, "output_index": place, "content_index": index});
                    match part.is_refusal {
                        true => {
                            let done = with(&at, "refusal", json!(part.text));
                            self.push("response.refusal.done", &done, output);
                        }
                        false => {
                            let done = without_logprobs(&with(&at, "text", json!(part.text)));
                            self.push("response.output_text.done", &done, output);
                        }
                    }
                    let part_done = with(&at, "part", part.json());
                    self.push("response.content_part.done", &part_done, output);
                }
                let said: Vec<_> = item.parts.iter().map(Said::json).collect();
                message_item(id, "completed", json!(said))
            }
            Kind::Call {
                id: called, name, ..
            } => {
                self.push(
                    "response.function_call_arguments.done",
                    &json!({"item_id": id, "output_index": place, "name": name, "arguments": text}),
                    output,
                );
                call_item(id, "completed", called, name, text)
            }
        };
        self.push(
            "response.output_item.done",
            &json!({"output_index": place, "item": whole}),
            output,
        );
        whole
    }
}

/// An object with another member.
fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    object
}

/// Says that there are no probabilities, which OpenAI's clients look for beside a text.
fn without_logprobs(object: &Value) -> Value {
    with(object, "logprobs", json!([]))
}

/// An upstream's error in the middle of its answer.
fn failure(error: &Json<'_>) -> Event {
    let error: Value = serde_json::from_str(error.get()).unwrap_or_default();
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    responses_error(
        text("message").unwrap_or("the upstream sent an error"),
        text("code").unwrap_or("upstream_error"),
    )
}
