//! The index of the space Engineering.

use super::build::{blog, page};
use super::model::Wiki;
use super::others::ENG;

pub fn write(wiki: &mut Wiki) {
    wiki.write(page("1310721", ENG, "Engineering Home").body(
        "2023-02-01T09:00:00.000Z",
        "alice",
        "<p>Welcome to Engineering.</p>",
    ));
    wiki.write(
        page("1310745", ENG, "Deployment guide")
            .under("1310721")
            .labels(&["deployment", "runbook"])
            .version("2025-01-10T10:00:00.000Z", "erin", "First draft", "<p>Deploy by hand.</p>")
            .version("2026-05-10T10:00:00.000Z", "bob", "Canary first", "<h1>Deploying</h1><p>Every service is deployed with <code>acmectl deploy</code>, canary first.</p><h2>Rollback</h2><p>Run <code>acmectl rollback</code>.</p>"),
    );
    wiki.write(
        page("1310756", ENG, "Incident response runbook")
            .under("1310721")
            .labels(&["runbook", "on-call"])
            .body("2026-04-01T10:00:00.000Z", "alice", "<p>Page the on-call engineer first.</p>"),
    );
    wiki.write(
        page("1310811", ENG, "Security keys and rotation").under("1310721").only(&["alice", "erin"]).body(
            "2026-03-01T10:00:00.000Z",
            "alice",
            "<p>Secret keys are rotated every 90 days.</p>",
        ),
    );
    wiki.write(blog("1310870", ENG, "We moved to webhooks").body(
        "2026-06-02T10:00:00.000Z",
        "mina",
        "<p>Polling is gone; webhooks deliver events.</p>",
    ));
}
