//! A call's way: authenticate, read, decide, reserve, ask upstreams, answer, settle.
//!
//! Each stage is a module; this one walks through them. Dropping the walk at any point settles the call.

mod admit;
mod answer;
mod attempt;
mod attempt_error;
mod deadline;
mod hedge;
mod outcome;
mod refusal;
#[cfg(test)]
mod tests;
mod turn;
mod upstream;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response, StatusCode};
use waypost_policies::Facts;
use waypost_policies::decision::{Charges, Outcome};
use waypost_policies::facts::{self, Surface};
use waypost_policies::request::RequestError;

use crate::Body;
use crate::account::{Account, route};
use crate::body::{Held, read_body};
use crate::callers::Identity;
use crate::clock;
use crate::failure::{Failure, json_response};
use crate::gateway::Gateway;
use crate::receipt::Ending;
use crate::recent::RecentCall;

use admit::{Admitted, Manners, admit};
use attempt::Asking;
use attempt_error::AttemptError;
use deadline::Deadline;
use turn::admit_in_turn;

const EXPLAIN: HeaderName = HeaderName::from_static("x-waypost-explain");
/// The most models that one call tries: more is a loop.
const MOST_MODELS: usize = 64;

/// What a call brings along, once its body is read.
struct Arrived {
    parts: Parts,
    body: Bytes,
    /// Given back when the call is answered.
    _room: Option<Held>,
    identity: Arc<Identity>,
    peer: IpAddr,
    started: Instant,
}

impl Arrived {
    /// Its body as text.
    fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(&self.body).map_err(|_| {
            let message = "the body is not UTF-8: send JSON in UTF-8";
            Failure::invalid(StatusCode::BAD_REQUEST, "invalid_json", message)
        })
    }

    fn into_recent(self, surface: Surface, request_id: &str) -> RecentCall {
        RecentCall {
            request_id: request_id.to_owned(),
            surface,
            path: self.parts.uri.path().to_owned(),
            headers: self.parts.headers,
            body: self.body,
            identity: self.identity,
            peer: self.peer,
        }
    }
}

/// Answers a call.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    surface: Surface,
    request: Request<&mut Incoming>,
    peer: IpAddr,
    request_id: &str,
) -> Result<Response<Body>, Failure> {
    let arrived = arrive(gateway, request, peer).await?;
    let deadline = Deadline::read(&arrived.parts.headers, arrived.started.into())?;
    let text = arrived.text()?;
    let request = read(gateway, surface, arrived.parts.uri.path(), &arrived, text)?;
    let mut facts = facts(gateway, &request, &arrived);
    let came = facts.now;
    let wants_explanation = arrived
        .parts
        .headers
        .get(EXPLAIN)
        .is_some_and(|value| value == "1");
    let explanation = wants_explanation.then(|| Box::new(gateway.explain(&facts)));
    let (mut admitted, places) = admit_in_turn(gateway, &mut facts, deadline).await;
    gateway.warn(&facts, &admitted.decision, request_id);
    let mut account = Account::open(
        gateway,
        (&facts, &arrived.identity),
        Arc::clone(&admitted.decision),
        request_id,
        arrived.started,
    );
    account.has_waited(places);
    let mut asking = Asking::new(
        gateway,
        surface,
        &arrived.parts.headers,
        (&arrived.body, text),
        &facts,
        deadline,
        request_id,
    );
    let result = ask_models(
        gateway,
        &mut facts,
        &mut asking,
        &mut account,
        &mut admitted,
    )
    .await;
    let mut response = match result {
        Ok(answered) => answer::respond(answered, account, gateway, surface),
        Err((failure, ending)) => {
            let mut response = failure.response_on(surface);
            account.blame(&failure);
            answer::mark(&mut response, &account);
            account.close(failure.status.as_u16(), ending);
            response
        }
    };
    if let Some(explanation) = explanation {
        answer::explain(&mut response, *explanation);
    }
    if gateway.recent.wants(came) {
        let recent = arrived.into_recent(surface, request_id);
        gateway.recent.remember(recent);
    }
    Ok(response)
}

