//! What the items of the compiled model have, which a `require` reads.

use waypost_lang::cel::typed::Shape;

/// By the item's kind and the field's name. Where the kind is "" it means the same of all of them.
#[rustfmt::skip]
const FIELDS: &[(&str, &str, &str)] = &[
    ("file", "name", "The name of the file that was given to the command."),
    ("file", "tiers", "Its tiers, lowest first."),
    ("file", "models", "Its models, imported ones among them."),
    ("file", "providers", "Its providers."),
    ("file", "pools", "Its pools."),
    ("file", "secrets", "Its secrets: where they are kept, never what they are."),
    ("file", "contents", "Its content sections."),
    ("file", "caps", "The caps of its policy."),
    ("file", "denials", "The denials of its policy."),
    ("file", "limits", "Its limits, budgets among them."),
    ("file", "budgets", "Its budgets: limits that count dollars."),
    ("file", "redactions", "What it hides, and where."),
    ("file", "callers", "Who may call."),
    ("file", "deploy", "Its deployment; `deploy.declared` says whether there is one."),
    ("file", "tests", "How many `test` blocks it has."),
    ("tier", "rank", "Its place in the chain: 0 is the lowest."),
    ("tier", "paid", "Whether a provider is paid for one of its models."),
    ("tier", "models", "Its models in the order tried."),
    ("tier", "budgets", "Budgets that count a model of it that is paid for."),
    ("tier", "limits", "Limits and budgets that count a model of it that is paid for."),
    ("tier", "timeout", "How long a call to it may take; 0 where it does not say."),
    ("tier", "retries", "How often a failed attempt is tried again."),
    ("tier", "hedge", "How long it waits before it asks a second time; 0 where it does not."),
    ("model", "provider", "The provider that serves it; \"\" where a pool does."),
    ("model", "pool", "The pool that serves it; \"\" where a provider does."),
    ("model", "hosted", "Whether a pool of your own serves it."),
    ("model", "paid", "Whether its provider is paid for it."),
    ("model", "priced", "Whether it has a price, of its own or from the catalog."),
    ("model", "price", "Its price in US dollars per million tokens; all 0 without one."),
    ("model", "context", "Tokens of prompt and answer together; 0 where it does not say."),
    ("model", "output", "Tokens of its longest answer; 0 where it does not say."),
    ("model", "serves", "The interfaces it has: `chat`, `completions`, `embeddings`."),
    ("model", "lacks", "What it cannot take: `images`, `tools`."),
    ("model", "rejects", "Optional parameters that are dropped before sending."),
    ("model", "retires", "The day from which on it answers no more, as `2027-04-01`; \"\" where it does not say."),
    ("model", "listed", "The catalog entry that it takes figures from; \"\" without one."),
    ("model", "budgets", "Budgets that count it."),
    ("model", "limits", "Limits and budgets that count it."),
    ("price", "input", "US dollars per million tokens of the prompt."),
    ("price", "cached", "US dollars per million tokens of the prompt that are read from a cache."),
    ("price", "cache_write", "US dollars per million tokens of the prompt that are written to a cache."),
    ("price", "cache_write_1h", "US dollars per million tokens of the prompt that are written to a cache for an hour."),
    ("price", "audio_input", "US dollars per million tokens of sound in the prompt."),
    ("price", "audio_cached", "US dollars per million tokens of sound in the prompt that are read from a cache."),
    ("price", "image_input", "US dollars per million tokens of images in the prompt."),
    ("price", "output", "US dollars per million tokens of the answer."),
    ("price", "reasoning", "US dollars per million tokens that the model thinks."),
    ("price", "audio_output", "US dollars per million tokens of sound in the answer."),
    ("price", "as_of", "The day on which it was read, as `2026-11-01`; \"\" where it does not say."),
    ("provider", "kind", "The API it speaks: `openai`, `azure-openai`, `anthropic`, `openai-compatible`."),
    ("provider", "url", "The base that paths are appended to."),
    ("provider", "version", "Azure's `api-version`; \"\" where it does not say."),
    ("provider", "auth", "How it is called: `secret`, `workload-identity` or `none`."),
    ("pool", "engine", "What its replicas run: `vllm`, `sglang`, `trtllm` or `custom`."),
    ("pool", "source", "How its replicas are found: `kaito`, `selector`, `endpoints` or `dns`."),
    ("pool", "addresses", "The addresses of its endpoints, where they are written."),
    ("pool", "replicas_least", "The fewest replicas that KAITO runs."),
    ("pool", "replicas_most", "The most replicas that KAITO runs."),
    ("pool", "saturates", "Whether it says when a replica is full."),
    ("secret", "source", "Where it is kept: `kubernetes`, `environment` or `file`."),
    ("content", "accepts", "The model names that it takes."),
    ("content", "start", "The tier that its calls start at."),
    ("content", "escalations", "What raises its calls."),
    ("content", "keeps", "Whether it keeps a session's tier."),
    ("escalation", "to", "The tier that it raises to."),
    ("cap", "to", "The highest tier that it allows."),
    ("denial", "status", "The status of the answer."),
    ("redaction", "what", "What it hides: a kind such as `email`, or a pattern."),
    ("redaction", "request", "Whether it is hidden in what is sent upstream."),
    ("redaction", "logs", "Whether it is hidden in logs."),
    ("redaction", "response", "Whether it is hidden in answers."),
    ("callers", "anonymous", "Whether calls without a key are let in."),
    ("callers", "keys", "Whether callers have keys."),
    ("callers", "jwt", "Whether callers have signed tokens."),
    ("deploy", "declared", "Whether the file has a deployment."),
    ("deploy", "namespace", "The namespace that it is deployed to."),
    ("deploy", "shape", "Which manifests are written: `waypost`, `layered` or `gateway-api`."),
    ("deploy", "replicas_least", "The fewest runtimes."),
    ("deploy", "replicas_most", "The most runtimes: what each counts by itself is multiplied by it."),
    ("deploy", "monitor", "Whose monitors are written: `azure`, `prometheus` or \"\"."),
    ("deploy", "state", "Where use is counted: `local` or `redis`."),
    ("deploy", "image", "The image of the runtime; \"\" where it does not say."),
    ("", "counts", "What it counts: `requests`, `tokens` or `dollars`."),
    ("", "amount", "How much it allows in its window."),
    ("", "window", "Its window: `day`, `1m`."),
    ("", "per", "What each has a count of its own, as written; \"\" where all share one."),
    ("", "on", "The model that it counts; \"\" where it counts all."),
    ("", "conditional", "Whether it has a `when`."),
    ("", "enforced", "Whether it refuses or caps, and does not only warn."),
    ("", "name", "Its name."),
    ("", "label", "What it is called by."),
    ("", "labelled", "Whether that was written."),
    ("", "condition", "Its `when`, as written; \"\" without one."),
];

