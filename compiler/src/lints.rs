//! What the compiler warns of in a file that compiles: one file a lint.
//!
//! Invariants: a lint reads a whole, checked program and changes nothing; it warns and never refuses; each has a code,
//! whose explanation shows the incident behind it and whose example is a test.

mod anonymous_reaches_paid_model;
mod budget_below_one_call;
mod cached_above_input;
mod caller_chooses_bucket;
mod cap_target_not_cheaper;
mod cold_prompt_cache;
mod estimate_in_a_denial;
mod inverted_price;
mod limit_below_one_call;
mod limit_multiplied_by_replicas;
mod outcome_never_acts;
mod quota_never_refuses;
mod quotas;
mod requests_bound_no_money;
mod retries_outlast_callers;
mod shared_bucket;
mod unbounded_cap_target;
mod unbounded_paid_tier;
mod undeclared_output;
mod idle_overlay;
mod missing_rejects;
mod price_differs;
mod retired_model;
mod shared_bucket;
mod stale_price;
mod unlisted_model;
mod unused_import;

use waypost_lang::syntax::tree::File;
use waypost_lang::{Code, Diagnostic, SourceMap, codes};

use crate::ceiling::{Ceilings, ceiling};
use crate::check::Checked;
use crate::imports::Imports;
use crate::program::Program;
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
    /// What it can spend.
    pub(crate) ceilings: &'a Ceilings,
    /// Which file imports which.
    pub(crate) imports: &'a Imports,
    /// Today, where the caller has a clock.
    pub(crate) today: Option<Date>,
}

/// One lint.
struct Lint {
    /// What it finds.
    code: Code,
    /// Finds it.
    check: fn(&Subject<'_>, &mut Vec<Diagnostic>),
}

/// Every lint, by code.
const ALL: &[Lint] = &[
    Lint {
        code: codes::UNBOUNDED_PAID_TIER,
        check: unbounded_paid_tier::check,
    },
    Lint {
        code: codes::LIMIT_MULTIPLIED_BY_REPLICAS,
        check: limit_multiplied_by_replicas::check,
    },
    Lint {
        code: codes::COLD_PROMPT_CACHE,
        check: cold_prompt_cache::check,
    },
    Lint {
        code: codes::BUDGET_BELOW_ONE_CALL,
        check: budget_below_one_call::check,
    },
    Lint {
        code: codes::LIMIT_BELOW_ONE_CALL,
        check: limit_below_one_call::check,
    },
    Lint {
        code: codes::UNDECLARED_OUTPUT,
        check: undeclared_output::check,
    },
    Lint {
        code: codes::QUOTA_NEVER_REFUSES,
        check: quota_never_refuses::check,
    },
    Lint {
        code: codes::CAP_TARGET_NOT_CHEAPER,
        check: cap_target_not_cheaper::check,
    },
    Lint {
        code: codes::UNBOUNDED_CAP_TARGET,
        check: unbounded_cap_target::check,
    },
    Lint {
        code: codes::INVERTED_PRICE,
        check: inverted_price::check,
    },
    Lint {
        code: codes::CACHED_ABOVE_INPUT,
        check: cached_above_input::check,
    },
    Lint {
        code: codes::RETRIES_OUTLAST_CALLERS,
        check: retries_outlast_callers::check,
    },
    Lint {
        code: codes::ANONYMOUS_REACHES_PAID_MODEL,
        check: anonymous_reaches_paid_model::check,
    },
    Lint {
        code: codes::CALLER_CHOOSES_BUCKET,
        check: caller_chooses_bucket::check,
    },
    Lint {
        code: codes::OUTCOME_NEVER_ACTS,
        check: outcome_never_acts::check,
    },
    Lint {
        code: codes::ESTIMATE_IN_A_DENIAL,
        check: estimate_in_a_denial::check,
    },
    Lint {
        code: codes::REQUESTS_BOUND_NO_MONEY,
        check: requests_bound_no_money::check,
    },
    Lint {
        code: codes::SHARED_BUCKET,
        check: shared_bucket::check,
    },
        code: codes::SHARED_BUCKET,
        check: shared_bucket::check,
    },
    Lint {
        code: codes::RETIRED_MODEL,
        check: retired_model::check,
    },
    Lint {
        code: codes::PRICE_DIFFERS,
        check: price_differs::check,
    },
    Lint {
        code: codes::STALE_PRICE,
        check: stale_price::check,
    },
    Lint {
        code: codes::UNLISTED_MODEL,
        check: unlisted_model::check,
    },
    Lint {
        code: codes::UNUSED_IMPORT,
        check: unused_import::check,
    },
    Lint {
        code: codes::IDLE_OVERLAY,
        check: idle_overlay::check,
    },
    Lint {
        code: codes::MISSING_REJECTS,
        check: missing_rejects::check,
    },
];

/// Everything found in a checked file, errors and warnings, by file and position, without the warnings that a
/// suppression takes back. Lints run only on a file without errors.
#[must_use]
pub fn lint(checked: &Checked, today: Option<Date>) -> Vec<Diagnostic> {
    let mut found = checked.diagnostics.clone();
    if let Some(program) = &checked.program {
        let subject = Subject {
            program,
            ceilings: &ceiling(program),
            files: &checked.files,
            sources: &checked.sources,
            imports: &checked.imports,
            today,
        };
        for lint in ALL {
            let before = found.len();
            (lint.check)(&subject, &mut found);
            debug_assert!(
                found.iter().skip(before).all(|one| one.code == lint.code),
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
