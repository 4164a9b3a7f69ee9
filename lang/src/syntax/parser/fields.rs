//! The fields of every block, how each is written, and which may be written more than once.
//!
//! One table, so that the parser, its advice and what it takes for misspelt never disagree.

use crate::diagnostic::nearest;

/// A field or statement of a block.
#[derive(Debug)]
pub struct Field {
    /// Its first word; one that ends in `.` stands for every word that begins so.
    pub name: &'static str,
    /// An example of it.
    pub form: &'static str,
    /// Whether it may be written more than once.
    pub repeats: bool,
}

/// A kind of block.
#[derive(Debug)]
pub struct Block {
    /// The word before its `{`; empty for the file itself.
    pub kind: &'static str,
    /// An example of it, for blocks whose fields have names of the user's.
    pub(crate) form: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

impl Block {
    /// The block whose `{` stands after `kind`; the file itself for "", the outcomes of a quota for `at`.
    #[must_use]
    pub fn of(kind: &str) -> Option<&'static Self> {
        BLOCKS.iter().copied().find(|block| block.kind == kind)
    }

    /// The field that `word` begins.
    #[must_use]
    pub fn field(&self, word: &str) -> Option<&'static Field> {
        let matches = |field: &&Field| {
            let prefix = field.name.ends_with('.') && word.len() > field.name.len();
            field.name == word || (prefix && word.starts_with(field.name))
        };
        self.fields.iter().find(matches)
    }

    /// The field that a misspelt `word` was meant for, if that is plain. One or two letters are near to much.
    pub(crate) fn meant(&self, word: &str) -> Option<&'static Field> {
        let mut elsewhere = ELSEWHERE.iter().filter(|(other, _)| *other == word);
        if let Some(field) = elsewhere.find_map(|(_, here)| self.field(here)) {
            return Some(field);
        }
        let names = self.fields.iter().map(|field| field.name);
        let names = names.filter(|name| !name.ends_with('.'));
        let near = nearest(word, names).filter(|_| word.chars().count() > 2)?;
        self.field(near)
    }

    /// Its fields' names, as a list for messages.
    pub(crate) fn names(&self) -> String {
        let names = self
            .fields
            .iter()
            .filter(|field| !field.name.ends_with('.'));
        let names: Vec<String> = names.map(|field| format!("`{}`", field.name)).collect();
        names.join(", ")
    }

    /// What to write in it.
    pub(crate) fn advice(&self) -> String {
        match self.fields {
            [only] => format!("write it as `{}`", only.form),
            _ => format!("{} takes {}", self.title(), self.names()),
        }
    }

    /// How messages call it.
    pub(crate) fn title(&self) -> String {
        match self.kind {
            "" => "a file".to_owned(),
            "at" => "the outcomes of a quota".to_owned(),
            kind => format!("`{kind}`"),
        }
    }
}

/// What other tools call what is called so here, too far apart to be a slip of the pen.
static ELSEWHERE: &[(&str, &str)] = &[
    ("include", "import"),
    ("const", "let"),
    ("var", "let"),
    ("upstream", "provider"),
    ("backend", "provider"),
    ("policies", "policy"),
    ("routes", "content"),
    ("type", "kind"),
    ("api_version", "version"),
    ("base_url", "url"),
    ("api_base", "url"),
    ("endpoint", "url"),
    ("endpoint", "endpoints"),
    ("api_key", "auth"),
    ("key", "auth"),
    ("use", "try"),
    ("model", "try"),
    ("models", "try"),
    ("retry", "retries"),
    ("max_retries", "retries"),
    ("otherwise", "start"),
    ("upgrade", "escalate"),
    ("raise", "escalate"),
    ("default", "start"),
    ("block", "deny"),
    ("reject", "deny"),
    ("max_tokens", "output"),
    ("context_window", "context"),
    ("cost", "price"),
    ("team", "caller.team"),
    ("agent", "caller.agent"),
    ("plan", "caller.plan"),
    ("key", "caller.key"),
    ("name", "caller.name"),
];

/// The block in which a statement of another block was meant, if only one has it.
pub(crate) fn home_of(word: &str) -> Option<&'static str> {
    let mut homes = [&CONTENT, &POLICY, &PLACE, &TIER, &MODEL, &POOL, &PROVIDER]
        .into_iter()
        .filter(|block| block.field(word).is_some());
    let home = homes.next()?;
    homes.next().is_none().then_some(home.kind)
}

