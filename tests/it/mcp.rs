//! The MCP door, as raw JSON-RPC in every protocol version that is served.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use causeway::sandbox::NewFile;
use causeway::{actions, web};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{Answer, Session, World};

pub const CURRENT: &str = "2026-07-28";
const VERSIONS: [&str; 3] = [CURRENT, "2025-11-25", "2025-06-18"];

/// An MCP client without memory: no request builds on one before it.
pub struct Client<'a> {
    world: &'a World,
    session: &'a Session,
    version: &'a str,
    path: &'a str,
}

impl<'a> Client<'a> {
    pub fn new(world: &'a World, session: &'a Session) -> Self {
        Self { world, session, version: "2025-11-25", path: "/mcp" }
    }

    pub fn speaking(self, version: &'a str) -> Self {
        Self { version, ..self }
    }

    pub fn at(self, path: &'a str) -> Self {
        Self { path, ..self }
    }

    /// A request as this version has it, ready to be changed and sent.
    pub fn request(&self, method: &str, mut params: Value) -> RequestBuilder {
        let mut request = self.world.http.post(format!("{}{}", self.world.url, self.path));
        request = request
            .bearer_auth(&self.session.access_token)
            .header("accept", "application/json, text/event-stream");
        if method != "initialize" {
            request = request.header("mcp-protocol-version", self.version);
        }
        if self.version == CURRENT {
            request = request.header("mcp-method", method);
            if let Some(name) = params["name"].as_str() {
                request = request.header("mcp-name", name);
            }
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": self.version,
                "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        request.json(&json!({ "jsonrpc": "2.0", "id": "id-1", "method": method, "params": params }))
    }

    pub async fn send(&self, method: &str, params: Value) -> Answer {
        self.world.send(self.request(method, params)).await
    }

    /// The result of a request that has one.
    pub async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.send(method, params).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!((answer.text("jsonrpc"), answer.text("id")), ("2.0", "id-1"));
        assert!(answer.json.get("error").is_none(), "{}", answer.body);
        answer.json["result"].clone()
    }

    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// The structured answer of a call that succeeds.
    pub async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], false, "{result}");
        result["structuredContent"].clone()
    }

    /// The problem that a call ends with.
    pub async fn problem(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(result.get("structuredContent").is_none(), "it would break the output schema: {result}");
        serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
    }

    pub async fn tools(&self) -> Vec<Value> {
        self.result("tools/list", json!({})).await["tools"].as_array().unwrap().clone()
    }
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

fn hello(version: &str) -> Value {
    json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "tests", "version": "1" } })
}

#[tokio::test]
async fn every_version_lists_and_calls_the_same_tools() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let newest = Client::new(&world, &alice).speaking(CURRENT);
    let (tools, me) = (newest.tools().await, newest.answer("whoAmI", json!({})).await);
    assert_eq!(me["name"], "Alice Anderson");
    for version in VERSIONS {
        let client = Client::new(&world, &alice).speaking(version);
        assert_eq!(client.tools().await, tools, "{version}");
        assert_eq!(client.answer("whoAmI", json!({})).await, me, "{version}");
    }
}

