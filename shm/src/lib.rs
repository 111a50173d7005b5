//! The only access to shared memory.
//!
//! The other side may change any byte at any time, so no Rust reference into a mapping ever exists:
//! words go in and out by atomic operations, bulk data by copies made of them. What was copied is
//! private and can be checked; reading a word twice is a bug (the second may differ).
//!
//! Words are accessed as 32-bit atomics, a client's pixels as 64-bit ones, and a window's, which only another process
//! writes, by volatile reads of 128 bits. A peer that writes the same bytes with another width, or with plain stores,
//! while they are copied can make the copy hold any value, and nothing else: the copy is private before anything
//! looks at it.
//!
//! All `unsafe` of this crate is here.

#![no_std]

extern crate alloc;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Bytes of a page: the unit in which memory is shared.
pub const PAGE_SIZE: usize = 4096;

/// The alpha of a pixel that hides what is behind it.
const OPAQUE: u32 = 0xff00_0000;
/// Bytes of four pixels.
const FOUR_PIXELS: usize = 16;

/// Four pixels, opaque.
///
/// # Safety
/// `at` is a multiple of `FOUR_PIXELS`, and the four words from there are readable.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
unsafe fn four_pixels(at: NonNull<AtomicU32>) -> [u32; 4] {
    use core::arch::x86_64::{__m128i, _mm_or_si128, _mm_set1_epi32};
    // SAFETY: the caller's: aligned and readable. Who writes there meanwhile is another process, in memory that Rust did not
    // allocate: volatile is made for that, the four words are read once, and any value is a value.
    let pixels = unsafe { at.cast::<__m128i>().read_volatile() };
    // SAFETY: every x86-64 processor has SSE2, and both types are 16 bytes that may have any value.
    unsafe { core::mem::transmute(_mm_or_si128(pixels, _mm_set1_epi32(OPAQUE.cast_signed()))) }
}

/// Four pixels, opaque.
///
/// # Safety
/// `at` is a multiple of `FOUR_PIXELS`, and the four words from there are readable.
#[cfg(any(not(target_arch = "x86_64"), miri))]
#[inline]
unsafe fn four_pixels(at: NonNull<AtomicU32>) -> [u32; 4] {
    let two = |i: usize| {
        // SAFETY: the caller's: 16 readable bytes at an address that is a multiple of 8; `i` is 0 or 1. Atomics may be
        // accessed concurrently.
        let both = u64::from_le(unsafe { at.cast::<AtomicU64>().add(i).as_ref() }.load(Ordering::Relaxed));
        [OPAQUE | (both & 0xffff_ffff) as u32, OPAQUE | (both >> 32) as u32]
    };
    let ([a, b], [c, d]) = (two(0), two(1));
    [a, b, c, d]
}

/// A byte offset into a shared region that was not checked against its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShmOffset(pub usize);

/// An access outside the region, or not aligned to the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes at offset {offset:#x} are outside the {size} bytes of shared memory, or not aligned")]
pub struct OutOfBounds {
    /// Where.
    pub offset: usize,
    /// How many bytes.
    pub length: usize,
    /// Bytes of the region.
    pub size: usize,
}

/// A region of memory shared with an untrusted peer.
#[derive(Clone)]
pub struct Shm {
    base: NonNull<u8>,
    size: usize,
    /// Keeps the mapping alive.
    _owner: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for Shm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shm({} bytes)", self.size)
    }
}

// SAFETY: the memory behind `base` is only touched by atomic operations, and `_owner`, which keeps it
// mapped, is Send and Sync.
unsafe impl Send for Shm {}
// SAFETY: as above.
unsafe impl Sync for Shm {}

/// Private memory for [`Shm::anonymous`], aligned to a page.
#[repr(C, align(4096))]
struct Page([AtomicU64; PAGE_SIZE / 8]);

impl Shm {
    /// A region at `base` of `size` bytes, alive as long as `owner`.
    ///
    /// # Safety
    /// `base` is aligned to 8 bytes; `base..base + size` is readable and writable memory for as long
    /// as `owner` lives, cannot be truncated under us (seals, or memory without a file), and nothing
    /// in this process accesses it except through `Shm`s.
    #[must_use]
    pub unsafe fn new(base: NonNull<u8>, size: usize, owner: Arc<dyn Any + Send + Sync>) -> Shm {
        Shm { base, size, _owner: owner }
    }

