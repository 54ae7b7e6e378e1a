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
        Space { site: &GLOBEX, author: "hank", created: at("2021-05-05T05:05:05.000Z"), ..globex },
    ]
    .map(Arc::new)
    .into();
}

/// Each with its versions, oldest first; so below.
const PRODUCT: Pages = &[
    &[include_str!("prod/home.xhtml")],
    &[include_str!("prod/roadmap-1.xhtml"), include_str!("prod/roadmap-2.xhtml"), include_str!("prod/roadmap-3.xhtml")],
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
    &[include_str!("hr    wiki.comment(comment(
        "1530401",
        "1331211",
        "2026-01-13T08:00:00.000Z",
        "alice",
        "<p>Too low for Seoul.</p>",
    ));
    let bands = "level,from,to\nEngineer I,58000,68000\n";
    wiki.file(file("1630601", "1331211", "bands-2026.csv", "text/csv", bands, bands));
}
