//! Which of a context's data pages are free.

use crate::Error;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use blinkgl::limits::{MAX_EXTENTS, PAGE_SIZE};
use blinkgl::shm::{OutOfBounds, Shm, ShmOffset};

/// Bytes that a copy within the memory takes out at once.
const COPY_BYTES: usize = 16 * PAGE_SIZE;

/// A run of pages; counted from the context's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub first: u32,
    pub pages: u32,
}

/// The pages of one object, at most [`MAX_EXTENTS`] runs, in the order of its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pages(pub Vec<Extent>);

impl Pages {
    pub fn count(&self) -> u32 {
        self.0.iter().map(|e| e.pages).sum()
    }

    /// The bytes of the first run begin here.
    pub fn start(&self) -> ShmOffset {
        ShmOffset(self.0.first().map_or(0, |e| index(e.first)) * PAGE_SIZE)
    }

    /// As a slot has them.
    pub fn encode(&self) -> [(u32, u32); MAX_EXTENTS] {
        let mut list = [(0, 0); MAX_EXTENTS];
        for (to, extent) in list.iter_mut().zip(&self.0) {
            *to = (extent.first, extent.pages);
        }
        list
    }

    /// Copies the first `bytes` bytes to the pages of another object.
    pub fn copy_to(&self, memory: &Shm, to: &Pages, bytes: usize) -> Result<(), OutOfBounds> {
        let mut buffer = Vec::new();
        let mut at = 0;
        for extent in &self.0 {
            let start = index(extent.first) * PAGE_SIZE;
            let end = index(extent.pages) * PAGE_SIZE;
            for skip in (0..end).step_by(COPY_BYTES) {
                let now = (bytes - at).min(COPY_BYTES).min(end - skip);
                buffer.clear();
                memory.copy_bytes_in(ShmOffset(start + skip), now, &mut buffer)?;
                to.write(memory, at, &buffer)?;
                at += now;
            }
        }
        Ok(())
    }

    /// Copies `bytes` out to `at` bytes from the object's start.
    pub fn write(&self, memory: &Shm, at: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let mut rest = bytes;
        let mut skip = at;
        for extent in &self.0 {
            let size = index(extent.pages) * PAGE_SIZE;
            if skip >= size {
                skip -= size;
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(size - skip));
            write_run(memory, index(extent.first) * PAGE_SIZE + skip, now)?;
            rest = later;
            skip = 0;
            if rest.is_empty() {
                return Ok(());
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        let size = index(self.count()) * PAGE_SIZE;
        Err(OutOfBounds { offset: at, length: bytes.len(), size })
    }
}

/// Copies bytes out, to any offset: whole double words at once, the ends into the words that hold them.
fn write_run(memory: &Shm, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
    let head = (offset.next_multiple_of(8) - offset).min(bytes.len());
    let (head, rest) = bytes.split_at(head);
    let (body, tail) = rest.split_at(rest.len() - rest.len() % 8);
    let body_at = offset + head.len();
    write_bytes(memory, offset, head)?;
    if !body.is_empty() {
        memory.copy_bytes_out(ShmOffset(body_at), body)?;
    }
    write_bytes(memory, body_at + body.len(), tail)
}

/// Copies a few bytes out. The pages are not published, so nobody else writes to the words around them.
fn write_bytes(memory: &Shm, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
    for (i, &byte) in bytes.iter().enumerate() {
        let at = offset + i;
        let word = ShmOffset(at - at % 4);
        let mut whole = memory.load(word)?.to_le_bytes();
        if let Some(place) = whole.get_mut(at % 4) {
            *place = byte;
        }
        memory.store(word, u32::from_le_bytes(whole))?;
    }
    Ok(())
}

/// Page counts fit an index on every machine that can map an aperture.
fn index(pages: u32) -> usize {
    usize::try_from(pages).unwrap_or(usize::MAX)
}

/// Pages for `bytes` bytes, at least one.
pub(crate) fn pages_for(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PAGE_SIZE).max(1)).unwrap_or(u32::MAX)
}

/// The free pages: runs by their first page; no two of them touch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allocator {
    free: BTreeMap<u32, u32>,
}

impl Allocator {
    /// All of `first..end` is free.
    pub fn new(first: u32, end: u32) -> Allocator {
        let mut allocator = Allocator::default();
        if end > first {
            allocator.free.insert(first, end - first);
        }
        allocator
    }

