//! Mixed load for a long time: memory has to stay flat, and every answer has to be right.

use std::time::{Duration, Instant};

use causeway::seal::payloads::Door;
use serde_json::json;

use super::drive::{self, Load, get, post};
use super::server::{self, Cores};
use super::{PEOPLE, Sealing, gateway, median, upstream};

/// How many lines a soak prints.
const LINES: u32 = 20;
/// How many times the memory of the second fifth the last may hold.
const FLAT: f64 = 1.25;

/// Whether memory stayed flat and nothing went wrong.
pub async fn soak(time: Duration, rate: Option<u32>) -> bool {
    let upstream = server::ourselves(Cores::All, "upstream", &[]);
    let sealing = Sealing::new();
    let gateway = gateway(Cores::All, &upstream, &sealing);
    let load = Load { server: gateway.address, requests: mixed(&sealing).into() };
    let begin = Instant::now();
    let (mut memory, mut bad) = (Vec::new(), 0);
    for line in 1..=LINES {
        let outcome = match rate {
            Some(rate) => drive::open(&load, rate, time / LINES).await,
            None => drive::closed(&load, PEOPLE, time / LINES).await,
        };
        memory.push(gateway.memory());
        let wrong: u64 = outcome.bad.iter().map(|(_, count)| count).sum();
        bad += wrong;
        println!(
            "{line:>2}/{LINES} after {:>4.0} s: {:.0} answers a second, {wrong} wrong {:?}, {:.1} MB",
            begin.elapsed().as_secs_f64(),
            outcome.per_second(),
            outcome.bad,
            gateway.memory()
        );
    }
    let fifth = memory.len() / 5;
    let early = median(&mut memory[fifth..2 * fifth].to_vec());
    let late = median(&mut memory[4 * fifth..].to_vec());
    let flat = late <= early * FLAT;
    println!(
        "memory: {early:.1} MB early, {late:.1} MB late, {:.1} MB at the most: {}",
        gateway.most_memory(),
        if flat { "flat" } else { "it grows" }
    );
    println!("wrong answers: {bad}");
    let left = gateway.terminate();
    println!("leaves when asked: {left}");
    flat && bad == 0 && left
}

/// Both doors: searches of ever other words, pages of every size and their parts, spaces, people, tools.
fn mixed(sealing: &Sealing) -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    for person in 0..PEOPLE {
        let token = sealing.token(person, Door::Actions);
        let mcp = format!("authorization: Bearer {}\r\n", sealing.token(person, Door::Mcp));
        for number in 0..8 {
            requests
                .push(get(&format!("/v1/search?query=runbook+{number}&limit={}", 1 + number * 3), &token));
            let (id, _) = upstream::PAGES[number % upstream::PAGES.len()];
            requests.push(get(&format!("/v1/pages/{id}"), &token));
            requests.push(get(&format!("/v1/pages/{id}?query=roll+back&maxChars=5000"), &token));
        }
        requests.push(get("/v1/pages/200000?part=2", &token));
        requests.push(get("/v1/spaces", &token));
        for (method, params) in [
            ("tools/list", json!({})),
            ("tools/call", json!({ "name": "searchConfluence", "arguments": { "query": "runbook" } })),
            ("tools/call", json!({ "name": "getPage", "arguments": { "id": "8000" } })),
        ] {
            let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
            requests.push(post("/mcp", &mcp, &call.to_string()));
        }
    }
    requests
}
