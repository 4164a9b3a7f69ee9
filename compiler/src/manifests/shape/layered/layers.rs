//! What of a file the layered stack can be made from: two tiers, one rule on difficulty, each tier's home.

use waypost_lang::cel::typed::{Constant, Field, Function, Typed, TypedKind};
use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::Span;

use crate::manifests::object::dns_name;
use crate::manifests::shape::serving::{Pods, pods};
use crate::manifests::{Refusal, Target};
use crate::program::{
    Content, Escalation, Model, ModelIndex, Pool, PoolIndex, Provider, ProviderAuth, ProviderKind,
    Tier, Via,
};

/// The file as the three layers see it.
pub(super) struct Layers<'p> {
    pub(super) content: &'p Content,
    /// The rule that RouteLLM stands for.
    pub(super) rule: &'p Escalation,
    pub(super) threshold: f64,
    pub(super) weak: Route<'p>,
    pub(super) strong: Route<'p>,
}

/// One of RouteLLM's two answers, and agentgateway's route for it.
pub(super) struct Route<'p> {
    pub(super) tier: &'p Tier,
    pub(super) model_index: ModelIndex,
    pub(super) model: &'p Model,
    pub(super) upstream: Upstream<'p>,
}

/// Who answers.
pub(super) enum Upstream<'p> {
    Provider(&'p Provider),
    Pool(PoolIndex, &'p Pool, Pods),
}

impl Route<'_> {
    /// The route's name, and the start of its path.
    pub(super) fn name(&self) -> String {
        dns_name(&self.tier.name.value)
    }
}

impl<'p> Layers<'p> {
    /// Finds the layers in a file.
    pub(super) fn of(target: &Target<'p>) -> Result<Self, Vec<Diagnostic>> {
        let program = target.program;
        let [weak, strong] = program.tiers.as_slice() else {
            let fault = needs(
                target.deploy.span,
                "`shape layered` routes between two tiers",
            );
            return Err(vec![fault]);
        };
        if dns_name(&weak.name.value) == dns_name(&strong.name.value) {
            return Err(vec![one_path(weak, strong)]);
        }
        let content = content(target).map_err(|fault| vec![*fault])?;
        let (rule, threshold) = difficulty_rule(content).map_err(|fault| vec![*fault])?;
        match (route(target, weak), route(target, strong)) {
            (Ok(weak), Ok(strong)) => Ok(Self {
                content,
                rule,
                threshold,
                weak,
                strong,
            }),
            (weak, strong) => {
                let faults = weak.err().into_iter().chain(strong.err());
                Err(faults.map(|fault| *fault).collect())
            }
        }
    }

    /// Both routes, the strong one first, as one reads the config: what is paid for comes first.
    pub(super) fn routes(&self) -> [&Route<'p>; 2] {
        [&self.strong, &self.weak]
    }

    /// The model name that clients send: it carries the threshold.
    pub(super) fn router_name(&self) -> String {
        format!("router-mf-{}", self.threshold)
    }
}

fn needs(span: Span, message: &str) -> Diagnostic {
    codes::SHAPE_NEEDS
        .error(span, message)
        .help("use `shape waypost`, which does without")
}

fn one_path(weak: &Tier, strong: &Tier) -> Diagnostic {
    let path = dns_name(&weak.name.value);
    codes::SHAPE_NEEDS
        .error(
            strong.name.span,
            format!("both tiers become the route `/{path}`"),
        )
        .label("`.` and `_` become `-`")
        .because(weak.name.span, "the other tier")
        .help("give one of them another name, or use `shape waypost`")
}

/// The first section, which must start where RouteLLM does.
fn content<'p>(target: &Target<'p>) -> Result<&'p Content, Refusal> {
    let Some(content) = target.program.contents.first() else {
        let message = "`shape layered` needs a `content` section";
        return Err(needs(target.deploy.span, message).into());
    };
    if content.start.value == 0 {
        return Ok(content);
    }
    let message = "`shape layered` starts at the lower tier";
    Err(needs(content.start.span, message)
        .label("RouteLLM answers weak unless the prompt is hard")
        .into())
}

fn difficulty_rule(content: &Content) -> Result<(&Escalation, f64), Refusal> {
    let declared = content.threshold.as_ref().map(|threshold| threshold.value);
    content
        .escalations
        .iter()
        .filter(|rule| rule.tier == 1)
        .find_map(|rule| Some((rule, compared_difficulty(&rule.when, declared)?)))
        .ok_or_else(|| {
            needs(content.span, "`shape layered` needs a rule on `difficulty`")
                .label("RouteLLM decides by difficulty alone")
                .into()
        })
}

/// The threshold of `difficulty >= threshold` or `difficulty >= 0.42`.
fn compared_difficulty(when: &Typed, declared: Option<f64>) -> Option<f64> {
    let TypedKind::Call(Function::GreaterOrEqual, sides) = &when.kind else {
        return None;
    };
    let [left, right] = sides.as_slice() else {
        return None;
    };
    if left.kind != TypedKind::Field(Field::Difficulty) {
        return None;
    }
    match &right.kind {
        TypedKind::Field(Field::Threshold) => declared,
        TypedKind::Constant(Constant::Double(value)) => Some(*value),
        _ => None,
    }
}

fn route<'p>(target: &Target<'p>, tier: &'p Tier) -> Result<Route<'p>, Refusal> {
    let home = tier
        .home()
        .and_then(|index| Some((index, target.program.models.get(index)?)));
    let Some((model_index, model)) = home else {
        return Err(needs(tier.name.span, "a tier without a model has no route").into());
    };
    let upstream = match model.via {
        Via::Provider(index) => target.program.providers.get(index).map(provider),
        Via::Pool(index) => target
            .program
            .pools
            .get(index)
            .map(|pool| placed(target, index, pool)),
    };
    let undeclared = || {
        let message = "a model that nobody serves has no route";
        Err(needs(model.name.span, message).into())
    };
    Ok(Route {
        tier,
        model_index,
        model,
        upstream: upstream.unwrap_or_else(undeclared)?,
    })
}

fn provider(provider: &Provider) -> Result<Upstream<'_>, Refusal> {
    if provider.auth == ProviderAuth::WorkloadIdentity {
        let message = "this version writes no workload identity for agentgateway";
        return Err(codes::NOT_IN_THIS_BUILD
            .error(provider.name.span, message)
            .help("write `auth secret NAME`")
            .into());
    }
    if matches!(provider.kind, ProviderKind::Gemini | ProviderKind::Bedrock) {
        let message = format!(
            "this version writes no configuration of agentgateway for `{}`",
            provider.kind.word()
        );
        return Err(codes::NOT_IN_THIS_BUILD
            .error(provider.name.span, message)
            .help("write `shape waypost`, whose runtime speaks it")
            .into());
    }
    Ok(Upstream::Provider(provider))
}

/// A pool as the Endpoint Picker can serve it: of pods, in the namespace of everything else.
fn placed<'p>(
    target: &Target<'p>,
    index: PoolIndex,
    pool: &'p Pool,
) -> Result<Upstream<'p>, Refusal> {
    let Some(pods) = pods(target, pool) else {
        let message = "the Endpoint Picker places pods, not addresses";
        return Err(needs(pool.name.span, message).into());
    };
    if pods.namespace == target.namespace() {
        return Ok(Upstream::Pool(index, pool, pods));
    }
    let message = "an InferencePool selects pods of its own namespace only";
    Err(needs(pool.name.span, message)
        .label(format!("its pods are in `{}`", pods.namespace))
        .into())
}
