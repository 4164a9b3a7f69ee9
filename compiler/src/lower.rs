//! From a checked program to the draft of its plan: mechanical, total and deterministic.
//!
//! Invariants: nothing is decided here that the program does not say, except the defaults of the language
//! (a quota denies at 100%, a bucket holds its amount); the same program and sources give the same draft.

mod content;
pub(crate) mod expression;
mod expressions;
mod files;
mod model;
mod origin;
mod policy;
mod pool;
mod provider;
mod quota;
mod secret;
mod tier;

use sha2::{Digest, Sha256};
use waypost_lang::SourceMap;
use waypost_lang::cel::typed::Typed;
use waypost_policies::plan::Draft;
use waypost_policies::plan::draft::{self, Origin};
use waypost_policies::vm::Pool;

use crate::Program;
use crate::program::Deploy;
use expressions::Expressions;
use origin::Origins;
pub(crate) use quota::session_idle;

/// Lowers a checked program; `sources` are those it was checked from.
#[must_use]
pub fn lower(program: &Program, sources: &SourceMap) -> Draft {
    let origins = Origins::new(sources);
    let mut expressions = Expressions::new(sources);
    let mut draft = Draft {
        compiler: env!("CARGO_PKG_VERSION").to_owned(),
        source_hash: source_hash(sources),
        files: files::lower(sources),
        secrets: secret::lower(&program.secrets),
        providers: provider::lower(&program.providers),
        pools: pool::lower(program, &mut expressions),
        models: model::lower(&program.models, &origins),
        tiers: tier::lower(&program.tiers, &origins, &mut expressions),
        accepts: content::lower_accepts(&program.contents),
        contents: content::lower(&program.contents, &origins, &mut expressions),
        ..Draft::default()
    };
    draft.shared = program.deploy.as_ref().and_then(shared);
    policy::lower(&program.policy, &origins, &mut expressions, &mut draft);
    expressions.finish(&mut draft);
    draft
}

fn shared(deploy: &Deploy) -> Option<draft::Shared> {
    let redis = deploy.redis?;
    Some(draft::Shared {
        redis: index(redis.secret),
        shares: redis.shares,
        replicas: u32::try_from(deploy.most_at_once()).unwrap_or(u32::MAX),
        namespace: deploy.namespace.clone(),
    })
}

/// SHA-256 over every text with its length before it, in the order of files; names are left out, so a file
/// has the same hash wherever it lies.
fn source_hash(sources: &SourceMap) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (_, file) in sources.files() {
        let length = u64::try_from(file.text().len()).unwrap_or(u64::MAX);
        hash.update(length.to_le_bytes());
        hash.update(file.text().as_bytes());
    }
    hash.finalize().into()
}

/// An index as the plan counts them. One that is too large becomes one that the plan's verifier refuses, since
/// no vector is that long.
fn index(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// The draft of a plan that is one expression, its index 0, for [`waypost_policies::vm::evaluate`].
#[must_use]
pub fn lower_expression(typed: &Typed) -> Draft {
    let mut pool = Pool::default();
    pool.expression("", Origin::default(), |to| expression::write(typed, to));
    let mut draft = Draft::default();
    pool.fill(&mut draft);
    draft
}
