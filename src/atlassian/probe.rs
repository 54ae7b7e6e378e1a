//! What Atlassian thinks of our app, as far as it tells without a person.

use std::time::Duration;

use secrecy::SecretString;

use super::auth::{Auth, AuthError};

/// How long Atlassian may take to show the beginning of a sign-in.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest page that is looked at, in bytes.
const MAX_PAGE: usize = 512 * 1024;

/// How Atlassian takes the beginning of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// It goes on: to a login or a consent page.
    Begins,
    /// The callback URL is not the app's.
    WrongCallback,
    /// The app does not exist.
    WrongClient,
    /// The app may not ask for one of the scopes.
    WrongScope,
    /// An error page that does not say which, with this status.
    Refused(u16),
    NoAnswer,
}

impl Auth {
    /// Whether client id and secret are right: a code that never existed is refused as a code by who knows us, and as a
    /// client by who does not.
    pub async fn knows_client(&self) -> Result<(), AuthError> {
        match self.exchange(&SecretString::from("causeway-check-no-such-code")).await {
            Ok(_) | Err(AuthError::Rejected) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Begins a sign-in as a browser would, and goes no further. A wrong callback, client or scope gets an error page of
    /// Atlassian's at once, everything else a login.
    pub async fn begin(&self, scopes: &[&'static str]) -> Beginning {
        let url = self.authorize_url(scopes, "causeway-check".to_owned());
        let Ok(answer) = self.http().get(url).timeout(PATIENCE).send().await else {
            return Beginning::NoAnswer;
        };
        let status = answer.status();
        if !status.is_client_error() && !status.is_server_error() {
            return Beginning::Begins;
        }
        let page = super::read(answer, MAX_PAGE).await.unwrap_or_default();
        refusal(status.as_u16(), &String::from_utf8_lossy(&page).to_ascii_lowercase())
    }
}

fn refusal(status: u16, page: &str) -> Beginning {
    let says = |words: &[&str]| words.iter().any(|word| page.contains(word));
    match () {
        () if says(&["redirect_uri", "redirect uri", "callback"]) => Beginning::WrongCallback,
        () if says(&["scope"]) => Beginning::WrongScope,
        () if says(&["client_id", "client id", "unknown client"]) => Beginning::WrongClient,
        () => Beginning::Refused(status),
    }
}
