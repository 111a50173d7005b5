//! The OpenGL-mix by the server: its tracker, with the context that it makes for itself.

use super::{Error, PIXEL, SIDE, VIEW};
use benches::tsc::now;
use blink_server::geometry::Rect;
use blink_server::gl::{Framebuffer, Painted, Resources, StateOnly, Target, Tracker, WindowState, context};
use blinkgl::gl::MatrixMode;
use blinkgl::limits::REGISTERS;
use blinkgl::ops::Callback;
use blinkgl::wire::WireProgram;
use blinkgl::{RecordError, Recorder};
use jit::{Environment, Lists, Program, Run, TierChoice};
use verifier::VerifiedProgram;

/// A window of the server's.
pub struct Blink {
    tracker: Tracker,
    resources: Resources,
    framebuffer: Framebuffer,
    /// What the window's `reshape` left.
    state: WindowState,
    lists: Lists,
    registers: [u32; REGISTERS],
    environment: Environment,
    /// The client's words.
    words: Vec<u32>,
    /// The program, without native code and with it.
    interpreted: Program,
    compiled: Program,
    /// Last, so that all that needs it is gone before it.
    _context: context::Headless,
}

const ALL: Rect = Rect { x: 0, y: 0, width: SIDE, height: SIDE };

impl Blink {
    /// Makes everything that a server has before a client publishes the program.
    pub fn new(words: Vec<u32>) -> Result<Blink, Error> {
        let (context, functions) = context::Headless::of(&[context::Flavor::Desktop])?;
        let mut tracker = Tracker::new(functions)?;
        let framebuffer = tracker.create_framebuffer(SIDE, SIDE)?;
        let environment = Environment::at(1_000_000_000);
        let mut state = WindowState::new(SIDE, SIDE);
        let (mut lists, mut registers) = (Lists::default(), [0; REGISTERS]);
        state.start_callback();
        Program::new(verifier::verify(reshape()?, Callback::Reshape)?).run(
            TierChoice::Interpreter,
            &mut Run {
                registers: &mut registers,
                environment: &environment,
                lists: &mut lists,
                gl: &mut StateOnly(&mut state),
            },
        );
        let interpreted = Program::new(accept(&words)?);
        let compiled = Program::new(accept(&words)?);
        compiled.compile()?;
        Ok(Blink {
            tracker,
            resources: Resources::default(),
            framebuffer,
            state,
            lists,
            registers,
            environment,
            words,
            interpreted,
            compiled,
            _context: context,
        })
    }

    /// Cycles of a redraw in one pixel, to its end.
    pub fn redraw(&mut self, choice: TierChoice) -> Result<u64, Error> {
        let [x, y] = PIXEL;
        let start = now();
        self.draw(None, choice, Rect::new(x.cast_signed(), y.cast_signed(), 1, 1))?;
        self.tracker.finish();
        Ok(now().saturating_sub(start))
    }

    /// Cycles of the first frame with a new program, from its words: copied, verified, lowered, drawn from new buffers.
    pub fn first_frame(&mut self) -> Result<u64, Error> {
        let [x, y] = PIXEL;
        let start = now();
        let program = Program::new(accept(&self.words)?);
        self.draw(Some(&program), TierChoice::Best, Rect::new(x.cast_signed(), y.cast_signed(), 1, 1))?;
        self.tracker.finish();
        Ok(now().saturating_sub(start))
    }

    /// What the server does for a window's redraw.
    fn draw(&mut self, program: Option<&Program>, choice: TierChoice, clip: Rect) -> Result<(), Error> {
        let own = if choice == TierChoice::Native { &self.compiled } else { &self.interpreted };
        let mut state = self.state.clone();
        state.start_callback();
        let target = Target { framebuffer: &self.framebuffer, window: ALL, clip };
        let mut painter = self.tracker.begin(target, &mut state, self.resources.scope(1, 0));
        let mut registers = self.registers;
        program.unwrap_or(own).run(
            choice,
            &mut Run {
                registers: &mut registers,
                environment: &self.environment,
                lists: &mut self.lists,
                gl: &mut painter,
            },
        );
        match painter.finish() {
            Painted::Whole { left_out: 0 } => Ok(()),
            Painted::Whole { .. } | Painted::Part(_) => Err(Error::Stopped),
        }
    }

    /// The whole picture of a redraw: RGBA, top row first.
    pub fn picture(&mut self, choice: TierChoice) -> Result<Vec<u8>, Error> {
        self.tracker.fill(&self.framebuffer, &[ALL], ALL, [0.0, 0.0, 0.0, 1.0]);
        self.tracker.clear_depth(&self.framebuffer, ALL);
        self.draw(None, choice, ALL)?;
        Ok(self.tracker.read_pixels(&self.framebuffer, ALL))
    }

    /// OpenGL draws and bytes uploaded since the last call.
    pub fn counters(&mut self) -> blink_server::gl::Counters {
        self.tracker.take_counters()
    }
}

fn accept(words: &[u32]) -> Result<VerifiedProgram, verifier::VerifyError> {
    verifier::verify(WireProgram::from_words(words), Callback::Redraw)
}

/// The gears' view.
fn reshape() -> Result<WireProgram, RecordError> {
    let [x, y] = VIEW;
    let side = SIDE.cast_signed();
    let mut p = Recorder::new();
    p.viewport(0, 0, side, side);
    p.matrix_mode(MatrixMode::Projection);
    p.load_identity();
    p.frustum(-1.0, 1.0, -1.0, 1.0, 5.0, 60.0);
    p.matrix_mode(MatrixMode::Modelview);
    p.load_identity();
    p.translate(0.0, 0.0, -40.0);
    p.rotate(x, 1.0, 0.0, 0.0);
    p.rotate(y, 0.0, 1.0, 0.0);
    p.finish()
}
