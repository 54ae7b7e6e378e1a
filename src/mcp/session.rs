//! One request of one person, as rmcp's server handler.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest, CustomResult,
    ErrorCode, JsonObject, ListToolsResult, PaginatedRequestParams, ProtocolVersion, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tracing::{Instrument as _, Span};

use super::guard::Challenge;
use super::tools::Use;
use super::{Profile, Shared, research, tools};
use crate::action::clip;
use crate::clean::Clean;
use crate::oauth::Grant;
use crate::problem::Problem;
use crate::telemetry::RequestId;

/// The protocol versions that are served: the current one, which has no sessions, and the two before it.
const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

/// What these requests need in their parameters rmcp checks by their shape: a wrong shape looks like an unknown method.
const METHODS: [&str; 4] = ["initialize", "server/discover", "tools/call", "tools/list"];

#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    profile: Arc<Profile>,
    grant: Grant,
    request_id: RequestId,
    /// Of the HTTP request: rmcp answers in a task of its own.
    span: Span,
    /// Set when the answer has to be a challenge instead.
    challenge: OnceLock<Problem>,
}

impl Session {
    pub fn new(shared: Arc<Shared>, profile: Arc<Profile>, grant: Grant, request_id: RequestId) -> Self {
        let span = Span::current();
        Self(Arc::new(Inner { shared, profile, grant, request_id, span, challenge: OnceLock::new() }))
    }

    /// What has to be answered instead: HTTP knows it before the first byte is sent, because answers are JSON.
    pub fn challenge(&self) -> Option<Challenge> {
        self.0.challenge.get().and_then(Challenge::of)
    }

    /// `None`: there is no such tool.
    async fn call(&self, name: &str, arguments: JsonObject) -> Option<Result<CallToolResult, Problem>> {
        let Inner { shared, profile, grant, .. } = &*self.0;
        let services = &shared.services;
        Some(match profile.toolbox.find(name)? {
            Use::Action(entry) => entry.call(arguments, services, grant.clone()).await.map(tools::answer),
            Use::Search(entry) => {
                research::search(entry, arguments, services, grant).await.map(CallToolResult::structured)
            }
            Use::Fetch(entry) => {
                research::fetch(entry, arguments, services, grant).await.map(CallToolResult::structured)
            }
        })
    }

    /// The same problem as at the other door, for the model to read.
    fn failure(&self, problem: &Problem) -> CallToolResult {
        tracing::info!(kind = problem.kind.name(), cause = problem.cause.as_deref(), "problem");
        let body = problem.body(&self.0.shared.config.public_url, &self.0.request_id);
        let text = serde_json::to_value(body).unwrap_or(Value::Null).to_string();
        // It is not what the output schema promises, so that it is text only.
        CallToolResult::error(vec![ContentBlock::text(text)])
    }
}

impl ServerHandler for Session {
    fn get_info(&self) -> ServerConfig {
        self.0.profile.about.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Owned(VERSIONS.to_vec())
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.0.profile.toolbox.tools().to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.profile.toolbox.tools().iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let called = self.call(&request.name, arguments).instrument(self.0.span.clone());
        // A client that hangs up ends the call, as it does at the other door.
        let called = tokio::select! {
            called = called => called,
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("Nobody is waiting", None)),
        };
        match called {
            None => Err(ErrorData::invalid_params(
                format!("Unknown tool: {}", clip(&Clean::from(&*request.name), 60)),
                None,
            )),
            Some(Ok(result)) => Ok(result.into()),
            Some(Err(problem)) if Challenge::of(&problem).is_some() => {
                let _first = self.0.challenge.set(problem);
                Err(ErrorData::internal_error("Signing in is needed", None))
            }
            Some(Err(problem)) => Ok(self.0.span.in_scope(|| self.failure(&problem)).into()),
        }
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let method = clip(&Clean::from(request.method.as_str()), 60);
        if METHODS.contains(&request.method.as_str()) {
            return Err(ErrorData::invalid_params(
                format!("The parameters of {method} are not of its form."),
                None,
            ));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.into_string(), None))
    }
}
