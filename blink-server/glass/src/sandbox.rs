//! What the process gives up once its outputs are open: files, the network, other processes, new code, and root.
//!
//! What it may still ask of the kernel is the table `CALLS`: everything else ends the process. Executable memory is refused
//! instead, and for a desktop what its libraries try and can do without. If any of this can't be had, the process does not go
//! on, unless `BLINK_NO_SANDBOX=1` says so.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError,
    RulesetStatus, Scope,
};
use os::root::RootError;
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// What the output needs after the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// System calls that it makes.
    pub calls: &'static [Call],
    /// System calls that its libraries try now and then, and can do without: they are refused.
    pub refused: &'static [libc::c_long],
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel refuses to take files away.
    #[error("Landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// The kernel does not know Landlock.
    #[error("this kernel has no Landlock")]
    NoLandlock,
    /// The kernel has no seccomp filters.
    #[error("seccomp: {0}")]
    Seccomp(#[from] seccompiler::Error),
    /// The filter makes no sense.
    #[error("seccomp: {0}")]
    Filter(#[from] seccompiler::BackendError),
    /// There are other threads.
    #[error("{0} threads, where one is expected")]
    Threads(usize),
    /// It can't be seen whether there are other threads.
    #[error("/proc/self/task: {0}")]
    NoProc(std::io::Error),
    /// The kernel refuses something else.
    #[error("{0}: {1}")]
    System(&'static str, Errno),
}

/// A system call that the process may make.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    number: libc::c_long,
    /// Only if this holds: an argument's index, and the values that it may have.
    only: Option<(u8, &'static [u64])>,
}

/// The call of this number.
pub const fn call(number: libc::c_long) -> Call {
    Call { number, only: None }
}

/// The call of this number, with one of these values of an argument.
pub const fn only(number: libc::c_long, argument: u8, values: &'static [u64]) -> Call {
    Call { number, only: Some((argument, values)) }
}

/// What `fcntl` may do: seals of window memory (F_ADD_SEALS, F_GET_SEALS), and whether a descriptor is open (F_GETFD), which the
/// standard library asks in debug builds before it closes one.
const SEALS: &[u64] = &[1033, 1034, 1];
/// The system calls, by what they are for.
const CALLS: &[Call] = &[
    // The loop waits, and takes the timer's count.
    call(libc::SYS_epoll_pwait),
    call(libc::SYS_epoll_ctl),
    call(libc::SYS_timerfd_settime),
    call(libc::SYS_read),
    call(libc::SYS_clock_gettime),
    // Messages and descriptors on the sockets that it holds; it can't make any. A long body is read out of memory.
    call(libc::SYS_recvmsg),
    call(libc::SYS_sendmsg),
    call(libc::SYS_close),
    call(libc::SYS_fstat),
    call(libc::SYS_pread64),
    // Memory of windows, screenshots and long messages.
    call(libc::SYS_memfd_create),
    call(libc::SYS_ftruncate),
    only(libc::SYS_fcntl, 1, SEALS),
    // And the log, which goes to the standard error.
    call(libc::SYS_write),
    call(libc::SYS_mmap),
    call(libc::SYS_munmap),
    // The heap.
    call(libc::SYS_brk),
    call(libc::SYS_mremap),
    // That of threads other than the first, as in tests; never to be executed.
    call(libc::SYS_mprotect),
    // The first hash map's keys.
    call(libc::SYS_getrandom),
    // The end.
    call(libc::SYS_sigaltstack),
    call(libc::SYS_rt_sigreturn),
    call(libc::SYS_exit_group),
];

/// Gives up what is not needed any more. All threads of the process do.
///
/// # Errors
/// The kernel refuses: the process must not go on.
pub fn enter(needs: Needs) -> Result<&'static str, SandboxError> {
    match give_up(needs) {
        Err(error) if std::env::var_os("BLINK_NO_SANDBOX").is_some_and(|value| value == "1") => {
            log::error!("glass: NO SANDBOX, as BLINK_NO_SANDBOX=1 allows: {error}");
            Ok("not sandboxed")
        }
        entered => entered.map(|()| "sandboxed"),
    }
}

fn give_up(needs: Needs) -> Result<(), SandboxError> {
    // User, capabilities and Landlock are of a thread: others would keep what this one gives up.
    match os::threads::count() {
        Ok(1) => {}
        Ok(threads) => return Err(SandboxError::Threads(threads)),
        Err(error) => return Err(SandboxError::NoProc(error)),
    }
    limit()?;
    give_up_root()?;
    give_up_files()?;
    let refuse = SeccompAction::Errno(Errno::PERM.raw_os_error().unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    // Both filters hold, and the stricter answer counts.
    for filter in [
        SeccompFilter::new(refused(needs)?, SeccompAction::Allow, refuse, arch)?,
        SeccompFilter::new(calls(needs)?, SeccompAction::KillProcess, SeccompAction::Allow, arch)?,
    ] {
        seccompiler::apply_filter_all_threads(&BpfProgram::try_from(filter)?)?;
    }
    Ok(())
}

fn system(what: &'static str) -> impl Fn(Errno) -> SandboxError {
    move |errno| SandboxError::System(what, errno)
}

/// No core file with everybody's pictures in it, no look into the process by others of the same user.
fn limit() -> Result<(), SandboxError> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none).map_err(system("core files"))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(system("dumpable"))
}

/// Becomes nobody, if it is root.
fn give_up_root() -> Result<(), SandboxError> {
    let is_left =
        os::root::give_up().map_err(|RootError { what, error }| SandboxError::System(what, error))?;
    if !is_left {
        log::warn!("glass: it can't become another user than root, and gave up its capabilities only");
    }
    // Another user's process is as it is started: to be looked into by that user.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(system("dumpable"))
}

/// No files, no TCP, no signals to others.
fn give_up_files() -> Result<(), SandboxError> {
    let abi = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .restrict_self()?;
    match status.ruleset {
        // No call that an older Landlock leaves open is in the table.
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err(SandboxError::NoLandlock),
    }
}

/// The calls that are refused: those that make memory executable, and some of a desktop's libraries.
fn refused(needs: Needs) -> Result<BTreeMap<i64, Vec<SeccompRule>>, SandboxError> {
    let exec = u64::from(libc::PROT_EXEC.unsigned_abs());
    let is_exec = || -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
        let condition =
            SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(exec), exec)?;
        Ok(vec![SeccompRule::new(vec![condition])?])
    };
    let mut rules = BTreeMap::from([(libc::SYS_mmap, is_exec()?), (libc::SYS_mprotect, is_exec()?)]);
    rules.extend(needs.refused.iter().map(|&call| (call, Vec::new())));
    Ok(rules)
}

/// The calls that do not end the process.
fn calls(needs: Needs) -> Result<BTreeMap<i64, Vec<SeccompRule>>, SandboxError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        needs.refused.iter().map(|&call| (call, Vec::new())).collect();
    for call in CALLS.iter().chain(needs.calls) {
        let rules = rules.entry(call.number).or_default();
        let Some((argument, values)) = call.only else { continue };
        for &value in values {
            let is_value = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?;
            rules.push(SeccompRule::new(vec![is_value])?);
        }
    }
    Ok(rules)
}
