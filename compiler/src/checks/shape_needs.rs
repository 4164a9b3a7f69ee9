//! WP0503: what a shape needs of the file, so that its manifests can say the same.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use crate::program::{
    Model, PoolSource, Program, ProviderAuth, SecretIndex, SecretSource, Shape, Tier, Via,
};

/// What keeps the program from being deployed in `shape`. The file's own shape is checked with the file;
/// another one, asked for on the command line, is checked by this.
#[must_use]
pub fn shape_needs(program: &Program, shape: Shape) -> Vec<Diagnostic> {
    let mut found = secrets_elsewhere(program);
    if shape == Shape::Layered {
        found.extend(layered(program));
        found.extend(program.tiers.iter().filter_map(hedged));
    }
    found
}

/// A pod can only mount secrets of its own namespace.
fn secrets_elsewhere(program: &Program) -> Vec<Diagnostic> {
    let Some(deploy) = &program.deploy else {
        return Vec::new();
    };
    let mut used: Vec<SecretIndex> = program
        .providers
        .iter()
        .filter_map(|provider| match provider.auth {
            ProviderAuth::Secret(secret) => Some(secret),
            ProviderAuth::WorkloadIdentity | ProviderAuth::None => None,
        })
        .chain(program.policy.keys)
        .chain(deploy.redis.map(|redis| redis.secret))
        .collect();
    used.sort_unstable();
    used.dedup();
    let secrets = used
        .into_iter()
        .filter_map(|index| program.secrets.get(index));
    let mut elsewhere = secrets.filter_map(|secret| match &secret.source {
        SecretSource::Kubernetes { namespace, .. } if *namespace != deploy.namespace => {
            Some((&secret.name, namespace))
        }
        _ => None,
    });
    let Some((first, namespace)) = elsewhere.next() else {
        return Vec::new();
    };
    let own = &deploy.namespace;
    let finding = codes::SHAPE_NEEDS
        .error(
            first.span,
            format!("the secret `{}` cannot be mounted", first.value),
        )
        .label(format!(
            "is in the namespace `{namespace}`, the pods are in `{own}`"
        ))
        .help(format!(
            "keep it in `{own}`: a pod mounts secrets of its own namespace only"
        ));
    // Several of them are one mistake: it may be the deployment's namespace that is wrong.
    vec![elsewhere.fold(finding, |finding, (other, namespace)| {
        finding.because(other.span, format!("is in `{namespace}` too"))
    })]
}

/// agentgateway asks one backend at a time.
fn hedged(tier: &Tier) -> Option<Diagnostic> {
    let hedge = tier.hedge.as_ref()?;
    let message = "the shape `layered` asks one model at a time";
    Some(
        codes::SHAPE_NEEDS
            .error(hedge.span, message)
            .label("would not be done")
            .help("leave out `hedge`, or write `shape waypost`"),
    )
}

/// RouteLLM knows one weak and one strong model; the Endpoint Picker picks pods; agentgateway calls the API.
fn layered(program: &Program) -> Option<Diagnostic> {
    let [weak, strong] = program.tiers.as_slice() else {
        let (first, last) = (program.tiers.first()?, program.tiers.last()?);
        let chain = program.tiers.len();
        return Some(
            codes::SHAPE_NEEDS
                .error(last.name.span, "the shape `layered` needs exactly two tiers")
                .label(format!("the last of {chain}"))
                .because(first.name.span, "the first")
                .help("RouteLLM knows one weak and one strong model: declare two tiers, or write `shape waypost`"),
        );
    };
    weak_in_pods(program, weak).or_else(|| strong_hosted(program, strong))
}

fn home<'a>(program: &'a Program, tier: &Tier) -> Option<&'a Model> {
    tier.home().and_then(|model| program.models.get(model))
}

fn weak_in_pods(program: &Program, weak: &Tier) -> Option<Diagnostic> {
    let model = home(program, weak)?;
    let pods = match model.via {
        Via::Pool(pool) => matches!(
            program.pools.get(pool).map(|pool| &pool.source),
            Some(PoolSource::Kaito { .. } | PoolSource::Selector { .. })
        ),
        Via::Provider(_) => false,
    };
    (!pods).then(|| {
        codes::SHAPE_NEEDS
            .error(
                weak.name.span,
                "the shape `layered` needs the lowest tier in pods of the cluster",
            )
            .label(format!("tries `{}` first", model.name.value))
            .because(model.name.span, "not served by a pool of pods")
            .help("the Endpoint Picker picks among pods: serve it by a `kaito` or `selector` pool, or write `shape waypost`")
    })
}

fn strong_hosted(program: &Program, strong: &Tier) -> Option<Diagnostic> {
    let model = home(program, strong)?;
    matches!(model.via, Via::Pool(_)).then(|| {
        codes::SHAPE_NEEDS
            .error(
                strong.name.span,
                "the shape `layered` needs the highest tier at a provider",
            )
            .label(format!("tries `{}` first", model.name.value))
            .because(model.name.span, "served by a pool")
            .help("agentgateway's strong route calls a hosted API: use a `provider`, or write `shape waypost`")
    })
}
