//! Takes over what clients published: what a scan finds becomes objects, textures, windows.

use super::client::{Client, Consequence, Context, Stored};
use super::renderer::Renderer;
use super::scan::Texture;
use super::window::{self, Damage, Window};
use blinkgl::layout::{EventKind, ObjectError, PLACE_ANYWHERE};
use blinkgl::limits::MAX_TITLE_BYTES;
use blinkgl::ops::Callback;
use gl::ResourceKey;
use ipc::glass::{CursorImage, FromRenderer, Wish};
use ipc::{ClientId, WindowId};

impl Renderer {
    /// Scans the clients that rang, unless they rest from scans that were dear.
    pub fn scan(&mut self, now: u64) {
        let rings = self.clients.values().filter(|c| c.rang);
        let (rang, resting): (Vec<&Client>, Vec<&Client>) = rings.partition(|c| c.scan_from <= now);
        self.pending |= !resting.is_empty();
        let rang: Vec<ClientId> = rang.iter().map(|c| c.info.id).collect();
        for id in rang {
            self.scan_client(id, now);
        }
    }

    fn scan_client(&mut self, id: ClientId, now: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.rang = false;
        let cost = client.scan_cost();
        let dropped = client.read_directory(now);
        for (index, context) in dropped {
            self.drop_context(id, index, context);
        }
        let Some(client) = self.clients.get(&id) else { return };
        let indices: Vec<u32> = client.contexts.keys().copied().collect();
        let mut is_whole = true;
        for index in indices {
            // In the middle of a commit, a client rings again at its end: nothing is lost by waiting.
            let Renderer { clients, programs, .. } = self;
            let scanned =
                clients.get_mut(&id).and_then(|client| client.scan(index, &mut programs.cache, now));
            is_whole &= scanned.is_some();
            let mut consequences = scanned.unwrap_or_default();
            // Parents before their children, in whatever slots they are; what a window names before it.
            if let Some(context) = self.context_mut(id, index) {
                consequences.sort_by_key(|consequence| match consequence {
                    Consequence::Window(oid) => 1 + window::depth(context, *oid),
                    Consequence::WindowGone(_)
                    | Consequence::Procedure(_)
                    | Consequence::Texture(..)
                    | Consequence::TextureGone(_)
                    | Consequence::Buffer(..)
                    | Consequence::BufferGone(_)
                    | Consequence::Cursor(_) => 0,
                });
            }
            for consequence in consequences {
                self.apply(id, index, consequence, now);
            }
        }
        let frame = self.frame;
        let mut is_told = true;
        if let Some(client) = self.clients.get_mut(&id) {
            client.rest(now, frame.refresh, client.scan_cost().saturating_sub(cost));
            // Its own doing: it may learn the time by it.
            for context in client.contexts.values_mut() {
                context.channel.clock(now, frame.presentation.max(now), frame.refresh, client.frames);
            }
            if is_whole {
                is_told = std::mem::replace(&mut client.is_told, true);
            }
        }
        if !is_told {
            self.outbox.put(FromRenderer::All { client: id });
        }
    }

    fn apply(&mut self, client: ClientId, context: u32, consequence: Consequence, now: u64) {
        let key = |oid| ResourceKey { client: client.0, context, oid };
        match consequence {
            Consequence::Window(oid) => self.show(WindowId { client, context, oid }, now),
            Consequence::WindowGone(oid) => {
                let window = self.context_mut(client, context).and_then(|c| c.windows.remove(&oid));
                if let Some(window) = window {
                    self.unmap(WindowId { client, context, oid }, window);
                }
            }
            Consequence::Procedure(oid) => {
                self.damage_windows(client, context, |_, window| window.desc.procedures.contains(&oid));
            }
            Consequence::Texture(oid, image) => {
                let Texture { desc, rows, bytes } = image;
                let uploaded = self.resources.set_texture(&mut self.tracker, key(oid), &desc, rows, &bytes);
                if let (Err(error), Some(client)) = (uploaded, self.clients.get_mut(&client)) {
                    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    if let Some(context) = client.contexts.get_mut(&context) {
                        context.array.forget_texture(oid);
                        let words = [oid, ObjectError::OverBudget as u32, size, 0];
                        context.event(EventKind::ObjectRejected, 0, now, words);
                    }
                    client.error(now, format!("texture {context}.{oid}: {error}"));
                }
                self.damage_users(client, context, oid);
            }
            Consequence::TextureGone(oid) => {
                self.resources.remove_texture(&mut self.tracker, key(oid));
                self.damage_users(client, context, oid);
            }
            Consequence::Buffer(oid, bytes) => {
                self.resources.set_buffer(key(oid), bytes);
                self.damage_users(client, context, oid);
            }
            Consequence::BufferGone(oid) => {
                self.resources.remove_buffer(key(oid));
                self.damage_users(client, context, oid);
            }
            Consequence::Cursor(_) => self.renew_cursors(client, context),
        }
    }

    /// Damages the windows of a context whose picture may show a texture or buffer: their `redraw` or a list
    /// names it, or it is bound in the state that they start from.
    fn damage_users(&mut self, client: ClientId, context: u32, resource: u32) {
        self.damage_windows(client, context, |context, window| {
            let program = context.program(&window.desc, Callback::Redraw);
            let named = program.is_some_and(|program| {
                let body = &program.facts().body;
                body.textures.contains(&resource) || body.buffers.contains(&resource)
            });
            named || window.list_use.resources.contains(&resource) || window.state.binds(resource)
        });
    }

