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
            let bytes = parse_bytes(text)?;
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

/// Bytes of private memory that a renderer may have (`RLIMIT_DATA`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RendererMemory(u64);

/// Bytes of a renderer's private memory, smallest: a renderer with one small client needs about this.
const MIN_RENDERER_BYTES: u64 = 64 << 20;
/// Bytes of a renderer's private memory, largest.
const MAX_RENDERER_BYTES: u64 = 64 << 30;

/// No size of a renderer's memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no size of a renderer's memory: write 64M to 64G, as in 512M or 1G")]
pub struct BadRendererMemory(String);

impl RendererMemory {
    /// In bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl Default for RendererMemory {
    fn default() -> RendererMemory {
        // Textures of a quarter of it, with what Mesa makes of them, and the shaders and pictures of many windows.
        RendererMemory(384 << 20)
    }
}

impl FromStr for RendererMemory {
    type Err = BadRendererMemory;

    fn from_str(text: &str) -> Result<RendererMemory, BadRendererMemory> {
        let fits = |bytes: &u64| (MIN_RENDERER_BYTES..=MAX_RENDERER_BYTES).contains(bytes);
        parse_bytes(text)
            .filter(fits)
            .map(RendererMemory)
            .ok_or_else(|| BadRendererMemory(text.escape_debug().to_string()))
    }
}

impl TryFrom<String> for RendererMemory {
    type Error = BadRendererMemory;

    fn try_from(text: String) -> Result<RendererMemory, BadRendererMemory> {
        text.parse()
    }
}

impl fmt::Display for RendererMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes % (1 << 20) == 0 => write!(f, "{}M", bytes >> 20),
            bytes => write!(f, "{bytes}"),
        }
    }
}

impl From<RendererMemory> for String {
    fn from(memory: RendererMemory) -> String {
        memory.to_string()
    }
}

/// The name of a group of users, or its number: the group that a VM's sockets belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// Bytes of a group's name: what Linux allows.
const GROUP_BYTES: usize = 32;

/// No name of a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a group: write one of /etc/group, as in libvirt-qemu, or a number")]
pub struct BadGroup(String);

impl GroupName {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = BadGroup;

    fn from_str(text: &str) -> Result<GroupName, BadGroup> {
        let fits = (1..=GROUP_BYTES).contains(&text.len())
            && !text.starts_with('-')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-$".contains(c));
        if fits { Ok(GroupName(text.to_owned())) } else { Err(BadGroup(text.escape_debug().to_string())) }
    }
}

impl TryFrom<String> for GroupName {
    type Error = BadGroup;

    fn try_from(text: String) -> Result<GroupName, BadGroup> {
        text.parse()
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> String {
        name.0
    }
}

/// The permissions of a VM's sockets: owner and group may have some, all others none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SocketMode(u32);

/// No mode of a socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mode of a VM's sockets: write 600 or 660; all users of the machine never reach them")]
pub struct BadSocketMode(String);

impl SocketMode {
    /// Owner and group may connect.
    pub const GROUP: SocketMode = SocketMode(0o660);

    /// The permission bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SocketMode {
    fn default() -> SocketMode {
        SocketMode(0o600)
    }
}

impl FromStr for SocketMode {
    type Err = BadSocketMode;

    fn from_str(text: &str) -> Result<SocketMode, BadSocketMode> {
        match text.strip_prefix('0').unwrap_or(text) {
            "600" => Ok(SocketMode(0o600)),
            "660" => Ok(SocketMode(0o660)),
            _ => Err(BadSocketMode(text.escape_debug().to_string())),
        }
    }
}

impl TryFrom<String> for SocketMode {
    type Error = BadSocketMode;

    fn try_from(text: String) -> Result<SocketMode, BadSocketMode> {
        text.parse()
    }
}

impl fmt::Display for SocketMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:o}", self.0)
    }
}

impl From<SocketMode> for String {
    fn from(mode: SocketMode) -> String {
        mode.to_string()
    }
}

/// A number of bytes, with `K`, `M` or `G` behind it or none of them.
fn parse_bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'K') => (&text[..at], 1 << 10),
        (at, 'M') => (&text[..at], 1 << 20),
        (at, 'G') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    // `parse` would take a sign.
    let digits = Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse::<u64>().ok()?.checked_mul(unit)
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

    #[test]
    fn sizes_of_renderers() {
        for (text, bytes) in [("64M", 64 << 20), ("1G", 1 << 30), ("64G", 64 << 30), ("100000K", 102_400_000)]
        {
            let memory = text.parse::<RendererMemory>().unwrap();
            assert_eq!(memory.bytes(), bytes);
            assert_eq!(memory.to_string().parse(), Ok(memory));
        }
        for bad in ["", "63M", "65G", "-1G", "1T", "1 G", "99999999999G"] {
            assert!(bad.parse::<RendererMemory>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn groups_and_modes() {
        for good in ["libvirt-qemu", "kvm", "107", "a_b.c"] {
            assert_eq!(good.parse::<GroupName>().unwrap().as_str(), good);
        }
        for bad in ["", "-x", "a b", "a:b", &"x".repeat(33)] {
            assert!(bad.parse::<GroupName>().is_err(), "{bad:?}");
        }
        for (text, bits) in [("600", 0o600), ("660", 0o660), ("0660", 0o660)] {
            let mode = text.parse::<SocketMode>().unwrap();
            assert_eq!((mode.bits(), mode.to_string().parse()), (bits, Ok(mode)));
        }
        for bad in ["", "666", "777", "066", "00660", "rw", "-660"] {
            assert!(bad.parse::<SocketMode>().is_err(), "{bad:?}");
        }
    }
}
