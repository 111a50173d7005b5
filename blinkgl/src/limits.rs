//! Every limit of Blink, with its unit and its reason.

/// Virtual registers of a register file (paper, section 2.1 and the project's brief).
pub const REGISTERS: usize = 32;

/// 32-bit words of one stored procedure, header included (1 MiB). The paper's largest test program
/// is 8,192 instructions, about 34,000 words; eight times that leaves room for baked models.
pub const MAX_PROGRAM_WORDS: usize = 1 << 18;

/// 32-bit words of all procedures of one context (8 MiB). Lowering makes a few bytes of a word, and at worst some
/// 130: see [`MAX_CLIENT_PROGRAM_BYTES`].
pub const MAX_CONTEXT_PROGRAM_WORDS: usize = 2 << 20;

/// Operands of one instruction: a 4x4 matrix is the widest, and the register mask has 16 bits.
pub const MAX_OPERANDS: usize = 16;

/// Bytes of a page: the unit in which objects are placed in an aperture, as on x86 and in Xen grants.
pub const PAGE_SIZE: usize = shm::PAGE_SIZE;

/// Smallest aperture in bytes: header, one context's fixed pages, and some data.
pub const MIN_APERTURE_BYTES: usize = 1 << 20;

/// Largest aperture in bytes (1 GiB): what one VM may pin on the server.
pub const MAX_APERTURE_BYTES: usize = 1 << 30;

/// Aperture in bytes when the client does not ask for a size: gears needs 200 KiB, a player of
/// 1080p video with eight frames 25 MiB.
pub const DEFAULT_APERTURE_BYTES: usize = 64 << 20;

/// Contexts (applications) that share one aperture.
pub const MAX_CONTEXTS: usize = 16;

/// Objects of one context, the slots of its VSO array. A scan reads one version word for each.
pub const MAX_OBJECTS: usize = 512;

/// Page extents of one object: a client allocator that can't find eight runs is out of memory.
pub const MAX_EXTENTS: usize = 8;

/// Events in a context's ring, a power of two: four seconds of input at 60 Hz.
pub const EVENT_RING_ENTRIES: u32 = 256;

/// Windows of one context, child windows included.
pub const MAX_WINDOWS: usize = 32;

/// Bytes of a window's title, UTF-8.
pub const MAX_TITLE_BYTES: usize = 128;

/// Width and height of a window in pixels: what every GL 3.3 viewport can hold.
pub const MAX_WINDOW_SIZE: u32 = 8192;

/// Width and height of a window in pixels, smallest: a border must be able to hold it.
pub const MIN_WINDOW_SIZE: u32 = 16;

/// Width and height of a texture in texels (GL 3.3 guarantees 1,024; every real one has 4,096).
pub const MAX_TEXTURE_SIZE: u32 = 4096;

/// Width and height of a cursor image in pixels (what hardware cursors offer).
pub const MAX_CURSOR_SIZE: u32 = 64;

/// Display list names are `1..=MAX_LISTS`, per window.
pub const MAX_LISTS: u32 = 1024;

/// Calls of a display list from a display list (OpenGL's minimum `GL_MAX_LIST_NESTING`).
pub const MAX_LIST_NESTING: u32 = 64;

/// Depth of the modelview matrix stack (OpenGL's minimum).
pub const MODELVIEW_STACK: usize = 32;

/// Depth of the projection matrix stack (OpenGL's minimum is 2; Mesa and this server have more).
pub const PROJECTION_STACK: usize = 4;

/// Depth of the texture matrix stack (OpenGL's minimum is 2).
pub const TEXTURE_STACK: usize = 4;

/// Texture units (OpenGL's minimum).
pub const MAX_TEXTURE_UNITS: usize = 2;

/// User clip planes (OpenGL's minimum).
pub const MAX_CLIP_PLANES: usize = 6;

/// Depth of the attribute stack of a program or display list (OpenGL's minimum).
pub const ATTRIB_STACK: usize = 16;

/// Lights (OpenGL's minimum).
pub const MAX_LIGHTS: usize = 8;

/// Fuel of one callback run: one unit is one cheap op, see [`crate::ops::OpInfo::cost`]. Bounds what
/// display list calls may multiply: 4 million units are some 40 ms of interpretation.
pub const MAX_FUEL: u64 = 4 << 20;

/// Vertices that one callback run may draw, after assembly into points, lines or triangles.
pub const MAX_VERTICES: u64 = 4 << 20;

/// GL calls of the worst path of one program or list: more than twice those of a program of the longest length that is
/// all vertices.
pub const MAX_CALLS: u64 = 3 << 16;

/// Bytes of vertices of the worst path of one program or list, if none of them are kept from earlier frames: three
/// million vertices.
pub const MAX_UPLOAD_BYTES: u64 = 256 << 20;

/// Draw calls and clears that one run of `redraw` may come to, after batching: a quarter of a second on a software
/// renderer, where the fuel alone would allow half a minute of the smallest draws. More are left out.
pub const MAX_DRAWS: u64 = 8192;

/// Notifications to the client that one callback run may send; more are dropped and counted.
pub const MAX_NOTIFICATIONS: usize = 8;

/// Elements of one `draw_arrays` or `draw_elements`: 20 MiB of vertices as they are uploaded. Larger models are
/// drawn by several.
pub const MAX_ARRAY_ELEMENTS: u32 = 1 << 18;
