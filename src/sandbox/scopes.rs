//! The scopes that Atlassian's console lets an app request, as far as the sandbox knows them.

/// Every scope that may be requested, with what the consent page says about it.
pub const SCOPES: &[(&str, &str)] = &[
    ("offline_access", "Stay signed in while you are away"),
    ("read:me", "View your profile"),
    ("read:account", "View your account"),
    ("search:confluence", "Search Confluence"),
    ("read:page:confluence", "View pages and blog posts"),
    ("read:blogpost:confluence", "View blog posts"),
    ("read:space:confluence", "View spaces"),
    ("read:space-details:confluence", "View details of spaces"),
    ("read:comment:confluence", "View comments"),
    ("read:attachment:confluence", "View attachments"),
    ("readonly:content.attachment:confluence", "Download attachments"),
    ("read:user:confluence", "View names of people"),
    ("read:label:confluence", "View labels"),
    ("read:content:confluence", "View content"),
    ("read:content-details:confluence", "View details of content"),
    ("read:content.metadata:confluence", "View what kind of thing content is"),
    ("read:hierarchical-content:confluence", "View the tree of pages"),
    ("read:folder:confluence", "View folders"),
    ("read:whiteboard:confluence", "View whiteboards"),
    ("read:database:confluence", "View databases"),
    ("read:embed:confluence", "View smart links"),
    ("read:configuration:confluence", "View settings"),
    ("read:confluence-user", "View your Confluence profile"),
    ("read:confluence-groups", "View groups"),
    ("read:confluence-content.all", "View content (classic)"),
    ("read:confluence-content.summary", "View summaries of content (classic)"),
    ("read:confluence-content.permission", "View restrictions (classic)"),
    ("read:confluence-props", "View content properties (classic)"),
    ("read:confluence-space.summary", "View summaries of spaces (classic)"),
    ("write:page:confluence", "Create and change pages"),
    ("write:comment:confluence", "Write comments"),
    ("write:attachment:confluence", "Add attachments"),
    ("write:label:confluence", "Change labels"),
    ("write:confluence-content", "Create and change content (classic)"),
    ("write:confluence-file", "Upload files (classic)"),
    ("delete:page:confluence", "Delete pages"),
    ("read:jira-work", "View Jira work"),
    ("read:jira-user", "View Jira profiles"),
];

pub fn known(scope: &str) -> bool {
    SCOPES.iter().any(|(name, _)| *name == scope)
}

pub fn describe(scope: &str) -> &'static str {
    SCOPES.iter().find(|(name, _)| *name == scope).map_or("", |(_, text)| text)
}

/// Whether accessible-resources names this scope on a Confluence entry.
pub fn of_confluence(scope: &str) -> bool {
    scope.contains("confluence")
}
