//! From syntax trees to a program: every name an index, every expression typed, every value in range.
//!
//! Invariants: declarations come first, so the order of statements never matters; a statement that has an
//! error is left out, and what refers to it is not reported again.

mod bounds;
pub(crate) mod collected;
mod constant;
pub(crate) mod content;
pub(crate) mod context;
mod deploy;
mod expression;
mod extension;
mod label;
mod model;
mod names;
mod place;
mod policy;
mod pool;
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
    let collected = Collected::new(&loaded.files);
    let models = extension::extended(&collected, findings);
    let mut context = Context::declare(&loaded.sources, &collected, &models, findings);
    let context = &mut context;
    let secrets = secret::resolve(&collected, context);
    let deploy = deploy::resolve(&collected, context);
    let providers = provider::resolve(&collected, context);
    let pools = pool::resolve(&collected, context);
    let models = model::resolve(&models, context);
    let tiers = tier::resolve(&collected, context);
    let contents = content::resolve(&collected, context);
    let policy = policy::resolve(&collected, tiers.as_deref(), context);
    content::check_callers(&contents, &policy, context);
    let tests = test::resolve(&collected, &contents, &policy, context);
    Some(Program {
        secrets: secrets?,
        providers: providers?,
        pools: pools?,
        models: models?,
        tiers: tiers?,
        contents,
        policy,
        deploy,
        tests,
    })
}
