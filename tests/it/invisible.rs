//! Nothing that people do not see reaches a model. A world in which every text that Confluence sends holds invisible
//! characters, and every kind of file does, is asked by every action at both doors.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use causeway::clean::{is_invisible, may_belong};
use causeway::sandbox::{NewComment, NewFile, NewPage};
use serde_json::{Map, Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::asking::examples;
use crate::mcp::Client;
use crate::support::{Answer, Session, World};

/// An override, a space of no width, tags, an isolate, a byte order mark, a soft hyphen, a control, fillers, a selector.
const HIDDEN: &str =
    "\u{202e}\u{200b}\u{e0041}\u{e0042}\u{2066}\u{feff}\u{ad}\u{7}\u{3164}\u{ffa0}\u{fe01}\u{180e}\u{2060}";
/// The same, but for what XML cannot hold.
const HIDDEN_IN_XML: &str = "\u{202e}\u{200b}\u{e0041}\u{2066}\u{feff}\u{ad}\u{3164}\u{2060}";
/// What belongs to a text: joined emoji, a keycap, a Persian word with its joiner, one of Hindi.
const BELONGS: &str = "👩\u{200d}💻 1\u{fe0f}\u{20e3} می\u{200c}خواهم क्\u{200d}ष";

/// Members that name things for programs: they are parsed, so that nothing else gets in.
fn is_parsed(name: &str) -> bool {
    name == "id"
        || name == "key"
        || name.ends_with("Id")
        || name.ends_with("At")
        || name == "alias"
        || ["next", "cursor", "when", "lastModified", "scopes", "base", "self"].contains(&name)
}

/// Puts what nobody sees into every text.
fn taint(name: &str, value: &mut Value) {
    match value {
        Value::String(text) if !is_parsed(name) && !text.is_empty() => {
            let hidden = match name {
                // Once more as JSON and markup write it.
                "value" => format!("{HIDDEN}\\u202e\\\\u200b\\udb40\\udc41&#x202e;&shy;"),
                _ => HIDDEN.to_owned(),
            };
            let middle = text.char_indices().nth(1).map_or(text.len(), |(at, _)| at);
            if name == "value" {
                *text = text.replace("<p>", &format!("<p>{hidden}")) + &format!("<p>{hidden}end{hidden}</p>");
            } else {
                text.insert_str(middle, &hidden);
                text.push_str(&hidden);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| taint(name, item)),
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| taint(name, value)),
        _ => {}
    }
}

/// Every text in an answer, those in its names and in JSON within JSON as well.
fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                texts(&inner, all);
            }
            all.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(members) => {
            for (name, value) in members {
                all.push(name.clone());
                texts(value, all);
            }
        }
        _ => {}
    }
}

#[track_caller]
fn expect_clean(told: &str, answer: &Value) {
    let mut all = Vec::new();
    texts(answer, &mut all);
    let hidden = |character: char| {
        HIDDEN.contains(character)
            || (is_invisible(character) && !may_belong(character) && !matches!(character, '\n' | '\t'))
    };
    for text in &all {
        let found = text.chars().find(|character| hidden(*character));
        assert_eq!(found, None, "{told}: {text:?}");
    }
}

/// Nor is any of it written out in a text that holds text.
#[track_caller]
fn expect_nothing_written_out(answer: &Answer) {
    for written in ["\\u202e", "\\u200b", "\\udb40", "\\u00ad", "\\u0007", "&#x202e", "&shy;"] {
        assert!(!answer.text("body").to_lowercase().contains(written), "{written} in {}", answer.body);
    }
}

struct Tainted {
    world: World,
    alice: Session,
    at_mcp: Session,
    page: String,
    files: Vec<String>,
}

