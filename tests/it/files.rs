//! Links to the originals of files.

use std::time::Duration;

use crate::asking::ACME;
use crate::support::{Answer, Session, World};

const CSV: &str = "att1610505";

impl World {
    /// The path of a link to a file.
    pub async fn link(&self, session: &Session, id: &str) -> String {
        let answer = self.attachment(session, id, &[("as", "file")]).await.expect(200);
        let url = answer.json["openaiFileResponse"][0].as_str().unwrap_or_else(|| panic!("{}", answer.body));
        assert!(answer.json.get("markdown").is_none());
        url.strip_prefix(&self.public_url).unwrap().to_owned()
    }
}

/// The one answer to every link that is no good.
#[track_caller]
fn gone(answer: Answer) {
    let answer = answer.refused(404, "not-found");
    assert!(answer.text("nextStep").contains("getAttachment"), "{}", answer.body);
}

#[tokio::test]
async fn a_link_gives_the_file_to_whoever_holds_it_for_five_minutes() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let link = world.link(&alice, CSV).await;
    let answer = world.get_bare(&link).await.expect(200);
    assert!(answer.body.starts_with("service,language"));
    for (name, value) in [
        ("content-type", "text/csv"),
        (
            "content-disposition",
            "attachment; filename=\"service-inventory.csv\"; filename*=UTF-8''service-inventory.csv",
        ),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("content-length", "280"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    world.clock.advance(Duration::from_secs(299));
    world.get_bare(&link).await.expect(200);
    world.clock.advance(Duration::from_secs(1));
    gone(world.get_bare(&link).await);
}

#[tokio::test]
async fn a_link_that_is_changed_cut_or_another_secret_leads_nowhere() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let link = world.link(&alice, CSV).await;
    gone(world.get_bare(&link[..link.len() - 1]).await);
    let middle = link.len() / 2;
    let other = if &link[middle..=middle] == "A" { "B" } else { "A" };
    gone(world.get_bare(&format!("{}{other}{}", &link[..middle], &link[middle + 1..])).await);
    gone(world.get_bare(&format!("/files/{}", alice.access_token)).await);
    gone(world.get_bare("/files/x").await);
}

#[tokio::test]
async fn a_link_is_good_only_as_long_as_the_gpt_may_do_what_it_does() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let link = world.link(&alice, CSV).await;
    for changed in [
        &[("CAUSEWAY_ACTIONS", "getPage,listAttachments")][..],
        &[("CAUSEWAY_SPACES", "PROD")],
        &[("CAUSEWAY_SITE", "globex.atlassian.net")],
        &[("CAUSEWAY_CLIENT_ID", "another")],
        &[("CAUSEWAY_NOT_BEFORE", "2026-11-22T00:00:00Z")],
    ] {
        let replica = world.replica_with(changed).await;
        gone(replica.get_bare(&link).await);
    }
    world.replica_with(&[("CAUSEWAY_SPACES", "ENG")]).await.get_bare(&link).await.expect(200);
    world.sandbox.revoke("alice");
    gone(world.get_bare(&link).await);
}

#[tokio::test]
async fn of_images_and_of_what_chatgpt_would_refuse_there_is_the_url_alone() {
    let world = World::with(&[("CAUSEWAY_SITE", ACME)]).await;
    let alice = world.sign_in("alice").await;
    let large = world.attach("large.pdf", "application/pdf", vec![b'x'; 10_000_001]);
    for id in ["att1610501", &large] {
        let answer = world.attachment(&alice, id, &[("as", "file")]).await.expect(200);
        assert!(answer.json.get("openaiFileResponse").is_none(), "{}", answer.body);
        assert!(answer.text("url").starts_with("https://acme.atlassian.net/wiki/"));
        assert_eq!(answer.json["omitted"][0]["count"], 1);
    }
}

/// Bytes of memory that a process has, now or at the most.
#[cfg(target_os = "linux")]
fn memory(process: u32, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_large_file_passes_through_without_the_process_growing() {
    use tokio::process::Command;
    let world = World::of_acme().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut serving = Command::new(crate::support::PROGRAM)
        .arg("serve")
        .env_clear()
        .envs(&world.env)
        .env("CAUSEWAY_LISTEN", port.to_string())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let real = world.at(format!("http://{port}"));
    let mut tries = 0;
    while tokio::net::TcpStream::connect(port).await.is_err() {
        assert!(serving.try_wait().unwrap().is_none(), "it does not serve");
        tries += 1;
        assert!(tries < 1_000_000, "it does not listen");
        tokio::task::yield_now().await;
    }
    // The process lives in the present, whatever the clock of this world says.
    let alice = real.sign_in("alice").await;
    let bytes: Vec<u8> = (0..9_900_000_u32).map(|n| (n % 251) as u8).collect();
    let large = world.attach("large.bin", "application/octet-stream", bytes.clone());
    // Buffers and workers that the first files bring are not the large one's: were it held, it would still add 7 MB.
    let warm = world.attach("warm.bin", "application/octet-stream", vec![b'x'; 3_000_000]);
    for _ in 0..4 {
        let link = real.link(&alice, &warm).await;
        real.get_bytes(&link).await;
    }
    let process = serving.id().unwrap();
    let link = real.link(&alice, &large).await;
    let before = memory(process, "VmRSS");
    assert_eq!(real.get_bytes(&link).await, bytes);
    let grown = memory(process, "VmHWM").saturating_sub(before);
    println!("9.9 MB: the process grew by {} KB", grown / 1024);
    // The peak is the buffers of both connections, 1 to 2.4 MB whatever the file; a file that is held adds 7 MB to that.
    assert!(grown < 4_000_000, "it grew by {grown} bytes");
}

impl World {
    async fn get_bytes(&self, link: &str) -> Vec<u8> {
        let response = self.http.get(format!("{}{link}", self.url)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap().to_vec()
    }
}
