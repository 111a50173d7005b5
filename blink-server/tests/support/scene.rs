//! Scenes: stored procedures and textures, and the tracker's picture of them.
#![allow(dead_code, reason = "each test uses its part")]

use blink_server::geometry::Rect;
use blink_server::gl::{
    Framebuffer, Painted, Paused, ResourceKey, Resources, Slice, StateOnly, Target, TextureDesc, Tracker,
    WindowState, context,
};
use blinkgl::gl::Capability;
use blinkgl::layout::texture::{ColorSpace, Format, Levels};
use blinkgl::limits::REGISTERS;
use blinkgl::ops::{Callback, External, Op};
use blinkgl::{Recorder, WireProgram};
use jit::{Environment, Lists, Program, Progress, Run, TierChoice};
use std::sync::Arc;
use verifier::{VerifiedInstruction, VerifiedProgram, verify};

/// A texture object of a scene.
#[derive(Clone, Debug)]
pub struct Texture {
    pub oid: u32,
    pub desc: TextureDesc,
    pub bytes: Vec<u8>,
}

impl Texture {
    /// A texture of BGRA texels, from a function of RGBA ones.
    pub fn bgra(oid: u32, width: u32, height: u32, texel: impl Fn(u32, u32) -> [u8; 4]) -> Texture {
        Texture::of(oid, Format::Bgra8, width, height, texel)
    }

    /// A texture of a format but YUV, from a function of RGBA texels: luminance is their red.
    pub fn of(
        oid: u32,
        format: Format,
        width: u32,
        height: u32,
        texel: impl Fn(u32, u32) -> [u8; 4],
    ) -> Texture {
        let (stride, color_space) = (format.min_stride(width), ColorSpace::default());
        let desc = TextureDesc { format, width, height, stride, color_space, levels: Levels::default() };
        let mut texture = Texture { oid, desc, bytes: vec![] };
        texture.append_level(0, texel);
        texture
    }

    /// With levels 1 and on, `count` with level 0, from a function of level, column and row.
    pub fn with_levels(mut self, count: u32, texel: impl Fn(u32, u32, u32) -> [u8; 4]) -> Texture {
        self.desc.levels = Levels::Given(count);
        for level in 1..count {
            self.append_level(level, |x, y| texel(level, x, y));
        }
        self
    }

    /// With all levels, made by the server.
    pub fn generate_mipmaps(mut self) -> Texture {
        self.desc.levels = Levels::Generated;
        self
    }

    fn append_level(&mut self, level: u32, texel: impl Fn(u32, u32) -> [u8; 4]) {
        let plane = self.desc.plane(level, 0).unwrap();
        assert_eq!(plane.offset, self.bytes.len());
        for y in 0..plane.height {
            for x in 0..plane.width {
                let [r, g, b, a] = texel(x, y);
                match self.desc.format {
                    Format::Bgra8 => self.bytes.extend([b, g, r, a]),
                    Format::Rgba8 => self.bytes.extend([r, g, b, a]),
                    Format::Rgb8 => self.bytes.extend([r, g, b]),
                    Format::Luminance8 => self.bytes.push(r),
                    Format::LuminanceAlpha8 => self.bytes.extend([r, a]),
                    Format::Alpha8 => self.bytes.push(a),
                    Format::Yuv420 => panic!("planar"),
                }
            }
        }
    }
}

/// A vertex or index buffer object of a scene.
#[derive(Clone, Debug)]
pub struct Buffer {
    pub oid: u32,
    pub bytes: Vec<u8>,
}

/// Why some pixels of a scene may differ from OpenGL's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A vertex's position differs in its last bits, so that an edge passes a pixel's center on the other side.
    Edge,
    /// A comparison (of a depth, an alpha, a spot's angle, a clip plane's distance) falls the other way for a
    /// value that differs from its bound in the last bits only.
    Threshold,
    /// Values between those of vertices differ in their last bits, and what follows makes more of them.
    Rounding,
    /// OpenGL cuts lines and the borders of polygons where the clip plane cuts their middle; Blink leaves out the
    /// pixels that are beyond it, and draws no border along the plane.
    ClippedLine,
}

impl Class {
    pub const ALL: [Class; 4] = [Class::Edge, Class::Threshold, Class::Rounding, Class::ClippedLine];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Class::Edge => "edge",
            Class::Threshold => "threshold",
            Class::Rounding => "rounding",
            Class::ClippedLine => "clipped line",
        }
    }

    /// What it is, for the report.
    pub fn explanation(self) -> &'static str {
        match self {
            Class::Edge => {
                "A vertex's position differs in its last bits, so that an edge passes a pixel's center on the other \
                 side, or a line or point goes to the pixel beside. Then one pixel more or less is drawn."
            }
            Class::Threshold => {
                "A value that is compared (a depth, an alpha, a spot's angle, a distance from a clip plane) differs \
                 from its bound in the last bits only, and falls to the other side of it."
            }
            Class::Rounding => {
                "Values between those of vertices differ in their last bits, and what follows makes more of them."
            }
            Class::ClippedLine => {
                "OpenGL cuts lines and polygons' borders where a clip plane cuts their middle, and gives polygons a \
                 border along the plane. Blink leaves out the pixels beyond the plane."
            }
        }
    }
}

