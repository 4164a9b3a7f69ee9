//! Kubernetes manifests of a checked file, for the shape asked.
//!
//! Pure: the same program, sources and plan give the same bytes; no clock, no path, no environment. One file a
//! kind, one module a shape. A manifest never holds a secret, only a reference to one. What a shape cannot
//! carry is a warning at the rule's own place; nothing is left out in silence.

mod agentgateway;
mod autoscaler;
mod config_map;
mod container;
mod deployment;
mod disruption_budget;
mod documents;
mod inference_pool;
mod labels;
mod names;
mod namespace;
mod network_policy;
mod object;
mod picker_config;
mod pod_monitor;
mod pod_security;
mod rbac;
mod secrets;
mod service;
mod shape;
pub mod validate;
mod versions;
mod volume;
mod workspace;
mod yaml;

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::{SourceMap, Span};

use crate::program::{Deploy, Program, Shape};
use crate::shape_needs;
use documents::Documents;

pub use validate::{CrdSet, Violation, validate};

/// The line that every manifest has, and by which an earlier build's are told from those of others.
pub const MANAGED: &str = "app.kubernetes.io/managed-by: waypost";

/// One manifest: a file name that sorts in apply order, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `03-deployment-waypost.yaml`
    pub file_name: String,
    /// One YAML document.
    pub yaml: String,
}

/// The manifests of a file, and what they could not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// In apply order.
    pub manifests: Vec<Manifest>,
    /// Warnings, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
}

/// What every shape starts from.
pub(crate) struct Target<'a> {
    pub(crate) program: &'a Program,
    pub(crate) sources: &'a SourceMap,
    pub(crate) deploy: &'a Deploy,
}

impl Target<'_> {
    /// `agents.route:36`: where something was written, by the file's own name, since a path would make two
    /// builds of one source differ.
    pub(crate) fn origin(&self, span: Span) -> String {
        let (file, line, _) = self.sources.position(span);
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        format!("{name}:{line}")
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.deploy.namespace
    }
}

/// Why something cannot be written; boxed, since what can be is the common case and small.
pub(crate) type Refusal = Box<Diagnostic>;

/// The manifests of `program` for `shape`, whatever shape the file itself asks for; `plan` is the sealed plan.
///
/// # Errors
/// What keeps the shape from being written at all, each at the place in the source that causes it.
pub fn emit(
    program: &Program,
    sources: &SourceMap,
    plan: &[u8],
    shape: Shape,
) -> Result<Emitted, Vec<Diagnostic>> {
    let Some(deploy) = &program.deploy else {
        return Err(vec![nothing_says_where(program)]);
    };
    let target = Target {
        program,
        sources,
        deploy,
    };
    check_namespace(deploy)?;
    let needs = shape_needs(program, shape);
    if !needs.is_empty() {
        return Err(needs);
    }
    let mut documents = Documents::default();
    let mut diagnostics = match shape {
        Shape::Layered => shape::layered::write(&target, &mut documents)?,
        Shape::Waypost => shape::waypost::write(&target, plan, &mut documents)?,
        Shape::GatewayApi => return Err(vec![gateway_api_is_absent(deploy)]),
    };
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span);
    match documents.finish() {
        Ok(manifests) => Ok(Emitted {
            manifests,
            diagnostics,
        }),
        Err(faults) => Err(names::diagnostics(&target, &faults)),
    }
}

fn nothing_says_where(program: &Program) -> Diagnostic {
    let span = program
        .tiers
        .first()
        .map_or_else(Span::default, |tier| tier.name.span);
    codes::SHAPE_NEEDS
        .error(span, "no file says where this is deployed")
        .help("add `deploy kubernetes { namespace \"llm\" }`")
}

fn gateway_api_is_absent(deploy: &Deploy) -> Diagnostic {
    codes::NOT_IN_THIS_BUILD
        .error(
            deploy.span,
            "this version writes no manifests for `shape gateway-api`",
        )
        .label("the shape is asked for here, or by `--shape`")
        .help("use `shape waypost` or `shape layered`")
}

/// Azure's managed Prometheus scrapes nothing in kube-system, and quotas and policies of a cluster do not
/// hold there.
fn check_namespace(deploy: &Deploy) -> Result<(), Vec<Diagnostic>> {
    let reserved = deploy.namespace.starts_with("kube-");
    if !reserved && object::is_dns_label(&deploy.namespace) {
        return Ok(());
    }
    let message = format!("`{}` is no namespace to deploy to", deploy.namespace);
    Err(vec![codes::SHAPE_NEEDS.error(deploy.span, message).help(
        "name one of your own: lower-case letters, digits and `-`, at most 63, not `kube-…`",
    )])
}
