//! How the server finds an aperture's pages: their references are in directory pages, and those pages' in a root page.

use ::xen::grants::GrantError;
use blinkgl::limits::PAGE_SIZE;
use blinkgl::shm::{OutOfBounds, Shm, ShmOffset};

/// References of a page, u32 each.
pub(super) const REFS_PER_PAGE: u32 = 1024;

/// Pages of root and directory of an aperture of `pages` pages.
pub(super) fn pages_for(pages: u32) -> u32 {
    1 + pages.div_ceil(REFS_PER_PAGE)
}

/// Writes the references of an aperture's pages. `own` are those of the root page and the directory pages, in this
/// order, whose memory `memory` is; all of it is 0.
pub(super) fn write(memory: &Shm, own: &[u32], aperture: &[u32]) -> Result<(), OutOfBounds> {
    let (_, tables) = own.split_first().unwrap_or((&0, &[]));
    memory.copy_out(ShmOffset(0), tables)?;
    memory.copy_out(ShmOffset(PAGE_SIZE), aperture)
}

/// Does what a domain's allocator gave fit the root page, and is it as much as was asked for?
pub(super) fn check(own: &[u32], aperture: &[u32], pages: u32) -> Result<(), GrantError> {
    let is_whole = u32::try_from(aperture.len()) == Ok(pages)
        && u32::try_from(own.len()) == Ok(pages_for(pages))
        && pages_for(pages) <= REFS_PER_PAGE + 1;
    let source = rustix::io::Errno::RANGE;
    if is_whole { Ok(()) } else { Err(GrantError::System { doing: "giving pages", source }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_and_nothing_else() {
        for pages in [1, 256, 1023, 1024, 1025, 5000] {
            let count = pages_for(pages);
            let memory = Shm::anonymous(count as usize * PAGE_SIZE);
            let own: Vec<u32> = (0..count).map(|page| 9_000_000 + page).collect();
            let aperture: Vec<u32> = (0..pages).map(|page| 100 + 3 * page).collect();
            write(&memory, &own, &aperture).unwrap();
            let word = |at: usize| memory.load(ShmOffset(4 * at)).unwrap();
            // As the server does: from the root's references to the directory's pages, from theirs to the aperture's.
            let tables: Vec<u32> = (0..1024).map(word).take_while(|&reference| reference != 0).collect();
            assert_eq!(tables, own[1..], "{pages}");
            assert_eq!(tables.len(), pages.div_ceil(1024) as usize);
            let found: Vec<u32> = (0..tables.len() * 1024).map(|i| word(1024 + i)).collect();
            let (used, unused) = found.split_at(pages as usize);
            assert_eq!(used, aperture);
            assert!(unused.iter().all(|&reference| reference == 0));
            assert!((tables.len()..1024).all(|i| word(i) == 0));
        }
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let refs = vec![1; 3000];
        assert!(check(&refs[..3], &refs[..1025], 1025).is_ok());
        assert!(check(&refs[..2], &refs[..1025], 1025).is_err());
        assert!(check(&refs[..3], &refs[..1024], 1025).is_err());
    }
}