impl Tainted {
    async fn new() -> Self {
        let world = World::with_every_action(&[]).await;
        let name = format!("x{HIDDEN}y");
        let body = format!(
            "<h2>Head{HIDDEN}ing {BELONGS}</h2><p title=\"{HIDDEN}\">Numbat{HIDDEN} text <code>co{HIDDEN}de</code></p>\
             <ac:structured-macro ac:name=\"odd{HIDDEN}\"><ac:parameter ac:name=\"{name}\">{name}</ac:parameter></ac:structured-macro>\
             <ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"language\">ru{HIDDEN}st</ac:parameter>\
             <ac:plain-text-body><![CDATA[fn {name}]]></ac:plain-text-body></ac:structured-macro>\
             <p><a href=\"https://h.example/{HIDDEN}x\">link</a><ac:link><ri:page ri:content-title=\"{name}\"/></ac:link>\
             <ac:image ac:alt=\"{name}\"><ri:attachment ri:filename=\"{name}.png\"/></ac:image>\
             <ac:structured-macro ac:name=\"status\"><ac:parameter ac:name=\"title\">{name}</ac:parameter></ac:structured-macro>\
             <ac:structured-macro ac:name=\"jira\"><ac:parameter ac:name=\"jqlQuery\">{name}</ac:parameter></ac:structured-macro></p>\
             <table><tbody><tr><th>{name}</th></tr><tr><td>{name}</td></tr></tbody></table>"
        );
        let page = world.sandbox.add_page(NewPage {
            title: format!("Numbat {BELONGS}"),
            body: body.clone(),
            labels: vec![format!("label-{BELONGS}")],
            ..NewPage::default()
        });
        world.sandbox.edit_page(&page, &format!("{body}<p>{name} more</p>"), "changed");
        let thread =
            NewComment { page: page.clone(), parent: None, body: body.clone(), selection: Some("Numbat") };
        let id = world.sandbox.add_comment(&thread);
        world.sandbox.add_comment(&NewComment { parent: Some(id), selection: None, ..thread });
        let attach = |(title, media_type, bytes): (&str, &'static str, Vec<u8>)| {
            let (page, title) = (page.clone(), title.to_owned());
            world.sandbox.add_file(NewFile { page, title, media_type, bytes, claimed_size: None })
        };
        let files = files().into_iter().map(attach).collect();
        let (alice, at_mcp) = (world.sign_in("alice").await, world.sign_in_to_mcp("alice").await);
        world.sandbox.alter_answers(|_, value| taint("", value));
        Self { world, alice, at_mcp, page, files }
    }

    /// Asks at both doors; the answer of the first.
    async fn ask(&self, id: &str, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let answer = self.world.ask(&self.alice, path, parameters).await;
        expect_clean(&format!("{path} {parameters:?}"), &answer.json);
        let mut arguments: Map<String, Value> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        if let Some((name, value)) = in_path(id, path) {
            arguments.insert(name, value.into());
        }
        let called = Client::new(&self.world, &self.at_mcp).call(id, Value::Object(arguments)).await;
        expect_clean(&format!("{id} {parameters:?} at MCP"), &called);
        assert_eq!(called["isError"] == true, answer.status != 200, "{id}: {called}");
        answer
    }
}

/// What stands in the path for the parameter of the action's path.
fn in_path(id: &str, path: &str) -> Option<(String, String)> {
    let entry = causeway::actions::all().into_iter().find(|entry| entry.id == id)?;
    let at = entry.path.split('/').position(|segment| segment.starts_with('{'))?;
    let name = entry.path.split('/').nth(at)?.trim_matches(['{', '}']);
    Some((name.to_owned(), path.split('/').nth(at)?.to_owned()))
}

