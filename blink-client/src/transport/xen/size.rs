//! How much memory a program gives to the server's domain.

use super::XenError;
use super::directory::{REFS_PER_PAGE, pages_for};
use ::xen::grants::GrantError;
use alloc::format;
use alloc::string::String;
use blinkgl::limits::{DEFAULT_APERTURE_BYTES, MAX_APERTURE_BYTES, MIN_APERTURE_BYTES, PAGE_SIZE};

/// Pages of the smallest aperture.
pub(super) const LEAST: u32 = pages(MIN_APERTURE_BYTES);
const MOST: u32 = pages(MAX_APERTURE_BYTES);
const USUAL: u32 = pages(DEFAULT_APERTURE_BYTES);

/// Pages of `bytes`, which are no more than an aperture has.
#[expect(clippy::cast_possible_truncation, reason = "2^18 at most")]
const fn pages(bytes: usize) -> u32 {
    assert!(bytes <= MAX_APERTURE_BYTES);
    (bytes / PAGE_SIZE) as u32
}

/// Entries of a grant table unless Xen is told otherwise: 64 frames. A table must never run full (see
/// [`::xen::grants::free_at_once`]), so one that is not known is taken to be like that.
pub(super) const USUAL_ENTRIES: u32 = 64 * 512;

/// What the machine has for all its programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Pages that all programs together may give. If it is not known, the kernel says no.
    pub limit: Option<u32>,
    /// Entries of its grant table.
    pub entries: u32,
    /// Pages of memory that could be given, if that is known.
    pub available: Option<u32>,
}

/// How large an aperture is to be, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Pages of the aperture.
    pub pages: u32,
    pub reason: Reason,
}

/// What made it so large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The program asks for it.
    Wish,
    /// What is enough for most.
    Usual,
    /// The server's policy.
    Policy,
    /// The allocator's limit.
    Limit(u32),
    /// The grant table.
    Table(u32),
    /// The machine's memory.
    Memory,
    /// Other programs have pages.
    Others,
}

impl Reason {
    /// For people: nothing, where nothing can or need be done.
    pub fn describe(self) -> String {
        match self {
            Reason::Wish | Reason::Usual => String::new(),
            Reason::Policy => ", as the server's policy says".into(),
            Reason::Limit(limit) => format!(
                ", as {} is {limit}: write a larger number there for more",
                ::xen::grants::ALLOCATOR_LIMIT
            ),
            Reason::Table(entries) => {
                format!(", as the grant table has {entries} entries: raise xl's max_grant_frames for more")
            }
            Reason::Memory => ", a quarter of what is free here".into(),
            Reason::Others => format!(
                ", as other programs have given pages too: write a larger number to {} for more",
                ::xen::grants::ALLOCATOR_LIMIT
            ),
        }
    }
}

impl Room {
    /// Entries of the grant table that programs may have: disks and network need some, and a machine without is lost.
    fn of_table(self) -> u32 {
        self.entries - self.entries / 4
    }

    /// Is there room for an aperture beside one before it, whose pages may not be back yet?
    pub fn holds_both(self, pages: u32, before: u32) -> bool {
        let all = [pages, before].into_iter().map(|pages| u64::from(pages) + u64::from(pages_for(pages)));
        all.sum::<u64>() <= u64::from(self.of_table())
    }

    /// Does an aperture of `pages` fit, with its directory?
    fn check(self, pages: u32) -> Result<(), GrantError> {
        let pages = pages.saturating_add(pages_for(pages));
        if let Some(limit) = self.limit.filter(|&limit| pages > limit) {
            return Err(GrantError::AllocatorLimit { pages, limit });
        }
        if pages > self.of_table() { Err(GrantError::Table { pages, entries: self.entries }) } else { Ok(()) }
    }

    /// The size for a wish in bytes, or the usual one, where the policy allows `memory_max` bytes.
    pub fn size(self, wish: Option<usize>, memory_max: u64) -> Result<Size, XenError> {
        let page = PAGE_SIZE as u64;
        // What is above every aperture is no limit.
        let policy = u32::try_from(memory_max / page).unwrap_or(u32::MAX).min(MOST);
        if let Some(wanted) = wish {
            if !(MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&wanted) {
                return Err(XenError::Size(wanted as u64));
            }
            let pages = pages(wanted.next_multiple_of(PAGE_SIZE));
            if pages > policy {
                return Err(XenError::TooMuch { wanted: wanted as u64, most: memory_max });
            }
            self.check(pages)?;
            return Ok(Size { pages, reason: Reason::Wish });
        }
        let of_limit = self.limit.map(|limit| (fitting(limit), Reason::Limit(limit)));
        // Who does not know what it needs leaves room for those that come after it while its pages are not back yet.
        let of_table = Some((fitting(self.entries / 4), Reason::Table(self.entries)));
        // Pages that are given are taken from the machine at once. One that has few is served nevertheless.
        let of_memory = self.available.map(|available| ((available / 4).max(LEAST), Reason::Memory));
        let bounds =
            [Some((USUAL, Reason::Usual)), Some((policy, Reason::Policy)), of_limit, of_table, of_memory];
        let bounds = bounds.into_iter().flatten();
        let (pages, reason) = bounds.min_by_key(|&(pages, _)| pages).unwrap_or((USUAL, Reason::Usual));
        if pages < LEAST {
            self.check(LEAST)?;
            if policy >= LEAST {
                // A quarter of the table is too little for the smallest; three are not.
                return Ok(Size { pages: LEAST, reason });
            }
            return Err(XenError::TooMuch { wanted: MIN_APERTURE_BYTES as u64, most: memory_max });
        }
        Ok(Size { pages, reason })
    }
}