    pub fn free_pages(&self) -> u32 {
        self.free.values().sum()
    }

    pub fn longest(&self) -> u32 {
        self.free.values().copied().max().unwrap_or(0)
    }

    /// Takes pages: the first run that holds all of them, else the longest runs, at most [`MAX_EXTENTS`].
    pub fn allocate(&mut self, pages: u32) -> Option<Pages> {
        let fitting = self.free.iter().find(|&(_, &run)| run >= pages).map(|(&first, _)| first);
        if let Some(first) = fitting {
            self.take(first, pages);
            return Some(Pages(vec![Extent { first, pages }]));
        }
        let mut runs: Vec<(u32, u32)> = self.free.iter().map(|(&first, &run)| (first, run)).collect();
        runs.sort_by_key(|&(first, run)| (core::cmp::Reverse(run), first));
        let mut extents = Vec::new();
        let mut missing = pages;
        for (first, run) in runs.into_iter().take(MAX_EXTENTS) {
            let pages = run.min(missing);
            extents.push(Extent { first, pages });
            missing -= pages;
            if missing == 0 {
                for extent in &extents {
                    self.take(extent.first, extent.pages);
                }
                return Some(Pages(extents));
            }
        }
        None
    }

    /// Cuts `pages` off the start of the run at `first`.
    fn take(&mut self, first: u32, pages: u32) {
        if let Some(run) = self.free.remove(&first)
            && run > pages
        {
            self.free.insert(first + pages, run - pages);
        }
    }

    /// Gives pages back.
    pub fn free(&mut self, pages: &Pages) {
        for &Extent { mut first, mut pages } in &pages.0 {
            if let Some((&before, &run)) = self.free.range(..first).next_back()
                && before + run == first
            {
                self.free.remove(&before);
                first = before;
                pages += run;
            }
            if let Some(run) = self.free.remove(&(first + pages)) {
                pages += run;
            }
            self.free.insert(first, pages);
        }
    }
}

/// Pages that the server may still be reading: free when its scan has seen the commit that replaced them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Retired {
    waiting: Vec<(u32, Pages)>,
}

impl Retired {
    /// `pages` were in use until commit `commit`.
    pub fn add(&mut self, commit: u32, pages: Pages) {
        self.waiting.push((commit, pages));
    }

    pub fn count(&self) -> u32 {
        self.waiting.iter().map(|(_, pages)| pages.count()).sum()
    }

    /// Gives back what a scan of commit `scanned` makes free.
    pub fn reclaim(&mut self, scanned: u32, allocator: &mut Allocator) {
        self.waiting.retain(|(commit, pages)| {
            // Counters wrap: the scan has seen all commits of the half circle behind it.
            let seen = scanned.wrapping_sub(*commit) < u32::MAX / 2;
            if seen {
                allocator.free(pages);
            }
            !seen
        });
    }
}

