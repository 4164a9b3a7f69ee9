//! Every diagnostic code with its explanation: one table, so a code is never used twice.
//!
//! Numbers group by what was wrong: `00` the text, `01` names, `02` expressions, `03` routing and money,
//! `04` lints, `05` deployment, `06` what this version cannot do yet.

use crate::diagnostic::Code;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $constant:ident = $number:literal $name:literal;)*) => {
        $(
            #[doc = concat!("`", $number, "` ", $name)]
            pub const $constant: Code = Code {
                number: concat!("WP", $number),
                name: $name,
                explanation: include_str!(concat!("codes/WP", $number, ".md")),
            };
        )*
        /// All codes, by number.
        pub const ALL: &[Code] = &[$($constant),*];
    };
}

codes! {
    UNEXPECTED_TOKEN = "0001" "unexpected-token";
    UNTERMINATED_STRING = "0002" "unterminated-string";
    BAD_LITERAL = "0003" "bad-literal";
    MISSING_VERSION = "0004" "missing-version";
    UNKNOWN_FIELD = "0005" "unknown-field";
    DUPLICATE_FIELD = "0006" "duplicate-field";
    UNCLOSED_DELIMITER = "0007" "unclosed-delimiter";
    UNKNOWN_CHARACTER = "0008" "unknown-character";
    UNKNOWN_NAME = "0101" "unknown-name";
    DUPLICATE_NAME = "0102" "duplicate-name";
    IMPORT_NOT_FOUND = "0103" "import-not-found";
    IMPORT_CYCLE = "0104" "import-cycle";
    MISSING_FIELD = "0105" "missing-field";
    DUPLICATE_LABEL = "0106" "duplicate-label";
    EXPRESSION_SYNTAX = "0201" "expression-syntax";
    UNKNOWN_IDENTIFIER = "0202" "unknown-identifier";
    MISSING_KEY = "0203" "missing-key";
    TYPE_MISMATCH = "0204" "type-mismatch";
    SECTION_SEAM = "0205" "section-seam";
    NOT_A_BOOL = "0206" "not-a-bool";
    UNKNOWN_FUNCTION = "0207" "unknown-function";
    PARTIAL_OPERATION = "0208" "partial-operation";
    UNKNOWN_LITERAL = "0209" "unknown-literal";
    CONSTANT_FAILS = "0210" "constant-fails";
    TIER_NOT_IN_CHAIN = "0301" "tier-not-in-chain";
    FALLBACK_CYCLE = "0302" "fallback-cycle";
    TIER_WITHOUT_MODEL = "0303" "tier-without-model";
    SERVICE_PORT = "0304" "service-port";
    UNREACHABLE_MODEL = "0305" "unreachable-model";
    ACCEPT_OVERLAP = "0306" "accept-overlap";
    BAD_VALUE = "0307" "bad-value";
    BUDGET_WITHOUT_PRICE = "0311" "budget-without-price";
    UNCOUNTABLE_WINDOW = "0312" "uncountable-window";
    DEAD_RULE = "0401" "dead-rule";
    CONTRADICTORY_CONDITION = "0402" "contradictory-condition";
    ALWAYS_MATCHES = "0403" "always-matches";
    REDUNDANT_CONDITION = "0404" "redundant-condition";
    DUPLICATE_RULE = "0405" "duplicate-rule";
    SHADOWED_RULE = "0406" "shadowed-rule";
    UNREACHABLE_TIER = "0407" "unreachable-tier";
    CAP_NEVER_LOWERS = "0408" "cap-never-lowers";
    ESCALATION_TO_START = "0409" "escalation-to-start";
    SMALLER_FALLBACK = "0410" "smaller-fallback";
    USELESS_FALLBACK = "0411" "useless-fallback";
    QUOTA_NEVER_BINDS = "0412" "quota-never-binds";
    UNBOUNDED_PAID_TIER = "0420" "unbounded-paid-tier";
    LIMIT_MULTIPLIED_BY_REPLICAS = "0421" "limit-multiplied-by-replicas";
    COLD_PROMPT_CACHE = "0422" "cold-prompt-cache";
    BUDGET_BELOW_ONE_CALL = "0423" "budget-below-one-call";
    LIMIT_BELOW_ONE_CALL = "0424" "limit-below-one-call";
    UNDECLARED_OUTPUT = "0425" "undeclared-output";
    QUOTA_NEVER_REFUSES = "0426" "quota-never-refuses";
    CAP_TARGET_NOT_CHEAPER = "0427" "cap-target-not-cheaper";
    UNBOUNDED_CAP_TARGET = "0428" "unbounded-cap-target";
    INVERTED_PRICE = "0429" "inverted-price";
    CACHED_ABOVE_INPUT = "0430" "cached-above-input";
    RETRIES_OUTLAST_CALLERS = "0431" "retries-outlast-callers";
    ANONYMOUS_REACHES_PAID_MODEL = "0432" "anonymous-reaches-paid-model";
    CALLER_CHOOSES_BUCKET = "0433" "caller-chooses-bucket";
    OUTCOME_NEVER_ACTS = "0434" "outcome-never-acts";
    ESTIMATE_IN_A_DENIAL = "0435" "estimate-in-a-denial";
    REQUESTS_BOUND_NO_MONEY = "0436" "requests-bound-no-money";
    UNPRICED_CACHE_WRITE = "0437" "unpriced-cache-write";
    INVERTED_PRICE_ROW = "0438" "inverted-price-row";
    SHARED_BUCKET = "0440" "shared-bucket";
    REFUSED_PARAMETERS = "0441" "refused-parameters";
    IMPOSSIBLE_VALUE = "0442" "impossible-value";
    EXACT_DECIMAL = "0443" "exact-decimal";
    CASE_SENSITIVE_TEXT = "0444" "case-sensitive-text";
    UNANCHORED_PATTERN = "0445" "unanchored-pattern";
    UNUSED_DECLARATION = "0446" "unused-declaration";
    KEEP_WITHOUT_ESCALATION = "0447" "keep-without-escalation";
    UNREAD_THRESHOLD = "0448" "unread-threshold";
    FOREIGN_THRESHOLD = "0449" "foreign-threshold";
    KEEP_SHORTER_THAN_CACHE = "0450" "keep-shorter-than-cache";
    SPLIT_WITHOUT_KEY = "0451" "split-without-key";
    ANONYMOUS_SHARED_BUCKET = "0454" "anonymous-shared-bucket";
    CALLERS_WITHOUT_KEYS = "0455" "callers-without-keys";
    RETRIED_DENIAL = "0456" "retried-denial";
    REDACTS_EVERYTHING = "0457" "redacts-everything";
    CONSTANT_KEY = "0459" "constant-key";
    COVERED_ACCEPT = "0460" "covered-accept";
    MAX_TOKENS_ZERO = "0461" "max-tokens-zero";
    HOUR_WITHOUT_ZONE = "0462" "hour-without-zone";
    IMPOSSIBLE_DATE = "0463" "impossible-date";
    OVERFLOW_WITHOUT_NEXT = "0465" "overflow-without-next";
    WEIGHTLESS_PREFER = "0466" "weightless-prefer";
    RETIRED_MODEL = "0470" "retired-model";
    PRICE_DIFFERS = "0471" "price-differs";
    STALE_PRICE = "0472" "stale-price";
    UNLISTED_MODEL = "0473" "unlisted-model";
    UNUSED_IMPORT = "0474" "unused-import";
    IDLE_OVERLAY = "0475" "idle-overlay";
    MISSING_REJECTS = "0476" "missing-rejects";
    DEMAND_NOT_MET = "0490" "demand-not-met";
    UNUSED_SUPPRESSION = "0491" "unused-suppression";
    SUPPRESSION_WITHOUT_REASON = "0492" "suppression-without-reason";
    UNKNOWN_SUPPRESSED_CODE = "0493" "unknown-suppressed-code";
    SECRET_PLACEHOLDER = "0501" "secret-placeholder";
    VERSIONS_CANNOT_EXPRESS = "0502" "versions-cannot-express";
    SHAPE_NEEDS = "0503" "shape-needs";
    SHAPE_CANNOT_CARRY = "0504" "shape-cannot-carry";
    IMAGE_WITHOUT_VERSION = "0510" "image-without-version";
    INSTANCE_WITHOUT_GPU = "0512" "instance-without-gpu";
    PRESET_SERVES_ANOTHER = "0513" "preset-serves-another";
    PATH_IN_BASE_URL = "0514" "path-in-base-url";
    KEY_IN_PLAIN_TEXT = "0515" "key-in-plain-text";
    STALE_PREVIEW_VERSION = "0516" "stale-preview-version";
    PRIORITY_UPSIDE_DOWN = "0517" "priority-upside-down";
    NOT_IN_THIS_BUILD = "0601" "not-in-this-build";
}

/// The code written as `WP0203`, `wp0203` or `missing-key`.
#[must_use]
pub fn find(text: &str) -> Option<Code> {
    ALL.iter()
        .copied()
        .find(|code| code.number.eq_ignore_ascii_case(text) || code.name == text)
}