/// Answers with the decision alone: forwards nothing, reserves nothing.
pub(crate) async fn explain(
    gateway: &Arc<Gateway>,
    request: Request<&mut Incoming>,
    peer: IpAddr,
) -> Result<Response<Body>, Failure> {
    let arrived = arrive(gateway, request, peer).await?;
    let surface = surface_of(gateway, &arrived)?;
    let request = read(gateway, surface, surface.path(), &arrived, arrived.text()?)?;
    let facts = facts(gateway, &request, &arrived);
    let explanation = gateway.explain(&facts);
    // Strings and numbers only: nothing here fails to serialise.
    Ok(json_response(
        StatusCode::OK,
        serde_json::to_string(&explanation).unwrap_or_default(),
    ))
}

/// The API that the call to explain would be sent to: the one that its query names, or that its body looks like.
fn surface_of(gateway: &Gateway, arrived: &Arrived) -> Result<Surface, Failure> {
    let Parts { uri, headers, .. } = &arrived.parts;
    match Surface::of_query(uri.query().unwrap_or_default()) {
        Ok(Some(surface)) => Ok(surface),
        Ok(None) => {
            let from_anthropic = headers.contains_key("anthropic-version");
            Ok(Surface::of_body(
                &gateway.plan,
                &arrived.body,
                from_anthropic,
            ))
        }
        Err(path) => {
            let message = format!("nothing is routed at `{path}`");
            let paths = Surface::ALL.map(Surface::path);
            let hint = format!("`path` is one of {}", paths.join(", "));
            Err(
                Failure::invalid(StatusCode::BAD_REQUEST, "invalid_value", message)
                    .param("path")
                    .hint(hint),
            )
        }
    }
}

/// Authenticates a call and takes in its body.
async fn arrive(
    gateway: &Gateway,
    request: Request<&mut Incoming>,
    peer: IpAddr,
) -> Result<Arrived, Failure> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let identity = gateway.callers.identify(&parts.headers).await?;
    check_media_type(&parts.headers)?;
    let (body, room) = read_body(body, &gateway.bounds, &gateway.room).await?;
    Ok(Arrived {
        parts,
        body,
        _room: room,
        identity,
        peer,
        started,
    })
}

fn read<'a>(
    gateway: &Gateway,
    surface: Surface,
    path: &'a str,
    arrived: &'a Arrived,
    text: &'a str,
) -> Result<facts::Request<'a>, Failure> {
    let headers = &arrived.parts.headers;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let read = facts::Request::read_text(gateway.plan.needs(), surface, path, &header, text);
    read.map_err(|error: RequestError| {
        let failure = Failure::invalid(StatusCode::BAD_REQUEST, error.code(), error.to_string());
        match error.param() {
            Some(param) => failure.param(param),
            None => failure,
        }
    })
}

fn facts<'a>(
    gateway: &Gateway,
    request: &'a facts::Request<'a>,
    arrived: &'a Arrived,
) -> Facts<'a> {
    Facts {
        request,
        caller: arrived.identity.caller(gateway.plan.needs().claims.len()),
        source_ip: arrived.peer,
        now: clock::now(),
        difficulty: None,
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Failure> {
    let unsupported = |message: String| {
        Failure::invalid(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            message,
        )
    };
    if headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value == "application/json")
        && !headers.contains_key(CONTENT_ENCODING)
    {
        return Ok(());
    }
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase())
    };
    if let Some(coding) = text(CONTENT_ENCODING).filter(|coding| coding != "identity") {
        return Err(unsupported(format!(
            "a body in `{coding}` is not accepted: send it as it is"
        )));
    }
    let Some(media) = text(CONTENT_TYPE) else {
        return Ok(());
    };
    let media = media.split(';').next().unwrap_or_default().trim();
    if media == "application/json" || media.ends_with("+json") {
        return Ok(());
    }
    Err(unsupported(format!(
        "the body is `{media}`: send `content-type: application/json`"
    )))
}

