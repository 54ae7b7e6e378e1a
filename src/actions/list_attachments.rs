use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::{Person, ROOM, Row, fitting, time};
use crate::action::{Action, Caller, Located, Wiki, clip};
use crate::clean::Clean;
use crate::confluence::{Attachment, ContentId};
use crate::problem::Problem;

/// How many attachments one answer holds, and how many pages of the list one call looks through for a query.
const LIMIT: u32 = 50;
const PAGES: usize = 4;

/// List attachments
///
/// Returns the files attached to a page or blog post: name, media type, size in bytes, link, who uploaded the current version and when. query keeps those whose name holds the words.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListAttachments {
    /// The id of the page or blog post.
    #[schema(value_type = String, max_length = 20, example = "1310745")]
    id: ContentId,
    /// Only files of exactly this media type.
    #[schema(max_length = 255, example = "application/pdf")]
    media_type: Option<String>,
    /// Words that the file's name has to hold, in any case.
    #[schema(max_length = 255, example = "budget")]
    query: Option<String>,
    /// The nextCursor of the answer before, to go on; all other parameters unchanged.
    #[schema(max_length = 4000)]
    cursor: Option<String>,
}

/// The files.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentList {
    results: Vec<ListedAttachment>,
    /// There is more: call again with this as cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Clean>,
}

/// A file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedAttachment {
    /// What getAttachment takes as id.
    id: Clean,
    /// The file's name.
    title: Clean,
    media_type: Clean,
    /// In bytes.
    size: u64,
    /// The link to show to the person.
    url: Clean,
    /// RFC 3339, UTC.
    #[schema(value_type = String, format = DateTime)]
    last_modified: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_by: Option<Person>,
}

impl Action for ListAttachments {
    const ID: &'static str = "listAttachments";
    const PATH: &'static str = "/v1/pages/{id}/attachments";
    const SCOPES: &'static [&'static str] = &[
        "read:attachment:confluence",
        "read:page:confluence",
        "read:space:confluence",
        "read:user:confluence",
    ];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("id", "1310734")];
    type Output = AttachmentList;

    async fn call(self, caller: Caller) -> Result<AttachmentList, Problem> {
        let wiki = caller.wiki().await?;
        let start =
            wiki.open_cursor(self.cursor.as_deref())?.map(|text| Row::parse(&text)).unwrap_or_default();
        let page = wiki.located(&self.id).await?;
        let (files, next) = self.files(&wiki, &page, start).await?;
        let people = wiki.people(files.iter().filter_map(|(_, file)| file.version.author_id.clone())).await;
        let listed = |file: &Attachment| ListedAttachment {
            url: url(&wiki, file, &page.content.id),
            last_modified: time(file.version.created_at),
            last_modified_by: Person::named(file.version.author_id.as_ref(), &people),
            id: (&file.id).into(),
            title: clip(&file.title, 255),
            media_type: clip(&file.media_type, 255),
            size: file.file_size,
        };
        let mut results: Vec<ListedAttachment> = files.iter().map(|(_, file)| listed(file)).collect();
        let fitting = fitting(&results, ROOM);
        results.truncate(fitting);
        let next = files.into_iter().nth(fitting).map(|(row, _)| row).or(next);
        let next_cursor = next.map(|row| wiki.seal_cursor(&row.to_string())).transpose()?;
        Ok(AttachmentList { results, next_cursor })
    }

    fn listed(output: &AttachmentList) -> Vec<Clean> {
        output.results.iter().map(|file| file.id.clone()).collect()
    }
}

impl ListAttachments {
    /// The next files from `start` that have the words, each with its row, and where the list goes on.
    async fn files(
        &self,
        wiki: &Wiki,
        page: &Located,
        start: Row,
    ) -> Result<(Vec<(Row, Attachment)>, Option<Row>), Problem> {
        let words: Vec<String> =
            self.query.iter().flat_map(|query| query.split_whitespace()).map(str::to_lowercase).collect();
        let named = |file: &Attachment| {
            let name = file.title.to_lowercase();
            words.iter().all(|word| name.contains(word))
        };
        let (mut files, mut start) = (Vec::new(), start);
        for _ in 0..PAGES {
            let (found, next) =
                wiki.attachments(page, self.media_type.as_deref(), LIMIT, start.page.as_deref()).await?;
            let rows = found.into_iter().enumerate().skip(start.index).filter(|(_, file)| named(file));
            files.extend(rows.map(|(index, file)| (start.at(index), file)));
            match next {
                None => return Ok((files, None)),
                Some(next) => start = Row::first_of(next),
            }
            if !files.is_empty() {
                break;
            }
        }
        Ok((files, Some(start)))
    }
}

fn url(wiki: &Wiki, file: &Attachment, page: &ContentId) -> Clean {
    match file.web_path() {
        Some(path) => wiki.url(path),
        None => wiki.url(&format!("/pages/viewpageattachments.action?pageId={page}")),
    }
}
