//! Who can sign in at the sandbox, and at which sites.

/// A site of the sandbox's world.
#[derive(Debug)]
pub struct Site {
    pub cloud_id: &'static str,
    pub host: &'static str,
    pub name: &'static str,
}

impl Site {
    pub fn url(&self) -> String {
        format!("https://{}", self.host)
    }

    /// What every `_links.base` holds.
    pub fn base(&self) -> String {
        format!("https://{}/wiki", self.host)
    }
}

pub const ACME: Site =
    Site { cloud_id: "9f1c7a52-3a0e-4f6e-8f5d-2b7a61c0d4e1", host: "acme.atlassian.net", name: "acme" };
pub const GLOBEX: Site =
    Site { cloud_id: "4be2d90c-77d3-4c1a-9a60-d1f0c58e3b27", host: "globex.atlassian.net", name: "globex" };

pub const SITES: &[Site] = &[ACME, GLOBEX];

/// One entry of accessible-resources: Atlassian lists a site once for each product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    Confluence,
    Jira,
}

/// An account. Those with a `blurb` can sign in; the others only write pages.
#[derive(Debug)]
pub struct Person {
    pub key: &'static str,
    pub account_id: &'static str,
    pub name: &'static str,
    /// What the person picker says about them.
    pub blurb: Option<&'static str>,
    pub active: bool,
    /// The accessible resources of a grant of theirs, in Atlassian's order.
    pub resources: &'static [(&'static Site, Product)],
    /// False: the site is theirs, Confluence is not ("not permitted to use Confluence").
    pub uses_confluence: bool,
}

const WRITER: Person = Person {
    key: "",
    account_id: "",
    name: "",
    blurb: None,
    active: true,
    resources: &[(&ACME, Product::Confluence)],
    uses_confluence: true,
};

pub const PEOPLE: &[Person] = &[
    Person {
        key: "alice",
        account_id: "712020:5d2c1f0a-8b7e-4c64-9d0e-a11ce0000001",
        name: "Alice Anderson",
        blurb: Some("Head of Engineering. Sees every space on acme and globex."),
        resources: &[(&ACME, Product::Jira), (&ACME, Product::Confluence), (&GLOBEX, Product::Confluence)],
        ..WRITER
    },
    Person {
        key: "bob",
        account_id: "712020:5d2c1f0a-8b7e-4c64-9d0e-b0b000000002",
        name: "Bob Okafor",
        blurb: Some("Developer at acme. Sees neither HR nor Alice’s own space nor restricted pages."),
        resources: &[(&ACME, Product::Jira), (&ACME, Product::Confluence)],
        ..WRITER
    },
    Person {
        key: "nobody",
        account_id: "712020:5d2c1f0a-8b7e-4c64-9d0e-0b0d00000003",
        name: "Norma Body",
        blurb: Some("Has an Atlassian account, but no site at all."),
        resources: &[],
        uses_confluence: false,
        ..WRITER
    },
    Person {
        key: "jira",
        account_id: "712020:5d2c1f0a-8b7e-4c64-9d0e-314a00000004",
        name: "Jirō Tanaka",
        blurb: Some("Has Jira on acme, but not Confluence."),
        resources: &[(&ACME, Product::Jira)],
        uses_confluence: false,
        ..WRITER
    },
    Person {
        key: "guest",
        account_id: "712020:5d2c1f0a-8b7e-4c64-9d0e-60e500000005",
        name: "Gwen Esterházy",
        blurb: Some("Was taken off Confluence on acme: the site is listed, every call is refused."),
        uses_confluence: false,
        ..WRITER
    },
    Person { key: "erin", account_id: "5b10ac8d82e05b22cc7d4ef5", name: "Erin O’Neill", ..WRITER },
    Person {
        key: "mina",
        account_id: "712020:5d2c1f0a-8b7e-4c64-9d0e-31a700000007",
        name: "김민아 (Mina Kim)",
        ..WRITER
    },
    Person {
        key: "frank",
        account_id: "557058:0f6e2c3b-1d55-4a59-8c0a-f4a9c0000008",
        name: "Frank Müller (Unlicensed)",
        active: false,
        ..WRITER
    },
    Person {
        key: "priya",
        account_id: "712020:5d2c1f0a-8b7e-4c64-9d0e-9417a0000009",
        name: "Priya Natarajan",
        ..WRITER
    },
    Person {
        key: "hank",
        account_id: "712020:5d2c1f0a-8b7e-4c64-9d0e-4a9c0000000a",
        name: "Hank Scorpio",
        resources: &[(&GLOBEX, Product::Confluence)],
        ..WRITER
    },
];

pub fn by_key(key: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.key == key)
}

pub fn by_account(account_id: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.account_id == account_id)
}
