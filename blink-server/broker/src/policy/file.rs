//! The policy file: what clients may, and which virtual machines there are. TOML:
//!
//! ```toml
//! isolation = "vm"     # each VM has a renderer of its own, and so has each user; or "client", or "shared"
//!
//! [renderer]
//! memory = "1G"        # private memory of each renderer; without it 384M
//!
//! [budget]             # of one run of a program of each client, as `blink-server --help` explains
//! fuel = 1000000       # what is not said is the limit
//!
//! [[vm]]
//! name = "work"
//! memory = "64M"       # a power of two; without it 64M
//! color = "#2a6fdb"    # of its borders; without it one that the server chooses
//! budget.calls = 5000  # of its own, instead of the one above
//! renderer_memory = "512M"  # of its renderer, instead of the one above
//! group = "libvirt-qemu"    # of its sockets; without it this user's
//! mode = "660"         # of its sockets; without it 600, and with a group 660
//! ```

use budget::Budget;
use ipc::limits::MAX_CLIENTS;
use ipc::vm::{Color, GroupName, MemorySize, RendererMemory, SocketMode, VmName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Bytes of a policy file, at most: a mistake in its path shall not fill the memory.
const MAX_BYTES: u64 = 1 << 20;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Which clients share a renderer.
    #[serde(default)]
    pub isolation: Isolation,
    /// What a renderer may have.
    #[serde(default)]
    pub renderer: RendererPolicy,
    /// What one run of a client's program may cost.
    #[serde(default)]
    pub budget: Budget,
    /// The virtual machines.
    #[serde(default, rename = "vm")]
    pub vms: Vec<VmPolicy>,
}

/// Which clients share a renderer: those of one *class*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Each virtual machine is a class, and all local processes of a user are one.
    #[default]
    Vm,
    /// Each client is a class.
    Client,
    /// All clients are one class: no wall is between them.
    Shared,
}

/// What is decided about renderers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RendererPolicy {
    /// Private memory of each.
    #[serde(default)]
    pub memory: RendererMemory,
}

/// What is decided about a virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmPolicy {
    /// Its name.
    pub name: VmName,
    /// How much it shares.
    #[serde(default)]
    pub memory: MemorySize,
    /// Of its borders.
    pub color: Option<Color>,
    /// What one run of its programs may cost, if another than others'.
    pub budget: Option<Budget>,
    /// Private memory of its renderer, if another than others'.
    #[serde(default)]
    pub renderer_memory: Option<RendererMemory>,
    /// The group that its sockets belong to, if another than this process's.
    #[serde(default)]
    pub group: Option<GroupName>,
    /// The mode of its sockets.
    #[serde(default)]
    pub mode: Option<SocketMode>,
}

impl VmPolicy {
    /// The mode of its sockets: a group that is named is one that may use them.
    #[must_use]
    pub fn socket_mode(&self) -> SocketMode {
        self.mode.unwrap_or(if self.group.is_some() { SocketMode::GROUP } else { SocketMode::default() })
    }
}

/// Why a policy can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct PolicyError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    #[error("{0} bytes are too many for a policy file; {MAX_BYTES} is the limit")]
    TooLarge(u64),
    #[error("{0}")]
    Parse(#[from] toml::de::Error),
    #[error("two VMs are called `{0}`; give each a name of its own")]
    Twice(VmName),
    #[error("{0} VMs are too many; {MAX_CLIENTS} is the limit")]
    TooMany(usize),
}

impl Policy {
    /// Reads a file.
    ///
    /// # Errors
    /// It can't be read, or does not say what a policy says.
    pub fn read(path: &Path) -> Result<Policy, PolicyError> {
        let read = || {
            let bytes = std::fs::metadata(path)?.len();
            if bytes > MAX_BYTES {
                return Err(Problem::TooLarge(bytes));
            }
            Policy::parse(&std::fs::read_to_string(path)?)
        };
        read().map_err(|problem| PolicyError { path: path.to_owned(), problem })
    }

    /// Nobody may more than this.
    pub fn limit(&mut self, most: Budget) {
        let budgets = self.vms.iter_mut().filter_map(|vm| vm.budget.as_mut());
        for budget in budgets.chain([&mut self.budget]) {
            *budget = budget.at_most(most);
        }
    }