/// What came of the models that were asked.
#[derive(Default)]
struct Lost {
    /// The first failure, what it was charged for, and whether that model was asked at all.
    first: Option<(Failure, Charges, bool)>,
    /// Whether a model was not asked because it has failed lately.
    passed_over: bool,
}

impl Lost {
    fn note(&mut self, failure: &AttemptError, charges: Charges) {
        let was_asked = !failure.is_left_alone();
        self.passed_over |= matches!(failure, AttemptError::Ejected);
        // Whoever was asked has more to say than whoever was not.
        if self
            .first
            .as_ref()
            .is_none_or(|(.., asked)| was_asked && !asked)
        {
            self.first = Some((failure.to_answer(), charges, was_asked));
        }
    }

    /// Whether nobody was asked only because all that might have been had failed lately.
    fn was_too_careful(&self) -> bool {
        self.passed_over && matches!(self.first, Some((.., false)))
    }
}

/// Asks the model decided on, and then those that it falls back to, until one answers. Where all of them have failed
/// lately, one of them is a better chance than none.
async fn ask_models(
    gateway: &Arc<Gateway>,
    facts: &mut Facts<'_>,
    asking: &mut Asking<'_>,
    account: &mut Account,
    admitted: &mut Admitted,
) -> Result<answer::Answered, (Failure, Ending)> {
    let mut lost = Lost::default();
    let answered = loop {
        let answered = ask_in_turn(gateway, facts, asking, account, admitted, &mut lost).await;
        if answered.is_some() || asking.insists() || !lost.was_too_careful() {
            break answered;
        }
        asking.insist();
        facts.now = clock::now();
        *admitted = admit(gateway, facts, None, Manners::HasTurn).await;
        if matches!(admitted.decision.outcome, Outcome::Route(_)) {
            account.decided(Arc::clone(&admitted.decision));
        }
    };
    if let Some(answered) = answered {
        return Ok(answered);
    }
    let last = &admitted.decision;
    account.pass_over(outcome::passed_over(gateway, last));
    match lost.first {
        Some((failure, charges, _)) => {
            account.count_failed_call(&charges);
            Err((failure.tried(account.tried()), Ending::Failed))
        }
        None => Err((outcome::refusal(gateway, last, facts), Ending::Refused)),
    }
}

/// Asks one model after the other; where none answers, what was `admitted` is the last decision.
async fn ask_in_turn(
    gateway: &Arc<Gateway>,
    facts: &mut Facts<'_>,
    asking: &Asking<'_>,
    account: &mut Account,
    admitted: &mut Admitted,
    lost: &mut Lost,
) -> Option<answer::Answered> {
    for _ in 0..MOST_MODELS {
        let decision = Arc::clone(&admitted.decision);
        let (route, reservation) = route(&decision).zip(admitted.reservation.take())?;
        account.pass_over(outcome::passed_over(gateway, &decision));
        account.hold(route, reservation);
        let asked = (&decision, route);
        let failed = match hedge::ask(gateway, facts, asking, account, asked, lost).await {
            Ok(answered) => return Some(answered),
            Err(failed) => failed,
        };
        if failed.is_final || asking.is_over() {
            admitted.decision = failed.last;
            return None;
        }
        if let Some(model) = gateway.model(route.model) {
            let upstreams = &gateway.metrics.upstreams;
            upstreams.fell_back(route.model, &model.name);
        }
        facts.now = clock::now();
        *admitted = admit(gateway, facts, Some(&failed.last), Manners::HasTurn).await;
        if matches!(admitted.decision.outcome, Outcome::Route(_)) {
            account.decided(Arc::clone(&admitted.decision));
        }
    }
    None
}
