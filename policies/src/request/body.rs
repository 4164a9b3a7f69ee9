//! The fields of a body, whichever API it speaks.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::blocks::Turns;
use super::content::{CacheControl, Content};
use super::items::Items;
use super::message::Messages;
use super::node::{Count, Filling, Flag, Kept, Node, Number, Value, once};
use super::prompts::Prompts;
use super::tools::Tools;
use crate::cost::Manner;
use crate::facts::Surface;
use crate::plan::Needs;
use crate::tokens;

/// A body as it was sent, before anything is required of it.
pub(super) struct Body<'n, 'a> {
    surface: Surface,
    seen: u32,
    pub(super) model: Kept<'a>,
    pub(super) messages: Messages<'n, 'a>,
    /// What the system says beside the messages.
    pub(super) preamble: Content<'a>,
    pub(super) prompts: Prompts<'a>,
    pub(super) tools: Tools<'a>,
    pub(super) max_tokens: Count,
    pub(super) max_completion_tokens: Count,
    pub(super) max_output_tokens: Count,
    pub(super) n: Count,
    pub(super) best_of: Count,
    pub(super) stream: Flag,
    pub(super) include_usage: Flag,
    pub(super) temperature: Number,
    pub(super) response_format: ResponseFormat<'a>,
    pub(super) metadata: Metadata<'n, 'a>,
    pub(super) suffix: Kept<'a>,
    pub(super) service_tier: Kept<'a>,
    pub(super) manner: Manner,
}

impl<'n> Body<'n, '_> {
    pub(super) fn new(needs: &'n Needs, surface: Surface) -> Self {
        Self {
            surface,
            seen: 0,
            model: Kept::default(),
            messages: Messages::new(needs),
            preamble: Content {
                keep: needs.system || needs.messages,
                ..Content::default()
            },
            prompts: Prompts::new(needs.prompt),
            tools: Tools {
                keep: needs.tools,
                caches: needs.cache_lifetime,
                ..Tools::default()
            },
            max_tokens: Count::default(),
            max_completion_tokens: Count::default(),
            max_output_tokens: Count::default(),
            n: Count::default(),
            best_of: Count::default(),
            stream: Flag::default(),
            include_usage: Flag::default(),
            temperature: Number::default(),
            response_format: ResponseFormat::default(),
            metadata: Metadata::new(&needs.metadata),
            suffix: Kept::default(),
            service_tier: Kept::default(),
            manner: Manner::default(),
        }
    }

    /// The bit of a field that this API has; no other field is read.
    fn bit(&self, name: &str) -> Option<u32> {
        use Surface::{Chat, Completions, CountTokens, Embeddings, Messages, Responses};
        let surfaces: (u32, &[Surface]) = match name {
            "model" => (0, &Surface::ALL),
            "messages" => (1, &[Chat, Messages, CountTokens]),
            "prompt" => (2, &[Completions]),
            "input" => (3, &[Embeddings, Responses]),
            "tools" => (4, &[Chat, Messages, CountTokens, Responses]),
            "functions" => (5, &[Chat]),
            "max_tokens" => (6, &[Chat, Completions, Messages]),
            "max_completion_tokens" => (7, &[Chat]),
            "n" => (8, &[Chat, Completions]),
            "best_of" => (9, &[Completions]),
            "stream" => (10, &[Chat, Completions, Messages, Responses]),
            "stream_options" => (11, &[Chat, Completions]),
            "temperature" => (12, &[Chat, Completions, Messages, Responses]),
            "response_format" => (13, &[Chat]),
            "metadata" if !self.metadata.names.is_empty() => {
                (14, &[Chat, Completions, Messages, CountTokens, Responses])
            }
            "suffix" => (15, &[Completions]),
            "system" => (16, &[Messages, CountTokens]),
            "instructions" => (17, &[Responses]),
            "max_output_tokens" => (18, &[Responses]),
            "output_config" => (19, &[Messages, CountTokens]),
            "text" => (20, &[Responses]),
            "service_tier" => (21, &[Chat, Completions, Messages, Responses]),
            "modalities" => (22, &[Chat]),
            "cache_control" => (23, &[Chat, Messages]),
            _ => return None,
        };
        surfaces.1.contains(&self.surface).then_some(surfaces.0)
    }
}

impl<'a> Node<'a> for Body<'_, 'a> {
    const EXPECTED: &'static str = "a JSON object";
    const OBJECT: bool = true;

