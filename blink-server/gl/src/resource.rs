//! What clients' procedures draw with: textures, on the GPU, and buffers.

use super::error::GlError;
use super::texture::Texture;
use super::tracker::Tracker;
use blinkgl::layout::texture::{Rows, TextureDesc};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Names a texture or buffer: whose, and which. A program of one context can't name another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceKey {
    /// The client.
    pub client: u32,
    /// The context in the client's aperture.
    pub context: u32,
    /// The object.
    pub oid: u32,
}

/// A vertex or index buffer: the server's own copy of the client's bytes.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// Names these contents: another one for each upload, and never used again, so that what was made of
    /// the contents can be kept under it.
    pub id: u64,
    /// Its contents.
    pub bytes: Arc<[u8]>,
}

/// All clients' textures and buffers.
#[derive(Debug, Default)]
pub struct Resources {
    textures: HashMap<ResourceKey, Texture>,
    buffers: HashMap<ResourceKey, Buffer>,
    /// Buffers set so far.
    ids: u64,
}

/// The textures and buffers of one context, by OID.
#[derive(Clone, Copy, Debug)]
pub struct ResourceScope<'a> {
    resources: &'a Resources,
    client: u32,
    context: u32,
}

impl<'a> ResourceScope<'a> {
    /// A texture of the context.
    #[must_use]
    pub fn texture(self, oid: u32) -> Option<&'a Texture> {
        self.resources.textures.get(&self.key(oid))
    }

    /// A buffer of the context.
    #[must_use]
    pub fn buffer(self, oid: u32) -> Option<&'a Buffer> {
        self.resources.buffers.get(&self.key(oid))
    }

    /// Whose they are.
    #[must_use]
    pub fn client(self) -> u32 {
        self.client
    }

    fn key(self, oid: u32) -> ResourceKey {
        ResourceKey { client: self.client, context: self.context, oid }
    }
}

impl Resources {
    /// Uploads pixels, into the texture that is there if it has the same shape: all, or if it has, only some
    /// rows of its level 0.
    ///
    /// # Errors
    /// `bytes` does not hold the image or the rows, or OpenGL has no memory for it.
    pub fn set_texture(
        &mut self,
        tracker: &mut Tracker,
        key: ResourceKey,
        desc: &TextureDesc,
        rows: Option<Rows>,
        bytes: &[u8],
    ) -> Result<(), GlError> {
        let same = self.textures.get(&key).is_some_and(|t| t.desc == *desc);
        // Rows of a texture that is not there are less than it needs.
        let rows = rows.filter(|rows| same && rows.end() <= desc.height);
        let wanted = match rows {
            Some(rows) => desc.format.bytes(desc.stride, rows.count),
            None => desc.bytes(),
        };
        let wanted = wanted.unwrap_or(usize::MAX);
        if bytes.len() < wanted {
            return Err(GlError::ShortImage { found: bytes.len(), wanted });
        }
        if !same {
            self.remove_texture(tracker, key);
        }
        let texture = match self.textures.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Texture::create(tracker.driver(), desc)?),
        };
        match rows {
            Some(rows) => texture.fill_rows(tracker.driver(), rows, bytes),
            None => texture.fill(tracker.driver(), bytes),
        }
        Ok(())
    }

    /// Removes a texture.
    pub fn remove_texture(&mut self, tracker: &mut Tracker, key: ResourceKey) {
        if let Some(texture) = self.textures.remove(&key) {
            texture.delete(tracker.driver());
        }
    }

    /// Sets a buffer's contents.
    pub fn set_buffer(&mut self, key: ResourceKey, bytes: Vec<u8>) {
        self.ids += 1;
        self.buffers.insert(key, Buffer { id: self.ids, bytes: bytes.into() });
    }

    /// Removes a buffer.
    pub fn remove_buffer(&mut self, key: ResourceKey) {
        self.buffers.remove(&key);
    }

    /// Removes all that a context has.
    pub fn remove_context(&mut self, tracker: &mut Tracker, client: u32, context: u32) {
        let of_context = |key: &ResourceKey| (key.client, key.context) == (client, context);
        for (_, texture) in self.textures.extract_if(|key, _| of_context(key)) {
            texture.delete(tracker.driver());
        }
        self.buffers.retain(|key, _| !of_context(key));
    }

    /// What a context has.
    #[must_use]
    pub fn scope(&self, client: u32, context: u32) -> ResourceScope<'_> {
        ResourceScope { resources: self, client, context }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_belong_to_their_context_and_each_upload_has_its_id() {
        let mut resources = Resources::default();
        let key = |client, context| ResourceKey { client, context, oid: 5 };
        let id = |resources: &Resources, key: ResourceKey| {
            resources.scope(key.client, key.context).buffer(key.oid).map(|b| b.id)
        };
        resources.set_buffer(key(1, 0), vec![1, 2]);
        resources.set_buffer(key(1, 1), vec![3]);
        let first = id(&resources, key(1, 0)).unwrap();
        assert_ne!(id(&resources, key(1, 1)), Some(first));
        assert_eq!(resources.scope(1, 0).buffer(5).unwrap().bytes[..], [1, 2]);
        assert!(resources.scope(2, 0).buffer(5).is_none() && resources.scope(1, 0).buffer(6).is_none());
        resources.remove_buffer(key(1, 0));
        assert!(resources.scope(1, 0).buffer(5).is_none());
        resources.set_buffer(key(1, 0), vec![1, 2]);
        assert_ne!(id(&resources, key(1, 0)), Some(first), "the same bytes, but nobody compared them");
    }
}
