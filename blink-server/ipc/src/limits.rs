//! The server's own limits, each with its unit and its reason. Those that guests must know are in `blinkgl::limits`; some stand
//! here too, because the glass does not depend on that crate, and the test below holds both together. Those of compiling are in
//! `jit::limits`.

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

/// Bytes of the programs of one client as the server keeps them: some words become thirty times as much.
pub const MAX_CLIENT_PROGRAM_BYTES: usize = 512 << 20;

/// Times that a scan starts again because the client committed meanwhile; then the next frame tries.
pub const MAX_SCAN_RETRIES: u32 = 3;

/// Pages that all guests of Xen together may have mapped: a quarter of what Xen lets a domain map by default
/// (`gnttab_max_maptrack_frames`, 262,144 entries), or half of it where each page takes two. What is left is for the disks and
/// networks of those guests.
pub const MAX_GRANTED_PAGES: usize = 65_536;

/// Bytes of vertices that the server keeps on the GPU for batches that come again, all clients together: a
/// million vertices.
pub const MAX_VERTEX_CACHE_BYTES: usize = 64 << 20;

/// Bytes of GPU buffers that no batch has, kept for the next ones: those that an 8K instruction program needs, ten times.
pub const MAX_SPARE_VERTEX_BYTES: usize = 8 << 20;

/// Bytes of what draws from vertex arrays made, all clients together, that the server keeps for frames that repeat.
pub const MAX_ARRAY_BYTES: usize = 64 << 20;

/// Shaders that the server keeps, all clients together: many more than programs of any sense need at a time. Each
/// takes some ten milliseconds to compile on a software renderer.
pub const MAX_SHADERS: usize = 256;

/// Shaders that the server compiles for a client without counting it as the client's drawing time: a program of any
/// sense needs fewer.
pub const FREE_SHADERS: u32 = 16;

/// Seconds after which another one is free, up to [`FREE_SHADERS`].
pub const FREE_SHADER_SECONDS: u64 = 10;

/// Pixels of the windows' buffers of one client (at eight bytes with their depth, 256 MiB): four windows of
/// 4K, or two that are slow, which have two buffers each. A window beyond that is not drawn.
pub const MAX_OFFSCREEN_PIXELS: u64 = 1 << 25;

/// Bytes of the display lists of all windows of one client, as the server keeps them. A list outlives the
/// procedure that made it, so that the limits on procedures do not bound it.
pub const MAX_LIST_BYTES: usize = 128 << 20;

/// Fuel of all callback runs of one client in one frame, twice what one run may take: its windows that come later wait for
/// the next.
pub const MAX_FRAME_FUEL: u64 = 8 << 20;

/// Vertices of all callback runs of one client in one frame, as [`MAX_FRAME_FUEL`].
pub const MAX_FRAME_VERTICES: u64 = 8 << 20;

/// Bytes that the server takes from one client a frame: three 4K frames. A client that commits more is
/// scanned again that many frames later. A byte of a procedure counts [`PROCEDURE_BYTE_COST`] times.
pub const MAX_SCAN_BYTES: u64 = 128 << 20;

/// Verifying and lowering a byte of a procedure takes as long as copying so many bytes of a texture.
pub const PROCEDURE_BYTE_COST: u64 = 16;

/// Making levels of detail from a byte of a texture takes as long as copying so many bytes of it.
pub const MIPMAP_BYTE_COST: u64 = 4;

/// A level of detail that the server makes takes as long as if it were made from so many bytes at least.
pub const MIPMAP_LEVEL_BYTES: u64 = 64 << 10;

/// Milliseconds between two times that the broker is told where a client's windows are, which it tells the next renderer:
/// messages of all of them are large, and a client can move them in each frame.
pub const PLACEMENT_MILLISECONDS: u64 = 250;

/// How often that may be told without waiting in between, so that what the user did last is not lost with a renderer.
pub const PLACEMENTS_AT_ONCE: u64 = 8;

/// Of how many parts of a refresh interval one is for runs in windows that are drawn directly, and another for suspended
/// runs, all clients together: half a frame each.
pub const FRAME_PARTS: u64 = 2;

/// Microseconds of a slice, at least: below, a run would do little but be suspended and taken up again.
pub const MIN_SLICE_MICROSECONDS: u64 = 1000;

/// What can't be cut in slices (a shader that is compiled, vertices that are read from arrays) and takes longer than the least
/// slice, a client's suspended runs then rest so many times as long: others keep 99 % of the time. Never longer
/// than [`FIRST_SLOW_SECONDS`]: beside what takes more than 20 ms at once, they keep less.
pub const REST_AFTER_WHOLE: u64 = 100;

