//! The index of the space Engineering. Ids and titles stay for ever.

use super::build::{blog, comment, file, node, page};
use super::long;
use super::model::{Kind, Resolution, Status, Wiki};
use super::others::ENG;

const HOME: &str = "1310721";
const DECISIONS: &str = "1310840";
const MEETINGS: &str = "1310818";
const DEPLOYMENT: &str = "1310745";
const CATALOGUE: &str = "1310734";
const INCIDENT: &str = "1310756";
const POSTMORTEM: &str = "1310765";
const KEYS: &str = "1310811";
const WEBHOOKS: &str = "1310870";

pub fn write(wiki: &mut Wiki) {
    guides(wiki);
    operations(wiki);
    decisions(wiki);
    oddities(wiki);
    blog_posts(wiki);
    comments(wiki);
    files(wiki);
}

fn guides(wiki: &mut Wiki) {
    let home = page(HOME, ENG, "Engineering Home").version(
        "2023-02-01T09:00:00.000Z",
        "alice",
        "",
        "<p>Welcome to Engineering.</p>",
    );
    wiki.write(home.version(
        "2026-03-02T14:20:11.480Z",
        "alice",
        "A table instead of a list",
        include_str!("eng/home.xhtml"),
    ));
    wiki.write(page("1310730", ENG, "Architecture overview").under(HOME).labels(&["architecture"]).body(
        "2025-11-18T10:41:00.000Z",
        "mina",
        include_str!("eng/architecture.xhtml"),
    ));
    wiki.write(
        page(CATALOGUE, ENG, "Service catalogue").under(HOME).labels(&["architecture", "services"]).body(
            "2026-06-04T07:05:30.118Z",
            "mina",
            include_str!("eng/catalogue.xhtml"),
        ),
    );
    wiki.write(page("1310741", ENG, "Onboarding for developers").under(HOME).labels(&["onboarding"]).body(
        "2026-04-27T12:00:00.000Z",
        "erin",
        include_str!("eng/onboarding.xhtml"),
    ));
    wiki.write(
        page("1310801", ENG, "개발 환경 설정").under("1310741").labels(&["onboarding", "korean"]).body(
            "2026-04-28T02:11:09.002Z",
            "mina",
            include_str!("eng/korean.xhtml"),
        ),
    );
    wiki.write(page("1310835", ENG, "Getting started").under(HOME).labels(&["onboarding"]).body(
        "2025-02-11T09:30:00.000Z",
        "erin",
        include_str!("eng/started.xhtml"),
    ));
    wiki.write(page("1310770", ENG, "Coding standards").under(HOME).labels(&["standards"]).body(
        "2026-01-20T15:45:00.000Z",
        "alice",
        include_str!("eng/standards.xhtml"),
    ));
    wiki.write(page("1310775", ENG, "API guidelines").under("1310770").labels(&["standards", "api"]).body(
        "2026-05-04T08:00:00.000Z",
        "bob",
        include_str!("eng/api.xhtml"),
    ));
}

fn operations(wiki: &mut Wiki) {
    wiki.write(
        page(DEPLOYMENT, ENG, "Deployment guide")
            .under(HOME)
            .labels(&["deployment", "runbook"])
            .version("2023-03-14T20:00:00.000Z", "frank", "", include_str!("eng/deployment-1.xhtml"))
            .version(
                "2025-09-01T09:15:42.310Z",
                "bob",
                "acmectl replaces scp",
                include_str!("eng/deployment-2.xhtml"),
            )
            .version(
                "2026-05-10T10:02:05.777Z",
                "bob",
                "Canary first; freeze",
                include_str!("eng/deployment-3.xhtml"),
            ),
    );
    wiki.write(page("1310750", ENG, "Release process").under(DEPLOYMENT).labels(&["deployment"]).body(
        "2026-02-09T11:00:00.000Z",
        "alice",
        include_str!("eng/release.xhtml"),
    ));
    wiki.write(
        page("1310790", ENG, "Database migrations").under(DEPLOYMENT).labels(&["database", "runbook"]).body(
            "2026-05-19T16:30:00.000Z",
            "mina",
            include_str!("eng/migrations.xhtml"),
        ),
    );
    wiki.write(
        page(INCIDENT, ENG, "Incident response runbook").under(HOME).labels(&["runbook", "on-call"]).body(
            "2026-05-21T13:37:00.000Z",
            "alice",
            include_str!("eng/incident.xhtml"),
        ),
    );
    wiki.write(page("1310760", ENG, "On-call rota").under(INCIDENT).labels(&["on-call"]).body(
        "2026-06-01T06:00:00.000Z",
        "erin",
        include_str!("eng/oncall.xhtml"),
    ));
    let postmortem = page(POSTMORTEM, ENG, "Postmortem: checkout outage on 14 May 2026");
    wiki.write(postmortem.under(INCIDENT).labels(&["postmortem"]).body(
        "2026-05-20T17:10:00.000Z",
        "bob",
        include_str!("eng/postmortem.xhtml"),
    ));
    wiki.write(
        page(KEYS, ENG, "Security keys and rotation")
            .under(HOME)
            .labels(&["security"])
            .only(&["alice", "erin"])
            .body("2026-05-16T08:00:00.000Z", "alice", include_str!("eng/keys.xhtml")),
    );
    wiki.write(page("1310815", ENG, "Break-glass accounts").under(KEYS).labels(&["security"]).body(
        "2026-05-16T08:30:00.000Z",
        "erin",
        include_str!("eng/breakglass.xhtml"),
    ));
}

