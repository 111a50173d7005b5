//! The requests of Linux's Xen drivers, with the structures of `linux-libc-dev`'s `xen/*.h`.
//!
//! All `unsafe` of this crate is here.

use crate::PAGE_SIZE;
use core::ffi::c_void;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl};
use xen_sys::{__HYPERVISOR_grant_table_op, domid_t, evtchn_port_t};

/// `_IOC(_IOC_NONE, group, number, size)`.
#[expect(clippy::cast_possible_truncation, reason = "looked at before")]
const fn request(group: u8, number: u8, size: usize) -> Opcode {
    // As the headers have it: the size is of 14 bits, and that of none of these structures is larger.
    assert!(size < 1 << 14);
    (size as Opcode) << 16 | (group as Opcode) << 8 | number as Opcode
}

const BIND_INTERDOMAIN: Opcode = request(b'E', 1, size_of::<BindInterdomain>());
const BIND_UNBOUND_PORT: Opcode = request(b'E', 2, size_of::<BindUnbound>());
const NOTIFY: Opcode = request(b'E', 4, size_of::<Port>());
const ALLOC_GREF: Opcode = request(b'G', 5, ALLOC_GREF_BYTES);
const SET_UNMAP_NOTIFY: Opcode = request(b'G', 7, size_of::<UnmapNotify>());
const MAP_GRANT_REF: Opcode = request(b'G', 0, MAP_GRANT_REF_BYTES);
const GRANT_COPY: Opcode = request(b'G', 8, size_of::<GrantCopy>());
const HYPERCALL: Opcode = request(b'P', 0, size_of::<Hypercall>());

/// `struct ioctl_evtchn_bind_interdomain`.
#[repr(C)]
struct BindInterdomain {
    remote_domain: u32,
    remote_port: evtchn_port_t,
}

/// `struct ioctl_evtchn_bind_unbound_port`.
#[repr(C)]
struct BindUnbound {
    remote_domain: u32,
}

/// `struct ioctl_evtchn_notify`.
#[repr(C)]
struct Port {
    port: evtchn_port_t,
}

/// `struct ioctl_gntalloc_alloc_gref` without its list.
#[derive(Clone, Copy)]
#[repr(C)]
struct AllocGref {
    domid: domid_t,
    flags: u16,
    count: u32,
    index: u64,
}

/// `struct ioctl_gntdev_map_grant_ref` without its list.
#[derive(Clone, Copy)]
#[repr(C)]
struct MapGrantRef {
    count: u32,
    pad: u32,
    index: u64,
}

/// With one entry, as C has to have it, and rounded up to the alignment of `index`.
const ALLOC_GREF_BYTES: usize = size_of::<AllocGref>() + 8;
const MAP_GRANT_REF_BYTES: usize = size_of::<MapGrantRef>() + 8;

/// `GNTALLOC_FLAG_WRITABLE`.
const WRITABLE: u16 = 1;

/// `struct ioctl_gntalloc_unmap_notify`.
#[repr(C)]
struct UnmapNotify {
    index: u64,
    action: u32,
    event_channel_port: evtchn_port_t,
}

/// `UNMAP_NOTIFY_SEND_EVENT`.
const SEND_EVENT: u32 = 2;

/// `struct gntdev_grant_copy_segment` from a grant to memory of this process.
#[repr(C)]
struct CopySegment {
    reference: u32,
    offset: u16,
    domid: domid_t,
    destination: *mut u8,
    len: u16,
    flags: u16,
    status: i16,
}

/// `GNTCOPY_source_gref`.
const SOURCE_IS_GRANT: u16 = 1;

/// `struct ioctl_gntdev_grant_copy`.
#[repr(C)]
struct GrantCopy {
    count: u32,
    segments: *mut CopySegment,
}

/// `struct privcmd_hypercall`.
#[repr(C)]
struct Hypercall {
    op: u64,
    arg: [u64; 5],
}

/// `GNTTABOP_query_size`, and its structure (xen/include/public/grant_table.h).
const QUERY_SIZE: u64 = 6;
#[repr(C)]
struct QuerySize {
    dom: domid_t,
    nr_frames: u32,
    max_nr_frames: u32,
    status: i16,
}

/// This domain, whichever that is.
pub const DOMID_SELF: domid_t = 0x7ff0;

/// A request with a pointer to what the kernel reads or writes.
struct Request {
    opcode: Opcode,
    argument: *mut c_void,
}

// SAFETY: opcode and argument belong together, as whoever calls `call` promises; the result is the call's.
unsafe impl Ioctl for Request {
    type Output = IoctlOutput;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        self.argument
    }

    unsafe fn output_from_ptr(output: IoctlOutput, _: *mut c_void) -> Result<IoctlOutput, Errno> {
        Ok(output)
    }
}

