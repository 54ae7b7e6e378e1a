//! Links, mentions and images of storage format.

use super::convert::{self, Converter};
use super::losses;
use super::resources::{self, Resource};
use super::storage::Close;

pub(super) struct Link {
    pub(super) anchor: Option<String>,
    pub(super) has_body: bool,
}

pub(super) struct Picture {
    pub(super) label: Option<String>,
    pub(super) title: Option<String>,
    pub(super) inline: bool,
    pub(super) written: bool,
}

impl Converter<'_> {
    pub(super) fn begin_link_body(&mut self) -> convert::Close {
        let resource = self.slots.last().and_then(Option::as_ref);
        let Some(link) = self.storage.links.last_mut() else { return convert::Close::Nothing };
        if let Some(Resource::User { id }) = resource
            && self.context.people.contains_key(id)
        {
            self.skip(None);
            return convert::Close::Nothing;
        }
        link.has_body = true;
        let target = self.link_target();
        self.writer.link_open(target);
        convert::Close::Storage(Close::LinkBody)
    }

    /// The address of the link that is open.
    fn link_target(&self) -> Option<String> {
        let anchor = self.storage.links.last().and_then(|link| link.anchor.as_deref());
        let anchor = anchor.map(|anchor| {
            // Pages written in the newer editor hold their anchors percent-encoded already.
            format!("#{}", resources::encode(&resources::decode_percent(anchor), '_'))
        });
        match self.slots.last().and_then(Option::as_ref) {
            Some(resource) => {
                let address = resource.address(self.context)?;
                Some(address + anchor.as_deref().unwrap_or_default())
            }
            None => anchor,
        }
    }

    pub(super) fn end_link(&mut self) {
        let target = self.link_target();
        let resource = self.slots.pop().flatten();
        let Some(link) = self.storage.links.pop() else { return };
        if link.has_body {
            return;
        }
        match resource {
            Some(Resource::User { id }) => self.mention(&id),
            Some(resource) => self.resource(&resource, target),
            None => {
                if let Some(anchor) = link.anchor {
                    self.writer.link(&anchor, target);
                }
            }
        }
    }

    /// A resource by its own name.
    pub(super) fn resource(&mut self, resource: &Resource, target: Option<String>) {
        if let Resource::User { id } = resource {
            return self.mention(id);
        }
        if target.is_none() && matches!(resource, Resource::Url { .. }) {
            self.writer.losses.add(losses::UNSAFE_LINKS, 1);
        }
        self.writer.link(resource.label(), target);
    }

    pub(super) fn mention(&mut self, id: &str) {
        let name = self.context.people.get(id).map(String::as_str);
        if name.is_none() {
            self.writer.losses.add(losses::UNKNOWN_PEOPLE, 1);
        }
        let name = name.unwrap_or("unknown person");
        self.writer.text(&format!("@{name}"));
    }

    pub(super) fn write_picture(&mut self) {
        let Some(picture) = self.storage.pictures.last_mut() else { return };
        if picture.written {
            return;
        }
        picture.written = true;
        let (label, inline) = (picture.label.clone().or(picture.title.clone()), picture.inline);
        let Some(Some(resource)) = self.slots.last().cloned() else { return };
        if !inline {
            self.writer.end_block();
        }
        let target = resource.address(self.context);
        match (label, &resource) {
            (Some(label), _) => self.writer.link(&label, target),
            (None, Resource::Url { url }) => self.writer.link(resources::file_name(url), target),
            (None, _) => self.resource(&resource, target),
        }
    }

    pub(super) fn end_picture(&mut self) {
        self.write_picture();
        self.slots.pop();
        if let Some(picture) = self.storage.pictures.pop()
            && !picture.inline
        {
            self.writer.end_block();
        }
    }
}
