//! Ceilings as one JSON document; its fields are described in `docs/formats.md`.

use serde_json::{Map, Value, json};
use waypost_compiler::ceiling::{
    Ceiling, Ceilings, Excess, Figures, Horizon, Scope, Unbounded, excesses,
};

use crate::compile::Compiled;

pub(super) fn render(compiled: &Compiled, ceilings: &Ceilings, name: &str) -> String {
    let tiers = compiled.program.tiers.iter().zip(&ceilings.tiers);
    let tiers = tiers.map(|(tier, scope)| {
        let mut fields = fields(compiled, scope);
        fields.insert("tier".to_owned(), json!(tier.name.value));
        Value::Object(fields)
    });
    let document = json!({
        "version": 1,
        "file": name,
        "zone": ceilings.zone,
        "replicas": ceilings.replicas,
        "shared": excesses(&compiled.program).iter().map(excess).collect::<Vec<_>>(),
        "tiers": tiers.collect::<Vec<_>>(),
        "total": fields(compiled, &ceilings.file),
    });
    format!("{document}\n")
}

fn excess(excess: &Excess) -> Value {
    json!({
        "quota": excess.label,
        "counts": excess.counts,
        "leased": excess.leased,
        "away": excess.away,
        "alone": excess.alone,
    })
}

fn fields(compiled: &Compiled, scope: &Scope) -> Map<String, Value> {
    let models = &compiled.program.models;
    let unpriced = scope.unpriced.iter().filter_map(|index| models.get(*index));
    let unpriced: Vec<&str> = unpriced.map(|model| model.name.value.as_str()).collect();
    let all = [
        ("everyone", figures(compiled, &scope.everyone)),
        ("caller", figures(compiled, &scope.caller)),
        ("unpriced", json!(unpriced)),
    ];
    all.map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

fn figures(compiled: &Compiled, figures: &Figures) -> Value {
    let entry = |horizon: Horizon| {
        let value = ceiling(compiled, figures.of(horizon));
        (horizon.name().to_owned(), value)
    };
    Value::Object(Horizon::ALL.map(entry).into_iter().collect())
}

fn ceiling(compiled: &Compiled, ceiling: &Ceiling) -> Value {
    let (most, setters) = match ceiling {
        Ceiling::Unbounded(unbounded) => return open(compiled, unbounded),
        Ceiling::Bounded { most, by } => (most, by),
    };
    let rules = setters.iter().map(|setter| {
        let (file, line, _) = compiled.sources.position(setter.span);
        let mut rule = json!({
            "label": setter.label, "file": file, "line": line, "usd": setter.part.to_string(),
        });
        if let (Some(one_call), Some(rule)) = (setter.one_call, rule.as_object_mut()) {
            rule.insert("one_call_usd".to_owned(), json!(one_call.to_string()));
        }
        rule
    });
    json!({ "usd": most.to_string(), "rules": rules.collect::<Vec<_>>() })
}

fn open(compiled: &Compiled, unbounded: &Unbounded) -> Value {
    let program = &compiled.program;
    let tier = program.tiers.get(unbounded.tier);
    let model = program.models.get(unbounded.model);
    let quota = unbounded.nearest.quota();
    let quota = quota.and_then(|index| program.policy.quotas.get(index));
    let nearest = quota.map(|quota| {
        let (file, line, _) = compiled.sources.position(quota.span);
        json!({ "label": quota.label.text, "file": file, "line": line })
    });
    json!({
        "usd": null,
        "unbounded": {
            "tier": tier.map(|tier| &tier.name.value),
            "model": model.map(|model| &model.name.value),
            "why": unbounded.why(program),
            "nearest": nearest,
            "advice": unbounded.advice(program),
        },
    })
}
