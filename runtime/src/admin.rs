//! The operator's port: metrics, health, the last decisions, the plan and its replacement.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::Body;
use crate::failure::{Failure, json_response};
use crate::gateway::Gateway;
use crate::reload::{Current, source_hash};

const PROMETHEUS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers an operator's request.
pub(crate) async fn serve(current: &Arc<Current>, request: &Request<Incoming>) -> Response<Body> {
    let (method, path) = (request.method(), request.uri().path());
    if method == Method::POST && path == "/reload" {
        return reload(current).await;
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let message = format!("`{method}` is not answered here: send `GET`");
        return Failure::invalid(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            message,
        )
        .response();
    }
    let gateway = current.gateway();
    match path {
        "/metrics" => {
            let mut response = json_response(StatusCode::OK, gateway.metrics_text());
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(PROMETHEUS));
            response
        }
        "/healthz" => json_response(StatusCode::OK, json!({"status": "ok"}).to_string()),
        "/readyz" => ready(current, &gateway),
        "/decisions" => {
            let receipts = gateway.journal.read();
            let decisions: Vec<Value> = receipts.iter().map(|receipt| receipt.to_json()).collect();
            json_response(
                StatusCode::OK,
                json!({"version": 1, "decisions": decisions}).to_string(),
            )
        }
        "/spend" => json_response(StatusCode::OK, gateway.spending().to_string()),
        "/plan" => json_response(StatusCode::OK, plan(&gateway).to_string()),
        "/reload" => json_response(StatusCode::OK, current.to_json().to_string()),
        path => Failure::invalid(
            StatusCode::NOT_FOUND,
            "unknown_url",
            format!("there is no `{path}` here"),
        )
        .hint("this port has /metrics, /healthz, /readyz, /decisions, /spend, /plan and /reload")
        .response(),
    }
}

/// Replaces the plan, and says how the new one decides differently.
async fn reload(current: &Arc<Current>) -> Response<Body> {
    match current.reload().await {
        Ok(_) => json_response(StatusCode::OK, current.to_json().to_string()),
        Err(error) => Failure::invalid(
            StatusCode::UNPROCESSABLE_ENTITY,
            "plan_refused",
            error.to_string(),
        )
        .hint("the plan that was served before is served on: mend the new one and send this again")
        .response(),
    }
}

/// A plan is served and its secrets are resolved, or the server would not have started. A newer one that was refused
/// does not make it less ready, but is told.
fn ready(current: &Current, gateway: &Gateway) -> Response<Body> {
    let (missing, is_stopping) = (gateway.missing(), current.edge.is_stopping());
    let is_ready = missing.is_empty() && !is_stopping;
    let status = match is_ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut document = json!({"ready": is_ready, "missing": missing});
    if let (true, Some(document)) = (is_stopping, document.as_object_mut()) {
        document.insert("stopping".to_owned(), true.into());
    }
    let mut warnings = gateway.warnings_of_state();
    let stale = current
        .edge
        .certificates
        .as_ref()
        .and_then(|own| own.stale());
    warnings.extend(stale.map(|reason| format!("{reason}; the certificate from before goes on")));
    if let (false, Some(document)) = (warnings.is_empty(), document.as_object_mut()) {
        document.insert("warnings".to_owned(), warnings.into());
    }
    if let (Some(refused), Some(document)) = (current.refused(), document.as_object_mut()) {
        document.insert("refused_plan".to_owned(), refused);
    }
    json_response(status, document.to_string())
}

fn plan(gateway: &Gateway) -> Value {
    let plan = &gateway.plan;
    json!({
        "version": 1,
        "compiler": plan.compiler(),
        "source_hash": source_hash(plan),
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
