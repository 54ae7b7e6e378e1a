use proptest::prelude::*;

use super::*;

fn standing(clients: &str, uri: &str) -> Option<Standing> {
    let clients = McpClients::parse(clients).unwrap();
    RedirectUri::parse(uri).ok().and_then(|uri| clients.standing(&uri))
}

fn known_as(clients: &str, uri: &str) -> Option<&'static str> {
    match standing(clients, uri) {
        Some(Standing::Known(client)) => Some(client.name),
        _ => None,
    }
}

#[test]
fn known_are_exactly_the_callbacks_of_the_table_and_loopback() {
    for (uri, name) in [
        ("https://chatgpt.com/connector_platform_oauth_redirect", "ChatGPT"),
        ("https://chatgpt.com/connector/oauth/AbC_1-2", "ChatGPT"),
        ("https://claude.ai/api/mcp/auth_callback", "Claude"),
        ("https://claude.com/api/mcp/auth_callback", "Claude"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "Cursor"),
        ("https://www.cursor.com/agents/mcp/oauth/callback", "Cursor"),
        ("https://vscode.dev/redirect", "Visual Studio Code"),
        ("https://insiders.vscode.dev/redirect", "Visual Studio Code"),
    ] {
        assert_eq!(known_as("known", uri), Some(name), "{uri}");
        assert_eq!(known_as("any", uri), Some(name), "{uri}");
    }
    for loopback in ["http://127.0.0.1:33418/", "http://localhost/callback", "http://[::1]:5/any?path"] {
        assert_eq!(standing("known", loopback), Some(Standing::Loopback), "{loopback}");
    }
    let long = format!("https://chatgpt.com/connector/oauth/{}", "x".repeat(257));
    for bad in [
        "https://chatgpt.com/",
        "https://chatgpt.com/cb",
        "https://chatgpt.com/connector/oauth/",
        "https://chatgpt.com/connector/oauth/x/",
        "https://chatgpt.com/connector/oauth/x/y",
        "https://chatgpt.com/connector/oauth/x?y=1",
        "https://chatgpt.com/connector/oauth/%78",
        "https://chatgpt.com/connector_platform_oauth_redirect/",
        "https://chatgpt.com:8443/connector/oauth/x",
        "https://chat.openai.com/connector/oauth/x",
        "https://www.chatgpt.com/connector/oauth/x",
        "https://claude.ai/cb",
        "https://claude.ai/api/mcp/auth_callback/",
        "https://claude.ai/api/mcp/AUTH_callback",
        "https://cursor.com/agents/mcp/oauth/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback2",
        "cursor://evil/oauth/callback",
        "vscode://redirect",
        "https://vscode.dev/redirect?x",
        "https://global.consent.azure-apim.net/redirect/x",
        "https://agent.example/cb",
        "https://localhost/cb",
        "com.example.app:/cb",
        &long,
    ] {
        assert_eq!(standing("known", bad), None, "{bad}");
    }
}

#[test]
fn the_callback_of_a_gpt_is_never_a_dynamic_clients() {
    let callback = "https://chatgpt.com/aip/g-attacker/oauth/callback";
    for clients in
        ["known", "any", "chatgpt.com", "known,chatgpt.com:8443", "chat.openai.com", "any,openai.com"]
    {
        assert_eq!(standing(clients, callback), None, "{clients}");
        assert_eq!(
            standing(clients, "https://chatgpt.com/%61ip/g-attacker/oauth/callback"),
            None,
            "{clients}"
        );
        assert_eq!(
            standing(clients, "https://chat.openai.com/aip/g-attacker/oauth/callback"),
            None,
            "{clients}"
        );
    }
    assert!(McpClients::parse(&format!("known,{callback}")).is_err());
}

#[test]
fn hosts_and_uris_stand_beside_known_or_alone() {
    let agent = "https://agent.example/cb";
    assert_eq!(standing("known,https://agent.example/cb", agent), Some(Standing::Listed));
    assert_eq!(standing("known,https://agent.example/cb", "https://agent.example/cb2"), None);
    assert_eq!(standing("known, agent.example", agent), Some(Standing::Permitted));
    assert_eq!(standing("known,Agent.Example", "https://agent.example:8443/cb"), None);
    assert_eq!(standing("agent.example:8443", "https://agent.example:8443/cb"), Some(Standing::Permitted));
    assert_eq!(standing("agent.example", "http://127.0.0.1/cb"), None);
    assert_eq!(standing("agent.example,localhost", "http://127.0.0.1/cb"), Some(Standing::Loopback));
    assert_eq!(standing("known,myapp://cb", "myapp://cb"), Some(Standing::Listed));
    assert_eq!(standing("known,myapp://cb", "myapp://cb/x"), None);
    assert_eq!(standing("any,myapp://cb", "myapp://cb"), Some(Standing::Listed));
    assert_eq!(standing("any", "myapp://cb"), None);
    assert_eq!(standing("any", agent), Some(Standing::Permitted));
    assert_eq!(standing("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"), Some(Standing::Listed));
    assert_eq!(standing("off", "http://127.0.0.1/cb"), None);
}