/// What a window draws.
#[derive(Clone, Debug)]
pub struct Scene {
    pub name: String,
    /// Of the pixels that may differ; without one, none may.
    pub class: Option<Class>,
    /// What OpenGL is given instead, where it has no such thing or its driver has an error.
    pub reference: Option<Box<Scene>>,
    pub width: u32,
    pub height: u32,
    /// Run in this order; the last is the redraw.
    pub programs: Vec<VerifiedProgram>,
    pub textures: Vec<Texture>,
    pub buffers: Vec<Buffer>,
    pub registers: [u32; REGISTERS],
    pub time_ns: u64,
}

impl Scene {
    /// A scene of one redraw.
    pub fn new(name: impl Into<String>, width: u32, height: u32, draw: impl FnOnce(&mut Recorder)) -> Scene {
        let mut recorder = Recorder::new();
        draw(&mut recorder);
        let scene = Scene {
            name: name.into(),
            class: None,
            reference: None,
            width,
            height,
            programs: vec![],
            textures: vec![],
            buffers: vec![],
            registers: [0; REGISTERS],
            time_ns: 0,
        };
        scene.program(Callback::Redraw, recorder.finish().unwrap())
    }

    /// The same with another program, in front of the redraw if it is not one.
    pub fn program(mut self, callback: Callback, program: WireProgram) -> Scene {
        let program = verify(program, callback).unwrap_or_else(|e| panic!("{}: {e}", self.name));
        let before = self.programs.iter().filter(|p| p.callback() != Callback::Redraw).count();
        let at = if callback == Callback::Redraw { self.programs.len() } else { before };
        self.programs.insert(at, program);
        self
    }

    pub fn init(self, record: impl FnOnce(&mut Recorder)) -> Scene {
        let mut recorder = Recorder::new();
        record(&mut recorder);
        self.program(Callback::Init, recorder.finish().unwrap())
    }

    /// Lets some pixels differ, all for the same reason.
    pub fn differs(mut self, class: Class) -> Scene {
        self.class = Some(class);
        self
    }

    /// Gives OpenGL another scene to draw.
    pub fn instead(mut self, reference: Scene) -> Scene {
        self.reference = Some(Box::new(reference));
        self
    }

    /// The instructions of all its programs.
    pub fn instructions(&self) -> impl Iterator<Item = VerifiedInstruction<'_>> {
        self.programs.iter().flat_map(VerifiedProgram::instructions)
    }

    /// Does it draw with logical operations, which OpenGL ES has not?
    pub fn needs_logic_ops(&self) -> bool {
        let capability = Capability::ColorLogicOp.value();
        self.instructions().any(|i| i.op() == Op::Enable && i.args == [capability])
    }

    pub fn texture(mut self, texture: Texture) -> Scene {
        self.textures.push(texture);
        self
    }

    pub fn buffer(mut self, oid: u32, bytes: Vec<u8>) -> Scene {
        self.buffers.push(Buffer { oid, bytes });
        self
    }

    /// What its programs read: each thing another value.
    #[allow(clippy::cast_precision_loss, reason = "small sizes")]
    pub fn environment(&self) -> Environment {
        let mut environment = Environment::at(self.time_ns);
        for &what in External::ALL.iter().filter(|&&what| what != External::Time) {
            environment.set(what, 0.25 + 0.5 * what.value() as f32);
        }
        environment.set(External::Width, self.width as f32);
        environment.set(External::Height, self.height as f32);
        environment
    }
}

/// A scene's window as a server has it: what its programs before the redraw left.
#[derive(Debug)]
pub struct Window {
    pub client: u32,
    pub state: WindowState,
    pub lists: Lists,
    pub registers: [u32; REGISTERS],
    pub environment: Environment,
    pub redraw: Arc<Program>,
}

/// The tracker in a context of its own.
#[derive(Debug)]
pub struct Blink {
    pub tracker: Tracker,
    pub resources: Resources,
    _context: context::Headless,
}

impl Blink {
    pub fn new() -> Blink {
        Blink::of(context::Flavor::Desktop)
    }

    pub fn of(flavor: context::Flavor) -> Blink {
        let made = context::Headless::of(&[flavor]);
        let (context, functions) = made.expect("EGL: scripts/setup installs it");
        let tracker = Tracker::new(functions).unwrap();
        Blink { tracker, resources: Resources::default(), _context: context }
    }

