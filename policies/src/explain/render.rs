//! Facts as JSON, short enough to read.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::plan::draft::ExpressionIndex;
use crate::vm::{Field, Instruction, Map, Session, Value};

/// Longer strings are cut, in characters.
const LONGEST: usize = 80;
/// Longer lists are cut.
const MOST: usize = 20;

/// The facts that code reads, by the names they are written with.
pub(super) fn values(
    session: &mut Session<'_, '_>,
    code: &[u8],
    values: &mut BTreeMap<String, Json>,
) {
    let mut rest = code;
    while let Some((instruction, after)) = Instruction::decode(rest) {
        rest = after;
        match instruction {
            Instruction::Field(field) => {
                values.insert(field.path().to_owned(), fact(session, field));
            }
            Instruction::Lookup(map, slot) | Instruction::Has(map, slot) => {
                let value = session.machine().inputs.slot(map, slot);
                let name = slot_name(session, map, slot);
                values.insert(name, value.map_or(Json::Null, scalar));
            }
            _ => {}
        }
    }
}

/// The text of a `per`, cut short.
pub(super) fn text(session: &mut Session<'_, '_>, index: ExpressionIndex) -> String {
    session.text(index, cut)
}

fn fact(session: &mut Session<'_, '_>, field: Field) -> Json {
    let machine = session.machine();
    let value = machine.field(field);
    scalar(machine.inner(value))
}

fn scalar(value: Value<'_>) -> Json {
    match value {
        Value::Null | Value::Absent | Value::Failed(_) => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(number) => json!(number),
        Value::Uint(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Text(text) => json!(cut(text)),
        Value::Messages(messages) => json!(format!("{} messages", messages.len())),
        Value::Tools(tools) => list(tools.iter().map(|tool| &*tool.name)),
        Value::Strings(texts) => list(texts.iter().map(|text| &**text)),
        value => value.printed().map_or(Json::Null, Json::String),
    }
}

fn list<'a>(texts: impl ExactSizeIterator<Item = &'a str>) -> Json {
    let left_out = texts.len().saturating_sub(MOST);
    let mut shown: Vec<String> = texts.take(MOST).map(cut).collect();
    if left_out > 0 {
        shown.push(format!("… and {left_out} more"));
    }
    json!(shown)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn slot_name(session: &mut Session<'_, '_>, map: Map, slot: u16) -> String {
    let plan = session.machine().inputs.plan;
    let (map, key) = match map {
        Map::Headers => ("request.headers", plan.header(slot)),
        Map::Metadata => ("request.metadata", plan.metadata_key(slot)),
        Map::Claims => ("caller.claims", plan.claim(slot)),
        Map::Labels => ("endpoint.labels", plan.label(slot)),
    };
    format!("{map}[{}]", json!(key.unwrap_or_default()))
}