#[test]
fn a_known_clients_host_stands_for_its_uris_and_no_other() {
    assert_eq!(known_as("claude.ai", "https://claude.com/api/mcp/auth_callback"), Some("Claude"));
    assert_eq!(standing("claude.ai", "https://claude.ai/cb"), None);
    assert_eq!(standing("claude.ai", "https://chatgpt.com/connector/oauth/x"), None);
    assert_eq!(
        known_as("vscode.dev,agent.example", "https://vscode.dev/redirect"),
        Some("Visual Studio Code")
    );
}

#[test]
fn a_host_that_only_looks_like_another_has_to_be_listed() {
    let confusable = "https://xn--chtgpt-4nf.com/cb";
    assert_eq!(standing("any", confusable), None);
    assert_eq!(standing("xn--chtgpt-4nf.com", confusable), Some(Standing::Permitted));
}

#[test]
fn entries_that_are_read_differently_are_mistakes() {
    for bad in [
        "",
        ",",
        "chatgpt",
        "known,off",
        "off,known",
        "KNOWN",
        "known,https://agent.example",
        "known,https://Agent.example/cb",
        "known,HTTPS://agent.example/cb",
        "known,https:agent.example/cb",
        "known,https:/agent.example/cb",
        "known,https:agent.example",
        "known,https://agent.example:443/cb",
        "known,https://agent.example/a/../b",
        "known,https://u@agent.example/cb",
        "known,https://agent.example/cb#x",
        "known,https://agent.example./cb",
        "known,http://agent.example/cb",
        "known,javascript:alert(1)//",
        "known,data:text/html,x/",
        "known,agent.example.",
        "known,agent.example:443",
        "known,agent.example:",
        "known,%61gent.example",
        "known,0x7f.1",
        "known,127.1",
        "known,u@agent.example",
        "known,agent.example\\",
        "known,ag\u{435}nt.example",
        "https://global.consent.azure-apim.net/redirect/{word}",
    ] {
        assert!(McpClients::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn documents_are_known_by_their_exact_url() {
    let allowed = |clients: &str, url: &str| {
        McpClients::parse(clients).unwrap().allows_document(&RedirectUri::parse(url).unwrap())
    };
    let document = "https://agent.example/client.json";
    assert!(!allowed("known", document));
    assert!(!allowed("known", "https://chatgpt.com/oauth/other.json"));
    assert!(allowed("known,https://agent.example/client.json", document));
    assert!(!allowed("known,https://agent.example/client.json", "https://agent.example/client.json2"));
    assert!(allowed("agent.example", document) && allowed("any", document));
    let pinned = |clients: &str, url: &str| {
        let (client, document) = PinnedDocument::at(url).unwrap();
        McpClients::parse(clients).unwrap().allows_pinned(client, document)
    };
    for url in [
        "https://chatgpt.com/oauth/client.json",
        "https://claude.ai/oauth/mcp-oauth-client-metadata",
        "https://claude.ai/oauth/claude-code-client-metadata",
    ] {
        assert!(pinned("known", url) && !pinned("off", url) && !pinned("agent.example", url), "{url}");
    }
    assert!(pinned("localhost", "https://claude.ai/oauth/claude-code-client-metadata"));
    assert!(PinnedDocument::at("https://chatgpt.com/oauth/client.json/").is_none());
}

#[test]
fn every_entry_of_the_table_is_sound() {
    for client in &KNOWN_CLIENTS {
        let documents = client.documents.iter().flat_map(|document| document.redirect_uris);
        for pattern in client.redirect_uris.iter().chain(documents) {
            let uri = RedirectUri::parse(&pattern.replace("{word}", "w0rd")).unwrap();
            assert!(McpClients::parse("known").unwrap().standing(&uri).is_some(), "{pattern}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_known_has_exactly_a_host_of_the_table(
        before in "(https://|http://|cursor://|[ -~]{0,4}https?:/{0,3})",
        host in "(chatgpt\\.com|claude\\.ai|claude\\.com|vscode\\.dev|127\\.0\\.0\\.1|localhost|[ -~]{0,10})",
        between in "(|@|\\.|:|:[0-9]{1,5}|%2e|\\\\|[ -~]{0,3})",
        path in "(|/|/redirect|/api/mcp/auth_callback|/connector/oauth/[ -~]{0,6}|/aip/g-x/oauth/callback|/[ -~]{0,12})",
    ) {
        let text = format!("{before}{host}{between}{path}");
        if let Some(standing) = standing("known", &text) {
            let url = url::Url::parse(&text).unwrap();
            prop_assert_eq!(url.as_str(), &text);
            let host = url.host_str().unwrap();
            match standing {
                Standing::Known(client) => prop_assert!(
                    client.hosts.contains(&host) || host == "anysphere.cursor-mcp"
                ),
                Standing::Loopback => prop_assert!(["127.0.0.1", "localhost", "[::1]"].contains(&host)),
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert!(!text.contains("/aip/") || standing == Standing::Loopback);
        }
    }
}
