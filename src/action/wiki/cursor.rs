//! Where lists go on: Confluence's cursors, sealed to one list of one GPT.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Wiki;
use crate::clean::Clean;
use crate::problem::Problem;
use crate::seal::fingerprint;
use crate::seal::payloads::Cursor;

/// How long a cursor is good for, in seconds.
const LIFETIME: i64 = 24 * 3600;

impl Wiki {
    /// What the next call takes back as `cursor`, to go on at `next`.
    pub fn seal_cursor(&self, next: &str) -> Result<Clean, Problem> {
        let list = self.list_fingerprint();
        let cursor = Cursor { list, next: next.to_owned(), expires_at: self.now + LIFETIME };
        let sealed = self.sealer.seal(&cursor);
        Ok(sealed.map_err(|error| Problem::internal(format!("a cursor: {error}")))?.into())
    }

    /// Where a list goes on; a cursor of another list is refused.
    pub fn open_cursor(&self, cursor: Option<&str>) -> Result<Option<String>, Problem> {
        let Some(sealed) = cursor else { return Ok(None) };
        let opened: Cursor = self
            .sealer
            .open(sealed)
            .map_err(|_| invalid_cursor("it is not a cursor of this gateway, or too old"))?;
        if opened.list != self.list_fingerprint() {
            return Err(invalid_cursor("it belongs to a call with other parameters"));
        }
        Ok(Some(opened.next))
    }

    fn list_fingerprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(&fingerprint(&self.list)[..16])
    }
}

fn invalid_cursor(found: &str) -> Problem {
    Problem::invalid(
        "cursor",
        found,
        "the nextCursor of the answer before, with all other parameters unchanged",
    )
}
