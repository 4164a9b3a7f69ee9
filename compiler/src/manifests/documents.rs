//! Collects objects in apply order and numbers their files.
//!
//! Invariants: no two objects of one kind share a name and a namespace; every name is an RFC 1123 label.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Manifest;
use super::object::{Object, is_dns_label};

/// The objects so far.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    entries: Vec<Entry>,
    faults: Vec<String>,
    seen: BTreeSet<(&'static str, Option<String>, String)>,
}

#[derive(Debug)]
struct Entry {
    kind: &'static str,
    name: String,
    text: String,
}

impl Documents {
    /// Adds an object after those that are there; `notes` become comments above it, one a line.
    pub(crate) fn add<Body: Serialize>(&mut self, object: &Object<Body>, notes: &[String]) {
        let name = object.metadata.name.clone();
        let kind = object.kind;
        self.check_name(kind, object.metadata.namespace.clone(), &name);
        match serde_yaml::to_string(object) {
            Ok(body) => {
                let text = commented(notes, &body);
                self.entries.push(Entry { kind, name, text });
            }
            Err(error) => self.faults.push(format!(
                "{kind} `{name}` cannot be written as YAML: {error}"
            )),
        }
    }

    fn check_name(&mut self, kind: &'static str, namespace: Option<String>, name: &str) {
        if !is_dns_label(name) {
            self.faults.push(format!(
                "`{name}` is no name for a {kind}: at most 63 lower-case letters, digits and `-`"
            ));
        }
        if !self.seen.insert((kind, namespace, name.to_owned())) {
            self.faults.push(format!(
                "two names in the file both become the {kind} `{name}`"
            ));
        }
    }

    /// The manifests, or what is wrong with their names.
    pub(crate) fn finish(self) -> Result<Vec<Manifest>, Vec<String>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let width = self.entries.len().to_string().len().max(2);
        Ok(self
            .entries
            .into_iter()
            .enumerate()
            .map(|(at, entry)| Manifest {
                file_name: format!(
                    "{at:0width$}-{}-{}.yaml",
                    entry.kind.to_ascii_lowercase(),
                    entry.name
                ),
                yaml: entry.text,
            })
            .collect())
    }
}

/// `text` under its comments.
pub(crate) fn commented(notes: &[String], text: &str) -> String {
    let comments: String = notes.iter().map(|note| format!("# {note}\n")).collect();
    comments + text
}
