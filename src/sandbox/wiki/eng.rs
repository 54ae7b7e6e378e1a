//! The space Engineering: its pages in the order of the tree, and what hangs on them. Ids and titles stay for ever.

use super::build::{Pages, comment, file, node};
use super::long;
use super::model::{Kind, Resolution, Wiki};
use super::others::ENG;

const HOME: &str = "1310721";
const DECISIONS: &str = "1310840";
const DEPLOYMENT: &str = "1310745";
const CATALOGUE: &str = "1310734";
const POSTMORTEM: &str = "1310765";
const KEYS: &str = "1310811";
const WEBHOOKS: &str = "1310870";

/// Each with its versions, oldest first.
const PAGES: Pages = &[
    &[include_str!("eng/home-1.xhtml"), include_str!("eng/home-2.xhtml")],
    &[include_str!("eng/architecture.xhtml")],
    &[include_str!("eng/catalogue.xhtml")],
    &[include_str!("eng/onboarding.xhtml")],
    &[include_str!("eng/korean.xhtml")],
    &[include_str!("eng/started.xhtml")],
    &[include_str!("eng/standards.xhtml")],
    &[include_str!("eng/api.xhtml")],
    &[
        include_str!("eng/deployment-1.xhtml"),
        include_str!("eng/deployment-2.xhtml"),
        include_str!("eng/deployment-3.xhtml"),
    ],
    &[include_str!("eng/release.xhtml")],
    &[include_str!("eng/migrations.xhtml")],
    &[include_str!("eng/incident.xhtml")],
    &[include_str!("eng/oncall.xhtml")],
    &[include_str!("eng/postmortem.xhtml")],
    &[include_str!("eng/keys.xhtml")],
    &[include_str!("eng/breakglass.xhtml")],
    &[include_str!("eng/adr1.xhtml")],
    &[include_str!("eng/adr2.xhtml")],
    &[include_str!("eng/meetings.xhtml")],
    &[include_str!("eng/weekly1.xhtml")],
    &[include_str!("eng/weekly2.xhtml")],
    &[include_str!("eng/gallery.xhtml")],
    &[include_str!("eng/odd.xhtml")],
    &[include_str!("eng/old.xhtml")],
    &[include_str!("eng/draft.xhtml")],
    &[include_str!("eng/trashed.xhtml")],
    &[include_str!("eng/blog-fast.xhtml")],
    &[include_str!("eng/blog-webhooks.xhtml")],
    &[include_str!("eng/blog-hack.xhtml")],
];

pub fn write(wiki: &mut Wiki) {
    wiki.pages(ENG, PAGES);
    let reference = format!("{}{}", include_str!("eng/log-messages.txt"), long::log_messages());
    wiki.page(ENG, &[&reference]);
    nodes(wiki);
    comments(wiki);
    files(wiki);
}

/// What stands in the tree without a body.
fn nodes(wiki: &mut Wiki) {
    wiki.node(node(Kind::Folder, DECISIONS, HOME, "Decisions", "2024-02-12T12:00:00.000Z", "alice"));
    let at = "2026-01-28T15:00:00.000Z";
    wiki.node(node(Kind::Whiteboard, "1310844", DECISIONS, "Order flow sketch", at, "bob"));
    let at = "2025-10-10T10:00:00.000Z";
    wiki.node(node(Kind::Database, "1310848", HOME, "Vendors and licences", at, "erin"));
    wiki.node(node(Kind::Embed, "1310850", "1310848", "Public API documentation", at, "erin"));
}

