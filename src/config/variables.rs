//! The table of variables, for `causeway serve --help` and the README.

/// One environment variable.
pub struct Variable {
    pub name: &'static str,
    /// What holds when it is not set.
    pub default: &'static str,
    pub meaning: &'static str,
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, meaning }
}

/// Every variable that Causeway reads itself.
pub const VARIABLES: &[Variable] = &[
    variable(
        "CAUSEWAY_PUBLIC_URL",
        "required",
        "the origin people and ChatGPT reach; https, or http on loopback",
    ),
    variable("CAUSEWAY_LISTEN", "127.0.0.1:8080", "address and port to listen on"),
    variable(
        "CAUSEWAY_ADMIN_LISTEN",
        "none",
        "address and port for /metrics and /readyz with details, for the operator alone",
    ),
    variable(
        "CAUSEWAY_SECRET",
        "required",
        "base64 of 32 or more random bytes (causeway keygen); comma-separated key ring: the first seals, all open",
    ),
    variable(
        "CAUSEWAY_CLIENT_ID",
        "required without CAUSEWAY_CONFIG",
        "the client id the builder types into the GPT",
    ),
    variable(
        "CAUSEWAY_CLIENT_SECRET",
        "required without CAUSEWAY_CONFIG",
        "the client secret the builder types into the GPT",
    ),
    variable("CAUSEWAY_SECRET_FILE", "none", "a file that holds CAUSEWAY_SECRET, instead of the variable"),
    variable("CAUSEWAY_CLIENT_SECRET_FILE", "none", "the same for CAUSEWAY_CLIENT_SECRET"),
    variable("CAUSEWAY_GPT_IDS", "any GPT", "comma-separated GPT ids (g-…) whose callback is accepted"),
    variable("CAUSEWAY_REDIRECT_URIS", "none", "comma-separated further redirect URIs, matched exactly"),
    variable("CAUSEWAY_SITE", "any", "the only Confluence site to use: its host or cloud id"),
    variable("CAUSEWAY_SPACES", "all", "comma-separated space keys the GPT may read; needs CAUSEWAY_SITE"),
    variable("CAUSEWAY_ACTIONS", "the reading set", "comma-separated operationIds"),
    variable(
        "CAUSEWAY_MCP_CLIENTS",
        "known",
        "known (ChatGPT, Claude, Cursor, VS Code, loopback), any, off, or comma-separated: known, hosts, redirect URIs",
    ),
    variable("CAUSEWAY_DOCS", "on", "on or off: Swagger UI at /docs"),
    variable(
        "CAUSEWAY_CONFIG",
        "none",
        "a TOML file with [[gpt]] tables, for several GPTs; instead of CAUSEWAY_CLIENT_ID",
    ),
    variable("CAUSEWAY_NAME", "Confluence", "the default GPT's name"),
    variable("CAUSEWAY_OPERATOR", "none", "who runs this, for the privacy page"),
    variable("CAUSEWAY_CONTACT", "none", "how to reach them: an e-mail address or a URL"),
    variable("CAUSEWAY_NOT_BEFORE", "none", "an RFC 3339 time; earlier sign-ins are refused"),
    variable("CAUSEWAY_OPENAI_CHALLENGE", "none", "what /.well-known/openai-apps-challenge answers"),
    variable("CAUSEWAY_LOG", "info", "a tracing filter, such as info or causeway=debug"),
    variable("CAUSEWAY_LOG_FORMAT", "text", "text or json"),
    variable("CAUSEWAY_AUDIT", "on", "on or off: one audit line per action"),
    variable(
        "CAUSEWAY_MAX_IN_FLIGHT",
        "64",
        "requests worked on at the same time, 1 to 65536; others wait up to 5 s",
    ),
    variable(
        "CAUSEWAY_TRUSTED_PROXIES",
        "none",
        "comma-separated addresses or blocks (10.0.0.0/8) whose X-Forwarded-For is believed",
    ),
    variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "none",
        "a collector for traces, such as http://collector:4318 (OTLP over HTTP, in JSON); OTEL_… for traces hold too",
    ),
    variable("ATLASSIAN_CLIENT_ID", "required", "client id of the gateway's 3LO app"),
    variable("ATLASSIAN_CLIENT_SECRET", "required", "its secret"),
    variable("ATLASSIAN_CLIENT_SECRET_FILE", "none", "a file that holds it, instead of the variable"),
    variable("ATLASSIAN_AUTH_URL", "https://auth.atlassian.com", "for tests and the demo"),
    variable("ATLASSIAN_API_URL", "https://api.atlassian.com", "for tests and the demo"),
    variable(
        "ATLASSIAN_MEDIA_HOSTS",
        "api.media.atlassian.com",
        "comma-separated hosts that attachment downloads may redirect to",
    ),
];
