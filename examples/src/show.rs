//! What the programs of one animated window have in common: options, publishing, waiting for the end. After
//! publishing they have nothing to do.

use crate::client::{Deadline, Place, Size, awake, complaint};
use blink_client::{Commit, Connection, ObjectId, What};
use blinkgl::gl::{External, MatrixMode};
use blinkgl::layout::WindowDesc;
use blinkgl::{Callback, Recorder, Reg, WireProgram};
use clap::Args;
use std::error::Error;
use std::process::ExitCode;

/// The window's procedures.
pub type Procedures = Vec<(Callback, WireProgram)>;

/// What a program publishes beside its window.
#[derive(Debug)]
pub struct Published {
    /// The window's procedures.
    pub procedures: Procedures,
    /// The window's register file, if it has one.
    pub registers: Option<ObjectId>,
}

impl From<Procedures> for Published {
    fn from(procedures: Procedures) -> Published {
        Published { procedures, registers: None }
    }
}

/// Options of the window.
#[derive(Clone, Debug, Args)]
pub struct Window {
    /// Size of the window.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "300x300")]
    size: Size,
    /// Place of the window.
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    at: Option<Place>,
    /// Title of the window, instead of the program's name.
    #[arg(long)]
    title: Option<String>,
    /// Ends after so many seconds.
    #[arg(long)]
    seconds: Option<f64>,
}

/// Shows a window until it is closed; `publish` makes what it needs.
pub fn main(
    program: &str,
    options: &Window,
    publish: impl FnOnce(&mut Commit<'_>) -> Result<Published, Box<dyn Error>>,
) -> ExitCode {
    match run(program, options, publish) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(
    program: &str,
    options: &Window,
    publish: impl FnOnce(&mut Commit<'_>) -> Result<Published, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut connection = Connection::open(program)?;
    let mut context = connection.context()?;
    let Size { width, height } = options.size;
    let mut window = WindowDesc { width, height, ..WindowDesc::default() };
    window.set_title(options.title.as_deref().unwrap_or(program));
    if let Some(Place { x, y }) = options.at {
        (window.x, window.y) = (x, y);
    }

    let mut commit = context.commit();
    let Published { procedures, registers } = publish(&mut commit)?;
    for (callback, procedure) in procedures {
        window.procedures[callback as usize] = commit.procedure(callback, &procedure)?.number();
    }
    window.registers = registers.map_or(0, ObjectId::number);
    commit.window(&window)?;
    commit.finish()?;

    // Nothing wakes the client but the user, a complaint, and the end of the server.
    let deadline = Deadline::after(options.seconds);
    while !deadline.passed() {
        awake(connection.wait(deadline.left()))?;
        while let Some(event) = context.next_event() {
            if event.what == What::Close {
                return Ok(());
            }
            complaint(program, &event.what);
        }
    }
    Ok(())
}

/// Records for `reshape`: the whole window as viewport, and how far the view then reaches from its middle, in
/// `x` and `y`: `reach` in the direction in which the window is smaller.
fn view(p: &mut Recorder, reach: f32) -> [Reg; 2] {
    let [width, height, least] = [p.alloc(), p.alloc(), p.alloc()];
    p.read(width, External::Width);
    p.read(height, External::Height);
    p.viewport(0, 0, width, height);
    p.min(least, width, height);
    p.div(least, reach, least);
    p.mul(width, width, least);
    p.mul(height, height, least);
    p.release(least);
    [width, height]
}

/// Records for `reshape`: the whole window, and a projection that is at least `fov` degrees wide and high.
pub fn perspective(p: &mut Recorder, fov: f32, near: f32, far: f32) {
    let [right, top] = view(p, near * (fov.to_radians() / 2.0).tan());
    let [left, bottom] = [p.alloc(), p.alloc()];
    p.neg(left, right);
    p.neg(bottom, top);
    p.matrix(MatrixMode::Projection, |p| {
        p.load_identity();
        p.frustum(left, right, bottom, top, near, far);
    });
    for register in [right, top, left, bottom] {
        p.release(register);
    }
}

/// Records for `reshape`: the whole window, and a plane of which at least -1 to 1 is seen in both directions.
pub fn plane(p: &mut Recorder) {
    let [right, top] = view(p, 1.0);
    let [left, bottom] = [p.alloc(), p.alloc()];
    p.neg(left, right);
    p.neg(bottom, top);
    p.matrix(MatrixMode::Projection, |p| {
        p.load_identity();
        p.ortho(left, right, bottom, top, -1.0, 1.0);
    });
    for register in [right, top, left, bottom] {
        p.release(register);
    }
}

/// Records: `d` is an angle in degrees that goes round once in `seconds`.
pub fn turning(p: &mut Recorder, d: Reg, seconds: f32) {
    p.time_mod(d, seconds);
    p.mul(d, d, 360.0 / seconds);
}
