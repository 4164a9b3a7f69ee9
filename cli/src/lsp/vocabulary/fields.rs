//! What the fields and statements of every block mean, and what completion writes for them.

/// A field: its block, its word, what it means, and what completion writes (with places to fill in).
type Row = (&'static str, &'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    (
        "",
        "import",
        "Takes in what another file, or a pack of the standard library, declares.",
        "import \"$1\"",
    ),
    (
        "",
        "secret",
        "Names a secret and says where it is kept; its value never stands in the file.",
        "secret ${1:name} = k8s(\"${2:namespace}/${3:object}\", \"${4:key}\")",
    ),
    (
        "",
        "let",
        "Names a constant for expressions.",
        "let ${1:NAME} = ${2:24k}",
    ),
    (
        "",
        "provider",
        "A hosted API.",
        "provider ${1:name} {\n  kind ${2:openai}\n  auth secret ${3:key}\n}",
    ),
    (
        "",
        "model",
        "A model: who serves it, how much it reads and writes, what a token costs.",
        "model ${1:name} {\n  via     ${2:provider}\n  context ${3:128k}  output ${4:4k}\n  price   input \\$${5:1.00}  output \\$${6:4.00}\n}",
    ),
    (
        "",
        "extend",
        "Writes fields of an imported model anew.",
        "extend model ${1:name} { $0 }",
    ),
    (
        "",
        "pool",
        "A group of replicas that serve the same models.",
        "pool ${1:name} {\n  engine ${2:vllm}\n  $0\n}",
    ),
    (
        "",
        "tiers",
        "The chain of tiers, lowest first.",
        "tiers ${1:weak} < ${2:strong}",
    ),
    (
        "",
        "tier",
        "The models that answer a call of this tier, in the order tried.",
        "tier ${1:name} { try ${2:model} }",
    ),
    (
        "",
        "content",
        "Which tier answers: reads the request, never the caller or money.",
        "content {\n  accept \"${1:auto}\"\n  start  ${2:weak}\n  $0\n}",
    ),
    (
        "",
        "policy",
        "May it, at what cost: reads the caller and money, never the prompt's text.",
        "policy {\n  $0\n}",
    ),
    (
        "",
        "place",
        "Which replica of a pool: reads live endpoint state only.",
        "place ${1:pool} {\n  $0\n}",
    ),
    (
        "",
        "deploy",
        "Where and how all of this runs.",
        "deploy kubernetes {\n  namespace \"${1:llm}\"\n  shape     ${2:waypost}\n  $0\n}",
    ),
    (
        "",
        "test",
        "A call, and what must come of it; `waypost test` runs it through the compiled plan.",
        "test \"${1:what must hold}\" {\n  given  { prompt \"${2:What is 2+2?}\" }\n  expect { tier ${3:weak} }\n}",
    ),
    (
        "",
        "catalog",
        "What a provider's list says of a model: what a model of that name need not say itself.",
        "catalog ${1:name} {\n  price  input \\$${2:1.00}  output \\$${3:4.00}  as of \"${4:2026-11-01}\"\n  source \"https://$5\"\n}",
    ),
    (
        "",
        "require",
        "What every file that imports this one must fulfil.",
        "require \"${1:what must hold}\" {\n  each ${2:tier}\n  that $0\n}",
    ),
    ("", "waypost", "The edition of the language.", "waypost 1"),
    (
        "provider",
        "kind",
        "The dialect and the authentication it speaks.",
        "kind $0",
    ),
    (
        "provider",
        "resource",
        "Azure's resource name: the address follows from it.",
        "resource \"$1\"",
    ),
    (
        "provider",
        "url",
        "The base that paths are appended to.",
        "url \"https://$1\"",
    ),
    (
        "provider",
        "version",
        "The API's version.",
        "version \"$1\"",
    ),
    (
        "provider",
        "region",
        "The region that it runs in.",
        "region \"$1\"",
    ),
    (
        "provider",
        "auth",
        "How calls are authenticated.",
        "auth secret $0",
    ),
    (
        "model",
        "via",
        "Who serves it: a provider, or `pool` and a pool.",
        "via $0",
    ),
    (
        "model",
        "context",
        "Prompt and answer together, in tokens.",
        "context ${1:128k}",
    ),
    (
        "model",
        "output",
        "The longest answer, in tokens.",
        "output ${1:4k}",
    ),
    (
        "model",
        "price",
        "US dollars per 1M tokens; rows of their own for longer prompts (`price above 200k …`) and for `batch`, `flex` and `priority`.",
        "price input \\$${1:1.00}  output \\$${2:4.00}",
    ),
    (
        "model",
        "rejects",
        "Parameters it refuses: dropped before sending, and counted.",
        "rejects $0",
    ),
    (
        "model",
        "serves",
        "Which surfaces it serves; chat if nothing is written.",
        "serves $0",
    ),
    (
        "model",
        "lacks",
        "What it cannot take: calls that send it go to the next model.",
        "lacks $0",
    ),
    (
        "pool",
        "kaito",
        "A KAITO workspace that runs the replicas.",
        "kaito { preset \"$1\"  replicas ${2:1..2} }",
    ),
    (
        "pool",
        "engine",
        "The inference engine: which metrics replicas have.",
        "engine $0",
    ),
    (
        "pool",
        "port",
        "The container's port: pools address pods, not Services.",
        "port ${1:8000}",
    ),
    (
        "pool",
        "endpoints",
        "Base URLs of replicas that exist.",
        "endpoints \"http://$1\"",
    ),
    (
        "pool",
        "dns",
        "A name and port that resolve to the replicas.",
        "dns \"$1\"",
    ),
    (
        "pool",
        "selector",
        "Pods that exist, by label.",
        "selector { ${1:app}: \"$2\" }",
    ),
    (
        "kaito",
        "preset",
        "The model preset of KAITO.",
        "preset \"$1\"",
    ),
    (
        "kaito",
        "instance",
        "The size of the machine.",
        "instance \"$1\"",
    ),
    (
        "kaito",
        "replicas",
        "How many replicas: a number, or from..to.",
        "replicas ${1:1..2}",
    ),
    (
        "tier",
        "try",
        "The model tried first, and after `then` those tried when it fails.",
        "try $0",
    ),
    (
        "tier",
        "split",
        "A share of calls to each of several models: a canary.",
        "split ${1:model} ${2:90%}, ${3:model} ${4:10%} by ${5:caller.key}",
    ),
    (
        "tier",
        "timeout",
        "How long one attempt may take to its first byte.",
        "timeout ${1:60s}",
    ),
    (
        "tier",
        "retries",
        "How often an attempt at one model is repeated; 0 if nothing is written.",
        "retries ${1:2}",
    ),
    (
        "tier",
        "hedge",
        "After how long without a first byte the tier's next model is asked beside one; the first to answer is the answer.",
        "hedge after ${1:2s}",
    ),
    (
        "content",
        "accept",
        "The model names that clients may send.",
        "accept \"$1\"",
    ),
    (
        "content",
        "start",
        "The tier that a call begins at.",
        "start $0",
    ),
    (
        "content",
        "escalate",
        "Raises a matching call to at least this tier.",
        "escalate to ${1:strong} \"${2:label}\" when $0",
    ),
    (
        "content",
        "threshold",
        "How high `difficulty` must be.",
        "threshold ${1:0.42}",
    ),
    (
        "content",
        "keep",
        "Within its window a session's tier does not fall.",
        "keep session ${1:request.headers[?\"x-session-id\"].orValue(\"\")} for ${2:10m}",
    ),
    (
        "policy",
        "callers",
        "Who may call.",
        "callers {\n  keys secret ${1:name}\n  anonymous deny\n}",
    ),
    (
        "policy",
        "deny",
        "Refuses a matching call; it beats everything.",
        "deny \"${1:label}\" status ${2:403} when $0",
    ),
    (
        "policy",
        "cap",
        "Lowers a matching call to at most this tier.",
        "cap at ${1:weak} \"${2:label}\" when $0",
    ),
    (
        "policy",
        "limit",
        "How many requests or tokens in a window.",
        "limit ${1:600} ${2|requests,tokens|} / ${3:1m}  per ${4:caller.key}",
    ),
    (
        "policy",
        "budget",
        "How much money in a window.",
        "budget \\$${1:50} / ${2|day,week,month|}  per ${3:caller.team}",
    ),
    (
        "policy",
        "redact",
        "Hides what looks like this, and where.",
        "redact ${1:email} in ${2:logs}",
    ),
    (
        "policy",
        "priority",
        "Which calls are served first: higher before lower.",
        "priority ${1:10} \"${2:label}\" when $0",
    ),
    (
        "callers",
        "keys",
        "The secret with the callers' keys.",
        "keys secret $0",
    ),
    (
        "callers",
        "jwt",
        "Callers by signed token.",
        "jwt { issuer \"$1\"  audience \"$2\"  jwks \"$3\" }",
    ),
    (
        "callers",
        "anonymous",
        "Whether calls without a key are let in.",
        "anonymous ${1|deny,allow|}",
    ),
    ("jwt", "issuer", "Who signs the tokens.", "issuer \"$1\""),
    ("jwt", "audience", "For whom they are.", "audience \"$1\""),
    (
        "jwt",
        "jwks",
        "Where the signer's keys are.",
        "jwks \"https://$1\"",
    ),
    (
        "jwt",
        "key",
        "The claim that is `caller.key`; without it `sub`.",
        "key \"${1:sub}\"",
    ),
    (
        "jwt",
        "team",
        "The claim that is `caller.team`; without it `team`.",
        "team \"$1\"",
    ),
    (
        "jwt",
        "agent",
        "The claim that is `caller.agent`; without it `agent`.",
        "agent \"${1:azp}\"",
    ),
    (
        "jwt",
        "plan",
        "The claim that is `caller.plan`; without it `plan`.",
        "plan \"$1\"",
    ),
    (
        "jwt",
        "name",
        "The claim that is `caller.name`; without it `name`.",
        "name \"$1\"",
    ),
    (
        "at",
        "at",
        "What happens at this share of the quota: `warn`, `deny`, `wait 5s` or `cap at TIER`.",
        "at ${1:100%} $0",
    ),
    (
        "place",
        "prefer",
        "What counts when a replica is picked, and how much.",
        "prefer ${1:prefix 3, queue 2}",
    ),
    (
        "place",
        "saturate",
        "When a replica is full.",
        "saturate ${1:queue 5, kv-cache 80%}",
    ),
    (
        "place",
        "overflow",
        "What happens when every replica is full: wait, then the tier's next model, or shed.",
        "overflow wait ${1:2s} then ${2|next,shed|}",
    ),
    (
        "place",
        "only",
        "Which replicas may be picked at all.",
        "only when $0",
    ),
    (
        "deploy",
        "namespace",
        "The namespace of everything.",
        "namespace \"$1\"",
    ),
    ("deploy", "shape", "What it compiles to.", "shape $0"),
    (
        "deploy",
        "replicas",
        "How many runtimes: a number, or from..to.",
        "replicas ${1:2..10}",
    ),
    (
        "deploy",
        "monitor",
        "Whose PodMonitors are written.",
        "monitor $0",
    ),
    (
        "deploy",
        "state",
        "Where limits and budgets are kept: each replica's own, or shared.",
        "state $0",
    ),
    ("deploy", "image", "The runtime's image.", "image \"$1\""),
    (
        "deploy",
        "versions",
        "Versions of what is deployed, so that the manifests fit.",
        "versions { $0 }",
    ),
    ("test", "given", "What the call is.", "given { $0 }"),
    ("test", "expect", "What must come of it.", "expect { $0 }"),
    ("given", "prompt", "The last user turn.", "prompt \"$1\""),
    ("given", "system", "The system prompt.", "system \"$1\""),
    (
        "given",
        "model",
        "The model name that the client sends.",
        "model \"$1\"",
    ),
    (
        "given",
        "tools",
        "The tools that the client offers, by name.",
        "tools \"$1\"",
    ),
    (
        "given",
        "header",
        "An HTTP header and its value.",
        "header \"$1\" \"$2\"",
    ),
    (
        "given",
        "metadata",
        "A key of the body's metadata and its value.",
        "metadata \"$1\" \"$2\"",
    ),
    (
        "given",
        "caller.key",
        "The caller's key.",
        "caller.key \"$1\"",
    ),
    (
        "given",
        "caller.team",
        "The caller's team.",
        "caller.team \"$1\"",
    ),
    (
        "given",
        "caller.agent",
        "The caller's agent.",
        "caller.agent \"$1\"",
    ),
    (
        "given",
        "caller.plan",
        "The caller's plan.",
        "caller.plan \"$1\"",
    ),
    (
        "given",
        "caller.name",
        "The caller's name.",
        "caller.name \"$1\"",
    ),
    (
        "given",
        "tokens",
        "The prompt's size in tokens, instead of the estimate.",
        "tokens ${1:30k}",
    ),
    (
        "given",
        "max_tokens",
        "The longest answer asked for.",
        "max_tokens ${1:100}",
    ),
    (
        "given",
        "turns",
        "How many messages the conversation has.",
        "turns ${1:3}",
    ),
    (
        "given",
        "images",
        "How many images it has.",
        "images ${1:1}",
    ),
    (
        "given",
        "stream",
        "Whether the answer is wanted as a stream.",
        "stream ${1|true,false|}",
    ),
    (
        "given",
        "temperature",
        "The temperature sent.",
        "temperature ${1:0.2}",
    ),
    (
        "given",
        "difficulty",
        "The difficulty, instead of the model's figure.",
        "difficulty ${1:0.9}",
    ),
    (
        "given",
        "spent",
        "Money already spent, on a tier or a model, or everywhere.",
        "spent \\$${1:50} on $0",
    ),
    (
        "given",
        "at",
        "The time of the call.",
        "at \"${1:2026-01-31T23:59:59Z}\"",
    ),
    ("expect", "tier", "The tier that answers.", "tier $0"),
    ("expect", "model", "The model that answers.", "model $0"),
    (
        "expect",
        "cost",
        "The expected cost is less than this.",
        "cost < \\$${1:0.001}",
    ),
    (
        "expect",
        "escalated",
        "This rule raised the call to its tier.",
        "escalated by \"$1\"",
    ),
    (
        "expect",
        "capped",
        "This rule, limit or budget lowered the call.",
        "capped by \"$1\"",
    ),
    (
        "expect",
        "denied",
        "The call is denied, by this rule if one is named.",
        "denied by \"$1\"",
    ),
    (
        "expect",
        "limited",
        "This limit or budget refuses the call.",
        "limited by \"$1\"",
    ),
    (
        "expect",
        "warned",
        "This limit or budget warns.",
        "warned by \"$1\"",
    ),
    (
        "expect",
        "status",
        "The status of the answer.",
        "status ${1:200}",
    ),
    (
        "expect",
        "priority",
        "The priority of the call.",
        "priority ${1:10}",
    ),
];

/// What a field means, and what completion writes for it.
pub(crate) fn field(block: &str, name: &str) -> Option<(&'static str, &'static str)> {
    let mut rows = ROWS.iter();
    let found = rows.find(|(kind, field, ..)| *kind == block && *field == name);
    found.map(|(.., meaning, snippet)| (*meaning, *snippet))
}

#[cfg(test)]
mod tests {
    use super::ROWS;
    use waypost_lang::syntax::Block;

    #[test]
    fn every_row_is_of_a_field_that_exists() {
        for (block, name, ..) in ROWS {
            let known = Block::of(block).and_then(|block| block.field(name));
            assert!(known.is_some(), "`{block}` has no `{name}`");
        }
    }
}
