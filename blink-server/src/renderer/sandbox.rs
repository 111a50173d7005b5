//! Takes from the renderer what it does not need once it runs: files and the network.
//!
//! Landlock confines the thread that asks and the threads that it starts later. That is the thread which
//! reads client bytes, and the JIT's worker. OpenGL's own threads were started before; they see
//! no client bytes but pixels and vertices.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError,
    RulesetStatus, Scope,
};

/// Gives up files (opening, making, executing), TCP, and signals to other processes.
///
/// # Errors
/// The kernel knows Landlock but refuses.
pub fn enter() -> Result<&'static str, RulesetError> {
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
