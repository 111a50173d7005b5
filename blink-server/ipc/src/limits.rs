//! The limits of what the server shows: with unit and reason. Those that guests must know too are in `blinkgl::limits`; the
//! test below holds both together, because the glass does not depend on that crate.

/// Clients of one server.
pub const MAX_CLIENTS: usize = 64;

/// Contexts (applications) of one client.
pub const MAX_CONTEXTS: usize = 16;

/// Windows of one context, child windows included.
pub const MAX_WINDOWS: usize = 32;

/// Bytes of a window's title, UTF-8.
pub const MAX_TITLE_BYTES: usize = 128;

/// Width and height of a window in pixels: what every GL 3.3 viewport can hold.
pub const MAX_WINDOW_SIZE: u32 = 8192;

/// Width and height of a window in pixels, smallest: a border must be able to hold it.
pub const MIN_WINDOW_SIZE: u32 = 16;

/// Width and height of a cursor image in pixels (what hardware cursors offer).
pub const MAX_CURSOR_SIZE: u32 = 64;

/// Bytes of an aperture, smallest and largest, and without a wish.
pub const MIN_APERTURE_BYTES: usize = 1 << 20;
/// See [`MIN_APERTURE_BYTES`].
pub const MAX_APERTURE_BYTES: usize = 1 << 30;
/// See [`MIN_APERTURE_BYTES`].
pub const DEFAULT_APERTURE_BYTES: usize = 64 << 20;

/// Lines of a client's mistakes that go to the log in ten seconds.
pub const MAX_LOG_LINES: u32 = 10;

#[cfg(test)]
mod tests {
    #[test]
    fn guests_are_told_the_same() {
        use blinkgl::limits as guests;
        let here = [super::MAX_CLIENTS, super::MAX_CONTEXTS, super::MAX_WINDOWS, super::MAX_TITLE_BYTES];
        let there = [guests::MAX_CLIENTS, guests::MAX_CONTEXTS, guests::MAX_WINDOWS, guests::MAX_TITLE_BYTES];
        assert_eq!(here, there);
        let here =
            [super::MAX_WINDOW_SIZE, super::MIN_WINDOW_SIZE, super::MAX_CURSOR_SIZE, super::MAX_LOG_LINES];
        let there = [
            guests::MAX_WINDOW_SIZE,
            guests::MIN_WINDOW_SIZE,
            guests::MAX_CURSOR_SIZE,
            guests::MAX_LOG_LINES,
        ];
        assert_eq!(here, there);
        let here = [super::MIN_APERTURE_BYTES, super::MAX_APERTURE_BYTES, super::DEFAULT_APERTURE_BYTES];
        let there = [guests::MIN_APERTURE_BYTES, guests::MAX_APERTURE_BYTES, guests::DEFAULT_APERTURE_BYTES];
        assert_eq!(here, there);
    }
}
