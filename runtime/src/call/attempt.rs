//! Asks one model: its upstream, or replicas of its pool, as often as the tier allows.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use tokio::time::sleep;
use waypost_policies::Facts;
use waypost_policies::decision::{Decision, Route};
use waypost_policies::facts::{Request, Surface};
use waypost_policies::place::prefix;
use waypost_policies::plan::draft::{Overflow, Via};
use waypost_policies::vm;

use super::answer::Answered;
use super::attempt_error::AttemptError;
use super::deadline::Deadline;
use super::upstream::{self, Dialects, Head, Outgoing, Reply};
use crate::account::Held;
use crate::clock;
use crate::dialect::Dialect;
use crate::failure::Tried;
use crate::forward::{Shape, cached_parts, shape, without};
use crate::gateway::{Gateway, Model, lock};
use crate::json::{self, Member};
use crate::pool::{LeftAlone, Picked, Placed, Seat, Unplaced, Wanted};
use crate::provider::{Provider, replica_address, spoken_by_engines};
use crate::queue::Rank;
use crate::translate::{Context, Pair, Sent, Wanted as Said, without_unsigned_thoughts};

/// The pause before the first retry; it doubles each time.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest answer that is asked for where neither the caller nor the file says, and the upstream must be told.
const USUAL_ANSWER: u64 = 4096;
/// No pause is longer, whatever an upstream asks for: then another model is the better choice.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What stays the same whichever model is asked.
pub(super) struct Asking<'c> {
    gateway: &'c Arc<Gateway>,
    surface: Surface,
    headers: HeaderMap,
    /// The caller's body.
    body: &'c Bytes,
    /// The same as text, redacted.
    text: Cow<'c, str>,
    request: &'c Request<'c>,
    deadline: Deadline,
    request_id: &'c str,
    /// Who calls: a hash.
    caller: u64,
    /// Whether models are asked that have failed lately: there is nobody else.
    insists: bool,
}

/// One model, for as many attempts as it takes.
struct Target<'m> {
    model: &'m Model,
    route: &'m Route,
    body: Bytes,
    dialects: Dialects,
    /// The hashes of its prompt.
    chain: Vec<u64>,
    /// How long an attempt may take to its first byte.
    patience: Duration,
    /// Whether it is served before others, where calls wait.
    priority: i64,
    /// Replicas that failed already.
    excluded: Vec<u64>,
}

/// Where a model is asked.
struct Place {
    address: String,
    name: Arc<str>,
    seat: Seat,
}

impl<'c> Asking<'c> {
    pub(super) fn new(
        gateway: &'c Arc<Gateway>,
        surface: Surface,
        headers: &HeaderMap,
        (body, text): (&'c Bytes, &'c str),
        facts: &Facts<'c>,
        deadline: Deadline,
        request_id: &'c str,
    ) -> Self {
        let request = facts.request;
        Self {
            caller: caller(facts),
            request_id,
            gateway,
            surface,
            headers: upstream::forwarded_headers(headers, request.stream),
            body,
            text: gateway.redactions.request(text),
            request,
            deadline,
            insists: false,
        }
    }

    pub(super) const fn insists(&self) -> bool {
        self.insists
    }

    /// From now on models are asked that have failed lately.
    pub(super) const fn insist(&mut self) {
        self.insists = true;
    }

    /// Asks the model of a route.
    pub(super) async fn model(
        &self,
        decision: &Decision,
        route: &Route,
        held: &mut Held,
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
        let Some(dialect) = self.asked_in(model)? else {
            held.sent(Arc::default());
            return Ok(self.count_here());
        };
        let (body, chain, dialects) = self.shaped(model, route, dialect)?;
        let mut target = Target {
            model,
            route,
            chain,
            body,
            dialects,
            patience,
            priority: decision.priority.0,
            excluded: Vec::new(),
        };
        let budget = &model.retries;
        lock(budget).called();
        let mut retry = 0;
        loop {
            let failure = match self.once(&mut target, held).await {
                Ok(answered) => return Ok(answered),
                Err(failure) => failure,
            };
            let upstreams = &self.gateway.metrics.upstreams;
            match failure.is_left_alone() {
                true => upstreams.left_alone(route.model, &model.name),
                false => upstreams.failed(route.model, &model.name, failure.word()),
            }
            held.attempt_failed(failure.is_out_of_time());
            let elsewhere = !target.excluded.is_empty();
            let pause = pause(&failure, retry, elsewhere)
                .filter(|pause| retry < retries && self.deadline.allows(*pause));
            let Some(pause) = pause else {
                return Err(failure);
            };
            if !failure.is_left_alone() && !lock(budget).take(clock::now()) {
                upstreams.not_retried(route.model, &model.name);
                return Err(failure);
            }
            sleep(pause).await;
            retry += 1;
            upstreams.retried(route.model, &model.name);
        }
    }

