//! Collects objects in apply order and numbers their files.
//!
//! Invariants: no two objects of one kind share a name and a namespace; every name is an RFC 1123 label, but for the
//! longer ones of what is of the whole cluster.

use std::collections::BTreeSet;

use serde::Serialize;

use super::names::Fault;
use super::object::{Object, is_dns_label, is_long_name};
use super::{Manifest, yaml};

/// The objects so far.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    entries: Vec<Entry>,
    faults: Vec<Fault>,
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
        match yaml::to_string(object) {
            Ok(body) => {
                let text = commented(notes, &body);
                self.entries.push(Entry { kind, name, text });
            }
            Err(error) => self.faults.push(Fault::Unwritable {
                kind,
                name,
                error: error.to_string(),
            }),
        }
    }

    fn check_name(&mut self, kind: &'static str, namespace: Option<String>, name: &str) {
        // What is of the whole cluster has its namespace before its name; there Kubernetes takes more.
        let good = is_dns_label(name) || (namespace.is_none() && is_long_name(name));
        if !good {
            let name = name.to_owned();
            self.faults.push(Fault::Name { kind, name });
        }
        if !self.seen.insert((kind, namespace, name.to_owned())) {
            let name = name.to_owned();
            self.faults.push(Fault::Twice { kind, name });
        }
    }

    /// The manifests, or what is wrong with their names.
    pub(crate) fn finish(self) -> Result<Vec<Manifest>, Vec<Fault>> {
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