fn package(parts: &[(&str, String)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A file of each kind whose text is read, with `Numbat` in it.
fn files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let hidden = HIDDEN_IN_XML;
    // What holds bells is no text.
    let seen_by_nobody = HIDDEN.replace('\u{7}', "\u{1b}");
    let text = format!("Num{seen_by_nobody}bat {BELONGS}\n");
    let word = format!(
        "<w:document><w:body><w:p><w:r><w:t>Num{hidden}bat {BELONGS}</w:t></w:r></w:p></w:body></w:document>"
    );
    let slide =
        format!("<p:sld><p:sp><a:p><a:r><a:t>Num{hidden}bat {BELONGS}</a:t></a:r></a:p></p:sp></p:sld>");
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let of = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r1\" Type=\"{of}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let book = package(&[
        ("_rels/.rels", relations("officeDocument", "xl/workbook.xml")),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{of}\"><sheets><sheet name=\"S{hidden}\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        ("xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml")),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                "<worksheet xmlns=\"{main}\"><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Num{hidden}bat {BELONGS}</t></is></c></row></sheetData></worksheet>"
            ),
        ),
    ]);
    let deck = package(&[
        (
            "ppt/presentation.xml",
            "<p:presentation><p:sldIdLst><p:sldId id=\"256\" r:id=\"r1\"/></p:sldIdLst></p:presentation>"
                .to_owned(),
        ),
        ("ppt/_rels/presentation.xml.rels", relations("slide", "slides/slide1.xml")),
        ("ppt/slides/slide1.xml", slide),
    ]);
    let office = "application/vnd.openxmlformats-officedocument";
    vec![
        ("a.txt", "text/plain", text.clone().into_bytes()),
        ("a.rs", "text/plain", format!("// {text}").into_bytes()),
        ("a.json", "application/json", format!("{{\"a\": \"{text}\"}}").into_bytes()),
        ("a.md", "text/markdown", format!("# Num{seen_by_nobody}bat {BELONGS}\n\n```x{seen_by_nobody}\n{text}```\n\n[a{seen_by_nobody}](https://h.example/{seen_by_nobody})").into_bytes()),
        ("a.csv", "text/csv", format!("a,b\n{text},x{seen_by_nobody}\n").into_bytes()),
        ("a.html", "text/html", format!("<p title=\"{seen_by_nobody}\">{text}</p><pre>{text}</pre>").into_bytes()),
        ("a.docx", Box::leak(format!("{office}.wordprocessingml.document").into_boxed_str()), package(&[("word/document.xml", word)])),
        ("a.pptx", Box::leak(format!("{office}.presentationml.presentation").into_boxed_str()), deck),
        ("a.xlsx", Box::leak(format!("{office}.spreadsheetml.sheet").into_boxed_str()), book),
    ]
}

fn counted(answer: &Answer) -> u64 {
    let omitted = answer.json["omitted"].as_array().unwrap();
    let found = omitted.iter().find(|loss| loss["what"] == "invisible characters");
    found.map_or(0, |loss| loss["count"].as_u64().unwrap())
}

