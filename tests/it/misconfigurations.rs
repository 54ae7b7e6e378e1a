//! What an operator can get wrong, one row each: `causeway serve`, or `causeway check` where only asking can tell, names the
//! variable, says what was found (never a secret), what is accepted, and what to do.

use std::net::TcpListener;
use std::process::Command;

use crate::support::World;

/// What is set otherwise, who is blamed, and what has to be told: what was found, what is accepted or to be done.
struct Row(&'static [(&'static str, &'static str)], &'static str, &'static [&'static str]);

const SITE: (&str, &str) = ("CAUSEWAY_SITE", "acme.atlassian.net");
const NO_CLIENT: [(&str, &str); 2] = [("CAUSEWAY_CLIENT_ID", ""), ("CAUSEWAY_CLIENT_SECRET", "")];

/// What `serve` refuses to start with.
const AT_START: &[Row] = &[
    Row(&[("CAUSEWAY_PUBLIC_URL", "")], "CAUSEWAY_PUBLIC_URL", &["not set", "Set it to the origin", "https"]),
    Row(
        &[("CAUSEWAY_PUBLIC_URL", "http://wiki.example.com")],
        "CAUSEWAY_PUBLIC_URL",
        &["\"http://wiki.example.com\"", "loopback only", "Accepted: an https origin"],
    ),
    Row(
        &[("CAUSEWAY_PUBLIC_URL", "https://wiki.example.com/causeway")],
        "CAUSEWAY_PUBLIC_URL",
        &["/causeway", "no path", "Accepted: an https origin"],
    ),
    Row(
        &[("CAUSEWAY_SECRET", "")],
        "CAUSEWAY_SECRET",
        &["not set", "32 or more random bytes", "causeway keygen"],
    ),
    Row(&[("CAUSEWAY_SECRET", "p4ssw0rd!p4ssw0rd!")], "CAUSEWAY_SECRET", &["not base64", "causeway keygen"]),
    Row(
        &[("CAUSEWAY_SECRET", "c2hvcnQtc2hvcnQ=")],
        "CAUSEWAY_SECRET",
        &["11 bytes", "32 or more", "causeway keygen"],
    ),
    Row(
        &[("CAUSEWAY_SECRET", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")],
        "CAUSEWAY_SECRET",
        &["not random", "causeway keygen"],
    ),
    Row(&[("CAUSEWAY_CLIENT_ID", "")], "CAUSEWAY_CLIENT_ID", &["not set", "Set it to the client id"]),
    Row(
        &[("CAUSEWAY_CLIENT_SECRET", "hunter2")],
        "CAUSEWAY_CLIENT_SECRET",
        &["8 characters", "causeway keygen"],
    ),
    Row(
        &[
            ("CAUSEWAY_CLIENT_SECRET", "ATOA-the-same-twice"),
            ("ATLASSIAN_CLIENT_SECRET", "ATOA-the-same-twice"),
        ],
        "CAUSEWAY_CLIENT_SECRET",
        &["same as ATLASSIAN_CLIENT_SECRET", "typed into ChatGPT", "Make another"],
    ),
    Row(&[("ATLASSIAN_CLIENT_SECRET", "")], "ATLASSIAN_CLIENT_SECRET", &["not set", "Set it to its secret"]),
    Row(
        &[("CAUSEWAY_GPT_IDS", "chatgpt.com/g/wiki")],
        "CAUSEWAY_GPT_IDS",
        &["\"chatgpt.com/g/wiki\"", "GPT id such as g-abc123"],
    ),
    Row(
        &[("CAUSEWAY_REDIRECT_URIS", "http://app.example/callback")],
        "CAUSEWAY_REDIRECT_URIS",
        &["\"http://app.example/callback\"", "absolute https URL"],
    ),
    Row(&[("CAUSEWAY_SITE", "acme")], "CAUSEWAY_SITE", &["\"acme\"", "a host such as acme.atlassian.net"]),
    Row(&[("CAUSEWAY_SPACES", "ENG")], "CAUSEWAY_SPACES", &["no site", "Set the site"]),
    Row(
        &[SITE, ("CAUSEWAY_SPACES", "our space")],
        "CAUSEWAY_SPACES",
        &["\"our space\"", "a space key such as ENG"],
    ),
    Row(
        &[("CAUSEWAY_ACTIONS", "searchConfluence,deletePages")],
        "CAUSEWAY_ACTIONS",
        &["\"deletePages\"", "Accepted: searchConfluence"],
    ),
    Row(
        &[("CAUSEWAY_MCP_CLIENTS", "everyone")],
        "CAUSEWAY_MCP_CLIENTS",
        &["\"everyone\"", "Accepted: known, any, off"],
    ),
    Row(&[("CAUSEWAY_LISTEN", "8080")], "CAUSEWAY_LISTEN", &["\"8080\"", "such as 0.0.0.0:8080"]),
    Row(
        &[("CAUSEWAY_LISTEN", "127.0.0.1:9999"), ("CAUSEWAY_ADMIN_LISTEN", "127.0.0.1:9999")],
        "CAUSEWAY_ADMIN_LISTEN",
        &["same as CAUSEWAY_LISTEN", "choose a port"],
    ),
    Row(&[("CAUSEWAY_DOCS", "true")], "CAUSEWAY_DOCS", &["\"true\"", "Accepted: on, off"]),
    Row(
        &[("CAUSEWAY_MAX_IN_FLIGHT", "unlimited")],
        "CAUSEWAY_MAX_IN_FLIGHT",
        &["\"unlimited\"", "Accepted: a whole number from 1 to 65536"],
    ),
    Row(
        &[("CAUSEWAY_TRUSTED_PROXIES", "10.0.0.0/8,proxy.example")],
        "CAUSEWAY_TRUSTED_PROXIES",
        &["\"proxy.example\"", "an address or a block of addresses such as 10.0.0.0/8"],
    ),
    Row(
        &[("CAUSEWAY_NOT_BEFORE", "21.11.2026")],
        "CAUSEWAY_NOT_BEFORE",
        &["\"21.11.2026\"", "such as 2026-11-21T09:00:00Z"],
    ),
    Row(&[("CAUSEWAY_LOG", "shout=loudly")], "CAUSEWAY_LOG", &["\"shout=loudly\"", "such as info"]),
    Row(
        &[("CAUSEWAY_SITES", "acme.atlassian.net")],
        "CAUSEWAY_SITES",
        &["not a variable of Causeway", "causeway serve --help"],
    ),
    Row(
        &[("CAUSEWAY_CONFIG", "/no/such/causeway.toml"), NO_CLIENT[0], NO_CLIENT[1]],
        "CAUSEWAY_CONFIG",
        &["\"/no/such/causeway.toml\"", "cannot be read"],
    ),
    Row(
        &[("CAUSEWAY_CONFIG", "/etc/causeway.toml")],
        "CAUSEWAY_CONFIG",
        &["together with CAUSEWAY_CLIENT_ID", "Keep one"],
    ),
    Row(
        &[("SSL_CERT_FILE", "/no/such/ca.pem")],
        "SSL_CERT_FILE",
        &["\"/no/such/ca.pem\"", "cannot be read", "Accepted: a PEM file"],
    ),
    Row(
        &[("SSL_CERT_FILE", "Cargo.toml")],
        "SSL_CERT_FILE",
        &["holds no certificate", "Accepted: a PEM file"],
    ),
    Row(
        &[("HTTPS_PROXY", "http://")],
        "HTTPS_PROXY",
        &["\"http://\"", "such as http://proxy.example.com:3128"],
    ),
];

/// The same in the file of `CAUSEWAY_CONFIG`: its text, who is blamed, and what has to be told.
const IN_A_FILE: &[(&str, &str, &[&str])] = &[
    ("", "CAUSEWAY_CONFIG", &["no [[gpt]] table", "Add one"]),
    (
        "[[gpt]]\nslug = \"a\"\nclient_id = \"a\"\nclient_secret = \"hunter2-hunter2\"",
        "CAUSEWAY_CONFIG gpt[0].client_secret",
        &["written into the file", "Accepted: { env = \"NAME\" } or { file = \"path\" }"],
    ),
    (
        "[[gpt]]\nslug = \"a\"\nclient_id = \"a\"\nclient_secret = { file = \"/run/secrets/none\" }",
        "CAUSEWAY_CONFIG gpt[0].client_secret",
        &["\"/run/secrets/none\"", "cannot be read"],
    ),
    (
        "[[gpt]]\nslug = \"a\"\nclient_id = \"a\"\nclient_secret = { env = \"A_SECRET\" }\n\n\
         [[gpt]]\nslug = \"a\"\nclient_id = \"b\"\nclient_secret = { env = \"A_SECRET\" }",
        "CAUSEWAY_CONFIG gpt[1].slug",
        &["\"a\"", "an earlier GPT has already", "Give each GPT its own"],
    ),
    (
        "[[gpt]]\nslug = \"a\"\nclient_id = \"a\"\nclient_secret = { env = \"A_SECRET\" }\nspace = [\"ENG\"]",
        "CAUSEWAY_CONFIG",
        &["line 5", "`space`", "expected one of", "`spaces`"],
    ),
];

/// What is set otherwise, and what `check` tells.
struct Asked(&'static [(&'static str, &'static str)], &'static [&'static str]);

/// What only asking can tell.
const IN_USE: &[Asked] = &[
    Asked(
        &[("ATLASSIAN_AUTH_URL", "http://127.0.0.1:9")],
        &["127.0.0.1 does not answer", "ATLASSIAN_AUTH_URL", "HTTPS_PROXY", "SSL_CERT_FILE"],
    ),
    Asked(
        &[("ATLASSIAN_API_URL", "http://127.0.0.1:9")],
        &["127.0.0.1 does not answer", "ATLASSIAN_API_URL"],
    ),
    Asked(
        &[("ATLASSIAN_CLIENT_SECRET", "ATOA-of-another-app")],
        &["Atlassian refuses them", "Set ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET to what Settings"],
    ),
    Asked(
        &[("ATLASSIAN_CLIENT_ID", "another-app")],
        &["Atlassian does not know the app", "Set ATLASSIAN_CLIENT_ID"],
    ),
    Asked(
        &[("CAUSEWAY_PUBLIC_URL", "http://localhost:9")],
        &[
            "refuses the callback URL http://localhost:9/oauth/callback",
            "set the callback URL to",
            "CAUSEWAY_PUBLIC_URL",
        ],
    ),
    Asked(
        &[("CAUSEWAY_CLIENT_SECRET", "not-what-runs-there")],
        &[
            "refuses this configuration\u{2019}s client id and secret",
            "Restart it with this CAUSEWAY_CLIENT_ID",
        ],
    ),
];

fn causeway(command: &str, world: &World, changes: &[(&str, &str)]) -> (bool, String) {
    let mut causeway = Command::new(env!("CARGO_BIN_EXE_causeway"));
    causeway
        .arg(command)
        .env_clear()
        .envs(&world.env)
        .env("A_SECRET", "of-a-gpt-in-the-file")
        .envs(changes.iter().copied());
    let output = causeway.output().unwrap();
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for (name, value) in
        world.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(changes.iter().copied())
    {
        let secret = name.ends_with("SECRET") && value.len() > 4;
        assert!(!(secret && told.contains(value)), "{name} is repeated: {told}");
    }
    (output.status.success(), told)
}

#[track_caller]
fn check(told: &str, blamed: &str, words: &[&str]) {
    let line = told.lines().find(|line| line.trim_start().starts_with(&format!("{blamed}: ")));
    let line = line.unwrap_or_else(|| panic!("{blamed} is not named: {told}"));
    for word in words {
        assert!(line.contains(word), "{word:?} is not told: {line}");
    }
}

#[tokio::test]
async fn serve_does_not_start_with_what_cannot_work_and_says_why() {
    let world = World::start().await;
    for Row(changes, blamed, words) in AT_START {
        let (started, told) = causeway("serve", &world, changes);
        assert!(!started && told.starts_with("1 mistake in the configuration:"), "{changes:?}: {told}");
        check(&told, blamed, words);
    }
}

#[tokio::test]
async fn mistakes_in_the_file_of_several_gpts_say_where_they_are() {
    let world = World::start().await;
    for (text, blamed, words) in IN_A_FILE {
        let path = std::env::temp_dir().join(format!("causeway-mistake-{}.toml", rand::random::<u64>()));
        std::fs::write(&path, text).unwrap();
        let file = [NO_CLIENT[0], NO_CLIENT[1], ("CAUSEWAY_CONFIG", path.to_str().unwrap())];
        let (started, told) = causeway("serve", &world, &file);
        std::fs::remove_file(&path).unwrap();
        assert!(!started && !told.contains("hunter2"), "{text}: {told}");
        check(&told, blamed, words);
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_its_variable() {
    let world = World::start().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for variable in ["CAUSEWAY_LISTEN", "CAUSEWAY_ADMIN_LISTEN"] {
        let other = if variable == "CAUSEWAY_LISTEN" { "CAUSEWAY_DOCS" } else { "CAUSEWAY_LISTEN" };
        let free = if other == "CAUSEWAY_LISTEN" { "127.0.0.1:0" } else { "on" };
        let (started, told) = causeway("serve", &world, &[(variable, &address), (other, free)]);
        assert!(!started);
        check(&told, variable, &[&address, "Choose another port, or stop what uses this one"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_what_only_asking_can_tell() {
    let world = World::start().await;
    for Asked(changes, words) in IN_USE {
        let (passed, told) = causeway("check", &world, changes);
        assert!(!passed, "{changes:?}: {told}");
        let bad =
            told.split("\nok ").flat_map(|text| text.split("\nnote ")).filter(|text| text.contains("BAD "));
        let bad: String = bad.collect();
        for word in *words {
            assert!(bad.contains(word), "{word:?} is not told of {changes:?}: {told}");
        }
    }
}
