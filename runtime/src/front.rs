//! Which path is what: the front door that callers use.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, EXPECT, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use waypost_policies::facts::Surface;
use waypost_policies::plan::view::AcceptTarget;

use crate::Body;
use crate::body::discard;
use crate::call;
use crate::callers::Identity;
use crate::failure::{Failure, json_response};
use crate::gateway::Gateway;
use crate::server::framing;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-waypost-request-id");

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place<'p> {
    Surface(Surface),
    Route,
    Models,
    Model(&'p str),
}

impl<'p> Place<'p> {
    fn of(path: &'p str) -> Option<Self> {
        if let Some(surface) = Surface::of_path(path) {
            return Some(Self::Surface(surface));
        }
        Some(match path {
            "/v1/route" => Self::Route,
            "/v1/models" => Self::Models,
            _ => Self::Model(
                path.strip_prefix("/v1/models/")
                    .filter(|name| !name.is_empty())?,
            ),
        })
    }

    const fn method(self) -> Method {
        match self {
            Self::Surface(_) | Self::Route => Method::POST,
            Self::Models | Self::Model(_) => Method::GET,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Surface(surface) => surface.word(),
            Self::Route => "route",
            Self::Models | Self::Model(_) => "models",
        }
    }

    /// In whose shape its errors are.
    const fn surface(self) -> Surface {
        match self {
            Self::Surface(surface) => surface,
            Self::Route | Self::Models | Self::Model(_) => Surface::Chat,
        }
    }
}

/// Answers a request, whatever it is.
pub(crate) async fn serve(
    gateway: &Arc<Gateway>,
    request: Request<Incoming>,
    peer: IpAddr,
) -> Response<Body> {
    let id = request_id();
    let path = request.uri().path().to_owned();
    let place = Place::of(&path);
    // Such a client sends nothing before it is told to, and may be spared it.
    let waits = request.headers().contains_key(EXPECT);
    let (parts, mut body) = request.into_parts();
    let request = Request::from_parts(parts, &mut body);
    let framing = framing::check(&request);
    let is_framed = framing.is_ok();
    let answer = match framing {
        Ok(()) => dispatch(gateway, request, place, peer, &id).await,
        Err(failure) => Err(failure),
    };
    let mut response = match answer {
        Ok(response) => response,
        Err(failure) => {
            let reason = gateway.redactions.log(&failure.message);
            tracing::info!(
                request = id,
                path,
                status = failure.status.as_u16(),
                %reason,
                "refused"
            );
            failure.response_on(place.map_or(Surface::Chat, Place::surface))
        }
    };
    if !is_framed {
        // What follows may be anything.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    } else if !waits {
        discard(body);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let surface = place.map_or("other", Place::word);
    let status = response.status().as_u16();
    gateway.metrics.calls.answered(surface, status);
    response
}

async fn dispatch(
    gateway: &Arc<Gateway>,
    request: Request<&mut Incoming>,
    place: Option<Place<'_>>,
    peer: IpAddr,
    id: &str,
) -> Result<Response<Body>, Failure> {
    let Some(place) = place else {
        let message = format!("there is no `{}` here", request.uri().path());
        return Err(Failure::invalid(StatusCode::NOT_FOUND, "unknown_url", message).hint(paths()));
    };
    if *request.method() != place.method() {
        return Ok(wrong_method(request.method(), place));
    }
    match place {
        Place::Surface(surface) => call::answer(gateway, surface, request, peer, id).await,
        Place::Route => call::explain(gateway, request, peer).await,
        Place::Models => {
            let identity = gateway.callers.identify(request.headers()).await?;
            let anthropic = request.headers().contains_key("anthropic-version");
            Ok(models(gateway, &identity, anthropic))
        }
        Place::Model(name) => {
            let identity = gateway.callers.identify(request.headers()).await?;
            let anthropic = request.headers().contains_key("anthropic-version");
            model(gateway, &identity, name, anthropic)
        }
    }
}

/// What there is.
fn paths() -> String {
    let surfaces = Surface::ALL.map(Surface::path);
    format!(
        "this server has {}, /v1/models and /v1/route",
        surfaces.join(", ")
    )
}

fn wrong_method(method: &Method, place: Place<'_>) -> Response<Body> {
    let allowed = place.method();
    let message = format!("`{method}` is not answered here: send `{allowed}`");
    let mut response = Failure::invalid(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    )
    .response_on(place.surface());
    if let Ok(value) = HeaderValue::from_str(allowed.as_str()) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// The names that this caller may send: those accepted by name, not those by their beginning.
fn models(gateway: &Gateway, identity: &Identity, anthropic: bool) -> Response<Body> {
    let accepts = gateway
        .plan
        .accepts()
        .filter(|accept| !accept.prefix() && may_ask(identity, &accept.target()));
    let names: Vec<_> = accepts.map(|accept| accept.name()).collect();
    let list: Vec<_> = names.iter().map(|name| entry(name, anthropic)).collect();
    let document = match anthropic {
        false => json!({"object": "list", "data": list}),
        true => json!({
            "data": list, "has_more": false, "first_id": names.first(), "last_id": names.last(),
        }),
    };
    json_response(StatusCode::OK, document.to_string())
}

/// A model that the caller may use, or what may lead to one.
fn may_ask(identity: &Identity, target: &AcceptTarget) -> bool {
    match target {
        AcceptTarget::Model(model) => identity.may_use(*model),
        AcceptTarget::Content(_) => true,
    }
}

fn model(
    gateway: &Gateway,
    identity: &Identity,
    name: &str,
    anthropic: bool,
) -> Result<Response<Body>, Failure> {
    let accepted = gateway.plan.accepted(name);
    match accepted.filter(|(target, _)| may_ask(identity, target)) {
        Some(_) => Ok(json_response(
            StatusCode::OK,
            entry(name, anthropic).to_string(),
        )),
        None => {
            let message = format!(
                "the model `{name}` does not exist here: `GET /v1/models` lists those that do"
            );
            Err(Failure::invalid(StatusCode::NOT_FOUND, "model_not_found", message).param("model"))
        }
    }
}

/// A model, as OpenAI's clients read it or as Anthropic's do.
fn entry(name: &str, anthropic: bool) -> serde_json::Value {
    if anthropic {
        return json!({
            "type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z",
        });
    }
    json!({"id": name, "object": "model", "created": 0, "owned_by": "waypost"})
}

/// Unlikely to come twice; no secret.
fn request_id() -> String {
    let half = || RandomState::new().build_hasher().finish();
    let mut id = String::with_capacity(35);
    id.push_str("wp-");
    for half in [half(), half()] {
        let digits = (0..16)
            .rev()
            .map(|place| (half >> (4 * place)) as u32 & 0xf);
        id.extend(digits.filter_map(|digit| char::from_digit(digit, 16)));
    }
    id
}
