//! POST /users-bulk.

use serde_json::{Value, json};

use crate::sandbox::gate::Ask;
use crate::sandbox::people::by_account;
use crate::sandbox::reply::{Answer, Refusal, reply};

/// Unknown accounts are left out.
pub fn bulk(ask: &Ask) -> Answer {
    let asked: Value = serde_json::from_slice(&ask.body)
        .map_err(|_| Refusal::invalid("The request body is not valid JSON"))?;
    let ids = asked["accountIds"].as_array().filter(|ids| (1..=250).contains(&ids.len()));
    let ids = ids.ok_or_else(|| Refusal::invalid("'accountIds' must hold between 1 and 250 account ids"))?;
    let people = ids.iter().filter_map(|id| by_account(id.as_str()?));
    let results: Vec<_> = people
        .map(|person| {
            json!({
                "displayName": person.name, "timeZone": null, "personalSpaceId": null, "email": "",
                "accountStatus": if person.active { "active" } else { "inactive" },
                "accountId": person.account_id, "accountType": "atlassian", "publicName": person.name,
                "profilePicture": { "path": format!("/wiki/aa-avatar/{}", person.account_id), "isDefault": false },
                "isExternalCollaborator": false, "isGuest": false })
        })
        .collect();
    let points = 3 * results.len().max(1) as u64;
    Ok(reply(&json!({ "results": results, "_links": { "base": ask.view.site.base() } }), points))
}
