use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reading::{LEAST_PART, Omission, count_removed};
use super::shapes::time;
use crate::action::{Action, AttachmentRef, Caller, Filed, Image, MAX_ANSWER, Wiki, clip, json_bytes};
use crate::clean::{Clean, CleanText, counting_removed};
use crate::extract::{Extracted, Failure, Format, Job, picture_or_film};
use crate::problem::Problem;

/// The largest file that ChatGPT takes, in bytes.
pub const MAX_FILE: u64 = 10_000_000;

/// Read an attachment
///
/// Returns the text of an attached file as Markdown, in parts when it is long: text, code, CSV, HTML, PDF, Word, Excel and PowerPoint. With as=file the file itself for ChatGPT, up to 10 MB. Images are shown where the client can; else the link, as of videos.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAttachment {
    /// The id of the attachment, or its link in a page's Markdown: attachment:{pageId}/{name}.
    #[schema(value_type = String, max_length = 4000, example = "att1610505")]
    id: AttachmentRef,
    /// The text of the file, or the file itself.
    #[serde(default, rename = "as")]
    #[schema(inline, default = "text")]
    form: Form,
    /// Which part of a long text, counted from 1; nextPart of the answer before.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100_000, default = 1)]
    part: u32,
    /// How long a part may be, in characters.
    #[serde(default)]
    #[schema(minimum = 1_000, maximum = 90_000, default = 30_000)]
    max_chars: u32,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Form {
    #[default]
    Text,
    File,
}

/// A file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttachedFile {
    id: Clean,
    /// The file's name.
    title: Clean,
    media_type: Clean,
    /// In bytes.
    size: u64,
    /// The link to show to the person.
    url: Clean,
    page: ContainingPage,
    version: u32,
    /// RFC 3339, UTC.
    #[schema(value_type = String, format = DateTime)]
    last_modified: Clean,
    #[serde(flatten)]
    text: Option<FileText>,
    /// What of the file is not in this answer.
    omitted: Vec<Omission>,
    /// The file itself, behind a link that is good for minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    openai_file_response: Option<Vec<Clean>>,
    #[serde(skip)]
    image: Option<Image>,
}

/// The page or blog post that a file is attached to.
#[derive(Serialize, ToSchema)]
pub struct ContainingPage {
    id: Clean,
    title: Clean,
    url: Clean,
}

/// One part of a file's text.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileText {
    /// The text of this part.
    markdown: CleanText,
    part: u32,
    parts: u32,
    /// There is more: call again with this as part and the same maxChars.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_part: Option<u32>,
    max_chars: u32,
}

impl Action for GetAttachment {
    const ID: &'static str = "getAttachment";
    const PATH: &'static str = "/v1/attachments/{id}";
    const SCOPES: &'static [&'static str] = &[
        "read:attachment:confluence",
        "readonly:content.attachment:confluence",
        "read:page:confluence",
        "read:space:confluence",
    ];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("id", "att1610513")];
    type Output = AttachedFile;

    async fn call(self, caller: Caller) -> Result<AttachedFile, Problem> {
        let wiki = caller.wiki().await?;
        let filed = wiki.attachment(&self.id).await?;
        let mut answer = described(&wiki, &filed);
        let (_, removed) = counting_removed(|| json_bytes(&answer));
        if let Some(kind) = picture_or_film(&filed.file.media_type) {
            if kind == "image" && caller.sees_images() {
                answer.image = wiki.image(&filed).await?;
            }
            if answer.image.is_none() {
                answer.omitted.push(Omission::new(format!("the {kind} itself, which url shows"), 1));
            }
        } else if self.form == Form::Text {
            self.read(&wiki, &filed, &mut answer).await?;
        } else if filed.file.file_size > MAX_FILE {
            answer.omitted.push(Omission::new("the file, larger than the 10 MB that ChatGPT takes", 1));
        } else {
            answer.openai_file_response = Some(vec![caller.file_url(&wiki, &filed)?]);
        }
        // None of the text's: its process has cleaned it already.
        let of_text = answer.text.as_ref().map_or(0, |text| text.markdown.removed());
        count_removed(&mut answer.omitted, removed + u64::from(of_text));
        Ok(answer)
    }

    fn image(file: &mut AttachedFile) -> Option<Image> {
        file.image.take()
    }

    fn listed(output: &AttachedFile) -> Vec<Clean> {
        vec![output.id.clone()]
    }
}

impl GetAttachment {
    /// Puts the part that was asked for into `answer`.
    async fn read(&self, wiki: &Wiki, filed: &Filed, answer: &mut AttachedFile) -> Result<(), Problem> {
        let file = &filed.file;
        Format::of(&file.media_type, &file.title)
            .ok_or_else(|| Problem::unreadable_file(Failure::Unsupported.to_string()))?;
        // Rounded up, so that the same text is cut alike when a name around it changes.
        let around = (json_bytes(answer) + AROUND_TEXT).next_multiple_of(1024);
        let job = Job {
            media_type: file.media_type.to_string(),
            name: file.title.to_string(),
            part: self.part,
            chars: self.max_chars as usize,
            json_bytes: MAX_ANSWER.saturating_sub(around).max(LEAST_PART),
        };
        let Extracted { markdown, parts, omitted } = wiki.text(filed, &job).await?;
        let markdown = markdown.ok_or_else(|| {
            let found = format!("there is no part {} with this maxChars", self.part);
            Problem::invalid("part", found, format!("1 to {parts}"))
        })?;
        let next_part = (parts > self.part).then(|| self.part + 1);
        answer.text =
            Some(FileText { markdown, part: self.part, parts, next_part, max_chars: self.max_chars });
        answer.omitted =
            omitted.into_iter().take(MAX_LOSSES).map(|loss| Omission::new(loss.what, loss.count)).collect();
        Ok(())
    }
}

/// What the members beside the text take, in bytes, and how many kinds of losses are named.
const AROUND_TEXT: usize = 4_000;
const MAX_LOSSES: usize = 20;

fn described(wiki: &Wiki, filed: &Filed) -> AttachedFile {
    let Filed { file, page } = filed;
    let url = match file.web_path() {
        Some(path) => wiki.url(path),
        None => wiki.url(&format!("/pages/viewpageattachments.action?pageId={}", page.id)),
    };
    AttachedFile {
        id: (&file.id).into(),
        title: clip(&file.title, 255),
        media_type: clip(&file.media_type, 255),
        size: file.file_size,
        url,
        page: ContainingPage {
            id: (&page.id).into(),
            title: clip(&page.title, 255),
            url: wiki.url(&page.web_path()),
        },
        version: file.version.number,
        last_modified: time(file.version.created_at),
        text: None,
        omitted: Vec::new(),
        openai_file_response: None,
        image: None,
    }
}
