//! Answers and refusals, in the shapes of the three layers that give them: gateway, v1 and v2.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What an endpoint gives back.
pub type Answer = Result<Response, Refusal>;

/// Points that an answer costs, for the rate limit.
#[derive(Clone, Copy)]
pub struct Points(pub u64);

#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub body: Value,
}

impl Refusal {
    /// As the API gateway words it.
    pub fn gateway(status: StatusCode, message: &str) -> Self {
        Self { status, body: json!({ "code": status.as_u16(), "message": message }) }
    }

    /// As the old API words it.
    pub fn v1(status: StatusCode, message: &str) -> Self {
        let body = json!({
            "statusCode": status.as_u16(),
            "data": { "authorized": true, "valid": true, "allowedInReadOnlyMode": true, "errors": [], "successful": true },
            "message": message,
        });
        Self { status, body }
    }

    /// As the new API words it.
    pub fn v2(status: StatusCode, code: &str, title: &str) -> Self {
        let error = json!({ "status": status.as_u16(), "code": code, "title": title, "detail": null });
        Self { status, body: json!({ "errors": [error] }) }
    }

    pub fn not_found() -> Self {
        Self::v2(StatusCode::NOT_FOUND, "NOT_FOUND", "Not Found")
    }

    pub fn invalid(title: &str) -> Self {
        Self::v2(StatusCode::BAD_REQUEST, "INVALID_REQUEST_PARAMETER", title)
    }

    pub fn wrong_type(value: &str, name: &str, kind: &str) -> Self {
        Self::invalid(&format!(
            "Provided value {{{value}}} for '{name}' is not the correct type. Expected type is {kind}"
        ))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        json_reply(self.status, &self.body)
    }
}

pub fn json_reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// 200 with a body that costs this many points.
pub fn reply(body: &Value, points: u64) -> Response {
    let mut response = json_reply(StatusCode::OK, body);
    response.extensions_mut().insert(Points(points));
    response
}
