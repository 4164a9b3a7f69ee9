#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn keys(text: &str) -> Vec<(String, &str)> {
    members(text)
        .into_iter()
        .map(|member| (member.key.into_owned(), member.value))
        .collect()
}

#[test]
fn members_are_found_whatever_their_values() {
    let found = keys(
        r#" { "a" : 1.5e3, "b":"x\"y}", "c": {"d": [1, "]", {}]}, "\u0065" : null , "f":[ ] } "#,
    );
    let expected = [
        ("a", "1.5e3"),
        ("b", r#""x\"y}""#),
        ("c", r#"{"d": [1, "]", {}]}"#),
        ("e", "null"),
        ("f", "[ ]"),
    ];
    assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value)));
    assert!(keys("{}").is_empty());
    assert!(keys(r#"{"a""#).is_empty());
}

#[test]
fn untouched_text_is_not_copied() {
    assert!(matches!(
        rewrite(r#"{"a": 1}"#, |_| Change::Keep, &[]),
        Cow::Borrowed(_)
    ));
}

fn drop_keys(text: &str, dropped: &[&str]) -> String {
    let change = |member: &Member<'_>| {
        if dropped.contains(&&*member.key) {
            Change::Drop
        } else {
            Change::Keep
        }
    };
    rewrite(text, change, &[]).into_owned()
}

#[test]
fn dropped_members_take_their_comma_along() {
    let text = r#"{ "a": 1, "b": 2, "c": 3 }"#;
    assert_eq!(drop_keys(text, &["a"]), r#"{"b": 2, "c": 3 }"#);
    assert_eq!(drop_keys(text, &["b"]), r#"{ "a": 1, "c": 3 }"#);
    assert_eq!(drop_keys(text, &["c"]), r#"{ "a": 1, "b": 2 }"#);
    assert_eq!(drop_keys(text, &["a", "b", "c"]), "{ }");
}

#[test]
fn the_rest_stays_byte_for_byte() {
    let text = "{\n  \"model\" : \"auto\",\t\"n\":1.0E+2,\"ü\":\"\\u00fc\" }";
    let change = |member: &Member<'_>| match &*member.key {
        "model" => Change::Value(quote("gpt-5.1")),
        "n" => Change::Member("m", "7".to_owned()),
        _ => Change::Keep,
    };
    let added = ["\"stream\":true".to_owned()];
    assert_eq!(
        rewrite(text, change, &added),
        "{\n  \"model\" : \"gpt-5.1\",\t\"m\":7,\"ü\":\"\\u00fc\",\"stream\":true }"
    );
}

#[test]
fn strings_are_replaced_but_not_keys() {
    let text = r#"{"model":"x@y.z","x@y.z":{"a":["x@y.z","b\n x@y.z",1]}}"#;
    let replace = |string: &str| {
        string
            .contains("x@y.z")
            .then(|| string.replace("x@y.z", "[email]"))
    };
    assert_eq!(
        rewrite_strings(text, "model", replace),
        r#"{"model":"x@y.z","x@y.z":{"a":["[email]","b\n [email]",1]}}"#
    );
}

#[test]
fn headers_get_ascii() {
    assert_eq!(
        ascii("{\"a\":\"é😀\"}"),
        "{\"a\":\"\\u00e9\\ud83d\\ude00\"}"
    );
}

mod properties {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            "[\"\\\\{}\\[\\],:]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map("\\PC{0,6}", inner, 0..5)
                    .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn dropping_does_what_removing_from_the_tree_does(
            object in prop::collection::btree_map("[a-c\"\\\\]{1,2}", json(), 0..6),
            pretty in any::<bool>(),
        ) {
            let tree = Value::from(object.into_iter().collect::<Map<_, _>>());
            let text = if pretty { serde_json::to_string_pretty(&tree).unwrap() } else { tree.to_string() };
            let change = |member: &Member<'_>| if member.key.starts_with('a') { Change::Drop } else { Change::Keep };
            let mut expected = tree.clone();
            expected.as_object_mut().unwrap().retain(|key, _| !key.starts_with('a'));
            let changed: Value = serde_json::from_str(&rewrite(&text, change, &[])).unwrap();
            prop_assert_eq!(changed, expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\"\\\\{}\\[\\],:a-b \u{fc}]{0,40}") {
            let _ = rewrite(&text, |_| Change::Drop, &["\"x\":1".to_owned()]);
            let _ = rewrite_strings(&text, "a", |string| Some(string.to_owned()));
        }
    }
}
