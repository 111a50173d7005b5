//! A client that writes its aperture word by word, right or wrong.
#![allow(dead_code, reason = "each test uses its part")]

use blinkgl::WireProgram;
use blinkgl::layout::{
    APERTURE_MAGIC, APERTURE_VERSION, DATA_PAGE, Event, EventKind, ObjectType, Slot, WindowDesc, aperture,
    context, event_offset, slot, slot_offset,
};
use blinkgl::limits::{MAX_EXTENTS, PAGE_SIZE};
use blinkgl::ops::Callback;
use blinkgl::shm::{Shm, ShmOffset};

/// A store of a word: where, and what.
pub type Write = (usize, u32);

/// Writer of one context.
#[derive(Debug)]
pub struct Raw {
    pub memory: Shm,
    /// The context's first page in the aperture.
    pub first: usize,
    /// Its pages.
    pub pages: usize,
    /// The next free data page.
    pub page: usize,
    pub commit: u32,
    pub slots: u32,
    version: u32,
    taken: u32,
}

impl Raw {
    /// Fills directory entry 0 with a context over all of the memory.
    pub fn new(memory: Shm) -> Raw {
        let pages = memory.size() / PAGE_SIZE - 1;
        Raw::open(memory, 0, 1, 1, pages)
    }

    /// Fills directory entry `index`.
    pub fn open(memory: Shm, index: usize, generation: u32, first: usize, pages: usize) -> Raw {
        let mut raw =
            Raw { memory, first, pages, page: DATA_PAGE, commit: 0, slots: 0, version: 2, taken: 0 };
        raw.directory(index, generation, first as u32, pages as u32);
        raw
    }

    /// Writes a directory entry.
    pub fn directory(&mut self, index: usize, generation: u32, first: u32, pages: u32) {
        let at = aperture::DIRECTORY + index * aperture::ENTRY_BYTES;
        self.whole(at + aperture::ENTRY_FIRST_PAGE, first);
        self.whole(at + aperture::ENTRY_PAGES, pages);
        self.whole(at + aperture::ENTRY_GENERATION, generation);
    }

    /// Stores a word of the aperture.
    pub fn whole(&self, offset: usize, value: u32) {
        self.memory.store(ShmOffset(offset), value).unwrap();
    }

    /// Stores a word of the context.
    pub fn put(&self, offset: usize, value: u32) {
        self.whole(self.first * PAGE_SIZE + offset, value);
    }

    pub fn get(&self, offset: usize) -> u32 {
        self.memory.load(ShmOffset(self.first * PAGE_SIZE + offset)).unwrap()
    }

    /// Puts words on data pages of their own; gives the extent.
    pub fn data(&mut self, words: &[u32]) -> (u32, u32) {
        let first = self.page;
        for (i, &word) in words.iter().enumerate() {
            self.put(first * PAGE_SIZE + i * 4, word);
        }
        let pages = (words.len() * 4).div_ceil(PAGE_SIZE).max(1);
        self.page += pages;
        (first as u32, pages as u32)
    }

    /// A slot for words that are data; the version is new.
    pub fn object(&mut self, oid: u32, kind: ObjectType, words: &[u32], params: [u32; 8]) -> Slot {
        let mut extents = [(0, 0); MAX_EXTENTS];
        extents[0] = self.data(words);
        self.version += 2;
        Slot {
            version: self.version,
            oid,
            type_code: kind as u32,
            bytes: (words.len() * 4) as u32,
            extent_count: 1,
            params,
            extents,
        }
    }

    /// Writes a slot as it is, outside of a commit.
    pub fn slot(&mut self, index: usize, slot: &Slot) {
        for (i, word) in slot.encode().into_iter().enumerate() {
            self.put(slot_offset(index) + i * 4, word);
        }
        self.slots = self.slots.max(index as u32 + 1);
        self.put(context::SLOTS, self.slots);
    }

    pub fn procedure(&mut self, index: usize, oid: u32, callback: Callback, program: &WireProgram) {
        let slot = self.object(
            oid,
            ObjectType::Procedure,
            program.untrusted_words(),
            [callback as u32, 0, 0, 0, 0, 0, 0, 0],
        );
        self.slot(index, &slot);
    }

    pub fn window(&mut self, index: usize, oid: u32, desc: &WindowDesc) {
        let slot = self.object(oid, ObjectType::Window, &desc.encode(), [0; 8]);
        self.slot(index, &slot);
    }

    /// Ends a commit.
    pub fn committed(&mut self) {
        self.commit = self.commit.wrapping_add(2);
        self.put(context::COMMIT, self.commit);
    }

    /// The stores of a proper commit of some slots, in their order.
    pub fn publication(&self, slots: &[Slot]) -> Vec<Write> {
        let at = self.first * PAGE_SIZE;
        let mut writes = vec![(at + context::COMMIT, self.commit + 1)];
        for (index, slot) in slots.iter().enumerate() {
            let offset = at + slot_offset(index);
            let words = slot.encode();
            writes.push((offset + slot::VERSION * 4, words[slot::VERSION] - 1));
            writes.extend(words.iter().enumerate().skip(1).map(|(i, &word)| (offset + i * 4, word)));
            writes.push((offset + slot::VERSION * 4, words[slot::VERSION]));
        }
        writes.push((at + context::SLOTS, slots.len() as u32));
        writes.push((at + context::COMMIT, self.commit + 2));
        writes
    }

    /// Events since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        let put = self.get(context::EVENTS_PUT);
        let events = (0..put.wrapping_sub(self.taken)).map(|i| {
            let mut words = [0; 8];
            let at = self.first * PAGE_SIZE + event_offset(self.taken.wrapping_add(i));
            self.memory.copy_in(ShmOffset(at), &mut words).unwrap();
            Event::decode(words)
        });
        let events = events.collect();
        self.taken = put;
        self.put(context::EVENTS_TAKEN, put);
        events
    }

    /// The first event of a kind since the last call.
    pub fn event(&mut self, kind: EventKind) -> Option<Event> {
        self.events().into_iter().find(|event| event.kind == kind as u32)
    }
}

/// Memory of an aperture as the broker makes it.
pub fn aperture_memory(size: usize) -> Shm {
    let memory = Shm::anonymous(size);
    for (offset, value) in [
        (aperture::MAGIC, APERTURE_MAGIC),
        (aperture::VERSION, APERTURE_VERSION),
        (aperture::PAGES, (size / PAGE_SIZE) as u32),
    ] {
        memory.store(ShmOffset(offset), value).unwrap();
    }
    memory
}