    fn null(&mut self) -> bool {
        false
    }

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        let Some(bit) = self.bit(name) else {
            return value.skip();
        };
        once(&mut self.seen, bit, name)?;
        match name {
            "model" => value.into_node(&mut self.model),
            "messages" if self.surface == Surface::Chat => value.into_node(&mut self.messages),
            "messages" => value.into_node(&mut Turns(&mut self.messages)),
            "input" if self.surface == Surface::Responses => {
                value.into_node(&mut Items::new(&mut self.messages))
            }
            "prompt" | "input" => value.into_node(&mut self.prompts),
            "system" | "instructions" => value.into_node(&mut self.preamble),
            "tools" | "functions" => value.into_node(&mut self.tools),
            "max_tokens" => value.into_node(&mut self.max_tokens),
            "max_completion_tokens" => value.into_node(&mut self.max_completion_tokens),
            "max_output_tokens" => value.into_node(&mut self.max_output_tokens),
            "n" => value.into_node(&mut self.n),
            "best_of" => value.into_node(&mut self.best_of),
            "stream" => value.into_node(&mut self.stream),
            "stream_options" => value.into_node(&mut StreamOptions(&mut self.include_usage)),
            "temperature" => value.into_node(&mut self.temperature),
            "response_format" => value.into_node(&mut self.response_format),
            "output_config" | "text" => value.into_node(&mut Formatted(&mut self.response_format)),
            "metadata" => value.into_node(&mut self.metadata),
            "suffix" => value.into_node(&mut self.suffix),
            "service_tier" => value.into_node(&mut self.service_tier),
            "modalities" => value.into_node(&mut Modalities(&mut self.manner)),
            "cache_control" => value.into_node(&mut CacheControl(&mut self.manner)),
            _ => value.skip(),
        }
    }
}

/// `modalities`: what the answer may be.
struct Modalities<'m>(&'m mut Manner);

impl<'a> Node<'a> for Modalities<'_> {
    const EXPECTED: &'static str = "an array of strings";
    const ARRAY: bool = true;

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let mut kind = Kept::default();
        let more = array.next_element_seed(Filling::new(&mut kind))?.is_some();
        self.0.audio_output |= kind.0 == "audio";
        Ok(more)
    }
}

/// `stream_options`
struct StreamOptions<'f>(&'f mut Flag);

impl<'a> Node<'a> for StreamOptions<'_> {
    const EXPECTED: &'static str = "an object";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "include_usage" => value.into_node(self.0),
            _ => value.skip(),
        }
    }
}

/// `response_format`: its type, and how much its schema adds to the prompt.
#[derive(Default)]
pub(super) struct ResponseFormat<'a> {
    pub(super) kind: Kept<'a>,
    pub(super) tokens: u64,
}

impl<'a> Node<'a> for ResponseFormat<'a> {
    const EXPECTED: &'static str = "an object with a `type`";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "type" => value.into_node(&mut self.kind),
            "json_schema" | "schema" => {
                let json: &'a RawValue = value.read()?;
                self.tokens = self.tokens.saturating_add(tokens::of_text(json.get()));
                Ok(())
            }
            _ => value.skip(),
        }
    }
}

/// `output_config` of messages, `text` of Responses: the format of the answer, among others.
struct Formatted<'f, 'a>(&'f mut ResponseFormat<'a>);

impl<'a> Node<'a> for Formatted<'_, 'a> {
    const EXPECTED: &'static str = "an object";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "format" => value.into_node(self.0),
            _ => value.skip(),
        }
    }
}

/// `metadata`: the keys that the plan reads.
pub(super) struct Metadata<'n, 'a> {
    names: &'n [String],
    pub(super) values: Vec<Option<Cow<'a, str>>>,
}

impl<'n> Metadata<'n, '_> {
    fn new(names: &'n [String]) -> Self {
        Self {
            names,
            values: vec![None; names.len()],
        }
    }
}

impl<'a> Node<'a> for Metadata<'_, 'a> {
    const EXPECTED: &'static str = "an object of strings";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        let slot = self.names.iter().position(|wanted| wanted == name);
        let Some(place) = slot.and_then(|slot| self.values.get_mut(slot)) else {
            return value.skip();
        };
        let mut entry = Entry(None);
        value.into_node(&mut entry)?;
        *place = entry.0;
        Ok(())
    }
}

/// One value of the metadata; absent when null.
struct Entry<'a>(Option<Cow<'a, str>>);

impl<'a> Node<'a> for Entry<'a> {
    const EXPECTED: &'static str = "a string";

    fn string(&mut self, text: super::node::Text<'a, '_>) -> bool {
        self.0 = Some(text.keep());
        true
    }
}
