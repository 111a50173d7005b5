//! What the kernel counts for a process, for figures about clients.

use std::fs;
use std::io;

/// What a process has used since it began, all its threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Nanoseconds on a CPU.
    pub cpu_ns: u64,
    /// Times that it went to sleep or lost the CPU.
    pub context_switches: u64,
}

impl Usage {
    /// Of a process that runs.
    ///
    /// # Errors
    /// There is no such process, or it has ended and only its parent does not know yet.
    pub fn of(pid: u32) -> io::Result<Usage> {
        let mut usage = Usage::default();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?.path();
            // A thread may end between the listing and here.
            let Ok(status) = fs::read_to_string(task.join("status")) else { continue };
            let Ok(times) = fs::read_to_string(task.join("schedstat")) else { continue };
            if status.contains("\nState:\tZ") {
                return Err(io::Error::from(io::ErrorKind::NotFound));
            }
            usage.cpu_ns += times.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            usage.context_switches += context_switches(&status);
        }
        Ok(usage)
    }

    /// What was used since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Usage) -> Usage {
        Usage {
            cpu_ns: self.cpu_ns.saturating_sub(earlier.cpu_ns),
            context_switches: self.context_switches.saturating_sub(earlier.context_switches),
        }
    }
}

/// The two lines of a thread's status, summed.
fn context_switches(status: &str) -> u64 {
    let of = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)).and_then(|n| n.trim().parse::<u64>().ok())
    };
    of("voluntary_ctxt_switches:").unwrap_or(0) + of("nonvoluntary_ctxt_switches:").unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_this_process_does() {
        let pid = std::process::id();
        let before = Usage::of(pid).expect("this process runs");
        let mut x = 1u64;
        while Usage::of(pid).expect("this process runs").cpu_ns < before.cpu_ns + 1_000_000 {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        assert!(Usage::of(u32::MAX).is_err());
    }

    #[test]
    fn both_kinds_of_switches_count() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n";
        assert_eq!(context_switches(status), 42);
    }
}
