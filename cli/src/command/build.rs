//! `waypost build`: the sealed plan, and the manifests in apply order.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use waypost_compiler::manifests::{self, CrdSet, Manifest};
use waypost_compiler::program;

use super::plural;
use crate::compile::{Compiled, Warnings, compile, report};
use crate::failure::{Exit, Failure};
use crate::input::FileArgument;
use crate::terminal::Terminal;

/// The plan's file.
const PLAN: &str = "plan.waypost";
/// The folder of manifests.
const MANIFESTS: &str = "manifests";

/// Write the plan and the Kubernetes manifests.
#[derive(Debug, Args)]
pub(crate) struct Build {
    #[command(flatten)]
    file: FileArgument,
    /// Where to write
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Which manifests, instead of what the file says
    #[arg(long, value_enum)]
    shape: Option<Shape>,
    /// Check the manifests against the CustomResourceDefinitions in this folder
    #[arg(long, value_name = "DIR")]
    crds: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// The Waypost runtime makes all three decisions
    Waypost,
    /// RouteLLM, agentgateway and the Endpoint Picker
    Layered,
}

impl Build {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let input = self.file.read(terminal)?;
        let Some(compiled) = compile(&input, Warnings::Full, terminal)? else {
            return Ok(Exit::Findings);
        };
        let Some(manifests) = self.manifests(&compiled, terminal)? else {
            return Ok(Exit::Findings);
        };
        if let Some(folder) = &self.crds
            && !accepted(&read_crds(folder)?, &manifests, terminal)?
        {
            return Ok(Exit::Findings);
        }
        self.write(&compiled, &manifests, terminal)?;
        terminal.note(&format!(
            "the plan and {}",
            plural(manifests.len(), "manifest")
        ))?;
        Ok(Exit::Fine)
    }

    /// Empty for a file that says nothing of a deployment and is asked for none.
    fn manifests(
        &self,
        compiled: &Compiled,
        terminal: &mut Terminal<'_>,
    ) -> Result<Option<Vec<Manifest>>, Failure> {
        let shape = match (self.shape, &compiled.program.deploy) {
            (Some(Shape::Waypost), _) => program::Shape::Waypost,
            (Some(Shape::Layered), _) => program::Shape::Layered,
            (None, Some(deploy)) => deploy.shape,
            (None, None) => {
                terminal.note("the file has no `deploy`, so there are no manifests")?;
                return Ok(Some(Vec::new()));
            }
        };
        let Compiled {
            sources,
            program,
            sealed,
            ..
        } = compiled;
        match manifests::emit(program, sources, sealed, shape) {
            Ok(emitted) => {
                report(sources, &emitted.diagnostics, terminal)?;
                Ok(Some(emitted.manifests))
            }
            Err(diagnostics) => {
                report(sources, &diagnostics, terminal)?;
                Ok(None)
            }
        }
    }

    fn write(
        &self,
        compiled: &Compiled,
        manifests: &[Manifest],
        terminal: &mut Terminal<'_>,
    ) -> Result<(), Failure> {
        let folder = self.output.join(MANIFESTS);
        fs::create_dir_all(&folder).map_err(|error| Failure::file("make", &folder, error))?;
        write_file(&self.output.join(PLAN), &compiled.sealed, terminal)?;
        for manifest in manifests {
            let path = folder.join(&manifest.file_name);
            write_file(&path, manifest.yaml.as_bytes(), terminal)?;
        }
        remove_stale(&folder, manifests, terminal)
    }
}

fn write_file(path: &Path, bytes: &[u8], terminal: &mut Terminal<'_>) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| Failure::file("write", path, error))?;
    terminal.print(&format!("{}\n", path.display()))
}

/// Removes manifests of an earlier build that this one does not have: they would be applied with the others.
fn remove_stale(
    folder: &Path,
    manifests: &[Manifest],
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let failed = |error| Failure::file("search", folder, error);
    let mut stale = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let written = manifests.iter().any(|manifest| manifest.file_name == name);
        let is_file = entry.file_type().map_err(failed)?.is_file();
        if !written && is_file && is_our_name(&name) && is_ours(&entry.path())? {
            stale.push(entry.path());
        }
    }
    stale.sort();
    for path in stale {
        fs::remove_file(&path).map_err(|error| Failure::file("remove", &path, error))?;
        terminal.note(&format!(
            "removed {}: an earlier build wrote it",
            path.display()
        ))?;
    }
    Ok(())
}

/// Whether the file holds an object of ours: others number their manifests too.
fn is_ours(path: &Path) -> Result<bool, Failure> {
    let octets = fs::read(path).map_err(|error| Failure::file("read", path, error))?;
    Ok(String::from_utf8_lossy(&octets)
        .lines()
        .any(|line| line.trim() == manifests::MANAGED))
}

/// `03-deployment-waypost.yaml`
fn is_our_name(name: &str) -> bool {
    let Some((number, rest)) = name.split_once('-') else {
        return false;
    };
    let kind = rest.strip_suffix(".yaml").unwrap_or("");
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    number.len() >= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !kind.is_empty()
        && kind.bytes().all(is_plain)
}

fn read_crds(folder: &Path) -> Result<CrdSet, Failure> {
    let failed = |error| Failure::file("search", folder, error);
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    let mut crds = CrdSet::default();
    let is_yaml = |path: &&PathBuf| {
        let extension = path.extension();
        extension.is_some_and(|extension| extension == "yaml" || extension == "yml")
    };
    for path in paths.iter().filter(is_yaml) {
        let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
        crds.add(&path.to_string_lossy(), &text)
            .map_err(|error| Failure::Other(error.to_string()))?;
    }
    if crds.is_empty() {
        let folder = folder.display();
        return Err(Failure::Other(format!(
            "no CustomResourceDefinition is in `{folder}`"
        )));
    }
    Ok(crds)
}

/// Whether the API server would take them all; what it would refuse, and what cannot be known, is said.
fn accepted(
    crds: &CrdSet,
    manifests: &[Manifest],
    terminal: &mut Terminal<'_>,
) -> Result<bool, Failure> {
    let (mut refused, mut unchecked) = (0, 0);
    for manifest in manifests {
        for violation in manifests::validate(crds, &manifest.yaml) {
            let name = &manifest.file_name;
            if violation.kind.is_refusal() {
                refused += 1;
                terminal.complain(&format!("{name}: {violation}"))?;
            } else if violation.kind == manifests::validate::ViolationKind::NoDefinition {
                unchecked += 1;
            } else {
                terminal.note(&format!("not checked: {name}: {violation}"))?;
            }
        }
    }
    let checked = manifests.len() - unchecked.min(manifests.len());
    let note = format!(
        "{} checked against its definition",
        plural(checked, "manifest")
    );
    terminal.note(&match unchecked {
        0 => note,
        _ => format!("{note}, {unchecked} of kinds that the folder does not define"),
    })?;
    Ok(refused == 0)
}

#[cfg(test)]
mod tests {
    use super::is_our_name;

    #[test]
    fn only_names_of_our_own_are_ours() {
        for ours in ["00-namespace-llm.yaml", "12-config-map-plan.yaml"] {
            assert!(is_our_name(ours), "{ours}");
        }
        for other in [
            "kustomization.yaml",
            "1-a.yaml",
            "00-Notes.yaml",
            "00-a.yml",
            "00-.yaml",
            "README",
        ] {
            assert!(!is_our_name(other), "{other}");
        }
    }
}
