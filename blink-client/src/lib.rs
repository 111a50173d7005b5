//! A Blink client: places stored procedures and their data in memory shared with the display server.
//!
//! The rules of this world:
//!
//! - A [`Connection`] is one aperture; a [`Context`] in it is one application's objects.
//! - Objects change by a [`Commit`], which the server sees as a whole or not at all. A commit writes to
//!   pages that the server does not know yet, so a commit that is dropped never happened.
//! - Pages of a replaced object are used again only after the server said that it has seen the
//!   commit that replaced them: a publication never overwrites what is being read.
//! - In a virtual machine, one program has the device: an application, or an [`agent`] that gives each of many
//!   applications a part of the aperture.
//! - Registers, events and the clock are read and written in place.
//! - The server may restart its renderer at any time; a client notices nothing.
//!
//! ```no_run
//! use blink_client::{Connection, Error, Wake, What};
//! use blinkgl::layout::WindowDesc;
//! use blinkgl::{Callback, Recorder};
//!
//! let mut connection = Connection::open("red")?;
//! let mut context = connection.context()?;
//!
//! let mut redraw = Recorder::new();
//! redraw.clear_color(1.0, 0.0, 0.0, 1.0);
//! redraw.clear(blinkgl::gl::ClearMask::COLOR);
//! let redraw = redraw.finish().expect("a correct recording");
//!
//! let mut commit = context.commit();
//! let procedure = commit.procedure(Callback::Redraw, &redraw)?;
//! let mut window = WindowDesc { width: 200, height: 100, ..WindowDesc::default() };
//! window.set_title("Red");
//! window.procedures[Callback::Redraw as usize] = procedure.into();
//! commit.window(&window)?;
//! commit.finish()?;
//!
//! while connection.wait(None)? == Wake::Events {
//!     while let Some(event) = context.next_event() {
//!         match event.what {
//!             What::Close => return Ok(()),
//!             What::ProcedureRejected(why) => eprintln!("{why}"),
//!             _ => {}
//!         }
//!     }
//! }
//! # Ok::<(), Error>(())
//! ```
//!
//! The crate is `no_std` + `alloc`. What needs an operating system (the local transport, where the server is
//! found) is behind the feature `std`, which is on unless told otherwise: a client without one brings a
//! [`Transport`] of its own and has all the rest. The transport of Xen's domains is behind the feature `xen`, likewise.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

#[cfg(feature = "std")]
mod address;
#[cfg(feature = "std")]
pub mod agent;
mod commit;
mod context;
mod element;
mod error;
mod event;
mod image;
mod pages;
mod registers;
#[cfg(feature = "std")]
mod time;
pub mod transport;

#[cfg(feature = "std")]
pub use address::{AGENT_SOCKET, Address, check_directory, default_path, display_path};
pub use blinkgl::layout::WindowDesc;
pub use commit::Commit;
pub use context::Context;
pub use element::Element;
pub use error::Error;
pub use event::{Clock, Event, ObjectRejected, ProcedureRejected, Quota, What};
pub use image::{ColorSpace, CursorInfo, Format, Levels, TextureArea, TextureInfo, TextureWriter};
#[cfg(feature = "std")]
pub use os::{seqpacket, signals};
pub use registers::Registers;
pub use transport::{Part, Transport, Wake};

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use blinkgl::layout::DATA_PAGE;
use blinkgl::record::{BufferId, TextureId};
use blinkgl::shm::OutOfBounds;
use context::Place;
use core::fmt;
use core::num::NonZeroU32;
use core::ops::Range;
use core::time::Duration;

/// Names an object in its context; never used again there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(NonZeroU32);

impl ObjectId {
    /// The object of a number; 0 is none.
    #[must_use]
    pub fn new(number: u32) -> Option<ObjectId> {
        NonZeroU32::new(number).map(ObjectId)
    }

    /// Its number, as window descriptions and `bind_texture` have it.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

impl From<ObjectId> for u32 {
    fn from(oid: ObjectId) -> u32 {
        oid.number()
    }
}

impl From<ObjectId> for TextureId {
    fn from(oid: ObjectId) -> TextureId {
        TextureId::new(oid.number())
    }
}

impl From<ObjectId> for BufferId {
    fn from(oid: ObjectId) -> BufferId {
        BufferId::new(oid.number())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a client wishes of a connection.
#[cfg(feature = "std")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The application's name, for the window's label and `blinkctl list`; 64 bytes at most.
    pub name: alloc::string::String,
    /// Bytes of the aperture, from 1 MiB to 1 GiB; `None`: the server's default, 64 MiB, or what a domain of Xen may share.
    /// Pages that are not written to take no memory, except in a domain of Xen.
    pub bytes: Option<usize>,
}

/// A connection to a server.
#[derive(Debug)]
pub struct Connection {
    transport: Arc<dyn Transport>,
    /// Entries of the directory that are free, and what each held before: a new context's generation is another.
    entries: VecDeque<(usize, u32)>,
    /// How many there were.
    limit: usize,
    /// Pages that no context has.
    pages: Range<u32>,
}

#[cfg(feature = "std")]
impl Connection {
    /// Connects to the server that `BLINK_DISPLAY` names, or to the default one, see [`Address::of_display`].
    ///
    /// # Errors
    /// There is none, or it refuses.
    pub fn open(name: &str) -> Result<Connection, Error> {
        Connection::open_with(&Options { name: name.into(), bytes: None })
    }

