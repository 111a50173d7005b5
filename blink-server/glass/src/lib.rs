//! The glass: the one process that shows. It has the outputs, the input devices and the whole picture, and never runs a
//! guest's program.
//!
//! # Rules of this world
//! - **Who speaks is known by the socket.** The broker is believed. A renderer may speak of the windows of its own class
//!   only; what it says is checked, charged to it, and refused as a whole if it breaks a rule. It learns nothing of other
//!   classes.
//! - **Who shows decides.** Clients wish, the user and [`desk`] place. Borders, labels and name tags are drawn from the
//!   broker's words, outside of what any client draws; the client's name is always readable.
//! - **A renderer costs only its own content.** Windows keep their place, label, close button and last picture while it
//!   hangs or is gone; to move, raise or uncover a window needs nobody's help. The glass never waits for a renderer longer
//!   than a frame.
//! - **Memory of windows is made here**, sealed and zeroed. It is read only by the copies of the crate `shm`, only the half
//!   that the renderer named last, and only into the private picture of an output.
//! - **Work is bounded**: what a renderer says by an allowance, what is worked out from it once a frame.
//!
//! # Who owns what
//! | module | owns |
//! |---|---|
//! | [`glass`], `hear`, `user`, [`command`], [`outbox`] | everything; the words of the broker, of renderers and of the user go in, messages and reports come out |
//! | [`desk`], [`stack`], [`window`], [`place`] | clients, windows, their order, places and focus |
//! | [`seat`] | the pointer, buttons, keys, grabs, the chord Ctrl+Alt+Escape, which no client hears |
//! | [`class`], [`pace`] | what is known of a renderer; when frames begin and end |
//! | [`scene`], [`compose`], [`heads`] | which pixel shows what; the picture; the outputs |
//! | [`surface`], [`cursor`], [`decoration`] | a window's memory; the pointer's picture; frames and labels |
//! | [`process`], [`link`], [`sandbox`], [`outputs`] | the loop; a renderer's socket; what the process gave up; where the picture goes |
//!
//! Only the last row asks the system for anything, and [`surface`] for a window's memory: tests drive [`Glass`] at any time
//! they like.

pub mod class;
pub mod command;
pub mod compose;
pub mod cursor;
pub mod decoration;
pub mod desk;
pub mod glass;
pub mod heads;
mod hear;
pub mod link;
pub mod outbox;
pub mod outputs;
pub mod pace;
pub mod place;
pub mod process;
pub mod sandbox;
pub mod scene;
pub mod seat;
pub mod stack;
pub mod stats;
pub mod surface;
mod user;
pub mod window;

pub use command::Answer;
pub use glass::Glass;
pub use heads::HeadMode;
pub use process::main;
