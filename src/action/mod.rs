//! What an action is. One definition feeds everything: the input struct's `///` is the summary and the description, its fields are
//! the parameters; the OpenAPI document, MCP tools, upstream scopes, the setup page and the instructions all read the same [`Entry`].
//!
//! Both doors send an action the same JSON object, checked by one validator (`input`). An action sees a [`Caller`], never the
//! app's state, a header or a raw token.

mod audit;
mod caller;
mod image;
mod input;
mod operation;
mod schema;
mod text;
mod wiki;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::timeout_at;
use tracing::{Instrument as _, field};
use utoipa::ToSchema;

use crate::atlassian::Site;
use crate::clean::{Clean, counting_removed};
use crate::oauth::Grant;
use crate::problem::{Kind, Problem};
use crate::telemetry::TRACED;

pub use audit::{Audit, outcome};
pub use caller::{Caller, Services};
pub use image::Image;
pub use input::{CommaList, from_request};
pub use operation::{as_schema, open_bearer, router, timed};
pub use schema::plain;
pub use text::{clip, fit, json_bytes, start};
pub use wiki::{
    AttachmentRef, Breadth, Document, Filed, FoundPage, FoundPages, Included, Located, Raw, Results, Titled,
    Wiki, cql_problem,
};

/// The most bytes any answer has, whatever the page holds: ChatGPT refuses 100,000 characters.
pub const MAX_ANSWER: usize = 100_000;

/// One thing that a GPT can do. `Self` is its input.
///
/// The first paragraph of the input's `///` is the summary, the rest the description: at most 300 characters each. Each field
/// is a parameter; a default stands in `#[schema(default = …)]` and is filled in before the input is read.
pub trait Action: DeserializeOwned + ToSchema + Send + 'static {
    /// The operationId, and the name of the MCP tool.
    const ID: &'static str;
    /// Where the action is served; `{name}` is the field `name`.
    const PATH: &'static str;
    /// Atlassian's scopes it needs.
    const SCOPES: &'static [&'static str];
    /// A call that answers well on the sandbox: parameters and values, as Swagger UI fills them in.
    const EXAMPLE: &'static [(&'static str, &'static str)];
    /// Whether it is part of the reading set.
    const DEFAULT: bool = true;
    /// Whether it keeps to a GPT's allow-list of spaces. One that cannot is refused for a GPT that has such a list.
    const KEEPS_TO_SPACES: bool = true;

    type Output: Serialize + ToSchema;

    fn call(self, caller: Caller) -> impl Future<Output = Result<Self::Output, Problem>> + Send;

    /// Shortens an answer whose JSON takes more than [`MAX_ANSWER`] bytes.
    fn shorten(_output: &mut Self::Output) {}

    /// Takes the image out of an answer that has one beside its JSON.
    fn image(_output: &mut Self::Output) -> Option<Image> {
        None
    }

    /// The ids of what an answer lists, for the audit's line; the pages that were read stand there anyway.
    fn listed(_output: &Self::Output) -> Vec<Clean> {
        Vec::new()
    }
}

/// What an action answers.
pub struct Answer {
    /// An object, as text.
    pub json: String,
    /// Only where the caller's door shows images.
    pub image: Option<Image>,
    /// How many invisible characters were taken out of its names, titles and excerpts.
    removed: u64,
    /// The ids of what it lists.
    listed: Vec<Clean>,
}

type Run = fn(Value, Caller) -> Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

/// An [`Action`] as data. Clones share the schemas.
#[derive(Clone)]
pub struct Entry {
    pub id: &'static str,
    pub path: &'static str,
    pub scopes: &'static [&'static str],
    pub example: &'static [(&'static str, &'static str)],
    pub on_by_default: bool,
    pub keeps_to_spaces: bool,
    pub summary: String,
    pub description: String,
    /// The plain JSON schema of the input: an object, `site` included.
    pub input: Arc<Map<String, Value>>,
    /// The plain JSON schema of the output: an object.
    pub output: Arc<Map<String, Value>>,
    run: Run,
}

/// Makes an [`Entry`] of an action.
pub fn entry<A: Action>() -> Entry {
    let mut input = plain::<A>();
    let text =
        input.remove("description").and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default();
    let (summary, description) = text.split_once("\n\n").unwrap_or((&text, &text));
    let unwrap = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    schema::add_site(&mut input);
    Entry {
        id: A::ID,
        path: A::PATH,
        scopes: A::SCOPES,
        example: A::EXAMPLE,
        on_by_default: A::DEFAULT,
        keeps_to_spaces: A::KEEPS_TO_SPACES,
        summary: unwrap(summary).trim_end_matches('.').to_owned(),
        description: unwrap(description),
        input: Arc::new(input),
        output: Arc::new(plain::<A::Output>()),
        run: |input, caller| Box::pin(run::<A>(input, caller)),
    }
}

