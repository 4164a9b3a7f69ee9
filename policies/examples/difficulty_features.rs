//! Prints what the default difficulty model sees: reads one JSON string (a prompt) a line, writes one JSON object a
//! line, with the score and every feature. `difficulty/fit.py` fits the weights on it, so that what is fitted is what
//! runs.

use std::io::{self, BufRead, Write};

use waypost_policies::difficulty::{Model, STRUCTURE};

fn main() -> io::Result<()> {
    let definition = std::env::args()
        .nth(1)
        .map(std::fs::read_to_string)
        .transpose()?;
    let model = match &definition {
        Some(text) => Model::parse(text).map_err(io::Error::other)?,
        None => Model::default_model().clone(),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let prompt: String = serde_json::from_str(&line?)?;
        let features = model.features(&prompt);
        let structure = STRUCTURE.into_iter().zip(features.structure);
        let groups = model
            .groups()
            .zip(features.groups.map(|hits| f64::from(hits) / 3.0));
        let all: serde_json::Map<String, serde_json::Value> = structure
            .chain(groups)
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let line = serde_json::json!({ "score": model.score(&prompt), "features": all });
        writeln!(out, "{line}")?;
    }
    Ok(())
}
