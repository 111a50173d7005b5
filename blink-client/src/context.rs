//! A context: an application's objects, events and clock.

use crate::commit::Commit;
use crate::event::{Clock, Event};
use crate::pages::{Allocator, Pages, Retired, out_of_memory, pages_for};
use crate::registers::Registers;
#[cfg(feature = "std")]
use crate::time::Estimate;
use crate::transport::Transport;
use crate::{Error, ObjectId};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use blinkgl::layout::{
    self, DATA_PAGE, ObjectType, SLOT_BYTES, Slot, WindowDesc, aperture, context, join, slot, slot_offset,
};
use blinkgl::limits::{EVENT_RING_ENTRIES, MAX_OBJECTS, PAGE_SIZE};
use blinkgl::shm::{OutOfBounds, Shm, ShmOffset};
use core::cell::Cell;
use core::time::Duration;

/// From one look at the scan counter to the next, while waiting for pages.
const RECLAIM_INTERVAL: Duration = Duration::from_millis(1);
/// How often a publication looks whether pages are free that the server may still be reading: for a second. A
/// server that draws scans within a frame; one that does not within this time is stuck or stopped.
const RECLAIM_TRIES: usize = 1000;
/// Tries to read the clock while the server writes it; it takes some ten instructions to write.
const CLOCK_TRIES: usize = 1000;

/// How often, and at what distance, a client looks for the server's first word about the time: for a second.
#[cfg(feature = "std")]
const FIRST_CLOCK_TRIES: usize = 1000;
#[cfg(feature = "std")]
const FIRST_CLOCK_INTERVAL: Duration = Duration::from_millis(1);

/// An object as it is published, or will be.
#[derive(Debug)]
pub(crate) struct Object {
    pub kind: ObjectType,
    pub bytes: u32,
    pub params: [u32; 8],
    pub pages: Pages,
    /// What a window says, to change single words of it later.
    pub window: Option<Box<WindowDesc>>,
}

#[derive(Debug)]
struct Published {
    slot: usize,
    object: Object,
}

#[derive(Clone, Copy, Debug, Default)]
struct SlotState {
    /// Even; never goes back, also while the slot is free.
    version: u32,
    used: bool,
}

/// Where a new context goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Of its entry in the aperture's directory.
    pub index: usize,
    /// What the entry then holds: not 0, and not what it held before.
    pub generation: u32,
    /// First page.
    pub first: u32,
    /// Number of pages.
    pub pages: u32,
}

/// Frees an entry of the aperture's directory; returns the last generation of what was there.
pub(crate) fn free(memory: &Shm, index: usize) -> Result<u32, OutOfBounds> {
    let entry = aperture::DIRECTORY + index * aperture::ENTRY_BYTES;
    let at = ShmOffset(entry + aperture::ENTRY_GENERATION);
    let last = match memory.load(at)? {
        // A client that gave it up.
        0 => memory.load(ShmOffset(entry + aperture::ENTRY_LAST_GENERATION))?,
        generation => generation,
    };
    memory.store(at, 0)?;
    Ok(last)
}

/// One context in an aperture. Objects are published by a [`Commit`]; registers, events and the clock
/// need none. Dropping it takes its windows from the screen.
#[derive(Debug)]
pub struct Context {
    transport: Arc<dyn Transport>,
    memory: Shm,
    /// Its entry in the aperture's directory.
    entry: ShmOffset,
    pub(crate) allocator: Allocator,
    retired: Retired,
    published: BTreeMap<u32, Published>,
    slots: Vec<SlotState>,
    commit: u32,
    last_oid: u32,
    /// Given out by [`Context::reserve`], and not published yet.
    reserved: BTreeSet<u32>,
    events_taken: u32,
    clock: Cell<Clock>,
    #[cfg(feature = "std")]
    estimate: Estimate,
}

