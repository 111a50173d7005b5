//! Takes from a renderer what it does not need once it runs guests' programs: files, sockets, processes, memory that is
//! writable and executable, root.
//!
//! Two stages. [`Stage::Start`] comes before OpenGL is loaded: files can only be read, and only those that drivers need;
//! nothing is ever writable and executable at a time; root is given up. [`Stage::Guests`] comes before the first byte of a
//! guest, for all threads of the process, Mesa's and the compiler's included: an allow-list of system calls ([`ALLOWED`]). A call that
//! is not in it ends the process. If a stage fails, the renderer does not start.
//!
//! What a guest of Xen granted comes with a descriptor of `gntdev`, by which any page could be mapped that any guest
//! granted to this domain, disk and network buffers of others among them; and its event channel with one of `evtchn`. The
//! filter leaves of both what the renderer needs: mapping what the broker prepared, notifying, reading and writing.

use ipc::template::Share;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use os::root::RootError;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;
use std::path::Path;

/// System calls that a renderer makes after its start, and why. 15 at most, see the test.
pub const ALLOWED: &[(&str, &[i64], &str)] = &[
    ("messages", &[libc::SYS_recvmsg, libc::SYS_sendmsg], "of the broker and the glass; waking clients"),
    ("waiting", &[libc::SYS_epoll_pwait, libc::SYS_epoll_ctl], "for messages and doorbells; new clients"),
    ("memory", &[libc::SYS_mmap, libc::SYS_munmap, libc::SYS_brk], "heap, apertures, windows' pictures"),
    (
        "code",
        &[libc::SYS_mprotect],
        "shaders and compiled programs become executable, and not writable any more",
    ),
    ("threads", &[libc::SYS_futex], "the compiler's threads wait and are woken"),
    ("log", &[libc::SYS_write], "to standard error; and to eventfds, which interrupt virtual machines"),
    (
        "descriptors",
        &[libc::SYS_close, libc::SYS_fcntl, libc::SYS_fstat],
        "seals and sizes of memory that comes",
    ),
    (
        "time",
        &[libc::SYS_clock_gettime],
        "where the kernel has no clock that is read without a call, as in domains of Xen",
    ),
    ("end", &[libc::SYS_exit_group], "the broker hangs up"),
];

/// System calls that are refused with `EPERM`, because whoever makes them goes on without.
pub const REFUSED: &[(&str, &[i64], &str)] = &[
    ("LLVM", &[libc::SYS_lseek, libc::SYS_newfstatat], "looks at standard error before it compiles"),
    ("libc", &[libc::SYS_sysinfo, libc::SYS_mremap, libc::SYS_madvise], "asks for memory in better ways"),
];

/// Calls for guests of Xen, where the server is a domain of Xen's: reading doorbells, and what [`xen_requests`] leaves.
const XEN: &[i64] = &[libc::SYS_ioctl, libc::SYS_read];

/// The requests of `fcntl` by which an event channel is made one that does not wait: `F_GETFL`, `F_SETFL`.
const XEN_FLAGS: [u64; 2] = [3, 4];

/// Types of `ioctl` numbers: `evtchn`'s (linux/xen: uapi evtchn.h).
const EVTCHN: u64 = 0x4500;
/// Of `evtchn`'s numbers, that of notifying.
const NOTIFY: u64 = 4;

/// The requests of `fcntl` that a renderer makes: `F_GET_SEALS` of linux/fcntl.h, and `F_GETFD`, by which Rust's library
/// makes sure, in builds with debug assertions, that what it closes is open.
const GET_SEALS: u64 = 1034;
const GET_FLAGS: u64 = 1;

/// `PROT_WRITE` and `PROT_EXEC`.
const WRITE: u64 = 2;
const EXECUTE: u64 = 4;

/// What OpenGL's drivers read.
const READ: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/drirc",
    "/etc/glvnd",
    "/etc/OpenCL",
    "/sys/devices",
    "/sys/dev/char",
    "/sys/bus/pci",
    "/sys/class/drm",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/driver/nvidia",
    "/dev/null",
    "/dev/urandom",
];

/// Devices that they draw by.
const DEVICES: &[&str] =
    &["/dev/dri", "/dev/nvidiactl", "/dev/nvidia0", "/dev/nvidia-modeset", "/dev/udmabuf"];

/// How far the sandbox is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before OpenGL.
    Start,
    /// Before guests.
    Guests,
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel knows Landlock but refuses.
    #[error("Landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// The kernel has no seccomp filters.
    #[error("seccomp: {0}")]
    Seccomp(#[from] seccompiler::Error),
    /// A rule can't be written: an error of ours.
    #[error("seccomp: {0}")]
    Rule(#[from] BackendError),
    /// The system refuses.
    #[error("{what}: {error}")]
    System {
        /// What.
        what: &'static str,
        /// Its answer.
        error: Errno,
    },
}

/// Closes the sandbox that far. [`Stage::Guests`] is for all threads of the process.
///
/// # Errors
/// The kernel refuses: the caller must not go on.
pub fn enter(stage: Stage) -> Result<(), SandboxError> {
    match stage {
        Stage::Start => {
            never_both()?;
            read_only()
        }
        Stage::Guests => {
            limit_core()?;
            guests_only()
        }
    }
}

/// What the process may take: private memory beyond it is refused.
///
/// # Errors
/// The system refuses.
pub fn limit(share: Share) -> Result<(), SandboxError> {
    let limit = Rlimit { current: Some(share.memory), maximum: Some(share.memory) };
    rustix::process::setrlimit(Resource::Data, limit)
        .map_err(|error| SandboxError::System { what: "RLIMIT_DATA", error })
}

fn limit_core() -> Result<(), SandboxError> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // A dump would be a file with a guest's data.
    rustix::process::setrlimit(Resource::Core, none)
        .map_err(|error| SandboxError::System { what: "RLIMIT_CORE", error })
}

