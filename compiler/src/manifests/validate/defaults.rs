//! Fills in a schema's defaults, as the API server does before it evaluates rules.

use serde_json::Value;

/// Sets every field of `value` that is absent and has a default, at every depth.
pub(super) fn apply(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, of_field) in properties.into_iter().flatten() {
                if !fields.contains_key(name)
                    && let Some(default) = of_field.get("default")
                {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(field) = fields.get_mut(name) {
                    apply(of_field, field);
                }
            }
            if let Some(of_values) = schema
                .get("additionalProperties")
                .filter(|of| of.is_object())
            {
                fields
                    .values_mut()
                    .for_each(|field| apply(of_values, field));
            }
        }
        Value::Array(items) => {
            if let Some(of_items) = schema.get("items") {
                items.iter_mut().for_each(|item| apply(of_items, item));
            }
        }
        _ => {}
    }
}
