//! What an expression reads: the plan, the facts, and what the decision has come to so far.

use std::borrow::Cow;

use super::datum::Datum;
use super::value::{Failure, Value};
use super::vocabulary::{Field, Map};
use crate::facts::Facts;
use crate::money::NanoDollars;
use crate::plan::Plan;
use crate::plan::draft::{ModelIndex, TierIndex};
use crate::plan::view::{Rows, StringConstant};

/// What a rule of the policy sees of the decision: `tier`, `model` and `cost`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Context {
    pub(crate) tier: TierIndex,
    pub(crate) model: ModelIndex,
    pub(crate) estimate: NanoDollars,
    pub(crate) ceiling: NanoDollars,
}

/// A replica, as `only when` sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Endpoint<'a> {
    /// Its labels, by the slots of [`Plan::labels`].
    pub labels: &'a [Option<Cow<'a, str>>],
    /// Its zone; "" where it is not known.
    pub zone: &'a str,
    /// Requests waiting.
    pub queue: u64,
    /// The share of its KV cache in use, 0 to 1.
    pub kv_cache: f64,
    /// The adapters it has loaded.
    pub lora: &'a [Cow<'a, str>],
}

pub(crate) struct Inputs<'a> {
    pub(crate) plan: &'a Plan,
    /// The plan's string constants.
    pub(super) strings: Rows<'a, StringConstant>,
    pub(crate) facts: Option<&'a Facts<'a>>,
    pub(crate) endpoint: Option<Endpoint<'a>>,
    pub(crate) context: Context,
    pub(crate) threshold: Option<f64>,
    pub(crate) difficulty: Option<f64>,
    /// What expressions read that are not evaluated on facts.
    pub(super) variables: &'a [Datum],
}

impl<'a> Inputs<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        facts: Option<&'a Facts<'a>>,
        endpoint: Option<Endpoint<'a>>,
    ) -> Self {
        Self {
            plan,
            strings: plan.root().constants().strings(),
            facts,
            endpoint,
            context: Context::default(),
            threshold: None,
            difficulty: None,
            variables: &[],
        }
    }

    /// A fact. [`Field::Difficulty`] is the machine's to compute, and [`Field::RequestTemperature`] an optional that it makes.
    pub(super) fn field(&self, field: Field) -> Value<'a> {
        let value = match field {
            Field::EndpointZone
            | Field::EndpointQueue
            | Field::EndpointKvCache
            | Field::EndpointLora => self.endpoint_field(field),
            Field::Tier
            | Field::Model
            | Field::CostEstimate
            | Field::CostCeiling
            | Field::Threshold
            | Field::Difficulty => self.decision_field(field),
            _ => self.call_field(field),
        };
        value.unwrap_or(Value::Failed(Failure::Missing))
    }

    fn call_field(&self, field: Field) -> Option<Value<'a>> {
        let facts = self.facts?;
        let (request, caller) = (facts.request, &facts.caller);
        Some(match field {
            Field::RequestModel => Value::Text(&request.model),
            Field::RequestPath => Value::Text(&request.path),
            Field::RequestPrompt => Value::Text(&request.prompt),
            Field::RequestSystem => Value::Text(&request.system),
            Field::RequestMessages => Value::Messages(&request.messages),
            Field::RequestTools => Value::Tools(&request.tools),
            Field::RequestTokens => Value::int(request.tokens),
            Field::RequestMaxTokens => Value::int(request.max_tokens.unwrap_or(0)),
            Field::RequestTurns => Value::int(request.turns),
            Field::RequestImages => Value::int(request.images),
            Field::RequestStream => Value::Bool(request.stream),
            Field::RequestResponseFormat => Value::Text(&request.response_format),
            Field::CallerKey => Value::Text(&caller.key),
            Field::CallerTeam => Value::Text(&caller.team),
            Field::CallerAgent => Value::Text(&caller.agent),
            Field::CallerPlan => Value::Text(&caller.plan),
            Field::CallerName => Value::Text(&caller.name),
            Field::SourceIp => Value::Ip(facts.source_ip.to_canonical()),
            Field::Now => {
                let seconds = facts.now.div_euclid(1_000_000_000);
                let nanoseconds = facts.now.rem_euclid(1_000_000_000);
                Value::Timestamp(seconds, u32::try_from(nanoseconds).unwrap_or(0))
            }
            _ => return None,
        })
    }

    fn decision_field(&self, field: Field) -> Option<Value<'a>> {
        let context = &self.context;
        Some(match field {
            Field::Threshold => Value::Double(self.threshold?),
            Field::Tier => Value::Text(self.plan.tier(context.tier)?.name()),
            Field::Model => Value::Text(self.plan.model(context.model)?.name()),
            Field::CostEstimate => Value::Double(context.estimate.dollars()),
            Field::CostCeiling => Value::Double(context.ceiling.dollars()),
            _ => return None,
        })
    }

    fn endpoint_field(&self, field: Field) -> Option<Value<'a>> {
        let endpoint = self.endpoint?;
        Some(match field {
            Field::EndpointZone => Value::Text(endpoint.zone),
            Field::EndpointQueue => Value::int(endpoint.queue),
            Field::EndpointKvCache => Value::Double(endpoint.kv_cache),
            Field::EndpointLora => Value::Strings(endpoint.lora),
            _ => return None,
        })
    }

    /// The value of a map's slot, where it has one.
    pub(crate) fn slot(&self, map: Map, slot: u16) -> Option<Value<'a>> {
        match map {
            Map::Claims => {
                let claims = &self.facts?.caller.claims;
                claims.get(usize::from(slot))?.as_ref().map(Value::from)
            }
            map => self.slot_text(map, slot).map(Value::Text),
        }
    }

    /// The text of a map's slot, where it has one; claims have none.
    #[inline]
    pub(super) fn slot_text(&self, map: Map, slot: u16) -> Option<&'a str> {
        let values: &'a [Option<Cow<'a, str>>] = match map {
            Map::Headers => &self.facts?.request.headers,
            Map::Metadata => &self.facts?.request.metadata,
            Map::Labels => self.endpoint?.labels,
            Map::Claims => return None,
        };
        values.get(usize::from(slot))?.as_deref()
    }
}
