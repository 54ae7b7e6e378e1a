//! How fast Markdown is made, beside generic converters on the same bodies in the same run, whether ten times the input takes
//! ten times as long, and how much memory: `cargo bench --bench markdown -- [FOLDER of .xhtml and .html files]`.
//!
//! `PYTHON=path` names a Python that has markdownify; without one it is left out.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods, clippy::cast_precision_loss)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use causeway::markdown::{Context, PartSize, from_html, from_storage};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Converts the file it is given a few times and prints the shortest time in seconds.
const MARKDOWNIFY: &str = "
import sys, time
from markdownify import markdownify
body = open(sys.argv[1]).read()
def once():
    start = time.perf_counter()
    markdownify(body)
    return time.perf_counter() - start
print(min(once() for _ in range(5)))
";

fn main() {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/markdown");
    let folder = given.map_or(fixtures, PathBuf::from);
    let storage = bodies(&folder, "xhtml");
    let html = bodies(&folder, "html");
    let people = HashMap::new();
    let context = Context {
        wiki_url: "https://acme.atlassian.net/wiki",
        page_id: "1",
        space_key: Some("A"),
        people: &people,
    };

    let page = repeated(&storage, 200_000);
    let ours = fastest(|| from_storage(&page, &context).markdown().len());
    let theirs = fastest(|| htmd::convert(&page).unwrap().len());
    report("storage", page.len(), ours);
    report("storage, htmd", page.len(), theirs);
    println!("storage: {:.1} times as fast as htmd", ratio(theirs, ours));
    match markdownify(&page) {
        Some(theirs) => {
            report("storage, markdownify", page.len(), theirs);
            println!("storage: {:.0} times as fast as markdownify", ratio(theirs, ours));
        }
        None => println!("markdownify is left out: PYTHON names no Python that has it"),
    }

    let rendered = repeated(&html, 200_000);
    if !rendered.is_empty() {
        let ours = fastest(|| from_html(&rendered, &context).markdown().len());
        let theirs = fastest(|| htmd::convert(&rendered).unwrap().len());
        report("html", rendered.len(), ours);
        report("html, htmd", rendered.len(), theirs);
        println!("html: {:.2} of htmd's time", 1.0 / ratio(theirs, ours));
    }

    let long = repeated(&storage, 2_000_000);
    let more = fastest(|| from_storage(&long, &context).markdown().len());
    let once = fastest(|| from_storage(&page, &context).markdown().len());
    let per_byte = |time: Duration, length: usize| time.as_secs_f64() / length as f64;
    println!(
        "ten times the input: {:.1} times the time",
        10.0 * per_byte(more, long.len()) / per_byte(once, page.len())
    );
    println!("peak memory: {:.1} times the input", peak(&long, || from_storage(&long, &context)));
    amplification(&context);

    let document = from_storage(&long, &context);
    let size = PartSize { chars: 30_000, json_bytes: 90_000 };
    report("parts", document.markdown().len(), fastest(|| document.parts(size).len()));
}

fn bodies(folder: &Path, extension: &str) -> Vec<String> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    // Bodies that end in the middle of something would nest in each other.
    paths.retain(|path| !path.file_stem().is_some_and(|stem| stem == "broken" || stem == "view-untidy"));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The bodies one after the other, again and again up to `length` bytes.
fn repeated(bodies: &[String], length: usize) -> String {
    let mut page = String::new();
    while page.len() < length && !bodies.is_empty() {
        page.extend(bodies.iter().map(String::as_str));
    }
    page
}

fn fastest<T>(run: impl Fn() -> T) -> Duration {
    let time = |()| {
        let start = Instant::now();
        std::hint::black_box(run());
        start.elapsed()
    };
    (0..20).map(|_| time(())).min().unwrap()
}

/// The most memory that is held at once while `run` lasts, in multiples of `input`.
fn peak<T>(input: &str, run: impl Fn() -> T) -> f64 {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = run();
    let most = MEMORY.peak_usage();
    drop(result);
    (most - before) as f64 / input.len() as f64
}

/// Bodies of much markup and little text, each over and over: a byte of theirs may become many of what is noted of it. The
/// numbers are the most memory that making and cutting may take, in multiples of the body.
const AMPLIFYING: [(&str, &str, &str, f64); 16] = [
    ("", "<h1>a</h1>", "", 4.0),
    ("", "<h1>a</h1>b", "", 4.0),
    ("<ul>", "<li>a", "</ul>", 4.0),
    ("<ol>", "<li><p>a<p>b", "</ol>", 4.0),
    ("", "<ul><li>a</ul>", "", 4.0),
    ("<table><tr>", "<td>", "</table>", 8.5),
    ("<table>", "<tr><td>a", "</table>", 5.0),
    ("<table>", "<tr>", "</table>", 5.0),
    ("", "<table><tr><td>a</table>", "", 5.0),
    ("<table><tr><td>", "<table><tr><td>a</table>", "</table>", 7.5),
    ("<table><tr><td>", "<pre>a\nb</pre>", "</table>", 10.5),
    ("", "a<br/>", "", 4.0),
    ("<pre>", "a\n", "</pre>", 4.0),
    ("", "<blockquote>a</blockquote>", "", 4.0),
    ("", "<a href=\"x\">a</a>", "", 7.0),
    ("", "*", "", 7.0),
];

/// Whether no page takes more memory than the gateway counts for it.
fn amplification(context: &Context<'_>) {
    for (before, over, after, most) in AMPLIFYING {
        let body = format!("{before}{}{after}", over.repeat(2_000_000 / over.len()));
        let times = peak(&body, || {
            let document = from_storage(&body, context);
            let parts = document.cut(PartSize { chars: 30_000, json_bytes: 90_000 });
            std::hint::black_box((parts.get(1), parts.outline().count()));
        });
        println!("peak memory of {over:?}: {times:.1} times the input");
        assert!(times <= most, "{over:?} takes {times:.1} times its length");
    }
}

fn markdownify(body: &str) -> Option<Duration> {
    let file = std::env::temp_dir().join("causeway-bench.xhtml");
    std::fs::write(&file, body).unwrap();
    let output =
        Command::new(std::env::var_os("PYTHON")?).args(["-c", MARKDOWNIFY]).arg(&file).output().ok()?;
    std::fs::remove_file(&file).unwrap();
    String::from_utf8(output.stdout).ok()?.trim().parse().ok().map(Duration::from_secs_f64)
}

fn report(what: &str, length: usize, time: Duration) {
    println!("{what}: {length} bytes in {time:.2?}, {:.0} MB/s", length as f64 / 1e6 / time.as_secs_f64());
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
