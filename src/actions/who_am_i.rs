use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::{Site, Space};
use crate::action::{Action, Caller};
use crate::clean::Clean;
use crate::problem::{Kind, Problem};

/// Who is signed in
///
/// Returns the name and account id of the person who is signed in, the Confluence site in use and the others they have, the spaces this GPT is limited to (absent: all), and the actions it may use.
#[derive(Deserialize, ToSchema)]
pub struct WhoAmI {}

/// The person, and what this GPT can do for them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    name: Clean,
    /// The Atlassian account id, usable as author.
    account_id: Clean,
    /// The site in use; absent when site has to be given with each call.
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<Site>,
    /// The sites of this sign-in that this GPT may use.
    sites: Vec<Site>,
    /// The spaces this GPT is limited to that this person sees; absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    spaces: Option<Vec<Space>>,
    /// The operationIds of the actions this GPT may use.
    actions: Vec<Clean>,
}

impl Action for WhoAmI {
    const ID: &'static str = "whoAmI";
    const PATH: &'static str = "/v1/me";
    const SCOPES: &'static [&'static str] = &["read:confluence-user", "read:space:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[];
    type Output = Identity;

    async fn call(self, caller: Caller) -> Result<Identity, Problem> {
        let sites = caller.sites().await?;
        let (wiki, decided) = match caller.wiki().await {
            // The person is the same on each site; which one is meant stays open.
            Err(problem) if problem.kind == Kind::AmbiguousSite => {
                (caller.wiki_at(sites[0].host()).await?, false)
            }
            wiki => (wiki?, true),
        };
        let person = wiki.current_person().await?;
        Ok(Identity {
            name: person.name().clone(),
            account_id: (&person.account_id).into(),
            site: decided.then(|| Site::from(wiki.site())),
            sites: sites.iter().map(Site::from).collect(),
            spaces: wiki
                .allowed_spaces()
                .map(|spaces| spaces.iter().map(|space| Space::from(&**space)).collect()),
            actions: caller.gpt().actions.iter().map(|action| Clean::from(action.as_str())).collect(),
        })
    }
}
