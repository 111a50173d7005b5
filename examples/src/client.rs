//! What the example clients have in common: options, and what they say when the server complains.

use blink_client::{Connection, Error, Options, Wake, What};
use blinkgl::limits::{MAX_WINDOW_SIZE, MIN_WINDOW_SIZE};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// A size as `WIDTHxHEIGHT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let parse = || {
            let (width, height) = text.split_once('x')?;
            let size = Size { width: width.parse().ok()?, height: height.parse().ok()? };
            let sides = MIN_WINDOW_SIZE..=MAX_WINDOW_SIZE;
            (sides.contains(&size.width) && sides.contains(&size.height)).then_some(size)
        };
        let wanted = || {
            format!(
                "write WIDTHxHEIGHT in pixels, each from {MIN_WINDOW_SIZE} to {MAX_WINDOW_SIZE}, as in 300x300"
            )
        };
        parse().ok_or_else(wanted)
    }
}

/// A place as `X,Y`, pixels from the output's upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let parse = || {
            let (x, y) = text.split_once(',')?;
            Some(Place { x: x.parse().ok()?, y: y.parse().ok()? })
        };
        parse().ok_or_else(|| "write X,Y in pixels, as in 40,60".to_owned())
    }
}

/// Connects to the server. In a virtual machine, says how the server wakes the client: it depends on the machine.
///
/// # Errors
/// There is none, or it refuses.
pub fn connect(program: &str, bytes: Option<usize>) -> Result<Connection, Error> {
    let connection = Connection::open_with(&Options { name: program.to_owned(), bytes })?;
    if connection.is_in_vm() {
        eprintln!("{program}: {}", connection.describe());
    }
    Ok(connection)
}

/// The server went away: what a client says last.
pub const SERVER_GONE: &str = "the server is gone";

/// A moment after which a client ends by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// In so many seconds; `None`: never.
    #[must_use]
    pub fn after(seconds: Option<f64>) -> Deadline {
        let duration = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
        Deadline(duration.and_then(|d| Instant::now().checked_add(d)))
    }

    /// What is left of it, for a wait.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Has it passed?
    #[must_use]
    pub fn passed(self) -> bool {
        self.0.is_some_and(|at| at <= Instant::now())
    }
}

/// Prints what the server has to complain of. True: the event was such a complaint.
pub fn complaint(program: &str, what: &What) -> bool {
    let complaint = what.complaint();
    if let Some(text) = &complaint {
        eprintln!("{program}: {text}");
    }
    complaint.is_some()
}

/// The end of a wait as a client's loop sees it: an error when the server is gone.
///
/// # Errors
/// The wait failed, or the server is gone.
pub fn awake(wake: Result<Wake, Error>) -> Result<(), Box<dyn std::error::Error>> {
    match wake? {
        Wake::Events | Wake::Timeout => Ok(()),
        Wake::ServerGone => Err(SERVER_GONE.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_places() {
        assert_eq!("300x200".parse(), Ok(Size { width: 300, height: 200 }));
        assert_eq!("-5,60".parse(), Ok(Place { x: -5, y: 60 }));
        for bad in ["", "300", "x", "-3x4", "3x4x5", "0x0", "99999x50", "50x15"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
        for bad in ["", "5", ",", "5;6"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }

    #[test]
    fn deadlines() {
        assert!(!Deadline::after(None).passed());
        assert_eq!(Deadline::after(None).left(), None);
        assert!(Deadline::after(Some(0.0)).passed());
        assert!(!Deadline::after(Some(1e6)).passed());
        assert!(!Deadline::after(Some(f64::INFINITY)).passed(), "beyond the clock is never");
    }
}