/// The largest aperture of which all pages, those of its directory among them, are at most `all`.
fn fitting(all: u32) -> u32 {
    // A directory page for each 1024, besides the root.
    let rest = all.saturating_sub(1);
    rest - rest.div_ceil(REFS_PER_PAGE + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const PLENTY: u64 = 1 << 40;

    fn room(limit: u32, entries: u32) -> Room {
        Room { limit: Some(limit), entries, available: None }
    }

    fn endless() -> Room {
        Room { limit: None, entries: u32::MAX, available: None }
    }

    #[test]
    fn what_fits_is_the_most_that_fits() {
        assert_eq!(fitting(0), 0);
        for all in 1..10_000 {
            let pages = fitting(all);
            assert!(pages + pages_for(pages) <= all || pages == 0, "{all}");
            assert!(pages + 1 + pages_for(pages + 1) > all, "{all}: one more does not fit");
        }
        assert!(fitting(u32::MAX) < u32::MAX);
    }

    /// What Linux and Xen allow unless they are told otherwise is enough to begin with.
    #[test]
    fn the_usual_limits_just_work() {
        let size = room(1024, 32768).size(None, 64 * MIB).unwrap();
        assert_eq!(size, Size { pages: 1022, reason: Reason::Limit(1024) });
        assert!(size.reason.describe().contains("/sys/module/xen_gntalloc/parameters/limit is 1024"));
    }

    #[test]
    fn the_least_of_all_bounds_counts() {
        let size = |room: Room, most| room.size(None, most).unwrap();
        assert_eq!(size(endless(), PLENTY), Size { pages: 16384, reason: Reason::Usual });
        assert_eq!(size(room(100_000, 100_000), 8 * MIB), Size { pages: 2048, reason: Reason::Policy });
        assert_eq!(size(room(100_000, 4096), PLENTY).reason, Reason::Table(4096));
        let table = size(room(100_000, 4096), PLENTY).pages;
        assert_eq!(table + pages_for(table), 1024, "three of them leave a quarter");
        let small = Room { available: Some(8000), ..endless() };
        assert_eq!(size(small, PLENTY), Size { pages: 2000, reason: Reason::Memory });
        let tiny = Room { available: Some(10), ..endless() };
        assert_eq!(size(tiny, PLENTY).pages, LEAST);
        assert_eq!(size(room(100_000, 100_000), u64::MAX).pages, 16384);
        // Bytes that are no whole page are not given.
        assert_eq!(size(endless(), 2 * MIB + 4095).pages, 512);
    }

    #[test]
    fn a_wish_is_met_or_an_error_says_what_is_in_its_way() {
        let wish = |room: Room, bytes: usize, most| room.size(Some(bytes), most).map(|size| size.pages);
        assert_eq!(wish(endless(), 256 << 20, PLENTY).unwrap(), 65536);
        assert_eq!(wish(endless(), (1 << 20) + 1, PLENTY).unwrap(), 257);
        assert_eq!(wish(endless(), MAX_APERTURE_BYTES, PLENTY).unwrap(), MOST);
        let says = |result: Result<u32, XenError>| result.unwrap_err().to_string();
        assert!(says(wish(room(1024, 32768), 4 << 20, PLENTY)).contains("parameters/limit"));
        assert!(says(wish(room(100_000, 32768), 128 << 20, PLENTY)).contains("max_grant_frames"));
        assert!(says(wish(endless(), 9 << 20, 8 * MIB)).contains("policy"));
        for bytes in [0, 1, MIN_APERTURE_BYTES - 1, MAX_APERTURE_BYTES + 1, usize::MAX] {
            assert!(matches!(wish(endless(), bytes, PLENTY), Err(XenError::Size(_))), "{bytes}");
        }
    }

    #[test]
    fn too_little_for_any_aperture_is_an_error_too() {
        let says = |room: Room, most| room.size(None, most).unwrap_err().to_string();
        assert!(says(room(256, 32768), PLENTY).contains("limit of 256"));
        assert!(says(room(1024, 300), PLENTY).contains("300 entries"));
        assert!(says(room(1024, 32768), MIB - 1).contains("policy"));
        assert!(says(room(1024, 32768), 0).contains("policy"));
        assert!(room(0, 0).size(None, 0).is_err());
        assert_eq!(room(258, 344).size(None, MIB).unwrap().pages, 256, "exactly enough");
        assert!(says(room(258, 342), MIB).contains("342 entries"));
    }

    #[test]
    fn two_apertures_leave_a_quarter_of_the_table() {
        let usual = room(100_000, USUAL_ENTRIES);
        assert!(usual.holds_both(1022, 1022) && usual.holds_both(24550, 0));
        assert!(!usual.holds_both(16384, 16384) && !usual.holds_both(24551, 0));
        assert!(usual.holds_both(12275, 12275) && !usual.holds_both(12276, 12276));
        assert!(!usual.holds_both(u32::MAX, u32::MAX));
    }
}
