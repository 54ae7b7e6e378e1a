//! What stands around a page: comments, attachments, versions and the tree. Each begins with a [`Located`] page, whose space
//! the policy has been asked about.

use std::collections::HashMap;
use std::sync::Arc;

use super::Wiki;
use crate::clean::Clean;
use crate::confluence::{
    AccountId, Attachment, Comment, CommentKind, Content, ContentId, ContentKind, Node, Space, SpaceKey,
    Version,
};
use crate::problem::Problem;

/// A page or blog post that this GPT may read, without its body.
pub struct Located {
    pub kind: ContentKind,
    pub content: Content,
    pub space: Arc<Space>,
}

/// One page of a list: its rows, and where it goes on.
type Rows<T> = (Vec<T>, Option<String>);

impl Located {
    fn path(&self) -> (ContentKind, &ContentId) {
        (self.kind, &self.content.id)
    }
}

impl Wiki {
    /// What and where a page or blog post is.
    pub async fn located(&self, id: &ContentId) -> Result<Located, Problem> {
        let located = self.connection.located(id).await;
        let (kind, content) = located.map_err(|error| self.unplaced(error))?;
        self.permit(&content.space_id)?;
        super::readable(&content.status)?;
        self.connection.has_read(content.id.as_str());
        let space = self.space_of(&content.space_id).await?;
        Ok(Located { kind, content, space })
    }

    /// The space of a key that this GPT may read and this person sees.
    pub async fn space(&self, key: &SpaceKey) -> Result<Arc<Space>, Problem> {
        self.space_named(key).await?.ok_or_else(Problem::not_found)
    }

    /// Names for account ids, by one call for those not known yet.
    pub async fn people(&self, ids: impl IntoIterator<Item = AccountId>) -> HashMap<AccountId, Arc<Clean>> {
        self.names(ids.into_iter().collect()).await
    }

    pub async fn comments(
        &self,
        on: &Located,
        kind: CommentKind,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Rows<Comment>, Problem> {
        Ok(self.connection.comments(on.path(), kind, limit, cursor).await?)
    }

    /// The replies of a thread on a page that has been located, and whether there are more than are read.
    pub async fn replies(
        &self,
        kind: CommentKind,
        thread: &ContentId,
    ) -> Result<(Vec<Comment>, bool), Problem> {
        Ok(self.connection.replies(kind, thread).await?)
    }

    pub async fn attachments(
        &self,
        of: &Located,
        media_type: Option<&str>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Rows<Attachment>, Problem> {
        Ok(self.connection.attachments(of.path(), media_type, limit, cursor).await?)
    }

    pub async fn versions(
        &self,
        of: &Located,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Rows<Version>, Problem> {
        Ok(self.connection.versions(of.path(), limit, cursor).await?)
    }

    /// Everything below a page, which is all in the page's own space.
    pub async fn descendants(
        &self,
        of: &ContentId,
        depth: u32,
        cursor: Option<&str>,
    ) -> Result<Rows<Node>, Problem> {
        let (mut nodes, next) = self.connection.descendants(of, depth, cursor).await?;
        nodes.retain(|node| node.space_id.as_ref().is_none_or(|space| self.permit(space).is_ok()));
        Ok((nodes, next))
    }

    /// The pages at the top of a space that this GPT may read.
    pub async fn root_pages(&self, space: &Space, cursor: Option<&str>) -> Result<Rows<Node>, Problem> {
        self.permit(&space.id)?;
        Ok(self.connection.root_pages(&space.id, cursor).await?)
    }
}