#[tokio::test]
async fn the_server_introduces_itself_before_and_after_the_handshake_was_abolished() {
    let world = World::with(&[("CAUSEWAY_NAME", "Acme's <wiki>")]).await;
    let alice = world.sign_in_to_mcp("alice").await;
    let config = causeway::config::Config::load(&world.env, &causeway::known_actions()).unwrap();
    let instructions = web::instructions(config.default_gpt(), &actions::all());

    for (asked, agreed) in [
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        // Older or unknown: the newest that has a handshake.
        ("2024-11-05", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let hello = Client::new(&world, &alice).speaking(asked).result("initialize", hello(asked)).await;
        assert_eq!(hello["protocolVersion"], agreed, "{asked}");
        assert_eq!(hello["capabilities"], json!({ "tools": {} }));
        assert_eq!(hello["serverInfo"]["name"], "causeway");
        assert_eq!(hello["serverInfo"]["title"], "Acme's <wiki>");
        assert_eq!(hello["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(hello["instructions"], instructions.as_str());
    }

    let found = Client::new(&world, &alice).speaking(CURRENT).result("server/discover", json!({})).await;
    let mut versions: Vec<_> =
        found["supportedVersions"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    versions.sort_by(|one, other| other.cmp(one));
    assert_eq!(versions, VERSIONS);
    assert_eq!(found["capabilities"], json!({ "tools": {} }));
    assert_eq!(found["instructions"], instructions.as_str());
}

#[tokio::test]
async fn the_tools_are_the_enabled_actions_with_the_documents_words_and_schemas() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let tools = Client::new(&world, &alice).tools().await;
    let entries: Vec<_> = actions::all().into_iter().filter(|entry| entry.on_by_default).collect();
    let mut expected: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    expected.extend(["search", "fetch"]);
    assert_eq!(names(&tools), expected);
    for (entry, tool) in entries.iter().zip(&tools) {
        assert_eq!(tool["title"], entry.summary.as_str());
        assert_eq!(tool["description"], entry.description.as_str());
        assert_eq!(tool["inputSchema"], Value::Object((*entry.input).clone()));
        assert_eq!(tool["outputSchema"], Value::Object((*entry.output).clone()));
    }
    for tool in &tools {
        let annotations = &tool["annotations"];
        assert_eq!(annotations["readOnlyHint"], true, "without it a tool counts as one that writes");
        assert_eq!(annotations["openWorldHint"], false);
        assert_eq!(annotations["destructiveHint"], false);
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{tool}");
        }
    }
}

#[tokio::test]
async fn only_enabled_actions_are_listed_and_run_and_search_and_fetch_follow_theirs() {
    for (enabled, expected) in [
        ("whoAmI,searchConfluence", vec!["searchConfluence", "whoAmI", "search"]),
        ("getPage", vec!["getPage", "fetch"]),
        ("whoAmI", vec!["whoAmI"]),
    ] {
        let world = World::with(&[("CAUSEWAY_ACTIONS", enabled)]).await;
        let alice = world.sign_in_to_mcp("alice").await;
        let client = Client::new(&world, &alice);
        assert_eq!(names(&client.tools().await), expected);
        let missing = ["searchConfluence", "getPage", "search", "fetch", "listSpaces", "nosuchtool", ""];
        for tool in missing.into_iter().filter(|tool| !expected.contains(tool)) {
            let answer =
                client.send("tools/call", json!({ "name": tool, "arguments": {} })).await.expect(200);
            assert_eq!(answer.json["error"]["code"], -32602, "{tool}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn each_request_may_reach_another_replica() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let introduced = Client::new(&world, &alice).send("initialize", hello("2025-11-25")).await.expect(200);
    assert!(introduced.headers.get("mcp-session-id").is_none());
    let other = world.replica().await;
    assert!(!Client::new(&other, &alice).tools().await.is_empty());
    let third = world.replica().await;
    // What a client of an older version keeps sending after a session it once had.
    let request =
        Client::new(&third, &alice).request("tools/list", json!({})).header("mcp-session-id", "left-over");
    third.send(request).await.expect(200);
}

#[tokio::test]
async fn an_action_answers_as_at_the_other_door() {
    let world = World::of_acme().await;
    let (page, alice) = (
        world.add("ENG", "Quokka care", "<p>Feed at <strong>dawn</strong>.</p>"),
        world.sign_in("alice").await,
    );
    let over_http = world.ask(&alice, "/v1/search", &[("query", "quokka"), ("limit", "3")]).await.expect(200);
    let read = world.get(&alice, &format!("/v1/pages/{page}")).await.expect(200);

    let alice = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &alice);
    let found = client.call("searchConfluence", json!({ "query": "quokka", "limit": 3 })).await;
    assert_eq!(found["structuredContent"], over_http.json);
    assert_eq!(found["content"].as_array().unwrap().len(), 1);
    assert_eq!(
        serde_json::from_str::<Value>(found["content"][0]["text"].as_str().unwrap()).unwrap(),
        over_http.json
    );

    let found = client.call("getPage", json!({ "id": page })).await;
    assert_eq!(found["structuredContent"], read.json);
    assert_eq!(found["content"][0], json!({ "type": "text", "text": read.json["markdown"] }));
    // The rest is text too, for clients that show the model nothing else.
    let mut rest: Value = serde_json::from_str(found["content"][1]["text"].as_str().unwrap()).unwrap();
    rest["markdown"] = read.json["markdown"].clone();
    assert_eq!(rest, read.json);
}

#[tokio::test]
async fn an_action_fails_as_at_the_other_door() {
    let world = World::of_acme().await;
    let (by_actions, by_mcp) = (world.sign_in("alice").await, world.sign_in_to_mcp("alice").await);
    let client = Client::new(&world, &by_mcp);
    for (path, tool, arguments) in [
        ("/v1/pages/4242424242", "getPage", json!({ "id": "4242424242" })),
        ("/v1/pages/12345x", "getPage", json!({ "id": "12345x" })),
        ("/v1/search?query=x&limit=26", "searchConfluence", json!({ "query": "x", "limit": 26 })),
        ("/v1/search?query=x&nope=1", "searchConfluence", json!({ "query": "x", "nope": 1 })),
        ("/v1/search?cql=title%20~%20(", "searchConfluence", json!({ "cql": "title ~ (" })),
        (
            "/v1/search?query=x&site=globex.atlassian.net",
            "searchConfluence",
            json!({ "query": "x", "site": "globex.atlassian.net" }),
        ),
    ] {
        let mut expected = world.get(&by_actions, path).await.json;
        assert!(expected["status"].as_u64() >= Some(400), "{path}: {expected}");
        let mut problem = client.problem(tool, arguments).await;
        assert!(!problem["requestId"].as_str().unwrap().is_empty());
        for one in [&mut expected, &mut problem] {
            one["requestId"] = json!("-");
        }
        assert_eq!(problem, expected, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_a_request_is_refused_in_json_rpcs_own_words() {
    let world = World::start().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let post = |body: &str| {
        let request = world.http.post(format!("{}/mcp", world.url)).bearer_auth(&alice.access_token);
        request.header("content-type", "application/json").body(body.to_owned())
    };
    for (body, status, code) in [
        ("{", 400, -32700),
        ("", 400, -32700),
        ("[]", 400, -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, 400, -32600),
        (r#"{"id":1,"method":"ping"}"#, 400, -32600),
        ("42", 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#, 200, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, 200, -32602),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoAmI","arguments":"x"}}"#,
            200,
            -32602,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, 200, -32602),
    ] {
        let answer = world.send(post(body)).await.expect(status);
        assert_eq!(answer.json["error"]["code"], code, "{body}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json", "{body}");
    }
    // Each value takes many times as much memory as its one digit.
    let many =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":[{}0]}}}}"#, "0,".repeat(9000));
    let answer = world.send(post(&many)).await.expect(400);
    assert_eq!(answer.json["error"]["code"], -32600, "{}", answer.body);
    world.send(post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)).await.expect(202);
    let pinged = world.send(post(r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#)).await.expect(200);
    assert_eq!(pinged.json, json!({ "jsonrpc": "2.0", "id": 7, "result": {} }));

    let text = world.http.post(format!("{}/mcp", world.url)).bearer_auth(&alice.access_token).body("{}");
    world.send(text).await.expect(415);
    world.send(post(&" ".repeat(300 * 1024))).await.expect(413);
}

#[tokio::test]
async fn a_version_that_is_not_served_is_refused() {
    let world = World::start().await;
    let alice = world.sign_in_to_mcp("alice").await;
    Client::new(&world, &alice).speaking("2099-01-01").send("tools/list", json!({})).await.expect(400);
    // The header and the message contradict each other.
    let meta = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": CURRENT } });
    Client::new(&world, &alice).speaking("2025-11-25").send("tools/list", meta).await.expect(400);
}

#[tokio::test]
async fn a_client_that_takes_json_is_served_whatever_else_it_takes() {
    let world = World::start().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    for (accept, status) in
        [("application/json", 200), ("*/*", 200), ("text/html, application/*;q=0.1", 200), ("text/html", 406)]
    {
        let request = world.http.post(format!("{}/mcp", world.url)).bearer_auth(&alice.access_token);
        world.send(request.header("accept", accept).json(&ping)).await.expect(status);
    }
}

#[tokio::test]
async fn an_image_is_shown_and_what_only_claims_to_be_one_is_a_link() {
    let world = World::of_acme().await;
    let session = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &session);
    let png = *b"\x89PNG\r\n\x1a\n and so on";
    for (bytes, shown) in [
        (png.to_vec(), true),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".to_vec(), false),
        ([png.as_slice(), vec![0; 3 << 20].as_slice()].concat(), false),
    ] {
        let file = NewFile {
            page: "1310745".to_owned(),
            title: "seen.png".to_owned(),
            media_type: "image/png",
            bytes: bytes.clone(),
            claimed_size: None,
        };
        let id = world.sandbox.add_file(file);
        let result = client.call("getAttachment", json!({ "id": id })).await;
        let image = result["content"].as_array().unwrap().iter().find(|block| block["type"] == "image");
        assert_eq!(image.is_some(), shown, "{result}");
        if let Some(image) = image {
            assert_eq!(
                (&image["mimeType"], &image["data"]),
                (&"image/png".into(), &STANDARD.encode(&bytes).into())
            );
        }
        assert_eq!(result["structuredContent"]["omitted"].as_array().unwrap().is_empty(), shown, "{result}");
        assert!(result["structuredContent"]["url"].as_str().unwrap().contains("seen.png"));
    }
}
