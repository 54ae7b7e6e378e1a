//! Fair shares: whatever is scarce, nobody holds all of it while others wait, and strangers hold none of it.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use causeway::sandbox::{Fault, FaultKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

use crate::support::{Answer, Session, World};

const CSV: &str = "att1610505";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

async fn two_people() -> (World, Session, Session) {
    let world = World::of_acme().await;
    let (alice, bob) = (world.sign_in("alice").await, world.sign_in("bob").await);
    for person in [&alice, &bob] {
        world.get(person, "/v1/pages/1310756").await.expect(200);
    }
    world.sandbox.forget_calls();
    (world, alice, bob)
}

impl World {
    /// So many of these paths at once, each asked by this person, or by nobody.
    fn crowd(
        &self,
        session: Option<&Session>,
        count: usize,
        path: impl Fn(usize) -> String,
    ) -> JoinSet<Answer> {
        let requests = (0..count).map(|number| {
            let request = self.http.get(format!("{}{}", self.url, path(number)));
            match session {
                Some(session) => request.bearer_auth(&session.access_token),
                None => request,
            }
        });
        let requests: Vec<_> = requests.collect();
        requests
            .into_iter()
            .map(|request| {
                let world = self.clone();
                async move { world.send(request).await }
            })
            .collect()
    }

    /// Whatever has this in its path is never answered.
    fn hang(&self, path: &str) {
        self.sandbox.inject(Fault {
            path_contains: path.to_owned(),
            times: usize::MAX,
            kind: FaultKind::Hang,
        });
    }

    async fn until_counted(&self, name: &str, count: i64) {
        let counted = async {
            while self.counted(name, &[]).await != count {
                yield_now().await;
            }
        };
        let in_time = timeout(Duration::from_secs(20), counted).await;
        assert!(in_time.is_ok(), "{name} is {}", self.counted(name, &[]).await);
    }
}

#[tokio::test]
async fn who_asks_most_has_half_of_the_places_and_nobody_else_waits() {
    let (world, alice, bob) = two_people().await;
    world.hang("query=a");
    world.hang("cql=");
    let crowd = world.crowd(Some(&alice), 120, |number| format!("/v1/search?query=a{number}"));
    world.until_counted("causeway_requests_in_flight", 32).await;
    world.until_counted("causeway_requests_waiting", 120 - 32).await;
    for _ in 0..10 {
        world.get(&bob, "/v1/pages/1310756").await.expect(200);
    }
    drop(crowd);
    world.until_counted("causeway_requests_in_flight", 0).await;
}

#[tokio::test]
async fn strangers_are_told_so_at_once_and_neither_take_a_place_nor_wait_for_one() {
    let world = World::with(&[("CAUSEWAY_SITE", crate::asking::ACME), ("CAUSEWAY_MAX_IN_FLIGHT", "1")]).await;
    let alice = world.sign_in("alice").await;
    let mcp = world.sign_in_to_mcp("alice").await;
    world.break_confluence(usize::MAX, FaultKind::Hang);
    let held = world.crowd(Some(&alice), 1, |_| "/v1/search?query=x".to_owned());
    world.until_counted("causeway_requests_in_flight", 1).await;
    let calls = world.sandbox.calls().len();
    let other_door = Session { access_token: mcp.access_token.clone(), ..alice.clone() };
    let junk = Session { access_token: "junk".to_owned(), ..alice.clone() };
    for answer in world.crowd(None, 100, |_| "/v1/search?query=x".to_owned()).join_all().await {
        answer.refused(401, "sign-in-required");
    }
    for stranger in [&other_door, &junk] {
        world.get(stranger, "/v1/me").await.refused(401, "sign-in-required");
    }
    for stranger in [&alice, &junk] {
        assert_eq!(world.knock(stranger, "/mcp").await.status, 401);
        assert_eq!(world.knock(stranger, "/gpts/default/mcp").await.status, 401);
    }
    assert_eq!(world.sandbox.calls().len(), calls);
    assert_eq!(world.counted("causeway_sheds_total", &[]).await, 0);
    drop(held);
}

#[tokio::test]
async fn of_a_request_without_a_token_no_more_is_read_than_its_head() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.url.trim_start_matches("http://")).await.unwrap();
    let head =
        "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    timeout(Duration::from_secs(5), stream.read_exact(&mut answer))
        .await
        .expect("it waits for the body")
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
}

#[tokio::test]
async fn who_has_many_files_read_leaves_readers_for_others() {
    let (world, alice, bob) = two_people().await;
    let slow = world.attach("slow.txt", "text/plain", "numbat");
    world.hang(&format!("{slow}/download"));
    let crowd = world.crowd(Some(&alice), 20, |part| format!("/v1/attachments/{slow}?part={}", part + 1));
    world.until_counted("causeway_requests_in_flight", 20).await;
    while world.calls_to("/download") == 0 {
        yield_now().await;
    }
    world.attachment(&bob, CSV, &[]).await.expect(200);
    drop(crowd);
}

#[tokio::test]
async fn a_file_that_was_too_much_is_not_read_again_for_a_while() {
    let (world, alice, bob) = two_people().await;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..200 {
        zip.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let file = world.attach("bomb.docx", DOCX, zip.finish().unwrap().into_inner());
    for part in ["1", "1", "2"] {
        let answer =
            world.attachment(&alice, &file, &[("part", part)]).await.refused(415, "unsupported-media");
        assert!(answer.text("detail").contains("more memory or computing"), "{}", answer.body);
    }
    assert_eq!(world.calls_to("/download"), 1);
    // What one sign-in has learned is nobody else's.
    world.attachment(&bob, &file, &[]).await.refused(415, "unsupported-media");
    assert_eq!(world.calls_to("/download"), 2);
}

#[tokio::test]
async fn the_readers_of_one_link_leave_places_for_other_links() {
    let (world, alice, bob) = two_people().await;
    let slow = world.attach("slow.csv", "text/csv", "a,b");
    let (held, other) = (world.link(&alice, &slow).await, world.link(&bob, CSV).await);
    world.hang(&format!("{slow}/download"));
    let crowd = world.crowd(None, 60, |_| held.clone());
    while world.calls_to(&format!("{slow}/download")) == 0 {
        yield_now().await;
    }
    for _ in 0..10 {
        world.get_bare(&other).await.expect(200);
    }
    drop(crowd);
}
