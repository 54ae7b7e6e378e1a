//! Asking a checked query of every document that a person sees.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use jiff::Timestamp;

use super::Bad;
use super::fields::{Attribute, Moment, Setting, Test, Words, check};
use super::lucene::Text;
use super::parser::{Order, parse};
use super::words::{Tokens, Word, words};
use crate::sandbox::people::{PEOPLE, Person, Product};
use crate::sandbox::wiki::{Attachment, Comment, Content, Space, Status, View};

/// What a search runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// /rest/api/search
    Everything,
    /// /rest/api/search/user
    Users,
}

/// Something that can be found.
#[derive(Clone)]
pub enum Doc {
    Content(Arc<Content>),
    Comment(Arc<Comment>, Arc<Content>),
    Attachment(Arc<Attachment>, Arc<Content>),
    Space(Arc<Space>),
    User(&'static Person),
}

/// What was found, best first, and the words to mark in it.
pub struct Found {
    pub docs: Vec<Doc>,
    pub texts: Vec<Text>,
}

impl Found {
    /// Whether a word is to be marked.
    pub fn marks(&self, text: &[Word], at: usize) -> bool {
        self.texts.iter().any(|query| query.marks(text, at))
    }
}

pub fn search(cql: &str, scope: Scope, view: &View, now: Timestamp) -> Result<Found, Bad> {
    let query = parse(cql)?;
    let setting = Setting { scope, now, me: view.person.account_id };
    let test = check(&query.expression, &setting)?;
    check_order(&query.order)?;
    let by_user = scope == Scope::Users || asks_for_users(&test);
    let mut hits: Vec<_> = documents(view, by_user)
        .filter(|doc| scope == Scope::Everything || matches!(doc, Doc::User(_)))
        .filter_map(|doc| score(&test, &doc, view).map(|score| (score, doc)))
        .collect();
    hits.sort_by(|a, b| compare(&query.order, a, b));
    let mut texts = Vec::new();
    collect(test, &mut texts);
    Ok(Found { docs: hits.into_iter().map(|(_, doc)| doc).collect(), texts })
}

/// People are only found by those who ask for `type = user`.
fn asks_for_users(test: &Test) -> bool {
    match test {
        Test::And(left, right) | Test::Or(left, right) => asks_for_users(left) || asks_for_users(right),
        Test::Among { attribute: Attribute::Type, values } => values.iter().any(|value| value == "user"),
        _ => false,
    }
}

fn documents(view: &View, by_user: bool) -> impl Iterator<Item = Doc> {
    let current = |content: &Content| content.status == Status::Current;
    let content = view.content().filter(move |content| current(content)).cloned().map(Doc::Content);
    let comments = view
        .comments()
        .filter(move |(_, page)| current(page))
        .map(|(comment, page)| Doc::Comment(comment.clone(), page.clone()));
    let files = view
        .attachments()
        .filter(move |(_, page)| current(page))
        .map(|(file, page)| Doc::Attachment(file.clone(), page.clone()));
    let spaces = view.spaces().cloned().map(Doc::Space);
    let site = view.site.cloud_id;
    let people = PEOPLE
        .iter()
        .filter(move |person| by_user && person.active && person.uses_confluence)
        .filter(move |person| {
            person.resources.iter().any(|(at, kind)| at.cloud_id == site && *kind == Product::Confluence)
        })
        .map(Doc::User);
    content.chain(comments).chain(files).chain(spaces).chain(people)
}

fn score(test: &Test, doc: &Doc, view: &View) -> Option<f64> {
    match test {
        Test::And(left, right) => Some(score(left, doc, view)? + score(right, doc, view)?),
        Test::Or(left, right) => match (score(left, doc, view), score(right, doc, view)) {
            (Some(left), Some(right)) => Some(left + right),
            (left, right) => left.or(right),
        },
        Test::Not(inner) => score(inner, doc, view).is_none().then_some(0.0),
        Test::Words { place, text } => doc.score(*place, text),
        Test::Among { attribute, values } => {
            let found = doc.values(*attribute, view);
            found.iter().any(|value| values.contains(&value.to_lowercase())).then_some(0.0)
        }
        Test::Time { of, operator, stretch } => stretch.holds(*operator, doc.time(*of)?).then_some(0.0),
    }
}

impl Doc {
    pub fn kind(&self) -> &'static str {
        match self {
            Doc::Content(content) => content.kind.name(),
            Doc::Comment(..) => "comment",
            Doc::Attachment(..) => "attachment",
            Doc::Space(_) => "space",
            Doc::User(_) => "user",
        }
    }