    /// Zeroed private memory that only this process sees: for tests and in-process clients.
    #[must_use]
    pub fn anonymous(size: usize) -> Shm {
        let pages: Vec<Page> = (0..size.div_ceil(PAGE_SIZE))
            .map(|_| Page([const { AtomicU64::new(0) }; PAGE_SIZE / 8]))
            .collect();
        let owner = Arc::new(pages);
        let base = NonNull::from(owner.as_slice()).cast::<u8>();
        // SAFETY: `owner` holds at least `size` bytes of page-aligned atomics at `base`, never moved or
        // resized, and its contents are not accessible otherwise.
        unsafe { Shm::new(base, size, owner) }
    }

    /// Bytes of the region.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The part `offset..offset + size`; both multiples of 8.
    ///
    /// # Errors
    /// It is not inside.
    pub fn part(&self, offset: ShmOffset, size: usize) -> Result<Shm, OutOfBounds> {
        let base = self.check(offset, size, 8)?;
        if !size.is_multiple_of(8) {
            return Err(OutOfBounds { offset: offset.0, length: size, size: self.size });
        }
        Ok(Shm { base, size, _owner: Arc::clone(&self._owner) })
    }

    /// Reads a 32-bit word. `Ordering::Acquire`.
    ///
    /// # Errors
    /// Out of bounds or not aligned to 4.
    #[inline]
    pub fn load(&self, offset: ShmOffset) -> Result<u32, OutOfBounds> {
        Ok(u32::from_le(self.word(offset)?.load(Ordering::Acquire)))
    }

    /// Writes a 32-bit word. `Ordering::Release`.
    ///
    /// # Errors
    /// Out of bounds or not aligned to 4.
    #[inline]
    pub fn store(&self, offset: ShmOffset, value: u32) -> Result<(), OutOfBounds> {
        self.word(offset)?.store(value.to_le(), Ordering::Release);
        Ok(())
    }

    /// Copies words in: the one way for a client's data to become ours.
    ///
    /// # Errors
    /// Out of bounds or not aligned to 4.
    pub fn copy_in(&self, offset: ShmOffset, into: &mut [u32]) -> Result<(), OutOfBounds> {
        let base = self.check(offset, size_of_val(into), 4)?;
        for (i, word) in into.iter_mut().enumerate() {
            // SAFETY: `check` proved that all of `into.len()` aligned words from `base` are inside the
            // region; atomics may be accessed concurrently.
            *word = u32::from_le(unsafe { base.cast::<AtomicU32>().add(i).as_ref() }.load(Ordering::Relaxed));
        }
        fence(Ordering::Acquire);
        Ok(())
    }

    /// Copies pixels in and makes them opaque: the highest byte of each word is set. Four at a time, which takes half as long
    /// as two where another core wrote them.
    ///
    /// # Errors
    /// Out of bounds or not aligned to 4.
    pub fn copy_pixels_in(&self, offset: ShmOffset, into: &mut [u32]) -> Result<(), OutOfBounds> {
        let base = self.check(offset, size_of_val(into), 4)?.cast::<AtomicU32>();
        let lead = base.as_ptr().align_offset(FOUR_PIXELS).min(into.len());
        let (first, rest) = into.split_at_mut(lead);
        for (i, word) in first.iter_mut().enumerate() {
            *word = OPAQUE | self.load(ShmOffset(offset.0 + i * 4))?;
        }
        let (fours, last) = rest.as_chunks_mut::<4>();
        for (i, four) in fours.iter_mut().enumerate() {
            // SAFETY: the four words from this one on are inside the region, because `into` has room for them and `check`
            // proved that all of its words are; `lead` words make the address a multiple of `FOUR_PIXELS`.
            *four = unsafe { four_pixels(base.add(lead + i * 4)) };
        }
        let done = lead + fours.len() * 4;
        for (i, word) in last.iter_mut().enumerate() {
            *word = OPAQUE | self.load(ShmOffset(offset.0 + (done + i) * 4))?;
        }
        fence(Ordering::Acquire);
        Ok(())
    }

