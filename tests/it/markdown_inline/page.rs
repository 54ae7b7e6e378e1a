//! Random pages: as storage format, as Confluence renders them, and as a person reads them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::parsed::{Marks, Parsed};

#[path = "source.rs"]
mod source;

pub(super) use source::escaped;
use source::wrap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Storage,
    Rendered,
}

#[derive(Clone, Debug)]
pub(super) struct Page(Vec<Block>);

#[derive(Clone, Debug)]
enum Block {
    Paragraph(Vec<Inline>),
    Heading(u8, Vec<Inline>),
    Item(Vec<Inline>, Vec<Inline>),
    Numbered(Vec<Inline>),
    Task(Vec<Inline>),
    /// In so many quotes.
    Code(usize, String),
    Quote(Vec<Inline>),
    Panel(Vec<Inline>),
    /// A header row of two cells, and a row of a cell and of one with two paragraphs.
    Table([Vec<Inline>; 5]),
}

#[derive(Clone, Debug)]
enum Inline {
    Text(String),
    /// By the name of its element.
    Mark(&'static str, Vec<Inline>),
    Link(&'static Target, Vec<Inline>),
    Code(Vec<Inline>),
    Break,
    Status(String),
    Mention(&'static str),
    Emoticon(String),
    /// With the text that stands for it.
    Image(&'static Target, String),
    /// By its title.
    PageLink(&'static (&'static str, &'static str)),
    Placeholder(String),
}

#[derive(Debug)]
struct Target {
    href: &'static str,
    /// What a link may lead to; `None` for what is no link.
    leads: Option<&'static str>,
}

#[rustfmt::skip]
const TARGETS: &[Target] = &[
    Target { href: "https://e.example/a", leads: Some("https://e.example/a") },
    Target { href: "https://e.example/a_b(c)*d?x=[1]&y=%20", leads: Some("https://e.example/a_b%28c%29%2Ad?x=%5B1%5D&y=%20") },
    Target { href: "https://e.example/?a&copy;&lt;=2", leads: Some("https://e.example/?a&copy;&lt;=2") },
    Target { href: "https://e.example/~~a~~_b_!", leads: Some("https://e.example/~~a~~_b_!") },
    Target { href: "HTTP://E.example/a \"b\" 'c'", leads: Some("HTTP://E.example/a%20%22b%22%20'c'") },
    Target { href: "https://e.example/<b>|\\\n)`", leads: Some("https://e.example/%3Cb%3E%7C%5C%29%60") },
    Target { href: "//e.example/x", leads: Some("https://e.example/x") },
    Target { href: "/wiki/x", leads: Some("https://acme.atlassian.net/wiki/x") },
    Target { href: "x.html", leads: Some("https://acme.atlassian.net/wiki/x.html") },
    Target { href: "#top", leads: Some("#top") },
    Target { href: "mailto:a@e.example", leads: Some("mailto:a@e.example") },
    Target { href: "javascript:alert(1)", leads: None },
    Target { href: " JaVaScRiPt:alert(1)", leads: None },
    Target { href: "java\tscr\nipt:alert(1)", leads: None },
    Target { href: "\u{1}javascript:alert(1)", leads: None },
    Target { href: "data:text/html,x", leads: None },
    Target { href: "vbscript:x", leads: None },
    Target { href: "file:///etc/passwd", leads: None },
];

/// Titles of pages, and where links to them lead.
#[rustfmt::skip]
const PAGES: &[(&str, &str)] = &[
    ("A page", "https://acme.atlassian.net/wiki/display/ENG/A+page"),
    ("[x](javascript:alert(1))", "https://acme.atlassian.net/wiki/display/ENG/%5Bx%5D%28javascript%3Aalert%281%29%29"),
    ("![", "https://acme.atlassian.net/wiki/display/ENG/%21%5B"),
    ("](", "https://acme.atlassian.net/wiki/display/ENG/%5D%28"),
    ("^1", "https://acme.atlassian.net/wiki/display/ENG/%5E1"),
];

const NAMES: [(&str, &str); 2] =
    [("557058:ada", "Ada Lovelace"), ("557058:eve", "![x](https://evil.example/p.png)")];

/// Characters that mean something in Markdown, alone and in company, and words to put them between.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "a", "b", "x", "1", "12", "é", "가", "“", "”", "✅", "€", "。",
    " ", " ", " ", "\n", "\u{a0}", "\u{200b}", "\u{ad}",
    "*", "**", "_", "~", "~~", "`", "``", "[", "]", "(", ")", "<", ">", "!", "#", "+", "-", "=", ".", ":", "|", "\\", "&", ";", "^", "\"", "'", "/", "$",
    "](", "][", "]:", "![", "](https://evil.example/p.png)", "(javascript:alert(1))", "[^1]", "[ ]", "[x]", "[!NOTE]",
    "<b", "</b>", "<!--", "-->", "<https://evil.example>", "&amp", "&amp;", "copy;", "#65;", "---", "===", "1.", ":-", "|-", "https://e.example/a", "www.evil.example",
];

fn text() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..6).prop_map(|pieces| pieces.concat())
}

fn inline() -> impl Strategy<Value = Vec<Inline>> {
    let leaf = prop_oneof![
        12 => text().prop_map(Inline::Text),
        1 => Just(Inline::Break),
        1 => text().prop_map(Inline::Status),
        1 => select(&NAMES[..]).prop_map(|(id, _)| Inline::Mention(id)),
        1 => vec(select(PIECES), 1..3).prop_map(|pieces| Inline::Emoticon(pieces.concat())),
        1 => (0..TARGETS.len(), text()).prop_map(|(at, label)| Inline::Image(&TARGETS[at], format!("{label}i"))),
        1 => (0..PAGES.len()).prop_map(|at| Inline::PageLink(&PAGES[at])),
        1 => text().prop_map(Inline::Placeholder),
    ];
    let marks = select(&["strong", "b", "em", "i", "s", "del", "sub", "sup", "u", "span", "small"][..]);
    let nested = leaf.prop_recursive(5, 24, 4, move |inner| {
        let inner = vec(inner, 0..4);
        prop_oneof![
            6 => (marks.clone(), inner.clone()).prop_map(|(mark, inner)| Inline::Mark(mark, inner)),
            2 => (0..TARGETS.len(), inner.clone()).prop_map(|(at, inner)| Inline::Link(&TARGETS[at], inner)),
            1 => inner.prop_map(Inline::Code),
        ]
    });
    vec(nested, 0..5)
}

/// Where a link of a page may lead.
pub(super) fn leads(link: &str) -> bool {
    TARGETS.iter().any(|target| target.leads == Some(link)) || PAGES.iter().any(|(_, leads)| *leads == link)
}

pub(super) fn any() -> impl Strategy<Value = Page> {
    let block = prop_oneof![
        4 => inline().prop_map(Block::Paragraph),
        1 => (1..=6_u8, inline()).prop_map(|(level, inner)| Block::Heading(level, inner)),
        2 => (inline(), inline()).prop_map(|(outer, inner)| Block::Item(outer, inner)),
        1 => inline().prop_map(Block::Quote),
        1 => inline().prop_map(Block::Panel),
        1 => inline().prop_map(Block::Numbered),
        1 => inline().prop_map(Block::Task),
        1 => (0..3_usize, vec(select(PIECES), 1..30)).prop_map(|(quotes, code)| Block::Code(quotes, code.concat())),
        2 => [inline(), inline(), inline(), inline(), inline()].prop_map(Block::Table),
    ];
    vec(block, 1..3).prop_map(Page)
}

impl Page {
    pub(super) fn source(&self, format: Format) -> String {
        let mut out = String::new();
        for block in &self.0 {
            match block {
                Block::Paragraph(inner) => wrap(&mut out, "<p>", inner, "</p>", format),
                Block::Heading(level, inner) => {
                    wrap(&mut out, &format!("<h{level}>"), inner, &format!("</h{level}>"), format);
                }
                Block::Item(outer, inner) => {
                    wrap(&mut out, "<ul><li>", outer, "<ul><li>", format);
                    wrap(&mut out, "", inner, "</li></ul></li></ul>", format);
                }
                Block::Quote(inner) => wrap(&mut out, "<blockquote><p>", inner, "</p></blockquote>", format),
                Block::Panel(inner) if format == Format::Storage => wrap(
                    &mut out,
                    "<ac:structured-macro ac:name=\"info\"><ac:rich-text-body><p>",
                    inner,
                    "</p></ac:rich-text-body></ac:structured-macro>",
                    format,
                ),
                Block::Panel(inner) => wrap(
                    &mut out,
                    "<div class=\"confluence-information-macro confluence-information-macro-information\"><p>",
                    inner,
                    "</p></div>",
                    format,
                ),
                Block::Numbered(inner) => wrap(&mut out, "<ol><li>", inner, "</li></ol>", format),
                Block::Task(inner) if format == Format::Storage => wrap(
                    &mut out,
                    "<ac:task-list><ac:task><ac:task-status>complete</ac:task-status><ac:task-body>",
                    inner,
                    "</ac:task-body></ac:task></ac:task-list>",
                    format,
                ),
                Block::Task(inner) => {
                    let open =
                        "<ul class=\"inline-task-list\"><li data-inline-task-id=\"1\" class=\"checked\">";
                    wrap(&mut out, open, inner, "</li></ul>", format);
                }
                Block::Code(quotes, code) => {
                    let [open, close] = match format {
                        Format::Storage => [
                            "<ac:structured-macro ac:name=\"code\"><ac:plain-text-body>",
                            "</ac:plain-text-body></ac:structured-macro>",
                        ],
                        Format::Rendered => ["<pre>", "</pre>"],
                    };
                    let (begin, end) = ("<blockquote>".repeat(*quotes), "</blockquote>".repeat(*quotes));
                    out.extend([&begin, open, &escaped(code), close, &end]);
                }
                Block::Table(cells) => {
                    let around = [
                        ("<table><tbody><tr><th>", "</th>"),
                        ("<th>", "</th></tr>"),
                        ("<tr><td>", "</td>"),
                        ("<td><p>", "</p>"),
                        ("<p>", "</p></td></tr></tbody></table>"),
                    ];
                    for (cell, (open, close)) in cells.iter().zip(around) {
                        wrap(&mut out, open, cell, close, format);
                    }
                }
            }
        }
        out
    }

    /// What a person reads.
    pub(super) fn reading(&self, format: Format) -> Parsed {
        let mut read = Reading { out: Parsed::default(), format, after: Vec::new() };
        for block in &self.0 {
            match block {
                Block::Paragraph(inner) => {
                    read.block(inner);
                }
                Block::Heading(level, inner) => {
                    if read.block(inner) {
                        let at = usize::from(*level) - 1;
                        read.out.blocks.push(["h1", "h2", "h3", "h4", "h5", "h6"][at]);
                    }
                }
                Block::Item(outer, inner) => {
                    read.out.blocks.extend(["ul", "li"]);
                    read.block(outer);
                    read.out.blocks.extend(["ul", "li"]);
                    read.block(inner);
                }
                Block::Quote(inner) => {
                    if read.block(inner) {
                        read.out.blocks.push("quote");
                    }
                }
                Block::Panel(inner) => {
                    if read.block(inner) {
                        read.out.blocks.push("note");
                    }
                }
                Block::Numbered(inner) => {
                    read.out.blocks.extend(["ol", "li"]);
                    read.block(inner);
                }
                Block::Task(inner) => {
                    read.out.blocks.extend(["ul", "li", "task"]);
                    read.block(inner);
                }
                Block::Code(quotes, code) => {
                    if read.code(code) {
                        read.out.blocks.extend(std::iter::repeat_n("quote", *quotes));
                        read.out.blocks.push("code");
                    }
                }
                Block::Table(cells) => {
                    read.out.blocks.extend(["table", "cell", "cell", "cell", "cell"]);
                    for cell in cells {
                        read.block(cell);
                    }
                }
            }
        }
        read.out
    }
}

struct Reading {
    out: Parsed,
    format: Format,
    /// What was inside of a link and cannot be there: it follows that one.
    after: Vec<(String, &'static str)>,
}

/// What the text around has.
#[derive(Clone, Copy, Default)]
struct Around {
    marks: Marks,
    link: Option<&'static str>,
}

impl Reading {
    /// Whether there is anything to see in it.
    fn block(&mut self, inner: &[Inline]) -> bool {
        let before = self.out.glyphs.len();
        self.out.space();
        self.all(inner, Around::default());
        self.out.space();
        self.out.glyphs.len() > before
    }

    fn code(&mut self, code: &str) -> bool {
        let before = self.out.glyphs.len();
        self.out.space();
        self.text(code, Around { marks: Marks { code: true, ..Marks::default() }, link: None });
        self.out.space();
        self.out.glyphs.len() > before
    }

    fn all(&mut self, inner: &[Inline], around: Around) {
        for one in inner {
            self.one(one, around);
        }
    }

    fn one(&mut self, one: &Inline, around: Around) {
        let mut inside = around;
        match one {
            Inline::Text(text) | Inline::Emoticon(text) => self.text(text, around),
            Inline::Break => self.out.space(),
            Inline::Status(title) => {
                inside.marks.code = true;
                // The parameter of a macro is trimmed.
                self.text(if self.format == Format::Storage { title.trim() } else { title }, inside);
            }
            Inline::Mention(id) => {
                let (_, name) = NAMES.iter().find(|(known, _)| known == id).unwrap();
                self.text("@", around);
                self.text(name, around);
            }
            Inline::Mark(name, inner) => {
                let marks = &mut inside.marks;
                match *name {
                    "strong" | "b" => marks.strong = true,
                    "em" | "i" => marks.emphasis = true,
                    "s" | "del" => marks.strike = true,
                    "sub" => marks.sub = true,
                    "sup" => marks.sup = true,
                    _ => {}
                }
                // Nothing can be marked inside code.
                self.all(inner, if around.marks.code { around } else { inside });
            }
            Inline::Image(target, label) => self.reference(label, target.leads, around),
            Inline::PageLink((title, leads)) => self.reference(title, Some(leads), around),
            Inline::Placeholder(text) if self.format == Format::Storage => {
                self.text(&format!("[placeholder: {text}]"), around);
            }
            Inline::Placeholder(_) => {}
            Inline::Code(inner) => {
                inside.marks.code = true;
                self.all(inner, inside);
            }
            Inline::Link(target, inner) => {
                inside.link = target.leads.or(around.link);
                let before = self.out.glyphs.len();
                self.all(inner, inside);
                if target.leads.is_some() && self.out.glyphs.len() == before {
                    self.text(target.href, inside);
                }
                if around.link.is_none() {
                    self.follow(around);
                }
            }
        }
    }

    fn reference(&mut self, label: &str, leads: Option<&'static str>, around: Around) {
        match (around.link, leads) {
            (None, Some(link)) => self.text(label, Around { link: Some(link), ..around }),
            (_, leads) => {
                self.text(label, around);
                self.after
                    .extend(leads.filter(|_| around.link.is_some()).map(|leads| (label.to_owned(), leads)));
            }
        }
    }

    fn follow(&mut self, around: Around) {
        for (label, leads) in std::mem::take(&mut self.after) {
            self.out.space();
            self.text("(", around);
            self.text(&label, Around { link: Some(leads), ..around });
            self.text(")", around);
        }
    }

    fn text(&mut self, text: &str, around: Around) {
        let link = around.link.map(str::to_owned);
        for character in
            text.chars().filter(|character| !matches!(character, '\u{200b}' | '\u{ad}' | '\u{1}'))
        {
            self.out.push(character, around.marks, link.as_ref());
        }
    }
}
