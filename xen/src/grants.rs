//! Pages that a domain shares with another: given by [`Granted`], taken by [`Foreign`].

use crate::{PAGE_SIZE, ioctl};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::path::Path;

/// The device that gives pages.
pub const ALLOCATOR: &str = "/dev/xen/gntalloc";
/// The device that takes them.
pub const MAPPER: &str = "/dev/xen/gntdev";
/// How many pages all programs of this machine may give; 1024 unless told otherwise.
pub const ALLOCATOR_LIMIT: &str = "/sys/module/xen_gntalloc/parameters/limit";
/// How many pages that another domain had mapped when their program ended the kernel gives back each second, once that one has
/// left them: 10, unless told otherwise; 0 is all.
const FREED_PER_SECOND: &str = "/sys/module/grant_table/parameters/free_per_iteration";
/// How many pages are mapped by one request, at most.
pub const MAPPER_LIMIT: &str = "/sys/module/xen_gntdev/parameters/limit";
/// Hypercalls of programs.
const PRIVCMD: &str = "/dev/xen/privcmd";

/// Grants of one frame of a grant table of version 1, which Linux uses on all but the largest machines.
const GRANTS_PER_FRAME: u32 = 512;

/// Why pages can't be given or taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The device is not there.
    #[error("there is no {device}: load its module by `modprobe {module}`")]
    NoDevice {
        /// Its file.
        device: &'static str,
        /// Who makes it.
        module: &'static str,
    },
    /// The device can't be opened.
    #[error("{device}: {source}; a program needs the rights of root to use it")]
    Open {
        /// Its file.
        device: &'static str,
        /// The system's answer.
        source: Errno,
    },
    /// More pages than all programs together may give.
    #[error(
        "{pages} pages are more than the limit of {limit} for all programs of this machine; write a larger number to \
         {ALLOCATOR_LIMIT}"
    )]
    AllocatorLimit {
        /// Asked for.
        pages: u32,
        /// That the device gives.
        limit: u32,
    },
    /// More pages than the grant table holds.
    #[error(
        "{pages} pages are too many for this machine's grant table of {entries} entries, of which a quarter stays free for \
         disks and network; raise max_grant_frames in its xl configuration, or gnttab_max_frames on Xen's command line"
    )]
    Table {
        /// Asked for.
        pages: u32,
        /// Of the table.
        entries: u32,
    },
    /// One of the two, with what others have.
    #[error(
        "no room for {pages} pages: other programs have some of the {} that {ALLOCATOR_LIMIT} allows, write a larger \
         number there; or disks and network have filled the grant table, raise max_grant_frames in this machine's xl \
         configuration, or gnttab_max_frames on Xen's command line",
        limit.map_or_else(|| "?".to_string(), |limit| limit.to_string())
    )]
    NoRoom {
        /// Asked for.
        pages: u32,
        /// That the device gives all programs together.
        limit: Option<u32>,
    },
    /// More pages than one request maps.
    #[error(
        "{pages} pages are more than the {} that may be mapped at once; write a larger number to {MAPPER_LIMIT}",
        limit.map_or_else(|| "?".to_string(), |limit| limit.to_string())
    )]
    MapperLimit {
        /// Asked for.
        pages: usize,
        /// That the device maps.
        limit: Option<u32>,
    },
    /// The other domain did not give this page.
    #[error("page {reference} of domain {domain} is not given to this one (status {status})")]
    Refused {
        /// The owner.
        domain: u16,
        /// The page.
        reference: u32,
        /// Xen's answer, `GNTST_*`.
        status: i16,
    },
    /// No such page of these.
    #[error("page {page} of {pages}")]
    NoPage {
        /// Asked for.
        page: u32,
        /// There are.
        pages: usize,
    },
    /// The system fails.
    #[error("{doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// The system's answer.
        source: Errno,
    },
}

fn open(device: &'static str, module: &'static str) -> Result<OwnedFd, GrantError> {
    crate::open(Path::new(device)).map_err(|source| match source {
        Errno::NOENT | Errno::NXIO | Errno::NODEV => GrantError::NoDevice { device, module },
        source => GrantError::Open { device, source },
    })
}

/// A driver's limit, where it tells.
fn limit(path: &str) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// How many pages [`Granted::allocate`] may give, for all programs of this machine together.
#[must_use]
pub fn allocator_limit() -> Option<u32> {
    limit(ALLOCATOR_LIMIT)
}

/// How many pages [`Foreign::map`] may take at once.
#[must_use]
pub fn mapper_limit() -> Option<u32> {
    limit(MAPPER_LIMIT)
}

