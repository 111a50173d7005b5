//! What the kernel knows about a process: processor time and context switches.

use std::fs;

/// Counters of a process, all its threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessStats {
    /// Processor time, user and system, milliseconds (in steps of 10).
    pub cpu_ms: u64,
    /// Context switches, voluntary and not, of the threads that live.
    pub context_switches: u64,
    /// Bytes of private memory that count for `RLIMIT_DATA`.
    pub data_bytes: u64,
}

/// Milliseconds of a clock tick: Linux shows 100 a second to programs on every machine.
const TICK_MS: u64 = 10;

impl ProcessStats {
    /// Of a process, if it is there.
    #[must_use]
    pub fn of(pid: i32) -> Option<ProcessStats> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut context_switches = 0;
        for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
            // A thread that ended meanwhile counts no more.
            let Ok(status) = fs::read_to_string(task.ok()?.path().join("status")) else { continue };
            context_switches += switches(&status);
        }
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let data_bytes = data_bytes(&status).unwrap_or(0);
        Some(ProcessStats { cpu_ms: cpu_ms(&stat)?, context_switches, data_bytes })
    }
}

/// Fields 14 and 15 of `stat`; the name in field 2 may hold spaces and parentheses.
fn cpu_ms(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) * TICK_MS)
}

/// `VmData`, in KiB there.
fn data_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

fn switches(status: &str) -> u64 {
    let counts = status.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        matches!(key, "voluntary_ctxt_switches" | "nonvoluntary_ctxt_switches").then_some(value)
    });
    counts.filter_map(|value| value.trim().parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let stat = "77 (a ) b) S 1 77 77 0 -1 4194560 1 0 0 0 12 30 0 0 20 0 1 0 100 1 1";
        assert_eq!(cpu_ms(stat), Some(420));
        assert_eq!(cpu_ms("nonsense"), None);
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(switches(status), 12);
        assert_eq!(data_bytes("VmPeak:\t9 kB\nVmData:\t  1234 kB\n"), Some(1234 << 10));
        assert_eq!(data_bytes(status), None);
    }

    #[test]
    fn this_process_is_there() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(ProcessStats::of(own).is_some_and(|stats| stats.context_switches > 0));
        assert_eq!(ProcessStats::of(i32::MAX), None);
    }
}