/// Seconds without a run that goes past its slice after which a window is drawn directly again. Each time, its next long
/// run may cost the others a frame.
pub const SLOW_SECONDS: u64 = 180;

/// Seconds that it takes while its client has fewer than [`STRIKES`]: a first picture waits for the driver, and a machine may
/// be busy for a moment.
pub const FIRST_SLOW_SECONDS: u64 = 2;

/// Frames in which a client's runs in windows drawn directly went past their slices, within [`STRIKE_SECONDS`], from which
/// on it is told, and its windows are slow for [`SLOW_SECONDS`].
pub const STRIKES: usize = 3;

/// Seconds after which such a frame is forgotten: a window that is too slow for direct drawing has a strike each
/// [`FIRST_SLOW_SECONDS`].
pub const STRIKE_SECONDS: u64 = 20;

/// Runs of `redraw` of one client that are suspended at a time: what it drew and is not on the screen yet takes some
/// 5 MiB of each. Other windows wait for their turn.
pub const MAX_SUSPENDED_REDRAWS: usize = 8;

/// Microseconds that the drawing between two looks at the clock should take: the size of steps follows from it.
pub const STEP_MICROSECONDS: u64 = 1000;

/// Microseconds after the end of a slice from which on a step was too large for its window, whose steps stay small then:
/// one and a half steps.
pub const LATE_MICROSECONDS: u64 = 1500;

/// Frames after the end of a slice from which on a step is held against its client: less may be the fault of a machine that is
/// busy with something else.
pub const LATE_FRAMES: u64 = 2;

/// Fragments of a step, by the worst that primitives can cover, while nothing is known of the window: a millisecond on a
/// software renderer.
pub const MIN_STEP_FRAGMENTS: u64 = 1 << 20;

/// Fragments, counted likewise, that a client may leave to be done while another's windows are drawn: a quarter of a millisecond, which is not
/// waited for. More is, so that it is that client's time and not the next one's.
pub const MAX_OPEN_FRAGMENTS: u64 = MIN_STEP_FRAGMENTS / 4;

/// Fragments of a step of a window whose runs go past their slices, once its steps proved to be quick.
pub const MAX_SLOW_STEP_FRAGMENTS: u64 = 16 * MIN_STEP_FRAGMENTS;

/// The same for a window that is drawn directly: half a second on a software renderer if it suddenly covers all that
/// it can, once; gears in a window of 300x300 stay below.
pub const MAX_STEP_FRAGMENTS: u64 = 1 << 29;

/// Fragments that a draw counts as besides those it covers: some 30 microseconds.
pub const DRAW_FRAGMENTS: u64 = 1 << 15;

/// Fragments that a vertex counts as for [`MIN_STEP_FRAGMENTS`]: one that eight lights shine on takes about a
/// microsecond on a software renderer.
pub const VERTEX_FRAGMENTS: u64 = 1 << 10;

/// The same for a vertex of a polygon that is drawn as its border or corners, which a geometry shader looks at.
pub const OUTLINE_VERTEX_FRAGMENTS: u64 = 1 << 12;

#[cfg(test)]
mod tests {
    #[test]
    fn guests_are_told_the_same() {
        use blinkgl::limits as guests;
        let here = [super::MAX_CONTEXTS, super::MAX_WINDOWS, super::MAX_TITLE_BYTES];
        let there = [guests::MAX_CONTEXTS, guests::MAX_WINDOWS, guests::MAX_TITLE_BYTES];
        assert_eq!(here, there);
        let here = [super::MAX_WINDOW_SIZE, super::MIN_WINDOW_SIZE, super::MAX_CURSOR_SIZE];
        let there = [guests::MAX_WINDOW_SIZE, guests::MIN_WINDOW_SIZE, guests::MAX_CURSOR_SIZE];
        assert_eq!(here, there);
        assert_eq!(super::MAX_FRAME_FUEL, 2 * guests::MAX_FUEL);
        assert_eq!(super::MAX_FRAME_VERTICES, 2 * guests::MAX_VERTICES);
        let here = [super::MIN_APERTURE_BYTES, super::MAX_APERTURE_BYTES, super::DEFAULT_APERTURE_BYTES];
        let there = [guests::MIN_APERTURE_BYTES, guests::MAX_APERTURE_BYTES, guests::DEFAULT_APERTURE_BYTES];
        assert_eq!(here, there);
    }
}