    /// Makes a client's window of a scene.
    pub fn window(&mut self, scene: &Scene, client: u32, choice: TierChoice) -> Window {
        for Texture { oid, desc, bytes } in &scene.textures {
            let key = ResourceKey { client, context: 0, oid: *oid };
            self.resources.set_texture(&mut self.tracker, key, desc, None, bytes).unwrap();
        }
        for Buffer { oid, bytes } in &scene.buffers {
            self.resources.set_buffer(ResourceKey { client, context: 0, oid: *oid }, bytes.clone());
        }
        let environment = scene.environment();
        let mut state = WindowState::new(scene.width, scene.height);
        let mut lists = Lists::default();
        let mut registers = scene.registers;
        let (redraw, before) = scene.programs.split_last().unwrap();
        for program in before {
            let program = prepared(program, choice);
            state.start_callback();
            let mut gl = StateOnly(&mut state);
            let run = &mut Run {
                registers: &mut registers,
                environment: &environment,
                lists: &mut lists,
                gl: &mut gl,
            };
            let outcome = program.run(choice, run);
            assert_eq!(outcome.stop, None, "{}", scene.name);
        }
        Window { client, state, lists, registers, environment, redraw: prepared(redraw, choice) }
    }

    /// Runs a window's redraw in `place`. Gives how many draws were left out.
    pub fn redraw(
        &mut self,
        window: &mut Window,
        framebuffer: &Framebuffer,
        place: Rect,
        clip: Rect,
        choice: TierChoice,
    ) -> u64 {
        let mut state = window.state.clone();
        state.start_callback();
        let target = Target { framebuffer, window: place, clip };
        let scope = self.resources.scope(window.client, 0);
        let mut painter = self.tracker.begin(target, &mut state, scope);
        let mut registers = window.registers;
        let run = &mut Run {
            registers: &mut registers,
            environment: &window.environment,
            lists: &mut window.lists,
            gl: &mut painter,
        };
        window.redraw.run(choice, run);
        match painter.finish() {
            Painted::Whole { left_out } => left_out,
            Painted::Part(_) => panic!("a run without an end to its slice stops"),
        }
    }

    /// Runs a window's redraw in slices until it is done. Gives how many there were, and how many draws were left out.
    pub fn redraw_in_slices(
        &mut self,
        window: &mut Window,
        framebuffer: &Framebuffer,
        all: Rect,
        slice: Slice,
    ) -> (usize, u64) {
        let mut state = window.state.clone();
        state.start_callback();
        let target = Target { framebuffer, window: all, clip: all };
        let mut registers = window.registers;
        let (mut paused, mut suspended, mut outcome) = (None::<Box<Paused>>, None, None);
        for slices in 1.. {
            assert!(slices < 100_000, "it does not come to its end");
            // Whatever else is drawn in between.
            let away = Rect::new(0, 0, 1, 1);
            let corner = self.tracker.read_pixels(framebuffer, away);
            let [r, g, b, a] = [0, 1, 2, 3].map(|i| f32::from(corner[i]) / 255.0);
            self.tracker.fill(framebuffer, &[away], away, [r, g, b, a]);
            self.tracker.begin_slice(slice);
            let scope = self.resources.scope(window.client, 0);
            let mut painter = match paused.take() {
                None => self.tracker.begin(target, &mut state, scope),
                Some(paused) => self.tracker.resume(target, &mut state, scope, *paused),
            };
            if painter.is_drawn() && outcome.is_none() {
                let run = &mut Run {
                    registers: &mut registers,
                    environment: &window.environment,
                    lists: &mut window.lists,
                    gl: &mut painter,
                };
                let progress = match suspended.take() {
                    None => window.redraw.start(TierChoice::Best, run),
                    Some(suspended) => jit::Suspended::resume(suspended, run),
                };
                match progress {
                    Progress::Done(done) => outcome = Some(done),
                    Progress::Suspended(rest) => suspended = Some(rest),
                }
            }
            let painted = if outcome.is_some() { painter.finish() } else { Painted::Part(painter.pause()) };
            self.tracker.end_slice();
            match painted {
                Painted::Whole { left_out } => return (slices, left_out),
                Painted::Part(rest) => paused = Some(rest),
            }
        }
        unreachable!("the loop has no end");
    }

    /// A scene's picture: RGBA, top row first.
    pub fn picture(&mut self, scene: &Scene, choice: TierChoice) -> Vec<u8> {
        let all = Rect::new(0, 0, scene.width, scene.height);
        let mut window = self.window(scene, 1, choice);
        let framebuffer = self.tracker.create_framebuffer(scene.width, scene.height).unwrap();
        self.redraw(&mut window, &framebuffer, all, all, choice);
        let picture = self.tracker.read_pixels(&framebuffer, all);
        self.tracker.delete_framebuffer(framebuffer);
        picture
    }

    /// The same, painted in slices; and how many there were.
    pub fn picture_in_slices(&mut self, scene: &Scene, choice: TierChoice, slice: Slice) -> (Vec<u8>, usize) {
        let all = Rect::new(0, 0, scene.width, scene.height);
        let mut window = self.window(scene, 1, choice);
        let framebuffer = self.tracker.create_framebuffer(scene.width, scene.height).unwrap();
        let (slices, _) = self.redraw_in_slices(&mut window, &framebuffer, all, slice);
        let picture = self.tracker.read_pixels(&framebuffer, all);
        self.tracker.delete_framebuffer(framebuffer);
        (picture, slices)
    }
}

fn prepared(program: &VerifiedProgram, choice: TierChoice) -> Arc<Program> {
    let program = Arc::new(Program::new(program.clone()));
    if choice == TierChoice::Native {
        program.compile().unwrap();
    }
    program
}