/// Gives up root, if the server is root's. To be called when OpenGL has opened its devices.
///
/// # Errors
/// The system refuses.
pub fn leave_root() -> Result<(), SandboxError> {
    let RootError { what, error } = match os::root::give_up() {
        Ok(is_left) => {
            if !is_left {
                log::warn!(
                    "renderer: it can't become another user than root, and gave up its capabilities only"
                );
            }
            return Ok(());
        }
        Err(error) => error,
    };
    Err(SandboxError::System { what, error })
}

/// Is the server a domain of Xen's?
fn has_xen() -> bool {
    Path::new("/dev/xen/gntdev").exists()
}

// ---- seccomp -------------------------------------------------------------------------------

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, BackendError> {
    let condition =
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)?;
    SeccompRule::new(vec![condition])
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn apply(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> Result<(), SandboxError> {
    let filter = SeccompFilter::new(rules, otherwise, matched, std::env::consts::ARCH.try_into()?)?;
    Ok(seccompiler::apply_filter_all_threads(&BpfProgram::try_from(filter)?)?)
}

fn refused() -> SeccompAction {
    SeccompAction::Errno(Errno::PERM.raw_os_error().unsigned_abs())
}

/// Memory that is writable and executable is refused from the start: Mesa then draws without it.
fn never_both() -> Result<(), SandboxError> {
    let both = WRITE | EXECUTE;
    let rules = BTreeMap::from([
        (libc::SYS_mmap, vec![masked(2, both, both)?]),
        (libc::SYS_mprotect, vec![masked(2, both, both)?]),
        (libc::SYS_pkey_mprotect, vec![masked(2, both, both)?]),
    ]);
    apply(rules, SeccompAction::Allow, refused())
}

/// What of `ioctl` a renderer of Xen's guests needs: notifying, and what it asks of other descriptors, which is nothing.
fn xen_requests() -> Result<Vec<SeccompRule>, BackendError> {
    Ok(vec![masked(1, 0xffff, EVTCHN | NOTIFY)?])
}

/// The allow-list.
fn guests_only() -> Result<(), SandboxError> {
    let mut rules: Rules = BTreeMap::new();
    for &(_, calls, _) in REFUSED {
        rules.extend(calls.iter().map(|&call| (call, Vec::new())));
    }
    // Nothing new is mapped to be executed: code comes by `mprotect`, after it was written.
    rules.insert(libc::SYS_mmap, vec![masked(2, EXECUTE, EXECUTE)?]);
    apply(rules, SeccompAction::Allow, refused())?;
    let mut rules: Rules = BTreeMap::new();
    for &(_, calls, _) in ALLOWED.iter().chain(REFUSED) {
        rules.extend(calls.iter().map(|&call| (call, Vec::new())));
    }
    // Other requests of `fcntl` send signals.
    let mut requests = vec![GET_SEALS, GET_FLAGS];
    if has_xen() {
        rules.extend(XEN.iter().map(|&call| (call, Vec::new())));
        rules.insert(libc::SYS_ioctl, xen_requests()?);
        requests.extend(XEN_FLAGS);
    }
    let request = |request| masked(1, u64::from(u32::MAX), request);
    rules.insert(libc::SYS_fcntl, requests.into_iter().map(request).collect::<Result<_, _>>()?);
    apply(rules, SeccompAction::KillProcess, SeccompAction::Allow)
}

// ---- Landlock ------------------------------------------------------------------------------

/// Only what drivers need can be opened, and only to be read.
fn read_only() -> Result<(), SandboxError> {
    let abi = ABI::V6;
    let mut ruleset: RulesetCreated = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?;
    let read = AccessFs::from_read(abi);
    let both = [(READ, read), (DEVICES, read | AccessFs::WriteFile | AccessFs::IoctlDev)];
    for (paths, access) in both {
        for path in paths {
            // It is not there: there is nothing to allow.
            let Ok(file) = PathFd::new(path) else { continue };
            let access = if Path::new(path).is_dir() { access } else { access & AccessFs::from_file(abi) };
            ruleset = ruleset.add_rule(PathBeneath::new(file, access))?;
        }
    }
    let status = ruleset.restrict_self()?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => {}
        RulesetStatus::PartiallyEnforced => {
            log::info!("this kernel knows only some rules of Landlock; seccomp has the others");
        }
        RulesetStatus::NotEnforced => {
            log::warn!("this kernel has no Landlock; guests' programs run under seccomp alone");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_calls_are_allowed_and_each_has_a_reason() {
        let count: usize = ALLOWED.iter().map(|(_, calls, _)| calls.len()).sum();
        assert!(count <= 15, "{count}");
        assert!(ALLOWED.iter().chain(REFUSED).all(|(_, calls, why)| !calls.is_empty() && why.len() > 10));
    }
}
