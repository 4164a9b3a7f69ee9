//! The operator's port: metrics, health, the last decisions, the plan.

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::Body;
use crate::failure::{Failure, json_response};
use crate::gateway::Gateway;

const PROMETHEUS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers an operator's request.
pub(crate) fn serve(gateway: &Gateway, request: &Request<Incoming>) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let message = format!("`{}` is not answered here: send `GET`", request.method());
        return Failure::invalid(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            message,
        )
        .response();
    }
    match request.uri().path() {
        "/metrics" => {
            let mut response = json_response(StatusCode::OK, gateway.metrics_text());
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(PROMETHEUS));
            response
        }
        "/healthz" => json_response(StatusCode::OK, json!({"status": "ok"}).to_string()),
        "/readyz" => ready(gateway),
        "/decisions" => {
            let receipts = gateway.journal.read();
            let decisions: Vec<Value> = receipts.iter().map(|receipt| receipt.to_json()).collect();
            json_response(
                StatusCode::OK,
                json!({"version": 1, "decisions": decisions}).to_string(),
            )
        }
        "/plan" => json_response(StatusCode::OK, plan(gateway).to_string()),
        path => Failure::invalid(
            StatusCode::NOT_FOUND,
            "unknown_url",
            format!("there is no `{path}` here"),
        )
        .hint("this port has /metrics, /healthz, /readyz, /decisions and /plan")
        .response(),
    }
}

/// The plan is loaded and its secrets are resolved, or the server would not have started.
fn ready(gateway: &Gateway) -> Response<Body> {
    let missing = gateway.missing();
    let status = if missing.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut document = json!({"ready": missing.is_empty(), "missing": missing});
    let warnings = gateway.warnings_of_state();
    if !warnings.is_empty() {
        document["warnings"] = warnings.into();
    }
    json_response(status, document.to_string())
}

fn plan(gateway: &Gateway) -> Value {
    let plan = &gateway.plan;
    let hash: String = plan
        .source_hash()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({
        "version": 1,
        "compiler": plan.compiler(),
        "source_hash": hash,
        "files": plan.files().collect::<Vec<_>>(),
        "sizes": {
            "tiers": plan.tiers().len(),
            "models": plan.models().len(),
            "providers": plan.providers().len(),
            "pools": plan.pools().len(),
            "accepts": plan.accepts().len(),
            "contents": plan.contents().len(),
            "caps": plan.caps().len(),
            "denials": plan.denials().len(),
            "quotas": plan.quotas().len(),
            "expressions": plan.expressions().len(),
        },
    })
}
