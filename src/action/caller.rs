//! Who is asking, and as which GPT: all that an action sees of a request.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Entry, Filed, Wiki};
use crate::atlassian::{Resting, Site, Sites, SitesError};
use crate::clean::Clean;
use crate::clock::Clock;
use crate::config::Gpt;
use crate::confluence;
use crate::extract::Extractor;
use crate::oauth::{AuthorizationServer, Grant};
use crate::problem::{Candidate, Kind, Problem};
use crate::seal::Sealer;
use crate::seal::payloads::{Door, File};
use crate::telemetry::Metrics;
use crate::urls::PublicUrl;

/// How long a link to a file is good for, in seconds.
const FILE_LIFETIME: i64 = 5 * 60;

/// What the actions of all requests share.
pub struct Services {
    pub server: AuthorizationServer,
    pub sites: Sites,
    pub confluence: confluence::Client,
    pub extractor: Extractor,
    pub sealer: Sealer,
    pub urls: PublicUrl,
    pub clock: Clock,
    pub metrics: Metrics,
    /// How long an action may take in all.
    pub budget: Duration,
    /// Whether each call leaves a line in the audit log.
    pub audit: bool,
}

/// The person, the GPT and the site of one call.
pub struct Caller {
    services: Arc<Services>,
    grant: Grant,
    /// The site the caller named.
    site: Option<String>,
    /// The keys of the spaces the caller named.
    spaces: Vec<String>,
    deadline: Instant,
    /// What a cursor of this call is good for: the GPT, the action and its parameters but for the cursor.
    list: String,
}

impl Caller {
    pub(super) fn new(
        services: Arc<Services>,
        grant: Grant,
        entry: &Entry,
        input: &Map<String, Value>,
        site: Option<String>,
    ) -> Self {
        let mut parameters = input.clone();
        parameters.remove("cursor");
        parameters.sort_keys();
        let list = format!("{} {} {}", grant.gpt.client_id, entry.id, Value::Object(parameters));
        let deadline = services.clock.deadline(services.budget);
        let spaces = input.get("space").and_then(Value::as_str).unwrap_or_default().split(',');
        let spaces = spaces.map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned).collect();
        Self { services, grant, site, spaces, deadline, list }
    }

    pub fn gpt(&self) -> &Gpt {
        &self.grant.gpt
    }

    /// Whether an image beside the answer would be seen.
    pub fn sees_images(&self) -> bool {
        self.grant.door == Door::Mcp
    }

    /// A link of ours to one version of a file, good for minutes to whoever holds it.
    pub fn file_url(&self, wiki: &Wiki, filed: &Filed) -> Result<Clean, Problem> {
        let access = &self.grant.access;
        let file = File {
            token: access.token.expose().to_owned(),
            client_id: access.client_id.clone(),
            gpt: self.gpt().client_id.clone(),
            signed_in_at: access.signed_in_at,
            site: wiki.site().cloud_id.to_string(),
            attachment: filed.file.id.to_string(),
            version: filed.file.version.number,
            expires_at: (self.services.clock.unix() + FILE_LIFETIME).min(access.expires_at),
        };
        let sealed = self.services.sealer.seal(&file);
        let sealed = sealed.map_err(|error| Problem::internal(format!("a link to a file: {error}")))?;
        Ok(self.services.urls.file(&sealed).into())
    }

    /// When the answer has to be ready.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The Confluence sites of this sign-in that the GPT may use.
    pub async fn sites(&self) -> Result<Vec<Site>, Problem> {
        let known = self.services.sites.of(&self.grant.access.token, self.deadline, &self.grant.tally).await;
        let sites = known.map_err(sites_problem)?;
        let usable: Vec<Site> = sites.iter().filter(|site| self.gpt_may_use(site)).cloned().collect();
        match (sites.is_empty(), usable.is_empty()) {
            (_, false) => Ok(usable),
            (true, true) => Err(no_site("This sign-in gives access to no Confluence site.")),
            (false, true) => {
                Err(no_site("This sign-in does not include the Confluence site that this GPT uses."))
            }
        }
    }

    /// The wiki the caller means: of the site it named, or of the only one there is.
    pub async fn wiki(&self) -> Result<Wiki, Problem> {
        self.open(self.site_named(self.site.as_deref(), "site").await?).await
    }

    /// The wiki at the host of a pasted URL. A `site` that says otherwise is refused.
    pub async fn wiki_at(&self, host: &str) -> Result<Wiki, Problem> {
        let site = self.site_named(Some(host), "url").await?;
        match &self.site {
            Some(name) if !names(name, &site) && self.gpt().site.is_some() => Err(foreign_site("site")),
            Some(name) if !names(name, &site) => Err(Problem::invalid(
                "site",
                "it is not the site of the URL",
                "leave it out; the URL says which site it is",
            )),
            _ => self.open(site).await,
        }
    }

    /// `named` is a name, host or cloud id that came with `parameter`. Whoever does not belong to the GPT's site hears that
    /// alone: neither which one it is, nor whether they named it.
    async fn site_named(&self, named: Option<&str>, parameter: &str) -> Result<Site, Problem> {
        let sites = self.sites().await?;
        let meant: Vec<&Site> =
            sites.iter().filter(|site| named.is_none_or(|name| names(name, site))).collect();
        match meant.as_slice() {
            [site] => Ok((*site).clone()),
            [] if self.gpt().site.is_some() => Err(foreign_site(parameter)),
            [] => {
                let known: Vec<&str> = sites.iter().map(Site::host).collect();
                Err(Problem::invalid(
                    parameter,
                    "this sign-in has no such site",
                    format!("one of {}", known.join(", ")),
                ))
            }
            several => Err(ambiguous(several)),
        }
    }

    fn gpt_may_use(&self, site: &Site) -> bool {
        self.gpt().site.as_ref().is_none_or(|own| own.is(site.host(), &site.cloud_id))
    }

    /// Called with a site that the person belongs to. A space that is not on the allow-list is refused here, without a call;
    /// one that is and that the person does not see gets the same answer of the wiki, so that nobody learns what else is on
    /// the list.
    async fn open(&self, site: Site) -> Result<Wiki, Problem> {
        let listed = &self.gpt().spaces;
        let is_listed = |key: &String| listed.iter().any(|own| own.eq_ignore_ascii_case(key));
        if !listed.is_empty() && !self.spaces.iter().all(is_listed) {
            return Err(foreign_space());
        }
        let connection = self.services.confluence.connect(
            self.grant.access.token.clone(),
            site.cloud_id.clone(),
            self.deadline,
            self.grant.tally.clone(),
        );
        let list = format!("{} {}", site.cloud_id.as_str(), self.list);
        Wiki::open(
            connection,
            site,
            self.gpt(),
            list,
            self.services.sealer.clone(),
            self.services.extractor.clone(),
            self.services.clock.unix(),
        )
        .await
        // Whoever may not use Confluence sees no space of the list either.
        .map_err(|problem| match problem.kind {
            Kind::NoAccess if !listed.is_empty() && !self.spaces.is_empty() => foreign_space(),
            _ => problem,
        })
    }
}

