//! A server and its clients in one process, under a virtual clock: no sockets, no sleeps.
#![allow(dead_code, reason = "each test uses its part")]

pub mod raw;

use blink_client::{Connection, Context, Transport, Wake};
use blink_server::budget::Budget;
use blink_server::geometry::{Rect, Region};
use blink_server::gl::{Clock, Counted, Tracker, context};
use blink_server::ipc::glass::ToGlass;
use blink_server::ipc::{ClientId, ClientInfo, Owner, Placement};
use blink_server::together::{CLASS, Server};
use blinkgl::shm::Shm;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Nanoseconds from frame to frame: 50 Hz, so that times are round.
pub const REFRESH: u64 = 20_000_000;

/// Of all clients' borders.
pub const COLOR: [u8; 3] = [200, 60, 60];

/// A client's memory and a doorbell that counts.
#[derive(Debug)]
pub struct Local {
    memory: Shm,
    rung: AtomicU64,
}

impl Transport for Local {
    fn memory(&self) -> &Shm {
        &self.memory
    }

    fn ring(&self) {
        self.rung.fetch_add(1, Ordering::Relaxed);
    }

    fn wait(&self, _timeout: Option<Duration>) -> Result<Wake, blink_client::Error> {
        Ok(Wake::Timeout)
    }

    fn client(&self) -> u32 {
        0
    }
}

/// A client of the fixture.
#[derive(Debug)]
pub struct Guest {
    pub id: ClientId,
    pub transport: Arc<Local>,
    pub context: Context,
    rung: u64,
}

/// A server with an output in memory.
#[derive(Debug)]
pub struct Fixture {
    pub server: Server,
    pub now: u64,
    pub width: u32,
    pub height: u32,
    /// Who clients that are made are, if they are the same.
    pub owner: Option<Owner>,
    next_client: u32,
    memories: Vec<(ClientInfo, Shm)>,
    _gl: context::Headless,
}

impl Fixture {
    pub fn new(width: u32, height: u32) -> Fixture {
        let (gl, functions) = context::Headless::new().expect("EGL: scripts/setup installs it");
        let server = Server::new(tracker(functions), width, height, REFRESH);
        let mut fixture = Fixture {
            server,
            now: REFRESH,
            width,
            height,
            owner: None,
            next_client: 1,
            memories: vec![],
            _gl: gl,
        };
        fixture.frame();
        fixture
    }

    /// A client with memory of its own, known to the server.
    pub fn guest(&mut self) -> Guest {
        let (id, memory) = self.client(8 << 20);
        let transport = Arc::new(Local { memory, rung: AtomicU64::new(0) });
        let context = Connection::over(transport.clone()).unwrap().context().unwrap();
        Guest { id, transport, context, rung: 0 }
    }

    /// A client that does what it likes with its memory.
    pub fn client(&mut self, size: usize) -> (ClientId, Shm) {
        self.client_within(size, Budget::default())
    }

    /// The same with a budget.
    pub fn client_within(&mut self, size: usize, budget: Budget) -> (ClientId, Shm) {
        let memory = raw::aperture_memory(size);
        (self.client_with(memory.clone(), budget), memory)
    }

    /// A client with an aperture that is there already.
    pub fn client_with(&mut self, memory: Shm, budget: Budget) -> ClientId {
        let id = ClientId(self.next_client);
        self.next_client += 1;
        let info = ClientInfo {
            id,
            owner: self.owner.unwrap_or(Owner::Machine(id)),
            name: format!("vm{}", id.0),
            bytes: memory.size() as u64,
            budget,
            channel: None,
        };
        self.memories.push((info.clone(), memory.clone()));
        self.server.add_client(info, COLOR, vec![], memory, (None, None));
        id
    }

    /// Hears the doorbell and makes frames until nothing but time asks for one: at most one.
    pub fn sync(&mut self, guest: &mut Guest) -> Option<Region> {
        let rung = guest.transport.rung.load(Ordering::Relaxed);
        if rung != guest.rung {
            guest.rung = rung;
            self.server.rang(guest.id);
        }
        self.frame()
    }

