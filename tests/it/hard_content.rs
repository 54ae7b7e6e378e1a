//! The hardest content there is, through every action: each answer stays below its limit, and parts and cursors lead to the
//! end with nothing missing and nothing twice.

use causeway::sandbox::{NewComment, NewFile, NewPage};
use serde_json::Value;

use crate::asking::examples;
use crate::support::{Answer, Session, World};

/// ChatGPT drops answers of this many characters; ours have fewer bytes.
const LIMIT: usize = 100_000;
const CHILDREN: usize = 120;
const FILES: usize = 120;
const THREADS: usize = 40;
const VERSIONS: usize = 40;
const MARKS: usize = 60;

/// What takes most bytes in JSON, up to `length` characters, after a name that is found again.
fn hard(name: &str, length: usize) -> String {
    name.chars().chain(" \u{1f63a}\"\\ \u{d55c}\u{c790}".chars().cycle()).take(length).collect()
}

fn escaped(text: &str) -> String {
    text.replace('"', "&quot;")
}

/// A body of everything that does not break well, with the marks `begin-0` to the last in it.
fn hard_body() -> String {
    let heading = |n: usize| format!("<h{}>{}</h{0}>", 1 + n % 6, escaped(&hard(&format!("begin-{n}"), 300)));
    let code = "<ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[";
    let code =
        format!("{code}{}]]></ac:plain-text-body></ac:structured-macro>", "```\\\"\t\u{1f63a}\n".repeat(40));
    let row = format!("<tr><td>{}</td><td>|</td></tr>", escaped(&hard("cell", 200)));
    let table = format!("<table><tbody><tr><th>a</th><th>b</th></tr>{}</tbody></table>", row.repeat(8));
    let nested = format!("{}deep{}", "<ul><li>".repeat(60), "</li></ul>".repeat(60));
    (0..200).map(|n| heading(n) + [code.as_str(), &table, &nested][n % 3] + "<p>quoll</p>").collect()
}

struct Hard {
    world: World,
    alice: Session,
    page: String,
    title: String,
    /// The id of an attachment with much text.
    file: String,
}

impl Hard {
    /// A page deep in the tree with a long name and everything in great number.
    async fn new() -> Self {
        let world = World::with_every_action(&[]).await;
        let alice = world.sign_in("alice").await;
        let add = |title: String, parent: Option<String>, body: String| {
            let labels = (0..50).map(|n| format!("label-{n}-{}", "x".repeat(200))).collect();
            world.sandbox.add_page(NewPage { title, parent, body, labels, ..NewPage::default() })
        };
        let mut above = None;
        for n in 0..12 {
            above = Some(add(hard(&format!("above-{n}"), 255), above, "<p>x</p>".to_owned()));
        }
        let title = hard("quoll", 255);
        let page = add(title.clone(), above, hard_body());
        for n in 0..CHILDREN {
            add(hard(&format!("child-{n}"), 255), Some(page.clone()), format!("<p>quoll {n}</p>"));
        }
        let attach = |title: String, text: String| {
            world.sandbox.add_file(NewFile {
                page: page.clone(),
                title,
                media_type: "text/plain",
                bytes: text.into_bytes(),
                claimed_size: None,
            })
        };
        for n in 0..FILES {
            attach(hard(&format!("file-{n}"), 250) + ".txt", "text".to_owned());
        }
        let long: Vec<String> = (0..MARKS).map(|n| hard(&format!("begin-{n}"), 1_500)).collect();
        let file = attach("long.txt".to_owned(), long.join("\n"));
        for n in 0..THREADS {
            let body = format!("<p>{}</p>", escaped(&hard(&format!("thread-{n}"), 5_000)));
            let thread = NewComment { page: page.clone(), parent: None, body, selection: None };
            let id = world.sandbox.add_comment(&thread);
            let reply = NewComment { parent: Some(id), ..thread };
            world.sandbox.add_comment(&reply);
        }
        let other = hard_body().replace("begin", "end");
        for n in 0..VERSIONS {
            let body = if n % 2 == 0 { &other } else { &hard_body() };
            world.sandbox.edit_page(&page, body, &hard(&format!("version-{n}"), 500));
        }
        world.sandbox.edit_page(&page, &hard_body(), "the last");
        Self { world, alice, page, title, file }
    }

    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let answer = self.world.ask(&self.alice, path, parameters).await.expect(200);
        assert!(answer.body.len() < LIMIT, "{path} {parameters:?}: {} bytes", answer.body.len());
        answer
    }

    /// All answers from the first to the last, with what `next` takes from each as the next parameter.
    async fn to_the_end(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        next: impl Fn(&Value) -> Option<(&'static str, String)>,
    ) -> Vec<Value> {
        let mut answers: Vec<Value> = Vec::new();
        loop {
            let following = answers.last().map(&next);
            let more = match &following {
                None => vec![],
                Some(Some((name, value))) => vec![(*name, value.as_str())],
                Some(None) => return answers,
            };
            answers.push(self.ask(path, &[parameters, &more].concat()).await.json);
            assert!(answers.len() < 500, "{path} never ends");
        }
    }

    async fn list(&self, path: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
        let cursor = |answer: &Value| Some(("cursor", answer["nextCursor"].as_str()?.to_owned()));
        let answers = self.to_the_end(path, parameters, cursor).await;
        answers.iter().flat_map(|answer| answer["results"].as_array().unwrap().clone()).collect()
    }

    async fn read(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let part = |answer: &Value| Some(("part", answer["nextPart"].as_u64()?.to_string()));
        let answers = self.to_the_end(path, parameters, part).await;
        answers.iter().map(|answer| answer["markdown"].as_str().unwrap()).collect()
    }
}