/// Every kind of block.
static BLOCKS: &[&Block] = &[
    &ITEMS, &PROVIDER, &MODEL, &POOL, &KAITO, &METRICS, &SELECTOR, &TIER, &CONTENT, &POLICY,
    &CALLERS, &JWT, &OUTCOMES, &PLACE, &DEPLOY, &VERSIONS, &CATALOG, &REQUIRE, &TEST, &GIVEN,
    &EXPECT,
];

const fn once(name: &'static str, form: &'static str) -> Field {
    Field {
        name,
        form,
        repeats: false,
    }
}

const fn many(name: &'static str, form: &'static str) -> Field {
    Field {
        name,
        form,
        repeats: true,
    }
}

const fn block(kind: &'static str, fields: &'static [Field]) -> Block {
    Block {
        kind,
        form: "",
        fields,
    }
}

const fn free_block(kind: &'static str, form: &'static str) -> Block {
    Block {
        kind,
        form,
        fields: &[],
    }
}

/// The statements of a file.
pub(crate) static ITEMS: Block = block(
    "",
    &[
        many("import", "import \"std/agents.route\""),
        many(
            "secret",
            "secret aoai_key = k8s(\"namespace/name\", \"key\")",
        ),
        many("let", "let LONG = 24000"),
        many("provider", "provider NAME { … }"),
        many("model", "model NAME { … }"),
        many("extend", "extend model NAME { … }"),
        many("catalog", "catalog NAME { … }"),
        many("pool", "pool NAME { … }"),
        many("tiers", "tiers weak < strong"),
        many("tier", "tier NAME { … }"),
        many("content", "content { … }"),
        many("policy", "policy { … }"),
        many("place", "place POOL { … }"),
        many("deploy", "deploy kubernetes { … }"),
        many(
            "test",
            "test \"what must hold\" { given { … } expect { … } }",
        ),
        many("require", "require \"what must hold\" { that … }"),
        many("waypost", "waypost 1"),
    ],
);

pub(crate) static PROVIDER: Block = block(
    "provider",
    &[
        once("kind", "kind azure-openai"),
        once("resource", "resource \"acme-aoai\""),
        once("url", "url \"https://llm.acme.dev/v1\""),
        once("version", "version \"2024-10-21\""),
        once("region", "region \"eu-west-1\""),
        once("auth", "auth secret NAME"),
    ],
);

pub(crate) static MODEL: Block = block(
    "model",
    &[
        once("via", "via PROVIDER deployment \"gpt-5.1\""),
        once("context", "context 400k"),
        once("output", "output 128k"),
        many("price", "price input $1.25  cached $0.125  output $10.00"),
        once("rejects", "rejects presence_penalty, frequency_penalty"),
        once("serves", "serves embeddings"),
        once("lacks", "lacks images, tools"),
        once("retires", "retires \"2027-03-31\""),
        once("listed", "listed as gpt-5.1"),
    ],
);

pub(crate) static CATALOG: Block = block(
    "catalog",
    &[
        once("context", "context 400k"),
        once("output", "output 128k"),
        many(
            "price",
            "price input $1.25  output $10.00  as of \"2026-11-01\"",
        ),
        once("rejects", "rejects presence_penalty, frequency_penalty"),
        once("serves", "serves embeddings"),
        once("lacks", "lacks images, tools"),
        once("retires", "retires \"2027-03-31\""),
        once("source", "source \"https://…\""),
    ],
);

pub(crate) static REQUIRE: Block = block(
    "require",
    &[
        once("each", "each tier"),
        once("when", "when tier.paid"),
        once("that", "that size(tier.budgets) > 0"),
        once("help", "help \"add a budget on {tier.name}\""),
        once("severity", "severity warning"),
    ],
);

pub(crate) static POOL: Block = block(
    "pool",
    &[
        once("kaito", "kaito { preset \"phi-4-mini-instruct\" }"),
        once("engine", "engine vllm"),
        once("port", "port 5000"),
        once("endpoints", "endpoints \"http://gpu-1.lab:8000\""),
        once("dns", "dns \"vllm.llm.svc:8000\""),
        once("selector", "selector { app: \"vllm\" } namespace \"llm\""),
    ],
);

pub(crate) static KAITO: Block = block(
    "kaito",
    &[
        once("preset", "preset \"phi-4-mini-instruct\""),
        once("instance", "instance \"Standard_NC24ads_A100_v4\""),
        once("replicas", "replicas 2..8"),
    ],
);

pub(crate) static METRICS: Block = free_block("custom", "queue \"metric_name\"");

pub(crate) static SELECTOR: Block = free_block("selector", "app: \"vllm\"");