/// Asks for something. The result is no error, so it is not negative.
///
/// # Safety
/// `argument` is what the request wants: the kernel reads and writes no more than `T`'s bytes, and what `T`'s own
/// pointers lead to.
unsafe fn call<T>(fd: BorrowedFd<'_>, opcode: Opcode, argument: &mut [T]) -> Result<u32, Errno> {
    let request = Request { opcode, argument: argument.as_mut_ptr().cast() };
    // SAFETY: the pointer is valid for the call, and to what the request wants by the caller's promise.
    let output = unsafe { ioctl(fd, request) }?;
    u32::try_from(output).map_err(|_| Errno::RANGE)
}

/// A new port to which `domain` may bind one of its own.
pub fn bind_unbound(fd: BorrowedFd<'_>, domain: u16) -> Result<u32, Errno> {
    let mut bind = [BindUnbound { remote_domain: domain.into() }];
    // SAFETY: the structure of this request.
    unsafe { call(fd, BIND_UNBOUND_PORT, &mut bind) }
}

/// A new port, bound to one of `domain`'s.
pub fn bind_interdomain(fd: BorrowedFd<'_>, domain: u16, port: u32) -> Result<u32, Errno> {
    let mut bind = [BindInterdomain { remote_domain: domain.into(), remote_port: port }];
    // SAFETY: the structure of this request.
    unsafe { call(fd, BIND_INTERDOMAIN, &mut bind) }
}

/// Sets the event of the port's other end.
pub fn notify(fd: BorrowedFd<'_>, port: u32) -> Result<(), Errno> {
    // SAFETY: the structure of this request.
    unsafe { call(fd, NOTIFY, &mut [Port { port }]) }.map(|_| ())
}

/// A structure followed by a list of `T`, as two of the requests have it. `entries` of them are as C sees them; the
/// structure of C has one at least.
#[repr(C)]
struct Listed<H, T, const N: usize> {
    head: H,
    list: [T; N],
}

/// Entries of a list in one request: what is asked for at once fits the stack, and the kernel's allocator, which
/// wants them in one run.
pub const MAX_ALLOCATED: usize = 1024;

/// Allocates pages for `domain`, at most [`MAX_ALLOCATED`]: where they are to be mapped, and their references.
pub fn allocate(fd: BorrowedFd<'_>, domain: u16, pages: usize) -> Result<(u64, Vec<u32>), Errno> {
    let count = u32::try_from(pages).map_err(|_| Errno::INVAL)?;
    if pages == 0 || pages > MAX_ALLOCATED {
        return Err(Errno::INVAL);
    }
    let head = AllocGref { domid: domain, flags: WRITABLE, count, index: 0 };
    let mut argument = [Listed { head, list: [0_u32; MAX_ALLOCATED] }];
    // SAFETY: the structure of this request; its list has room for `count` entries, and for those of C's structure.
    unsafe { call(fd, ALLOC_GREF, &mut argument) }?;
    let [Listed { head, list }] = argument;
    Ok((head.index, list.into_iter().take(pages).collect()))
}

/// Has the kernel notify by `port` when the page at `index`, as [`allocate`] gave it, is used by nobody here any more.
pub fn notify_on_unmap(fd: BorrowedFd<'_>, index: u64, port: u32) -> Result<(), Errno> {
    let mut argument = [UnmapNotify { index, action: SEND_EVENT, event_channel_port: port }];
    // SAFETY: the structure of this request.
    unsafe { call(fd, SET_UNMAP_NOTIFY, &mut argument) }.map(|_| ())
}

/// Makes `domain`'s pages ready to be mapped, all in one run; from where in the file.
pub fn map_grants(fd: BorrowedFd<'_>, domain: u16, refs: &[u32]) -> Result<u64, Errno> {
    let count = u32::try_from(refs.len()).map_err(|_| Errno::INVAL)?;
    if refs.is_empty() {
        return Err(Errno::INVAL);
    }
    // Words of 8 bytes, as the head is two of them and each entry one: `domid` and `ref`, both u32.
    let mut words = vec![pair(count, 0), 0];
    words.extend(refs.iter().map(|&reference| pair(domain.into(), reference)));
    // SAFETY: laid out as the structure of this request (which a test compares), with `count` entries.
    unsafe { call(fd, MAP_GRANT_REF, &mut words) }?;
    words.get(1).copied().ok_or(Errno::INVAL)
}

/// Two u32 that follow each other in a structure.
fn pair(first: u32, second: u32) -> u64 {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&first.to_ne_bytes());
    bytes[4..].copy_from_slice(&second.to_ne_bytes());
    u64::from_ne_bytes(bytes)
}