async fn run<A: Action>(input: Value, caller: Caller) -> Result<Answer, Problem> {
    let input: A = input::read(&input)?;
    let mut output = input.call(caller).await?;
    let image = A::image(&mut output);
    let (mut json, mut removed) = counting_removed(|| written(&output));
    if json.as_ref().is_ok_and(|json| json.len() > MAX_ANSWER) {
        A::shorten(&mut output);
        (json, removed) = counting_removed(|| written(&output));
    }
    Ok(Answer { json: json?, image, removed, listed: A::listed(&output) })
}

fn written(output: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(output)
        .map_err(|error| Problem::internal(format!("unserializable output: {error}")))
}

impl Entry {
    /// Runs the action for the person of `grant`, from JSON to JSON. Both doors come through here.
    pub async fn call(
        &self,
        input: Map<String, Value>,
        services: &Arc<Services>,
        grant: Grant,
    ) -> Result<Answer, Problem> {
        let gpt = grant.gpt.clone();
        let running = services.metrics.action(self.id, grant.door.name(), &gpt.slug);
        let grant = Grant { tally: grant.tally.part(), ..grant };
        let audit = Audit::of(services, &grant);
        let span = tracing::info_span!(
            target: TRACED, "action", action = self.id, door = grant.door.name(), gpt = gpt.slug, outcome = field::Empty
        );
        let result = self.answer(input, services, grant).instrument(span.clone()).await;
        let outcome = outcome(&result);
        span.record("outcome", outcome);
        drop(span);
        let removed = result.as_ref().map_or(0, |answer| answer.removed);
        services.metrics.invisible_characters(self.id, removed);
        running.end(outcome);
        audit.record(self.id, outcome, result.as_ref().map_or(&[], |answer| &answer.listed));
        result
    }

    async fn answer(
        &self,
        input: Map<String, Value>,
        services: &Arc<Services>,
        grant: Grant,
    ) -> Result<Answer, Problem> {
        // The configuration refuses the combination already; here it holds whatever a configuration says.
        let beyond = !self.keeps_to_spaces && !grant.gpt.spaces.is_empty();
        if beyond || !grant.gpt.allows_action(self.id) {
            return Err(self.not_enabled());
        }
        self.check_scopes(&grant)?;
        let mut input = input::check(&self.input, input)?;
        let site = input.remove("site").and_then(|site| site.as_str().map(str::to_owned));
        let expires_at = grant.access.expires_at;
        let caller = Caller::new(services.clone(), grant, self, &input, site);
        let deadline = caller.deadline();
        let result = timeout_at(deadline, (self.run)(Value::Object(input), caller)).await;
        let result = result.unwrap_or_else(|_| Err(Problem::too_slow()));
        result.map_err(|problem| self.explain(problem, expires_at <= services.clock.unix()))
    }

    /// The sites that a call of this action could mean.
    pub async fn sites(&self, services: &Arc<Services>, grant: Grant) -> Result<Vec<Site>, Problem> {
        Caller::new(services.clone(), grant, self, &Map::new(), None).sites().await
    }

    /// The wiki of a link that this action has given: the GPT, its action, its site and its spaces as they are now.
    pub async fn wiki(&self, services: &Arc<Services>, grant: Grant, site: String) -> Result<Wiki, Problem> {
        if !grant.gpt.allows_action(self.id) {
            return Err(self.not_enabled());
        }
        Caller::new(services.clone(), grant, self, &Map::new(), Some(site)).wiki().await
    }

    fn not_enabled(&self) -> Problem {
        Problem::new(
            Kind::NotAllowed,
            format!("This GPT may not use {}.", self.id),
            "Use another action; only the operator can enable this one.",
        )
    }

    /// Refused here, a missing scope costs no call.
    fn check_scopes(&self, grant: &Grant) -> Result<(), Problem> {
        let missing: Vec<&str> = self
            .scopes
            .iter()
            .filter(|scope| !grant.access.scopes.iter().any(|held| held == *scope))
            .copied()
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(self.missing(&missing)) }
    }

    fn missing(&self, scopes: &[&'static str]) -> Problem {
        let problem = Problem::new(
            Kind::MissingScope,
            format!("{} needs a permission that this sign-in does not have: {}.", self.id, scopes.join(", ")),
            "Ask the person to sign in again; if that does not help, the operator has to add the scope to the Atlassian app.",
        );
        Problem { scopes: scopes.iter().map(|scope| Clean::from(*scope)).collect(), ..problem }
    }

    /// Says of a problem what only the edge knows: which scopes it is about, and that refusals of an expired token mean signing in.
    fn explain(&self, problem: Problem, expired: bool) -> Problem {
        match problem.kind {
            // Reported of real sites: an expired token is answered with 403 or 404.
            Kind::NotFound | Kind::NoAccess if expired => {
                Problem::sign_in_required("The sign-in has expired.")
            }
            Kind::MissingScope if problem.scopes.is_empty() => self.missing(self.scopes),
            _ => problem,
        }
    }
}
