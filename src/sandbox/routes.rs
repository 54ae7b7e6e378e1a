//! Every path of both hosts, with the scope that each endpoint needs.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing;

use super::Sandbox;
use super::gate::{get, post, unknown};
use super::oauth::{authorize, resources, token};
use super::record;
use super::v1::{download, search, users as people};
use super::v2::{attachments, comments, pages, spaces, tree, users, versions};

const SEARCH: &str = "search:confluence";
const PAGE: &str = "read:page:confluence";
const SPACE: &str = "read:space:confluence";
const COMMENT: &str = "read:comment:confluence";
const ATTACHMENT: &str = "read:attachment:confluence";
const DOWNLOAD: &str = "readonly:content.attachment:confluence";
const TREE: &str = "read:hierarchical-content:confluence";
const METADATA: &str = "read:content.metadata:confluence";
const USER: &str = "read:user:confluence";
const ME: &str = "read:confluence-user";
const DETAILS: &str = "read:content-details:confluence";

pub fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/authorize", routing::get(authorize::show).post(authorize::decide))
        .route("/oauth/token", routing::post(token::handle))
        .route("/oauth/token/accessible-resources", routing::get(resources::accessible_resources))
        .route("/me", routing::get(resources::me))
        .route("/media/file/{file}/binary", routing::get(download::media))
        .nest("/ex/confluence/{cloudid}/wiki/rest/api", old())
        .nest("/ex/confluence/{cloudid}/wiki/api/v2", new())
        .route("/ex/confluence/{cloudid}/wiki/download/{*rest}", routing::get(download::legacy))
        .fallback(unknown)
        .layer(from_fn_with_state(sandbox.clone(), record::layer))
        .with_state(sandbox)
}

/// What is left of /wiki/rest/api.
fn old() -> Router<Sandbox> {
    Router::new()
        .route("/search", get(SEARCH, search::everything))
        .route("/search/user", get(DETAILS, search::people))
        .route("/user/current", get(ME, people::current))
        .route("/content/{id}/child/attachment/{attachment}/download", get(DOWNLOAD, download::redirect))
}

/// /wiki/api/v2
fn new() -> Router<Sandbox> {
    Router::new()
        .route("/pages", get(PAGE, pages::pages))
        .route("/pages/{id}", get(PAGE, pages::page))
        .route("/pages/{id}/labels", get(PAGE, pages::labels))
        .route("/pages/{id}/versions", get(PAGE, versions::of_page))
        .route("/pages/{id}/versions/{number}", get(PAGE, versions::one))
        .route("/pages/{id}/children", get(PAGE, tree::children))
        .route("/pages/{id}/direct-children", get(TREE, tree::direct_children))
        .route("/pages/{id}/descendants", get(TREE, tree::descendants))
        .route("/pages/{id}/ancestors", get(METADATA, tree::ancestors))
        .route("/pages/{id}/footer-comments", get(COMMENT, comments::footer_of_page))
        .route("/pages/{id}/inline-comments", get(COMMENT, comments::inline_of_page))
        .route("/pages/{id}/attachments", get(ATTACHMENT, attachments::of_page))
        .route("/blogposts", get(PAGE, pages::blog_posts))
        .route("/blogposts/{id}", get(PAGE, pages::blog_post))
        .route("/blogposts/{id}/labels", get(PAGE, pages::labels))
        .route("/blogposts/{id}/versions", get(PAGE, versions::of_blog_post))
        .route("/blogposts/{id}/versions/{number}", get(PAGE, versions::one))
        .route("/blogposts/{id}/footer-comments", get(COMMENT, comments::footer_of_blog_post))
        .route("/blogposts/{id}/inline-comments", get(COMMENT, comments::inline_of_blog_post))
        .route("/blogposts/{id}/attachments", get(ATTACHMENT, attachments::of_blog_post))
        .route("/footer-comments/{id}", get(COMMENT, comments::footer))
        .route("/footer-comments/{id}/children", get(COMMENT, comments::footer_replies))
        .route("/inline-comments/{id}", get(COMMENT, comments::inline))
        .route("/inline-comments/{id}/children", get(COMMENT, comments::inline_replies))
        .route("/attachments/{id}", get(ATTACHMENT, attachments::attachment))
        .route("/spaces", get(SPACE, spaces::spaces))
        .route("/spaces/{id}", get(SPACE, spaces::space))
        .route("/spaces/{id}/pages", get(PAGE, pages::of_space))
        .route("/spaces/{id}/blogposts", get(PAGE, pages::posts_of_space))
        .route("/users-bulk", post(USER, users::bulk))
        .route("/content/convert-ids-to-types", post(METADATA, tree::types))
        .merge(tree_of("folders", "read:folder:confluence"))
        .merge(tree_of("whiteboards", "read:whiteboard:confluence"))
        .merge(tree_of("databases", "read:database:confluence"))
        .merge(tree_of("embeds", "read:embed:confluence"))
}

/// What stands in the tree without a body.
fn tree_of(kind: &str, scope: &'static str) -> Router<Sandbox> {
    Router::new()
        .route(&format!("/{kind}/{{id}}"), get(scope, tree::node))
        .route(&format!("/{kind}/{{id}}/direct-children"), get(TREE, tree::direct_children))
        .route(&format!("/{kind}/{{id}}/descendants"), get(TREE, tree::descendants))
        .route(&format!("/{kind}/{{id}}/ancestors"), get(METADATA, tree::ancestors))
}