/// Whether a text names a site: by its name, host, URL or cloud id.
fn names(text: &str, site: &Site) -> bool {
    [&*site.name, site.host(), site.cloud_id.as_str()]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(bare(text)))
}

/// What names a site, without what only makes it a URL.
fn bare(text: &str) -> &str {
    text.trim().trim_start_matches("https://").trim_end_matches('/')
}

fn no_site(detail: &str) -> Problem {
    Problem::new(
        Kind::NoSite,
        detail,
        "Tell the person to sign in again and choose the Confluence site on Atlassian's page, or to ask for access to it.",
    )
}

fn foreign_site(parameter: &str) -> Problem {
    let problem = Problem::new(
        Kind::NotAllowed,
        "This GPT may not use that site.",
        format!("Leave {parameter} out, or tell the person that this GPT reads one site only."),
    );
    Problem { parameter: Some(parameter.into()), ..problem }
}

/// What is said of a space that a GPT with an allow-list may not read, and of one on the list that this person does not see.
pub fn foreign_space() -> Problem {
    let problem = Problem::new(
        Kind::NotAllowed,
        "This GPT may not read that space for this person.",
        "Leave space out, or use one that listSpaces returns.",
    );
    Problem { parameter: Some("space".into()), ..problem }
}

fn ambiguous(sites: &[&Site]) -> Problem {
    let candidates = sites.iter().map(|site| Candidate::from(*site));
    let problem = Problem::new(
        Kind::AmbiguousSite,
        "This person has several Confluence sites.",
        "Call again with site set to the id of one of the candidates; ask the person which one if that is not clear.",
    );
    Problem { parameter: Some("site".into()), candidates: candidates.collect(), ..problem }
}

fn sites_problem(error: SitesError) -> Problem {
    match error {
        SitesError::Unauthorized => Problem::sign_in_required("Atlassian no longer accepts this sign-in."),
        SitesError::RateLimited { retry_after } => Problem::rate_limited(retry_after),
        SitesError::Resting(Resting(seconds)) => Problem::resting(seconds),
        SitesError::Unavailable(cause) => Problem::unavailable(cause),
        SitesError::TooSlow => Problem::too_slow(),
    }
}
