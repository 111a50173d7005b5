//! The local transport: how a client and a server on one machine come together.
//!
//! A Unix socket of type `SOCK_SEQPACKET`; each message is one packet of fixed size, little-endian:
//!
//! ```text
//! client -> server  Hello    magic, lowest and highest layout version, wanted bytes, name
//! server -> client  Welcome  version, client id, bytes; 3 descriptors beside it (SCM_RIGHTS):
//!                            memory    memfd of the aperture, sealed (shrink, grow, seal)
//!                            doorbell  eventfd, written by the client
//!                            wake      socket (SOCK_SEQPACKET), waited for and emptied by the client
//!              or   Refused  text: why, and what to do
//!              or   Part     as Welcome, and which part of the aperture is this client's
//! ```
//!
//! A Part is the answer of a virtual machine's agent, which has the machine's aperture, to one of the machine's
//! applications. Its memory may be a device's, which has no seals, and need not start at the descriptor's offset 0.
//!
//! Then the socket carries nothing more, but stays open: when one side's end closes, that side is
//! gone. A server closes a connection that sends no Hello within [`HELLO_SECONDS`].
//!
//! The server's address is the socket's path: the environment variable [`DISPLAY_VARIABLE`], or the
//! default that `blink-client` and `blink-server` share.

use crate::layout::APERTURE_VERSION;
use alloc::string::String;

/// Environment variable with the path of the server's socket.
pub const DISPLAY_VARIABLE: &str = "BLINK_DISPLAY";
/// File name of the server's socket where none is named.
pub const SOCKET_NAME: &str = "blink-0";
/// First word of each message: the bytes `BLKL`.
pub const MAGIC: u32 = u32::from_le_bytes(*b"BLKL");
/// Seconds that a new connection has for its Hello.
pub const HELLO_SECONDS: u64 = 5;
/// Bytes of an application's name.
pub const NAME_BYTES: usize = 64;
/// Bytes of the text of a refusal.
pub const TEXT_BYTES: usize = 232;
/// Bytes of a Hello.
pub const HELLO_BYTES: usize = 24 + NAME_BYTES;
/// Bytes of an answer.
pub const ANSWER_BYTES: usize = 24 + TEXT_BYTES;
/// Descriptors with a Welcome or a Part: memory, doorbell, wake.
pub const WELCOME_DESCRIPTORS: usize = 3;

const WELCOME: u32 = 1;
const REFUSED: u32 = 2;
const PART: u32 = 3;

/// The first message of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Lowest layout version that the client speaks, see [`APERTURE_VERSION`].
    pub version_min: u32,
    /// Highest layout version that the client speaks.
    pub version_max: u32,
    /// Wanted bytes of the aperture; 0 = the server's default.
    pub bytes: u64,
    /// The application's name, for labels and lists.
    pub name: String,
}

impl Hello {
    /// The Hello of a client built from this crate.
    #[must_use]
    pub fn new(name: &str, bytes: u64) -> Hello {
        Hello { version_min: APERTURE_VERSION, version_max: APERTURE_VERSION, bytes, name: name.into() }
    }

    /// As a packet; the name is cut to [`NAME_BYTES`] at a character.
    #[must_use]
    pub fn encode(&self) -> [u8; HELLO_BYTES] {
        let mut packet = [0; HELLO_BYTES];
        put(&mut packet, 0, &MAGIC.to_le_bytes());
        put(&mut packet, 4, &self.version_min.to_le_bytes());
        put(&mut packet, 8, &self.version_max.to_le_bytes());
        put(&mut packet, 16, &self.bytes.to_le_bytes());
        let name = cut(&self.name, NAME_BYTES);
        put(&mut packet, 12, &length_of(name));
        put(&mut packet, 24, name);
        packet
    }

    /// From a packet. The name may hold any characters.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(packet: &[u8]) -> Result<Hello, MessageError> {
        if packet.len() != HELLO_BYTES {
            return Err(MessageError::Size { found: packet.len(), wanted: HELLO_BYTES });
        }
        check_magic(packet)?;
        Ok(Hello {
            version_min: word(packet, 4),
            version_max: word(packet, 8),
            bytes: double_word(packet, 16),
            name: text(packet, 12, 24),
        })
    }
}

/// A server's answer to a [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Come in; descriptors are with it.
    Welcome {
        /// Layout version of the aperture.
        version: u32,
        /// The client's id in the server's lists.
        client: u32,
        /// Bytes of the aperture.
        bytes: u64,
    },
    /// No.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// Come in; this much of an aperture is yours. Descriptors are with it.
    Part {
        /// Layout version of the aperture.
        version: u32,
        /// The machine's id in the server's lists.
        client: u32,
        /// Bytes of the whole aperture.
        bytes: u64,
        /// Where the aperture starts in its descriptor.
        offset: u64,
        /// The client's first page in the aperture.
        first_page: u32,
        /// The client's pages.
        pages: u32,
        /// The client's entry of the aperture's directory.
        entry: u32,
    },
}

