//! Configuration: each mistake names its variable, what was found (never a secret), what is accepted, and so what to do;
//! all of them at once.

use std::path::PathBuf;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use causeway::config::{Config, Environment, VARIABLES};
use causeway::known_actions;
use secrecy::ExposeSecret as _;

use crate::support::secret;

fn good() -> Environment {
    let pairs = [
        ("CAUSEWAY_PUBLIC_URL", "https://causeway.example.com"),
        ("CAUSEWAY_SECRET", &secret(7)),
        ("CAUSEWAY_CLIENT_ID", "client!+ID"),
        ("CAUSEWAY_CLIENT_SECRET", "s3cret+% &=:/?#x"),
        ("ATLASSIAN_CLIENT_ID", "atlassian-app"),
        ("ATLASSIAN_CLIENT_SECRET", "ATOA&secret=+%2f"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn load(changes: &[(&str, &str)]) -> Result<Config, String> {
    let mut env = good();
    env.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Config::load(&env, &known_actions()).map_err(|mistakes| mistakes.to_string())
}

/// Fails unless these changes are refused in one line that begins with `variable` and holds each of `told`.
#[track_caller]
fn check(changes: &[(&str, &str)], variable: &str, told: &[&str]) {
    let message = load(changes).expect_err(&format!("{changes:?} is accepted"));
    let lines: Vec<&str> = message.lines().skip(1).collect();
    let line = lines.iter().find(|line| line.trim_start().starts_with(&format!("{variable}: ")));
    let line = line.unwrap_or_else(|| panic!("{variable} is not named: {message}"));
    assert_eq!(lines.len(), 1, "one mistake, one line: {message}");
    for word in told {
        assert!(line.contains(word), "{word:?} is not told: {line}");
    }
    for name in ["CAUSEWAY_SECRET", "CAUSEWAY_CLIENT_SECRET", "ATLASSIAN_CLIENT_SECRET"] {
        for value in [
            good().get(name),
            changes
                .iter()
                .find(|(changed, _)| *changed == name)
                .map(|(_, value)| (*value).to_owned())
                .as_ref(),
        ] {
            if let Some(value) = value.filter(|value| value.len() > 4) {
                assert!(!message.contains(value.as_str()), "a secret is repeated: {message}");
            }
        }
    }
}

#[test]
fn what_is_good_is_accepted_with_its_defaults() {
    let config = load(&[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.max_in_flight, 64);
    assert!(config.mcp_clients.is_known_alone());
    assert_eq!(config.atlassian.api_url.as_str(), "https://api.atlassian.com/");
    assert!(config.docs && config.audit && config.admin_listen.is_none());
    assert!(config.budget.as_secs() < 40, "ChatGPT gives up at 45 s");
    let gpt = config.default_gpt();
    assert_eq!((gpt.name.as_str(), gpt.slug.as_str()), ("Confluence", "default"));
    assert!(gpt.spaces.is_empty() && gpt.site.is_none());
    let reading: Vec<&str> =
        known_actions().iter().filter(|action| action.on_by_default).map(|action| action.id).collect();
    assert_eq!(gpt.actions, reading);
}

#[test]
fn a_required_variable_that_is_missing_or_empty_is_named_with_what_to_set_it_to() {
    for (name, told) in [
        ("CAUSEWAY_PUBLIC_URL", "https"),
        ("CAUSEWAY_SECRET", "causeway keygen"),
        ("CAUSEWAY_CLIENT_ID", "client id"),
        ("CAUSEWAY_CLIENT_SECRET", "client secret"),
        ("ATLASSIAN_CLIENT_ID", "client id"),
        ("ATLASSIAN_CLIENT_SECRET", "secret"),
    ] {
        for value in ["", "  "] {
            check(&[(name, value)], name, &["is not set", told]);
        }
    }
}

#[test]
fn a_public_url_is_an_https_origin_or_loopback() {
    for (url, told) in [
        ("http://causeway.example.com", "https"),
        ("https://causeway.example.com/path", "path"),
        ("https://user:hush-hush@causeway.example.com", "user name"),
        ("https://causeway.example.com?x", "query"),
        ("causeway.example.com", "https"),
        ("ftp://causeway.example.com", "https"),
        ("https://", "host"),
    ] {
        check(
            &[("CAUSEWAY_PUBLIC_URL", url)],
            "CAUSEWAY_PUBLIC_URL",
            &[told, "https://causeway.example.com"],
        );
        assert!(!load(&[("CAUSEWAY_PUBLIC_URL", url)]).unwrap_err().contains("hush-hush"));
    }
    for url in ["https://causeway.example.com:8443/", "http://localhost:8080", "http://[::1]:9"] {
        load(&[("CAUSEWAY_PUBLIC_URL", url)]).unwrap();
    }
}

#[test]
fn a_sealing_key_is_random_and_long() {
    let short = "c2hvcnQtc2hvcnQ=";
    let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    check(&[("CAUSEWAY_SECRET", "not base64 at all!")], "CAUSEWAY_SECRET", &["base64", "causeway keygen"]);
    check(&[("CAUSEWAY_SECRET", short)], "CAUSEWAY_SECRET", &["11 bytes", "32", "causeway keygen"]);
    check(&[("CAUSEWAY_SECRET", zeros)], "CAUSEWAY_SECRET", &["not random", "causeway keygen"]);
    check(&[("CAUSEWAY_SECRET", &format!("{},{short}", secret(9)))], "CAUSEWAY_SECRET", &["32"]);
    let key = |byte: &dyn Fn(u8) -> u8| STANDARD.encode((0..48).map(byte).collect::<Vec<u8>>());
    for pattern in [
        key(&|_| 0xff),
        key(&|n| n),
        key(&|n| 200_u8.wrapping_sub(n.wrapping_mul(5))),
        // The keys of this repository's own tests were these once.
        key(&|n| n.wrapping_mul(7) ^ 1),
        key(&|n| n.wrapping_mul(7) ^ 0xa5),
        STANDARD.encode("0123456789abcdefGHIJKLMNOPQRSTUV"),
        STANDARD.encode("q7Zx!s9KfP2w".repeat(4)),
    ] {
        check(&[("CAUSEWAY_SECRET", &pattern)], "CAUSEWAY_SECRET", &["not random", "causeway keygen"]);
    }
    check(&[("CAUSEWAY_SECRET", ",")], "CAUSEWAY_SECRET", &["no key"]);
    assert_eq!(
        load(&[("CAUSEWAY_SECRET", &format!("{}, {}", secret(8), secret(9)))]).unwrap().secrets.len(),
        2
    );
}

/// Whoever copies a key from an example, a test or a bench is told; so that none need be known by name, none is random.
#[test]
fn no_key_that_stands_in_this_repository_starts_a_gateway() {
    let mut found = 0;
    let mut places: Vec<PathBuf> =
        ["README.md", "benches", "infra", "src", "tests"].map(PathBuf::from).into();
    while let Some(place) = places.pop() {
        if place.is_dir() {
            let inside = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
            places.extend(inside.filter(|path| !path.ends_with("node_modules")));
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&place).unwrap()).into_owned();
        let in_base64 = |c: char| c.is_ascii_alphanumeric() || "+/_-=".contains(c);
        for key in text.split(|c| !in_base64(c)).filter(|word| word.len() >= 44 && word.ends_with('=')) {
            found += 1;
            assert!(load(&[("CAUSEWAY_SECRET", key)]).is_err(), "a key of {} is accepted", place.display());
        }
    }
    assert!(found > 1, "at least those that are refused on purpose are there");
}

#[test]
fn clients_are_plain_and_their_secrets_long() {
    check(&[("CAUSEWAY_CLIENT_ID", "causeway-docs")], "CAUSEWAY_CLIENT_ID", &["Swagger UI", "another"]);
    check(&[("CAUSEWAY_CLIENT_ID", "https://client.example/x")], "CAUSEWAY_CLIENT_ID", &["plain name"]);
    check(&[("CAUSEWAY_CLIENT_ID", "clïent")], "CAUSEWAY_CLIENT_ID", &["ASCII"]);
    check(
        &[("CAUSEWAY_CLIENT_SECRET", "short-1")],
        "CAUSEWAY_CLIENT_SECRET",
        &["8 characters", "causeway keygen"],
    );
    check(&[("ATLASSIAN_CLIENT_SECRET", "sëcret-sëcret")], "ATLASSIAN_CLIENT_SECRET", &["ASCII"]);
    check(&[("CAUSEWAY_GPT_IDS", "g-ok,chatgpt")], "CAUSEWAY_GPT_IDS", &["\"chatgpt\"", "g-abc123"]);
    check(
        &[("CAUSEWAY_REDIRECT_URIS", "http://app.example/cb")],
        "CAUSEWAY_REDIRECT_URIS",
        &["http://app.example/cb", "https"],
    );
    check(&[("CAUSEWAY_REDIRECT_URIS", "https://app.example/cb#x")], "CAUSEWAY_REDIRECT_URIS", &["fragment"]);
}

#[test]
fn redirect_uris_are_written_as_they_are_read() {
    for odd in [
        "https:x.example/cb",
        "https:/x.example/cb",
        "HTTPS://x.example/cb",
        "https://X.example/cb",
        "https://x.example",
        "https://x.example:443/cb",
        "https://x.example:/cb",
        "https://x.example./cb",
        "https://%78.example/cb",
        "https://x.example/a/../cb",
        "https://x.example/cb#y",
        "https://x.example\\cb",
        "https://\u{445}.example/cb",
        "https://0x7f.1/cb",
        "http://127.1/cb",
        "http://x.example/cb",
        "javascript:alert(1)//",
        "data:text/html,x/",
        "view-source:https://x.example/cb",
        "myapp://cb",
    ] {
        let odd_list = format!("https://y.example/cb,{odd}");
        check(
            &[("CAUSEWAY_REDIRECT_URIS", &odd_list)],
            "CAUSEWAY_REDIRECT_URIS",
            &["A redirect URI is an absolute https URL"],
        );
        if odd != "myapp://cb" {
            check(&[("CAUSEWAY_MCP_CLIENTS", &format!("known,{odd}"))], "CAUSEWAY_MCP_CLIENTS", &["holds"]);
        }
    }
    for password in ["https://u:s3cret-Pw@x.example/cb", "u:s3cret-Pw@x.example"] {
        let message = load(&[("CAUSEWAY_MCP_CLIENTS", &format!("known,{password}"))]).unwrap_err();
        assert!(message.contains("a URL with a user name") && !message.contains("s3cret-Pw"), "{message}");
    }
    check(
        &[("CAUSEWAY_MCP_CLIENTS", "known,https://chatgpt.com/aip/g-1/oauth/callback")],
        "CAUSEWAY_MCP_CLIENTS",
        &["custom GPT", "CAUSEWAY_GPT_IDS"],
    );
    load(&[("CAUSEWAY_REDIRECT_URIS", "https://x.example/cb?a=1,http://127.0.0.1:1/cb")]).unwrap();
}

#[test]
fn sites_spaces_and_actions_exist() {
    check(&[("CAUSEWAY_SITE", "acme")], "CAUSEWAY_SITE", &["\"acme\"", "acme.atlassian.net", "cloud id"]);
    check(&[("CAUSEWAY_SPACES", "ENG")], "CAUSEWAY_SPACES", &["no site", "Set the site"]);
    let site = ("CAUSEWAY_SITE", "acme.atlassian.net");
    check(&[site, ("CAUSEWAY_SPACES", "ENG,no such")], "CAUSEWAY_SPACES", &["\"no such\"", "ENG"]);
    check(
        &[("CAUSEWAY_ACTIONS", "getPage,readPage")],
        "CAUSEWAY_ACTIONS",
        &["\"readPage\"", "searchConfluence"],
    );
    let pasted = load(&[("CAUSEWAY_SITE", "https://ACME.atlassian.net/wiki")]).unwrap();
    assert_eq!(pasted.default_gpt().site.as_ref().unwrap().as_str(), "acme.atlassian.net");
    let dashes = "-".repeat(36);
    for bad in
        [&dashes, "127.0.0.1", "acme.atlassian.net:8443", "-a.example", "1111-aaaa-4bbb-8ccc-000000000001"]
    {
        check(&[("CAUSEWAY_SITE", bad)], "CAUSEWAY_SITE", &[bad, "acme.atlassian.net", "cloud id"]);
    }
    let gpt = load(&[site, ("CAUSEWAY_SPACES", " ENG, ~alice ,ENG,"), ("CAUSEWAY_ACTIONS", "whoAmI,whoAmI")])
        .unwrap();
    assert_eq!(gpt.default_gpt().spaces, ["ENG", "~alice"]);
    assert_eq!(gpt.default_gpt().actions, ["whoAmI"]);
}

#[test]
fn lists_that_hold_nothing_are_refused_rather_than_taken_for_all() {
    let site = ("CAUSEWAY_SITE", "acme.atlassian.net");
    check(&[site, ("CAUSEWAY_SPACES", " , ,")], "CAUSEWAY_SPACES", &["no "]);
    check(&[("CAUSEWAY_ACTIONS", ",")], "CAUSEWAY_ACTIONS", &["no "]);
    check(&[("CAUSEWAY_GPT_IDS", ",")], "CAUSEWAY_GPT_IDS", &["no "]);
}

#[test]
fn the_rest_is_one_of_what_is_accepted() {
    for (name, value, told) in [
        ("CAUSEWAY_LISTEN", "8080", "0.0.0.0:8080"),
        ("CAUSEWAY_ADMIN_LISTEN", "localhost", "0.0.0.0:8080"),
        ("CAUSEWAY_MCP_CLIENTS", "everybody", "known, any, off"),
        ("CAUSEWAY_DOCS", "yes", "on, off"),
        ("CAUSEWAY_AUDIT", "1", "on, off"),
        ("CAUSEWAY_LOG", "causeway=loud", "causeway=debug"),
        ("CAUSEWAY_LOG", "info,[request]=debug", "causeway=debug"),
        ("CAUSEWAY_LOG", " , ", "causeway=debug"),
        ("CAUSEWAY_LOG_FORMAT", "xml", "text, json"),
        ("CAUSEWAY_MAX_IN_FLIGHT", "0", "1 to 65536"),
        ("CAUSEWAY_MAX_IN_FLIGHT", "many", "1 to 65536"),
        ("CAUSEWAY_NOT_BEFORE", "yesterday", "2026-11-21T09:00:00Z"),
        ("CAUSEWAY_NAME", "two\nlines", "one line"),
        ("CAUSEWAY_CONTACT", "a\u{1b}[0mb", "one line"),
        ("ATLASSIAN_AUTH_URL", "http://auth.example", "https"),
        ("ATLASSIAN_API_URL", "https://api.example/v1", "host"),
        ("ATLASSIAN_MEDIA_HOSTS", "https://media.example/x", "host"),
        ("CAUSEWAY_PUBLIC_ULR", "https://x.example", "causeway serve --help"),
    ] {
        check(&[(name, value)], name, &[told]);
    }
}

#[test]
fn spaces_and_commas_too_many_do_no_harm_in_a_log_filter() {
    let config = load(&[("CAUSEWAY_SITE", "acme.atlassian.net"), ("CAUSEWAY_LOG", " info, hyper=debug, ")]);
    assert_eq!(config.unwrap().log.filter, "info,hyper=debug");
}

#[test]
fn an_action_that_reads_any_space_and_a_list_of_spaces_exclude_each_other() {
    let (site, action) =
        (("CAUSEWAY_SITE", "acme.atlassian.net"), ("CAUSEWAY_ACTIONS", "getPage,callConfluence"));
    let message = load(&[site, action, ("CAUSEWAY_SPACES", "ENG")]).unwrap_err();
    for told in ["1 mistake ", "CAUSEWAY_ACTIONS", "callConfluence", "ENG"] {
        assert!(message.contains(told), "{told}: {message}");
    }
    assert!(load(&[site, action]).unwrap().default_gpt().allows_action("callConfluence"));
    assert!(!load(&[site]).unwrap().default_gpt().allows_action("callConfluence"), "it is off by default");
}

#[test]
fn every_mistake_is_told_at_once() {
    let message = load(&[
        ("CAUSEWAY_PUBLIC_URL", "http://x.example"),
        ("CAUSEWAY_SECRET", "x"),
        ("CAUSEWAY_CLIENT_SECRET", "short"),
        ("CAUSEWAY_ACTIONS", "nope"),
        ("CAUSEWAY_SPACES", "ENG"),
        ("CAUSEWAY_DOCS", "maybe"),
        ("ATLASSIAN_CLIENT_ID", ""),
        ("CAUSEWAY_LISTEN", "x"),
    ])
    .unwrap_err();
    assert!(message.starts_with("8 mistakes"), "{message}");
    assert_eq!(message.lines().count(), 9, "{message}");
}

/// A configuration file that lasts as long as the test.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("causeway-configuration-{}.toml", rand::random::<u64>()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn load(&self) -> Result<Config, String> {
        load(&[
            ("CAUSEWAY_CONFIG", self.path()),
            ("CAUSEWAY_CLIENT_ID", ""),
            ("CAUSEWAY_CLIENT_SECRET", ""),
            ("ENG_SECRET", "eng-secret+1"),
        ])
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap_or_default();
    }
}

#[test]
fn a_file_describes_several_gpts_with_secrets_from_elsewhere() {
    let held = File::new("  hr-secret%2\n");
    let file = File::new(&format!(
        "[[gpt]]\nslug = \"eng\"\nname = \"Engineering\"\nclient_id = \"eng!\"\nclient_secret = {{ env = \"ENG_SECRET\" }}\n\
         site = \"acme.atlassian.net\"\nspaces = [\"ENG\"]\nactions = [\"getPage\"]\ngpt_ids = [\"g-1\"]\n\n\
         [[gpt]]\nslug = \"hr\"\nclient_id = \"hr\"\nclient_secret = {{ file = {:?} }}\n",
        held.path()
    ));
    let config = file.load().unwrap();
    assert_eq!(config.default_gpt().slug, "eng");
    let (eng, hr) = (config.gpt_by_slug("eng").unwrap(), config.gpt_by_client_id("hr").unwrap());
    assert_eq!((eng.name.as_str(), hr.name.as_str()), ("Engineering", "Confluence"));
    assert_eq!(
        (eng.spaces.as_slice(), eng.actions.as_slice()),
        (&["ENG".to_owned()][..], &["getPage".to_owned()][..])
    );
    assert!(hr.actions.len() > 3 && hr.spaces.is_empty());
    let exposed =
        |gpt: &causeway::config::Gpt| secrecy::ExposeSecret::expose_secret(&gpt.client_secret).to_owned();
    assert_eq!((exposed(eng), exposed(hr)), ("eng-secret+1".to_owned(), "hr-secret%2".to_owned()));
}

#[test]
fn mistakes_in_a_file_say_where_they_are() {
    let table =
        |slug: &str, rest: &str| format!("[[gpt]]\nslug = \"{slug}\"\nclient_id = \"{slug}-id\"\n{rest}\n");
    let env = "client_secret = { env = \"ENG_SECRET\" }";
    for (text, told) in [
        (String::new(), vec!["CAUSEWAY_CONFIG", "[[gpt]]"]),
        ("[[gpt]\nslug = 1".to_owned(), vec!["CAUSEWAY_CONFIG", "line 1"]),
        (table("a", &format!("{env}\nspace = [\"ENG\"]")), vec!["CAUSEWAY_CONFIG", "space"]),
        (
            table("a", "client_secret = \"hunter2-hunter2\""),
            vec!["gpt[0].client_secret", "env = \"NAME\"", "file = \"path\""],
        ),
        (
            table("a", "client_secret = { env = \"NOT_SET\" }"),
            vec!["gpt[0].client_secret", "NOT_SET", "not set"],
        ),
        (
            table("a", "client_secret = { file = \"/no/such/file\" }"),
            vec!["gpt[0].client_secret", "/no/such/file", "cannot be read"],
        ),
        (table("a", "client_secret = { env = \"A\", file = \"b\" }"), vec!["gpt[0].client_secret", "or"]),
        (table("A b", env), vec!["gpt[0].slug", "\"A b\"", "a-z"]),
        (table("a", env) + &table("a", env), vec!["gpt[1].slug", "\"a\"", "gpt[1].client_id"]),
        (
            table("a", env) + &table("b", &format!("{env}\nspaces = [\"ENG\"]")),
            vec!["gpt[1].spaces", "Set the site"],
        ),
        (
            table(
                "a",
                &format!("{env}\nsite = \"x.example\"\nspaces = [\"ENG\"]\nactions = [\"callConfluence\"]"),
            ),
            vec!["gpt[0].actions", "callConfluence", "ENG"],
        ),
        (
            table("a", &format!("{env}\nactions = [\"nope\"]")),
            vec!["gpt[0].actions", "\"nope\"", "searchConfluence"],
        ),
        (
            table("a", &format!("{env}\nsite = \"a.atlassian.net\"\nspaces = []")),
            vec!["gpt[0].spaces", "no value"],
        ),
        (table("a", &format!("{env}\nactions = []")), vec!["gpt[0].actions", "no value"]),
        (table("a", &format!("{env}\nsite = \"acme\"")), vec!["gpt[0].site", "\"acme\""]),
        (table("a", &format!("{env}\ngpt_ids = [\"x\"]")), vec!["gpt[0].gpt_ids", "\"x\""]),
    ] {
        let message = File::new(&text).load().expect_err(&text);
        for word in told {
            assert!(message.contains(word), "{word} is not told of {text}: {message}");
        }
        assert!(
            !message.contains("hunter2") && !message.contains("eng-secret"),
            "a secret is repeated: {message}"
        );
    }
}

#[test]
fn a_file_and_variables_for_one_gpt_exclude_each_other() {
    let file = File::new("");
    check(&[("CAUSEWAY_CONFIG", file.path())], "CAUSEWAY_CONFIG", &["CAUSEWAY_CLIENT_ID", "Keep one"]);
    let message = load(&[("CAUSEWAY_CONFIG", "/no/such.toml"), ("CAUSEWAY_CLIENT_ID", "")]).unwrap_err();
    assert!(message.contains("/no/such.toml") && message.contains("cannot be read"), "{message}");
}

fn causeway(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway"));
    command.args(arguments).env_clear().envs(env.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_lists_every_variable_with_its_default() {
    let output = causeway(&["serve", "--help"], &[]);
    let help = text(&output.stdout);
    for variable in VARIABLES {
        let line = help.lines().find(|line| line.trim_start().starts_with(&format!("{} ", variable.name)));
        assert!(
            line.is_some_and(|line| line.contains(variable.default)),
            "{} is not in the help",
            variable.name
        );
    }
}

/// A file with a secret, gone after the test.
struct SecretFile(PathBuf);

impl SecretFile {
    fn holding(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("causeway-secret-{}", rand::random::<u64>()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap_or_default();
    }
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let (key, secret) =
        (SecretFile::holding(&format!("{}\n", secret(9))), SecretFile::holding(" from-a-file \n"));
    let config = load(&[
        ("CAUSEWAY_SECRET", ""),
        ("CAUSEWAY_SECRET_FILE", key.path()),
        ("CAUSEWAY_CLIENT_SECRET", ""),
        ("CAUSEWAY_CLIENT_SECRET_FILE", secret.path()),
        ("ATLASSIAN_CLIENT_SECRET_FILE", ""),
    ])
    .unwrap();
    assert_eq!(config.secrets[0].expose_secret(), crate::support::secret(9));
    assert_eq!(config.default_gpt().client_secret.expose_secret(), "from-a-file");
    assert_eq!(config.atlassian.client_secret.expose_secret(), good()["ATLASSIAN_CLIENT_SECRET"]);
}

#[test]
fn a_file_that_holds_no_secret_is_named_and_what_it_holds_is_not_told() {
    let (empty, short) = (SecretFile::holding(" \n"), SecretFile::holding("mulgara"));
    for name in ["CAUSEWAY_SECRET", "CAUSEWAY_CLIENT_SECRET", "ATLASSIAN_CLIENT_SECRET"] {
        let file = &format!("{name}_FILE");
        check(&[(name, ""), (file, "/nowhere/at/all")], file, &["/nowhere/at/all", "cannot be read"]);
        check(&[(name, ""), (file, empty.path())], file, &["is empty"]);
        check(&[(file, short.path())], file, &["together with", name]);
        let message = load(&[(name, ""), (file, short.path())]).unwrap_err();
        assert!(message.contains(&format!("{name}: ")) && !message.contains("mulgara"), "{message}");
    }
}

#[test]
fn a_new_key_is_accepted_and_each_is_another() {
    let (one, other) = (causeway(&["keygen"], &[]), causeway(&["keygen"], &[]));
    assert!(one.status.success() && one.stdout != other.stdout);
    load(&[("CAUSEWAY_SECRET", text(&one.stdout).trim())]).unwrap();
}

#[test]
fn serve_tells_its_mistakes_and_fails() {
    let output = causeway(&["serve"], &[("CAUSEWAY_SECRET", "weak-weak-weak"), ("CAUSEWAY_DOCS", "maybe")]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    for name in [
        "CAUSEWAY_PUBLIC_URL",
        "CAUSEWAY_SECRET",
        "CAUSEWAY_CLIENT_ID",
        "CAUSEWAY_DOCS",
        "ATLASSIAN_CLIENT_SECRET",
    ] {
        assert!(told.contains(name), "{name}: {told}");
    }
    assert!(!told.contains("weak-weak"), "{told}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_port_that_is_taken_is_named_with_the_variable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let env = good();
    let mut pairs: Vec<(&str, &str)> =
        env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.push(("CAUSEWAY_LISTEN", &address));
    let output = causeway(&["serve"], &pairs);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("CAUSEWAY_LISTEN") && told.contains(&address), "{told}");
}

#[test]
fn the_document_is_printed_for_each_gpt_and_an_unknown_one_is_refused_with_the_known() {
    let env = good();
    let pairs: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let json = causeway(&["openapi"], &pairs);
    let document: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(document["servers"][0]["url"], "https://causeway.example.com");
    assert!(text(&causeway(&["openapi", "--yaml"], &pairs).stdout).starts_with("openapi: "));
    let unknown = causeway(&["openapi", "--gpt", "nope"], &pairs);
    let told = text(&unknown.stderr);
    assert!(!unknown.status.success() && told.contains("\"nope\"") && told.contains("default"), "{told}");
}