/// Copies the start of a page of `domain`'s, as much as `into` holds. Xen's status: 0, or why not.
pub fn copy_from(fd: BorrowedFd<'_>, domain: u16, reference: u32, into: &mut [u8]) -> Result<i16, Errno> {
    let len = u16::try_from(into.len()).map_err(|_| Errno::INVAL)?;
    if into.len() > PAGE_SIZE {
        return Err(Errno::INVAL);
    }
    let mut segment = CopySegment {
        reference,
        offset: 0,
        domid: domain,
        destination: into.as_mut_ptr(),
        len,
        flags: SOURCE_IS_GRANT,
        status: 0,
    };
    let mut copy = [GrantCopy { count: 1, segments: &raw mut segment }];
    // SAFETY: the structure of this request; it leads to one segment, and that to `len` bytes that are ours to write.
    unsafe { call(fd, GRANT_COPY, &mut copy) }?;
    Ok(segment.status)
}

/// Frames that a domain's grant table has now, and may have.
pub fn query_table(fd: BorrowedFd<'_>, domain: u16) -> Result<(u32, u32), Errno> {
    let mut size = QuerySize { dom: domain, nr_frames: 0, max_nr_frames: 0, status: 0 };
    let size_at = (&raw mut size).expose_provenance();
    let size_at = u64::try_from(size_at).map_err(|_| Errno::FAULT)?;
    let arg = [QUERY_SIZE, size_at, 1, 0, 0];
    let mut hypercall = [Hypercall { op: __HYPERVISOR_grant_table_op.into(), arg }];
    // SAFETY: the structure of this request; the hypercall reads and writes the one structure that its second argument
    // leads to, which lives longer than the call.
    unsafe { call(fd, HYPERCALL, &mut hypercall) }?;
    match size.status {
        0 => Ok((size.nr_frames, size.max_nr_frames)),
        _ => Err(Errno::INVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::process::{Command, Stdio};

    macro_rules! layout {
        ($of:ident $name:ident: $($field:ident as $c:literal),*) => {{
            let mut all = vec![(stringify!($name).to_string(), size_of::<$of>())];
            $( all.push((format!("{}.{}", stringify!($name), $c), offset_of!($of, $field))); )*
            all
        }};
    }

    /// Every number and offset that this file has, by C's names.
    fn ours() -> Vec<(String, usize)> {
        let mut all: Vec<(String, usize)> = [
            ("IOCTL_EVTCHN_BIND_INTERDOMAIN", BIND_INTERDOMAIN),
            ("IOCTL_EVTCHN_BIND_UNBOUND_PORT", BIND_UNBOUND_PORT),
            ("IOCTL_EVTCHN_NOTIFY", NOTIFY),
            ("IOCTL_GNTALLOC_ALLOC_GREF", ALLOC_GREF),
            ("IOCTL_GNTALLOC_SET_UNMAP_NOTIFY", SET_UNMAP_NOTIFY),
            ("IOCTL_GNTDEV_MAP_GRANT_REF", MAP_GRANT_REF),
            ("IOCTL_GNTDEV_GRANT_COPY", GRANT_COPY),
        ]
        .map(|(name, opcode)| (name.to_string(), opcode as usize))
        .to_vec();
        all.extend([
            ("GNTALLOC_FLAG_WRITABLE".to_string(), usize::from(WRITABLE)),
            ("UNMAP_NOTIFY_SEND_EVENT".to_string(), SEND_EVENT as usize),
        ]);
        all.extend(layout!(BindInterdomain ioctl_evtchn_bind_interdomain: remote_domain as "remote_domain", remote_port as "remote_port"));
        all.extend(layout!(BindUnbound ioctl_evtchn_bind_unbound_port: remote_domain as "remote_domain"));
        all.extend(layout!(Port ioctl_evtchn_notify: port as "port"));
        all.extend(layout!(UnmapNotify ioctl_gntalloc_unmap_notify:
            index as "index", action as "action", event_channel_port as "event_channel_port"));
        all.extend(layout!(CopySegment gntdev_grant_copy_segment:
            reference as "source.foreign.ref", offset as "source.foreign.offset", domid as "source.foreign.domid",
            destination as "dest.virt", len as "len", flags as "flags", status as "status"));
        all.extend(layout!(GrantCopy ioctl_gntdev_grant_copy: count as "count", segments as "segments"));
        type Alloc = Listed<AllocGref, u32, 1>;
        all.extend(layout!(Alloc ioctl_gntalloc_alloc_gref: list as "gref_ids"));
        type Map = Listed<MapGrantRef, u64, 1>;
        all.extend(layout!(Map ioctl_gntdev_map_grant_ref: list as "refs"));
        for (name, at) in [
            ("ioctl_gntalloc_alloc_gref.domid", offset_of!(AllocGref, domid)),
            ("ioctl_gntalloc_alloc_gref.flags", offset_of!(AllocGref, flags)),
            ("ioctl_gntalloc_alloc_gref.count", offset_of!(AllocGref, count)),
            ("ioctl_gntalloc_alloc_gref.index", offset_of!(AllocGref, index)),
            ("ioctl_gntdev_map_grant_ref.count", offset_of!(MapGrantRef, count)),
            ("ioctl_gntdev_map_grant_ref.pad", offset_of!(MapGrantRef, pad)),
            ("ioctl_gntdev_map_grant_ref.index", offset_of!(MapGrantRef, index)),
            // What `map_grants` writes: one word each, the domain first.
            ("ioctl_gntdev_grant_ref", 8),
            ("ioctl_gntdev_grant_ref.domid", 0),
            ("ioctl_gntdev_grant_ref.ref", 4),
        ] {
            all.push((name.to_string(), at));
        }
        all
    }

    /// The same as a C compiler has them of the system's headers.
    fn theirs(names: &[String]) -> BTreeMap<String, usize> {
        let mut source =
            "#include <stdio.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <sys/ioctl.h>\n\
            typedef uint32_t grant_ref_t; typedef uint16_t domid_t;\n\
            #include <xen/evtchn.h>\n#include <xen/gntalloc.h>\n#include <xen/gntdev.h>\nint main(void) {\n"
                .to_string();
        for name in names {
            let value = match name.split_once('.') {
                Some((of, field)) => format!("offsetof(struct {of}, {field})"),
                None if name.chars().all(|c| c.is_uppercase() || c == '_') => name.clone(),
                None => format!("sizeof(struct {name})"),
            };
            source += &format!("printf(\"{name} %zu\\n\", (size_t)({value}));\n");
        }
        source += "return 0; }\n";
        let directory = std::env::temp_dir().join(format!("xen-ioctl-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let program = directory.join("headers");
        let mut compiler = Command::new("cc")
            .args(["-x", "c", "-", "-o"])
            .arg(&program)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a C compiler: the package gcc");
        compiler.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
        assert!(compiler.wait().unwrap().success(), "the headers of linux-libc-dev");
        let output = Command::new(&program).output().unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| {
                let (name, value) = line.split_once(' ').unwrap();
                (name.to_string(), value.parse().unwrap())
            })
            .collect()
    }

    #[test]
    fn numbers_and_structures_are_those_of_the_headers() {
        let ours = ours();
        let names: Vec<String> = ours.iter().map(|(name, _)| name.clone()).collect();
        let theirs = theirs(&names);
        assert_eq!(theirs.len(), ours.len());
        for (name, value) in ours {
            assert_eq!(theirs.get(&name), Some(&value), "{name}");
        }
    }

    /// Two that no package of Linux's has: `privcmd.h` needs a header of Xen's that is not there.
    #[test]
    fn the_hypercall_is_as_xen_documents_it() {
        assert_eq!(size_of::<Hypercall>(), 48);
        assert_eq!(HYPERCALL, 0x0030_5000);
        assert_eq!(
            [
                offset_of!(QuerySize, nr_frames),
                offset_of!(QuerySize, max_nr_frames),
                offset_of!(QuerySize, status)
            ],
            [4, 8, 12]
        );
        assert_eq!(__HYPERVISOR_grant_table_op, 20);
    }

    #[test]
    fn two_words_follow_each_other() {
        assert_eq!(pair(1, 2).to_ne_bytes(), *[1_u32.to_ne_bytes(), 2_u32.to_ne_bytes()].as_flattened());
    }

    /// A file that is no device of Xen's says so, and nothing else happens.
    #[test]
    fn other_files_refuse() {
        use rustix::fd::AsFd;
        let file = std::fs::File::open("/dev/null").unwrap();
        let fd = file.as_fd();
        assert_eq!(bind_unbound(fd, 0), Err(Errno::NOTTY));
        assert_eq!(bind_interdomain(fd, 0, 1), Err(Errno::NOTTY));
        assert_eq!(notify(fd, 1), Err(Errno::NOTTY));
        assert_eq!(allocate(fd, 0, 3), Err(Errno::NOTTY));
        assert_eq!(allocate(fd, 0, 0), Err(Errno::INVAL));
        assert_eq!(allocate(fd, 0, MAX_ALLOCATED + 1), Err(Errno::INVAL));
        assert_eq!(notify_on_unmap(fd, 0, 1), Err(Errno::NOTTY));
        assert_eq!(map_grants(fd, 0, &[1, 2]), Err(Errno::NOTTY));
        assert_eq!(map_grants(fd, 0, &[]), Err(Errno::INVAL));
        assert_eq!(copy_from(fd, 0, 1, &mut [0; 8]), Err(Errno::NOTTY));
        assert_eq!(copy_from(fd, 0, 1, &mut [0; PAGE_SIZE + 1]), Err(Errno::INVAL));
        assert_eq!(query_table(fd, DOMID_SELF), Err(Errno::NOTTY));
    }
}
