//! XenStore's messages as bytes (xen/include/public/io/xs_wire.h): a header of four words, and a payload.

/// Bytes of a header.
pub const HEADER_BYTES: usize = 16;
/// Bytes of a payload, at most.
pub const MAX_PAYLOAD: usize = 4096;
/// Bytes of an absolute path, at most.
pub const MAX_PATH: usize = 3072;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Names below a path.
    Directory = 1,
    /// A value.
    Read = 2,
    /// Tell of changes.
    Watch = 4,
    /// Tell no more.
    Unwatch = 5,
    /// What follows is one change.
    TransactionStart = 6,
    /// It is complete.
    TransactionEnd = 7,
    /// A new value.
    Write = 11,
    /// Removes a path and all below it.
    Remove = 13,
    /// Who may read and write.
    SetPermissions = 14,
    /// Something changed.
    WatchEvent = 15,
    /// The request failed.
    Error = 16,
    /// Is there such a domain?
    IsDomainIntroduced = 17,
}

impl Kind {
    /// All that a message to this program can be, and all that it asks for.
    pub const ALL: [Kind; 12] = [
        Kind::Directory,
        Kind::Read,
        Kind::Watch,
        Kind::Unwatch,
        Kind::TransactionStart,
        Kind::TransactionEnd,
        Kind::Write,
        Kind::Remove,
        Kind::SetPermissions,
        Kind::WatchEvent,
        Kind::Error,
        Kind::IsDomainIntroduced,
    ];

    /// The kind of a number.
    pub fn of(number: u32) -> Option<Kind> {
        Kind::ALL.into_iter().find(|&kind| kind as u32 == number)
    }
}

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// A [`Kind`], or what a later version has.
    pub kind: u32,
    /// The sender's number for a request, which the reply repeats.
    pub request: u32,
    /// The transaction; 0: none.
    pub transaction: u32,
    /// Bytes of the payload.
    pub length: u32,
}

impl Header {
    /// As bytes, of the machine's order: both ends are on one.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let words = [self.kind, self.request, self.transaction, self.length].map(u32::to_ne_bytes);
        let mut bytes = [0; HEADER_BYTES];
        bytes.copy_from_slice(words.as_flattened());
        bytes
    }

    /// Of the start of some bytes; `None`: there are too few yet.
    pub fn decode(bytes: &[u8]) -> Option<Header> {
        let (words, _) = bytes.get(..HEADER_BYTES)?.as_chunks::<4>();
        let mut words = words.iter().map(|&word| u32::from_ne_bytes(word));
        let mut word = || words.next();
        Some(Header { kind: word()?, request: word()?, transaction: word()?, length: word()? })
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub header: Header,
    /// The rest, at most [`MAX_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
}

impl Message {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.header.encode().to_vec();
        bytes.extend(&self.payload);
        bytes
    }

    /// Takes the first message off some bytes; `None`: there is no whole one yet.
    ///
    /// # Errors
    /// It claims a longer payload than there is.
    pub fn take_from(bytes: &mut Vec<u8>) -> Result<Option<Message>, u32> {
        let Some(header) = Header::decode(bytes) else { return Ok(None) };
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if length > MAX_PAYLOAD {
            return Err(header.length);
        }
        let end = HEADER_BYTES + length;
        let Some(payload) = bytes.get(HEADER_BYTES..end) else { return Ok(None) };
        let payload = payload.to_vec();
        bytes.drain(..end);
        Ok(Some(Message { header, payload }))
    }
}

/// The texts of a payload, each of which ends with a zero byte. (The last one's may be missing, as in some daemons'
/// replies.)
pub fn texts(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let payload = payload.strip_suffix(&[0]).unwrap_or(payload);
    let is_empty = payload.is_empty();
    payload.split(|&byte| byte == 0).filter(move |_| !is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_sixteen_bytes_and_its_payload() {
        let header = Header { kind: Kind::Read as u32, request: 5, transaction: 9, length: 3 };
        let message = Message { header, payload: b"a/\0".to_vec() };
        let bytes = message.encode();
        assert_eq!(bytes.len(), 19);
        for (at, word) in [(0, 2_u32), (4, 5), (8, 9), (12, 3)] {
            assert_eq!(bytes[at..at + 4], word.to_ne_bytes());
        }
        let mut twice = [bytes.clone(), bytes.clone()].concat();
        assert_eq!(Message::take_from(&mut twice), Ok(Some(message.clone())));
        assert_eq!(Message::take_from(&mut twice), Ok(Some(message)));
        for cut in 0..bytes.len() {
            let mut start = bytes[..cut].to_vec();
            assert_eq!(Message::take_from(&mut start), Ok(None), "{cut} bytes");
            assert_eq!(start.len(), cut, "kept for the rest");
        }
    }

    #[test]
    fn a_payload_that_is_too_long_is_not_waited_for() {
        let header = |length| Header { kind: 2, request: 0, transaction: 0, length }.encode().to_vec();
        assert_eq!(Message::take_from(&mut header(4096)), Ok(None));
        assert_eq!(Message::take_from(&mut header(4097)), Err(4097));
        assert_eq!(Message::take_from(&mut header(u32::MAX)), Err(u32::MAX));
    }

    #[test]
    fn texts_end_with_zeros() {
        let all = |payload: &'static [u8]| texts(payload).collect::<Vec<_>>();
        assert!(all(b"").is_empty());
        assert!(all(b"\0").is_empty());
        assert_eq!(all(b"OK\0"), [b"OK"]);
        assert_eq!(all(b"path\0token\0"), [&b"path"[..], b"token"]);
        assert_eq!(all(b"0\x001"), [&b"0"[..], b"1"]);
    }

    #[test]
    fn kinds_have_their_numbers() {
        assert!(Kind::ALL.into_iter().all(|kind| Kind::of(kind as u32) == Some(kind)));
        assert_eq!(Kind::of(22), None);
        assert_eq!(Kind::IsDomainIntroduced as u32, 17);
    }
}