    pub fn title(&self) -> String {
        match self {
            Doc::Content(content) => content.title.clone(),
            Doc::Comment(_, page) => format!("Re: {}", page.title),
            Doc::Attachment(file, _) => file.title.clone(),
            Doc::Space(space) => space.name.to_owned(),
            Doc::User(person) => person.name.to_owned(),
        }
    }

    /// The text that excerpts are cut from.
    pub fn text(&self) -> &str {
        match self {
            Doc::Content(content) => &content.seen.text,
            Doc::Comment(comment, _) => &comment.seen.text,
            Doc::Attachment(file, _) => &file.text,
            Doc::Space(space) => space.description,
            Doc::User(_) => "",
        }
    }

    pub fn space(&self) -> Option<&Arc<Space>> {
        match self {
            Doc::Content(content) | Doc::Comment(_, content) | Doc::Attachment(_, content) => {
                Some(&content.space)
            }
            Doc::Space(space) => Some(space),
            Doc::User(_) => None,
        }
    }

    pub fn time(&self, of: Moment) -> Option<Timestamp> {
        match (self, of) {
            (Doc::Content(content), Moment::Created) => Some(content.first().at),
            (Doc::Content(content), Moment::Modified) => Some(content.current().at),
            (Doc::Comment(comment, _), _) => Some(comment.at),
            (Doc::Attachment(file, _), _) => Some(file.at),
            (Doc::Space(space), _) => Some(space.created),
            (Doc::User(_), _) => None,
        }
    }

    pub fn modified(&self) -> Timestamp {
        self.time(Moment::Modified).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn id(&self) -> String {
        match self {
            Doc::Content(content) => content.id.clone(),
            Doc::Comment(comment, _) => comment.id.clone(),
            Doc::Attachment(file, _) => file.id.clone(),
            Doc::Space(space) => space.id.to_owned(),
            Doc::User(person) => person.account_id.to_owned(),
        }
    }

    /// The words of its title and its text.
    pub fn tokens(&self) -> Cow<'_, Tokens> {
        match self {
            Doc::Content(content) => Cow::Borrowed(&content.tokens),
            Doc::Comment(comment, _) => Cow::Borrowed(&comment.tokens),
            Doc::Attachment(file, _) => Cow::Borrowed(&file.tokens),
            Doc::Space(space) => Cow::Owned(Tokens::of(space.name, space.description)),
            Doc::User(person) => Cow::Owned(Tokens::of(person.name, "")),
        }
    }

    fn score(&self, place: Words, text: &Text) -> Option<f64> {
        let tokens = self.tokens();
        match place {
            Words::SpaceTitle => text.score(&words(self.space()?.name)),
            Words::Title | Words::Name => text.score(tokens.title()),
            // A query may find one word in the title and another in the body.
            Words::Text => Some(text.score(tokens.all())? + 2.0 * title_share(text, tokens.title())),
            Words::Site => Some(text.score(tokens.all())? + 4.0 * title_share(text, tokens.title())),
        }
    }

