//! How a client reaches its server: memory, a doorbell, and a wake-up.

pub mod local;
mod map;

use crate::Error;
use blinkgl::shm::Shm;
use std::fmt;
use std::time::Duration;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The server has something to say: look at each context's events.
    Events,
    /// The time is up.
    Timeout,
    /// The server is gone for good. (A renderer that starts again is not noticed.)
    ServerGone,
}

/// A connection as each kind of transport provides it.
pub trait Transport: fmt::Debug + Send + Sync {
    /// The aperture.
    fn memory(&self) -> &Shm;

    /// Wakes the server: something was published.
    fn ring(&self);

    /// Waits for the server, at most `timeout` (`None`: for ever).
    ///
    /// # Errors
    /// The system says no.
    fn wait(&self, timeout: Option<Duration>) -> Result<Wake, Error>;

    /// The server's name for this client.
    fn client(&self) -> u32;
}
