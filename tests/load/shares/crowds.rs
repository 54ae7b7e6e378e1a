//! Who comes all at once, and what they ask for.

use std::future::Future;
use std::io::{Cursor, Write as _};
use std::pin::Pin;
use std::time::Duration;

use causeway::sandbox::{Fault, FaultKind, NewFile, NewPage};
use reqwest::RequestBuilder;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Session, World};

type Making<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Requests that come at once, while somebody else asks for something small.
pub struct Crowd {
    pub name: &'static str,
    /// What they ask for, made by the first person.
    pub prepare: for<'a> fn(&'a World, &'a Session) -> Making<'a, Vec<RequestBuilder>>,
    /// What the second person asks for.
    pub small: for<'a> fn(&'a World, &'a Session) -> Making<'a, RequestBuilder>,
    /// How many requests a second the second person has.
    pub rate: u32,
    /// Whether nobody of them is signed in, so that nothing may reach Atlassian.
    pub is_strange: bool,
    /// Whether they read what they are answered.
    pub reads: bool,
    pub answers: &'static [u16],
}

pub fn all() -> Vec<Crowd> {
    let of_page = |name, prepare, answers| Crowd {
        name,
        prepare,
        small: page,
        rate: 20,
        is_strange: false,
        reads: true,
        answers,
    };
    vec![
        of_page("searches of one token", |world, alice| Box::pin(searches(world, alice)), &[200, 503]),
        Crowd {
            is_strange: true,
            ..of_page("requests without a token", |world, alice| Box::pin(strangers(world, alice)), &[401])
        },
        Crowd {
            small: |world, bob| Box::pin(async { world.asked(bob, "/v1/attachments/att1610505") }),
            rate: 4,
            ..of_page("hostile files", |world, alice| Box::pin(files(world, alice)), &[200, 415, 503])
        },
        Crowd {
            small: |world, bob| Box::pin(link(world, bob, "att1610505".to_owned())),
            reads: false,
            ..of_page(
                "readers that stop reading",
                |world, alice| Box::pin(readers(world, alice)),
                &[200, 503],
            )
        },
        of_page("comparisons", |world, alice| Box::pin(comparisons(world, alice)), &[200, 503]),
    ]
}

fn page<'a>(world: &'a World, session: &'a Session) -> Making<'a, RequestBuilder> {
    Box::pin(async { world.asked(session, "/v1/pages/1310756") })
}

/// Each another one, at a Confluence that takes its time.
async fn searches(world: &World, alice: &Session) -> Vec<RequestBuilder> {
    let kind = FaultKind::Slow(Duration::from_millis(300));
    world.sandbox.inject(Fault { path_contains: "/ex/confluence/".to_owned(), times: usize::MAX, kind });
    (0..400).map(|number| world.asked(alice, &format!("/v1/search?query=word{number}"))).collect()
}

/// Without a token, with one that is none, and with one of the other door.
async fn strangers(world: &World, alice: &Session) -> Vec<RequestBuilder> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "searchConfluence", "arguments": { "query": "x".repeat(10_000) } } });
    let mcp = |token: &str| {
        let request = world.http.post(format!("{}/mcp", world.url)).json(&call);
        if token.is_empty() { request } else { request.bearer_auth(token) }
    };
    let junk = format!("v4.local.{}", "A".repeat(4_000));
    (0..400)
        .map(|number| match number % 4 {
            0 => world.http.get(format!("{}/v1/search?query=x{number}", world.url)),
            1 => world.http.get(format!("{}/v1/pages/{number}", world.url)).bearer_auth(&junk),
            2 => mcp(""),
            _ => mcp(&alice.access_token),
        })
        .collect()
}

/// Sixty Word documents of tables in tables, no two the same, and the same again.
async fn files(world: &World, alice: &Session) -> Vec<RequestBuilder> {
    const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let (open, close) = ("<w:tbl><w:tr><w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p>", "</w:tc></w:tr></w:tbl>");
    let ids = (0..30).map(|number| {
        let depth = 100_000 + number;
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
        let body = format!("<w:document>{}{}</w:document>", open.repeat(depth), close.repeat(depth));
        zip.write_all(body.as_bytes()).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        attach(world, format!("nested {number}.docx"), DOCX, bytes)
    });
    let ids: Vec<String> = ids.collect();
    ids.iter().chain(&ids).map(|id| world.asked(alice, &format!("/v1/attachments/{id}"))).collect()
}

/// Forty readers of one link to nearly 10 MB.
async fn readers(world: &World, alice: &Session) -> Vec<RequestBuilder> {
    let large = attach(world, "large.bin".to_owned(), "application/octet-stream", vec![b'x'; 9_900_000]);
    let link = link(world, alice, large).await;
    (0..40).map(|_| link.try_clone().unwrap()).collect()
}

/// Versions of 1.7 and of 6.4 MB, with nothing or nearly everything in common.
async fn comparisons(world: &World, alice: &Session) -> Vec<RequestBuilder> {
    let text = |word: &str, megabytes: usize| -> String {
        (0..megabytes * 10_000 / 4).map(|number| format!("<p>{word} {number} some more words</p>")).collect()
    };
    let pages = [("before", "after", 7), ("before", "after", 26), ("the same", "the same", 26)].map(
        |(before, after, size)| {
            let body = text(before, size);
            let page = world.sandbox.add_page(NewPage {
                space: "ENG",
                title: format!("Rewritten from {before} to {after}, {size}"),
                body,
                ..NewPage::default()
            });
            let body = text(after, size).replace(" 777 some", " 777 other");
            world.sandbox.edit_page(&page, &body, "rewritten");
            page
        },
    );
    let compared = |number: usize| format!("/v1/pages/{}/versions?compare=1,2", pages[number % pages.len()]);
    (0..60).map(|number| world.asked(alice, &compared(number))).collect()
}

fn attach(world: &World, title: String, media_type: &'static str, bytes: Vec<u8>) -> String {
    let page = "1310734".to_owned();
    world.sandbox.add_file(NewFile { page, title, media_type, bytes, claimed_size: None })
}

/// A link to a file.
async fn link(world: &World, session: &Session, id: String) -> RequestBuilder {
    let answer = world.get(session, &format!("/v1/attachments/{id}?as=file")).await.expect(200);
    let url = answer.json["openaiFileResponse"][0].as_str().unwrap();
    world.http.get(url.replace(&world.public_url, &world.url))
}
