//! The tools that a request offers. All of their JSON goes to the model, so all of it is counted.

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess};
use serde_json::value::RawValue;
use serde_path_to_error::{Deserializer as Tracked, Track};

use super::node::{Filling, Kept, Node, Value, WITHIN};
use crate::cost::Manner;
use crate::facts::Tool;
use crate::tokens;

/// `tools`, or the older `functions`.
#[derive(Default)]
pub(super) struct Tools<'a> {
    /// Whether names and descriptions are wanted.
    pub(super) keep: bool,
    /// If they are.
    pub(super) all: Vec<Tool<'a>>,
    /// Whether there is one.
    pub(super) any: bool,
    /// Whether it is wanted for how long they are cached.
    pub(super) caches: bool,
    pub(super) manner: Manner,
    /// Estimated.
    pub(super) tokens: u64,
}

impl<'a> Node<'a> for Tools<'a> {
    const EXPECTED: &'static str = "an array of tools";
    const ARRAY: bool = true;

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let Some(json) = array.next_element::<&'a RawValue>()?.map(RawValue::get) else {
            return Ok(false);
        };
        self.any = true;
        self.tokens = self
            .tokens
            .saturating_add(tokens::of_text(json))
            .saturating_add(tokens::TOOL);
        // Whoever hides the words behind escapes is held for less and charged the same.
        if self.caches && json.contains("\"cache_control\"") && json.contains("\"1h\"") {
            self.manner.caches_for_an_hour = true;
        }
        if self.keep {
            self.all
                .push(read_tool(json, self.all.len()).map_err(A::Error::custom)?);
        }
        Ok(true)
    }
}

/// Reads one tool by itself: a tool is counted as text, and most plans look no further.
fn read_tool(json: &str, index: usize) -> Result<Tool<'_>, String> {
    let mut tool = ToolNode::default();
    let mut parser = serde_json::Deserializer::from_str(json);
    Filling::new(&mut tool)
        .deserialize(&mut parser)
        .map_err(|error| locate(json, index, &error))?;
    Ok(Tool {
        name: tool.name.0,
        description: tool.description.0,
    })
}

/// Reads a tool that is known to be wrong again, to say where.
fn locate(json: &str, index: usize, error: &serde_json::Error) -> String {
    let (mut tool, mut track) = (ToolNode::default(), Track::new());
    let mut parser = serde_json::Deserializer::from_str(json);
    let again = Filling::new(&mut tool).deserialize(Tracked::new(&mut parser, &mut track));
    let text = again.map_or_else(|error| error.to_string(), |()| error.to_string());
    let cause = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(cause, _)| cause);
    match &*track.path().to_string() {
        "." => format!("{WITHIN}[{index}]: {cause}"),
        path => format!("{WITHIN}[{index}].{path}: {cause}"),
    }
}

/// One tool: name and description, wherever they stand.
#[derive(Default)]
struct ToolNode<'a> {
    name: Kept<'a>,
    description: Kept<'a>,
}

impl<'a> Node<'a> for ToolNode<'a> {
    const EXPECTED: &'static str = "an object with a `function`";
    const OBJECT: bool = true;

    fn field<A: MapAccess<'a>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "function" | "custom" => value.into_node(self),
            "name" => value.into_node(&mut self.name),
            "description" => value.into_node(&mut self.description),
            _ => value.skip(),
        }
    }
}