pub(crate) static TIER: Block = block(
    "tier",
    &[
        once("try", "try phi-4-mini then gpt-5.1"),
        once("split", "split phi-4-mini 90%, qwen-3 10% by caller.key"),
        once("timeout", "timeout 60s"),
        once("retries", "retries 2"),
        once("hedge", "hedge after 2s"),
    ],
);

pub(crate) static CONTENT: Block = block(
    "content",
    &[
        many("accept", "accept \"auto\", models"),
        once("start", "start weak"),
        many("escalate", "escalate to strong \"label\" when …"),
        once("threshold", "threshold 0.42"),
        once("keep", "keep session … for 10m"),
    ],
);

pub(crate) static POLICY: Block = block(
    "policy",
    &[
        once("callers", "callers { keys secret NAME }"),
        many("deny", "deny \"label\" status 403 when …"),
        many("cap", "cap at weak \"label\" when …"),
        many("limit", "limit 600 requests / 1m per caller.key"),
        many("budget", "budget $50 / day per caller.team"),
        many("redact", "redact email, credit-card in request, logs"),
        many("priority", "priority 10 \"label\" when …"),
    ],
);

pub(crate) static CALLERS: Block = block(
    "callers",
    &[
        once("keys", "keys secret NAME"),
        once("jwt", "jwt { issuer \"…\"  audience \"…\"  jwks \"…\" }"),
        once("anonymous", "anonymous deny"),
    ],
);

pub(crate) static JWT: Block = block(
    "jwt",
    &[
        once("issuer", "issuer \"https://login.acme.dev\""),
        once("audience", "audience \"llm\""),
        once("jwks", "jwks \"https://login.acme.dev/keys\""),
        once("key", "key \"sub\""),
        once("team", "team \"department\""),
        once("agent", "agent \"azp\""),
        once("plan", "plan \"plan\""),
        once("name", "name \"name\""),
    ],
);

pub(crate) static OUTCOMES: Block = block("at", &[many("at", "at 100% cap at weak")]);

pub(crate) static PLACE: Block = block(
    "place",
    &[
        once("prefer", "prefer prefix 3, queue 2"),
        once("saturate", "saturate queue 5, kv-cache 80%"),
        once("overflow", "overflow wait 2s then next"),
        many("only", "only when …"),
    ],
);

pub(crate) static DEPLOY: Block = block(
    "deploy",
    &[
        once("namespace", "namespace \"llm\""),
        once("shape", "shape waypost"),
        once("replicas", "replicas 2..10"),
        once("monitor", "monitor azure"),
        once("state", "state redis secret NAME"),
        once("image", "image \"ghcr.io/acme/waypost:1\""),
        once("versions", "versions { kaito \"v1beta1\" }"),
    ],
);

pub(crate) static VERSIONS: Block = free_block("versions", "kaito \"v1beta1\"");

pub(crate) static TEST: Block = block(
    "test",
    &[
        once("given", "given { prompt \"What is 2+2?\" }"),
        once("expect", "expect { tier weak }"),
    ],
);

pub(crate) static GIVEN: Block = block(
    "given",
    &[
        once("prompt", "prompt \"What is 2+2?\""),
        once("system", "system \"You are terse.\""),
        once("model", "model \"auto\""),
        once("tools", "tools \"read_file\", \"write_file\""),
        many("header", "header \"x-priority\" \"high\""),
        many("metadata", "metadata \"key\" \"value\""),
        once("caller.key", "caller.key \"demo\""),
        once("caller.team", "caller.team \"payments\""),
        once("caller.agent", "caller.agent \"planner\""),
        once("caller.plan", "caller.plan \"free\""),
        once("caller.name", "caller.name \"Ada\""),
        once("caller.", "caller.team \"payments\""),
        once("tokens", "tokens 30k"),
        once("max_tokens", "max_tokens 100"),
        once("turns", "turns 3"),
        once("images", "images 1"),
        once("stream", "stream true"),
        once("temperature", "temperature 0.2"),
        once("difficulty", "difficulty 0.9"),
        many("spent", "spent $50 on strong"),
        once("at", "at \"2026-01-31T23:59:59Z\""),
    ],
);

pub(crate) static EXPECT: Block = block(
    "expect",
    &[
        once("tier", "tier weak"),
        once("model", "model phi-4-mini"),
        once("cost", "cost < $0.001"),
        many("escalated", "escalated by \"label\""),
        many("capped", "capped by \"label\""),
        once("denied", "denied by \"label\""),
        many("limited", "limited by \"label\""),
        many("warned", "warned by \"label\""),
        once("status", "status 403"),
        once("priority", "priority 10"),
    ],
);