    /// Whether the caller waits no longer.
    pub(super) fn is_over(&self) -> bool {
        !self.deadline.allows(Duration::ZERO)
    }

    /// What was tried, and what came of it.
    pub(super) fn tried(&self, route: &Route, failure: &AttemptError) -> Tried {
        let model = self
            .gateway
            .model(route.model)
            .map(|model| model.name.to_string());
        Tried {
            model: model.unwrap_or_default(),
            replica: None,
            failure: failure.to_string(),
        }
    }

    async fn once(
        &self,
        target: &mut Target<'_>,
        held: &mut Held,
    ) -> Result<Answered, AttemptError> {
        let place = self.place(target).await?;
        let patience = self.deadline.within(target.patience);
        held.sent(Arc::clone(&place.name));
        let outgoing = Outgoing {
            address: &place.address,
            headers: &self.headers,
            provider: self.provider(target.model),
            timeout: self.deadline.header(),
            body: &target.body,
            dialects: &target.dialects,
            stream: self.request.stream,
            hides_usage: self.request.stream
                && !self.request.include_usage
                && matches!(self.surface, Surface::Chat | Surface::Completions)
                && target.dialects.upstream.is(self.surface),
            answers: self.request.answers,
        };
        let longest = self.gateway.bounds.answer;
        let result = upstream::ask(self.gateway.clients.here(), outgoing, patience, longest).await;
        match &result {
            Ok(_) => place.seat.succeeded(),
            Err(failure) => self.note_failure(target, &place.seat, failure),
        }
        let reply = result?;
        // Mostly long since the case: models take longer than disks.
        self.gateway.books.secure(held.position()).await;
        held.first_byte();
        Ok(Answered {
            reply,
            seat: Some(place.seat),
        })
    }

    /// What a failure says of whoever was asked.
    fn note_failure(&self, target: &mut Target<'_>, seat: &Seat, failure: &AttemptError) {
        target.excluded.extend(seat.replica());
        if let AttemptError::Status {
            status,
            retry_after: Some(wait),
            ..
        } = failure
        {
            seat.rests(*status, *wait);
        }
        if failure.reaction().is_of_replica && seat.failed() {
            let upstreams = &self.gateway.metrics.upstreams;
            upstreams.ejected(target.route.model, &target.model.name);
        }
    }

