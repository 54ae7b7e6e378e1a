//! GET /wiki/rest/api/user/current.

use super::row::user;
use crate::sandbox::gate::Ask;
use crate::sandbox::reply::{Answer, reply};

#[expect(clippy::unnecessary_wraps, reason = "every endpoint has this shape")]
pub fn current(ask: &Ask) -> Answer {
    Ok(reply(&user(ask.view.person), 3))
}
