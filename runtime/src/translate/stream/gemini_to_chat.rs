//! Gemini's events as a chat's.
//!
//! Each of its events is an answer of its own with what is new; a function's call comes whole. Why it ended is said when
//! the stream is over, since only then it is known whether functions were called.

use super::super::Context;
use super::super::answer::{
    gemini_finish_reason as finish_reason, gemini_usage as chat_usage, tool_call,
};
use super::super::chat::{self, Choice, Delta, ToolCall};
use super::super::gemini::{Answer, Part, Usage};
use super::super::json::write;
use super::{DONE, Event, chat_error};

/// What has come so far.
#[derive(Debug)]
pub(super) struct GeminiToChat {
    context: Context,
    id: String,
    model: String,
    usage: Usage,
    /// How many functions were called.
    calls: u32,
    begun: bool,
    finish_reason: Option<String>,
    over: bool,
}

impl GeminiToChat {
    pub(super) fn new(context: Context) -> Self {
        Self {
            id: context.id.clone(),
            model: context.model.clone(),
            context,
            usage: Usage::default(),
            calls: 0,
            begun: false,
            finish_reason: None,
            over: false,
        }
    }

    pub(super) fn take(&mut self, data: &str, output: &mut Vec<Event>) {
        if self.over {
            return;
        }
        let Ok(answer) = serde_json::from_str::<Answer<'_>>(data) else {
            return;
        };
        if let Some(error) = answer.error {
            self.over = true;
            output.push(chat_error(
                &error.status.to_ascii_lowercase(),
                &error.message,
            ));
            return;
        }
        self.begin(&answer.response_id, &answer.model_version, output);
        self.usage = answer.usage_metadata.unwrap_or(self.usage);
        // There is one answer: `n` above 1 is not asked for.
        let Some(candidate) = answer.candidates.into_iter().next() else {
            return;
        };
        for part in candidate.content.unwrap_or_default().parts {
            self.part(part, output);
        }
        if let Some(reason) = candidate.finish_reason {
            self.finish_reason = Some(reason.to_string());
        }
    }

    pub(super) fn finish(&mut self, output: &mut Vec<Event>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.begin("", "", output);
        let reason = self.finish_reason.as_deref().unwrap_or("STOP");
        let reason = finish_reason(reason, self.calls > 0);
        output.push(self.chunk(Delta::default(), Some(reason)));
        if self.context.include_usage {
            let usage = chat::Answer {
                usage: Some(chat_usage(self.usage)),
                ..self.document()
            };
            output.push(Event::unnamed(write(&usage)));
        }
        output.push(Event::unnamed(DONE.to_owned()));
    }

    fn begin(&mut self, id: &str, model: &str, output: &mut Vec<Event>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        if !id.is_empty() {
            self.id = id.to_owned();
        }
        if !model.is_empty() {
            self.model = model.to_owned();
        }
        let delta = Delta {
            role: Some("assistant".into()),
            content: Some("".into()),
            ..Delta::default()
        };
        output.push(self.chunk(delta, None));
    }

    fn part(&mut self, part: Part<'_>, output: &mut Vec<Event>) {
        if let Some(text) = part.text.filter(|text| !text.is_empty()) {
            let mut delta = Delta::default();
            match part.thought {
                Some(true) => delta.reasoning_content = Some(text),
                _ => delta.content = Some(text),
            }
            output.push(self.chunk(delta, None));
        }
        if let Some(call) = part.function_call {
            let index = self.calls;
            self.calls += 1;
            let call = ToolCall {
                index: Some(index),
                ..tool_call(call, part.thought_signature, index as usize, &self.context)
            };
            let delta = Delta {
                tool_calls: Some(vec![call]),
                ..Delta::default()
            };
            output.push(self.chunk(delta, None));
        }
    }

    fn chunk(&self, delta: Delta<'_>, finish_reason: Option<&'static str>) -> Event {
        let chunk = chat::Answer {
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

    fn document(&self) -> chat::Answer<'_> {
        chat::Answer {
            id: (&*self.id).into(),
            object: "chat.completion.chunk".into(),
            created: self.context.created,
            model: (&*self.model).into(),
            ..chat::Answer::default()
        }
    }
}
