//! Attachment bytes: a redirect to the media host, whose URL alone opens the file.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::sandbox::Sandbox;
use crate::sandbox::gate::Ask;
use crate::sandbox::oauth::jwt;
use crate::sandbox::query::Query;
use crate::sandbox::reply::{Answer, Points, Refusal};

/// How long a media URL works, in seconds.
const LIFETIME: i64 = 600;

#[derive(Serialize, Deserialize)]
struct Ticket {
    file: String,
    /// The attachment.
    id: String,
    exp: i64,
}

fn missing() -> Refusal {
    let body = serde_json::json!({
        "statusCode": 404,
        "data": { "authorized": false, "valid": true, "allowedInReadOnlyMode": true, "errors": [], "successful": false },
        "message": "com.atlassian.confluence.api.service.exceptions.NotFoundException: Cannot find attachment." });
    Refusal { status: StatusCode::NOT_FOUND, body }
}

/// GET …/rest/api/content/{id}/child/attachment/{attachment}/download: 302.
pub fn redirect(ask: &Ask) -> Answer {
    let (page, id) = (ask.param("id"), ask.param("attachment"));
    let (file, _) = ask.view.attachment(id).filter(|(file, _)| file.container == page).ok_or_else(missing)?;
    if let Some(version) = ask.query.get("version")
        && version != file.version.to_string()
    {
        return Err(missing());
    }
    let exp = ask.now.as_second() + LIFETIME;
    let ticket = Ticket { file: file.file_id.clone(), id: file.id.clone(), exp };
    let token = jwt::sign(&ask.sandbox.shared.key, &ticket);
    let name = crate::sandbox::links::escape_path(&file.title);
    let location = format!(
        "http://{}/media/file/{}/binary?token={token}&client={}&dl=true&name={name}",
        ask.host,
        file.file_id,
        URL_SAFE_NO_PAD.encode("causeway-sandbox"),
    );
    let mut response = StatusCode::FOUND.into_response();
    response.extensions_mut().insert(Points(1));
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The media host. It refuses an Authorization header, so that a leak is noticed.
pub async fn media(
    State(sandbox): State<Sandbox>,
    Path(file_id): Path<String>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Response {
    let refuse = |why: &str| Refusal::gateway(StatusCode::FORBIDDEN, why).into_response();
    if headers.contains_key(header::AUTHORIZATION) {
        return Refusal::gateway(StatusCode::BAD_REQUEST, "Authorization does not belong on this host")
            .into_response();
    }
    let query = Query::parse(raw.as_deref());
    let ticket: Option<Ticket> = jwt::open(&sandbox.shared.key, query.get("token").unwrap_or_default());
    let Some(ticket) = ticket else { return refuse("The token is not valid") };
    if ticket.file != file_id || ticket.exp <= sandbox.shared.clock.unix() {
        return refuse("The token is not valid");
    }
    let wiki = sandbox.shared.state().wiki.clone();
    let Some(file) = wiki.attachments.iter().find(|file| file.id == ticket.id) else {
        return refuse("The file is gone");
    };
    let disposition =
        format!("attachment; filename*=UTF-8''{}", crate::sandbox::links::escape_path(&file.title));
    let headers = [
        (header::CONTENT_TYPE, file.media_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
    ];
    (headers, file.bytes.clone()).into_response()
}

/// The legacy paths of `_links.download`: no token opens them.
pub async fn legacy() -> Response {
    (StatusCode::UNAUTHORIZED, [(header::CONTENT_TYPE, "text/plain")], "Basic authentication required")
        .into_response()
}
