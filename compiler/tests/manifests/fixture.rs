//! The file of the language's §2, and files that differ from it in one place.

use serde_json::Value;
use waypost_compiler::manifests::{Emitted, Manifest, emit};
use waypost_compiler::program::Shape;
use waypost_compiler::{Checked, check};
use waypost_lang::diagnostic::Diagnostic;

/// The file.
pub const TEXT: &str = include_str!("agents.route");
/// What stands for a sealed plan here: manifests carry it and do not read it.
pub const PLAN: &[u8] = b"a plan";

/// What `text` is checked as; the name has a path, which no manifest may show.
pub fn checked(text: &str) -> Checked {
    let checked = check("somewhere/else/agents.route", text, &|_: &str| None);
    assert!(
        checked.program.is_some(),
        "the fixture has errors: {:#?}",
        checked.diagnostics
    );
    checked
}

/// The manifests of `text`.
pub fn emitted(text: &str, shape: Shape) -> Emitted {
    let checked = checked(text);
    emit(&checked.program.unwrap(), &checked.sources, PLAN, shape).unwrap()
}

/// Why there are no manifests of `text`.
pub fn refused(text: &str, shape: Shape) -> Vec<Diagnostic> {
    let checked = checked(text);
    emit(&checked.program.unwrap(), &checked.sources, PLAN, shape).unwrap_err()
}

/// The file with `old` replaced by `new`; `old` must be there.
pub fn with(old: &str, new: &str) -> String {
    assert!(TEXT.contains(old), "no `{old}` in the fixture");
    TEXT.replacen(old, new, 1)
}

/// The objects of an emission, read back.
pub struct Objects(Vec<Value>);

impl Objects {
    /// The manifests of `text`, read back.
    pub fn of(text: &str, shape: Shape) -> Self {
        let emitted = emitted(text, shape);
        let read = |manifest: &Manifest| serde_yaml::from_str(&manifest.yaml).unwrap();
        Self(emitted.manifests.iter().map(read).collect())
    }

    /// The manifests of the file itself.
    pub fn of_shape(shape: Shape) -> Self {
        Self::of(TEXT, shape)
    }

    /// All of them, in apply order.
    pub fn all(&self) -> &[Value] {
        &self.0
    }

    /// Those of one kind.
    pub fn kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    /// The one of this kind and name.
    pub fn get(&self, kind: &str, name: &str) -> &Value {
        self.0
            .iter()
            .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
            .unwrap_or_else(|| panic!("no {kind} `{name}`"))
    }

    /// A file in a ConfigMap, as text.
    pub fn file(&self, config_map: &str, name: &str) -> &str {
        self.get("ConfigMap", config_map)["data"][name]
            .as_str()
            .unwrap()
    }

    /// agentgateway's config.
    pub fn gateway_config(&self) -> Value {
        serde_yaml::from_str(self.file("agentgateway-config", "config.yaml")).unwrap()
    }

    /// A route of agentgateway's config.
    pub fn route(&self, name: &str) -> Value {
        let config = self.gateway_config();
        let routes = config["binds"][0]["listeners"][0]["routes"]
            .as_array()
            .unwrap()
            .clone();
        routes
            .into_iter()
            .find(|route| route["name"] == name)
            .unwrap()
    }

    /// The only container of a Deployment.
    pub fn container(&self, deployment: &str) -> &Value {
        &self.get("Deployment", deployment)["spec"]["template"]["spec"]["containers"][0]
    }

    /// Its arguments.
    pub fn arguments(&self, deployment: &str) -> Vec<&str> {
        let arguments = self.container(deployment)["args"].as_array().unwrap();
        arguments
            .iter()
            .map(|argument| argument.as_str().unwrap())
            .collect()
    }
}
