//! The gateway beside what people put together for the same purpose: `mcpo` before `mcp-atlassian`, both from
//! `PyPI`.

use serde_json::json;

use super::drive::{self, Load, get, post};
use super::server::{self, Cores};
use super::{Report, Sealing, Taken, gateway, load, run, turns, upstream};

/// How many times their throughput ours has to be, and which share of their memory ours may be, in percent.
const TIMES: f64 = 50.0;
const SHARE: f64 = 10.0;

/// What both are asked for: a name, the gateway's path, their path and input, and words that are in a right answer.
fn kinds() -> Vec<(&'static str, String, &'static str, String, &'static str)> {
    let search = json!({ "query": "runbook", "limit": 10 }).to_string();
    let found = "Runbook 9: deploying the payment service";
    let mut kinds =
        vec![("search", "/v1/search?query=runbook".to_owned(), "/confluence_search", search, found)];
    for (name, (id, _), last) in [
        ("8 KB page", upstream::PAGES[0], "Rolling back is always right"),
        ("32 KB page", upstream::PAGES[1], "Rolling back is always right"),
    ] {
        let input = json!({ "page_id": id }).to_string();
        kinds.push((name, format!("/v1/pages/{id}?maxChars=90000"), "/confluence_get_page", input, last));
    }
    kinds
}

/// Both in turns, each alone on the first core, before the same upstream.
pub async fn compare(words: &[&str], mcpo: &str, mcp_atlassian: &str) -> Report {
    let (rounds, time) = turns(words);
    let mut report = Report::new(words);
    let upstream = server::ourselves(Cores::Others, "upstream", &[]);
    let sealing = Sealing::new();
    let ours = gateway(Cores::First, &upstream, &sealing);
    let theirs = server::mcpo(Cores::First, upstream.address, mcpo, mcp_atlassian);
    let tokens = sealing.tokens();
    for (name, our_path, their_path, input, told) in kinds() {
        let our_load = load(ours.address, tokens.iter().map(|token| get(&our_path, token)));
        let their_load = load(theirs.address, [post(their_path, "", &input)]);
        let mut taken: [Taken; 2] = Default::default();
        for _ in 0..rounds {
            for (turn, server, load) in [(0, &ours, &our_load), (1, &theirs, &their_load)] {
                check(load, told).await;
                taken[turn].add(run(load, server, time).await);
            }
        }
        let [ours, theirs] = taken.map(Taken::medians);
        println!(
            "     {name}: gateway {:.0}/s at {:.0} µs of processor time each, mcpo and mcp-atlassian {:.1}/s at {:.0} µs",
            ours.0, ours.1, theirs.0, theirs.1
        );
        report.at_least(&format!("{name}, times their throughput"), ours.0 / theirs.0, TIMES, "");
        println!("     {name}, by processor time alone: {:.1}", theirs.1 / ours.1);
    }
    println!(
        "     memory: gateway {:.1} MB and {:.1} MB at the most, mcpo and mcp-atlassian {:.1} MB and {:.1} MB",
        ours.memory(),
        ours.most_memory(),
        theirs.memory(),
        theirs.most_memory()
    );
    report.at_most("memory, of theirs", 100.0 * ours.most_memory() / theirs.most_memory(), SHARE, " %");
    report
}

/// Fails when an answer is none.
async fn check(load: &Load, told: &str) {
    let answer = drive::once(load.server, &load.requests[0]).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(told), "{answer}");
}