/// The error of a full context.
pub(crate) fn out_of_memory(wanted: u32, allocator: &Allocator, retired: &Retired) -> Error {
    Error::OutOfMemory {
        wanted,
        free: allocator.free_pages(),
        longest: allocator.longest(),
        retired: retired.count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: u32 = 19;
    const END: u32 = 300;

    /// Who has each page.
    fn check(allocator: &Allocator, taken: &[Pages]) {
        let mut owners = vec![0; 300];
        for extent in taken.iter().flat_map(|p| &p.0) {
            assert!(extent.pages > 0);
            for page in extent.first..extent.first + extent.pages {
                owners[page as usize] += 1;
            }
        }
        let mut last_end = 0;
        for (&first, &run) in &allocator.free {
            assert!(run > 0 && first > last_end, "runs are sorted, not empty, and don't touch");
            last_end = first + run;
            for page in first..last_end {
                owners[page as usize] += 1;
            }
        }
        for (page, &count) in owners.iter().enumerate() {
            assert_eq!(count, u32::from(page >= FIRST as usize), "page {page}");
        }
    }

    /// Whatever is taken and given back: each page is free or has one owner.
    #[test]
    fn no_page_is_lost_or_given_twice() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..50 {
            let mut allocator = Allocator::new(FIRST, END);
            let mut taken: Vec<Pages> = Vec::new();
            let mut refused = 0;
            for _ in 0..300 {
                if rng.u32(0..5) < 2 && !taken.is_empty() {
                    let pages = taken.swap_remove(rng.usize(0..taken.len()));
                    allocator.free(&pages);
                } else {
                    let most = if rng.bool() { 4 } else { 60 };
                    let wanted = rng.u32(1..most);
                    let free = allocator.free_pages();
                    match allocator.allocate(wanted) {
                        Some(pages) => {
                            assert_eq!(pages.count(), wanted);
                            assert!(pages.0.len() <= MAX_EXTENTS);
                            taken.push(pages);
                        }
                        None => {
                            refused += 1;
                            let mut runs: Vec<u32> = allocator.free.values().copied().collect();
                            runs.sort_unstable_by(|a, b| b.cmp(a));
                            let best: u32 = runs.iter().take(MAX_EXTENTS).sum();
                            assert!(
                                best < wanted,
                                "{wanted} of {free} pages refused though {runs:?} are free"
                            );
                        }
                    }
                }
                check(&allocator, &taken);
            }
            assert!(refused > 0, "the test never fills the memory");
            for pages in taken.drain(..) {
                allocator.free(&pages);
            }
            assert_eq!(allocator.free.iter().collect::<Vec<_>>(), [(&FIRST, &(END - FIRST))]);
        }
    }

    #[test]
    fn bytes_go_where_they_belong_across_runs() {
        let memory = Shm::anonymous(8 * PAGE_SIZE);
        let pages = Pages(vec![Extent { first: 5, pages: 1 }, Extent { first: 2, pages: 2 }]);
        let mut model = vec![0; 3 * PAGE_SIZE];
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..200 {
            let at = rng.usize(0..model.len());
            let length = rng.usize(0..=(model.len() - at).min(5000));
            let bytes: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
            pages.write(&memory, at, &bytes).unwrap();
            model[at..at + length].copy_from_slice(&bytes);
        }
        let mut found = Vec::new();
        memory.copy_bytes_in(ShmOffset(5 * PAGE_SIZE), PAGE_SIZE, &mut found).unwrap();
        memory.copy_bytes_in(ShmOffset(2 * PAGE_SIZE), 2 * PAGE_SIZE, &mut found).unwrap();
        assert!(found == model);
        let copy = Pages(vec![Extent { first: 6, pages: 1 }, Extent { first: 0, pages: 2 }]);
        pages.copy_to(&memory, &copy, model.len() - 5).unwrap();
        let mut copied = Vec::new();
        memory.copy_bytes_in(ShmOffset(6 * PAGE_SIZE), PAGE_SIZE, &mut copied).unwrap();
        memory.copy_bytes_in(ShmOffset(0), 2 * PAGE_SIZE - 5, &mut copied).unwrap();
        assert!(copied == model[..model.len() - 5]);
        for page in [0, 1, 6] {
            memory.copy_bytes_out(ShmOffset(page * PAGE_SIZE), &[0; PAGE_SIZE]).unwrap();
        }
        let mut others = Vec::new();
        memory.copy_bytes_in(ShmOffset(0), 2 * PAGE_SIZE, &mut others).unwrap();
        memory.copy_bytes_in(ShmOffset(6 * PAGE_SIZE), 2 * PAGE_SIZE, &mut others).unwrap();
        assert!(others.iter().all(|&b| b == 0), "nothing outside was written");
        assert!(pages.write(&memory, 3 * PAGE_SIZE - 1, &[1, 2]).is_err());
    }

    #[test]
    fn retired_pages_wait_for_the_scan_across_the_wrap() {
        let mut allocator = Allocator::new(1, 11);
        let mut retired = Retired::default();
        let old = allocator.allocate(4).unwrap();
        let newer = allocator.allocate(6).unwrap();
        retired.add(u32::MAX - 1, old);
        retired.add(0, newer);
        retired.reclaim(u32::MAX - 3, &mut allocator);
        assert_eq!(allocator.free_pages(), 0);
        retired.reclaim(u32::MAX - 1, &mut allocator);
        assert_eq!((allocator.free_pages(), retired.count()), (4, 6));
        retired.reclaim(2, &mut allocator);
        assert_eq!((allocator.free_pages(), retired.count()), (10, 0));
    }
}