    fn parse(text: &str) -> Result<Policy, Problem> {
        let policy: Policy = toml::from_str(text)?;
        if policy.vms.len() > MAX_CLIENTS {
            return Err(Problem::TooMany(policy.vms.len()));
        }
        let mut names = BTreeSet::new();
        match policy.vms.iter().find(|vm| !names.insert(&vm.name)) {
            Some(vm) => Err(Problem::Twice(vm.name.clone())),
            None => Ok(policy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_vms() {
        let policy = Policy::parse(
            "[[vm]]\nname = \"work\"\nmemory = \"16M\"\ncolor = \"#0102ff\"\n[[vm]]\nname = \"play\"\n",
        )
        .unwrap();
        let vm = |name: &str, memory: &str, color| VmPolicy {
            name: name.parse().unwrap(),
            memory: memory.parse().unwrap(),
            color,
            budget: None,
            renderer_memory: None,
            group: None,
            mode: None,
        };
        assert_eq!(policy.vms, [vm("work", "16M", Some(Color([1, 2, 255]))), vm("play", "64M", None)]);
        assert_eq!(Policy::parse("").unwrap(), Policy::default());
    }

    #[test]
    fn a_policy_says_who_shares_a_renderer_and_who_may_use_sockets() {
        let policy = Policy::parse(
            "isolation = \"client\"\n[renderer]\nmemory = \"2G\"\n[[vm]]\nname = \"a\"\nrenderer_memory = \"64M\"\n\
             group = \"libvirt-qemu\"\n[[vm]]\nname = \"b\"\nmode = \"660\"\n[[vm]]\nname = \"c\"",
        )
        .unwrap();
        assert_eq!((policy.isolation, policy.renderer.memory.bytes()), (Isolation::Client, 2 << 30));
        let [a, b, c] = policy.vms.as_slice() else { panic!() };
        assert_eq!((a.renderer_memory.map(RendererMemory::bytes), b.renderer_memory), (Some(64 << 20), None));
        assert_eq!([a, b, c].map(|vm| vm.socket_mode().bits()), [0o660, 0o660, 0o600]);
        assert_eq!(a.group.as_ref().map(GroupName::as_str), Some("libvirt-qemu"));
        let default = Policy::default();
        assert_eq!(
            (default.isolation, default.renderer.memory.bytes()),
            (Isolation::Vm, RendererMemory::default().bytes())
        );
    }

    #[test]
    fn budgets_are_of_all_or_of_one() {
        let text =
            "budget.calls = 9\n[[vm]]\nname = \"a\"\n[[vm]]\nname = \"b\"\nbudget = { calls = 5, fuel = 7 }";
        let mut policy = Policy::parse(text).unwrap();
        let all = Budget { calls: 9, ..Budget::default() };
        let own = Budget { calls: 5, fuel: 7, ..Budget::default() };
        assert_eq!((policy.budget, policy.vms[0].budget, policy.vms[1].budget), (all, None, Some(own)));
        policy.limit(Budget { calls: 6, fuel: 6, ..Budget::default() });
        assert_eq!((policy.budget.calls, policy.budget.fuel), (6, 6));
        assert_eq!(policy.vms[1].budget, Some(Budget { fuel: 6, ..own }));
    }

    #[test]
    fn the_policies_in_the_documents_are_policies() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut names = BTreeSet::new();
        for document in ["README.md", "docs/VM.md", "docs/XEN.md"] {
            let text = std::fs::read_to_string(root.join(document)).unwrap_or_default();
            for block in text.split("```toml\n").skip(1) {
                let (block, _) = block.split_once("```").unwrap();
                let policy = Policy::parse(block).unwrap_or_else(|error| panic!("{document}: {error}"));
                names.extend(policy.vms.into_iter().map(|vm| vm.name.to_string()));
            }
        }
        assert!(names.contains("work") && names.contains("play"), "{names:?}");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let error = |text: &str| Policy::parse(text).unwrap_err().to_string();
        for (text, said) in [
            ("[[vm]]\nmemory = \"1M\"", "missing field `name`"),
            ("[[vm]]\nname = \"a b\"", "`a b` is no name of a VM"),
            ("[[vm]]\nname = \"a\"\nmemory = \"12M\"", "a power of two from 1M to 1024M"),
            ("[[vm]]\nname = \"a\"\nmemory = 64", "line 3"),
            ("[[vm]]\nname = \"a\"\ncolor = \"red\"", "`red` is no color"),
            ("[[vm]]\nname = \"a\"\ncolour = \"#000000\"", "unknown field `colour`"),
            ("[[vms]]\nname = \"a\"", "unknown field `vms`"),
            ("isolation = \"none\"", "unknown variant `none`"),
            ("[renderer]\nmemory = \"63M\"", "write 64M to 64G"),
            ("[[vm]]\nname = \"a\"\nmode = \"666\"", "`666` is no mode"),
            ("[[vm]]\nname = \"a\"\ngroup = \"a b\"", "`a b` is no name of a group"),
            ("[budget]\ncall = 5", "unknown field `call`"),
            ("[[vm]\nname = \"a\"", "line 1"),
            ("[[vm]]\nname = \"a\"\n[[vm]]\nname = \"a\"", "two VMs are called `a`"),
        ] {
            let error = error(text);
            assert!(error.contains(said), "{error:?} for {text:?}");
        }
        let many: String = (0..=MAX_CLIENTS).map(|i| format!("[[vm]]\nname = \"vm{i}\"\n")).collect();
        assert!(error(&many).contains("65 VMs are too many"));
        let missing = Policy::read(Path::new("/nowhere/policy.toml")).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/policy.toml: "), "{missing}");
    }
}
