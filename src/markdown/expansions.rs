//! What macros stand for that draw on other content: pages that were fetched for it, or the rendered page.

use std::collections::HashMap;

use super::Context;
use super::convert::Converter;
use super::html;
use super::resources::Resource;
use super::storage;
use super::tokens::{Attributes, Token, Tokens};

/// What is known about the content behind a page's macros. The default knows nothing: macros become placeholders.
#[derive(Default)]
pub struct Expansions<'a> {
    /// The same page, rendered (`export_view`): a macro takes from it what has its id.
    pub rendered: Option<&'a str>,
    /// Pages that `include` and `excerpt-include` ask for.
    pub included: HashMap<PageReference, Inclusion<'a>>,
}

/// A page by the name that another page calls it by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageReference {
    /// The key of its space, if that can be told.
    pub space_key: Option<String>,
    pub title: String,
}

/// A page that may be included.
pub struct Inclusion<'a> {
    /// The page's own.
    pub context: Context<'a>,
    pub storage: &'a str,
}

/// The pages that a page includes, whole or by an excerpt, each once and in their order.
pub fn included_pages(storage: &str, context: &Context<'_>) -> Vec<PageReference> {
    let mut pages = Vec::new();
    if !storage::mentions(storage, "include") {
        return pages;
    }
    let mut including = false;
    for token in Tokens::new(storage) {
        match token {
            Token::Open { name: "ac:structured-macro" | "ac:macro", attributes, .. } => {
                including = attributes
                    .get("ac:name")
                    .is_some_and(|name| name == "include" || name == "excerpt-include");
            }
            Token::Close { name: "ac:structured-macro" | "ac:macro" } => including = false,
            Token::Open { name: "ri:page", attributes, .. } if including => {
                if let Some(page) =
                    Resource::read("ri:page", attributes).and_then(|page| reference(&page, context))
                    && !pages.contains(&page)
                {
                    pages.push(page);
                }
            }
            _ => {}
        }
    }
    pages
}

pub(super) fn reference(page: &Resource, context: &Context<'_>) -> Option<PageReference> {
    let Resource::Page { title, space } = page else { return None };
    let space_key = space.clone().or_else(|| context.space_key.map(str::to_owned));
    (!title.is_empty()).then(|| PageReference { space_key, title: title.clone() })
}

/// What a macro includes of a page. An excerpt without a name is its first.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    Page,
    Excerpt { name: Option<&'a str> },
}

/// How deep pages may include pages, and how many in all.
const MOST_DEEP: usize = 3;
const MOST: usize = 50;

/// What a converter may put in place of macros.
pub(super) struct Known<'a> {
    expansions: &'a Expansions<'a>,
    rendered: HashMap<String, &'a str>,
    depth: usize,
    left: usize,
}

impl<'a> Known<'a> {
    pub(super) fn new(expansions: &'a Expansions<'a>) -> Self {
        let rendered = expansions.rendered.map(rendered_macros).unwrap_or_default();
        Self { expansions, rendered, depth: 0, left: MOST }
    }
}

impl<'a> Converter<'a> {
    /// Writes what the rendered page has for the macro with this id. Says whether there was anything.
    pub(super) fn write_rendered(&mut self, id: &str) -> bool {
        let Some(fragment) = self.known.as_mut().and_then(|known| known.rendered.remove(id)) else {
            return false;
        };
        let length = self.writer.length();
        self.inside(|converter| html::feed(converter, fragment));
        self.writer.length() > length
    }

    /// Writes a page, or an excerpt of it, in place of the macro that includes it.
    pub(super) fn write_included(&mut self, page: &Resource, wanted: Wanted<'_>) -> bool {
        let Some(reference) = reference(page, self.context) else { return false };
        let Some(known) = &mut self.known else { return false };
        let expansions = known.expansions;
        let Some(inclusion) = expansions.included.get(&reference) else { return false };
        if known.depth == MOST_DEEP || known.left == 0 {
            return false;
        }
        let body = match wanted {
            Wanted::Page => Some(inclusion.storage),
            Wanted::Excerpt { name } => excerpt_of(inclusion.storage, name),
        };
        let Some(body) = body else { return false };
        known.depth += 1;
        known.left -= 1;
        let outer: &'a Context<'a> = std::mem::replace(&mut self.context, &inclusion.context);
        self.inside(|converter| storage::feed(converter, body));
        self.context = outer;
        if let Some(known) = &mut self.known {
            known.depth -= 1;
        }
        true
    }
}

/// The elements of a rendered page that were macros, by the macros' ids.
fn rendered_macros(html: &str) -> HashMap<String, &str> {
    const MOST_OPEN: usize = 512;
    let mut found = HashMap::new();
    let mut open: Vec<(&str, Option<(String, usize)>)> = Vec::new();
    let mut tokens = Tokens::new(html);
    loop {
        let start = tokens.offset();
        match tokens.next() {
            None => return found,
            Some(Token::Open { name, attributes, closed: false })
                if !html::is_void(name) && open.len() < MOST_OPEN =>
            {
                let id = attributes.get("data-macro-id").filter(|id| !id.is_empty());
                open.push((name, id.map(|id| (id.into_owned(), start))));
            }
            Some(Token::Close { name }) => {
                let Some(at) = open.iter().rposition(|(known, _)| *known == name) else { continue };
                for (_, id) in open.drain(at..) {
                    if let Some((id, start)) = id {
                        found.entry(id).or_insert(&html[start..tokens.offset()]);
                    }
                }
            }
            Some(_) => {}
        }
    }
}

/// The body of a page's excerpt macro of this name; without a name, of its first.
fn excerpt_of<'a>(storage: &'a str, wanted: Option<&str>) -> Option<&'a str> {
    let mut tokens = Tokens::new(storage);
    while let Some(token) = tokens.next() {
        let Token::Open { name: "ac:structured-macro" | "ac:macro", attributes, .. } = token else {
            continue;
        };
        if attributes.get("ac:name").as_deref() == Some("excerpt")
            && let Some((name, body)) = excerpt_body(&mut tokens, storage)
            && wanted.is_none_or(|wanted| name.as_deref() == Some(wanted))
        {
            return Some(body);
        }
    }
    None
}

fn excerpt_body<'a>(tokens: &mut Tokens<'a>, storage: &'a str) -> Option<(Option<String>, &'a str)> {
    let names = |attributes: Attributes<'_>| attributes.get("ac:name").is_some_and(|name| name == "name");
    let mut name = None;
    let mut naming = false;
    let mut depth = 0;
    let mut start = 0;
    loop {
        let end = tokens.offset();
        match tokens.next()? {
            Token::Open { name: "ac:parameter", attributes, .. } if depth == 0 => {
                naming = names(attributes);
            }
            Token::Text(text) if naming && depth == 0 => name = Some(text.trim().to_owned()),
            Token::Close { name: "ac:parameter" } => naming = false,
            Token::Open { name: "ac:rich-text-body", closed: false, .. } => {
                if depth == 0 {
                    start = tokens.offset();
                }
                depth += 1;
            }
            Token::Close { name: "ac:rich-text-body" } => {
                depth -= 1;
                if depth == 0 {
                    return Some((name, &storage[start..end]));
                }
            }
            Token::Close { name: "ac:structured-macro" | "ac:macro" } if depth == 0 => return None,
            _ => {}
        }
    }
}