impl Context {
    /// A new context, empty, whatever the memory holds.
    pub(crate) fn new(transport: Arc<dyn Transport>, place: Place) -> Result<Context, Error> {
        let Place { index, generation, first, pages } = place;
        let whole = transport.memory().clone();
        let bytes = |pages: u32| usize::try_from(pages).unwrap_or(usize::MAX).saturating_mul(PAGE_SIZE);
        let memory = whole.part(ShmOffset(bytes(first)), bytes(pages))?;
        let entry = aperture::DIRECTORY + index * aperture::ENTRY_BYTES;
        whole.store(ShmOffset(entry + aperture::ENTRY_FIRST_PAGE), first)?;
        whole.store(ShmOffset(entry + aperture::ENTRY_PAGES), pages)?;
        let events_taken = memory.load(ShmOffset(context::EVENTS_PUT))?;
        memory.store(ShmOffset(context::EVENTS_TAKEN), events_taken)?;
        memory.store(ShmOffset(context::WANT_PRESENTED), 0)?;
        // A client before us may have ended in the middle of a commit.
        let commit = memory.load(ShmOffset(context::COMMIT))?.wrapping_add(1) & !1;
        memory.store(ShmOffset(context::SLOTS), 0)?;
        memory.store(ShmOffset(context::COMMIT), commit)?;
        // The generation comes last: it makes the entry valid.
        whole.store(ShmOffset(entry + aperture::ENTRY_LAST_GENERATION), generation)?;
        let entry = ShmOffset(entry + aperture::ENTRY_GENERATION);
        whole.store(entry, generation)?;
        let data = u32::try_from(DATA_PAGE).unwrap_or(u32::MAX);
        transport.ring();
        Ok(Context {
            transport,
            memory,
            entry,
            allocator: Allocator::new(data, pages),
            retired: Retired::default(),
            published: BTreeMap::new(),
            slots: Vec::new(),
            commit,
            last_oid: 0,
            reserved: BTreeSet::new(),
            events_taken,
            clock: Cell::default(),
            #[cfg(feature = "std")]
            estimate: Estimate::default(),
        })
    }

