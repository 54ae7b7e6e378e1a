//! The index of the spaces, and of every page outside Engineering. Ids and titles stay for ever.

use std::sync::Arc;

use super::build::{at, blog, comment, file, page};
use super::model::{Readers, Space, Wiki};
use crate::sandbox::people::{ACME, GLOBEX};

/// Ids of the spaces.
pub const ENG: &str = "131073";
const PROD: &str = "131077";
const HR: &str = "131081";
const ALICE: &str = "131085";
const GLOBEX_PROD: &str = "262145";

pub fn spaces(wiki: &mut Wiki) {
    let space = |id, key, name, homepage, description| Space {
        site: &ACME,
        id,
        key,
        name,
        personal: false,
        description,
        homepage,
        readers: Readers::Everyone,
        created: at("2023-02-01T09:00:00.000Z"),
        author: "alice",
    };
    let eng = space(ENG, "ENG", "Engineering", "1310721", "How Acme builds, ships and runs its software.");
    let prod = space(PROD, "PROD", "Product", "1320961", "What Acme builds next, and why.");
    let hr =
        space(HR, "HR", "People & Culture", "1331201", "Policies, pay and everything about working at Acme.");
    let own = space(ALICE, "~alice", "Alice Anderson", "1341441", "");
    let globex = space(
        GLOBEX_PROD,
        "PROD",
        "Product",
        "2621441",
        "Globex Corporation: terminals, among other things.",
    );
    wiki.spaces = [
        eng,
        prod,
        Space { readers: Readers::Only(&["alice", "erin"]), author: "erin", ..hr },
        Space { readers: Readers::Only(&["alice"]), personal: true, ..own },
        Space { site: &GLOBEX, author: "hank", created: at("2021-05-05T05:05:05.000Z"), ..globex },
    ]
    .map(Arc::new)
    .into();
}

pub fn write(wiki: &mut Wiki) {
    product(wiki);
    releases(wiki);
    people(wiki);
    alice(wiki);
    globex(wiki);
}

fn product(wiki: &mut Wiki) {
    const HOME: &str = "1320961";
    const ROADMAP: &str = "1320966";
    let home = page(HOME, PROD, "Product Home");
    wiki.write(home.body("2024-05-02T09:00:00.000Z", "priya", include_str!("prod/home.xhtml")));
    wiki.write(
        page(ROADMAP, PROD, "Roadmap 2026")
            .under(HOME)
            .labels(&["roadmap"])
            .version("2025-12-01T10:00:00.000Z", "priya", "First draft", include_str!("prod/roadmap-1.xhtml"))
            .version(
                "2026-02-02T10:00:00.000Z",
                "priya",
                "Loyalty points dropped",
                include_str!("prod/roadmap-2.xhtml"),
            )
            .version(
                "2026-05-27T16:40:00.000Z",
                "priya",
                "Quarters and states",
                include_str!("prod/roadmap-3.xhtml"),
            ),
    );
    wiki.write(page("1320970", PROD, "Getting started").under(HOME).labels(&["guide"]).body(
        "2025-03-03T10:00:00.000Z",
        "priya",
        include_str!("prod/started.xhtml"),
    ));
    wiki.write(page("1320975", PROD, "Checkout redesign").under(ROADMAP).labels(&["prd"]).body(
        "2026-05-29T09:00:00.000Z",
        "priya",
        include_str!("prod/redesign.xhtml"),
    ));
    wiki.write(page("1320980", PROD, "Pricing and plans").under(HOME).labels(&["pricing"]).body(
        "2026-01-02T08:00:00.000Z",
        "priya",
        include_str!("prod/pricing.xhtml"),
    ));
    wiki.write(
        page("1320984", PROD, "Merchant interviews, April 2026").under(HOME).labels(&["research"]).body(
            "2026-04-30T15:00:00.000Z",
            "priya",
            include_str!("prod/interviews.xhtml"),
        ),
    );
    wiki.write(page("1321006", PROD, "Research: العربية and עברית").under(HOME).labels(&["research"]).body(
        "2026-03-12T15:00:00.000Z",
        "priya",
        include_str!("prod/rtl.xhtml"),
    ));
    wiki.write(page("1320989", PROD, "Glossary").under(HOME).labels(&["reference"]).body(
        "2025-06-17T15:00:00.000Z",
        "bob",
        include_str!("prod/glossary.xhtml"),
    ));
    wiki.write(page("1321010", PROD, "Support FAQ").under(HOME).labels(&["support"]).body(
        "2026-06-03T12:34:56.789Z",
        "erin",
        include_str!("prod/faq.xhtml"),
    ));
    wiki.write(page("1321015", PROD, "Project Bluebird").under(HOME).only(&["alice", "priya"]).body(
        "2026-06-08T18:00:00.000Z",
        "alice",
        include_str!("prod/acquisition.xhtml"),
    ));
    let text = "Roadmap 2026 for the sales meeting. Instant payouts ship on 15 September 2026. Quicksilver.";
    let kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let slides = include_bytes!("files/roadmap-2026.docx").as_slice();
    wiki.file(file("1620601", ROADMAP, "roadmap-2026.docx", kind, slides, text).by(
        "priya",
        "2026-05-27T16:45:00.000Z",
        2,
        "",
    ));
    let notes = include_str!("files/interview-notes.txt");
    wiki.file(file("1620605", "1320984", "interview-notes.txt", "text/plain", notes, notes));
    wiki.comment(
        comment(
            "1520401",
            "1320975",
            "2026-06-01T11:00:00.000Z",
            "bob",
            "<p>It took two days for our own domain.</p>",
        )
        .on("three weeks", "77d0c1f8-54be-4a57-86b5-30de00000003"),
    );
    wiki.comment(comment(
        "1520405",
        ROADMAP,
        "2026-05-28T08:00:00.000Z",
        "alice",
        "<p>Is Q3 realistic with the ledger migration in June?</p>",
    ));
}

