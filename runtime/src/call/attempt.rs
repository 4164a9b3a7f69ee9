//! Asks one model: its upstream, or replicas of its pool, as often as the tier allows.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use tokio::time::sleep;
use waypost_policies::decision::{Decision, Route};
use waypost_policies::facts::{Request, Surface};
use waypost_policies::place::{NoPick, prefix};
use waypost_policies::plan::draft::{Overflow, Via};
use waypost_policies::request::prefix_text;
use waypost_policies::vm;

use super::answer::Answered;
use super::attempt_error::AttemptError;
use super::upstream::{self, Outgoing};
use crate::account::Account;
use crate::failure::Tried;
use crate::forward::{Shape, shape};
use crate::gateway::{Gateway, Model};
use crate::pool::{Picked, Placed, Wanted};
use crate::provider::{Credential, replica_address};

/// The pause before the first retry; it doubles each time.
const PAUSE: Duration = Duration::from_millis(100);
/// No pause is longer, whatever an upstream asks for: then another model is the better choice.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What stays the same whichever model is asked.
pub(super) struct Asking<'c> {
    gateway: &'c Arc<Gateway>,
    surface: Surface,
    headers: HeaderMap,
    /// The caller's body, redacted.
    body: Bytes,
    request: &'c Request<'c>,
}

/// One model, for as many attempts as it takes.
struct Target<'m> {
    model: &'m Model,
    route: &'m Route,
    body: Bytes,
    /// The hashes of its prompt.
    chain: Vec<u64>,
    /// How long an attempt may take to its first byte.
    patience: Duration,
    /// Replicas that failed already.
    excluded: Vec<u64>,
}

/// Where a model is asked.
struct Place {
    address: String,
    name: String,
    picked: Option<Picked>,
}

impl<'c> Asking<'c> {
    pub(super) fn new(
        gateway: &'c Arc<Gateway>,
        surface: Surface,
        headers: &HeaderMap,
        body: &Bytes,
        request: &'c Request<'c>,
    ) -> Self {
        Self {
            gateway,
            surface,
            headers: upstream::forwarded_headers(headers, request.stream),
            body: gateway.redactions.request(body),
            request,
        }
    }

    /// Asks the model of a route.
    pub(super) async fn model(
        &self,
        decision: &Decision,
        route: &Route,
        account: &mut Account,
    ) -> Result<Answered, AttemptError> {
        let model = self
            .gateway
            .model(route.model)
            .ok_or(AttemptError::NoReplica)?;
        let tier = self.gateway.tier_of(decision);
        let retries = tier.map_or(0, |tier| tier.retries);
        let patience = tier
            .and_then(|tier| tier.timeout)
            .unwrap_or(match self.request.stream {
                true => self.gateway.bounds.first_byte,
                false => self.gateway.bounds.whole_answer,
            });
        let mut target = Target {
            model,
            route,
            body: self.shaped(model, route),
            chain: self.chain(model),
            patience,
            excluded: Vec::new(),
        };
        let mut retry = 0;
        loop {
            let failure = match self.once(&mut target, account).await {
                Ok(answered) => return Ok(answered),
                Err(failure) => failure,
            };
            let upstreams = &self.gateway.metrics.upstreams;
            upstreams.failed(route.model, &model.name, failure.word());
            account.attempt_failed(failure.is_out_of_time());
            let Some(pause) =
                pause(&failure, retry, !target.excluded.is_empty()).filter(|_| retry < retries)
            else {
                return Err(failure);
            };
            sleep(pause).await;
            retry += 1;
            upstreams.retried(route.model, &model.name);
        }
    }

    /// What was tried, and what came of it.
    pub(super) fn tried(&self, route: &Route, failure: &AttemptError) -> Tried {
        let model = self
            .gateway
            .model(route.model)
            .map(|model| model.name.clone());
        Tried {
            model: model.unwrap_or_default(),
            replica: None,
            failure: failure.to_string(),
        }
    }

    async fn once(
        &self,
        target: &mut Target<'_>,
        account: &mut Account,
    ) -> Result<Answered, AttemptError> {
        let place = self.place(target).await?;
        account.sent(&place.name);
        let outgoing = Outgoing {
            address: &place.address,
            headers: &self.headers,
            credential: self.credential(target.model),
            body: &target.body,
            stream: self.request.stream,
            hides_usage: self.request.stream && !self.request.include_usage,
            answers: self.request.answers,
        };
        let longest = self.gateway.bounds.answer;
        let result = upstream::ask(&self.gateway.client, outgoing, target.patience, longest).await;
        if let Some(picked) = &place.picked {
            match &result {
                Ok(_) => picked.succeeded(),
                Err(failure) => {
                    target.excluded.push(picked.id);
                    if failure.is_of_replica() {
                        picked.failed();
                    }
                }
            }
        }
        let reply = result?;
        account.first_byte();
        Ok(Answered {
            reply,
            picked: place.picked,
        })
    }

