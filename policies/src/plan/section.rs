//! The sections of a plan, in the order of the file.

macro_rules! sections {
    ($($constant:ident = $name:literal,)*) => {
        sections!(@number 0usize, $($constant,)*);

        /// What each is called in messages.
        pub(super) const NAMES: &[&str] = &[$($name),*];
    };
    (@number $next:expr,) => {
        /// How many there are.
        pub(super) const COUNT: usize = $next;
    };
    (@number $next:expr, $constant:ident, $($rest:ident,)*) => {
        pub(super) const $constant: usize = $next;
        sections!(@number $next + 1, $($rest,)*);
    };
}

sections! {
    ROOT = "root",
    FILES = "files",
    SECRETS = "secrets",
    PROVIDERS = "providers",
    POOLS = "pools",
    ENDPOINTS = "endpoints",
    POD_LABELS = "pod labels",
    ONLY = "placement conditions",
    MODELS = "models",
    PRICES = "rows of prices",
    REJECTS = "rejected parameters",
    TIERS = "tiers",
    STEPS = "steps",
    ARMS = "arms",
    ACCEPTS = "accepted names",
    CONTENTS = "content sections",
    ESCALATIONS = "escalations",
    DENIALS = "denials",
    CAPS = "caps",
    QUOTAS = "quotas",
    OUTCOMES = "quota outcomes",
    PRIORITIES = "priorities",
    REDACTIONS = "redactions",
    EXPRESSIONS = "expressions",
    HEADERS = "headers",
    METADATA = "metadata keys",
    CLAIMS = "claims",
    LABELS = "endpoint labels",
    STRINGS = "string constants",
    PATTERNS = "patterns",
    ZONES = "time zones",
    LISTS = "list constants",
    SCALARS = "list elements",
    SETS = "set constants",
    SET_MEMBERS = "set members",
    CODE = "code",
    HEAP = "strings",
}
