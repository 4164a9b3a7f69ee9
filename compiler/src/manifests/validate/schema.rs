//! A CRD's structural schema as a JSON schema that is strict about unknown fields.

use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use regex::Regex;
use serde_json::{Map, Value, json};

/// Keywords whose subschemas only constrain: they declare no fields, so they must not forbid any.
const JUNCTORS: [&str; 4] = ["allOf", "anyOf", "oneOf", "not"];
/// What `pattern` becomes. The API server reads patterns as RE2, which is near to the `regex` crate's syntax
/// and not to ECMAScript's: `^(?i)(abort|warn)?$` is a pattern of the operator's own CRDs.
const RE2_PATTERN: &str = "x-re2-pattern";

/// The validator of an `openAPIV3Schema`.
pub(super) fn validator(open_api: &Value) -> Result<jsonschema::Validator, String> {
    let mut schema = translate(open_api, true);
    open_root(&mut schema);
    jsonschema::options()
        // OpenAPI 3.0 writes `exclusiveMinimum: true`, as draft 4 does.
        .with_draft(jsonschema::Draft::Draft4)
        .should_validate_formats(false)
        .with_keyword(RE2_PATTERN, pattern)
        .build(&schema)
        .map_err(|error| error.to_string())
}

struct Pattern(Regex);

fn pattern<'a>(
    _parent: &'a Map<String, Value>,
    pattern: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Regex::new(pattern.as_str().unwrap_or(""))
        .map(|regex| Box::new(Pattern(regex)) as Box<dyn for<'i> Keyword<'i>>)
        .map_err(|error| ValidationError::custom(error.to_string()))
}

impl<'i> Keyword<'i> for Pattern {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            return Ok(());
        }
        let message = format!("{instance} does not match `{}`", self.0);
        Err(ValidationError::custom(message))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        instance.as_str().is_none_or(|text| self.0.is_match(text))
    }
}

/// `metadata` is checked by the API server itself, `apiVersion` and `kind` are always there.
fn open_root(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    properties.insert("metadata".into(), json!({"type": "object"}));
    for name in ["apiVersion", "kind"] {
        properties.insert(name.into(), json!({"type": "string"}));
    }
}

/// `schema` in draft 4; with `closes`, fields that it does not declare are refused.
fn translate(schema: &Value, closes: bool) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let mut translated: Map<String, Value> = Map::new();
    for (keyword, value) in fields {
        let (keyword, value) = match keyword.as_str() {
            "properties" => (keyword.as_str(), of_each(value, closes)),
            "items" | "additionalProperties" => (keyword.as_str(), translate(value, closes)),
            "pattern" => (RE2_PATTERN, value.clone()),
            "type" if is_true(fields, "nullable") => ("type", json!([value, "null"])),
            junctor if JUNCTORS.contains(&junctor) => (junctor, constraints(value)),
            other => (other, value.clone()),
        };
        translated.insert(keyword.to_owned(), value);
    }
    if is_true(fields, "x-kubernetes-int-or-string") {
        translated.insert("type".into(), json!(["integer", "string"]));
    }
    if closes && declares_all(fields) {
        translated.insert("additionalProperties".into(), Value::Bool(false));
    }
    Value::Object(translated)
}

fn declares_all(fields: &Map<String, Value>) -> bool {
    fields.contains_key("properties")
        && !fields.contains_key("additionalProperties")
        && !is_true(fields, "x-kubernetes-preserve-unknown-fields")
        && !is_true(fields, "x-kubernetes-embedded-resource")
}

/// The subschemas of a junctor: a list, or one.
fn constraints(value: &Value) -> Value {
    match value {
        Value::Array(all) => all.iter().map(|one| translate(one, false)).collect(),
        one => translate(one, false),
    }
}

fn of_each(properties: &Value, closes: bool) -> Value {
    let Some(properties) = properties.as_object() else {
        return properties.clone();
    };
    let each = properties
        .iter()
        .map(|(name, schema)| (name.clone(), translate(schema, closes)));
    Value::Object(each.collect())
}

fn is_true(fields: &Map<String, Value>, keyword: &str) -> bool {
    fields.get(keyword).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::validator;

    fn takes(schema: serde_json::Value, value: &serde_json::Value) -> bool {
        validator(&schema).unwrap().is_valid(value)
    }

    #[test]
    fn unknown_fields_are_refused_unless_preserved() {
        let closed = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}});
        assert!(takes(closed.clone(), &json!({"spec": {"a": "x"}})));
        assert!(!takes(closed, &json!({"spec": {"b": "x"}})));
        let open = json!({"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {}}}});
        assert!(takes(open, &json!({"spec": {"b": "x"}})));
    }

    #[test]
    fn patterns_are_read_as_re2() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "^(?i)(abort|warn)?$"}}});
        assert!(takes(schema.clone(), &json!({"a": "ABORT"})));
        assert!(!takes(schema, &json!({"a": "go on"})));
    }

    #[test]
    fn ports_may_be_numbers_or_names_and_null_where_it_says() {
        let schema = json!({"type": "object", "properties": {
            "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "note": {"type": "string", "nullable": true}}});
        assert!(takes(schema.clone(), &json!({"port": 80})));
        assert!(takes(
            schema.clone(),
            &json!({"port": "http", "note": null})
        ));
        assert!(!takes(schema, &json!({"port": [80]})));
    }
}