    fn damage_windows(&mut self, client: ClientId, context: u32, which: impl Fn(&Context, &Window) -> bool) {
        let Some(context) = self.context_mut(client, context) else { return };
        let oids: Vec<u32> =
            context.windows.iter().filter(|(_, w)| which(context, w)).map(|(&oid, _)| oid).collect();
        for oid in oids {
            if let Some(window) = context.windows.get_mut(&oid) {
                window.damage = Damage::All;
            }
        }
    }

    /// A window is new or described anew: puts it on the output, or follows its client's wishes.
    fn show(&mut self, id: WindowId, now: u64) {
        let Some(context) = self.context_mut(id.client, id.context) else { return };
        let Some(window) = context.windows.get(&id.oid) else { return };
        let desc = window.desc.clone();
        let refusal = window::bad_reference(context, id.oid, &desc);
        if let Some(refusal) = refusal {
            let [c, d] = refusal.values;
            context.event(EventKind::ObjectRejected, id.oid, now, [id.oid, refusal.error as u32, c, d]);
        }
        if let Some(window) = context.windows.get_mut(&id.oid) {
            window.error = refusal.map(|r| r.to_string());
        }
        if let (Some(refusal), Some(client)) = (refusal, self.clients.get_mut(&id.client)) {
            client.error(now, format!("window {id}: {refusal}"));
        }
        self.tell_window(id);
        self.tell_cursor(id);
    }

    /// Tells the glass what a window's client wishes.
    pub(super) fn tell_window(&mut self, id: WindowId) {
        let Some(client) = self.clients.get(&id.client) else { return };
        let Some(context) = client.contexts.get(&id.context) else { return };
        let Some(window) = context.windows.get(&id.oid) else { return };
        let desc = &window.desc;
        let is_parent = |oid: &u32| {
            *oid != 0
                && *oid != id.oid
                && context.windows.contains_key(oid)
                && !window::is_circle(context, id.oid)
        };
        let parent = Some(desc.parent).filter(is_parent);
        // What is no UTF-8 may have become longer.
        let mut length = window.title.len().min(MAX_TITLE_BYTES);
        while !window.title.is_char_boundary(length) {
            length -= 1;
        }
        let at = |at: i32| Some(at).filter(|&at| at != PLACE_ANYWHERE);
        let wish = Wish {
            title: window.title[..length].to_owned(),
            size: (desc.width, desc.height),
            place: (at(desc.x), at(desc.y)),
            least: (desc.min_width, desc.min_height),
            most: (desc.max_width, desc.max_height),
            parent,
            popup: desc.popup,
        };
        self.outbox.put(FromRenderer::Window { window: id, wish });
    }

    /// Tells the glass the pointer's picture over a window, if it changed.
    fn tell_cursor(&mut self, id: WindowId) {
        let Some(context) = self.context_mut(id.client, id.context) else { return };
        let Some(window) = context.windows.get(&id.oid) else { return };
        let image = match context.objects.get(&window.desc.cursor) {
            Some(Stored::Cursor(cursor)) => {
                let mut pixels = String::with_capacity(cursor.bytes.len() * 2);
                // Blue, green, red, alpha, as the client has them.
                for pixel in cursor.bytes.chunks_exact(4) {
                    for byte in [pixel[2], pixel[1], pixel[0], pixel[3]] {
                        for digit in [byte >> 4, byte & 15] {
                            pixels.extend(char::from_digit(u32::from(digit), 16));
                        }
                    }
                }
                let (width, height) = (cursor.width, cursor.height);
                Some(CursorImage { width, height, hot: (cursor.hot_x, cursor.hot_y), pixels })
            }
            Some(
                Stored::Window
                | Stored::Procedure(_)
                | Stored::Texture(_)
                | Stored::Buffer
                | Stored::Registers { .. },
            )
            | None => None,
        };
        let Some(window) = context.windows.get_mut(&id.oid) else { return };
        if window.cursor != image {
            window.cursor.clone_from(&image);
            self.outbox.put(FromRenderer::Cursor { window: id, image });
        }
    }

    /// A context's cursor changed: windows of it may show another one.
    fn renew_cursors(&mut self, client: ClientId, context: u32) {
        let Some(of) = self.context_mut(client, context) else { return };
        let oids: Vec<u32> = of.windows.keys().copied().collect();
        for oid in oids {
            self.tell_cursor(WindowId { client, context, oid });
        }
    }

    /// Releases what a window has on the GPU, and tells the glass that it is gone.
    fn unmap(&mut self, id: WindowId, window: Window) {
        if let Some(picture) = window.picture {
            self.tracker.delete_framebuffer(picture);
        }
        self.views.remove(id);
        self.outbox.put(FromRenderer::WindowGone { window: id });
    }

    pub(super) fn drop_context(&mut self, client: ClientId, index: u32, context: Context) {
        for (oid, window) in context.windows {
            self.unmap(WindowId { client, context: index, oid }, window);
        }
        self.resources.remove_context(&mut self.tracker, client.0, index);
    }
}
