//! What a virtual machine is called, how much memory it shares and how its border looks: as people write it on
//! the command line and in the policy file.

use crate::limits::{DEFAULT_APERTURE_BYTES, MAX_APERTURE_BYTES, MIN_APERTURE_BYTES};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Characters of a name: as many as a label shows.
const NAME_CHARACTERS: usize = 32;

/// A virtual machine's name: the label of its windows, and part of its socket's file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VmName(String);

/// No name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of a VM: write 1 to {NAME_CHARACTERS} letters, digits, dots, hyphens or underscores, the first \
     a letter or digit"
)]
pub struct BadName(String);

impl VmName {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VmName {
    type Error = BadName;

    fn try_from(text: String) -> Result<VmName, BadName> {
        let fits = (1..=NAME_CHARACTERS).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
        if fits { Ok(VmName(text)) } else { Err(BadName(text.escape_debug().to_string())) }
    }
}

impl FromStr for VmName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<VmName, BadName> {
        VmName::try_from(text.to_owned())
    }
}

impl From<VmName> for String {
    fn from(name: VmName) -> String {
        name.0
    }
}

impl fmt::Display for VmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes of the memory that a virtual machine shares with the server: a power of two, as it is a PCI region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemorySize(u64);

/// No such size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no size of a VM's memory: write a power of two from {least}M to {most}M, as in 64M",
    least = MIN_APERTURE_BYTES >> 20, most = MAX_APERTURE_BYTES >> 20
)]
pub struct BadMemorySize {
    text: String,
}

impl MemorySize {
    /// In bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl Default for MemorySize {
    fn default() -> MemorySize {
        // 64 MiB: a power of two.
        MemorySize(u64::try_from(DEFAULT_APERTURE_BYTES).unwrap_or(u64::MAX))
    }
}

impl FromStr for MemorySize {
    type Err = BadMemorySize;

    fn from_str(text: &str) -> Result<MemorySize, BadMemorySize> {
        let parse = || {
            let (digits, unit) = match text.char_indices().last()? {
                (at, 'K') => (&text[..at], 1 << 10),
                (at, 'M') => (&text[..at], 1 << 20),
                (at, 'G') => (&text[..at], 1 << 30),
                _ => (text, 1),
            };
            // `parse` would take a sign.
            let digits = Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
            let bytes: u64 = digits.parse::<u64>().ok()?.checked_mul(unit)?;
            let size = usize::try_from(bytes).ok()?;
            let fits = (MIN_APERTURE_BYTES..=MAX_APERTURE_BYTES).contains(&size) && size.is_power_of_two();
            fits.then_some(MemorySize(bytes))
        };
        parse().ok_or_else(|| BadMemorySize { text: text.escape_debug().to_string() })
    }
}

impl TryFrom<String> for MemorySize {
    type Error = BadMemorySize;

    fn try_from(text: String) -> Result<MemorySize, BadMemorySize> {
        text.parse()
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All sizes are whole mebibytes.
        write!(f, "{}M", self.0 >> 20)
    }
}

impl From<MemorySize> for String {
    fn from(size: MemorySize) -> String {
        size.to_string()
    }
}

/// A color: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color(pub [u8; 3]);

/// No color.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no color: write # and two hexadecimal digits each for red, green and blue, as in #2a6fdb")]
pub struct BadColor(String);

impl FromStr for Color {
    type Err = BadColor;

    fn from_str(text: &str) -> Result<Color, BadColor> {
        let digits = text.strip_prefix('#').filter(|digits| {
            // `from_str_radix` would take a sign.
            digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())
        });
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] =
            number.ok_or_else(|| BadColor(text.escape_debug().to_string()))?.to_be_bytes();
        Ok(Color([red, green, blue]))
    }
}

impl TryFrom<String> for Color {
    type Error = BadColor;

    fn try_from(text: String) -> Result<Color, BadColor> {
        text.parse()
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl From<Color> for String {
    fn from(color: Color) -> String {
        color.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "work", "vm-1.local_2", &"x".repeat(32)] {
            assert_eq!(good.parse::<VmName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "-x", "a/b", "a b", "ä", "local: x", "a\n", &"x".repeat(33)] {
            assert!(bad.parse::<VmName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sizes_are_powers_of_two_in_range() {
        for (text, bytes) in [("1M", 1 << 20), ("64M", 64 << 20), ("1G", 1 << 30), ("2048K", 2 << 20)] {
            assert_eq!(text.parse::<MemorySize>().unwrap().bytes(), bytes);
        }
        assert_eq!("16777216".parse::<MemorySize>().unwrap().to_string(), "16M");
        for bad in ["", "M", "12M", "512K", "2G", "0", "-1M", "+2M", "64m", "64 M", "0x10M", "99999999999G"] {
            assert!(bad.parse::<MemorySize>().is_err(), "{bad:?}");
        }
        assert_eq!(MemorySize::default().to_string().parse(), Ok(MemorySize::default()));
    }

    #[test]
    fn colors() {
        assert_eq!("#2a6fDB".parse(), Ok(Color([0x2a, 0x6f, 0xdb])));
        assert_eq!(Color([1, 2, 255]).to_string(), "#0102ff");
        for bad in ["", "red", "#12345", "#1234567", "2a6fdb", "#+12345", "#12345g"] {
            assert!(bad.parse::<Color>().is_err(), "{bad:?}");
        }
    }
}
