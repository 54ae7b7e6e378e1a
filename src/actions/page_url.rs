//! The many forms of a Confluence page's URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::confluence::{ContentId, SpaceKey};
use crate::problem::Problem;

/// What a page's URL names.
#[derive(Debug, PartialEq, Eq)]
pub enum PageUrl {
    Id(ContentId),
    Title {
        space: SpaceKey,
        title: String,
    },
    /// A space's own page.
    Home {
        space: SpaceKey,
    },
}

impl PageUrl {
    /// The host of the site, and what the URL names there. The URL is never fetched.
    pub fn parse(text: &str) -> Result<(String, Self), Problem> {
        let trimmed = text.trim();
        let absolute =
            if trimmed.contains("://") { trimmed.to_owned() } else { format!("https://{trimmed}") };
        let url = Url::parse(&absolute).ok().filter(|url| url.scheme() == "https" || url.scheme() == "http");
        let Some((url, host)) = url.as_ref().and_then(|url| Some((url, url.host_str()?))) else {
            return Err(not_a_page("it is not a web address"));
        };
        let page = page(url)?;
        Ok((host.to_ascii_lowercase(), page))
    }
}

fn page(url: &Url) -> Result<PageUrl, Problem> {
    let segments: Vec<String> =
        url.path_segments().into_iter().flatten().filter(|segment| !segment.is_empty()).map(decode).collect();
    let mut path: Vec<&str> = segments.iter().map(String::as_str).collect();
    if path.first() == Some(&"wiki") {
        path.remove(0);
    }
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    match path.as_slice() {
        ["x", code] => tiny(code),
        ["pages", "tinyurl.action"] => tiny(&parameter("urlIdentifier").unwrap_or_default()),
        ["l", ..] => Err(not_a_page(
            "only Confluence itself can open this short link; ask the person for the address it leads to",
        )),
        ["pages", _] if parameter("pageId").is_some() => id(&parameter("pageId").unwrap_or_default()),
        ["pages", _] if parameter("title").is_some() => {
            titled(&parameter("spaceKey").unwrap_or_default(), &parameter("title").unwrap_or_default())
        }
        // The title follows the id; in edit links the id comes last.
        ["spaces", _, "pages", "edit-v2" | "edit", number, ..] | ["spaces", _, "pages", number, ..] => {
            id(number)
        }
        ["spaces", _, "blog", "edit-v2" | "edit", number, ..]
        | ["spaces", _, "blog", _, _, _, number, ..]
        | ["spaces", _, "blog", number] => id(number),
        ["spaces", _, kind @ ("folder" | "whiteboard" | "database" | "embed"), ..] => Err(not_a_page(
            &format!("it is a {kind}, not a page; its pages can be found with searchConfluence"),
        )),
        ["spaces", "viewspace.action"] => home(&parameter("key").unwrap_or_default()),
        ["spaces" | "display", key] | ["spaces", key, "overview" | "pages" | "summary"] => home(key),
        ["display", key, title] => titled(key, &title.replace('+', " ")),
        ["display", _, _, _, _, _] => Err(not_a_page(
            "it is an old link to a blog post, which holds no id; find the post by its title with searchConfluence",
        )),
        _ => Err(not_a_page("no page can be told from it")),
    }
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn id(text: &str) -> Result<PageUrl, Problem> {
    text.parse().map(PageUrl::Id).map_err(|error| not_a_page(&format!("its page id is {error}")))
}

fn home(key: &str) -> Result<PageUrl, Problem> {
    key.parse().map(|space| PageUrl::Home { space }).map_err(|_| not_a_page("it names no space"))
}

fn titled(key: &str, title: &str) -> Result<PageUrl, Problem> {
    let space = key.parse().map_err(|_| not_a_page("it names no space"))?;
    if title.trim().is_empty() {
        return Err(not_a_page("it names no page"));
    }
    Ok(PageUrl::Title { space, title: title.to_owned() })
}

/// A tiny link: the id's bytes, least significant first, in base64 with `-` for `/` and `_` for `+`, trailing `A`s cut off.
fn tiny(code: &str) -> Result<PageUrl, Problem> {
    let wrong = || not_a_page("its short code is not one of Confluence's");
    if code.is_empty() || code.len() > 11 {
        return Err(wrong());
    }
    let standard: String = code
        .chars()
        .map(|c| {
            if c == '-' {
                '/'
            } else if c == '_' {
                '+'
            } else {
                c
            }
        })
        .collect();
    let bytes = STANDARD.decode(format!("{standard:A<11}=")).map_err(|_| wrong())?;
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| wrong())?;
    match u64::from_le_bytes(bytes) {
        0 => Err(wrong()),
        number => id(&number.to_string()),
    }
}

fn not_a_page(found: &str) -> Problem {
    Problem::invalid(
        "url",
        found,
        "the address of a Confluence page, such as https://acme.atlassian.net/wiki/spaces/ENG/pages/65537/Title",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::needless_pass_by_value)]
    fn check(url: &str, expected: Option<PageUrl>) {
        assert_eq!(PageUrl::parse(url).ok().map(|(_, page)| page), expected, "{url}");
    }

    #[allow(clippy::unnecessary_wraps)]
    fn page(id: &str) -> Option<PageUrl> {
        Some(PageUrl::Id(id.parse().unwrap()))
    }

    #[test]
    fn every_form_of_a_page_url_is_understood() {
        let site = "https://acme.atlassian.net/wiki";
        check(&format!("{site}/spaces/ENG/pages/65537/On+Call?focusedCommentId=9#x"), page("65537"));
        check(&format!("{site}/spaces/ENG/pages/65537"), page("65537"));
        check(&format!("{site}/spaces/~7120/pages/edit-v2/65537?draftShareId=1"), page("65537"));
        check(&format!("{site}/spaces/ENG/blog/2026/04/28/13467649/Hello"), page("13467649"));
        check(&format!("{site}/pages/viewpage.action?pageId=65537"), page("65537"));
        check(&format!("{site}/x/AYDN"), page("13467649"));
        check(&format!("{site}/x/DIA5Rw"), page("1194950668"));
        check(&format!("{site}/pages/tinyurl.action?urlIdentifier=dIAE"), page("295028"));
        check("acme.atlassian.net/wiki/spaces/ENG/pages/65537", page("65537"));
        let title =
            |title: &str| Some(PageUrl::Title { space: "ENG".parse().unwrap(), title: title.to_owned() });
        check(&format!("{site}/display/ENG/On+Call%3A+A%26B"), title("On Call: A&B"));
        check(&format!("{site}/pages/viewpage.action?spaceKey=ENG&title=On+Call"), title("On Call"));
        let home = Some(PageUrl::Home { space: "ENG".parse().unwrap() });
        check(&format!("{site}/spaces/ENG/overview"), home);
        check(&format!("{site}/spaces/ENG"), Some(PageUrl::Home { space: "ENG".parse().unwrap() }));
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for url in [
            "",
            "x",
            "ftp://acme.atlassian.net/wiki/x/AYDN",
            "https://acme.atlassian.net/wiki/l/cp/abc",
            "https://acme.atlassian.net/wiki/x/",
            "https://acme.atlassian.net/wiki/x/AAAA",
            "https://acme.atlassian.net/wiki/x/!!",
            "https://acme.atlassian.net/jira/browse/X-1",
            "https://acme.atlassian.net/wiki/spaces/ENG/folder/5",
            "https://acme.atlassian.net/wiki/spaces/ENG/pages/x1",
        ] {
            check(url, None);
        }
    }
}
