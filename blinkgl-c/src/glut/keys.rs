//! Keys: from evdev codes to what GLUT's functions get, for a keyboard with the US layout.

/// What a key is to GLUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// For the keyboard function: ASCII.
    Character(u8),
    /// For the special function: `GLUT_KEY_...`.
    Special(i32),
}

/// Modifier keys that are held.
#[derive(Clone, Copy, Debug, Default)]
pub struct Modifiers {
    /// Bits of the keys of [`MODIFIERS`].
    held: u8,
    caps: bool,
}

/// Their evdev codes, in pairs left and right: shift, control, alt. A pair's number is GLUT's bit.
const MODIFIERS: [u32; 6] = [42, 54, 29, 97, 56, 100];
/// `KEY_CAPSLOCK`.
const CAPS_LOCK: u32 = 58;

/// Runs of evdev codes: the first code, the characters, and the characters with shift.
const CHARACTERS: [(u32, &[u8], &[u8]); 6] = [
    (1, b"\x1b1234567890-=\x08\tqwertyuiop[]\r", b"\x1b!@#$%^&*()_+\x08\tQWERTYUIOP{}\r"),
    (30, b"asdfghjkl;'`", b"ASDFGHJKL:\"~"),
    (43, b"\\zxcvbnm,./", b"|ZXCVBNM<>?"),
    (55, b"*", b"*"),
    (57, b" ", b" "),
    (71, b"789-456+1230.", b"789-456+1230."),
];

/// Other keys: evdev code and GLUT's.
const OTHERS: [(u32, Key); 15] = [
    (96, Key::Character(b'\r')),
    (98, Key::Character(b'/')),
    (102, Key::Special(106)),
    (103, Key::Special(101)),
    (104, Key::Special(104)),
    (105, Key::Special(100)),
    (106, Key::Special(102)),
    (107, Key::Special(107)),
    (108, Key::Special(103)),
    (109, Key::Special(105)),
    (110, Key::Special(108)),
    (111, Key::Character(0x7f)),
    // F11 and F12 are not in the row of the others.
    (87, Key::Special(11)),
    (88, Key::Special(12)),
    (86, Key::Character(b'<')),
];

impl Modifiers {
    /// Takes a key in, and says what GLUT makes of it.
    pub fn key(&mut self, code: u32, pressed: bool) -> Option<Key> {
        if let Some(i) = MODIFIERS.iter().position(|c| *c == code) {
            self.held = self.held & !(1 << i) | u8::from(pressed) << i;
            return None;
        }
        if code == CAPS_LOCK {
            self.caps ^= pressed;
            return None;
        }
        if let Some(number) = code.checked_sub(59).filter(|n| *n < 10) {
            return Some(Key::Special(i32::try_from(number).unwrap_or(0) + 1));
        }
        if let Some((_, key)) = OTHERS.iter().find(|(c, _)| *c == code) {
            return Some(*key);
        }
        let shift = self.held & 0b11 != 0;
        for (first, plain, shifted) in CHARACTERS {
            let at = code.checked_sub(first).and_then(|at| usize::try_from(at).ok());
            let Some((i, character)) = at.and_then(|i| Some((i, *plain.get(i)?))) else { continue };
            let upper = shift != (self.caps && character.is_ascii_lowercase());
            let character = if upper { shifted.get(i).copied()? } else { character };
            let control = self.held & 0b1100 != 0 && character.is_ascii_alphabetic();
            return Some(Key::Character(if control { character & 0x1f } else { character }));
        }
        None
    }

    /// `glutGetModifiers`: 1 shift, 2 control, 4 alt.
    pub fn bits(self) -> i32 {
        (0..3).filter(|pair| self.held >> (2 * pair) & 0b11 != 0).map(|pair| 1 << pair).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_us_layout() {
        let mut m = Modifiers::default();
        let mut press = |code| m.key(code, true);
        // Codes of linux/input-event-codes.h: Esc, 1, 0, Enter, Q, A, backslash, Z, slash, space.
        let codes = [1, 2, 11, 28, 16, 30, 43, 44, 53, 57];
        let expected = [0x1b, b'1', b'0', b'\r', b'q', b'a', b'\\', b'z', b'/', b' '];
        assert_eq!(codes.map(&mut press), expected.map(|c| Some(Key::Character(c))));
        // F1, F10, F11, left, up, right, down, page up, home.
        let codes = [59, 68, 87, 105, 103, 106, 108, 104, 102];
        assert_eq!(
            codes.map(&mut press),
            [1, 10, 11, 100, 101, 102, 103, 104, 106].map(|k| Some(Key::Special(k)))
        );
        assert_eq!(press(200), None);
    }

    #[test]
    fn modifiers_change_keys() {
        let mut m = Modifiers::default();
        assert_eq!(m.key(54, true), None);
        assert_eq!(
            (m.key(30, true), m.key(3, true), m.bits()),
            (Some(Key::Character(b'A')), Some(Key::Character(b'@')), 1)
        );
        m.key(54, false);
        m.key(CAPS_LOCK, true);
        m.key(CAPS_LOCK, false);
        assert_eq!(
            (m.key(30, true), m.key(3, true)),
            (Some(Key::Character(b'A')), Some(Key::Character(b'2')))
        );
        m.key(29, true);
        assert_eq!((m.key(46, true), m.bits()), (Some(Key::Character(3)), 2));
    }
}
