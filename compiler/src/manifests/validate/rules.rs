//! `x-kubernetes-validations`: the CEL rules of a CRD, with `self` at every depth of the object.

use std::collections::HashMap;

use cel_interpreter::objects::Value as Cel;
use cel_interpreter::{Context, ExecutionError, Program};
use serde_json::Value;

use super::{Violation, ViolationKind, violation};

/// Evaluates every rule that stands over a part of `value`.
pub(super) fn check(schema: &Value, value: &Value, path: &str, found: &mut Vec<Violation>) {
    let rules = schema
        .get("x-kubernetes-validations")
        .and_then(Value::as_array);
    for rule in rules.into_iter().flatten() {
        found.extend(check_rule(rule, value, path));
    }
    match value {
        Value::Object(fields) => {
            let of_others = schema.get("additionalProperties");
            for (name, field) in fields {
                let of_field = schema.get("properties").and_then(|all| all.get(name));
                if let Some(schema) = of_field.or(of_others) {
                    check(schema, field, &format!("{path}.{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (at, item) in items.iter().enumerate() {
                    check(schema, item, &format!("{path}[{at}]"), found);
                }
            }
        }
        _ => {}
    }
}

fn check_rule(rule: &Value, value: &Value, path: &str) -> Option<Violation> {
    let text = rule.get("rule").and_then(Value::as_str).unwrap_or("");
    // A rule about `oldSelf` compares with what is there already; nothing is, when a manifest is created.
    if text.contains("oldSelf") {
        return None;
    }
    let message = rule.get("message").and_then(Value::as_str).unwrap_or(text);
    match evaluate(text, value) {
        Outcome::Holds => None,
        Outcome::Fails => Some(violation(path, message.to_owned(), ViolationKind::Rule)),
        Outcome::Unknown(why) => {
            let message = format!("the rule `{text}` was not checked: {why}");
            Some(violation(path, message, ViolationKind::NotChecked))
        }
    }
}

enum Outcome {
    Holds,
    Fails,
    Unknown(String),
}

fn evaluate(text: &str, value: &Value) -> Outcome {
    let program = match Program::compile(text) {
        Ok(program) => program,
        Err(error) => return Outcome::Unknown(error.to_string()),
    };
    let mut context = Context::default();
    context.add_variable_from_value("self", cel(value));
    match program.execute(&context) {
        Ok(Cel::Bool(true)) => Outcome::Holds,
        // The API server refuses an object over which a rule cannot be evaluated.
        Ok(Cel::Bool(false)) | Err(ExecutionError::NoSuchKey(_)) => Outcome::Fails,
        Ok(other) => Outcome::Unknown(format!("it gives no bool but {}", other.type_of())),
        Err(error) => Outcome::Unknown(error.to_string()),
    }
}

/// JSON as CEL sees it in a CRD: whole numbers are ints, never uints.
fn cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Cel::Float(number.as_f64().unwrap_or(f64::NAN)), Cel::Int),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(cel).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, field)| (name.clone(), cel(field)));
            fields.collect::<HashMap<String, Cel>>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Violation, ViolationKind, check};

    fn violations(rule: &str, value: serde_json::Value) -> Vec<Violation> {
        let schema = json!({"x-kubernetes-validations": [{"rule": rule, "message": "no"}]});
        let mut found = Vec::new();
        check(&schema, &value, "", &mut found);
        found
    }

    #[test]
    fn a_rule_holds_fails_or_is_said_to_be_unchecked() {
        assert!(violations("self.a <= 2", json!({"a": 2})).is_empty());
        let failed = violations("self.a <= 2", json!({"a": 3}));
        assert_eq!(
            failed.first().map(|one| one.kind),
            Some(ViolationKind::Rule)
        );
        let unknown = violations("isURL(self.a)", json!({"a": "x"}));
        assert_eq!(
            unknown.first().map(|one| one.kind),
            Some(ViolationKind::NotChecked)
        );
        let broken = violations("self.a <=", json!({"a": "x"}));
        assert_eq!(
            broken.first().map(|one| one.kind),
            Some(ViolationKind::NotChecked)
        );
    }
}
