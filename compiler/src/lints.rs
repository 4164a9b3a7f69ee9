//! What the compiler warns of in a file that compiles: one file a lint.
//!
//! Invariants: a lint reads a whole, checked program and changes nothing; it warns and never refuses; each has a code,
//! whose explanation shows the incident behind it and whose example is a test.

mod always_matches;
mod contradictory_condition;
mod dead_rule;
mod idle_overlay;
mod idle_rule;
mod missing_rejects;
mod price_differs;
mod redundant_condition;
mod retired_model;
mod shared_bucket;
mod slack_quota;
mod stale_price;
mod statement;
mod unlisted_model;
mod unreachable_tier;
mod unused_import;
mod weaker_fallback;

use waypost_lang::syntax::tree::File;
use waypost_lang::{Code, Diagnostic, SourceMap, codes};

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
        code: codes::DEAD_RULE,
        check: dead_rule::check,
    },
    Lint {
        code: codes::CONTRADICTORY_CONDITION,
        check: contradictory_condition::check,
    },
    Lint {
        code: codes::ALWAYS_MATCHES,
        check: always_matches::check,
    },
    Lint {
        code: codes::REDUNDANT_CONDITION,
        check: redundant_condition::check,
    },
    Lint {
        code: codes::DUPLICATE_RULE,
        check: dead_rule::check_duplicates,
    },
    Lint {
        code: codes::SHADOWED_RULE,
        check: dead_rule::check_shadowed,
    },
    Lint {
        code: codes::UNREACHABLE_TIER,
        check: unreachable_tier::check,
    },
    Lint {
        code: codes::CAP_NEVER_LOWERS,
        check: idle_rule::check_caps,
    },
    Lint {
        code: codes::ESCALATION_TO_START,
        check: idle_rule::check_escalations,
    },
    Lint {
        code: codes::SMALLER_FALLBACK,
        check: weaker_fallback::check_sizes,
    },
    Lint {
        code: codes::USELESS_FALLBACK,
        check: weaker_fallback::check_surfaces,
    },
    Lint {
        code: codes::QUOTA_NEVER_BINDS,
        check: slack_quota::check,
    },
    Lint {
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
        let proofs = Proofs::of(program);
        let subject = Subject {
            program,
            proofs: &proofs,
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
