//! getAttachment: the text of files, and what is refused.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use causeway::atlassian::Account;
use causeway::config::Extraction;
use causeway::extract::{Extractor, Failure, Job, ProcessError};
use causeway::sandbox::{Fault, FaultKind, NewFile};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::asking::expect_no_null;
use crate::support::{Answer, PROGRAM, Session, World, encode};

const PLAIN: &str = "text/plain";
const PDF: &str = "application/pdf";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
/// Service catalogue, in ENG.
const PAGE: &str = "1310734";

impl World {
    /// Attaches a file to a page of engineering's and returns its id.
    pub fn attach(&self, title: &str, media_type: &'static str, bytes: impl Into<Vec<u8>>) -> String {
        self.claim(title, media_type, bytes, None)
    }

    fn claim(
        &self,
        title: &str,
        media_type: &'static str,
        bytes: impl Into<Vec<u8>>,
        claimed_size: Option<usize>,
    ) -> String {
        let (page, title, bytes) = (PAGE.to_owned(), title.to_owned(), bytes.into());
        self.sandbox.add_file(NewFile { page, title, media_type, bytes, claimed_size })
    }

    pub async fn attachment(&self, session: &Session, id: &str, parameters: &[(&str, &str)]) -> Answer {
        self.ask(session, &format!("/v1/attachments/{}", encode(id)), parameters).await
    }
}

async fn acme() -> (World, Session) {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    (world, alice)
}

fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn deck() -> Vec<u8> {
    package(&[
        ("ppt/presentation.xml", br#"<p:presentation><p:sldIdLst><p:sldId id="256" r:id="rId9"/></p:sldIdLst></p:presentation>"#),
        ("ppt/_rels/presentation.xml.rels", br#"<Relationships><Relationship Id="rId9" Type="http://x/slide" Target="slides/slide1.xml"/></Relationships>"#),
        ("ppt/slides/slide1.xml", br#"<p:sld><p:sp><p:ph type="title"/><a:p><a:r><a:t>Numbat &amp; co</a:t></a:r></a:p></p:sp>
            <p:sp><a:p><a:r><a:t>First point</a:t></a:r></a:p><a:p><a:pPr lvl="1"/><a:r><a:t>Below it</a:t></a:r></a:p></p:sp></p:sld>"#),
        ("ppt/slides/_rels/slide1.xml.rels", br#"<Relationships><Relationship Id="r1" Type="http://x/notesSlide" Target="../notesSlides/n1.xml"/></Relationships>"#),
        ("ppt/notesSlides/n1.xml", br"<p:notes><p:sp><a:p><a:r><a:t>Say it slowly</a:t></a:r></a:p></p:sp></p:notes>"),
    ])
}

#[tokio::test]
async fn every_type_s_text_is_markdown() {
    let (world, alice) = acme().await;
    let of = |title, media_type, bytes: &[u8]| world.attach(title, media_type, bytes);
    for (id, held) in [
        ("att1610505".to_owned(), &["| service | language |", "| fax-gateway | Perl |"][..]),
        ("att1610509".to_owned(), &["## May 2026", "| ledger | 2026-05 | 11450 |", "## Notes"]),
        (
            "att1610513".to_owned(),
            &["## Page 1", "38 % of all payments", "## Page 2", "Signed: Alice Anderson"],
        ),
        ("att1620601".to_owned(), &["# Roadmap 2026", "## What customers ask", "| Korea | 310 | 900 |"]),
        ("att1620605".to_owned(), &["```\nInterviews", "결제 화면이"]),
        (
            of("a.pptx", PPTX, &deck()),
            &["## Slide 1: Numbat & co", "- First point\n  - Below it", "Say it slowly"],
        ),
        (
            of("a.html", "text/html", b"<title>x</title><h1>Head</h1><script>no()</script><p>Body"),
            &["# Head\n\nBody"],
        ),
        (of("a.md", PLAIN, b"# Mine\n\n*as it is*\n"), &["# Mine\n\n*as it is*"]),
        (of("a.rs", PLAIN, b"fn main() {}\n"), &["```rust\nfn main() {}\n```"]),
        (of("a.json", "application/json", b"{\"a\": 1}"), &["```json\n{\"a\": 1}\n```"]),
        (of("a.log", "application/octet-stream", b"Sch\xf6n"), &["Schön"]),
        (of("de.csv", "text/csv", b"a;b\n1,5;2\n"), &["| a | b |", "| 1,5 | 2 |"]),
        (of("empty.txt", PLAIN, b""), &[""]),
    ] {
        let answer = world.attachment(&alice, &id, &[]).await.expect(200);
        expect_no_null(&answer.json);
        for text in held {
            assert!(answer.text("markdown").contains(text), "{text:?} in {}", answer.text("markdown"));
        }
        assert!(!answer.body.contains("no()"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_parts_of_a_long_file_hold_all_of_it() {
    let (world, alice) = acme().await;
    let rows: Vec<String> = (0..5_000).map(|row| format!("row {row},x\"\"\n")).collect();
    let rows = rows.concat();
    let id = world.attach("long.csv", "text/csv", format!("name,value\n{rows}"));
    let (mut part, mut text) = (1, String::new());
    loop {
        let number = part.to_string();
        let answer =
            world.attachment(&alice, &id, &[("part", &number), ("maxChars", "30000")]).await.expect(200);
        assert!(answer.body.len() < 100_000);
        assert!(answer.text("markdown").starts_with("| name | value |"), "each part has the header");
        text.push_str(answer.text("markdown"));
        match answer.json["nextPart"].as_u64() {
            Some(next) => part = next,
            None => break,
        }
    }
    assert!(part > 1 && (0..5_000).all(|row| text.contains(&format!("| row {row} |"))));
    let beyond = (part + 1).to_string();
    world.attachment(&alice, &id, &[("part", &beyond), ("maxChars", "30000")]).await.refuses("part");
}

#[tokio::test]
async fn a_link_of_a_page_s_markdown_is_an_id() {
    let (world, alice) = acme().await;
    let name = "Größe 5% & [x].txt";
    let id = world.attach(name, PLAIN, "numbat");
    let page = world.add("ENG", "Links to a file", &format!(
        r#"<p><ac:link><ri:attachment ri:filename="{}"><ri:content-entity ri:content-id="{PAGE}"/></ri:attachment></ac:link></p>"#,
        name.replace('&', "&amp;"),
    ));
    let markdown =
        world.get(&alice, &format!("/v1/pages/{page}")).await.expect(200).text("markdown").to_owned();
    let link = &markdown[markdown.find("attachment:").unwrap_or_else(|| panic!("{markdown}"))..];
    let link = &link[..link.find(')').unwrap()];
    for link in [link, &format!("attachment:{PAGE}/{name}")] {
        assert_eq!(world.attachment(&alice, link, &[]).await.expect(200).text("id"), id, "{link}");
    }
    for bad in ["att", "attx", "attachment:", "attachment:1", "attachment:x/y", "../1"] {
        world.attachment(&alice, bad, &[]).await.refuses("id");
    }
}

#[tokio::test]
async fn what_has_no_text_is_refused_and_says_what_to_do() {
    let (world, alice) = acme().await;
    let huge = vec![b' '; 200 << 20];
    let bomb = package(&[("word/document.xml", &huge)]);
    assert!(bomb.len() < 1 << 20);
    let locked: Vec<u8> = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        .iter()
        .copied()
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for (title, media_type, bytes, said) in [
        ("broken.pdf", PDF, b"%PDF-1.4 and then nothing".to_vec(), "broken"),
        ("no.pdf", PDF, b"hello".to_vec(), "broken"),
        ("bomb.docx", DOCX, bomb, "more memory or computing"),
        ("locked.docx", DOCX, locked, "password"),
        ("broken.xlsx", XLSX, b"PK\x03\x04 no".to_vec(), "broken"),
        ("all.zip", "application/zip", package(&[("x", b"y")]), "no text"),
        ("program", "application/octet-stream", b"\x7fELF\x02\0\0".to_vec(), "no text"),
    ] {
        let id = world.attach(title, media_type, bytes);
        let answer = world.attachment(&alice, &id, &[]).await.refused(415, "unsupported-media");
        assert!(answer.text("detail").contains(said), "{title}: {}", answer.body);
        assert!(answer.text("nextStep").contains("as=file"));
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_or_claims_to_be_is_not_read() {
    let (world, alice) = acme().await;
    let claim = world.claim("claim.txt", PLAIN, "small", Some(1 << 30));
    world.sandbox.forget_calls();
    world.attachment(&alice, &claim, &[]).await.refused(413, "payload-too-large");
    assert_eq!(world.calls_to("/download"), 0);
    let lie = world.claim("lie.txt", PLAIN, vec![b'x'; 26 << 20], Some(5));
    world.attachment(&alice, &lie, &[]).await.refused(413, "payload-too-large");
}

#[tokio::test]
async fn a_redirect_leads_once_to_a_media_host_and_nowhere_else() {
    let (world, alice) = acme().await;
    let aside = |path: &str, location: &str| {
        let headers = vec![("location".to_owned(), location.to_owned())];
        let kind = FaultKind::Status { status: 302, headers, body: String::new() };
        world.sandbox.inject(Fault { path_contains: path.to_owned(), times: usize::MAX, kind });
    };
    let own = world.sandbox_url.clone();
    let elsewhere = own.replace("127.0.0.1", "localhost");
    for (path, location) in [
        ("/download", "https://evil.example/file".to_owned()),
        ("/download", "http://10.0.0.1/file".to_owned()),
        ("/download", "file:///etc/passwd".to_owned()),
        ("/download", String::new()),
        ("/download", format!("{elsewhere}/media/file/x/binary")),
        ("/download", own.replace("http://", "http://user@")),
        ("/media/", format!("{own}/media/file/again/binary")),
    ] {
        aside(path, &location);
        world.attachment(&alice, "att1610505", &[]).await.refused(502, "confluence-unavailable");
        world.sandbox.clear_faults();
    }
    world.attachment(&alice, "att1610505", &[]).await.expect(200);
}

#[tokio::test]
async fn a_file_outside_the_allow_list_is_missing_byte_for_byte() {
    let world = World::of_spaces("ENG").await;
    let alice = world.sign_in("alice").await;
    let outside = ["att1620601", "attachment:1320966/roadmap-2026.docx"];
    for form in ["text", "file"] {
        let absent = world.attachment(&alice, "att99999999", &[("as", form)]).await.refused(404, "not-found");
        for id in outside {
            let answer = world.attachment(&alice, id, &[("as", form)]).await.refused(404, "not-found");
            assert_eq!(answer.nameless(), absent.nameless());
        }
    }
    world.attachment(&alice, "att1610505", &[]).await.expect(200);
    // And what the person may not see.
    let bob = world.sign_in("bob").await;
    world.attachment(&bob, "att1610517", &[]).await.refused(404, "not-found");
}

/// What the process that reads files makes of one, under these limits of memory and whole seconds.
#[cfg(target_os = "linux")]
async fn read(memory: u64, cpu: u64, name: &str, bytes: &[u8]) -> Result<Option<String>, ProcessError> {
    let extractor =
        Extractor::new(Extraction { program: Some(PROGRAM.into()), memory, cpu: Duration::from_secs(cpu) });
    let (media_type, name) = (String::new(), name.to_owned());
    let job = Job { media_type, name, part: 1, chars: 1000, json_bytes: 5000 };
    let reader = Account::of_holder(b"reader");
    let place = extractor.place(reader, Duration::ZERO).await.unwrap();
    let mut extraction = extractor.start(&job, place).await.unwrap();
    // A child that is killed reads no more.
    extraction.feed(bytes).await;
    extraction.finish().await.map(|extracted| extracted.markdown.map(|text| text.to_string()))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_takes_too_much_memory_or_time_ends_its_process_and_nothing_else() {
    const MIB: u64 = 1 << 20;
    assert!(read(512 * MIB, 10, "a.txt", b"numbat").await.unwrap().unwrap().contains("numbat"));
    // The same text is read with enough of it, so that nothing but memory was wanting.
    let long = "numbats all the way down\n".repeat(1_200_000);
    let too_much = read(128 * MIB, 60, "a.txt", long.as_bytes()).await.unwrap_err();
    assert_eq!(too_much, ProcessError::Failed(Failure::TooMuch));
    assert!(read(1024 * MIB, 60, "a.txt", long.as_bytes()).await.unwrap().unwrap().contains("numbat"));
    let too_long = read(512 * MIB, 1, "a.pdf", recursive_pdf().as_bytes()).await.unwrap_err();
    assert_eq!(too_long, ProcessError::Failed(Failure::TooMuch));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn tables_in_tables_take_no_longer_for_being_nested() {
    let file = package(&[("word/document.xml", nested_tables(100_000).as_bytes())]);
    let text = read(512 << 20, 10, "a.docx", &file).await.unwrap().unwrap();
    assert!(text.contains("| x<br>(table 1 below) |"), "{text}");
}

/// A Word document's body: a table in a table in a table.
fn nested_tables(depth: usize) -> String {
    let (open, close) = ("<w:tbl><w:tr><w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p>", "</w:tc></w:tr></w:tbl>");
    format!("<w:document>{}{}</w:document>", open.repeat(depth), close.repeat(depth))
}

/// A page whose forms draw each other twice, 40 deep.
#[cfg(target_os = "linux")]
fn recursive_pdf() -> String {
    const START: &str = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
        3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<</XObject<</F 10 0 R>>>>/Contents 4 0 R>>endobj\n\
        4 0 obj<</Length 5>>stream\n/F Do\nendstream endobj\n";
    let form = |n: u32| {
        let next = n + 1;
        format!(
            "{n} 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F {next} 0 R>>>>/Length 11>>\
             stream\n/F Do /F Do\nendstream endobj\n"
        )
    };
    let forms: Vec<String> = (10..50).map(form).collect();
    let last = "50 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 3>>stream\nq Q\nendstream endobj\n";
    let body = format!("{START}{}{last}", forms.concat());
    let place = |n: u32| {
        let at = body.find(&format!("\n{n} 0 obj")).unwrap() + 1;
        format!("{n} 1\n{at:010} 00000 n \n")
    };
    let places: Vec<String> = (1..=4).chain(10..=50).map(place).collect();
    let (table, start) = (places.concat(), body.len());
    format!(
        "{body}xref\n0 1\n0000000000 65535 f \n{table}trailer<</Root 1 0 R/Size 51>>\nstartxref\n{start}\n%%EOF"
    )
}
