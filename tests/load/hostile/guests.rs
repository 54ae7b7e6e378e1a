//! Good clients of the MCP door.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::support::{Session, World};

/// Calls a second.
const RATE: u32 = 6;
/// How long a client waits before it takes a gateway for dead.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who knows what the tools answer.
pub struct Guests {
    world: World,
    session: Session,
    calls: Vec<(Value, Value)>,
}

impl Guests {
    /// Signs this person in and has every tool asked once.
    pub async fn new(world: &World, person: &str) -> Self {
        let (session, world) = (world.sign_in_to_mcp(person).await, world.clone());
        let mut guests = Self { world, session, calls: Vec::new() };
        for (name, arguments) in [
            ("whoAmI", json!({})),
            ("searchConfluence", json!({ "query": "deployment" })),
            ("getPage", json!({ "id": "1310745" })),
        ] {
            let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": { "name": name, "arguments": arguments } });
            let answer = guests.call(&call).await.unwrap();
            assert_eq!(answer["result"]["isError"], false, "{answer}");
            guests.calls.push((call, answer));
        }
        guests
    }

    async fn call(&self, call: &Value) -> Result<Value, String> {
        let call = self.world.http.post(format!("{}/mcp", self.world.url)).json(call);
        let call = call.bearer_auth(&self.session.access_token).timeout(PATIENCE);
        let call = call.header("accept", "application/json, text/event-stream");
        let answer = call.header("mcp-protocol-version", "2025-11-25").send().await;
        let answer = answer.map_err(|error| format!("{error:?}"))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| format!("{status}: {error:?}"))?;
        serde_json::from_str(&text).map_err(|_| format!("{status}: {text}"))
    }

    /// Calls for so long; what was answered wrongly or not at all.
    pub async fn ask_for(&self, time: Duration) -> Vec<String> {
        let (began, mut ticks) = (Instant::now(), interval(Duration::from_secs(1) / RATE));
        let mut under_way = JoinSet::new();
        for number in 0_usize.. {
            ticks.tick().await;
            if began.elapsed() > time {
                break;
            }
            let guest = Self { world: self.world.clone(), session: self.session.clone(), calls: Vec::new() };
            let (call, expected) = self.calls[number % self.calls.len()].clone();
            under_way.spawn(async move {
                match guest.call(&call).await {
                    Ok(answer) if answer == expected => None,
                    Ok(answer) => Some(format!("{call} was answered with {answer}")),
                    Err(error) => Some(error),
                }
            });
        }
        under_way.join_all().await.into_iter().flatten().collect()
    }
}