    fn credential(&self, model: &Model) -> Option<&'c Credential> {
        match model.via {
            Via::Provider(index) => self.gateway.providers.get(usize::from(index))?.credential(),
            Via::Pool(_) => None,
        }
    }

    /// Where the model is asked now.
    async fn place(&self, target: &mut Target<'_>) -> Result<Place, AttemptError> {
        let index = match target.model.via {
            Via::Provider(index) => {
                let provider = self
                    .gateway
                    .providers
                    .get(usize::from(index))
                    .ok_or(AttemptError::NoReplica)?;
                return Ok(Place {
                    address: provider.address(self.surface, &target.model.upstream_name),
                    name: provider.name.clone(),
                    picked: None,
                });
            }
            Via::Pool(index) => index,
        };
        let pool = self
            .gateway
            .pools
            .get(usize::from(index))
            .ok_or(AttemptError::NoReplica)?;
        let picked = self.pick(pool, index, target).await?;
        Ok(Place {
            address: replica_address(&picked.base, self.surface),
            name: picked.base.to_string(),
            picked: Some(picked),
        })
    }

    async fn pick(
        &self,
        pool: &Placed,
        index: u16,
        target: &mut Target<'_>,
    ) -> Result<Picked, AttemptError> {
        let gateway = self.gateway;
        let conditions = !pool.placement.only.is_empty();
        let admits = |endpoint: &vm::Endpoint<'_>| {
            !conditions
                || gateway
                    .evaluations
                    .with(|evaluation| vm::admits(&gateway.plan, index, endpoint, evaluation))
        };
        let wanted = Wanted {
            chain: &target.chain,
            tokens: self.request.tokens.saturating_add(target.route.max_tokens),
            admits: &admits,
        };
        let mut picked = pool.pick(wanted, &target.excluded).await;
        if picked.is_err() && !target.excluded.is_empty() {
            // Each was tried: from the beginning.
            target.excluded.clear();
            picked = pool.pick(wanted, &target.excluded).await;
        }
        picked.map_err(|reason| match (reason, pool.placement.overflow) {
            (NoPick::Saturated, Overflow::Shed) => AttemptError::Shed,
            (NoPick::Saturated, Overflow::Next) => AttemptError::Saturated,
            (NoPick::NoEndpoint, _) => AttemptError::NoReplica,
        })
    }

    fn shaped(&self, model: &Model, route: &Route) -> Bytes {
        let shaped = shape(
            &self.body,
            &Shape {
                model: &model.upstream_name,
                rejects: &model.rejects,
                most_tokens: (self.surface != Surface::Embeddings).then_some(route.max_tokens),
                completion_tokens: model.completion_tokens && self.surface == Surface::Chat,
                stream: self.request.stream,
            },
        );
        for parameter in shaped.dropped {
            let upstreams = &self.gateway.metrics.upstreams;
            upstreams.dropped(route.model, &model.name, &parameter);
        }
        shaped.body
    }

    /// The hashes of the prompt, where replicas have caches.
    fn chain(&self, model: &Model) -> Vec<u64> {
        match model.via {
            Via::Pool(_) => prefix::chain(&model.upstream_name, &prefix_text(&self.body)),
            Via::Provider(_) => Vec::new(),
        }
    }
}

/// How long to wait before the same model is asked again; `None`: it is not worth it.
fn pause(failure: &AttemptError, retry: u32, elsewhere: bool) -> Option<Duration> {
    if !failure.is_worth_retrying() {
        return None;
    }
    if elsewhere && retry == 0 {
        return Some(Duration::ZERO);
    }
    let longest = PAUSE.saturating_mul(1 << retry.min(8)).min(LONGEST_PAUSE);
    let pause = longest / 2 + longest.mul_f64(random() / 2.0);
    match failure.retry_after() {
        Some(asked) if asked > LONGEST_PAUSE => None,
        Some(asked) => Some(asked.max(pause)),
        None => Some(pause),
    }
}

/// From 0 to 1: so that callers do not come back all at the same time.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}