    /// The same with more wishes. (In a virtual machine, name and memory are what the server's policy says; in a domain of
    /// Xen, it says how much memory may be wished for.)
    ///
    /// # Errors
    /// There is none, or it refuses.
    pub fn open_with(options: &Options) -> Result<Connection, Error> {
        match Address::of_display() {
            Address::Socket(path) => Connection::open_at(&path, options),
            Address::Ivshmem(slot) => {
                Connection::over(Arc::new(transport::ivshmem::Ivshmem::open(slot.as_deref())?))
            }
            #[cfg(feature = "xen")]
            Address::Xen => Connection::over(Arc::new(transport::xen::Xen::open(options)?)),
        }
    }

    /// Connects to the server whose socket is at `path`.
    ///
    /// # Errors
    /// There is none, or it refuses.
    pub fn open_at(path: &std::path::Path, options: &Options) -> Result<Connection, Error> {
        Connection::over(Arc::new(transport::local::Local::connect(path, options)?))
    }
}

impl Connection {
    /// A connection over a transport of any kind. All contexts of its part of the aperture are freed: it may be a
    /// virtual machine's that started again, and holds what the machine showed before.
    ///
    /// # Errors
    /// The aperture has not even a page.
    pub fn over(transport: Arc<dyn Transport>) -> Result<Connection, Error> {
        let Part { entries, pages } = transport.part();
        let memory = transport.memory();
        let entries: VecDeque<(usize, u32)> = entries
            .map(|index| Ok((index, context::free(memory, index)?)))
            .collect::<Result<_, OutOfBounds>>()?;
        Ok(Connection { limit: entries.len(), entries, pages, transport })
    }

    /// Makes a context of all the memory that is left.
    ///
    /// # Errors
    /// Too little is left, or there are too many contexts.
    pub fn context(&mut self) -> Result<Context, Error> {
        self.context_of(self.free_pages())
    }

    /// Makes a context of so many pages of 4 KiB; 19 of them are used for slots and events.
    ///
    /// # Errors
    /// Fewer are left, or there are too many contexts.
    pub fn context_of(&mut self, pages: u32) -> Result<Context, Error> {
        let free = self.free_pages();
        let least = u32::try_from(DATA_PAGE + 1).unwrap_or(u32::MAX);
        if pages < least || pages > free {
            return Err(Error::NoRoomForContext { free, wanted: pages.max(least) });
        }
        let &(index, before) = self.entries.front().ok_or(Error::TooManyContexts(self.limit))?;
        // 0 says that there is no context.
        let generation = before.wrapping_add(1).max(1);
        let place = Place { index, generation, first: self.pages.start, pages };
        let context = Context::new(Arc::clone(&self.transport), place)?;
        self.entries.pop_front();
        self.pages.start += pages;
        Ok(context)
    }

    /// Pages of the aperture that no context has. Those of a dropped context don't come back.
    #[must_use]
    pub fn free_pages(&self) -> u32 {
        self.pages.end.saturating_sub(self.pages.start)
    }

    /// Waits until the server has something to say, at most `timeout` (`None`: for ever). Take all
    /// events from each context before the next wait.
    ///
    /// # Errors
    /// The system says no.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Wake, Error> {
        self.transport.wait(timeout)
    }

    /// The way to the server and how it wakes this client, for people.
    #[must_use]
    pub fn describe(&self) -> alloc::string::String {
        self.transport.describe()
    }

    /// Is the server on another machine than this program?
    #[cfg(feature = "std")]
    #[must_use]
    pub fn is_in_vm(&self) -> bool {
        self.transport.now().is_none()
    }

    /// The server's name for this client, as in `blinkctl list`.
    #[must_use]
    pub fn client(&self) -> u32 {
        self.transport.client()
    }
}

/// Nanoseconds of the system's monotonic clock: the clock of a server on the same machine, see [`Context::now`].
#[cfg(feature = "std")]
#[must_use]
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|t| u64::try_from(t).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}
