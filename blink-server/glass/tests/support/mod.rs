//! A glass with renderers of paper: they paint windows in one color and say what they are told to say.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for one message")]

use glass::{Glass, HeadMode};
use ipc::geometry::{Rect, Region};
use ipc::glass::*;
use ipc::{ClientId, Command, Input, WindowId};
use std::collections::{BTreeMap, HashMap};

pub const REFRESH: u64 = 16_000_000;

/// A window as its renderer knows it.
#[derive(Debug, Default, Clone)]
pub struct Known {
    pub serial: u32,
    pub size: (u32, u32),
    pub place: Option<(Rect, bool, bool)>,
    pub half: u8,
    pub heard: Vec<(Heard, i32, i32, u32)>,
    pub closes: usize,
}

/// A renderer of paper.
#[derive(Debug, Default)]
pub struct Paper {
    pub memory: HashMap<WindowId, shm::Shm>,
    pub windows: HashMap<WindowId, Known>,
    /// The frame that it was asked for.
    pub asked: Option<u64>,
    /// Frames that it was asked for, with their presentation.
    pub frames: Vec<(u64, u64)>,
    pub presented: Vec<(u64, u64, Vec<WindowId>)>,
}

impl Paper {
    /// Paints a window in the half that is not shown.
    pub fn paint(&mut self, window: WindowId, pixel: impl Fn(u32, u32) -> u32) -> Option<Drawn> {
        let memory = self.memory.get(&window)?;
        let known = self.windows.get_mut(&window)?;
        known.half ^= 1;
        let (width, height) = known.size;
        for y in 0..height {
            let row: Vec<u32> = (0..width).map(|x| pixel(x, y)).collect();
            let bottom_up = u64::from(height - 1 - y) * u64::from(width) * 4;
            let at = u64::from(known.half) * half_bytes(width, height) + bottom_up;
            memory.copy_out(shm::ShmOffset(usize::try_from(at).unwrap()), &row).unwrap();
        }
        let damage = Rect::new(0, 0, width, height);
        Some(Drawn { window, buffer: known.serial, half: known.half, damage, tell: false })
    }
}

pub struct Bench {
    pub glass: Glass,
    pub now: u64,
    pub papers: BTreeMap<ClassId, Paper>,
    pub reports: Vec<FromGlass>,
}

pub fn id(client: u32, oid: u32) -> WindowId {
    WindowId { client: ClientId(client), context: 0, oid }
}

pub fn wish(x: i32, y: i32, width: u32, height: u32) -> Wish {
    Wish { title: "title".into(), size: (width, height), place: (Some(x), Some(y)), ..Wish::default() }
}

pub fn popup(parent: u32, x: i32, y: i32, width: u32, height: u32) -> Wish {
    Wish { parent: Some(parent), popup: true, ..wish(x, y, width, height) }
}

pub fn shown(client: u32) -> ShownClient {
    ShownClient {
        id: ClientId(client),
        class: ClassId(client),
        name: format!("vm{client}"),
        color: [u8::try_from(40 * client % 200).unwrap() + 50, 90, 200],
        placements: Vec::new(),
    }
}

impl Bench {
    pub fn new(width: u32, height: u32) -> Bench {
        let glass = Glass::new(&[HeadMode { width, height, refresh: REFRESH, scale: 1.0 }]);
        Bench { glass, now: REFRESH, papers: BTreeMap::new(), reports: Vec::new() }
    }

    /// A client of a class of its own, with a renderer.
    pub fn client(&mut self, client: u32) {
        self.glass.tell(ToGlass::Client(shown(client)), self.now);
        self.renderer(client);
    }

    pub fn renderer(&mut self, class: u32) {
        self.glass.tell(ToGlass::Renderer { class: ClassId(class), life: 1 }, self.now);
        self.papers.insert(ClassId(class), Paper::default());
    }

    pub fn hear(&mut self, class: u32, message: FromRenderer) -> Result<(), String> {
        let heard = self.glass.hear(ClassId(class), message, self.now);
        self.deliver();
        heard
    }

    /// A window, drawn in one color.
    pub fn window(&mut self, client: u32, oid: u32, wish: Wish) -> WindowId {
        let window = id(client, oid);
        self.hear(client, FromRenderer::Window { window, wish }).unwrap();
        window
    }

