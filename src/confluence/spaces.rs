//! Spaces.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cursor::List;
use super::points::Price;
use super::{Call, Connection, ContentId, Error, SpaceId, SpaceKey};
use crate::clean::{Clean, CleanText};
use crate::lenient::Lenient;

/// How many keys or ids one call may name.
const BATCH: usize = 250;

/// A space as v2 sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Space {
    pub id: SpaceId,
    pub key: SpaceKey,
    #[serde(default)]
    pub name: Clean,
    #[serde(default)]
    pub r#type: Clean,
    #[serde(default)]
    pub status: Clean,
    /// What its URLs may say instead of the key.
    #[serde(default)]
    current_active_alias: Option<Clean>,
    pub homepage_id: Option<ContentId>,
    #[serde(default)]
    description: Option<Description>,
}

impl Space {
    /// Whether its key is this one, in any case.
    pub fn has_key(&self, key: &SpaceKey) -> bool {
        self.key.as_str().eq_ignore_ascii_case(key.as_str())
    }

    /// Whether this is the space that `key` names, by its key or by its alias, in any case.
    fn is_named(&self, key: &SpaceKey) -> bool {
        let alias = self.current_active_alias.as_deref();
        self.has_key(key) || alias.is_some_and(|own| own.eq_ignore_ascii_case(key.as_str()))
    }

    /// The description in plain text.
    pub fn description(&self) -> Option<&CleanText> {
        Some(&self.description.as_ref()?.plain.as_ref()?.value)
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Description {
    plain: Option<Plain>,
}

#[derive(Clone, Debug, Deserialize)]
struct Plain {
    #[serde(default)]
    value: CleanText,
}

/// The kinds of spaces that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpaceType {
    Global,
    Personal,
    Collaboration,
    #[serde(rename = "knowledge_base")]
    KnowledgeBase,
}

impl SpaceType {
    /// The name that v2 uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Personal => "personal",
            Self::Collaboration => "collaboration",
            Self::KnowledgeBase => "knowledge_base",
        }
    }
}

/// One page of a list of spaces.
pub struct Spaces {
    pub spaces: Vec<Arc<Space>>,
    pub cursor: Option<String>,
}

impl Connection {
    /// Current spaces the person sees, all or of one type. `limit` is at most 250.
    pub async fn spaces(
        &self,
        r#type: Option<SpaceType>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Spaces, Error> {
        let mut query = vec![("status", "current".to_owned()), ("limit", limit.to_string())];
        query.extend(r#type.map(|r#type| ("type", r#type.name().to_owned())));
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let asked = |space: &Space| {
            matches!(space.status.as_str(), "" | "current")
                && r#type.is_none_or(|r#type| space.r#type == r#type.name())
        };
        self.list_spaces(query, asked).await
    }

    /// The current spaces of these keys, remembered for a while. A key that the person does not see is left out.
    pub async fn spaces_by_key(&self, keys: &[SpaceKey]) -> Result<Arc<[Arc<Space>]>, Error> {
        let named = keys.iter().map(SpaceKey::as_str).collect::<Vec<_>>().join(",");
        if let Some(known) = self.client.caches.named_spaces.get(&self.partition, &named).await {
            return Ok(known);
        }
        let mut spaces = Vec::new();
        for batch in keys.chunks(BATCH) {
            let named = batch.iter().map(SpaceKey::as_str).collect::<Vec<_>>().join(",");
            let query = vec![("keys", named), ("limit", BATCH.to_string())];
            let asked = |space: &Space| batch.iter().any(|key| space.is_named(key));
            spaces.extend(self.list_spaces(query, asked).await?.spaces);
        }
        let spaces: Arc<[Arc<Space>]> = spaces.into();
        self.client.caches.named_spaces.insert(&self.partition, &named, spaces.clone()).await;
        Ok(spaces)
    }

    /// The space of this id, remembered for a while.
    pub async fn space(&self, id: &SpaceId) -> Result<Arc<Space>, Error> {
        if let Some(known) = self.client.caches.spaces.get(&self.partition, id.as_str()).await {
            return Ok(known);
        }
        let query = vec![("ids", id.to_string())];
        let mut found = self.list_spaces(query, |space| space.id == *id).await?.spaces;
        found.pop().ok_or(Error::NotFound)
    }

    /// Only spaces that were `asked` for: a filter that Confluence ignores lets nothing else in.
    async fn list_spaces(
        &self,
        mut query: Vec<(&'static str, String)>,
        asked: impl Fn(&Space) -> bool,
    ) -> Result<Spaces, Error> {
        query.push(("description-format", "plain".to_owned()));
        let list: List<Lenient<Space>> =
            self.send(Call::get(Price::List, &["api", "v2", "spaces"], query)).await?;
        let cursor = list.cursor();
        let spaces = list.results.into_iter().filter_map(|row| row.0).filter(asked);
        let spaces: Vec<Arc<Space>> = spaces.map(Arc::new).collect();
        for space in &spaces {
            self.client.caches.spaces.insert(&self.partition, space.id.as_str(), space.clone()).await;
        }
        Ok(Spaces { spaces, cursor })
    }
}
