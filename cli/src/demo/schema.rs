//! Arguments for a tool call: a small JSON value that satisfies a schema's required fields.

use serde_json::{Map, Value, json};

/// Schemas nested deeper than this are answered with null; it bounds a schema that refers to itself.
const DEEPEST: usize = 16;

/// A value for `schema`; `text` fills strings that may be anything.
pub(super) fn satisfy(schema: &Value, text: &str) -> Value {
    Filler { root: schema, text }.value(schema, 0)
}

struct Filler<'a> {
    root: &'a Value,
    text: &'a str,
}

impl Filler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let pointer = target.trim_start_matches('#');
            let found = self.root.pointer(pointer).unwrap_or(&Value::Null);
            return self.value(found, depth + 1);
        }
        let given = ["const", "default"]
            .iter()
            .find_map(|key| schema.get(key))
            .or_else(|| schema.get("enum")?.get(0))
            .or_else(|| schema.get("examples")?.get(0));
        if let Some(value) = given {
            return value.clone();
        }
        let choice = ["anyOf", "oneOf", "allOf"]
            .iter()
            .find_map(|key| schema.get(key)?.get(0));
        if let Some(first) = choice {
            return self.value(first, depth + 1);
        }
        self.of_type(schema, depth)
    }

    fn of_type(&self, schema: &Value, depth: usize) -> Value {
        let written = schema.get("type");
        let name = written
            .and_then(Value::as_str)
            .or_else(|| written?.get(0)?.as_str());
        match name {
            Some("string") => self.string(schema),
            Some("integer") => json!(whole(schema)),
            Some("number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => Value::Bool(true),
            Some("null") => Value::Null,
            Some("array") => self.array(schema, depth),
            Some("object") => self.object(schema, depth),
            _ if schema.get("properties").is_some() => self.object(schema, depth),
            _ => Value::String(self.text.to_owned()),
        }
    }

    fn string(&self, schema: &Value) -> Value {
        let fixed = match schema.get("format").and_then(Value::as_str) {
            Some("date") => Some("2026-01-31"),
            Some("date-time") => Some("2026-01-31T12:00:00Z"),
            Some("email") => Some("someone@example.com"),
            Some("uri") => Some("https://example.com"),
            _ => None,
        };
        let longest = schema.get("maxLength").and_then(Value::as_u64);
        let longest = longest.map_or(usize::MAX, |length| usize::try_from(length).unwrap_or(0));
        let shortest = schema.get("minLength").and_then(Value::as_u64);
        let shortest = shortest.map_or(0, |length| usize::try_from(length).unwrap_or(0).min(4096));
        let mut text: String = fixed.unwrap_or(self.text).chars().take(longest).collect();
        while text.chars().count() < shortest {
            text.push('x');
        }
        Value::String(text)
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        let fewest = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let item = schema.get("items").unwrap_or(&Value::Null);
        (0..fewest.min(64))
            .map(|_| self.value(item, depth + 1))
            .collect()
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required = schema.get("required").and_then(Value::as_array);
        let mut fields = Map::new();
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            let field = schema
                .get("properties")
                .and_then(|properties| properties.get(name))
                .unwrap_or(&Value::Null);
            fields.insert(name.to_owned(), self.value(field, depth + 1));
        }
        Value::Object(fields)
    }
}

fn whole(schema: &Value) -> i64 {
    let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
    let above = bound("exclusiveMinimum").map(|bound| bound.saturating_add(1));
    let least = bound("minimum").or(above).unwrap_or(1);
    bound("maximum").map_or(least, |most| least.min(most))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::satisfy;

    fn check(schema: &Value, expected: &Value) {
        assert_eq!(&satisfy(schema, "text"), expected, "{schema}");
    }

    #[test]
    fn required_fields_of_every_type() {
        check(
            &json!({"type":"object","required":["a","b","c","d","e","f"],"properties":{
                "a":{"type":"string"},"b":{"type":"integer","minimum":3},"c":{"type":"boolean"},
                "d":{"type":"array","minItems":2,"items":{"enum":["x","y"]}},
                "e":{"type":"object","required":["z"],"properties":{"z":{"type":["number","null"]}}},
                "f":{"anyOf":[{"type":"null"},{"type":"string"}]},"optional":{"type":"string"}}}),
            &json!({"a":"text","b":3,"c":true,"d":["x","x"],"e":{"z":1},"f":null}),
        );
    }

    #[test]
    fn references_and_lengths() {
        check(
            &json!({"$defs":{"code":{"type":"string","maxLength":2}},"type":"object","required":["code"],
                "properties":{"code":{"$ref":"#/$defs/code"}}}),
            &json!({"code":"te"}),
        );
        check(&json!({"type":"string","minLength":6}), &json!("textxx"));
        check(&json!({"type":"integer","maximum":0}), &json!(0));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema =
            json!({"type":"object","required":["next"],"properties":{"next":{"$ref":"#"}}});
        assert!(satisfy(&schema, "text").is_object());
    }

    #[test]
    fn no_schema_at_all() {
        check(&json!({}), &json!("text"));
    }
}
