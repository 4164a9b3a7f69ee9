//! What the compiler warns of in a file that compiles: one file a lint.
//!
//! Invariants: a lint reads a whole, checked program and changes nothing; it warns and never refuses; each has a code,
//! whose explanation shows the incident behind it and whose example is a test.

mod always_matches;
mod anonymous_reaches_paid_model;
mod budget_below_one_call;
mod cached_above_input;
mod caller_chooses_bucket;
mod cap_target_not_cheaper;
mod cold_prompt_cache;
mod contradictory_condition;
mod dead_rule;
mod estimate_in_a_denial;
mod idle_overlay;
mod idle_rule;
mod inverted_price;
mod limit_below_one_call;
mod limit_multiplied_by_replicas;
mod missing_rejects;
mod outcome_never_acts;
mod price_differs;
mod quota_never_refuses;
mod quotas;
mod redundant_condition;
mod requests_bound_no_money;
mod retired_model;
mod retries_outlast_callers;
mod shared_bucket;
mod slack_quota;
mod stale_price;
mod statement;
mod unbounded_cap_target;
mod unbounded_paid_tier;
mod undeclared_output;
mod unlisted_model;
mod unreachable_tier;
mod unused_import;
mod weaker_fallback;

use waypost_lang::syntax::tree::File;
use waypost_lang::{Code, Diagnostic, SourceMap, codes};

use crate::ceiling::{Ceilings, ceiling};
use crate::check::Checked;
use crate::imports::Imports;
use crate::program::Program;
use crate::proofs::coverage::Proofs;
use crate::suppressions;

/// A day of the calendar; what has a date of its own (a price, a retirement) is held against it.
pub use waypost_lang::syntax::tree::Date;

/// What a lint reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// The checked program.
    pub(crate) program: &'a Program,
    /// The trees of its files: what was written, where a program has only what it means.
    pub(crate) files: &'a [File],
    /// Its texts.
    pub(crate) sources: &'a SourceMap,
    /// What is proved of its rules.
    pub(crate) proofs: &'a Proofs<'a>,
    /// What it can spend.
    pub(crate) ceilings: &'a Ceilings,
    /// Which file imports which.
    pub(crate) imports: &'a Imports,
    /// Today, where the caller has a clock.
    pub(crate) today: Option<Date>,
}

/// A lint: what it finds, and what finds it.
type Lint = (Code, fn(&Subject<'_>, &mut Vec<Diagnostic>));

/// Every lint, by code: a line each, so that lists of two branches merge.
#[rustfmt::skip]
const ALL: &[Lint] = &[
    (codes::DEAD_RULE, dead_rule::check),
    (codes::CONTRADICTORY_CONDITION, contradictory_condition::check),
    (codes::ALWAYS_MATCHES, always_matches::check),
    (codes::REDUNDANT_CONDITION, redundant_condition::check),
    (codes::DUPLICATE_RULE, dead_rule::check_duplicates),
    (codes::SHADOWED_RULE, dead_rule::check_shadowed),
    (codes::UNREACHABLE_TIER, unreachable_tier::check),
    (codes::CAP_NEVER_LOWERS, idle_rule::check_caps),
    (codes::ESCALATION_TO_START, idle_rule::check_escalations),
    (codes::SMALLER_FALLBACK, weaker_fallback::check_sizes),
    (codes::USELESS_FALLBACK, weaker_fallback::check_surfaces),
    (codes::QUOTA_NEVER_BINDS, slack_quota::check),
    (codes::SHARED_BUCKET, shared_bucket::check),
    (codes::RETIRED_MODEL, retired_model::check),
    (codes::PRICE_DIFFERS, price_differs::check),
    (codes::STALE_PRICE, stale_price::check),
    (codes::UNLISTED_MODEL, unlisted_model::check),
    (codes::UNUSED_IMPORT, unused_import::check),
    (codes::IDLE_OVERLAY, idle_overlay::check),
    (codes::MISSING_REJECTS, missing_rejects::check),
    (codes::UNBOUNDED_PAID_TIER, unbounded_paid_tier::check),
    (codes::LIMIT_MULTIPLIED_BY_REPLICAS, limit_multiplied_by_replicas::check),
    (codes::COLD_PROMPT_CACHE, cold_prompt_cache::check),
    (codes::BUDGET_BELOW_ONE_CALL, budget_below_one_call::check),
    (codes::LIMIT_BELOW_ONE_CALL, limit_below_one_call::check),
    (codes::UNDECLARED_OUTPUT, undeclared_output::check),
    (codes::QUOTA_NEVER_REFUSES, quota_never_refuses::check),
    (codes::CAP_TARGET_NOT_CHEAPER, cap_target_not_cheaper::check),
    (codes::UNBOUNDED_CAP_TARGET, unbounded_cap_target::check),
    (codes::INVERTED_PRICE, inverted_price::check),
    (codes::CACHED_ABOVE_INPUT, cached_above_input::check),
    (codes::RETRIES_OUTLAST_CALLERS, retries_outlast_callers::check),
    (codes::ANONYMOUS_REACHES_PAID_MODEL, anonymous_reaches_paid_model::check),
    (codes::CALLER_CHOOSES_BUCKET, caller_chooses_bucket::check),
    (codes::OUTCOME_NEVER_ACTS, outcome_never_acts::check),
    (codes::ESTIMATE_IN_A_DENIAL, estimate_in_a_denial::check),
    (codes::REQUESTS_BOUND_NO_MONEY, requests_bound_no_money::check),
];

/// Everything found in a checked file, errors and warnings, by file and position, without the warnings that a
/// suppression takes back. Lints run only on a file without errors.
#[must_use]
pub fn lint(checked: &Checked, today: Option<Date>) -> Vec<Diagnostic> {
    let mut found = checked.diagnostics.clone();
    if let Some(program) = &checked.program {
        let proofs = Proofs::of(program);
        let subject = Subject {
            program,
            proofs: &proofs,
            ceilings: &ceiling(program),
            files: &checked.files,
            sources: &checked.sources,
            imports: &checked.imports,
            today,
        };
        for (code, check) in ALL {
            let before = found.len();
            check(&subject, &mut found);
            debug_assert!(
                found.iter().skip(before).all(|one| one.code == *code),
                "a lint finds its own code only"
            );
        }
    }
    suppressions::apply(
        &mut found,
        &checked.files,
        &checked.comments,
        &checked.sources,
        checked.program.is_some(),
    );
    found.sort_by_key(|one| (one.primary.span, one.code.number));
    found
}
