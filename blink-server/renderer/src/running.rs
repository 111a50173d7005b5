//! A run of a callback, which may take several slices. Until it ends, all that it changes is its own: nobody sees half
//! of it, and if it is dropped it has never been.

use super::client::{Context, Stored};
use super::window::Published;
use blinkgl::limits::REGISTERS;
use blinkgl::ops::Callback;
use gl::{Paused, StateOnly, Tracker, WindowState};
use ipc::geometry::Rect;
use jit::{CommandOp, Dynamic, Environment, Gl, Lists, Outcome, Progress, Segment, Suspended, TierChoice};
use std::sync::Arc;

/// Runs of a program after which native code is worth its while.
const HOT_RUNS: u32 = 3;

/// A program is submitted again after so many runs more, if it was not compiled: others of its client had its place.
const ASK_AGAIN_RUNS: u32 = 64;

/// How far a run came.
#[derive(Debug)]
enum At {
    Start,
    Suspended(Box<Suspended>),
    End(Outcome),
}

/// A run.
#[derive(Debug)]
pub struct Running {
    /// What runs.
    pub published: Published,
    /// Whose content it is for.
    pub content: Rect,
    /// The update serial that it is for.
    pub serial: u32,
    /// OpenGL state, as it is at this point of the run.
    pub state: WindowState,
    /// What it drew, where not all of that is on the screen yet.
    pub paused: Option<Box<Paused>>,
    /// Nanoseconds that its slices took.
    pub time: u64,
    /// Slices that it had.
    pub slices: u64,
    environment: Environment,
    /// The registers as they were.
    loaded: [u32; REGISTERS],
    registers: [u32; REGISTERS],
    lists: Lists,
    at: At,
}

impl Running {
    /// A run of a window's callback is about to start.
    pub fn new(
        context: &mut Context,
        oid: u32,
        published: Published,
        environment: Environment,
        content: Rect,
    ) -> Option<Running> {
        let window = context.windows.get(&oid)?;
        let loaded = match context.registers(&window.desc) {
            Some(at) => context.load_registers(at),
            None => window.registers,
        };
        let window = context.windows.get_mut(&oid)?;
        let mut state = window.state.clone();
        state.start_callback();
        // The run has the window's own, with the memory that they keep from run to run.
        let copy = window.lists.clone();
        let lists = std::mem::replace(&mut window.lists, copy);
        Some(Running {
            published,
            content,
            serial: window.desc.update_serial,
            state,
            paused: None,
            time: 0,
            slices: 0,
            environment,
            loaded,
            registers: loaded,
            lists,
            at: At::Start,
        })
    }

    /// The callback.
    #[must_use]
    pub fn callback(&self) -> Callback {
        self.published.program.callback()
    }

    /// Is the program at its end? What it drew may not be drawn yet.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        matches!(self.at, At::End(_))
    }

    /// The state, for a brush, and the rest of the run.
    pub fn split(&mut self) -> (&mut WindowState, Program<'_>) {
        let Running { published, state, environment, registers, lists, at, .. } = self;
        (state, Program { program: &published.program, environment, registers, lists, at })
    }

    /// The run is over: its registers and lists are the window's. Gives its outcome and whether it is time to have the
    /// program compiled; `None` if the window is gone.
    pub fn finish(self, context: &mut Context, oid: u32) -> Option<(Finished, bool)> {
        let Running { published, state, loaded, registers, lists, at, slices, .. } = self;
        let At::End(outcome) = at else { return None };
        let callback = published.program.callback();
        let window = context.windows.get(&oid)?;
        let procedure = window.desc.procedure(callback);
        let shared = context.registers(&window.desc);
        // Only what changed goes back: the client, or another run, may have written the others meanwhile.
        if let Some(at) = shared {
            context.store_registers(at, &loaded, &registers);
        }
        let window = context.windows.get_mut(&oid)?;
        if shared.is_none() {
            for (to, (before, now)) in window.registers.iter_mut().zip(loaded.iter().zip(registers)) {
                if *before != now {
                    *to = now;
                }
            }
        }
        match callback {
            Callback::Init | Callback::Reshape | Callback::Update => window.lists = lists,
            // They change none, but another run may have meanwhile.
            Callback::Redraw | Callback::Input if slices > 1 => {}
            Callback::Redraw | Callback::Input => window.lists = lists,
        }
        let hot = match context.objects.get_mut(&procedure) {
            Some(Stored::Procedure(procedure)) => {
                procedure.runs = procedure.runs.saturating_add(1);
                procedure.runs == HOT_RUNS || procedure.runs.is_multiple_of(ASK_AGAIN_RUNS)
            }
            Some(_) | None => false,
        };
        Some((Finished { published, state, outcome }, hot))
    }
}

/// What a run left.
#[derive(Debug)]
pub struct Finished {
    /// What ran.
    pub published: Published,
    /// The state at its end.
    pub state: WindowState,
    /// What came of it.
    pub outcome: Outcome,
}

/// The program's part of a run.
#[derive(Debug)]
pub struct Program<'a> {
    program: &'a Arc<jit::Program>,
    environment: &'a Environment,
    registers: &'a mut [u32; REGISTERS],
    lists: &'a mut Lists,
    at: &'a mut At,
}

impl Program<'_> {
    /// Starts, or goes on where it was suspended. Is it at its end?
    pub fn advance(&mut self, gl: &mut dyn Gl) -> bool {
        let Program { program, environment, registers, lists, at } = self;
        let run = &mut jit::Run { registers, environment, lists, gl };
        let progress = match std::mem::replace(*at, At::Start) {
            At::Start => program.start(TierChoice::Best, run),
            At::Suspended(suspended) => suspended.resume(run),
            At::End(outcome) => Progress::Done(outcome),
        };
        **at = match progress {
            Progress::Done(outcome) => At::End(outcome),
            Progress::Suspended(suspended) => At::Suspended(suspended),
        };
        self.is_at_end()
    }

    /// Is it at its end?
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        matches!(self.at, At::End(_))
    }
}

/// Runs callbacks that may not draw, in the slice that has begun.
#[derive(Debug)]
pub struct StateInSlice<'a> {
    /// The state that they change.
    pub state: StateOnly<'a>,
    /// Whose clock it is.
    pub tracker: &'a mut Tracker,
}

impl Gl for StateInSlice<'_> {
    fn command(&mut self, op: CommandOp, args: &[u32]) {
        self.state.command(op, args);
    }

    fn draw(&mut self, segment: &Arc<Segment>, dynamic: Option<Dynamic<'_>>) {
        self.state.draw(segment, dynamic);
    }

    fn is_slice_over(&mut self) -> bool {
        self.tracker.is_slice_over()
    }
}