fn decisions(wiki: &mut Wiki) {
    let at = "2024-02-12T12:00:00.000Z";
    wiki.write(node(Kind::Folder, DECISIONS, ENG, "Decisions").under(HOME).empty(at, "alice"));
    let first = page("1310779", ENG, "ADR-001: Event sourcing for the ledger");
    wiki.write(first.under(DECISIONS).labels(&["adr"]).body(at, "alice", include_str!("eng/adr1.xhtml")));
    wiki.write(
        page("1310783", ENG, "ADR-002: Webhooks instead of polling").under(DECISIONS).labels(&["adr"]).body(
            "2026-02-03T10:00:00.000Z",
            "mina",
            include_str!("eng/adr2.xhtml"),
        ),
    );
    let sketch = node(Kind::Whiteboard, "1310844", ENG, "Order flow sketch");
    wiki.write(sketch.under(DECISIONS).empty("2026-01-28T15:00:00.000Z", "bob"));
    let vendors = node(Kind::Database, "1310848", ENG, "Vendors and licences");
    wiki.write(vendors.under(HOME).empty("2025-10-10T10:00:00.000Z", "erin"));
    let docs = node(Kind::Embed, "1310850", ENG, "Public API documentation");
    wiki.write(docs.under("1310848").empty("2025-10-11T10:00:00.000Z", "erin"));
    wiki.write(page(MEETINGS, ENG, "Meeting notes").under(HOME).body(
        "2024-01-08T10:00:00.000Z",
        "alice",
        "<ac:structured-macro ac:name=\"children\" ac:schema-version=\"2\" />",
    ));
    let notes = &["meeting-notes"];
    wiki.write(page("1310820", ENG, "Platform weekly, 2 June 2026").under(MEETINGS).labels(notes).body(
        "2026-06-02T09:55:00.000Z",
        "bob",
        include_str!("eng/weekly1.xhtml"),
    ));
    wiki.write(page("1310826", ENG, "Platform weekly, 9 June 2026").under(MEETINGS).labels(notes).body(
        "2026-06-09T09:58:00.000Z",
        "mina",
        include_str!("eng/weekly2.xhtml"),
    ));
}

/// What is hard to show or must not show: two more roots among them.
fn oddities(wiki: &mut Wiki) {
    wiki.write(page("1310795", ENG, "Log message reference").under(HOME).labels(&["reference"]).body(
        "2026-03-30T05:00:00.000Z",
        "mina",
        long::log_messages(),
    ));
    wiki.write(page("1310830", ENG, "Macro gallery").labels(&["reference"]).body(
        "2026-06-01T12:00:00.000Z",
        "priya",
        include_str!("eng/gallery.xhtml"),
    ));
    let odd = page("1310806", ENG, "Odd characters: \"quotes\" & <tags>, 100% C++ / C#?");
    wiki.write(odd.labels(&["reference"]).body(
        "2026-02-28T12:00:00.000Z",
        "mina",
        include_str!("eng/odd.xhtml"),
    ));
    let archived = page("1310852", ENG, "Old deployment guide").under(HOME).status(Status::Archived);
    wiki.write(archived.body("2023-12-01T10:00:00.000Z", "frank", include_str!("eng/old.xhtml")));
    let draft = page("1310856", ENG, "Reorganisation (draft)").under(HOME).status(Status::Draft);
    wiki.write(draft.body("2026-06-10T22:00:00.000Z", "alice", "<p>A draft that nobody may find.</p>"));
    let trashed = page("1310860", ENG, "Rules nobody followed").under(HOME).status(Status::Trashed);
    wiki.write(trashed.body("2022-06-10T22:00:00.000Z", "frank", "<p>Thrown away.</p>"));
}

fn blog_posts(wiki: &mut Wiki) {
    wiki.write(blog("1310874", ENG, "Checkout is twice as fast").labels(&["performance"]).body(
        "2026-04-16T09:00:00.000Z",
        "bob",
        include_str!("eng/blog-fast.xhtml"),
    ));
    wiki.write(blog(WEBHOOKS, ENG, "We moved to webhooks").labels(&["webhooks"]).body(
        "2026-06-05T09:00:00.000Z",
        "mina",
        include_str!("eng/blog-webhooks.xhtml"),
    ));
    wiki.write(blog("1310878", ENG, "Hack week in July").body(
        "2026-06-11T13:00:00.000Z",
        "priya",
        include_str!("eng/blog-hack.xhtml"),
    ));
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
