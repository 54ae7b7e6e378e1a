//! Confluence's cursors: taken out of the `next` link; the link itself is never followed.

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::points::Counted;

/// One page of a list, as v2 and v1 send it.
#[derive(Deserialize)]
pub struct List<T> {
    pub results: Vec<T>,
    #[serde(rename = "_links", default)]
    links: Links,
}

impl<T> List<T> {
    /// Where the list goes on.
    pub fn cursor(&self) -> Option<String> {
        self.links.cursor()
    }
}

impl<T> Counted for List<T> {
    fn rows(&self) -> usize {
        self.results.len()
    }
}

/// `_links` of a list.
#[derive(Default, Deserialize)]
pub struct Links {
    next: Option<String>,
}

impl Links {
    /// The cursor in the `next` link: anywhere in its query, percent-encoded or not.
    pub fn cursor(&self) -> Option<String> {
        let (_, query) = self.next.as_deref()?.split_once('?')?;
        let value = query.split('&').find_map(|pair| pair.strip_prefix("cursor="))?;
        let cursor = percent_decode_str(value).decode_utf8().ok()?.into_owned();
        (!cursor.is_empty()).then_some(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_found_wherever_the_link_holds_it() {
        let cursor = |next: &str| Links { next: Some(next.to_owned()) }.cursor();
        assert_eq!(
            cursor("/rest/api/search?next=true&cursor=_f_MjU%3D_sa_x%2By&limit=25&cql=a"),
            Some("_f_MjU=_sa_x+y".to_owned())
        );
        assert_eq!(cursor("/wiki/api/v2/pages?limit=5&cursor=eyJpZCI6+/=="), Some("eyJpZCI6+/==".to_owned()));
        assert_eq!(cursor("/wiki/api/v2/pages?limit=5"), None);
        assert_eq!(Links::default().cursor(), None);
    }
}