fn comments(wiki: &mut Wiki) {
    let question = comment(
        "1510401",
        DEPLOYMENT,
        "2026-05-11T09:12:00.000Z",
        "mina",
        "<p>Does the canary also run for <code>webhook-relay</code>? It has no golden signals yet.</p>",
    );
    wiki.comment(question);
    let answer = "<p><ac:link><ri:user ri:account-id=\"712020:5d2c1f0a-8b7e-4c64-9d0e-31a700000007\" /></ac:link> \
                  Not yet. Promote it by hand after ten quiet minutes.</p>";
    wiki.comment(
        comment("1510405", DEPLOYMENT, "2026-05-11T09:40:00.000Z", "bob", answer).replies_to("1510401"),
    );
    wiki.comment(
        comment("1510409", DEPLOYMENT, "2026-05-11T10:02:00.000Z", "mina", "<p>고마워요! 👍</p>")
            .replies_to("1510405"),
    );
    wiki.comment(comment(
        "1510413",
        DEPLOYMENT,
        "2026-05-28T15:00:00.000Z",
        "erin",
        "<p>Friday afternoon deploys: please don’t. <strong>Really.</strong></p>",
    ));
    wiki.comment(
        comment(
            "1510415",
            "1310770",
            "2026-01-21T09:00:00.000Z",
            "bob",
            "<p>400 lines without generated code?</p>",
        )
        .on("400 changed lines", "5e1f0c62-9a7d-4d55-b1e4-30de00000004")
        .resolution(Resolution::Reopened),
    );
    let marker = "c1a5b9de-7f02-4d6a-8a57-30de00000001";
    wiki.comment(
        comment(
            "1510417",
            DEPLOYMENT,
            "2026-05-15T08:00:00.000Z",
            "alice",
            "<p>Link the migration page here.</p>",
        )
        .on("except after a database migration", marker)
        .resolution(Resolution::Resolved),
    );
    wiki.comment(
        comment("1510421", DEPLOYMENT, "2026-05-15T08:30:00.000Z", "bob", "<p>Done.</p>")
            .on("except after a database migration", marker)
            .resolution(Resolution::Resolved)
            .replies_to("1510417"),
    );
    wiki.comment(
        comment(
            "1510425",
            POSTMORTEM,
            "2026-05-21T07:45:00.000Z",
            "erin",
            "<p>Why 40? It was 80 in April.</p>",
        )
        .on("connection pool of 40", "0d5fb3a2-0c7a-4a0e-9f53-30de00000002"),
    );
    wiki.comment(
        comment(
            "1510429",
            POSTMORTEM,
            "2026-05-22T07:45:00.000Z",
            "frank",
            "<p>This sentence is gone now.</p>",
        )
        .on("a sentence that was deleted", "11111111-0c7a-4a0e-9f53-30de00000009")
        .resolution(Resolution::Dangling),
    );
    wiki.comment(comment("1510433", KEYS, "2026-05-17T08:00:00.000Z", "erin", "<p>The safe sticks.</p>"));
    wiki.comment(comment(
        "1510437",
        WEBHOOKS,
        "2026-06-05T10:00:00.000Z",
        "alice",
        "<p>Cake at three! 🎂</p>",
    ));
}

fn files(wiki: &mut Wiki) {
    let png = include_bytes!("files/architecture.png").as_slice();
    wiki.file(file("1610501", "1310730", "architecture.png", "image/png", png, ""));
    let inventory = include_str!("files/service-inventory.csv");
    wiki.file(file("1610505", CATALOGUE, "service-inventory.csv", "text/csv", inventory, inventory).by(
        "mina",
        "2026-06-04T07:00:00.000Z",
        3,
        "May numbers",
    ));
    let sheet = include_bytes!("files/service-costs.xlsx").as_slice();
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let text = "Service Month Cost in euros checkout ledger webhook-relay payouts fax-gateway 640";
    wiki.file(file("1610509", CATALOGUE, "service-costs.xlsx", kind, sheet, text));
    let report = include_bytes!("files/postmortem-2026-05-14.pdf").as_slice();
    let text = "Report for the board. What the board is asked to decide: a second database engineer, \
                a yearly failover rehearsal with an outside observer.";
    wiki.file(file("1610513", POSTMORTEM, "postmortem-2026-05-14.pdf", "application/pdf", report, text));
    let secret = "envelope BG-3 seal number 558120\n";
    wiki.file(file("1610517", KEYS, "envelopes.txt", "text/plain", secret, secret));
}