impl Answer {
    /// As a packet; a reason is cut to [`TEXT_BYTES`] at a character.
    #[must_use]
    pub fn encode(&self) -> [u8; ANSWER_BYTES] {
        let mut packet = [0; ANSWER_BYTES];
        put(&mut packet, 0, &MAGIC.to_le_bytes());
        match self {
            Answer::Welcome { version, client, bytes } => {
                put(&mut packet, 4, &WELCOME.to_le_bytes());
                put(&mut packet, 8, &version.to_le_bytes());
                put(&mut packet, 12, &client.to_le_bytes());
                put(&mut packet, 16, &bytes.to_le_bytes());
            }
            Answer::Refused { reason } => {
                put(&mut packet, 4, &REFUSED.to_le_bytes());
                let reason = cut(reason, TEXT_BYTES);
                put(&mut packet, 8, &length_of(reason));
                put(&mut packet, 24, reason);
            }
            Answer::Part { version, client, bytes, offset, first_page, pages, entry } => {
                put(&mut packet, 4, &PART.to_le_bytes());
                put(&mut packet, 8, &version.to_le_bytes());
                put(&mut packet, 12, &client.to_le_bytes());
                put(&mut packet, 16, &bytes.to_le_bytes());
                put(&mut packet, 24, &offset.to_le_bytes());
                put(&mut packet, 32, &first_page.to_le_bytes());
                put(&mut packet, 36, &pages.to_le_bytes());
                put(&mut packet, 40, &entry.to_le_bytes());
            }
        }
        packet
    }

    /// From a packet.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(packet: &[u8]) -> Result<Answer, MessageError> {
        if packet.len() != ANSWER_BYTES {
            return Err(MessageError::Size { found: packet.len(), wanted: ANSWER_BYTES });
        }
        check_magic(packet)?;
        match word(packet, 4) {
            WELCOME => Ok(Answer::Welcome {
                version: word(packet, 8),
                client: word(packet, 12),
                bytes: double_word(packet, 16),
            }),
            REFUSED => Ok(Answer::Refused { reason: text(packet, 8, 24) }),
            PART => Ok(Answer::Part {
                version: word(packet, 8),
                client: word(packet, 12),
                bytes: double_word(packet, 16),
                offset: double_word(packet, 24),
                first_page: word(packet, 32),
                pages: word(packet, 36),
                entry: word(packet, 40),
            }),
            kind => Err(MessageError::Kind(kind)),
        }
    }
}

/// A packet that is no message of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Wrong size.
    #[error("a message of {found} bytes where {wanted} are due: the other side speaks another protocol")]
    Size {
        /// Bytes received.
        found: usize,
        /// Bytes of such a message.
        wanted: usize,
    },
    /// Wrong magic word.
    #[error("the message starts with {0:#010x} instead of `BLKL`: the other side speaks another protocol")]
    Magic(u32),
    /// An answer that is neither Welcome nor Refused nor Part.
    #[error("answer {0} is none of 1 (welcome), 2 (refused), 3 (part): the server is of another version")]
    Kind(u32),
}

fn check_magic(packet: &[u8]) -> Result<(), MessageError> {
    match word(packet, 0) {
        MAGIC => Ok(()),
        other => Err(MessageError::Magic(other)),
    }
}

/// Copies `bytes` to `at`; what does not fit is left out.
fn put(packet: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in packet.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// The first `limit` bytes of a text, whole characters.
fn cut(text: &str, limit: usize) -> &[u8] {
    text.as_bytes().get(..text.floor_char_boundary(limit)).unwrap_or_default()
}

fn length_of(text: &[u8]) -> [u8; 4] {
    u32::try_from(text.len()).unwrap_or(0).to_le_bytes()
}

/// The little-endian word at `at`; bytes that are missing are 0.
fn word(packet: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    for (to, from) in bytes.iter_mut().zip(packet.iter().skip(at)) {
        *to = *from;
    }
    u32::from_le_bytes(bytes)
}

fn double_word(packet: &[u8], at: usize) -> u64 {
    crate::layout::join(word(packet, at), word(packet, at + 4))
}

/// The text at `at`, whose length is the word at `length_at`; cut to the packet, bad UTF-8 replaced.
fn text(packet: &[u8], length_at: usize, at: usize) -> String {
    let bytes = packet.get(at..).unwrap_or_default();
    let length = usize::try_from(word(packet, length_at)).unwrap_or(usize::MAX).min(bytes.len());
    String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn messages_survive_their_encoding() {
        let hello =
            Hello { version_min: 1, version_max: 0x1_0003, bytes: 1 << 33, name: "Zahnräder".into() };
        assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
        let welcome = Answer::Welcome { version: 0x1_0000, client: 7, bytes: 1 << 33 };
        assert_eq!(Answer::decode(&welcome.encode()), Ok(welcome));
        let refused = Answer::Refused { reason: "no".into() };
        assert_eq!(Answer::decode(&refused.encode()), Ok(refused));
        let part = Answer::Part {
            version: 0x1_0000,
            client: 7,
            bytes: 1 << 33,
            offset: 1 << 34,
            first_page: 9,
            pages: 100,
            entry: 15,
        };
        assert_eq!(Answer::decode(&part.encode()), Ok(part));
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let name = "ä".repeat(NAME_BYTES);
        let decoded = Hello::decode(&Hello::new(&name, 0).encode()).map(|h| h.name);
        assert_eq!(decoded, Ok("ä".repeat(NAME_BYTES / 2)));
    }

    #[test]
    fn other_packets_are_refused() {
        assert_eq!(Hello::decode(b"GET /"), Err(MessageError::Size { found: 5, wanted: HELLO_BYTES }));
        let mut packet = Hello::new("x", 0).encode();
        packet[0] = b'X';
        assert!(matches!(Hello::decode(&packet), Err(MessageError::Magic(_))));
        let mut packet = Answer::Refused { reason: "x".to_string() }.encode();
        packet[4] = 9;
        assert_eq!(Answer::decode(&packet), Err(MessageError::Kind(9)));
        // A length that lies reads no further than the packet.
        packet[4] = 2;
        packet[8..12].fill(0xff);
        assert!(
            matches!(Answer::decode(&packet), Ok(Answer::Refused { reason }) if reason.len() == TEXT_BYTES)
        );
    }
}