/// `name-0` to `name-{count - 1}` each stand in exactly one of `texts`.
#[track_caller]
fn each_once(texts: &[Value], name: &str, count: usize) {
    for n in 0..count {
        let mark = format!("{name}-{n} ");
        let holding = texts.iter().filter(|text| text.to_string().contains(&mark)).count();
        assert_eq!(holding, 1, "{mark}");
    }
}

#[tokio::test]
async fn every_answer_of_every_action_fits_and_leads_to_the_end() {
    let hard = Hard::new().await;
    let page = hard.page.as_str();
    let below = |rest: &str| format!("/v1/pages/{page}{rest}");
    for (entry, path, query) in examples() {
        match entry.id {
            "searchConfluence" => {
                let found = hard.list("/v1/search", &[("ancestor", page), ("limit", "25")]).await;
                each_once(&found, "child", CHILDREN);
                let types = ("type", "page,blogpost,comment,attachment");
                hard.list("/v1/search", &[("query", "quoll"), types, ("limit", "25")]).await;
            }
            "findPassages" => {
                let most = [("query", "quoll begin cell"), ("limit", "20"), ("maxChars", "90000")];
                let found = hard.ask("/v1/passages", &most).await;
                assert!(found.body.contains("quoll"));
            }
            "findPage" | "getPage" => {
                let (path, named) = match entry.id {
                    "getPage" => (below(""), None),
                    _ => ("/v1/pages".to_owned(), Some(("title", hard.title.as_str()))),
                };
                for size in ["10000", "90000"] {
                    let asked: Vec<_> = named.into_iter().chain([("maxChars", size)]).collect();
                    let markdown = hard.read(&path, &asked).await;
                    for n in 0..MARKS {
                        assert_eq!(
                            markdown.matches(&format!("begin-{n} ")).count(),
                            1,
                            "begin-{n} at {size}"
                        );
                    }
                }
            }
            "getPages" => {
                let ids = [page; 10].join(",");
                let twice = hard.world.ask(&hard.alice, "/v1/pages/batch", &[("ids", &ids)]).await;
                assert!(twice.body.len() < LIMIT);
                let tree = hard.list("/v1/tree", &[("page", page), ("depth", "1")]).await;
                let ids: Vec<&str> = tree.iter().take(9).map(|node| node["id"].as_str().unwrap()).collect();
                let ids = format!("{page},{}", ids.join(","));
                let pages = hard.ask("/v1/pages/batch", &[("ids", &ids), ("maxChars", "90000")]).await;
                assert_eq!(pages.each("id").len(), 10);
            }
            "getPageTree" => {
                each_once(&hard.list(&path, &[("page", page), ("depth", "5")]).await, "child", CHILDREN);
                let space = hard.list(&path, &[("space", "ENG"), ("depth", "5")]).await;
                assert!(space.len() > 20);
            }
            "listComments" => {
                let threads = hard.list(&below("/comments"), &[]).await;
                assert_eq!(threads.len(), THREADS);
                each_once(&threads, "thread", THREADS);
            }
            "listAttachments" => each_once(&hard.list(&below("/attachments"), &[]).await, "file", FILES),
            "getAttachment" => {
                for size in ["10000", "90000"] {
                    let path = format!("/v1/attachments/{}", hard.file);
                    let text = hard.read(&path, &[("maxChars", size)]).await;
                    for n in 0..MARKS {
                        assert_eq!(text.matches(&format!("begin-{n} ")).count(), 1, "begin-{n} at {size}");
                    }
                }
            }
            "getPageHistory" => {
                let versions = hard.list(&below("/versions"), &[]).await;
                assert_eq!(versions.len(), VERSIONS + 2);
                each_once(&versions, "version", VERSIONS);
                let cursor = |answer: &Value| Some(("cursor", answer["nextCursor"].as_str()?.to_owned()));
                let diff = hard.to_the_end(&below("/versions"), &[("compare", "1,2")], cursor).await;
                let diff: String = diff.iter().map(|answer| answer["diff"].as_str().unwrap()).collect();
                for n in 0..MARKS {
                    assert!(diff.contains(&format!("begin-{n} ")) && diff.contains(&format!("end-{n} ")));
                }
            }
            "getRecentChanges" => {
                let changes = hard.list("/v1/changes", &[("since", "-1d"), ("limit", "50")]).await;
                each_once(&changes, "child", CHILDREN);
            }
            "listSpaces" | "whoAmI" => drop(hard.ask(&path, &query).await),
            unknown => panic!("{unknown} has no hard case"),
        }
    }
}