/// Has the kernel give back at once the pages that another domain had mapped when their program ended, once that one has left
/// them. Linux otherwise gives back 10 a second, which is minutes for a few MiB: until then their memory and their grants are
/// gone. And a grant table must not run full: Linux 6.1 then granted nothing any more, though all was free again later.
/// It is what the kernel does from now on.
///
/// # Errors
/// The kernel has no such switch (it is of 2023), or this program may not set it.
pub fn free_at_once() -> std::io::Result<()> {
    if std::fs::read_to_string(FREED_PER_SECOND)?.trim() == "0" {
        return Ok(());
    }
    std::fs::write(FREED_PER_SECOND, "0")
}

/// Pages of this domain that another one may read and write. They are zero at first, and in one run in their file.
///
/// They are given until nobody here has the descriptor or a mapping of them any more; dropping this closes it.
#[derive(Debug)]
pub struct Granted {
    fd: OwnedFd,
    /// Where they start in the file.
    offset: u64,
    refs: Vec<u32>,
}

impl Granted {
    /// Gives `pages` new pages to domain `remote`.
    ///
    /// # Errors
    /// There is no device, or a limit is met: the error says which, and how to raise it.
    pub fn allocate(remote: u16, pages: u32) -> Result<Granted, GrantError> {
        let fd = open(ALLOCATOR, "xen-gntalloc")?;
        // Said before anything is done, where it is known.
        if let Some(limit) = allocator_limit().filter(|&limit| pages > limit) {
            return Err(GrantError::AllocatorLimit { pages, limit });
        }
        Granted::by(pages, |count| ioctl::allocate(fd.as_fd(), remote, count))
            .map_err(|source| failed_to_allocate(pages, source, allocator_limit(), table_room()))
            .map(|(offset, refs)| Granted { fd, offset, refs })
    }

    /// Asks for pages some at a time: the driver wants memory for all of a request's in one run.
    fn by(
        pages: u32,
        mut allocate: impl FnMut(usize) -> Result<(u64, Vec<u32>), Errno>,
    ) -> Result<(u64, Vec<u32>), Errno> {
        let pages = usize::try_from(pages).map_err(|_| Errno::INVAL)?;
        let mut refs = Vec::with_capacity(pages);
        let mut offset = None;
        while refs.len() < pages {
            let (at, some) = allocate((pages - refs.len()).min(ioctl::MAX_ALLOCATED))?;
            let start = *offset.get_or_insert(at);
            let expected = u64::try_from(refs.len() * PAGE_SIZE).map_err(|_| Errno::RANGE)?;
            // The driver counts on from request to request; what is not in one run can't be mapped.
            if some.is_empty() || at.checked_sub(start) != Some(expected) {
                return Err(Errno::RANGE);
            }
            refs.extend(some);
        }
        Ok((offset.ok_or(Errno::INVAL)?, refs))
    }

    /// By which numbers the other domain finds them, page by page.
    #[must_use]
    pub fn refs(&self) -> &[u32] {
        &self.refs
    }

    /// What to map, from where on: `MAP_SHARED`, all pages at once.
    #[must_use]
    pub fn descriptor(&self) -> (BorrowedFd<'_>, u64) {
        (self.fd.as_fd(), self.offset)
    }

    /// Has the kernel notify by this domain's port `port` when `page` is used by nobody here any more: when this and
    /// all mappings are gone, as after the end of the program, whatever ended it. The kernel keeps the port open until
    /// then.
    ///
    /// # Errors
    /// There is no such page or port.
    pub fn notify_on_unmap(&self, page: u32, port: u32) -> Result<(), GrantError> {
        let index = usize::try_from(page).unwrap_or(usize::MAX);
        if index >= self.refs.len() {
            return Err(GrantError::NoPage { page, pages: self.refs.len() });
        }
        let at = self.offset + u64::from(page) * PAGE_SIZE as u64;
        ioctl::notify_on_unmap(self.fd.as_fd(), at, port)
            .map_err(|source| GrantError::System { doing: "asking to be told of the program's end", source })
    }
}

fn failed_to_allocate(pages: u32, source: Errno, limit: Option<u32>, table: Option<TableRoom>) -> GrantError {
    match (source, limit, table) {
        (Errno::NOSPC, Some(limit), _) if pages > limit => GrantError::AllocatorLimit { pages, limit },
        (Errno::NOSPC, _, Some(table)) if pages > table.entries - table.entries / 4 => {
            GrantError::Table { pages, entries: table.entries }
        }
        (Errno::NOSPC, limit, _) => GrantError::NoRoom { pages, limit },
        (source, _, _) => GrantError::System { doing: "giving pages to another domain", source },
    }
}

/// Pages of another domain, in one run in their file.
///
/// In a PV domain the kernel lets one process at a time map them. They are the other domain's: it may write to them at
/// any time, but not take them back while they are mapped.
#[derive(Debug)]
pub struct Foreign {
    fd: OwnedFd,
    offset: u64,
}