    /// Begins to collect changes, which the server sees all at once or not at all.
    pub fn commit(&mut self) -> Commit<'_> {
        // An error here would be one at the next allocation too, which can tell it.
        let _reclaimed = self.reclaim();
        Commit::new(self)
    }

    /// An OID for an object to come: [`Commit::set_procedure`] and the like make it then. So a program can name
    /// a texture or buffer whose content comes later.
    ///
    /// # Errors
    /// All OIDs have been used.
    pub fn reserve(&mut self) -> Result<ObjectId, Error> {
        let oid = self.next_oid().ok_or(Error::TooManyObjects(MAX_OBJECTS))?;
        self.reserved.insert(oid.number());
        Ok(oid)
    }

    pub(crate) fn is_reserved(&self, oid: ObjectId) -> bool {
        self.reserved.contains(&oid.number())
    }

    /// Asks for a run of the window's `update` callback: a commit of its own.
    ///
    /// # Errors
    /// No such window, or no page for its new description.
    pub fn request_update(&mut self, window: ObjectId) -> Result<(), Error> {
        let mut commit = self.commit();
        commit.request_update(window)?;
        commit.finish()
    }

    /// A published register file.
    ///
    /// # Errors
    /// No such object, or it is no register file.
    pub fn registers(&self, oid: ObjectId) -> Result<Registers, Error> {
        self.file(oid, self.object(oid)?)
    }

    pub(crate) fn file(&self, oid: ObjectId, object: &Object) -> Result<Registers, Error> {
        check_type(oid, object, ObjectType::Registers)?;
        Ok(Registers::new(&self.memory, object.pages.start())?)
    }

    /// What a published window says.
    ///
    /// # Errors
    /// No such object, or it is no window.
    pub fn window(&self, oid: ObjectId) -> Result<&WindowDesc, Error> {
        let object = self.object(oid)?;
        check_type(oid, object, ObjectType::Window)?;
        object.window.as_deref().ok_or(Error::NoObject(oid))
    }

    /// The next event, if there is one. Kinds of a later version are left out.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            let put = self.memory.load(ShmOffset(context::EVENTS_PUT)).ok()?;
            if put == self.events_taken {
                return None;
            }
            if put.wrapping_sub(self.events_taken) > EVENT_RING_ENTRIES {
                // Not a count that the server makes: what the ring holds is unknown, so it is left.
                log::warn!("the event ring jumped from {} to {put}: events are lost", self.events_taken);
                self.take_events(put)?;
                return None;
            }
            let mut words = [0; 8];
            let at = ShmOffset(layout::event_offset(self.events_taken));
            self.memory.copy_in(at, &mut words).ok()?;
            self.take_events(self.events_taken.wrapping_add(1))?;
            if let Some(event) = Event::decode(&layout::Event::decode(words)) {
                return Some(event);
            }
        }
    }

    /// Tells the server that the ring's events before `count` may be overwritten.
    fn take_events(&mut self, count: u32) -> Option<()> {
        self.events_taken = count;
        self.memory.store(ShmOffset(context::EVENTS_TAKEN), count).ok()
    }

    /// Events that were dropped because nobody took them from the ring; a running count.
    #[must_use]
    pub fn dropped_events(&self) -> u32 {
        self.memory.load(ShmOffset(context::EVENTS_DROPPED)).unwrap_or(0)
    }

    /// Asks for [`crate::What::Presented`] events, or no more.
    pub fn want_presented(&mut self, wanted: bool) {
        let stored = self.memory.store(ShmOffset(context::WANT_PRESENTED), u32::from(wanted));
        debug_assert!(stored.is_ok(), "the header page is part of each context");
    }

    /// The server's clock as of its last frame; zeros before the first.
    #[must_use]
    pub fn clock(&self) -> Clock {
        if let Ok(Some(clock)) = self.read_clock() {
            self.clock.set(clock);
        }
        self.clock.get()
    }

    /// The server's clock now. On another machine than the server's it is estimated from what the server last told;
    /// this waits for its first word, at most a second (without one, it is the clock of this machine).
    #[cfg(feature = "std")]
    #[must_use]
    pub fn now(&self) -> u64 {
        if let Some(now) = self.transport.now() {
            return now;
        }
        for _ in 0..FIRST_CLOCK_TRIES {
            let told = self.clock().now;
            if told != 0 {
                return self.estimate.now(told, crate::now());
            }
            self.transport.pause(FIRST_CLOCK_INTERVAL);
        }
        crate::now()
    }

    /// `None`: a renderer died while it wrote; the next one will write it again.
    fn read_clock(&self) -> Result<Option<Clock>, OutOfBounds> {
        for _ in 0..CLOCK_TRIES {
            let sequence = self.memory.load(ShmOffset(context::CLOCK_SEQUENCE))?;
            if sequence.is_multiple_of(2) {
                let mut words = [0; 8];
                self.memory.copy_in(ShmOffset(context::CLOCK_NOW), &mut words)?;
                if self.memory.load(ShmOffset(context::CLOCK_SEQUENCE))? == sequence {
                    let [now, now_high, next, next_high, refresh, refresh_high, frame, frame_high] = words;
                    return Ok(Some(Clock {
                        now: join(now, now_high),
                        next_present: join(next, next_high),
                        refresh: join(refresh, refresh_high),
                        frame: join(frame, frame_high),
                    }));
                }
            }
            core::hint::spin_loop();
        }
        Ok(None)
    }

    /// How often a renderer started on this context; 0 before the first.
    #[must_use]
    pub fn server_epoch(&self) -> u32 {
        self.memory.load(ShmOffset(context::SERVER_EPOCH)).unwrap_or(0)
    }

    /// The server has seen all that was published.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.memory.load(ShmOffset(context::SCANNED)).is_ok_and(|seen| seen == self.commit)
    }

    /// Bytes that are free for objects, those included that the server may still be reading.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        let pages = self.allocator.free_pages() + self.retired.count();
        usize::try_from(pages).unwrap_or(0) * PAGE_SIZE
    }

    pub(crate) fn memory(&self) -> &Shm {
        &self.memory
    }

    pub(crate) fn object(&self, oid: ObjectId) -> Result<&Object, Error> {
        self.published.get(&oid.number()).map(|p| &p.object).ok_or(Error::NoObject(oid))
    }

    /// The version that a published object's slot has.
    pub(crate) fn slot_version(&self, oid: ObjectId) -> Option<u32> {
        self.slots.get(self.published.get(&oid.number())?.slot).map(|slot| slot.version)
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = (u32, &Object)> {
        self.published.iter().map(|(&oid, published)| (oid, &published.object))
    }

    /// An OID that was not used before.
    pub(crate) fn next_oid(&mut self) -> Option<ObjectId> {
        self.last_oid = self.last_oid.checked_add(1)?;
        ObjectId::new(self.last_oid)
    }

    fn reclaim(&mut self) -> Result<(), Error> {
        let scanned = self.memory.load(ShmOffset(context::SCANNED))?;
        self.retired.reclaim(scanned, &mut self.allocator);
        Ok(())
    }

    /// Pages for `bytes` bytes; waits for those that the server may still be reading if need be.
    pub(crate) fn allocate(&mut self, bytes: usize) -> Result<Pages, Error> {
        let wanted = pages_for(bytes);
        if let Some(pages) = self.allocator.allocate(wanted) {
            return Ok(pages);
        }
        self.transport.ring();
        for _ in 0..RECLAIM_TRIES {
            self.reclaim()?;
            if let Some(pages) = self.allocator.allocate(wanted) {
                return Ok(pages);
            }
            if self.retired.count() == 0 {
                break;
            }
            self.transport.pause(RECLAIM_INTERVAL);
        }
        Err(out_of_memory(wanted, &self.allocator, &self.retired))
    }

    /// Publishes changes: `None` removes an object.
    pub(crate) fn publish(&mut self, changes: BTreeMap<u32, Option<Object>>) -> Result<(), Error> {
        let after = self.commit.wrapping_add(2);
        self.memory.store(ShmOffset(context::COMMIT), self.commit.wrapping_add(1))?;
        self.commit = after;
        let (objects, removals): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, o)| o.is_some());
        // Removals first: their slots may be needed.
        for (oid, _) in removals {
            if let Some(old) = self.published.remove(&oid) {
                self.write_slot(old.slot, None)?;
                self.retired.add(after, old.object.pages);
            }
        }
        for (oid, object) in objects {
            let Some(object) = object else { continue };
            let slot = match self.published.remove(&oid) {
                Some(old) => {
                    self.retired.add(after, old.object.pages);
                    old.slot
                }
                None => self.free_slot(),
            };
            self.write_slot(slot, Some((oid, &object)))?;
            self.reserved.remove(&oid);
            self.published.insert(oid, Published { slot, object });
        }
        let slots = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.memory.store(ShmOffset(context::SLOTS), slots)?;
        self.memory.store(ShmOffset(context::COMMIT), after)?;
        self.transport.ring();
        Ok(())
    }

    fn free_slot(&mut self) -> usize {
        self.slots.iter().position(|slot| !slot.used).unwrap_or_else(|| {
            self.slots.push(SlotState::default());
            self.slots.len() - 1
        })
    }

    fn write_slot(&mut self, index: usize, object: Option<(u32, &Object)>) -> Result<(), OutOfBounds> {
        let state = &mut self.slots[index];
        state.used = object.is_some();
        let version = state.version.wrapping_add(2);
        state.version = version;
        let at = slot_offset(index);
        let words = match object {
            None => [0; layout::SLOT_WORDS],
            Some((oid, object)) => Slot {
                version,
                oid,
                type_code: object.kind as u32,
                bytes: object.bytes,
                extent_count: u32::try_from(object.pages.0.len()).unwrap_or(u32::MAX),
                params: object.params,
                extents: object.pages.encode(),
            }
            .encode(),
        };
        debug_assert_eq!(size_of_val(&words), SLOT_BYTES);
        self.memory.store(ShmOffset(at), version.wrapping_sub(1))?;
        self.memory.copy_out(ShmOffset(at + 4 * slot::OID), &words[slot::OID..])?;
        self.memory.store(ShmOffset(at), version)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let stored = self.transport.memory().store(self.entry, 0);
        debug_assert!(stored.is_ok(), "the directory is part of each aperture");
        self.transport.ring();
    }
}

pub(crate) fn check_type(oid: ObjectId, object: &Object, wanted: ObjectType) -> Result<(), Error> {
    if object.kind == wanted { Ok(()) } else { Err(Error::WrongType { oid, found: object.kind, wanted }) }
}
