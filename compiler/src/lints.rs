//! What the compiler warns of in a file that compiles: one file a lint.
//!
//! Invariants: a lint reads a whole, checked program and changes nothing; it warns and never refuses; each has a code,
//! whose explanation shows the incident behind it and whose example is a test.

mod always_matches;
mod anonymous_reaches_paid_model;
mod anonymous_shared_bucket;
mod budget_below_one_call;
mod cached_above_input;
mod caller_chooses_bucket;
mod callers_without_keys;
mod cap_target_not_cheaper;
mod case_sensitive_text;
mod cold_prompt_cache;
mod comparison;
mod constant_key;
mod contradictory_condition;
mod covered_accept;
mod dead_rule;
mod estimate_in_a_denial;
mod exact_decimal;
mod foreign_threshold;
mod hour_without_zone;
mod idle_overlay;
mod idle_rule;
mod image_without_version;
mod impossible_date;
mod impossible_value;
mod instance_without_gpu;
mod inverted_price;
mod inverted_price_row;
mod keep_shorter_than_cache;
mod keep_without_escalation;
mod key_in_plain_text;
mod limit_below_one_call;
mod limit_multiplied_by_replicas;
mod max_tokens_zero;
mod missing_rejects;
mod outcome_never_acts;
mod overflow_without_next;
mod path_in_base_url;
mod preset_serves_another;
mod price_differs;
mod priority_upside_down;
mod quota_never_refuses;
mod quotas;
mod redacts_everything;
mod redundant_condition;
mod refused_parameters;
mod requests_bound_no_money;
mod retired_model;
mod retried_denial;
mod retries_outlast_callers;
mod shared_bucket;
mod slack_quota;
mod split_without_key;
mod stale_preview_version;
mod stale_price;
mod statement;
mod unanchored_pattern;
mod unbounded_cap_target;
mod unbounded_paid_tier;
mod undeclared_output;
mod unlisted_model;
mod unpriced_cache_write;
mod unreachable_tier;
mod unread_threshold;
mod unused_declaration;
mod unused_import;
mod weaker_fallback;
mod weightless_prefer;

use waypost_lang::cel::typed::Typed;
use waypost_lang::syntax::tree::File;
use waypost_lang::{Code, Diagnostic, SourceMap, Span, codes};

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
    (codes::INVERTED_PRICE_ROW, inverted_price_row::check),
    (codes::CACHED_ABOVE_INPUT, cached_above_input::check),
    (codes::RETRIES_OUTLAST_CALLERS, retries_outlast_callers::check),
    (codes::ANONYMOUS_REACHES_PAID_MODEL, anonymous_reaches_paid_model::check),
    (codes::CALLER_CHOOSES_BUCKET, caller_chooses_bucket::check),
    (codes::OUTCOME_NEVER_ACTS, outcome_never_acts::check),
    (codes::ESTIMATE_IN_A_DENIAL, estimate_in_a_denial::check),
    (codes::REQUESTS_BOUND_NO_MONEY, requests_bound_no_money::check),
    (codes::UNPRICED_CACHE_WRITE, unpriced_cache_write::check),
    (codes::SHARED_BUCKET, shared_bucket::check),
    (codes::REFUSED_PARAMETERS, refused_parameters::check),
    (codes::IMPOSSIBLE_VALUE, impossible_value::check),
    (codes::EXACT_DECIMAL, exact_decimal::check),
    (codes::CASE_SENSITIVE_TEXT, case_sensitive_text::check),
    (codes::UNANCHORED_PATTERN, unanchored_pattern::check),
    (codes::UNUSED_DECLARATION, unused_declaration::check),
    (codes::KEEP_WITHOUT_ESCALATION, keep_without_escalation::check),
    (codes::UNREAD_THRESHOLD, unread_threshold::check),
    (codes::FOREIGN_THRESHOLD, foreign_threshold::check),
    (codes::KEEP_SHORTER_THAN_CACHE, keep_shorter_than_cache::check),
    (codes::SPLIT_WITHOUT_KEY, split_without_key::check),
    (codes::ANONYMOUS_SHARED_BUCKET, anonymous_shared_bucket::check),
    (codes::CALLERS_WITHOUT_KEYS, callers_without_keys::check),
    (codes::RETRIED_DENIAL, retried_denial::check),
    (codes::REDACTS_EVERYTHING, redacts_everything::check),
    (codes::CONSTANT_KEY, constant_key::check),
    (codes::COVERED_ACCEPT, covered_accept::check),
    (codes::MAX_TOKENS_ZERO, max_tokens_zero::check),
    (codes::HOUR_WITHOUT_ZONE, hour_without_zone::check),
    (codes::IMPOSSIBLE_DATE, impossible_date::check),
    (codes::OVERFLOW_WITHOUT_NEXT, overflow_without_next::check),
    (codes::WEIGHTLESS_PREFER, weightless_prefer::check),
    (codes::RETIRED_MODEL, retired_model::check),
    (codes::PRICE_DIFFERS, price_differs::check),
    (codes::STALE_PRICE, stale_price::check),
    (codes::UNLISTED_MODEL, unlisted_model::check),
    (codes::UNUSED_IMPORT, unused_import::check),
    (codes::IDLE_OVERLAY, idle_overlay::check),
    (codes::MISSING_REJECTS, missing_rejects::check),
    (codes::IMAGE_WITHOUT_VERSION, image_without_version::check),
    (codes::INSTANCE_WITHOUT_GPU, instance_without_gpu::check),
    (codes::PRESET_SERVES_ANOTHER, preset_serves_another::check),
    (codes::PATH_IN_BASE_URL, path_in_base_url::check),
    (codes::KEY_IN_PLAIN_TEXT, key_in_plain_text::check),
    (codes::STALE_PREVIEW_VERSION, stale_preview_version::check),
    (codes::PRIORITY_UPSIDE_DOWN, priority_upside_down::check),
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
    drop_echoes(&mut found);
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

/// A proof that a date's comparison is constant says less than the lint that knows how dates count: one mistake gives one
/// finding.
fn drop_echoes(found: &mut Vec<Diagnostic>) {
    let dates = found
        .iter()
        .filter(|one| one.code == codes::IMPOSSIBLE_DATE);
    let dates: Vec<Span> = dates.map(|one| one.primary.span).collect();
    let proofs = [codes::CONTRADICTORY_CONDITION, codes::REDUNDANT_CONDITION];
    found.retain(|one| !proofs.contains(&one.code) || !dates.contains(&one.primary.span));
}
