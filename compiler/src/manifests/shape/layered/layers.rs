//! What of a file the layered stack can be made from: two tiers, one rule on difficulty, each tier's home.

use waypost_lang::cel::typed::{Constant, Field, Function, Typed, TypedKind};
use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::Span;

use crate::manifests::Target;
use crate::manifests::object::dns_name;
use crate::manifests::shape::serving::{Pods, pods};
use crate::program::{
    Content, Escalation, Model, ModelIndex, Pool, PoolIndex, Provider, ProviderAuth, Tier, Via,
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
            let span = program
                .tiers
                .get(2)
                .map_or(target.deploy.span, |tier| tier.name.span);
            return Err(one(needs(span, "`shape layered` routes between two tiers")
                .label(format!("there are {}", program.tiers.len()))));
        };
        let Some(content) = program.contents.first() else {
            return Err(one(needs(
                target.deploy.span,
                "`shape layered` needs a `content` section",
            )));
        };
        if content.start.value != 0 {
            return Err(one(needs(
                content.start.span,
                "`shape layered` starts at the lower tier",
            )
            .label("RouteLLM answers weak unless the prompt is hard")));
        }
        let (rule, threshold) = difficulty_rule(content).map_err(one)?;
        let (weak, strong) = (route(target, weak), route(target, strong));
        match (weak, strong) {
            (Ok(weak), Ok(strong)) => Ok(Self {
                content,
                rule,
                threshold,
                weak,
                strong,
            }),
            (weak, strong) => Err(weak.err().into_iter().chain(strong.err()).collect()),
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

fn one(fault: Diagnostic) -> Vec<Diagnostic> {
    vec![fault]
}

fn needs(span: Span, message: &str) -> Diagnostic {
    codes::SHAPE_NEEDS
        .error(span, message)
        .help("use `shape waypost`, which does without")
}

fn difficulty_rule(content: &Content) -> Result<(&Escalation, f64), Diagnostic> {
    let declared = content.threshold.as_ref().map(|threshold| threshold.value);
    content
        .escalations
        .iter()
        .find_map(|rule| Some((rule, compared_difficulty(&rule.when, declared)?)))
        .ok_or_else(|| {
            needs(content.span, "`shape layered` needs a rule on `difficulty`")
                .label("RouteLLM decides by difficulty alone")
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

fn route<'p>(target: &Target<'p>, tier: &'p Tier) -> Result<Route<'p>, Diagnostic> {
    let home = tier
        .home()
        .and_then(|index| Some((index, target.program.models.get(index)?)));
    let Some((model_index, model)) = home else {
        return Err(needs(tier.name.span, "a tier without a model has no route"));
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
        Err(needs(
            model.name.span,
            "a model that nobody serves has no route",
        ))
    };
    Ok(Route {
        tier,
        model_index,
        model,
        upstream: upstream.unwrap_or_else(undeclared)?,
    })
}

fn provider(provider: &Provider) -> Result<Upstream<'_>, Diagnostic> {
    if provider.auth == ProviderAuth::WorkloadIdentity {
        let message = "this version writes no workload identity for agentgateway";
        return Err(codes::NOT_IN_THIS_BUILD
            .error(provider.name.span, message)
            .help("write `auth secret NAME`"));
    }
    Ok(Upstream::Provider(provider))
}

/// A pool as the Endpoint Picker can serve it: of pods, in the namespace of everything else.
fn placed<'p>(
    target: &Target<'p>,
    index: PoolIndex,
    pool: &'p Pool,
) -> Result<Upstream<'p>, Diagnostic> {
    match pods(target, pool) {
        None => Err(needs(
            pool.name.span,
            "the Endpoint Picker places pods, not addresses",
        )),
        Some(pods) if pods.namespace != target.namespace() => Err(needs(
            pool.name.span,
            "an InferencePool selects pods of its own namespace only",
        )
        .label(format!("its pods are in `{}`", pods.namespace))),
        Some(pods) => Ok(Upstream::Pool(index, pool, pods)),
    }
}
