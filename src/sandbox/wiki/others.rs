//! The spaces, and the pages of all of them but Engineering. Ids and titles stay for ever.

use std::sync::Arc;

use super::build::{Pages, at, comment, file};
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
        alias: key,
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
        Space { readers: Readers::Only(vec!["alice", "erin"]), author: "erin", ..hr },
        Space { readers: Readers::Only(vec!["alice"]), personal: true, ..own },
        Space {
            site: &GLOBEX,
            alias: "terminals",
            author: "hank",
            created: at("2021-05-05T05:05:05.000Z"),
            ..globex
        },
    ]
    .map(Arc::new)
    .into();
}

/// Each with its versions, oldest first; so below.
const PRODUCT: Pages = &[
    &[include_str!("prod/home.xhtml")],
    &[
        include_str!("prod/roadmap-1.xhtml"),
        include_str!("prod/roadmap-2.xhtml"),
        include_str!("prod/roadmap-3.xhtml"),
    ],
    &[include_str!("prod/started.xhtml")],
    &[include_str!("prod/redesign.xhtml")],
    &[include_str!("prod/pricing.xhtml")],
    &[include_str!("prod/interviews.xhtml")],
    &[include_str!("prod/rtl.xhtml")],
    &[include_str!("prod/glossary.xhtml")],
    &[include_str!("prod/faq.xhtml")],
    &[include_str!("prod/acquisition.xhtml")],
    &[include_str!("prod/notes.xhtml")],
    &[include_str!("prod/notes42.xhtml")],
    &[include_str!("prod/notes43.xhtml")],
    &[include_str!("prod/flags.xhtml")],
    &[include_str!("prod/blog-hello.xhtml")],
];

const PEOPLE: Pages = &[
    &[include_str!("hr/home.xhtml")],
    &[include_str!("hr/parental.xhtml")],
    &[include_str!("hr/bands.xhtml")],
    &[include_str!("hr/travel.xhtml")],
    &[include_str!("hr/reviews.xhtml")],
];

const OWN: Pages = &[
    &[include_str!("alice/overview.xhtml")],
    &[include_str!("alice/oneonone.xhtml")],
    &[include_str!("alice/ideas.xhtml")],
];

const TERMINALS: Pages = &[
    &[include_str!("globex/home.xhtml")],
    &[include_str!("globex/started.xhtml")],
    &[include_str!("globex/roadmap.xhtml")],
    &[include_str!("globex/hammock.xhtml")],
];

pub fn write(wiki: &mut Wiki) {
    wiki.pages(PROD, PRODUCT);
    wiki.pages(HR, PEOPLE);
    wiki.pages(ALICE, OWN);
    wiki.pages(GLOBEX_PROD, TERMINALS);
    product(wiki);
    people(wiki);
}

fn product(wiki: &mut Wiki) {
    const ROADMAP: &str = "1320966";
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

fn people(wiki: &mut Wiki) {
    const BANDS: &str = "1331211";
    let at = "2026-01-13T08:00:00.000Z";
    wiki.comment(comment("1530401", BANDS, at, "alice", "<p>Too low for Seoul.</p>"));
    let bands = "level,from,to\nEngineer I,58000,68000\n";
    wiki.file(file("1630601", BANDS, "bands-2026.csv", "text/csv", bands, bands));
}