    /// The next frame, if one is due within a refresh interval.
    pub fn frame(&mut self) -> Option<Region> {
        self.now += REFRESH;
        match self.server.next_frame(self.now) {
            Some(due) if due <= self.now => self.server.make_frame(self.now),
            Some(due) => panic!("a frame is due at {due}, later than one interval after the last"),
            None => None,
        }
    }

    /// Lets drawing take time, by a clock that only drawing moves.
    pub fn set_costs(&mut self, costs: Counted) {
        let tracker = self.server.renderer.tracker();
        let now = tracker.clock().now();
        tracker.set_clock_for_tests(Clock::Counted(Counted { now, ..costs }));
    }

    /// Lets time pass on that clock.
    pub fn wait(&mut self, time: u64) {
        let tracker = self.server.renderer.tracker();
        if let Clock::Counted(counted) = *tracker.clock() {
            let now = counted.now + time;
            tracker.set_clock_for_tests(Clock::Counted(Counted { now, ..counted }));
        }
    }

    /// The time that drawing took so far.
    pub fn drawing_time(&mut self) -> u64 {
        self.server.renderer.tracker().clock().now()
    }

    /// The picture: RGBA, top row first.
    pub fn picture(&mut self) -> Vec<u8> {
        let all = Rect::new(0, 0, self.width, self.height);
        self.server.pixels(all)
    }

    /// A rectangle of the picture.
    pub fn part(&mut self, rect: Rect) -> Vec<u8> {
        self.server.pixels(rect)
    }

    /// Writes the picture for people to look at.
    pub fn save(&mut self, name: &str) {
        let picture = self.picture();
        save_png(name, self.width, self.height, &picture);
    }

    /// Where a client's window is.
    pub fn content(&mut self, guest: &Guest, oid: u32) -> Rect {
        let list = self.server.command(blink_server::ipc::Command::List, self.now).unwrap().value;
        let id = format!("{}.0.{oid}", guest.id);
        for client in list.as_array().unwrap() {
            for window in client["windows"].as_array().unwrap() {
                if window["id"] == id.as_str() {
                    let int = |name: &str| window[name].as_i64().unwrap();
                    return Rect::new(
                        int("x") as i32,
                        int("y") as i32,
                        int("width") as u32,
                        int("height") as u32,
                    );
                }
            }
        }
        panic!("no window {id} in {list}");
    }

    /// The whole server dies, and another one takes over: it finds everything in the clients' memory.
    pub fn restart(&mut self, placements: &[Placement]) {
        let (gl, functions) = context::Headless::new().unwrap();
        let next = Server::new(tracker(functions), self.width, self.height, REFRESH);
        // Killed, not dropped: its OpenGL names mean something else in the context that is current now.
        std::mem::forget(std::mem::replace(&mut self.server, next));
        self._gl = gl;
        for (info, memory) in &self.memories {
            let placements = placements.iter().filter(|p| p.window.client == info.id).copied().collect();
            self.server.add_client(info.clone(), COLOR, placements, memory.clone(), (None, None));
        }
    }

    /// The renderer dies, and the glass goes on with another one.
    pub fn restart_renderer(&mut self) {
        let (gl, functions) = context::Headless::new().unwrap();
        let next = renderer(functions);
        std::mem::forget(std::mem::replace(&mut self.server.renderer, next));
        self._gl = gl;
        self.server.glass.tell(ToGlass::Renderer { class: CLASS, life: 1 }, self.now);
        for (info, memory) in &self.memories {
            self.server.renderer.add_client(info.clone(), memory.clone(), None, None);
        }
    }
}

/// A renderer in whose time nothing takes any.
fn renderer(functions: context::Functions) -> blink_server::renderer::Renderer {
    blink_server::renderer::Renderer::new(tracker(functions), REFRESH)
}

/// A tracker in whose time nothing takes any.
fn tracker(functions: context::Functions) -> Tracker {
    let mut tracker = Tracker::new(functions).unwrap();
    tracker.set_clock_for_tests(Clock::Counted(Counted::default()));
    tracker
}

/// Writes an RGBA picture into the build directory's `pictures`.
pub fn save_png(name: &str, width: u32, height: u32, rgba: &[u8]) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    let file = std::fs::File::create(folder.join(format!("{name}.png"))).unwrap();
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(rgba).unwrap();
}
