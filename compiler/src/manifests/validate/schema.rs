//! A CRD's structural schema as a JSON schema that is strict about unknown fields.

use serde_json::{Map, Value, json};

/// Keywords whose subschemas only constrain: they declare no fields, so they must not forbid any.
const JUNCTORS: [&str; 4] = ["allOf", "anyOf", "oneOf", "not"];

/// The validator of an `openAPIV3Schema`.
pub(super) fn validator(open_api: &Value) -> Result<jsonschema::Validator, String> {
    let mut schema = strict(open_api);
    open_root(&mut schema);
    jsonschema::options()
        // OpenAPI 3.0 writes `exclusiveMinimum: true`, as draft 4 does.
        .with_draft(jsonschema::Draft::Draft4)
        .should_validate_formats(false)
        .build(&schema)
        .map_err(|error| error.to_string())
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

fn strict(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let mut strict: Map<String, Value> = Map::new();
    for (keyword, value) in fields {
        let value = match keyword.as_str() {
            "properties" => of_each(value),
            "items" | "additionalProperties" => self::strict(value),
            junctor if JUNCTORS.contains(&junctor) => value.clone(),
            "type" if is_true(fields, "nullable") => json!([value, "null"]),
            _ => value.clone(),
        };
        strict.insert(keyword.clone(), value);
    }
    if is_true(fields, "x-kubernetes-int-or-string") {
        strict.insert("type".into(), json!(["integer", "string"]));
    }
    let closed = fields.contains_key("properties")
        && !fields.contains_key("additionalProperties")
        && !is_true(fields, "x-kubernetes-preserve-unknown-fields")
        && !is_true(fields, "x-kubernetes-embedded-resource");
    if closed {
        strict.insert("additionalProperties".into(), Value::Bool(false));
    }
    Value::Object(strict)
}

fn of_each(properties: &Value) -> Value {
    let Some(properties) = properties.as_object() else {
        return properties.clone();
    };
    let each = properties
        .iter()
        .map(|(name, schema)| (name.clone(), strict(schema)));
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