    fn provider(&self, model: &Model) -> Option<&'c Provider> {
        match model.via {
            Via::Provider(index) => self.gateway.providers.get(usize::from(index)),
            Via::Pool(_) => None,
        }
    }

    /// Where the model is asked now.
    async fn place(&self, target: &mut Target<'_>) -> Result<Place, AttemptError> {
        let index = match target.model.via {
            Via::Provider(_) => {
                let provider = self.provider(target.model).ok_or(AttemptError::NoReplica)?;
                let entered = target.model.hosted.enter(self.insists);
                return Ok(Place {
                    address: provider.address(
                        target.dialects.upstream,
                        &target.model.upstream_name,
                        self.request.stream,
                    ),
                    name: Arc::clone(&provider.name),
                    seat: Seat::Hosted(entered?),
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
            address: replica_address(&picked.base, target.dialects.upstream),
            name: Arc::clone(&picked.base),
            seat: Seat::Replica(picked),
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
            rank: Rank {
                priority: target.priority,
                caller: self.caller,
            },
            // Nobody waits for a place longer than for the answer.
            patience: self.deadline.within(Duration::MAX),
        };
        let mut picked = pool.pick(wanted, &target.excluded).await;
        if picked.is_err() && !target.excluded.is_empty() {
            // Each was tried: from the beginning.
            target.excluded.clear();
            picked = pool.pick(wanted, &target.excluded).await;
        }
        let upstreams = &gateway.metrics.upstreams;
        let outcome = match &picked {
            Ok(picked) => picked.waited.then_some("served"),
            Err(Unplaced::Saturated) => Some("shed"),
            Err(Unplaced::Displaced) => Some("displaced"),
            Err(Unplaced::NoReplica) => None,
        };
        if let Some(outcome) = outcome {
            upstreams.waited(index, &pool.pool.name, outcome);
        }
        picked.map_err(|reason| match (reason, pool.placement.overflow) {
            (Unplaced::NoReplica, _) => match pool.pool.rest() {
                Some((status, left)) => AttemptError::Resting { status, left },
                None => AttemptError::NoReplica,
            },
            (_, Overflow::Shed) => AttemptError::Shed,
            (_, Overflow::Next) => AttemptError::Saturated,
        })
    }

    /// In which dialect a model is asked; `None` where tokens are to be counted and it does not.
    fn asked_in(&self, model: &Model) -> Result<Option<Dialect>, AttemptError> {
        let asked = match model.via {
            Via::Provider(_) => self
                .provider(model)
                .and_then(|provider| provider.asked_in(self.surface)),
            Via::Pool(_) => spoken_by_engines(self.surface),
        };
        match asked {
            None if self.surface != Surface::CountTokens => Err(AttemptError::NoSurface),
            asked => Ok(asked),
        }
    }

    /// The prompt's tokens as they are estimated for every decision.
    fn count_here(&self) -> Answered {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let document = serde_json::json!({"input_tokens": self.request.tokens});
        Answered {
            reply: Reply::Whole {
                head: Head {
                    status: StatusCode::OK,
                    headers,
                },
                body: document.to_string().into(),
                usage: None,
                tokens: 0,
            },
            seat: None,
        }
    }

    /// The body as it goes upstream, the hashes of its prompt, and the dialects on the way.
    fn shaped(
        &self,
        model: &Model,
        route: &Route,
        upstream: Dialect,
    ) -> Result<(Bytes, Vec<u64>, Dialects), AttemptError> {
        let pair = Pair::of(self.surface, upstream);
        let (text, sent) = match pair {
            None if upstream.is(Surface::Messages) => {
                (without_unsigned_thoughts(&self.text), Sent::default())
            }
            None => (Cow::Borrowed(&*self.text), Sent::default()),
            Some(pair) => self.as_chat(pair, model, route)?,
        };
        let is_chat = upstream == Dialect::CHAT;
        // What is counted by its length gets no longer than what was reserved.
        let says = self.request.max_tokens.is_some();
        let limits = says || self.gateway.counts_size(&route.charges);
        let asks_usage = is_chat || upstream.is(Surface::Completions);
        let members = json::members(&text);
        let shaped = shape(
            &text,
            &members,
            &Shape {
                model: &model.upstream_name,
                rejects: &model.rejects,
                most_tokens: limits.then_some(route.max_tokens),
                limit_in: limit_in(pair.is_some(), upstream, model.completion_tokens),
                completion_tokens: model.completion_tokens && is_chat,
                asks_usage: self.request.stream && asks_usage,
            },
        );
        let chain = chain(model, &members);
        drop(members);
        self.count_dropped(route, model, &shaped.dropped);
        let thinking = sent.thinking;
        let body = match (pair, shaped.text, &text, &self.text) {
            (Some(pair), Some(chat), ..) => self.of_chat(pair, model, route, chat, thinking)?,
            (Some(pair), None, ..) => {
                self.of_chat(pair, model, route, text.into_owned(), thinking)?
            }
            (None, Some(shaped), ..) => Bytes::from(shaped),
            (None, None, Cow::Borrowed(_), Cow::Borrowed(_)) => self.body.clone(),
            (None, None, ..) => Bytes::from(text.into_owned()),
        };
        let dialects = Dialects {
            client: self.surface,
            upstream,
            translation: pair.map(|pair| (pair, self.context(model, sent))),
        };
        Ok((body, chain, dialects))
    }

    /// The caller's body as the chat in the middle, without what the model rejects in the caller's own words.
    fn as_chat(
        &self,
        pair: Pair,
        model: &Model,
        route: &Route,
    ) -> Result<(Cow<'static, str>, Sent), AttemptError> {
        let (text, rejected) = without(&self.text, &model.rejects);
        let chat = pair
            .to_chat(&text)
            .map_err(|error| AttemptError::Untranslatable(error.to_string()))?;
        self.count_dropped(route, model, &rejected);
        self.count_dropped(route, model, &chat.dropped);
        Ok((chat.body.into(), chat.sent))
    }

    /// The chat in the upstream's dialect, without what the model rejects in words of that.
    fn of_chat(
        &self,
        pair: Pair,
        model: &Model,
        route: &Route,
        chat: String,
        thinking: bool,
    ) -> Result<Bytes, AttemptError> {
        let wanted = Said {
            longest: model.output.unwrap_or(USUAL_ANSWER),
            thinking,
        };
        let translated = pair
            .of_chat(chat, wanted)
            .map_err(|error| AttemptError::Untranslatable(error.to_string()))?;
        let (sent, rejected) = without(&translated.body, &model.rejects);
        self.count_dropped(route, model, &translated.dropped);
        self.count_dropped(route, model, &rejected);
        Ok(sent.into_owned().into())
    }

    /// What is known for an answer that is translated.
    fn context(&self, model: &Model, sent: Sent) -> Context {
        Context {
            model: model.name.to_string(),
            created: u64::try_from(clock::now() / 1_000_000_000).unwrap_or(0),
            id: self.request_id.replace('-', "_"),
            prompt_tokens: self.request.tokens,
            include_usage: self.request.include_usage,
            thinking: sent.thinking,
            echo: sent.echo,
        }
    }

    fn count_dropped(&self, route: &Route, model: &Model, parameters: &[String]) {
        let upstreams = &self.gateway.metrics.upstreams;
        for parameter in parameters {
            upstreams.dropped(route.model, &model.name, parameter);
        }
    }
}

/// In which parameter an upstream is told how long an answer may be. A body that is translated is a chat until then.
fn limit_in(
    is_translated: bool,
    upstream: Dialect,
    completion_tokens: bool,
) -> Option<&'static str> {
    if is_translated {
        return Some("max_tokens");
    }
    if upstream == Dialect::CHAT {
        return Some(if completion_tokens {
            "max_completion_tokens"
        } else {
            "max_tokens"
        });
    }
    if upstream.is(Surface::Completions) {
        return Some("max_tokens");
    }
    upstream
        .is(Surface::Responses)
        .then_some("max_output_tokens")
}

/// The hashes of the prompt, where replicas have caches.
fn chain(model: &Model, members: &[Member<'_>]) -> Vec<u64> {
    match model.via {
        Via::Pool(_) => prefix::chain(&model.upstream_name, &cached_parts(members)),
        Via::Provider(_) => Vec::new(),
    }
}

/// Who calls, among whom places are shared: a key's owner, or the address of one who has no key.
pub(super) fn caller(facts: &Facts<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &*facts.caller.key {
        "" => facts.source_ip.hash(&mut hasher),
        key => key.hash(&mut hasher),
    }
    hasher.finish()
}

impl From<LeftAlone> for AttemptError {
    fn from(reason: LeftAlone) -> Self {
        match reason {
            LeftAlone::Ejected => Self::Ejected,
            LeftAlone::Resting(status, left) => Self::Resting { status, left },
        }
    }
}

/// How long to wait before the same model is asked again; `None`: it is not worth it.
fn pause(failure: &AttemptError, retry: u32, elsewhere: bool) -> Option<Duration> {
    if !failure.reaction().again {
        return None;
    }
    if elsewhere && retry == 0 && !failure.is_left_alone() {
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
