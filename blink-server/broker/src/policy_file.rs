//! The policy file: what clients may, and which virtual machines there are. TOML:
//!
//! ```toml
//! [budget]             # of one run of a program of each client, as `blink-server --help` explains
//! fuel = 1000000       # what is not said is the limit
//!
//! [[vm]]
//! name = "work"
//! memory = "64M"       # a power of two; without it 64M
//! color = "#2a6fdb"    # of its borders; without it one that the server chooses
//! budget.calls = 5000  # of its own, instead of the one above
//! ```

use blinkgl::limits::MAX_CLIENTS;
use budget::Budget;
use ipc::vm::{Color, MemorySize, VmName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Bytes of a policy file, at most: a mistake in its path shall not fill the memory.
const MAX_BYTES: u64 = 1 << 20;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What one run of a client's program may cost.
    #[serde(default)]
    pub budget: Budget,
    /// The virtual machines.
    #[serde(default, rename = "vm")]
    pub vms: Vec<VmPolicy>,
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
        };
        assert_eq!(policy.vms, [vm("work", "16M", Some(Color([1, 2, 255]))), vm("play", "64M", None)]);
        assert_eq!(Policy::parse("").unwrap(), Policy::default());
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
    fn the_policy_in_the_readme_is_one() {
        let readme = include_str!("../../../README.md");
        let (_, text) = readme.split_once("```toml\n").unwrap();
        let (text, _) = text.split_once("```").unwrap();
        let policy = Policy::parse(text).unwrap();
        let names: Vec<&str> = policy.vms.iter().map(|vm| vm.name.as_str()).collect();
        assert_eq!(names, ["work", "play"]);
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