    /// Renderers get what is for them.
    pub fn deliver(&mut self) {
        for (class, message, memory) in self.glass.take_messages() {
            let Some(paper) = self.papers.get_mut(&class) else { continue };
            match message {
                ToDraw::Buffer { window, serial, width, height } => {
                    let bytes = 2 * half_bytes(width, height);
                    let memory = os::memory::map(&memory.unwrap(), bytes).unwrap();
                    paper.memory.insert(window, memory);
                    let known = paper.windows.get_mut(&window).expect("a place comes before memory");
                    (known.serial, known.size, known.half) = (serial, (width, height), 0);
                }
                ToDraw::Place { window, content, visible, focus } => {
                    paper.windows.entry(window).or_default().place = Some((content, visible, focus));
                }
                ToDraw::Frame { number, presentation, .. } => {
                    assert_eq!(paper.asked.replace(number), None, "one frame at a time");
                    paper.frames.push((number, presentation));
                }
                ToDraw::Presented { number, time, windows } => paper.presented.push((number, time, windows)),
                ToDraw::Input { window, event, x, y, buttons } => {
                    paper.windows.entry(window).or_default().heard.push((event, x, y, buttons));
                }
                ToDraw::Close { window } => paper.windows.get_mut(&window).unwrap().closes += 1,
            }
        }
        self.reports.extend(self.glass.take_reports());
    }

    pub fn turn(&mut self) -> Option<Region> {
        let changed = self.glass.turn(self.now);
        self.deliver();
        changed
    }

    /// Lets time pass until nothing is to be done before then.
    pub fn until(&mut self, then: u64) {
        while let Some(next) = self.glass.next(self.now).filter(|&next| next <= then) {
            assert!(next >= self.now);
            self.now = next;
            self.turn();
        }
        self.now = then;
    }

    /// Draws a window in one color, as soon as a frame can be had.
    pub fn draw(&mut self, window: WindowId, color: u32) {
        self.draw_with(window, |_, _| color);
    }

    pub fn draw_with(&mut self, window: WindowId, pixel: impl Fn(u32, u32) -> u32) {
        let class = ClassId(window.client.0);
        self.hear(window.client.0, FromRenderer::Want).unwrap();
        while self.papers[&class].asked.is_none() {
            self.now = self.glass.next(self.now).expect("a frame will come");
            self.turn();
        }
        let paper = self.papers.get_mut(&class).unwrap();
        let number = paper.asked.take().unwrap();
        let drawn = paper.paint(window, pixel).into_iter().collect();
        self.hear(window.client.0, FromRenderer::Done { number, drawn, more: false }).unwrap();
        self.settle();
    }

    /// Composes all that is there now.
    pub fn settle(&mut self) {
        self.until(self.now + REFRESH);
    }

    pub fn pixel(&self, x: i32, y: i32) -> [u8; 3] {
        let pixels = self.glass.pixels(Rect::new(x, y, 1, 1));
        [pixels[0], pixels[1], pixels[2]]
    }

    pub fn picture(&self) -> Vec<u8> {
        self.glass.pixels(self.glass.heads().bounds())
    }

    pub fn command(&mut self, command: Command) -> serde_json::Value {
        let answer = self.glass.command(command, self.now).unwrap();
        self.deliver();
        answer.value
    }

    pub fn motion(&mut self, x: i32, y: i32) {
        self.input(Input::Motion { x: f64::from(x), y: f64::from(y) });
    }

    pub fn button(&mut self, button: u8, pressed: bool) {
        self.input(Input::Button { button, pressed });
    }

    pub fn click(&mut self, x: i32, y: i32) {
        self.motion(x, y);
        self.button(0, true);
        self.button(0, false);
    }

    pub fn key(&mut self, code: u32, pressed: bool) {
        self.input(Input::Key { code, pressed });
    }

    pub fn input(&mut self, input: Input) {
        self.glass.input(input, self.now);
        self.deliver();
    }

    /// What a window heard since the last question.
    pub fn heard(&mut self, window: WindowId) -> Vec<Heard> {
        self.heard_at(window).into_iter().map(|(heard, ..)| heard).collect()
    }

    pub fn heard_at(&mut self, window: WindowId) -> Vec<(Heard, i32, i32, u32)> {
        let paper = self.papers.get_mut(&ClassId(window.client.0)).unwrap();
        paper.windows.get_mut(&window).map(|known| std::mem::take(&mut known.heard)).unwrap_or_default()
    }

    pub fn known(&self, window: WindowId) -> &Known {
        &self.papers[&ClassId(window.client.0)].windows[&window]
    }

    pub fn content(&self, window: WindowId) -> Rect {
        self.glass.desk().window(window).unwrap().content
    }
}
