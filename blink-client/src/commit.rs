//! Publishing objects: all of a commit, or nothing of it.

use crate::context::{Context, Object, check_type};
use crate::element::{Element, bytes_of};
use crate::image::{CursorInfo, TextureArea, TextureInfo, TextureWriter};
use crate::pages::Pages;
use crate::registers::Registers;
use crate::{Error, ObjectId};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use blinkgl::layout::texture::{self, Rows};
use blinkgl::layout::{ObjectType, WINDOW_WORDS, WindowDesc};
use blinkgl::limits::{MAX_CONTEXT_PROGRAM_WORDS, MAX_OBJECTS, MAX_PROGRAM_WORDS, MAX_WINDOWS, REGISTERS};
use blinkgl::ops::Callback;
use blinkgl::wire::WireProgram;

/// Changes of a context's objects, written to pages that the server does not know yet.
/// [`Commit::finish`] makes all of them visible at once; dropping it instead changes nothing.
#[derive(Debug)]
pub struct Commit<'a> {
    context: &'a mut Context,
    /// By OID; `None` removes.
    changes: BTreeMap<u32, Option<Object>>,
}

impl<'a> Commit<'a> {
    pub(crate) fn new(context: &'a mut Context) -> Commit<'a> {
        Commit { context, changes: BTreeMap::new() }
    }

    /// The server's clock now, see [`Context::now`].
    #[cfg(feature = "std")]
    #[must_use]
    pub fn now(&self) -> u64 {
        self.context.now()
    }

    /// Makes the changes visible and wakes the server.
    ///
    /// # Errors
    /// Only an error of this library: what can be wrong was told when the objects were handed in.
    pub fn finish(mut self) -> Result<(), Error> {
        let changes = core::mem::take(&mut self.changes);
        if changes.is_empty() { Ok(()) } else { self.context.publish(changes) }
    }

    /// A new procedure for `callback`. The server verifies it: look for
    /// [`crate::What::ProcedureRejected`].
    ///
    /// # Errors
    /// Too long, or no room.
    pub fn procedure(&mut self, callback: Callback, program: &WireProgram) -> Result<ObjectId, Error> {
        let oid = self.new_oid()?;
        self.put_procedure(oid, callback, program)?;
        Ok(oid)
    }

    /// Replaces a procedure.
    ///
    /// # Errors
    /// No such procedure; too long, or no room.
    pub fn set_procedure(
        &mut self,
        oid: ObjectId,
        callback: Callback,
        program: &WireProgram,
    ) -> Result<(), Error> {
        self.check_target(oid, ObjectType::Procedure)?;
        self.put_procedure(oid, callback, program)
    }

    fn put_procedure(
        &mut self,
        oid: ObjectId,
        callback: Callback,
        program: &WireProgram,
    ) -> Result<(), Error> {
        let words = program.untrusted_words();
        if words.len() > MAX_PROGRAM_WORDS {
            return Err(Error::ProgramTooLong { words: words.len(), limit: MAX_PROGRAM_WORDS });
        }
        let others = self.others(oid, ObjectType::Procedure);
        let others: usize = others.map(|o| usize::try_from(o.bytes / 4).unwrap_or(usize::MAX)).sum();
        let together = others.saturating_add(words.len());
        if together > MAX_CONTEXT_PROGRAM_WORDS {
            return Err(Error::ProgramsTooLong { words: together, limit: MAX_CONTEXT_PROGRAM_WORDS });
        }
        let mut params = [0; 8];
        params[0] = callback as u32;
        self.put_words(oid, ObjectType::Procedure, params, words)
    }

    /// A new texture; `pixels` are laid out as `info` says.
    ///
    /// # Errors
    /// Out of range, not as many bytes as `info` needs, or no room.
    pub fn texture(&mut self, info: &TextureInfo, pixels: &[u8]) -> Result<ObjectId, Error> {
        self.texture_with(info, |writer| writer.write_all(pixels))
    }

    /// Replaces a texture.
    ///
    /// # Errors
    /// No such texture; as [`Commit::texture`].
    pub fn set_texture(&mut self, oid: ObjectId, info: &TextureInfo, pixels: &[u8]) -> Result<(), Error> {
        self.set_texture_with(oid, info, |writer| writer.write_all(pixels))
    }

    /// A new texture whose pixels `write` writes straight into shared memory. What it leaves out is
    /// undefined.
    ///
    /// # Errors
    /// Out of range, no room, or what `write` returns.
    pub fn texture_with(
        &mut self,
        info: &TextureInfo,
        write: impl FnOnce(&mut TextureWriter<'_>) -> Result<(), Error>,
    ) -> Result<ObjectId, Error> {
        let oid = self.new_oid()?;
        self.put_texture(oid, info, write)?;
        Ok(oid)
    }

    /// Replaces a texture by one that `write` writes, as [`Commit::texture_with`].
    ///
    /// # Errors
    /// No such texture; as [`Commit::texture_with`].
    pub fn set_texture_with(
        &mut self,
        oid: ObjectId,
        info: &TextureInfo,
        write: impl FnOnce(&mut TextureWriter<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.check_target(oid, ObjectType::Texture)?;
        self.put_texture(oid, info, write)
    }

    fn put_texture(
        &mut self,
        oid: ObjectId,
        info: &TextureInfo,
        write: impl FnOnce(&mut TextureWriter<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.put(oid, ObjectType::Texture, info.params(), info.bytes()?, |context, pages| {
            write(&mut TextureWriter { memory: context.memory(), pages, info: *info })
        })
    }

    /// Changes a part of a texture: `pixels` has the area's rows, `stride` bytes from one to the next. In level 0
    /// the server takes only the area's rows. An area without texels changes nothing.
    ///
    /// # Errors
    /// No such texture, or it is planar; the area is not in it, `pixels` has not the area's bytes, or no room.
    pub fn set_texture_area(
        &mut self,
        oid: ObjectId,
        area: TextureArea,
        pixels: &[u8],
        stride: usize,
    ) -> Result<(), Error> {
        self.check(oid, ObjectType::Texture)?;
        let Object { params, bytes, .. } = *self.effective(oid)?;
        let info = TextureInfo::of_params(&params).ok_or(Error::NoObject(oid))?;
        // Only rows of level 0 can be told.
        let changed = Some(Rows { first: area.y, count: area.height }).filter(|_| area.level == 0);
        if let Some(Some(object)) = self.changes.get_mut(&oid.number()) {
            // The server does not know these pages yet: no need for others.
            let memory = self.context.memory();
            TextureWriter { memory, pages: &object.pages, info }.write_area(area, pixels, stride)?;
            let rows = changed.zip(Rows::from_code(params[texture::ROWS])).map(|(a, b)| a.and(b));
            object.params[texture::ROWS] = rows.map_or(0, Rows::code);
            return Ok(());
        }
        if area.width == 0 || area.height == 0 {
            return Ok(());
        }
        let mut params = info.params();
        if let (Some(rows), Some(version)) = (changed, self.context.slot_version(oid)) {
            params[texture::BASE_VERSION] = version;
            params[texture::ROWS] = rows.code();
        }
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.put(oid, ObjectType::Texture, params, bytes, |context, pages| {
            let memory = context.memory();
            context.object(oid)?.pages.copy_to(memory, pages, bytes)?;
            TextureWriter { memory, pages, info }.write_area(area, pixels, stride)
        })
    }

    /// A new vertex buffer: bytes, or numbers, which the server reads in little-endian order.
    ///
    /// # Errors
    /// No room.
    pub fn vertex_buffer<E: Element>(&mut self, data: &[E]) -> Result<ObjectId, Error> {
        let oid = self.new_oid()?;
        self.put_bytes(oid, ObjectType::VertexBuffer, [0; 8], &bytes_of(data))?;
        Ok(oid)
    }

    /// A new index buffer: bytes, or numbers, which the server reads in little-endian order.
    ///
    /// # Errors
    /// No room.
    pub fn index_buffer<E: Element>(&mut self, data: &[E]) -> Result<ObjectId, Error> {
        let oid = self.new_oid()?;
        self.put_bytes(oid, ObjectType::IndexBuffer, [0; 8], &bytes_of(data))?;
        Ok(oid)
    }

    /// Replaces a vertex or index buffer.
    ///
    /// # Errors
    /// No such buffer, or no room.
    pub fn set_buffer<E: Element>(&mut self, oid: ObjectId, data: &[E]) -> Result<(), Error> {
        let kind = self.effective(oid)?.kind;
        if kind != ObjectType::IndexBuffer {
            self.check(oid, ObjectType::VertexBuffer)?;
        }
        self.put_bytes(oid, kind, [0; 8], &bytes_of(data))
    }

    /// Replaces a vertex buffer, or makes the one of a [reserved](Context::reserve) OID.
    ///
    /// # Errors
    /// As [`Commit::set_buffer`].
    pub fn set_vertex_buffer(&mut self, oid: ObjectId, bytes: &[u8]) -> Result<(), Error> {
        self.check_target(oid, ObjectType::VertexBuffer)?;
        self.put_bytes(oid, ObjectType::VertexBuffer, [0; 8], bytes)
    }

    /// Replaces an index buffer, or makes the one of a [reserved](Context::reserve) OID.
    ///
    /// # Errors
    /// As [`Commit::set_buffer`].
    pub fn set_index_buffer(&mut self, oid: ObjectId, bytes: &[u8]) -> Result<(), Error> {
        self.check_target(oid, ObjectType::IndexBuffer)?;
        self.put_bytes(oid, ObjectType::IndexBuffer, [0; 8], bytes)
    }

    /// Makes the register file of a [reserved](Context::reserve) OID, with these values.
    ///
    /// # Errors
    /// As [`Commit::registers`].
    pub fn set_registers(&mut self, oid: ObjectId, values: &[f32; REGISTERS]) -> Result<(), Error> {
        self.check_target(oid, ObjectType::Registers)?;
        self.put_words(oid, ObjectType::Registers, [0; 8], &values.map(f32::to_bits))
    }

    /// A new register file, all zeros. [`Commit::register_file`] sets what procedures shall find when
    /// they first run; [`Context::registers`] is for later.
    ///
    /// # Errors
    /// No room.
    pub fn registers(&mut self) -> Result<ObjectId, Error> {
        let oid = self.new_oid()?;
        self.put_words(oid, ObjectType::Registers, [0; 8], &[0; REGISTERS])?;
        Ok(oid)
    }

    /// A register file of this commit or an earlier one.
    ///
    /// # Errors
    /// No such object, or it is no register file.
    pub fn register_file(&self, oid: ObjectId) -> Result<Registers, Error> {
        self.context.file(oid, self.effective(oid)?)
    }

    /// A new cursor image; `pixels` are BGRA.
    ///
    /// # Errors
    /// Out of range, not as many bytes as `info` needs, or no room.
    pub fn cursor(&mut self, info: &CursorInfo, pixels: &[u8]) -> Result<ObjectId, Error> {
        let params = info.check(pixels.len())?;
        let oid = self.new_oid()?;
        self.put_bytes(oid, ObjectType::Cursor, params, pixels)?;
        Ok(oid)
    }

    /// A new window. Procedures, register file, cursor and parent that it names must be there, or in
    /// this commit before it.
    ///
    /// # Errors
    /// Too many windows, something that it names is missing or of another type, or no room.
    pub fn window(&mut self, desc: &WindowDesc) -> Result<ObjectId, Error> {
        let oid = self.new_oid()?;
        self.put_window(oid, desc)?;
        Ok(oid)
    }

    /// Replaces a window's description: procedures, title, a wish for another size...
    ///
    /// # Errors
    /// No such window; as [`Commit::window`].
    pub fn set_window(&mut self, oid: ObjectId, desc: &WindowDesc) -> Result<(), Error> {
        self.check_target(oid, ObjectType::Window)?;
        self.put_window(oid, desc)
    }

    /// Asks for a run of the window's `update` callback.
    ///
    /// # Errors
    /// No such window, or no room.
    pub fn request_update(&mut self, window: ObjectId) -> Result<(), Error> {
        self.check(window, ObjectType::Window)?;
        let desc = self.effective(window)?.window.as_deref().ok_or(Error::NoObject(window))?;
        let desc = WindowDesc { update_serial: desc.update_serial.wrapping_add(1), ..desc.clone() };
        self.put_window(window, &desc)
    }

    fn put_window(&mut self, oid: ObjectId, desc: &WindowDesc) -> Result<(), Error> {
        let named = desc.procedures.iter().map(|&p| (p, ObjectType::Procedure)).chain([
            (desc.registers, ObjectType::Registers),
            (desc.cursor, ObjectType::Cursor),
            (desc.parent, ObjectType::Window),
        ]);
        for (named, kind) in named {
            if let Some(named) = ObjectId::new(named) {
                self.check(named, kind)?;
            }
        }
        if self.others(oid, ObjectType::Window).count() >= MAX_WINDOWS {
            return Err(Error::TooManyWindows(MAX_WINDOWS));
        }
        let words: [u32; WINDOW_WORDS] = desc.encode();
        self.put_words(oid, ObjectType::Window, [0; 8], &words)?;
        if let Some(Some(object)) = self.changes.get_mut(&oid.number()) {
            object.window = Some(Box::new(desc.clone()));
        }
        Ok(())
    }

    /// Removes an object.
    ///
    /// # Errors
    /// No such object.
    pub fn remove(&mut self, oid: ObjectId) -> Result<(), Error> {
        self.effective(oid)?;
        self.discard(oid);
        if self.context.object(oid).is_ok() {
            self.changes.insert(oid.number(), None);
        }
        Ok(())
    }

    fn new_oid(&mut self) -> Result<ObjectId, Error> {
        self.check_room()?;
        self.context.next_oid().ok_or(Error::TooManyObjects(MAX_OBJECTS))
    }

    /// Is there a slot for one more object?
    fn check_room(&self) -> Result<(), Error> {
        let removed = self.changes.values().filter(|change| change.is_none()).count();
        let is_new = |oid| ObjectId::new(oid).is_none_or(|oid| self.context.object(oid).is_err());
        let added = self.changes.iter().filter(|&(&oid, change)| change.is_some() && is_new(oid));
        if self.context.objects().count() + added.count() - removed >= MAX_OBJECTS {
            return Err(Error::TooManyObjects(MAX_OBJECTS));
        }
        Ok(())
    }

    /// The object as it will be after this commit.
    fn effective(&self, oid: ObjectId) -> Result<&Object, Error> {
        match self.changes.get(&oid.number()) {
            Some(change) => change.as_ref().ok_or(Error::NoObject(oid)),
            None => self.context.object(oid),
        }
    }

    fn check(&self, oid: ObjectId, wanted: ObjectType) -> Result<(), Error> {
        check_type(oid, self.effective(oid)?, wanted)
    }

    /// Can this object be replaced by one of the type, or made, because its OID is reserved?
    fn check_target(&self, oid: ObjectId, wanted: ObjectType) -> Result<(), Error> {
        if !self.changes.contains_key(&oid.number()) && self.context.is_reserved(oid) {
            return self.check_room();
        }
        self.check(oid, wanted)
    }

    /// All objects of a type as they will be after this commit, but `oid`.
    fn others(&self, oid: ObjectId, kind: ObjectType) -> impl Iterator<Item = &Object> {
        let unchanged = self.context.objects().filter(|(oid, _)| !self.changes.contains_key(oid));
        let changed = self.changes.iter().filter_map(|(&oid, change)| Some((oid, change.as_ref()?)));
        let all = unchanged.chain(changed);
        all.filter(move |&(other, object)| other != oid.number() && object.kind == kind).map(|(_, o)| o)
    }

    fn put_words(
        &mut self,
        oid: ObjectId,
        kind: ObjectType,
        params: [u32; 8],
        words: &[u32],
    ) -> Result<(), Error> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put_bytes(oid, kind, params, &bytes)
    }

    fn put_bytes(
        &mut self,
        oid: ObjectId,
        kind: ObjectType,
        params: [u32; 8],
        bytes: &[u8],
    ) -> Result<(), Error> {
        self.put(oid, kind, params, bytes.len(), |context, pages| {
            Ok(pages.write(context.memory(), 0, bytes)?)
        })
    }

    /// Stages an object in pages of its own, which `write` fills.
    fn put(
        &mut self,
        oid: ObjectId,
        kind: ObjectType,
        params: [u32; 8],
        bytes: usize,
        write: impl FnOnce(&Context, &Pages) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let pages = self.context.allocate(bytes)?;
        if let Err(error) = write(self.context, &pages) {
            self.context.allocator.free(&pages);
            return Err(error);
        }
        self.discard(oid);
        // An aperture is smaller than 4 GiB, so an object that has pages is too.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.changes.insert(oid.number(), Some(Object { kind, bytes, params, pages, window: None }));
        Ok(())
    }

    /// Forgets what this commit did to an object. The server never heard of its pages.
    fn discard(&mut self, oid: ObjectId) {
        if let Some(Some(object)) = self.changes.remove(&oid.number()) {
            self.context.allocator.free(&object.pages);
        }
    }
}

impl Drop for Commit<'_> {
    fn drop(&mut self) {
        for object in core::mem::take(&mut self.changes).into_values().flatten() {
            self.context.allocator.free(&object.pages);
        }
    }
}