    fn values(&self, attribute: Attribute, view: &View) -> Vec<String> {
        let account =
            |key: &str| crate::sandbox::people::by_key(key).map(|person| person.account_id.to_owned());
        match (attribute, self) {
            (Attribute::Type, doc) => vec![doc.kind().to_owned()],
            (Attribute::Title, doc) => vec![doc.title()],
            (Attribute::Id, Doc::User(_) | Doc::Space(_)) => Vec::new(),
            (Attribute::Id, doc) => vec![doc.id()],
            (Attribute::Space, doc) => doc.space().map(|space| space.key.to_owned()).into_iter().collect(),
            (Attribute::SpaceType, doc) => doc
                .space()
                .map(|space| if space.personal { "personal" } else { "global" }.to_owned())
                .into_iter()
                .collect(),
            (Attribute::Label, Doc::Content(content)) => content.labels.clone(),
            (Attribute::Creator, Doc::Content(content)) => account(content.first().by).into_iter().collect(),
            (Attribute::Contributor, Doc::Content(content)) => {
                content.versions.iter().filter_map(|version| account(version.by)).collect()
            }
            (Attribute::Creator | Attribute::Contributor, Doc::Comment(comment, _)) => {
                account(comment.by).into_iter().collect()
            }
            (Attribute::Creator | Attribute::Contributor, Doc::Attachment(file, _)) => {
                account(file.by).into_iter().collect()
            }
            (Attribute::Creator | Attribute::Contributor, Doc::Space(space)) => {
                account(space.author).into_iter().collect()
            }
            (
                Attribute::Ancestor,
                Doc::Content(content) | Doc::Comment(_, content) | Doc::Attachment(_, content),
            ) => view.wiki.ancestors(content).iter().map(|ancestor| ancestor.id.clone()).collect(),
            (Attribute::Parent, Doc::Content(content)) => content.parent.clone().into_iter().collect(),
            (Attribute::Container, Doc::Comment(_, page) | Doc::Attachment(_, page)) => vec![page.id.clone()],
            (Attribute::Mention, Doc::Content(content)) => content.seen.mentions.clone(),
            (Attribute::Mention, Doc::Comment(comment, _)) => comment.seen.mentions.clone(),
            (Attribute::Macro, Doc::Content(content)) => content.seen.macros.clone(),
            (Attribute::Macro, Doc::Comment(comment, _)) => comment.seen.macros.clone(),
            (Attribute::User, Doc::User(person)) => vec![person.account_id.to_owned()],
            _ => Vec::new(),
        }
    }
}

/// How much of the query stands in the title, from 0 to 1.
fn title_share(text: &Text, title: &[Word]) -> f64 {
    match text {
        Text::All(parts) | Text::Any(parts) => {
            #[expect(clippy::cast_precision_loss)]
            let count = parts.len() as f64;
            parts.iter().map(|part| title_share(part, title)).sum::<f64>() / count
        }
        Text::Not(_) | Text::Nothing => 0.0,
        leaf => leaf.score(title).map_or(0.0, |_| 1.0),
    }
}

const SORTABLE: &[&str] = &["created", "lastmodified", "title", "space", "id", "type", "creator"];

fn check_order(order: &[Order]) -> Result<(), Bad> {
    match order.iter().find(|order| !SORTABLE.contains(&order.field.as_str())) {
        Some(order) => Err(Bad::new(format!("Field '{}' cannot be used in ORDER BY", order.field))),
        None => Ok(()),
    }
}

fn compare(order: &[Order], (a_score, a): &(f64, Doc), (b_score, b): &(f64, Doc)) -> Ordering {
    for Order { field, descending } in order {
        let key = |doc: &Doc| doc.space().map(|space| space.key.to_owned());
        let found = match field.as_str() {
            "created" => a.time(Moment::Created).cmp(&b.time(Moment::Created)),
            "lastmodified" => a.modified().cmp(&b.modified()),
            "title" => a.title().to_lowercase().cmp(&b.title().to_lowercase()),
            "space" => key(a).cmp(&key(b)),
            "type" => a.kind().cmp(b.kind()),
            _ => (a.id().len(), a.id()).cmp(&(b.id().len(), b.id())),
        };
        if found != Ordering::Equal {
            return if *descending { found.reverse() } else { found };
        }
    }
    b_score.total_cmp(a_score).then_with(|| b.modified().cmp(&a.modified())).then_with(|| a.id().cmp(&b.id()))
}

fn collect(test: Test, texts: &mut Vec<Text>) {
    match test {
        Test::And(left, right) | Test::Or(left, right) => {
            collect(*left, texts);
            collect(*right, texts);
        }
        Test::Words { text, .. } => texts.push(text),
        _ => {}
    }
}
