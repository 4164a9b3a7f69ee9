//! How likely the start tier's answer to a prompt loses where the next tier's would not: from 0 to 1.
//!
//! A linear model over the prompt's structure and groups of words, through the logistic function. Its weights are a
//! data file: [`Model::default_model`] is the one that comes with Waypost, and another can take its place. The file says
//! how it was made.
//!
//! Invariants: one pass over the prompt, no allocation, no clock and no chance in it: the same prompt always has the
//! same score. Of very long prompts the first and the last part count.

mod definition;
mod features;
#[cfg(test)]
mod tests;
mod words;

use std::sync::LazyLock;

pub use definition::ModelError;
pub use features::{Features, STRUCTURE};

use definition::Definition;
use features::Scan;
use words::Words;

/// Bytes at either end of a prompt that are looked at.
const ENDS: usize = 8 * 1024;
/// More groups than this a model cannot have.
pub const MOST_GROUPS: usize = 64;
/// A word that comes often says no more than one that comes this often.
const MOST_HITS: u8 = 3;

static DEFAULT: LazyLock<Model> = LazyLock::new(|| {
    Model::parse(include_str!("difficulty/default.json"))
        .unwrap_or_else(|_| Model::every_call_is_hard())
});

/// A model of difficulty.
#[derive(Debug, Clone)]
pub struct Model {
    name: String,
    about: String,
    bias: f64,
    structure: [f64; STRUCTURE.len()],
    groups: Vec<Group>,
    words: Words,
}

/// Words that say the same about a prompt.
#[derive(Debug, Clone)]
struct Group {
    name: String,
    weight: f64,
}

/// What one feature adds to a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution<'m> {
    /// The feature's name, or the group's.
    pub feature: &'m str,
    /// How much of it the prompt has, from 0 to 1.
    pub value: f64,
    /// What that adds to the log-odds; below zero it makes the prompt look easier.
    pub weight: f64,
}

impl Model {
    /// Reads a model's data file.
    ///
    /// # Errors
    ///
    /// What is wrong with the file.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let definition = Definition::parse(text)?;
        let structure =
            STRUCTURE.map(|name| definition.structure.get(name).copied().unwrap_or(0.0));
        let words = Words::new(
            definition
                .groups
                .iter()
                .enumerate()
                .flat_map(|(index, group)| {
                    // There are at most MOST_GROUPS.
                    let index = u8::try_from(index).unwrap_or(u8::MAX);
                    group.words.iter().map(move |word| (word.as_str(), index))
                }),
        );
        let groups = definition.groups.into_iter().map(|group| Group {
            name: group.name,
            weight: group.weight,
        });
        Ok(Self {
            name: definition.name,
            about: definition.about,
            bias: definition.bias,
            structure,
            groups: groups.collect(),
            words,
        })
    }

    /// The model that comes with Waypost.
    #[must_use]
    pub fn default_model() -> &'static Self {
        &DEFAULT
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it was made, and on what.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The names of its groups, in the order of [`Features::groups`].
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// The predicted probability that the start tier's answer to this prompt loses.
    #[must_use]
    pub fn score(&self, prompt: &str) -> f64 {
        let features = self.features(prompt);
        let sum: f64 = self.weights(&features).map(|part| part.weight).sum();
        1.0 / (1.0 + (-(self.bias + sum)).exp())
    }

    /// What the model sees in a prompt.
    #[must_use]
    pub fn features(&self, prompt: &str) -> Features {
        let bytes = prompt.as_bytes();
        let mut scan = Scan::new(&self.words);
        if bytes.len() <= 2 * ENDS {
            scan.read(bytes);
        } else {
            let (head, rest) = bytes.split_at(ENDS);
            scan.read(head);
            scan.read(rest.split_at(rest.len() - ENDS).1);
        }
        scan.finish()
    }

    /// The `most` features that weigh most in a prompt's score, heaviest first: why it is what it is.
    #[must_use]
    pub fn heaviest(&self, prompt: &str, most: usize) -> Vec<Contribution<'_>> {
        let features = self.features(prompt);
        let mut parts: Vec<_> = self
            .weights(&features)
            .filter(|part| part.weight != 0.0)
            .collect();
        parts.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        parts.truncate(most);
        parts
    }

    fn weights<'m, 'f>(
        &'m self,
        features: &'f Features,
    ) -> impl Iterator<Item = Contribution<'m>> + use<'m, 'f> {
        let part = |feature, value: f64, weight: f64| Contribution {
            feature,
            value,
            weight: value * weight,
        };
        let structure = STRUCTURE
            .iter()
            .zip(&features.structure)
            .zip(&self.structure);
        let structure = structure.map(move |((name, value), weight)| part(*name, *value, *weight));
        let groups = self.groups.iter().zip(&features.groups);
        structure
            .chain(groups.map(move |(group, hits)| part(&group.name, share(*hits), group.weight)))
    }

    /// Instead of a default that cannot be read (a test holds that it can): what is not known to be easy is hard.
    fn every_call_is_hard() -> Self {
        Self {
            name: "none".to_owned(),
            about: "the default model could not be read".to_owned(),
            bias: f64::INFINITY,
            structure: [0.0; STRUCTURE.len()],
            groups: Vec::new(),
            words: Words::new(std::iter::empty()),
        }
    }
}

/// How much of a group a prompt has.
fn share(hits: u8) -> f64 {
    f64::from(hits.min(MOST_HITS)) / f64::from(MOST_HITS)
}
