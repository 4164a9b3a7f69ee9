//! What an organisation's rules may read: the compiled model as shapes with typed fields.
//!
//! Invariant: nothing is optional. What a file does not say has a value that says so ("" or 0 or false), so that every
//! expression over the model is total.

use waypost_lang::cel::typed::{Shape, Type};

/// A kind of item that a rule is about: `each tier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All of it, once.
    File,
    /// Each tier.
    Tier,
    /// Each model.
    Model,
    /// Each provider.
    Provider,
    /// Each pool.
    Pool,
    /// Each secret.
    Secret,
    /// Each content section.
    Content,
    /// Each escalation of every section.
    Escalation,
    /// Each cap.
    Cap,
    /// Each denial.
    Denial,
    /// Each limit and budget.
    Limit,
    /// Each budget.
    Budget,
    /// Each redaction.
    Redaction,
    /// Who may call, once.
    Callers,
    /// The deployment, if there is one.
    Deploy,
}

impl Kind {
    /// The kinds by the word that is written.
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("file", Self::File),
        ("tier", Self::Tier),
        ("model", Self::Model),
        ("provider", Self::Provider),
        ("pool", Self::Pool),
        ("secret", Self::Secret),
        ("content", Self::Content),
        ("escalation", Self::Escalation),
        ("cap", Self::Cap),
        ("denial", Self::Denial),
        ("limit", Self::Limit),
        ("budget", Self::Budget),
        ("redaction", Self::Redaction),
        ("callers", Self::Callers),
        ("deploy", Self::Deploy),
    ];

    /// Every word that may stand after `each`, with the type of such an item.
    pub fn items() -> impl Iterator<Item = (&'static str, Type)> {
        let words = Self::WORDS.iter();
        words.map(|(word, kind)| (*word, Type::Struct(kind.shape())))
    }

    /// The word, which is also the name of the item in expressions.
    pub(crate) fn word(self) -> &'static str {
        let mut words = Self::WORDS.iter();
        words
            .find(|(_, kind)| *kind == self)
            .map_or("", |(word, _)| *word)
    }

    /// What an item has.
    pub(crate) const fn shape(self) -> &'static Shape {
        match self {
            Self::File => &FILE,
            Self::Tier => &TIER,
            Self::Model => &MODEL,
            Self::Provider => &PROVIDER,
            Self::Pool => &POOL,
            Self::Secret => &SECRET,
            Self::Content => &CONTENT,
            Self::Escalation => &ESCALATION,
            Self::Cap => &CAP,
            Self::Denial => &DENIAL,
            Self::Limit => &LIMIT,
            Self::Budget => &BUDGET,
            Self::Redaction => &REDACTION,
            Self::Callers => &CALLERS,
            Self::Deploy => &DEPLOY,
        }
    }
}

const TEXT: fn() -> Type = || Type::String;
const NUMBER: fn() -> Type = || Type::Int;
const DECIMAL: fn() -> Type = || Type::Double;
const TRUTH: fn() -> Type = || Type::Bool;
const SPAN: fn() -> Type = || Type::Duration;

fn list(element: Type) -> Type {
    Type::List(Box::new(element))
}

static FILE: Shape = Shape {
    name: "file",
    fields: &[
        ("name", TEXT),
        ("tiers", || list(Type::Struct(&TIER))),
        ("models", || list(Type::Struct(&MODEL))),
        ("providers", || list(Type::Struct(&PROVIDER))),
        ("pools", || list(Type::Struct(&POOL))),
        ("secrets", || list(Type::Struct(&SECRET))),
        ("contents", || list(Type::Struct(&CONTENT))),
        ("caps", || list(Type::Struct(&CAP))),
        ("denials", || list(Type::Struct(&DENIAL))),
        ("limits", || list(Type::Struct(&LIMIT))),
        ("budgets", || list(Type::Struct(&BUDGET))),
        ("redactions", || list(Type::Struct(&REDACTION))),
        ("callers", || Type::Struct(&CALLERS)),
        ("deploy", || Type::Struct(&DEPLOY)),
        ("tests", NUMBER),
    ],
};

static TIER: Shape = Shape {
    name: "tier",
    fields: &[
        ("name", TEXT),
        ("rank", NUMBER),
        ("paid", TRUTH),
        ("models", || list(Type::Struct(&MODEL))),
        ("budgets", || list(Type::Struct(&BUDGET))),
        ("limits", || list(Type::Struct(&LIMIT))),
        ("timeout", SPAN),
        ("retries", NUMBER),
        ("hedge", SPAN),
    ],
};