    /// Copies bytes in, appended to `into`; `offset` is aligned to 8. For pixels.
    ///
    /// # Errors
    /// Out of bounds or not aligned to 8.
    pub fn copy_bytes_in(
        &self,
        offset: ShmOffset,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), OutOfBounds> {
        // A length near the end of the address space has no next multiple; with wrapping arithmetic it
        // would be 0, and pass the check.
        let Some(padded) = length.checked_next_multiple_of(8) else {
            return Err(OutOfBounds { offset: offset.0, length, size: self.size });
        };
        let base = self.check(offset, padded, 8)?;
        into.reserve(padded);
        for i in 0..length.div_ceil(8) {
            // SAFETY: `check` proved that all aligned double words that hold `length` bytes are inside
            // the region; atomics may be accessed concurrently.
            let word = unsafe { base.cast::<AtomicU64>().add(i).as_ref() }.load(Ordering::Relaxed);
            into.extend_from_slice(&word.to_ne_bytes());
        }
        into.truncate(into.len() - (padded - length));
        fence(Ordering::Acquire);
        Ok(())
    }

    /// Copies words out.
    ///
    /// # Errors
    /// Out of bounds or not aligned to 4.
    pub fn copy_out(&self, offset: ShmOffset, from: &[u32]) -> Result<(), OutOfBounds> {
        let base = self.check(offset, size_of_val(from), 4)?;
        fence(Ordering::Release);
        for (i, word) in from.iter().enumerate() {
            // SAFETY: `check` proved that all of `from.len()` aligned words from `base` are inside the
            // region; atomics may be accessed concurrently.
            unsafe { base.cast::<AtomicU32>().add(i).as_ref() }.store(word.to_le(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Copies bytes out; `offset` is aligned to 8 and the last double word is padded with zeros.
    ///
    /// # Errors
    /// Out of bounds or not aligned to 8.
    pub fn copy_bytes_out(&self, offset: ShmOffset, from: &[u8]) -> Result<(), OutOfBounds> {
        let base = self.check(offset, from.len().next_multiple_of(8), 8)?;
        fence(Ordering::Release);
        for (i, chunk) in from.chunks(8).enumerate() {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            // SAFETY: `check` proved that all aligned double words that hold `from` are inside the
            // region; atomics may be accessed concurrently.
            unsafe { base.cast::<AtomicU64>().add(i).as_ref() }
                .store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
        }
        Ok(())
    }

    #[inline]
    fn word(&self, offset: ShmOffset) -> Result<&AtomicU32, OutOfBounds> {
        let at = self.check(offset, 4, 4)?;
        // SAFETY: `check` proved that an aligned word at `at` is inside the region, which lives as long
        // as `self` does; atomics may be accessed concurrently.
        Ok(unsafe { at.cast::<AtomicU32>().as_ref() })
    }

    /// The address of `offset`, if `length` bytes from there are inside and `align` divides both the
    /// offset and (as `base` is aligned to 8) the address.
    #[inline]
    fn check(&self, offset: ShmOffset, length: usize, align: usize) -> Result<NonNull<u8>, OutOfBounds> {
        let inside = offset.0.checked_add(length).is_some_and(|end| end <= self.size);
        if !inside || !offset.0.is_multiple_of(align) {
            return Err(OutOfBounds { offset: offset.0, length, size: self.size });
        }
        // SAFETY: `offset.0 <= self.size`, so the result is inside the region or one past its end.
        Ok(unsafe { self.base.add(offset.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn copies_go_there_and_back() {
        let shm = Shm::anonymous(2 * PAGE_SIZE);
        shm.copy_out(ShmOffset(4), &[1, 2, 3]).unwrap();
        let mut words = [0; 3];
        shm.copy_in(ShmOffset(4), &mut words).unwrap();
        assert_eq!(words, [1, 2, 3]);
        shm.copy_bytes_out(ShmOffset(16), b"hello worl").unwrap();
        let mut bytes = vec![];
        shm.copy_bytes_in(ShmOffset(16), 10, &mut bytes).unwrap();
        assert_eq!(bytes, b"hello worl");
        assert_eq!(shm.load(ShmOffset(8)), Ok(2));
    }

    #[test]
    fn pixels_are_copied_from_any_word_and_opaque() {
        let shm = Shm::anonymous(PAGE_SIZE);
        let words: Vec<u32> = (0..64).map(|i| i * 0x0101_0101).collect();
        shm.copy_out(ShmOffset(0), &words).unwrap();
        for from in 0..8 {
            for length in 0..25 {
                let mut into = vec![9; length];
                shm.copy_pixels_in(ShmOffset(from * 4), &mut into).unwrap();
                let wanted: Vec<u32> = words[from..from + length].iter().map(|w| w | 0xff00_0000).collect();
                assert_eq!(into, wanted);
            }
        }
        assert!(shm.copy_pixels_in(ShmOffset(PAGE_SIZE - 4), &mut [0; 2]).is_err());
        assert!(shm.copy_pixels_in(ShmOffset(PAGE_SIZE - 4), &mut [0; 1]).is_ok());
        assert!(shm.copy_pixels_in(ShmOffset(2), &mut [0; 1]).is_err());
    }

    #[test]
    fn nothing_outside_is_reached() {
        let shm = Shm::anonymous(PAGE_SIZE);
        assert!(shm.load(ShmOffset(PAGE_SIZE - 4)).is_ok());
        assert!(shm.load(ShmOffset(PAGE_SIZE)).is_err());
        assert!(shm.load(ShmOffset(usize::MAX - 3)).is_err());
        assert!(shm.load(ShmOffset(2)).is_err(), "not aligned");
        assert!(shm.copy_in(ShmOffset(PAGE_SIZE - 4), &mut [0; 2]).is_err());
        assert!(shm.copy_bytes_in(ShmOffset(8), PAGE_SIZE - 7, &mut vec![]).is_err());
        for length in [usize::MAX, usize::MAX - 7, isize::MAX as usize] {
            assert!(shm.copy_bytes_in(ShmOffset(0), length, &mut vec![]).is_err());
            assert!(shm.copy_bytes_in(ShmOffset(8), length, &mut vec![]).is_err());
            assert!(shm.part(ShmOffset(8), length).is_err());
        }
        assert!(shm.part(ShmOffset(8), PAGE_SIZE).is_err());
        let part = shm.part(ShmOffset(8), 16).unwrap();
        assert!(part.store(ShmOffset(16), 1).is_err());
        assert!(part.store(ShmOffset(12), 7).is_ok());
        assert_eq!(shm.load(ShmOffset(20)), Ok(7));
    }

    /// A writer changes a record under a version that is odd meanwhile; whoever reads the same even version
    /// before and after has a whole record.
    #[test]
    fn versions_tell_whether_a_copy_is_whole() {
        extern crate std;
        const WORDS: usize = 16;
        // Few rounds under Miri, which explores orders that the processor does not show.
        let rounds = if cfg!(miri) { 20 } else { 20_000 };
        let shm = Shm::anonymous(PAGE_SIZE);
        let writer = shm.clone();
        let thread = std::thread::spawn(move || {
            for round in 1..=rounds {
                writer.store(ShmOffset(0), 2 * round - 1).unwrap();
                writer.copy_out(ShmOffset(8), &[round; WORDS]).unwrap();
                writer.store(ShmOffset(0), 2 * round).unwrap();
            }
        });
        loop {
            let version = shm.load(ShmOffset(0)).unwrap();
            let mut words = [0; WORDS];
            shm.copy_in(ShmOffset(8), &mut words).unwrap();
            if version.is_multiple_of(2) && shm.load(ShmOffset(0)).unwrap() == version {
                assert_eq!(words, [version / 2; WORDS]);
                if version == 2 * rounds {
                    break;
                }
            }
            std::thread::yield_now();
        }
        thread.join().unwrap();
    }

    #[test]
    fn parts_keep_the_memory_alive() {
        let whole = Shm::anonymous(2 * PAGE_SIZE);
        let part = whole.part(ShmOffset(PAGE_SIZE), 64).unwrap();
        whole.store(ShmOffset(PAGE_SIZE + 60), 5).unwrap();
        drop(whole);
        assert_eq!(part.load(ShmOffset(60)), Ok(5));
        assert_eq!((part.size(), Shm::anonymous(0).size()), (64, 0));
        assert!(Shm::anonymous(0).load(ShmOffset(0)).is_err());
    }
}
