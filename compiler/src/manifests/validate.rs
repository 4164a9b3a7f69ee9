//! Checks manifests against real CustomResourceDefinitions: their schemas, strictly, and their CEL rules.
//!
//! Pure: the texts come in. A rule that cannot be evaluated here is reported as not checked, never passed in
//! silence. Built-in kinds have no CRDs and are reported as without one.

mod defaults;
mod rules;
mod schema;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// CustomResourceDefinitions by group, version and kind.
#[derive(Debug, Default)]
pub struct CrdSet {
    schemas: BTreeMap<(String, String, String), Value>,
}

/// Why a file of CRDs was not read.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// It is no YAML.
    #[error("`{file}` is not YAML: {source}")]
    Yaml {
        /// The file.
        file: String,
        /// What the reader says.
        source: serde_yaml::Error,
    },
}

/// Something in a manifest that the API server would refuse, or that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `.spec.endpointPickerRef`; "" for the whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// How it was found.
    pub kind: ViolationKind,
}

/// How a violation was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViolationKind {
    /// The text is not one YAML document with a type.
    Malformed,
    /// The schema refuses it.
    Schema,
    /// A CEL rule refuses it.
    Rule,
    /// A CEL rule, or a whole schema, that could not be evaluated here: neither passed nor failed.
    NotChecked,
    /// No CRD is known for its group, version and kind.
    NoDefinition,
}

impl ViolationKind {
    /// Whether the API server would refuse the manifest for it.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::Malformed | Self::Schema | Self::Rule)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "`{}`: {}", self.path, self.message)
        }
    }
}

#[derive(Deserialize)]
struct Definition {
    kind: String,
    spec: Option<DefinitionSpec>,
}

#[derive(Deserialize)]
struct DefinitionSpec {
    group: String,
    names: Names,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Names {
    kind: String,
}

#[derive(Deserialize)]
struct Version {
    name: String,
    schema: Option<VersionSchema>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionSchema {
    #[serde(rename = "openAPIV3Schema")]
    open_api_v3_schema: Value,
}

impl CrdSet {
    /// Adds every CustomResourceDefinition of a file; `file` is for messages.
    ///
    /// # Errors
    /// The text is no YAML.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), CrdError> {
        let yaml = |source| CrdError::Yaml {
            file: file.to_owned(),
            source,
        };
        for document in serde_yaml::Deserializer::from_str(text) {
            let document = Value::deserialize(document).map_err(yaml)?;
            let Ok(definition) = serde_json::from_value::<Definition>(document) else {
                continue;
            };
            if definition.kind == "CustomResourceDefinition"
                && let Some(spec) = definition.spec
            {
                self.add_definition(spec);
            }
        }
        Ok(())
    }

    fn add_definition(&mut self, spec: DefinitionSpec) {
        for version in spec.versions {
            if let Some(schema) = version.schema {
                let key = (spec.group.clone(), version.name, spec.names.kind.clone());
                self.schemas.insert(key, schema.open_api_v3_schema);
            }
        }
    }

    /// How many versions of kinds are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.schemas.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.schemas.is_empty()
    }

    /// Azure's monitors have no published CRD; their schema is the operator's.
    fn find(&self, group: &str, version: &str, kind: &str) -> Option<&Value> {
        let of = |group: &str| {
            self.schemas
                .get(&(group.to_owned(), version.to_owned(), kind.to_owned()))
        };
        of(group).or_else(|| {
            (group == "azmonitoring.coreos.com").then(|| of("monitoring.coreos.com"))?
        })
    }
}

/// Checks one manifest; empty when its CRD takes it and every rule of it was evaluated.
#[must_use]
pub fn validate(crds: &CrdSet, manifest: &str) -> Vec<Violation> {
    let mut value: Value = match serde_yaml::from_str(manifest) {
        Ok(value) => value,
        Err(error) => return vec![violation("", error.to_string(), ViolationKind::Malformed)],
    };
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    let (Some(api_version), Some(kind)) = (field("apiVersion"), field("kind")) else {
        let message = "`apiVersion` and `kind` are missing".to_owned();
        return vec![violation("", message, ViolationKind::Malformed)];
    };
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let Some(schema) = crds.find(group, version, kind) else {
        let message = format!("no CRD is known for {api_version} {kind}");
        return vec![violation("", message, ViolationKind::NoDefinition)];
    };
    let validator = match schema::validator(schema) {
        Ok(validator) => validator,
        Err(why) => {
            let message = format!("the schema of {api_version} {kind} cannot be used: {why}");
            return vec![violation("", message, ViolationKind::NotChecked)];
        }
    };
    let mut found: Vec<Violation> = validator
        .iter_errors(&value)
        .map(|error| {
            let path = error.instance_path().as_str().replace('/', ".");
            violation(&path, error.to_string(), ViolationKind::Schema)
        })
        .collect();
    // As the API server does: rules see defaults, and only what the schema takes.
    if found.is_empty() {
        defaults::apply(schema, &mut value);
        rules::check(schema, &value, "", &mut found);
    }
    found
}

fn violation(path: &str, message: String, kind: ViolationKind) -> Violation {
    Violation {
        path: path.to_owned(),
        message,
        kind,
    }
}
