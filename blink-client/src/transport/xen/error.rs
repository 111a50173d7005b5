//! What can go wrong between a domain of Xen and its server.

use super::handshake::{DEVICE, PATIENCE};
use ::xen::channel::ChannelError;
use ::xen::grants::GrantError;
use ::xen::store::StoreError;
use alloc::string::String;
use blinkgl::layout::APERTURE_VERSION;

/// Why a domain's device can't be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum XenError {
    /// XenStore has none for this domain.
    #[error(
        "this domain has no Blink device: XenStore has no {DEVICE}/backend; name the domain in a [[vm]] of the \
         server's policy"
    )]
    NoDevice,
    /// Nobody answers.
    #[error(
        "no Blink server answered within {} seconds (domain {domain}, whose end of the device is in state {state}): \
         start blink-server there, with a [[vm]] for this domain in its policy",
        PATIENCE.as_secs()
    )]
    NoServer {
        /// The server's domain.
        domain: u16,
        /// What its node says.
        state: String,
    },
    /// A node does not hold what it should.
    #[error("XenStore: {path} is {found}, not {wanted}")]
    Node {
        /// The node.
        path: String,
        /// What it holds, or that it is not there.
        found: String,
        /// What it should.
        wanted: &'static str,
    },
    /// The server has another layout.
    #[error(
        "the server's layout is version {}.{}, this client knows {}",
        version >> 16,
        version & 0xffff,
        APERTURE_VERSION >> 16
    )]
    Version {
        /// The server's.
        version: u32,
    },
    /// More memory than the machine may have.
    #[error("{wanted} bytes of memory are more than the {most} that the server's policy gives this machine")]
    TooMuch {
        /// Asked for.
        wanted: u64,
        /// `memory-max` of the policy.
        most: u64,
    },
    /// A size that no aperture has.
    #[error("an aperture of {0} bytes is out of range")]
    Size(u64),
    /// The server ended the connection, or the device was removed.
    #[error("the server closed the device")]
    ServerGone,
    /// XenStore fails.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Pages can't be given.
    #[error("{0}")]
    Grant(#[from] GrantError),
    /// Event channels can't be had.
    #[error("{0}")]
    Channel(#[from] ChannelError),
}
