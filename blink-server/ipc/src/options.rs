//! What the command line decides and both processes need.

use std::str::FromStr;

/// Where the picture goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputOption {
    /// Into memory, for screenshots.
    Headless {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Frames per second.
        hz: u32,
    },
    /// Into a window on the desktop.
    Window {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

/// A mode that is not `WIDTHxHEIGHT` or `WIDTHxHEIGHT@HZ`, or out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no mode: write WIDTHxHEIGHT or WIDTHxHEIGHT@HZ, sizes 64 to 8192, 1 to 1000 Hz, as in 1024x768@60"
)]
pub struct BadMode(String);

/// `WIDTHxHEIGHT@HZ`; 60 Hz where it says none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second.
    pub hz: u32,
}

impl FromStr for Mode {
    type Err = BadMode;

    fn from_str(text: &str) -> Result<Mode, BadMode> {
        let parse = || {
            let (size, hz) = text.split_once('@').unwrap_or((text, "60"));
            let (width, height) = size.split_once('x')?;
            let mode =
                Mode { width: width.parse().ok()?, height: height.parse().ok()?, hz: hz.parse().ok()? };
            let sizes = 64..=8192;
            (sizes.contains(&mode.width) && sizes.contains(&mode.height) && (1..=1000).contains(&mode.hz))
                .then_some(mode)
        };
        parse().ok_or_else(|| BadMode(text.to_owned()))
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}@{}", self.width, self.height, self.hz)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        assert_eq!("1024x768@60".parse(), Ok(Mode { width: 1024, height: 768, hz: 60 }));
        assert_eq!("640x480".parse(), Ok(Mode { width: 640, height: 480, hz: 60 }));
        for bad in ["", "640", "0x480", "640x480@0", "99999x3", "-1x64", "640x480@60@60"] {
            assert!(bad.parse::<Mode>().is_err(), "{bad}");
        }
    }
}
