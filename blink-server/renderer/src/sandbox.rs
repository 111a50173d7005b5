//! Takes from the renderer what it does not need once it runs: files, the network, and Xen's other guests.
//!
//! Landlock confines the thread that asks and the threads that it starts later. That is the thread which
//! reads client bytes, and the JIT's worker. OpenGL's own threads were started before; they see
//! no client bytes but pixels and vertices.
//!
//! What a guest of Xen granted comes with a descriptor of `gntdev`, by which any page could be mapped that any guest granted
//! to this domain, disk and network buffers of others among them; and its event channel with one of `evtchn`. Seccomp
//! leaves of both what the renderer needs: mapping what the broker prepared, notifying, reading and writing.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError,
    RulesetStatus, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// Types of `ioctl` numbers: `gntdev`'s and `evtchn`'s (linux/xen: uapi gntdev.h, evtchn.h).
const GNTDEV: u64 = 0x4700;
const EVTCHN: u64 = 0x4500;
/// Of `evtchn`'s numbers, that of notifying.
const NOTIFY: u64 = 4;
/// Numbers of `evtchn` to its last one, RESTRICT_DOMID.
const EVTCHN_LAST: u64 = 6;

/// Why there is no sandbox, or only a part of it.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel knows Landlock but refuses.
    #[error("Landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// The kernel has no seccomp filters.
    #[error("seccomp: {0}")]
    Seccomp(#[from] seccompiler::Error),
}

/// Gives up files (opening, making, executing), TCP, and signals to other processes; and making new mappings and
/// channels of Xen's.
///
/// # Errors
/// The kernel refuses.
pub fn enter() -> Result<&'static str, SandboxError> {
    forbid_xen()?;
    Ok(enter_landlock()?)
}

/// For all threads.
fn forbid_xen() -> Result<(), seccompiler::Error> {
    let rule = |mask, value| -> Result<SeccompRule, seccompiler::BackendError> {
        let request = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)?;
        SeccompRule::new(vec![request])
    };
    let mut rules = vec![rule(0xff00, GNTDEV)?];
    for number in (0..=EVTCHN_LAST).filter(|&number| number != NOTIFY) {
        rules.push(rule(0xffff, EVTCHN | number)?);
    }
    let refused = SeccompAction::Errno(rustix::io::Errno::PERM.raw_os_error().unsigned_abs());
    let rules = BTreeMap::from([(libc::SYS_ioctl, rules)]);
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, refused, std::env::consts::ARCH.try_into()?)?;
    seccompiler::apply_filter_all_threads(&BpfProgram::try_from(filter)?)
}

fn enter_landlock() -> Result<&'static str, RulesetError> {
    let abi = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => "sandboxed: no files, no network",
        RulesetStatus::PartiallyEnforced => "sandboxed in part: this kernel knows only some of the rules",
        RulesetStatus::NotEnforced => "NOT sandboxed: this kernel has no Landlock",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::OwnedFd;
    use rustix::io::Errno;
    use rustix::ioctl::{NoArg, Opcode, ioctl};

    fn ask<const NUMBER: Opcode>(fd: &OwnedFd) -> Errno {
        // SAFETY: no number that is asked for here is known to an eventfd, so nothing happens.
        unsafe { ioctl(fd, NoArg::<NUMBER>::new()) }.unwrap_err()
    }

    /// Numbers as linux-libc-dev's headers make them, with the structures' sizes.
    #[test]
    fn no_other_memory_and_no_other_channels_of_xen() {
        let fd = rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).unwrap();
        let all = || {
            [
                ask::<0x0018_4700>(&fd),
                ask::<0x0010_4701>(&fd),
                ask::<0x0008_4501>(&fd),
                ask::<0x0004_4503>(&fd),
            ]
        };
        assert_eq!(all(), [Errno::NOTTY; 4]);
        forbid_xen().unwrap();
        assert_eq!(all(), [Errno::PERM; 4]);
        assert_eq!(ask::<0x0004_4504>(&fd), Errno::NOTTY, "notifying goes on");
        assert_eq!(ask::<0x0000_5401>(&fd), Errno::NOTTY, "others are let through");
        let other = std::thread::spawn(move || ask::<0x0018_4700>(&fd)).join().unwrap();
        assert_eq!(other, Errno::PERM);
    }
}
