//! Embeddings as a simulated server makes them: the same numbers for the same text, one vector for each input.
//!
//! Invariant: every vector has length one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// As many numbers as a vector has, where the call does not say.
const USUAL_SIZE: usize = 8;
/// More numbers than any model's vectors have.
const LARGEST_SIZE: usize = 4096;

/// What is embedded: a text, tokens, or a list of either.
pub(super) fn inputs(body: &Value) -> Vec<String> {
    match body.get("input") {
        Some(Value::Array(all)) if !all.iter().any(Value::is_number) => {
            all.iter().map(words).collect()
        }
        Some(one) => vec![words(one)],
        None => Vec::new(),
    }
}

/// Tokens are told by their numbers.
fn words(input: &Value) -> String {
    match input {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The answer to a call of `model`.
pub(super) fn document(body: &Value, model: &str, tokens: u64) -> Value {
    let size = body.get("dimensions").and_then(Value::as_u64);
    let size = size.and_then(|size| usize::try_from(size).ok());
    let size = size.unwrap_or(USUAL_SIZE).clamp(1, LARGEST_SIZE);
    let encoded = body
        .get("encoding_format")
        .is_some_and(|format| format == "base64");
    let data: Vec<Value> = (0_u32..)
        .zip(inputs(body))
        .map(|(index, text)| {
            let numbers = vector(&text, size);
            let embedding = match encoded {
                true => json!(base64(&numbers)),
                false => json!(numbers),
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    json!({
        "object": "list", "model": model, "data": data,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

fn vector(text: &str, size: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f32; size];
    for (at, byte) in text.bytes().enumerate() {
        if let Some(sum) = sums.get_mut((at + usize::from(byte)) % size) {
            *sum += f32::from(byte) - 96.5;
        }
    }
    let length = sums.iter().map(|sum| sum * sum).sum::<f32>().sqrt();
    match length > 0.0 {
        true => sums.iter().map(|sum| sum / length).collect(),
        // An empty text, or one whose bytes cancel each other out.
        false => (0..size).map(|at| f32::from(u8::from(at == 0))).collect(),
    }
}

/// Little-endian 32-bit floats, as OpenAI's API sends them.
fn base64(numbers: &[f32]) -> String {
    let bytes: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use serde_json::{Value, json};

    use super::document;

    fn embeddings(body: &Value) -> Vec<Value> {
        let answer = document(body, "e5", 3);
        let data = answer["data"].as_array().unwrap();
        data.iter().map(|one| one["embedding"].clone()).collect()
    }

    #[test]
    fn each_input_has_its_vector() {
        let two = embeddings(&json!({"input": ["ab", "cd"]}));
        let one = embeddings(&json!({"input": "cd"}));
        assert_eq!((two.len(), &two[1]), (2, &one[0]));
        assert_ne!(two[0], two[1]);
        assert_eq!(embeddings(&json!({"input": [1, 2, 3]})).len(), 1);
        assert_eq!(embeddings(&json!({"input": [[1, 2], [3]]})).len(), 2);
    }

    #[test]
    fn vectors_have_length_one_and_the_size_asked_for() {
        for text in ["", "a", "a longer text"] {
            let body = json!({"input": text, "dimensions": 5});
            let numbers: Vec<f64> = serde_json::from_value(embeddings(&body)[0].clone()).unwrap();
            let length: f64 = numbers.iter().map(|number| number * number).sum();
            assert_eq!(numbers.len(), 5);
            assert!((length - 1.0).abs() < 1e-5, "{text}: {length}");
        }
    }

    #[test]
    fn base64_holds_four_bytes_a_number() {
        let encoded = embeddings(&json!({"input": "a", "encoding_format": "base64"}));
        assert_eq!(
            encoded[0].as_str().unwrap().len(),
            (8 * 4_usize).div_ceil(3) * 4
        );
    }
}
