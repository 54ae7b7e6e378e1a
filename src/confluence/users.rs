//! People: the current one, and names for account ids.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::cql::{Words, quote};
use super::cursor::List;
use super::points::{Counted, Price};
use super::{AccountId, Call, Connection, Error};
use crate::clean::Clean;
use crate::lenient::Lenient;

/// How many account ids one call may name.
const BATCH: usize = 250;

/// A person as v1 and v2 send one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub account_id: AccountId,
    #[serde(default)]
    pub display_name: Clean,
    #[serde(default)]
    public_name: Clean,
}

impl Person {
    pub fn new(account_id: AccountId, name: Clean) -> Self {
        Self { account_id, display_name: name, public_name: Clean::default() }
    }

    /// The name people know them by: the display name, or the public one where it is hidden.
    pub fn name(&self) -> &Clean {
        if self.display_name.is_empty() { &self.public_name } else { &self.display_name }
    }
}

/// A row of a search for people.
#[derive(Deserialize)]
struct Row {
    user: Person,
}

impl Counted for Person {
    fn rows(&self) -> usize {
        1
    }
}

impl Connection {
    /// The person whose sign-in this is.
    pub async fn current_person(&self) -> Result<Person, Error> {
        let person: Person =
            self.send(Call::get(Price::People, &["rest", "api", "user", "current"], Vec::new())).await?;
        self.remember(&person).await;
        Ok(person)
    }

    /// People whose name holds these words.
    pub async fn people_named(&self, name: &Words) -> Result<Vec<Person>, Error> {
        let cql = format!("user.fullname ~ {}", quote(name.as_str()));
        let list: List<Lenient<Row>> = self
            .send(Call::get(
                Price::List,
                &["rest", "api", "search", "user"],
                vec![("cql", cql), ("limit", "25".to_owned())],
            ))
            .await?;
        Ok(list.results.into_iter().filter_map(|row| Some(row.0?.user)).collect())
    }

    /// The names of these people, from the cache or by one call for up to 250 of them. Who has no name is left out.
    pub async fn names(
        &self,
        ids: impl IntoIterator<Item = AccountId>,
    ) -> Result<HashMap<AccountId, Arc<Clean>>, Error> {
        let mut names = HashMap::new();
        let mut missing = Vec::new();
        for id in ids.into_iter().collect::<BTreeSet<_>>() {
            match self.client.caches.people.get(&self.partition, id.as_str()).await {
                Some(name) => drop(names.insert(id, name)),
                None => missing.push(id),
            }
        }
        for batch in missing.chunks(BATCH) {
            let body = serde_json::json!({ "accountIds": batch });
            let list: List<Lenient<Person>> =
                self.send(Call::post(Price::People, &["api", "v2", "users-bulk"], &body)).await?;
            let people = list.results.into_iter().filter_map(|row| row.0);
            for person in people.filter(|person| batch.contains(&person.account_id)) {
                names.insert(person.account_id.clone(), Arc::new(person.name().clone()));
            }
            for id in batch {
                // Who has no name is remembered too, as an empty one, so that nobody is asked for twice.
                let name = names.entry(id.clone()).or_default();
                self.client.caches.people.insert(&self.partition, id.as_str(), name.clone()).await;
            }
        }
        names.retain(|_, name| !name.is_empty());
        Ok(names)
    }

    /// The names among these that are known already, without a call.
    pub async fn known_names(
        &self,
        ids: impl IntoIterator<Item = AccountId>,
    ) -> HashMap<AccountId, Arc<Clean>> {
        let mut names = HashMap::new();
        for id in ids {
            if let Some(name) = self.client.caches.people.get(&self.partition, id.as_str()).await
                && !name.is_empty()
            {
                names.insert(id, name);
            }
        }
        names
    }

    /// Keeps a name that came with another answer.
    pub(super) async fn remember(&self, person: &Person) {
        let (name, id) = (person.name(), person.account_id.as_str());
        if !name.is_empty() {
            let people = &self.client.caches.people;
            people.correct(&self.partition, id, |known| **known == *name, || Arc::new(name.clone())).await;
        }
    }
}
