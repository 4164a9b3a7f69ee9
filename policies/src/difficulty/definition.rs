//! A model's data file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::features::STRUCTURE;
use super::{MOST_GROUPS, words};

/// Why a model's data file is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It does not have the shape of one.
    #[error("the difficulty model cannot be read: {0}")]
    Shape(String),
    /// It is of another version.
    #[error("the difficulty model has version {0}, and this build reads version 1")]
    Version(u32),
    /// It weighs a feature that this build does not know.
    #[error("the difficulty model weighs `{0}`, which this build does not know")]
    Feature(String),
    /// It has more groups of words than a model can.
    #[error("the difficulty model has {0} groups of words, and {MOST_GROUPS} are the most")]
    Groups(usize),
    /// One of its words cannot be found in a prompt, or stands twice.
    #[error("the difficulty model's word `{0}` is not one word in lower case, or stands twice")]
    Word(String),
    /// One of its weights is not a number.
    #[error("the difficulty model's weight of `{0}` is not finite")]
    Weight(String),
}

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct Definition {
    version: u32,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) bias: f64,
    pub(super) structure: BTreeMap<String, f64>,
    pub(super) groups: Vec<Group>,
}

/// A group of words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) weight: f64,
    pub(super) words: Vec<String>,
}

impl Definition {
    pub(super) fn parse(text: &str) -> Result<Self, ModelError> {
        let definition: Self =
            serde_json::from_str(text).map_err(|error| ModelError::Shape(error.to_string()))?;
        definition.check()?;
        Ok(definition)
    }

    fn check(&self) -> Result<(), ModelError> {
        if self.version != 1 {
            return Err(ModelError::Version(self.version));
        }
        if self.groups.len() > MOST_GROUPS {
            return Err(ModelError::Groups(self.groups.len()));
        }
        if let Some(name) = self
            .structure
            .keys()
            .find(|name| !STRUCTURE.contains(&name.as_str()))
        {
            return Err(ModelError::Feature(name.clone()));
        }
        let structure = self
            .structure
            .iter()
            .map(|(name, weight)| (name.as_str(), *weight));
        let groups = self
            .groups
            .iter()
            .map(|group| (group.name.as_str(), group.weight));
        let mut weights = structure.chain(groups).chain([("bias", self.bias)]);
        if let Some((name, _)) = weights.find(|(_, weight)| !weight.is_finite()) {
            return Err(ModelError::Weight(name.to_owned()));
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut all = self.groups.iter().flat_map(|group| &group.words);
        match all.find(|word| !words::is_word(word) || !seen.insert(word.as_str())) {
            Some(word) => Err(ModelError::Word(word.clone())),
            None => Ok(()),
        }
    }
}
