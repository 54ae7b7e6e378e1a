//! Reading query strings as Atlassian does: unknown parameters are ignored, wrong values are not.

use url::form_urlencoded;

use super::reply::Refusal;

/// The parameters, in order. A list is one parameter repeated, or one with commas.
#[derive(Debug, Clone, Default)]
pub struct Query(pub Vec<(String, String)>);

impl Query {
    pub fn parse(raw: Option<&str>) -> Self {
        Self(form_urlencoded::parse(raw.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn list(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// A list of numbers.
    pub fn ids(&self, name: &str) -> Result<Vec<&str>, Refusal> {
        let found = self.list(name);
        match found.iter().find(|value| !is_id(value)) {
            Some(odd) => Err(Refusal::wrong_type(odd, name, "long")),
            None => Ok(found),
        }
    }

    /// A list of words out of a fixed set.
    pub fn words(&self, name: &str, accepted: &[&str]) -> Result<Vec<&str>, Refusal> {
        let found = self.list(name);
        match found.iter().find(|value| !accepted.contains(value)) {
            Some(odd) => Err(Refusal::invalid(&format!(
                "Provided value {{{odd}}} for '{name}' is not one of [{}]",
                accepted.join(", ")
            ))),
            None => Ok(found),
        }
    }

    pub fn word(&self, name: &str, accepted: &[&str]) -> Result<Option<&str>, Refusal> {
        Ok(self.words(name, accepted)?.first().copied())
    }

    pub fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| Refusal::wrong_type(text, name, "int"))?;
        if range.contains(&number) {
            return Ok(Some(number));
        }
        Err(Refusal::invalid(&format!(
            "Provided value {{{text}}} for '{name}' must be between {} and {}",
            range.start(),
            range.end()
        )))
    }

    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(odd) => Err(Refusal::wrong_type(odd, name, "boolean")),
        }
    }
}

pub fn is_id(text: &str) -> bool {
    (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}
