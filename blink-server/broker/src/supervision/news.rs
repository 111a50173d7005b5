//! What the supervisor tells the rest of the broker.

use ipc::glass::ClassId;
use ipc::{Answer, ClientId, Placement};
use rustix::fd::OwnedFd;

/// What the rest of the broker must know.
#[derive(Debug)]
pub enum News {
    /// A process became ready, or a renderer was started.
    Progress,
    /// The glass says where a client's windows are.
    Placed {
        /// The client.
        client: ClientId,
        /// Its windows.
        windows: Vec<Placement>,
    },
    /// A client can't be shown.
    Unfit {
        /// The client.
        client: ClientId,
        /// Why.
        reason: String,
    },
    /// The user wants a client to end.
    End {
        /// The client.
        client: ClientId,
    },
    /// The glass answers a command.
    Reply {
        /// Of the command.
        serial: u64,
        /// The answer.
        answer: Answer,
        /// With a screenshot: its pixels.
        fds: Vec<OwnedFd>,
    },
    /// The glass died: it answers nothing of what it was asked.
    GlassDied,
    /// A renderer answers a question, or never will.
    Told {
        /// Of the question.
        serial: u64,
        /// Whose renderer.
        class: ClassId,
        /// The answer, JSON if the renderer is honest; or why there is none.
        answer: Result<String, String>,
    },
    /// The user closed the output.
    Quit,
    /// The server is of no use.
    Hopeless(Hopeless),
}

/// Why the server is of no use.
#[derive(Debug, thiserror::Error)]
pub enum Hopeless {
    /// A process can't be started.
    #[error("the {0} can't be started: {1}")]
    Start(&'static str, std::io::Error),
    /// The glass never came up.
    #[error("the glass died {0} times before it had an output; its messages are above")]
    NoOutput(u32),
    /// The template never came up.
    #[error("the template died {0} times before it had OpenGL; its messages are above")]
    NoGl(u32),
}

/// A renderer, for `blinkctl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RendererState {
    /// Whose it is.
    pub class: ClassId,
    /// Its clients' names.
    pub names: Vec<String>,
    /// Its process, if there is one.
    pub pid: Option<i32>,
    /// How often one was started.
    pub starts: u64,
    /// The priority that it has: 0 is usual, 19 the lowest.
    pub nice: i32,
    /// `running`, `starting`, or `failed` and why.
    pub state: String,
    /// How the last one ended.
    pub last_end: Option<String>,
}