/// What the field `name` of an item means.
pub(crate) fn item_field(shape: &Shape, name: &str) -> Option<&'static str> {
    let of = |kind: &str| {
        let mut fields = FIELDS.iter();
        fields.find(|(one, field, _)| *one == kind && *field == name)
    };
    let found = of(shape.name).or_else(|| of(""))?;
    Some(found.2)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use waypost_compiler::demands::Kind;
    use waypost_lang::cel::typed::{Shape, Type};

    use super::{FIELDS, item_field};

    fn visit(shape: &'static Shape, seen: &mut BTreeSet<(&'static str, &'static str)>) {
        for (name, ty) in shape.fields {
            let said = item_field(shape, name);
            assert!(said.is_some(), "say what {}.{name} means", shape.name);
            seen.insert((shape.name, name));
            if let Type::Struct(inner) = ty() {
                visit(inner, seen);
            }
        }
    }

    #[test]
    fn every_field_of_an_item_has_a_meaning_and_no_other() {
        let mut seen = BTreeSet::new();
        for (_, ty) in Kind::items() {
            let Type::Struct(shape) = ty else { continue };
            visit(shape, &mut seen);
        }
        for (kind, field, _) in FIELDS {
            let is_one =
                |(shape, name): &(&str, &str)| (kind.is_empty() || shape == kind) && name == field;
            assert!(seen.iter().any(is_one), "{kind}.{field} is no field");
        }
    }
}
