//! What a window on a desktop may ask of the kernel besides, see [`sandbox`](crate::sandbox).

use crate::sandbox::{Call, Needs, call, only};

/// A copy of a descriptor, its flags (F_DUPFD_CLOEXEC, F_GETFL).
const DESCRIPTORS: &[u64] = &[1030, 3];
/// How many bytes are there (FIONREAD): asked when the connection breaks.
const COUNT: &[u64] = &[0x541b];

/// Xlib, xcb and libwayland on the connection that is open.
const CALLS: &[Call] = &[
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_poll),
    call(libc::SYS_writev),
    call(libc::SYS_futex),
    call(libc::SYS_madvise),
    call(libc::SYS_rt_sigprocmask),
    call(libc::SYS_restart_syscall),
    call(libc::SYS_ppoll),
    call(libc::SYS_recvfrom),
    call(libc::SYS_shutdown),
    call(libc::SYS_getpid),
    call(libc::SYS_gettid),
    only(libc::SYS_fcntl, 1, DESCRIPTORS),
    only(libc::SYS_ioctl, 1, COUNT),
];

/// Files, and other connections.
const REFUSED: &[libc::c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    libc::SYS_openat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    libc::SYS_faccessat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    libc::SYS_readlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_socket,
    libc::SYS_uname,
];

/// What a window on a desktop needs.
pub const NEEDS: Needs = Needs { calls: CALLS, refused: REFUSED };
