//! A glass and one renderer in one process, under a clock of the caller's: for tests and benchmarks.
//!
//! What the processes say to each other by sockets goes from hand to hand here, at once. Everything else is what the
//! processes run.

use gl::Tracker;
use glass::{Answer, Glass, HeadMode};
use ipc::geometry::{Rect, Region};
use ipc::glass::{ClassId, FromGlass, FromRenderer, ShownClient, ToGlass};
use ipc::{ClientId, ClientInfo, Command, Input, Placement};
use renderer::Renderer;
use renderer::doorbell::Doorbell;
use renderer::wake::Wake;
use shm::Shm;
use std::collections::BTreeMap;

/// The class of the one renderer.
pub const CLASS: ClassId = ClassId(1);

/// See the [module](self).
#[derive(Debug)]
pub struct Server {
    /// Shows.
    pub glass: Glass,
    /// Draws.
    pub renderer: Renderer,
    /// What the glass reported and nobody took.
    reports: Vec<FromGlass>,
}

impl Server {
    /// A server for an output of this size. `refresh`: nanoseconds from frame to frame.
    #[must_use]
    pub fn new(tracker: Tracker, width: u32, height: u32, refresh: u64) -> Server {
        let mut glass = Glass::new(&[HeadMode { width, height, refresh, scale: 1.0 }]);
        glass.tell(ToGlass::Renderer { class: CLASS, life: 1 }, 0);
        Server { glass, renderer: Renderer::new(tracker, refresh), reports: Vec::new() }
    }

    /// A client came. `memory` is its aperture, `placements` where its windows were.
    pub fn add_client(
        &mut self,
        info: ClientInfo,
        color: [u8; 3],
        placements: Vec<Placement>,
        memory: Shm,
        (doorbell, wake): (Option<Doorbell>, Option<Wake>),
    ) {
        let shown = ShownClient { id: info.id, class: CLASS, name: info.name.clone(), color, placements };
        self.glass.tell(ToGlass::Client(shown), 0);
        self.renderer.add_client(info, memory, doorbell, wake);
    }

    /// A client went.
    pub fn remove_client(&mut self, id: ClientId) {
        self.glass.tell(ToGlass::ClientGone { id }, 0);
        self.renderer.remove_client(id);
        // The broker told the glass first: what the renderer says of the client's windows means nothing any more.
        let _messages = self.renderer.take_messages();
    }

    /// A client rang its doorbell.
    pub fn rang(&mut self, id: ClientId) {
        self.renderer.rang(id);
    }

    /// When the next frame is due, in nanoseconds; `None`: nothing changes.
    #[must_use]
    pub fn next_frame(&self, now: u64) -> Option<u64> {
        if self.renderer.has_news() { Some(now) } else { self.glass.next(now).map(|due| due.max(now)) }
    }

    /// Makes a frame. Gives what changed on the output, or `None` if nothing did.
    pub fn make_frame(&mut self, now: u64) -> Option<Region> {
        self.renderer.scan(now);
        self.pass_on(now);
        let mut changed = self.glass.turn(now);
        // The frame goes to the renderer, and what it drew comes back.
        self.pass_on(now);
        if let Some(more) = self.glass.turn(now) {
            let all = changed.get_or_insert_default();
            more.rects().iter().for_each(|&rect| all.add(rect));
        }
        self.pass_on(now);
        changed
    }

    /// Carries messages to and fro until nobody has any.
    pub fn pass_on(&mut self, now: u64) {
        loop {
            let said: Vec<FromRenderer> = self.renderer.take_messages();
            let told = said.len();
            for message in said {
                let heard = self.glass.hear(CLASS, message.clone(), now);
                assert_eq!(heard, Ok(()), "the renderer keeps the rules of its socket: {message:?}");
            }
            let messages = self.glass.take_messages();
            if told == 0 && messages.is_empty() {
                break;
            }
            for (class, message, memory) in messages {
                assert_eq!(class, CLASS);
                self.renderer.hear(message, memory, now);
            }
        }
        self.reports.extend(self.glass.take_reports());
    }

    /// The user does something.
    pub fn input(&mut self, input: Input, now: u64) {
        self.pass_on(now);
        self.glass.input(input, now);
        self.pass_on(now);
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// What can't be done, for the user.
    pub fn command(&mut self, command: Command, now: u64) -> Result<Answer, String> {
        self.pass_on(now);
        let answer = match command {
            Command::List => {
                let shown = self.glass.command(Command::List, now)?.value;
                broker::merge::list(shown, vec![self.renderer.list()]).into()
            }
            Command::Stats => {
                let shown = self.glass.command(Command::Stats, now)?.value;
                broker::merge::stats(shown, vec![self.renderer.stats()]).into()
            }
            Command::Screenshot
            | Command::Input { .. }
            | Command::Move { .. }
            | Command::Resize { .. }
            | Command::Raise { .. }
            | Command::Focus { .. }
            | Command::Close { .. }
            | Command::Kill { .. }
            | Command::Vm(_)
            | Command::Quit => self.glass.command(command, now)?,
        };
        self.pass_on(now);
        Ok(answer)
    }

    /// Everything is to be shown again.
    pub fn damage_all(&mut self) {
        self.glass.expose();
    }

    /// What the glass reported since the last call.
    pub fn take_reports(&mut self) -> Vec<FromGlass> {
        std::mem::take(&mut self.reports)
    }

    /// Where windows are now, of clients whose windows moved.
    pub fn take_placements(&mut self) -> BTreeMap<ClientId, Vec<Placement>> {
        let mut placed = BTreeMap::new();
        self.reports.retain(|report| match report {
            FromGlass::Placed { client, windows } => {
                placed.insert(*client, windows.clone());
                false
            }
            FromGlass::Ready { .. }
            | FromGlass::Reply { .. }
            | FromGlass::Pace { .. }
            | FromGlass::Misbehaved { .. }
            | FromGlass::End { .. }
            | FromGlass::Quit => true,
        });
        placed
    }

    /// A rectangle of the output: RGBA, top row first.
    #[must_use]
    pub fn pixels(&self, rect: Rect) -> Vec<u8> {
        self.glass.pixels(rect)
    }
}