static MODEL: Shape = Shape {
    name: "model",
    fields: &[
        ("name", TEXT),
        ("provider", TEXT),
        ("pool", TEXT),
        ("hosted", TRUTH),
        ("paid", TRUTH),
        ("priced", TRUTH),
        ("price", || Type::Struct(&PRICE)),
        ("context", NUMBER),
        ("output", NUMBER),
        ("serves", || list(Type::String)),
        ("lacks", || list(Type::String)),
        ("rejects", || list(Type::String)),
        ("retires", TEXT),
        ("listed", TEXT),
        ("budgets", || list(Type::Struct(&BUDGET))),
        ("limits", || list(Type::Struct(&LIMIT))),
    ],
};

static PRICE: Shape = Shape {
    name: "price",
    fields: &[
        ("input", DECIMAL),
        ("cached", DECIMAL),
        ("cache_write", DECIMAL),
        ("cache_write_1h", DECIMAL),
        ("audio_input", DECIMAL),
        ("audio_cached", DECIMAL),
        ("image_input", DECIMAL),
        ("output", DECIMAL),
        ("reasoning", DECIMAL),
        ("audio_output", DECIMAL),
        ("as_of", TEXT),
    ],
};

static PROVIDER: Shape = Shape {
    name: "provider",
    fields: &[
        ("name", TEXT),
        ("kind", TEXT),
        ("url", TEXT),
        ("version", TEXT),
        ("auth", TEXT),
    ],
};

static POOL: Shape = Shape {
    name: "pool",
    fields: &[
        ("name", TEXT),
        ("engine", TEXT),
        ("source", TEXT),
        ("addresses", || list(Type::String)),
        ("replicas_least", NUMBER),
        ("replicas_most", NUMBER),
        ("saturates", TRUTH),
    ],
};

static SECRET: Shape = Shape {
    name: "secret",
    fields: &[("name", TEXT), ("source", TEXT)],
};

static CONTENT: Shape = Shape {
    name: "content",
    fields: &[
        ("name", TEXT),
        ("accepts", || list(Type::String)),
        ("start", TEXT),
        ("escalations", || list(Type::Struct(&ESCALATION))),
        ("keeps", TRUTH),
    ],
};

static ESCALATION: Shape = Shape {
    name: "escalation",
    fields: &[
        ("label", TEXT),
        ("labelled", TRUTH),
        ("to", TEXT),
        ("condition", TEXT),
    ],
};

static CAP: Shape = Shape {
    name: "cap",
    fields: &[
        ("label", TEXT),
        ("labelled", TRUTH),
        ("to", TEXT),
        ("condition", TEXT),
    ],
};

static DENIAL: Shape = Shape {
    name: "denial",
    fields: &[
        ("label", TEXT),
        ("labelled", TRUTH),
        ("status", NUMBER),
        ("condition", TEXT),
    ],
};

static LIMIT: Shape = Shape {
    name: "limit",
    fields: QUOTA,
};

static BUDGET: Shape = Shape {
    name: "budget",
    fields: QUOTA,
};

/// A field and its type.
type Field = (&'static str, fn() -> Type);

const QUOTA: &[Field] = &[
    ("label", TEXT),
    ("labelled", TRUTH),
    ("counts", TEXT),
    ("amount", DECIMAL),
    ("window", TEXT),
    ("per", TEXT),
    ("on", TEXT),
    ("conditional", TRUTH),
    ("condition", TEXT),
    ("enforced", TRUTH),
];

static REDACTION: Shape = Shape {
    name: "redaction",
    fields: &[
        ("what", TEXT),
        ("request", TRUTH),
        ("logs", TRUTH),
        ("response", TRUTH),
    ],
};

static CALLERS: Shape = Shape {
    name: "callers",
    fields: &[("anonymous", TRUTH), ("keys", TRUTH), ("jwt", TRUTH)],
};

static DEPLOY: Shape = Shape {
    name: "deploy",
    fields: &[
        ("declared", TRUTH),
        ("namespace", TEXT),
        ("shape", TEXT),
        ("replicas_least", NUMBER),
        ("replicas_most", NUMBER),
        ("monitor", TEXT),
        ("state", TEXT),
        ("image", TEXT),
    ],
};
