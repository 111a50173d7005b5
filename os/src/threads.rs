//! The threads of this process.

/// How many there are.
///
/// # Errors
/// `/proc` is not there.
pub fn count() -> std::io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}