fn releases(wiki: &mut Wiki) {
    const NOTES: &str = "1320993";
    const HOME: &str = "1320961";
    wiki.write(page(NOTES, PROD, "Release notes").under(HOME).labels(&["release-notes"]).body(
        "2025-01-08T10:00:00.000Z",
        "priya",
        include_str!("prod/notes.xhtml"),
    ));
    wiki.write(page("1320997", PROD, "Release notes 4.2").under(NOTES).labels(&["release-notes"]).body(
        "2026-05-06T08:00:00.000Z",
        "priya",
        include_str!("prod/notes42.xhtml"),
    ));
    wiki.write(page("1321001", PROD, "Release notes 4.3").under(NOTES).labels(&["release-notes"]).body(
        "2026-06-03T08:00:00.000Z",
        "priya",
        include_str!("prod/notes43.xhtml"),
    ));
    wiki.write(page("1321003", PROD, "Feature flags").under(HOME).labels(&["reference"]).body(
        "2026-06-02T12:00:00.000Z",
        "bob",
        include_str!("prod/flags.xhtml"),
    ));
    wiki.write(blog("1321030", PROD, "Hello, Acme Pay").body(
        "2024-05-02T08:00:00.000Z",
        "priya",
        include_str!("prod/blog-hello.xhtml"),
    ));
}

fn people(wiki: &mut Wiki) {
    const HOME: &str = "1331201";
    let home = page(HOME, HR, "People & Culture Home");
    wiki.write(home.body("2023-02-01T09:02:00.000Z", "erin", include_str!("hr/home.xhtml")));
    wiki.write(page("1331206", HR, "Parental leave").under(HOME).labels(&["policy"]).body(
        "2025-07-01T09:00:00.000Z",
        "erin",
        include_str!("hr/parental.xhtml"),
    ));
    wiki.write(page("1331211", HR, "Salary bands 2026").under(HOME).labels(&["pay"]).body(
        "2026-01-12T09:02:00.000Z",
        "erin",
        include_str!("hr/bands.xhtml"),
    ));
    wiki.write(page("1331216", HR, "Travel and expenses").under(HOME).labels(&["policy"]).body(
        "2026-02-16T09:00:00.000Z",
        "erin",
        include_str!("hr/travel.xhtml"),
    ));
    wiki.write(page("1331221", HR, "Performance reviews").under(HOME).labels(&["policy"]).body(
        "2026-02-20T09:00:00.000Z",
        "erin",
        include_str!("hr/reviews.xhtml"),
    ));
    wiki.comment(comment(
        "1530401",
        "1331211",
        "2026-01-13T08:00:00.000Z",
        "alice",
        "<p>Too low for Seoul.</p>",
    ));
    let bands = "level,from,to\nEngineer I,58000,68000\n";
    wiki.file(file("1630601", "1331211", "bands-2026.csv", "text/csv", bands, bands));
}

fn alice(wiki: &mut Wiki) {
    const HOME: &str = "1341441";
    let home = page(HOME, ALICE, "Overview");
    wiki.write(home.body("2023-02-01T09:02:00.000Z", "alice", include_str!("alice/overview.xhtml")));
    wiki.write(page("1341446", ALICE, "1:1 with Bob").under(HOME).body(
        "2026-06-16T10:30:00.000Z",
        "alice",
        include_str!("alice/oneonone.xhtml"),
    ));
    wiki.write(page("1341450", ALICE, "Ideas").under(HOME).body(
        "2026-04-01T20:00:00.000Z",
        "alice",
        include_str!("alice/ideas.xhtml"),
    ));
}

fn globex(wiki: &mut Wiki) {
    const HOME: &str = "2621441";
    let home = page(HOME, GLOBEX_PROD, "Globex Product Home");
    wiki.write(home.body("2024-02-01T09:02:00.000Z", "hank", include_str!("globex/home.xhtml")));
    wiki.write(page("2621446", GLOBEX_PROD, "Getting started").under(HOME).labels(&["guide"]).body(
        "2024-02-01T09:12:00.000Z",
        "hank",
        include_str!("globex/started.xhtml"),
    ));
    wiki.write(page("2621451", GLOBEX_PROD, "Roadmap 2026").under(HOME).labels(&["roadmap"]).body(
        "2026-03-03T09:12:00.000Z",
        "hank",
        include_str!("globex/roadmap.xhtml"),
    ));
    wiki.write(page("2621456", GLOBEX_PROD, "Hammock district campaign").under(HOME).body(
        "2026-06-12T09:12:00.000Z",
        "hank",
        include_str!("globex/hammock.xhtml"),
    ));
}
