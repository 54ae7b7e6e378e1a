//! The index of the spaces and of every page outside Engineering.

use std::sync::Arc;

use super::build::{at, page};
use super::model::{Readers, Space, Wiki};
use crate::sandbox::people::{ACME, GLOBEX};

/// Ids of the spaces.
pub const ENG: &str = "131073";
pub const PROD: &str = "131077";
pub const HR: &str = "131081";
pub const ALICE: &str = "131085";
pub const GLOBEX_PROD: &str = "262145";

pub fn spaces(wiki: &mut Wiki) {
    let space = |id, key, name, homepage, description| Space {
        site: &ACME,
        id,
        key,
        name,
        personal: false,
        archived: false,
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
    let globex = space(GLOBEX_PROD, "PROD", "Product", "2621441", "Globex Corporation: products.");
    wiki.spaces = [
        eng,
        prod,
        Space { readers: Readers::Only(&["alice", "erin"]), ..hr },
        Space { readers: Readers::Only(&["alice"]), personal: true, ..own },
        Space { site: &GLOBEX, author: "hank", ..globex },
    ]
    .map(Arc::new)
    .into();
}

pub fn write(wiki: &mut Wiki) {
    wiki.write(page("1320961", PROD, "Product Home").body(
        "2023-02-01T09:01:00.000Z",
        "alice",
        "<p>Welcome to Product.</p>",
    ));
    wiki.write(page("1320970", PROD, "Getting started").under("1320961").body(
        "2025-03-03T10:00:00.000Z",
        "priya",
        "<p>How to get started with Acme Pay.</p>",
    ));
    wiki.write(page("1331201", HR, "People & Culture Home").body(
        "2023-02-01T09:02:00.000Z",
        "erin",
        "<p>Welcome.</p>",
    ));
    wiki.write(page("1331211", HR, "Salary bands 2026").under("1331201").body(
        "2026-01-12T09:02:00.000Z",
        "erin",
        "<p>Salary bands for 2026.</p>",
    ));
    wiki.write(page("1341441", ALICE, "Overview").body(
        "2023-02-01T09:02:00.000Z",
        "alice",
        "<p>Hi, I am Alice.</p>",
    ));
    wiki.write(page("2621441", GLOBEX_PROD, "Globex Product Home").body(
        "2024-02-01T09:02:00.000Z",
        "hank",
        "<p>Welcome to Globex.</p>",
    ));
    wiki.write(page("2621446", GLOBEX_PROD, "Getting started").under("2621441").body(
        "2024-02-01T09:12:00.000Z",
        "hank",
        "<p>Getting started at Globex.</p>",
    ));
}
