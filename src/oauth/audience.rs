//! Which door of which GPT a request is for, from `resource` (RFC 8707).

use super::client::Client;
use super::error::{Code, OauthError};
use crate::config::{Config, Gpt};
use crate::seal::payloads::{Audience, Door};

/// What `client` asks for with `resource`, or without it.
pub fn of(config: &Config, client: &Client, resource: Option<&str>) -> Result<Audience, OauthError> {
    const REFUSED: OauthError =
        OauthError::new(Code::InvalidTarget, "The resource is not one that this client can ask for.");
    let asked = resource.map(|resource| named(config, resource).ok_or(REFUSED)).transpose()?;
    match (client, asked) {
        (Client::Configured(gpt), None) => Ok(audience(gpt, Door::Actions)),
        (Client::Configured(gpt), Some(audience)) if audience.gpt == gpt.client_id => Ok(audience),
        (Client::Docs, None) => Ok(audience(config.default_gpt(), Door::Actions)),
        (Client::Docs, Some(audience)) if audience.door == Door::Actions => Ok(audience),
        (Client::Dynamic(_), None) => {
            match config.gpts.iter().filter(|gpt| gpt.mcp).collect::<Vec<_>>()[..] {
                [] => Err(REFUSED),
                [gpt] => Ok(audience(gpt, Door::Mcp)),
                _ => Err(OauthError::new(
                    Code::InvalidTarget,
                    "There are several GPTs here: the resource parameter has to name one.",
                )),
            }
        }
        (Client::Dynamic(_), Some(audience)) if audience.door == Door::Mcp => Ok(audience),
        _ => Err(REFUSED),
    }
}

/// A token request may only repeat the resource it had.
pub fn repeats(config: &Config, audience: &Audience, resource: Option<&str>) -> Result<(), OauthError> {
    match resource {
        Some(resource) if named(config, resource).as_ref() != Some(audience) => {
            Err(OauthError::new(Code::InvalidTarget, "The resource is not the one that was consented to."))
        }
        _ => Ok(()),
    }
}

/// The audience that a resource identifier names exactly, if that door is open. The default GPT has one with its slug and one
/// without.
fn named(config: &Config, resource: &str) -> Option<Audience> {
    let urls = &config.public_url;
    let slugs = std::iter::once((None, config.default_gpt()));
    let slugs = slugs.chain(config.gpts.iter().map(|gpt| (Some(gpt.slug.as_str()), gpt)));
    slugs.into_iter().find_map(|(slug, gpt)| {
        let door = if resource == urls.actions(slug) {
            Door::Actions
        } else if resource == urls.mcp(slug) {
            Door::Mcp
        } else {
            return None;
        };
        Some(audience(gpt, door)).filter(|_| gpt.has(door))
    })
}

fn audience(gpt: &Gpt, door: Door) -> Audience {
    Audience { gpt: gpt.client_id.clone(), door }
}