impl Foreign {
    /// Takes pages of domain `domain` by the references that it gave. They are looked at when they are mapped: then, a
    /// reference that is none makes that fail.
    ///
    /// # Errors
    /// There is no device, or there are too many.
    pub fn map(domain: u16, refs: &[u32]) -> Result<Foreign, GrantError> {
        let fd = open(MAPPER, "xen-gntdev")?;
        match ioctl::map_grants(fd.as_fd(), domain, refs) {
            Ok(offset) => Ok(Foreign { fd, offset }),
            Err(Errno::INVAL) => Err(GrantError::MapperLimit { pages: refs.len(), limit: mapper_limit() }),
            Err(source) => Err(GrantError::System { doing: "taking another domain's pages", source }),
        }
    }

    /// What to map, from where on: `MAP_SHARED`, all pages at once.
    #[must_use]
    pub fn descriptor(&self) -> (BorrowedFd<'_>, u64) {
        (self.fd.as_fd(), self.offset)
    }

    /// The descriptor, for another process.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

/// Copies the start of a page of domain `domain`, as much as `into` holds, without mapping it.
///
/// # Errors
/// The page is not given to this domain, or there is no device.
pub fn copy_from(domain: u16, reference: u32, into: &mut [u8]) -> Result<(), GrantError> {
    let fd = open(MAPPER, "xen-gntdev")?;
    match ioctl::copy_from(fd.as_fd(), domain, reference, into) {
        Ok(0) => Ok(()),
        Ok(status) => Err(GrantError::Refused { domain, reference, status }),
        Err(source) => Err(GrantError::System { doing: "copying another domain's page", source }),
    }
}

/// The size of this domain's grant table. How many of its entries are in use, only the kernel knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRoom {
    /// Entries when it has grown as far as it may.
    pub entries: u32,
    /// Entries that it has now: at most so many were ever in use at a time.
    pub grown: u32,
}

/// Asks Xen; `None`: it can't be asked, as without the module xen-privcmd, or in a domain whose kernel lets programs make no
/// hypercalls.
#[must_use]
pub fn table_room() -> Option<TableRoom> {
    table_room_of(ioctl::DOMID_SELF)
}

/// The same of another domain's table. Only a privileged domain is answered.
#[must_use]
pub fn table_room_of(domain: u16) -> Option<TableRoom> {
    let fd = crate::open(Path::new(PRIVCMD)).ok()?;
    let (frames, most) = ioctl::query_table(fd.as_fd(), domain).ok()?;
    Some(TableRoom {
        entries: most.saturating_mul(GRANTS_PER_FRAME),
        grown: frames.saturating_mul(GRANTS_PER_FRAME),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_in_one_run_some_at_a_time() {
        let mut given = 0;
        let (offset, refs) = Granted::by(2500, |count| {
            let at = 8192 + given as u64 * 4096;
            let refs = (given..given + count).map(|i| 100 + u32::try_from(i).unwrap()).collect();
            given += count;
            Ok((at, refs))
        })
        .unwrap();
        assert_eq!((offset, given), (8192, 2500));
        assert!(refs.iter().copied().eq(100..2600));
    }

    #[test]
    fn pages_with_a_hole_are_refused() {
        let torn = Granted::by(2000, |count| Ok((0, vec![1; count])));
        assert_eq!(torn, Err(Errno::RANGE), "the second request starts where the first did");
        assert_eq!(Granted::by(5, |_| Ok((0, Vec::new()))), Err(Errno::RANGE), "no endless loop");
        assert_eq!(Granted::by(0, |_| panic!("asks for nothing")), Err(Errno::INVAL));
        assert_eq!(Granted::by(5, |_| Err(Errno::NOSPC)), Err(Errno::NOSPC));
    }

    #[test]
    fn the_limit_that_was_met_is_named_with_what_to_do() {
        let table = Some(TableRoom { entries: 1000, grown: 512 });
        let says = |pages, limit, table| failed_to_allocate(pages, Errno::NOSPC, limit, table).to_string();
        assert!(says(2000, Some(1024), table).contains("limit of 1024"));
        assert!(says(2000, Some(1024), table).contains(ALLOCATOR_LIMIT));
        let full = says(751, Some(1024), table);
        assert!(full.contains("max_grant_frames") && full.contains("gnttab_max_frames"), "{full}");
        assert!(full.contains("1000 entries"), "{full}");
        let either = says(750, Some(1024), table);
        assert!(either.contains(ALLOCATOR_LIMIT) && either.contains("max_grant_frames"), "{either}");
        assert!(says(10, None, None).contains("no room for 10 pages"));
        let other = failed_to_allocate(10, Errno::NOMEM, Some(5), table);
        assert!(matches!(other, GrantError::System { source: Errno::NOMEM, .. }));
    }
}
