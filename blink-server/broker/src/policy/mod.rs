//! What is decided here, never by a client: what it is called, how its border looks, how many places it may have.

pub mod file;
pub mod places;

use ipc::ClientId;

/// Characters of a name in a label.
const NAME_CHARACTERS: usize = 32;

/// Border colors, red, green, blue: far from each other, readable under white text.
const PALETTE: [[u8; 3]; 12] = [
    [0x2a, 0x6f, 0xdb],
    [0xc0, 0x39, 0x2b],
    [0x1e, 0x84, 0x49],
    [0x8e, 0x44, 0xad],
    [0xca, 0x6f, 0x1e],
    [0x14, 0x8f, 0x8f],
    [0xb0, 0x3a, 0x7a],
    [0x6e, 0x5a, 0x2b],
    [0x45, 0x5a, 0x8f],
    [0x7a, 0x8b, 0x1c],
    [0x9c, 0x4a, 0x4a],
    [0x3d, 0x7a, 0x5a],
];

/// The color of a client's borders.
#[must_use]
pub fn color(client: ClientId) -> [u8; 3] {
    // Ids count from 1.
    let index = usize::try_from(client.0.wrapping_sub(1)).unwrap_or(0) % PALETTE.len();
    PALETTE.get(index).copied().unwrap_or_default()
}

/// The label of a local client: says that it is one, whatever the application calls itself.
#[must_use]
pub fn local_name(untrusted_name: &str) -> String {
    let name = printable(untrusted_name);
    let name = if name.is_empty() { "unnamed" } else { &name };
    format!("local: {name}").chars().take(NAME_CHARACTERS).collect()
}

/// The printable characters of a text, spaces for the others, none at the ends or in a row.
fn printable(untrusted: &str) -> String {
    let spaced: String = untrusted
        .chars()
        // Square brackets are around what the server says of a client in its label.
        .map(|c| match c {
            '[' => '(',
            ']' => ')',
            c if c.is_alphanumeric() || c.is_ascii_punctuation() => c,
            _ => ' ',
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        assert_eq!(local_name("gears"), "local: gears");
        assert_eq!(local_name(""), "local: unnamed");
        assert_eq!(local_name("gears [slow]"), "local: gears (slow)");
        assert_eq!(local_name(" \u{1b}[31mred\n\u{202e}evil\t"), "local: (31mred evil");
        assert_eq!(local_name(&"x".repeat(100)).chars().count(), NAME_CHARACTERS);
    }

    #[test]
    fn neighbours_differ() {
        assert_ne!(color(ClientId(1)), color(ClientId(2)));
        assert_eq!(color(ClientId(1)), color(ClientId(13)));
    }
}
