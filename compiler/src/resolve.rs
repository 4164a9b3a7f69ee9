//! From syntax trees to a program: every name an index, every expression typed, every value in range.
//!
//! Invariants: declarations come first, so the order of statements never matters; a statement that has an
//! error is left out, and what refers to it is not reported again.

mod bounds;
mod catalog;
pub(crate) mod collected;
mod constant;
pub(crate) mod content;
pub(crate) mod context;
mod demand;
mod deploy;
mod expression;
pub(crate) mod extension;
mod label;
mod model;
mod names;
mod place;
mod policy;
mod pool;
mod price;
mod provider;
mod quota;
mod redaction;
mod secret;
mod test;
pub(crate) mod tier;
mod values;

use crate::Program;
use crate::findings::Findings;
use crate::load::Loaded;

use collected::Collected;
use context::Context;

/// Resolves all files as one. `None` if something that others refer to by index could not be resolved; an
/// error says so then.
pub(crate) fn resolve(loaded: &Loaded, findings: &mut Findings) -> Option<Program> {
    let (sources, imports) = (&loaded.sources, &loaded.imports);
    let extended = extension::extended(&loaded.files, sources, imports, findings);
    let collected = Collected::new(&loaded.files, &extended);
    let mut context = Context::declare(sources, &collected, findings);
    let context = &mut context;
    let secrets = secret::resolve(&collected, context);
    let deploy = deploy::resolve(&collected, context);
    let providers = provider::resolve(&collected, context);
    let pools = pool::resolve(&collected, context);
    let catalog = catalog::resolve(&collected, context);
    let models = model::resolve(&collected, &catalog, context);
    let tiers = tier::resolve(&collected, context);
    let contents = content::resolve(&collected, context);
    let policy = policy::resolve(&collected, tiers.as_deref(), context);
    content::check_callers(&contents, &policy, context);
    let demands = demand::resolve(&collected, context);
    let tests = test::resolve(&collected, &contents, &policy, context);
    Some(Program {
        secrets: secrets?,
        providers: providers?,
        pools: pools?,
        models: models?,
        tiers: tiers?,
        catalog,
        contents,
        policy,
        deploy,
        demands,
        tests,
    })
}