#[tokio::test]
async fn no_action_shows_what_people_do_not_see() {
    let tainted = Tainted::new().await;
    let page = tainted.page.as_str();
    for (entry, path, query) in examples() {
        let answer = tainted.ask(entry.id, &path, &query).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    let below = |rest: &str| format!("/v1/pages/{page}{rest}");
    let ids = format!("{page},1310745,999");
    let title = format!("Numbat {BELONGS}");
    for (id, path, parameters) in [
        (
            "searchConfluence",
            "/v1/search".to_owned(),
            vec![("query", "Numbat"), ("type", "page,comment,attachment")],
        ),
        ("searchConfluence", "/v1/search".to_owned(), vec![("query", "Numbat"), ("author", "Alice")]),
        ("findPassages", "/v1/passages".to_owned(), vec![("query", "Numbat")]),
        ("findPage", "/v1/pages".to_owned(), vec![("title", title.as_str())]),
        ("getPage", below(""), vec![]),
        ("getPages", "/v1/pages/batch".to_owned(), vec![("ids", &ids)]),
        ("getPageTree", "/v1/tree".to_owned(), vec![("space", "ENG"), ("depth", "5")]),
        ("listSpaces", "/v1/spaces".to_owned(), vec![]),
        ("listComments", below("/comments"), vec![]),
        ("listAttachments", below("/attachments"), vec![]),
        ("getPageHistory", below("/versions"), vec![]),
        ("getPageHistory", below("/versions"), vec![("compare", "1,2")]),
        ("getRecentChanges", "/v1/changes".to_owned(), vec![("since", "-1y")]),
        ("whoAmI", "/v1/me".to_owned(), vec![]),
    ] {
        let answer = tainted.ask(id, &path, &parameters).await.expect(200);
        if !matches!(id, "listAttachments" | "whoAmI" | "getRecentChanges" | "listSpaces" | "getPageHistory")
        {
            assert!(answer.body.contains(BELONGS), "{id}: {}", answer.body);
        }
        if id == "getPage" {
            assert!(answer.json["labels"].to_string().contains("label-"), "{}", answer.body);
            assert!(counted(&answer) > 100, "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn each_character_counts_once() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let body = "<h1>a\u{202e}</h1><ac:structured-macro ac:name=\"b\u{200b}\"></ac:structured-macro><p>c\u{ad}<code>\u{2066}d</code></p>";
    let page = world.add("ENG", "Counts \u{200b}once", body);
    let answer = world.get(&alice, &format!("/v1/pages/{page}")).await.expect(200);
    assert_eq!(answer.json["outline"][0]["heading"], "a");
    assert!(answer.json["omitted"].to_string().contains("macro: b\""), "{}", answer.body);
    assert_eq!(counted(&answer), 5, "{}", answer.body);
}

#[tokio::test]
async fn no_file_shows_what_people_do_not_see_and_it_is_counted() {
    let tainted = Tainted::new().await;
    for file in &tainted.files {
        let answer = tainted.ask("getAttachment", &format!("/v1/attachments/{file}"), &[]).await.expect(200);
        assert!(answer.text("markdown").contains(&format!("Numbat {BELONGS}")), "{}", answer.body);
        // In the names twice what is in every text, and in the text at least that of XML.
        let in_text = HIDDEN_IN_XML.chars().count() as u64;
        let names = HIDDEN.chars().count() as u64 * 2;
        assert!(counted(&answer) >= in_text + 2 * names, "{}", answer.body);
    }
}

#[tokio::test]
async fn confluence_s_own_json_holds_none_of_it_either_nor_as_an_escape() {
    let tainted = Tainted::new().await;
    for (path, query) in [
        ("/wiki/api/v2/spaces", "limit=5&description-format=plain".to_owned()),
        (
            &*format!("/wiki/api/v2/pages/{}", tainted.page),
            "body-format=storage&include-labels=true".to_owned(),
        ),
        (&*format!("/wiki/api/v2/pages/{}", tainted.page), "body-format=atlas_doc_format".to_owned()),
        ("/wiki/rest/api/search", "cql=text~numbat&limit=5".to_owned()),
        ("/wiki/rest/api/search", "cql=(".to_owned()),
        ("/wiki/rest/api/user/current", String::new()),
    ] {
        let answer =
            tainted.ask("callConfluence", "/v1/raw", &[("path", path), ("query", &query)]).await.expect(200);
        expect_nothing_written_out(&answer);
        let held: Value = serde_json::from_str(answer.text("body")).unwrap();
        assert!(held.is_object(), "{}", answer.body);
    }
}

#[tokio::test]
async fn search_and_fetch_and_refusals_are_as_clean() {
    let tainted = Tainted::new().await;
    let client = Client::new(&tainted.world, &tainted.at_mcp);
    let found = client.call("search", json!({ "query": "Numbat" })).await;
    expect_clean("search", &found);
    let id = found["structuredContent"]["results"][0]["id"].as_str().unwrap().to_owned();
    expect_clean("fetch", &client.call("fetch", json!({ "id": id })).await);
    let odd = format!("odd{HIDDEN}");
    for (id, path, parameters) in [
        ("searchConfluence", "/v1/search", vec![("cql", "type = nonsense")]),
        ("searchConfluence", "/v1/search", vec![("author", "a")]),
        ("searchConfluence", "/v1/search", vec![("query", "x"), ("space", odd.as_str())]),
        ("searchConfluence", "/v1/search", vec![("query", "x"), ("sort", odd.as_str())]),
        ("searchConfluence", "/v1/search", vec![(odd.as_str(), "x")]),
        ("findPage", "/v1/pages", vec![("title", "Meeting notes")]),
        ("findPage", "/v1/pages", vec![("url", odd.as_str())]),
        ("getRecentChanges", "/v1/changes", vec![("since", odd.as_str())]),
        ("whoAmI", "/v1/me", vec![("site", odd.as_str())]),
    ] {
        tainted.ask(id, path, &parameters).await;
    }
    let unknown = client.send("tools/call", json!({ "name": odd, "arguments": {} })).await;
    expect_clean("an unknown tool", &unknown.json);
}

#[tokio::test]
async fn what_was_taken_out_of_lists_is_counted_for_the_operator() {
    let tainted = Tainted::new().await;
    tainted.ask("searchConfluence", "/v1/search", &[("query", "Numbat")]).await.expect(200);
    let count =
        tainted.world.counted("causeway_invisible_characters_total", &["action=\"searchConfluence\""]).await;
    assert!(count > 100, "{count}");
}

/// The fields of text that the structs of a source have that derive `wanted`, as `Struct.field`.
fn unclean(source: &str, wanted: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let (mut derives, mut open) = (false, None);
    for line in source.split("#[cfg(test)]").next().unwrap().lines() {
        let line = line.trim();
        let name = line.trim_start_matches("pub ").trim_start_matches("pub(super) ").strip_prefix("struct ");
        match (name, open) {
            (Some(name), _) if derives => {
                let end = name.find(|c: char| !c.is_alphanumeric()).unwrap();
                open = line.ends_with('{').then_some(&name[..end]);
                // Of tuples the one line is all.
                fields.extend((open.is_none() && holds_text(line)).then(|| format!("{}.0", &name[..end])));
                derives = false;
            }
            (_, Some(_)) if line == "}" => open = None,
            (_, Some(name)) if !line.starts_with(['/', '#']) && holds_text(line) => {
                let field = line.split(':').next().unwrap().rsplit(' ').next().unwrap();
                fields.push(format!("{name}.{field}"));
            }
            _ if line.starts_with("#[derive(") => derives = line.contains(wanted),
            _ if line.starts_with(['#', '/']) => {}
            _ => derives = false,
        }
    }
    fields
}

fn holds_text(line: &str) -> bool {
    let kinds = |part: &str| ["String", "str", "Value", "Cow", "Box", "OsString"].contains(&part);
    line.split(|c: char| !c.is_alphanumeric()).any(kinds)
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn answers_are_made_of_cleaned_text_and_nothing_else() {
    let odd = "#[derive(Serialize)]\npub struct A {\n    a: Clean,\n    pub b: Option<String>,\n}\n#[derive(Serialize)]\nstruct B(String);\n";
    assert_eq!(unclean(odd, "Serialize"), ["A.b", "B.0"]);
    let mut looked_at = 0;
    let others = ["src/problem.rs", "src/mcp/research.rs", "src/extract/mod.rs"];
    let others = others.map(|path| {
        (path.into(), fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap())
    });
    for (path, source) in sources("src/actions").into_iter().chain(others) {
        looked_at += source.matches("Serialize, ").count();
        // What the gateway's own process is told of a file.
        let own = ["Job.media_type", "Job.name"];
        let found: Vec<String> =
            unclean(&source, "Serialize, ").into_iter().filter(|field| !own.contains(&&**field)).collect();
        assert!(
            found.is_empty(),
            "{found:?} in {}: Clean or CleanText is what answers are made of",
            path.display()
        );
    }
    assert!(looked_at > 30, "{looked_at}");
}

#[test]
fn what_confluence_sends_is_cleaned_where_it_is_read() {
    // Markup for the converter alone; where a list goes on; what becomes a reason or a row; what is parsed or compared.
    let known = [
        "Body.value",
        "Links.next",
        "Body.message",
        "Item.title",
        "Item.detail",
        "Answer.0",
        "Text.0",
        "Row.id",
        "Row.scopes",
        "Claims.sub",
    ];
    for folder in ["src/confluence", "src/atlassian"] {
        for (path, source) in sources(folder) {
            let found = unclean(&source, "Deserialize");
            let found: Vec<String> = found.into_iter().filter(|field| !known.contains(&&**field)).collect();
            assert!(found.is_empty(), "{found:?} in {}: Clean is what is read of others", path.display());
        }
    }
}
