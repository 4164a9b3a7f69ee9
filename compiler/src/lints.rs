//! What the compiler warns of in a file that compiles: one file a lint.
//!
//! Invariants: a lint reads a whole, checked program and changes nothing; it warns and never refuses; each has a code,
//! whose explanation shows the incident behind it and whose example is a test.

mod anonymous_shared_bucket;
mod callers_without_keys;
mod case_sensitive_text;
mod comparison;
mod constant_key;
mod covered_accept;
mod exact_decimal;
mod foreign_threshold;
mod hour_without_zone;
mod idle_overlay;
mod image_without_version;
mod impossible_date;
mod impossible_value;
mod instance_without_gpu;
mod keep_shorter_than_cache;
mod keep_without_escalation;
mod key_in_plain_text;
mod limit_below_one_call;
mod max_tokens_zero;
mod missing_rejects;
mod only_warns;
mod overflow_without_next;
mod path_in_base_url;
mod preset_serves_another;
mod price_differs;
mod priority_upside_down;
mod redacts_everything;
mod refused_parameters;
mod retired_model;
mod retried_denial;
mod shared_bucket;
mod split_without_key;
mod stale_preview_version;
mod stale_price;
mod timeout_beyond_clients;
mod unanchored_pattern;
mod unlisted_model;
mod unread_threshold;
mod unused_declaration;
mod unused_import;
mod weightless_prefer;

use waypost_lang::cel::typed::Typed;
use waypost_lang::syntax::tree::File;
use waypost_lang::{Code, Diagnostic, SourceMap, codes};

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

impl Lint {
    const fn new(code: Code, check: fn(&Subject<'_>, &mut Vec<Diagnostic>)) -> Self {
        Self { code, check }
    }
}

impl<'a> Subject<'a> {
    /// Every expression of the program.
    pub(crate) fn expressions(&self) -> Vec<&'a Typed> {
        let contents = self.program.contents.iter();
        let escalations = contents.clone().flat_map(|content| &content.escalations);
        let escalations = escalations.map(|rule| &rule.when);
        let sessions = contents.filter_map(|content| content.keep.as_ref());
        let places = self.program.pools.iter().flat_map(|pool| &pool.place.only);
        let places = places.chain(sessions.map(|keep| &keep.session));
        let policy = self.policy_expressions();
        escalations.chain(places).chain(policy).collect()
    }

    /// Every expression of its policy.
    pub(crate) fn policy_expressions(&self) -> Vec<&'a Typed> {
        let policy = &self.program.policy;
        let denials = policy.denials.iter().map(|rule| &rule.when);
        let caps = policy.caps.iter().map(|rule| &rule.when);
        let quotas = policy.quotas.iter();
        let quotas = quotas.flat_map(|quota| quota.when.iter().chain(&quota.per));
        let priorities = policy
            .priorities
            .iter()
            .filter_map(|rule| rule.when.as_ref());
        denials
            .chain(caps)
            .chain(quotas)
            .chain(priorities)
            .collect()
    }
}

/// Every lint, by code.
const ALL: &[Lint] = &[
    Lint::new(codes::SHARED_BUCKET, shared_bucket::check),
    Lint::new(codes::REFUSED_PARAMETERS, refused_parameters::check),
    Lint::new(codes::IMPOSSIBLE_VALUE, impossible_value::check),
    Lint::new(codes::EXACT_DECIMAL, exact_decimal::check),
    Lint::new(codes::CASE_SENSITIVE_TEXT, case_sensitive_text::check),
    Lint::new(codes::UNANCHORED_PATTERN, unanchored_pattern::check),
    Lint::new(codes::UNUSED_DECLARATION, unused_declaration::check),
    Lint::new(
        codes::KEEP_WITHOUT_ESCALATION,
        keep_without_escalation::check,
    ),
    Lint::new(codes::UNREAD_THRESHOLD, unread_threshold::check),
    Lint::new(codes::FOREIGN_THRESHOLD, foreign_threshold::check),
    Lint::new(
        codes::KEEP_SHORTER_THAN_CACHE,
        keep_shorter_than_cache::check,
    ),
    Lint::new(codes::SPLIT_WITHOUT_KEY, split_without_key::check),
    Lint::new(codes::LIMIT_BELOW_ONE_CALL, limit_below_one_call::check),
    Lint::new(codes::ONLY_WARNS, only_warns::check),
    Lint::new(
        codes::ANONYMOUS_SHARED_BUCKET,
        anonymous_shared_bucket::check,
    ),
    Lint::new(codes::CALLERS_WITHOUT_KEYS, callers_without_keys::check),
    Lint::new(codes::RETRIED_DENIAL, retried_denial::check),
    Lint::new(codes::REDACTS_EVERYTHING, redacts_everything::check),
    Lint::new(codes::CONSTANT_KEY, constant_key::check),
    Lint::new(codes::COVERED_ACCEPT, covered_accept::check),
    Lint::new(codes::MAX_TOKENS_ZERO, max_tokens_zero::check),
    Lint::new(codes::HOUR_WITHOUT_ZONE, hour_without_zone::check),
    Lint::new(codes::IMPOSSIBLE_DATE, impossible_date::check),
    Lint::new(codes::TIMEOUT_BEYOND_CLIENTS, timeout_beyond_clients::check),
    Lint::new(codes::OVERFLOW_WITHOUT_NEXT, overflow_without_next::check),
    Lint::new(codes::WEIGHTLESS_PREFER, weightless_prefer::check),
    Lint::new(codes::IMAGE_WITHOUT_VERSION, image_without_version::check),
    Lint::new(codes::INSTANCE_WITHOUT_GPU, instance_without_gpu::check),
    Lint::new(codes::PRESET_SERVES_ANOTHER, preset_serves_another::check),
    Lint::new(codes::PATH_IN_BASE_URL, path_in_base_url::check),
    Lint::new(codes::KEY_IN_PLAIN_TEXT, key_in_plain_text::check),
    Lint::new(codes::STALE_PREVIEW_VERSION, stale_preview_version::check),
    Lint::new(codes::PRIORITY_UPSIDE_DOWN, priority_upside_down::check),
    Lint::new(codes::RETIRED_MODEL, retired_model::check),
    Lint::new(codes::PRICE_DIFFERS, price_differs::check),
    Lint::new(codes::STALE_PRICE, stale_price::check),
    Lint::new(codes::UNLISTED_MODEL, unlisted_model::check),
    Lint::new(codes::UNUSED_IMPORT, unused_import::check),
    Lint::new(codes::IDLE_OVERLAY, idle_overlay::check),
    Lint::new(codes::MISSING_REJECTS, missing_rejects::check),
];

/// Everything found in a checked file, errors and warnings, by file and position, without the warnings that a
/// suppression takes back. Lints run only on a file without errors.
#[must_use]
pub fn lint(checked: &Checked, today: Option<Date>) -> Vec<Diagnostic> {
    let mut found = checked.diagnostics.clone();
    if let Some(program) = &checked.program {
        let subject = Subject {
            program,
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
