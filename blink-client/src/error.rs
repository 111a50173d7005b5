//! What can go wrong for a client.

use crate::ObjectId;
use crate::image::{Levels, TextureArea};
#[cfg(feature = "std")]
use crate::seqpacket::SocketError;
use alloc::string::String;
use blinkgl::layout::ObjectType;
use blinkgl::shm::OutOfBounds;
#[cfg(feature = "std")]
use {blinkgl::local::MessageError, rustix::io::Errno, std::path::PathBuf};

/// Why a connection, a publication or a wait failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No server at the address.
    #[cfg(feature = "std")]
    #[error("no Blink server at {}: {source}; start `blink-server`, or name its socket in BLINK_DISPLAY", path.display())]
    NoServer {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it is not there.
        source: Errno,
    },
    /// Another user may sit where the server's socket is looked for.
    #[cfg(feature = "std")]
    #[error("{} is not used: {problem}; remove it, or name a server's socket in BLINK_DISPLAY", path.display())]
    Untrusted {
        /// The socket's directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The server does not want this client.
    #[cfg(feature = "std")]
    #[error("the server refuses: {0}")]
    Refused(String),
    /// The server hung up instead of answering.
    #[cfg(feature = "std")]
    #[error("the server hung up before it answered; its log says why")]
    HungUp,
    /// The server did not answer in time.
    #[cfg(feature = "std")]
    #[error("the server did not answer within {0} seconds")]
    NoAnswer(u64),
    /// The answer makes no sense.
    #[cfg(feature = "std")]
    #[error("the server's answer: {0}")]
    Message(#[from] MessageError),
    /// The answer came without memory, doorbell and wake-up.
    #[cfg(feature = "std")]
    #[error("the server sent {0} descriptors instead of 3")]
    Descriptors(usize),
    /// The socket failed.
    #[cfg(feature = "std")]
    #[error("{0}")]
    Socket(#[from] SocketError),
    /// The system failed.
    #[cfg(feature = "std")]
    #[error("{doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// The system's answer.
        source: Errno,
    },
    /// No device in this virtual machine.
    #[cfg(feature = "std")]
    #[error(
        "this machine has no ivshmem device{what}; give QEMU the options that `blinkctl vm list` shows, or name a \
         server's socket in BLINK_DISPLAY"
    )]
    NoDevice {
        /// Which was wanted.
        what: String,
    },
    /// Another program has the device.
    #[cfg(feature = "std")]
    #[error("another program has the device {slot}; end it, or start blink-agent, which shares it")]
    DeviceTaken {
        /// Its address on the bus.
        slot: String,
    },
    /// The device can't be used.
    #[cfg(feature = "std")]
    #[error("{}: {source}; a program needs the rights of root to use the device", path.display())]
    Device {
        /// Which of its files.
        path: PathBuf,
        /// The system's answer.
        source: Errno,
    },
    /// This domain of Xen and its server don't come together.
    #[cfg(feature = "xen")]
    #[error("{0}")]
    Xen(#[from] crate::transport::xen::XenError),
    /// An agent can't wait for applications.
    #[cfg(feature = "std")]
    #[error("an agent can't listen at {}: {source}; end another one, or name another place with --socket", path.display())]
    Agent {
        /// Its socket.
        path: PathBuf,
        /// The system's answer.
        source: Errno,
    },
    /// The memory can't be mapped.
    #[cfg(feature = "std")]
    #[error("the aperture can't be mapped: {0}")]
    Map(#[from] std::io::Error),
    /// The memory is not what the layout says.
    #[error("the aperture is not usable: {0}")]
    Aperture(String),
    /// An access outside the aperture: an error of this library.
    #[error("{0}")]
    OutOfBounds(#[from] OutOfBounds),
    /// The aperture has no room for a context.
    #[error(
        "the aperture has {free} pages left, a context needs {wanted}; ask for more with `Options::bytes`"
    )]
    NoRoomForContext {
        /// Pages left.
        free: u32,
        /// Pages that the smallest context needs.
        wanted: u32,
    },
    /// All contexts of the aperture are in use.
    #[error("the aperture has {0} contexts already, which is the limit; open another connection")]
    TooManyContexts(usize),
    /// No memory for an object.
    #[error(
        "no room for {wanted} pages of 4 KiB: {free} are free in runs of at most {longest}, {retired} wait for the \
         server's next scan; remove objects, or ask for a larger aperture with `Options::bytes`"
    )]
    OutOfMemory {
        /// Pages needed.
        wanted: u32,
        /// Pages free.
        free: u32,
        /// Longest run of free pages.
        longest: u32,
        /// Pages of replaced objects that the server may still be reading.
        retired: u32,
    },
    /// All slots are in use.
    #[error("the context has {0} objects, which is the limit; remove some")]
    TooManyObjects(usize),
    /// Too many windows.
    #[error("the context has {0} windows, which is the limit; remove some")]
    TooManyWindows(usize),
    /// A procedure that is too long.
    #[error(
        "the procedure has {words} words, {limit} is the limit; put models in display lists or vertex buffers"
    )]
    ProgramTooLong {
        /// Of the program.
        words: usize,
        /// The limit.
        limit: usize,
    },
    /// Too much code in a context.
    #[error("the context's procedures would have {words} words together, {limit} is the limit; remove some")]
    ProgramsTooLong {
        /// With the new one.
        words: usize,
        /// The limit.
        limit: usize,
    },
    /// An image whose sides are out of range.
    #[error("the {what} is {width} x {height}, sides from 1 to {limit} are allowed")]
    ImageSize {
        /// Texture or cursor.
        what: &'static str,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// Longest side.
        limit: u32,
    },
    /// Pixels that are not as many bytes as their description says.
    #[error("the pixels have {found} bytes, their size and stride need {wanted}")]
    PixelBytes {
        /// Given.
        found: usize,
        /// Needed.
        wanted: usize,
    },
    /// A stride shorter than a row, or not of whole texels.
    #[error(
        "a stride of {stride} bytes is shorter than a row of {wanted}, or no multiple of a texel's bytes"
    )]
    Stride {
        /// Given.
        stride: u32,
        /// Bytes of a row.
        wanted: u32,
    },
    /// Levels of detail that a texture has not.
    #[error("{levels:?} levels of detail: a texture of its size and format has 1 to {most}")]
    Levels {
        /// Asked for.
        levels: Levels,
        /// Levels that there are, or can be.
        most: u32,
    },
    /// A rectangle that can't be changed by itself.
    #[error("{area:?} is not within {width} x {height} texels of one plane (planar: {planar})")]
    Area {
        /// The rectangle.
        area: TextureArea,
        /// Of the level.
        width: u32,
        /// Of the level.
        height: u32,
        /// The texture has planes of several sizes: it is replaced as a whole.
        planar: bool,
    },
    /// A cursor's hot spot outside of its image.
    #[error("the cursor's hot spot {x}, {y} is outside its {width} x {height} pixels")]
    HotSpot {
        /// From the left.
        x: u32,
        /// From the top.
        y: u32,
        /// Of the image.
        width: u32,
        /// Of the image.
        height: u32,
    },
    /// Rows that are not in the texture.
    #[error("rows {first}..{end} of plane {plane} are outside its {rows} rows")]
    Rows {
        /// The plane.
        plane: usize,
        /// First row.
        first: u32,
        /// One past the last row.
        end: u32,
        /// Rows of the plane; 0 = there is no such plane.
        rows: u32,
    },
    /// An object that is not there.
    #[error("the context has no object {0}: it was removed, or belongs to another context")]
    NoObject(ObjectId),
    /// An object of another type.
    #[error("object {oid} is a {found}, not a {wanted}", found = found.name(), wanted = wanted.name())]
    WrongType {
        /// Which.
        oid: ObjectId,
        /// What it is.
        found: ObjectType,
        /// What it should be.
        wanted: ObjectType,
    },
}

#[cfg(feature = "std")]
impl Error {
    /// For `map_err` on calls of the system.
    pub(crate) fn system(doing: &'static str) -> impl FnOnce(Errno) -> Error {
        move |source| Error::System { doing, source }
    }
}
