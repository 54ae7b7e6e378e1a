//! `OTEL_*`: where traces go, as OpenTelemetry's specification names it. Off unless an endpoint is set.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::read::Reader;

/// Where traces go, and which.
#[derive(Clone, Debug)]
pub struct Traces {
    pub endpoint: Url,
    /// Names and values, such as a collector's key.
    pub headers: Vec<(String, SecretString)>,
    /// What the process says of itself.
    pub resource: Vec<(String, String)>,
    pub sampler: Sampler,
}

/// Which traces are kept: those whose parent is, if that is followed and there is one; otherwise this part of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    pub follows_parent: bool,
    pub ratio: f64,
}

pub fn traces(reader: &mut Reader<'_>) -> Option<Traces> {
    let disabled = reader.optional("OTEL_SDK_DISABLED", boolean).unwrap_or(false);
    let exporter = reader.optional("OTEL_TRACES_EXPORTER", exporter).unwrap_or(true);
    for name in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] {
        reader.optional(name, protocol);
    }
    let base = reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", |text| {
        endpoint(&format!("{}/v1/traces", text.trim_end_matches('/')))
    });
    let own = reader.optional("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint);
    let all = reader.optional("OTEL_EXPORTER_OTLP_HEADERS", headers);
    let headers = reader.optional("OTEL_EXPORTER_OTLP_TRACES_HEADERS", headers).or(all).unwrap_or_default();
    let service = reader.value("OTEL_SERVICE_NAME").map(str::to_owned);
    let mut resource = reader.optional("OTEL_RESOURCE_ATTRIBUTES", pairs).unwrap_or_default();
    let kind = reader.optional("OTEL_TRACES_SAMPLER", sampler);
    let ratio = reader.optional("OTEL_TRACES_SAMPLER_ARG", ratio).unwrap_or(1.0);
    let endpoint = own.or(base).filter(|_| exporter && !disabled)?;
    if let Some(service) = service {
        resource.retain(|(name, _)| name != "service.name");
        resource.push(("service.name".to_owned(), service));
    }
    for (name, value) in [("service.name", "causeway"), ("service.version", env!("CARGO_PKG_VERSION"))] {
        if !resource.iter().any(|(known, _)| known == name) {
            resource.push((name.to_owned(), value.to_owned()));
        }
    }
    let (follows_parent, share) = kind.unwrap_or((true, Some(1.0)));
    Some(Traces {
        endpoint,
        headers,
        resource,
        sampler: Sampler { follows_parent, ratio: share.unwrap_or(ratio) },
    })
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("is {text:?}. Accepted: true, false")),
    }
}

fn exporter(text: &str) -> Result<bool, String> {
    match text {
        "otlp" => Ok(true),
        "none" => Ok(false),
        _ => Err(format!("is {text:?}. Accepted: otlp, none")),
    }
}

fn protocol(text: &str) -> Result<(), String> {
    if text == "http/json" {
        return Ok(());
    }
    Err(format!("is {text:?}. Accepted: http/json, which collectors take where they take http/protobuf"))
}

fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // A password may stand in it, so that it is not repeated.
    url.ok_or_else(|| "is not an http or https URL such as http://collector:4318".to_owned())
}

/// `name=value` pairs, comma-separated, values percent-encoded.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
    };
    let pairs = text.split(',').filter(|text| !text.trim().is_empty());
    let parsed: Option<Vec<_>> = pairs.map(pair).collect();
    parsed.ok_or_else(|| "is not a list of pairs such as name=value,other=value".to_owned())
}

fn headers(text: &str) -> Result<Vec<(String, SecretString)>, String> {
    let good = |(name, value): &(String, String)| {
        http::HeaderName::try_from(name).is_ok() && http::HeaderValue::from_str(value).is_ok()
    };
    let pairs = pairs(text)?;
    if !pairs.iter().all(good) {
        return Err("holds what is no header".to_owned());
    }
    Ok(pairs.into_iter().map(|(name, value)| (name, value.into())).collect())
}

/// Whether the parent is followed, and which part is kept, where that is not told elsewhere.
fn sampler(text: &str) -> Result<(bool, Option<f64>), String> {
    match text {
        "always_on" => Ok((false, Some(1.0))),
        "always_off" => Ok((false, Some(0.0))),
        "traceidratio" => Ok((false, None)),
        "parentbased_always_on" => Ok((true, Some(1.0))),
        "parentbased_always_off" => Ok((true, Some(0.0))),
        "parentbased_traceidratio" => Ok((true, None)),
        _ => Err(format!(
            "is {text:?}. Accepted: always_on, always_off, traceidratio, and each of them after parentbased_"
        )),
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| format!("is {text:?}. Accepted: a number from 0 to 1"))
}
