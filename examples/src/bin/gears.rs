//! The classic gears as a Blink client, in two ways: angles computed in the server, or by the client for
//! each frame.

use blink_client::{Context, Error, ObjectId, Registers, What};
use blinkgl::Reg;
use blinkgl::layout::WindowDesc;
use clap::{Parser, ValueEnum};
use examples::client::{Deadline, Place, Size, awake, complaint, connect};
use examples::gears::{self, Angle};
use std::process::ExitCode;

/// Three gears that turn.
#[derive(Debug, Parser)]
#[command(name = "gears")]
struct Options {
    /// Who computes the angles.
    #[arg(long, value_enum, default_value_t = Mode::Sp)]
    mode: Mode,
    /// Size of the window.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "300x300")]
    size: Size,
    /// Place of the window.
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    at: Option<Place>,
    /// Title of the window.
    #[arg(long, default_value = "Gears")]
    title: String,
    /// Ends after so many frames. (The client is then told of each, in both modes.)
    #[arg(long)]
    frames: Option<u64>,
    /// Ends after so many seconds.
    #[arg(long)]
    seconds: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// A stored procedure, from the time: the client sleeps.
    Sp,
    /// The client, for each frame.
    Switch,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gears: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut connection = connect("gears", None)?;
    let mut context = connection.context()?;
    let asked = options.mode == Mode::Switch;
    // Before the window is there: nothing would ask for a second frame if the first were not told.
    context.want_presented(asked || options.frames.is_some());
    let (window, registers) = publish(&mut context, options)?;

    let deadline = Deadline::after(options.seconds);
    let mut frames = 0;
    loop {
        // In `sp` mode without a limit nothing wakes the client but the user and the end of the server.
        awake(connection.wait(deadline.left()))?;
        while let Some(event) = context.next_event() {
            complaint("gears", &event.what);
            if event.what == What::Close {
                return Ok(());
            }
            let What::Presented { time, .. } = event.what else { continue };
            frames += 1;
            if asked {
                let angle = angle_at(time + context.clock().refresh);
                registers.set(register(gears::CLIENT_ANGLE)?, angle);
                context.request_update(window)?;
            }
        }
        if deadline.passed() || options.frames.is_some_and(|limit| frames >= limit) {
            return Ok(());
        }
    }
}

/// Publishes window, procedures and registers as one.
fn publish(
    context: &mut Context,
    options: &Options,
) -> Result<(ObjectId, Registers), Box<dyn std::error::Error>> {
    let angle = match options.mode {
        Mode::Sp => Angle::Time,
        Mode::Switch => Angle::Client,
    };
    let mut window =
        WindowDesc { width: options.size.width, height: options.size.height, ..WindowDesc::default() };
    window.set_title(&options.title);
    if let Some(Place { x, y }) = options.at {
        (window.x, window.y) = (x, y);
    }

    let mut commit = context.commit();
    let window = gears::picture(angle)?.publish(&mut commit, window)?;
    commit.finish()?;
    let file = ObjectId::new(context.window(window)?.registers).ok_or("the gears have no registers")?;
    Ok((window, context.registers(file)?))
}

/// The angle at a moment of the server's clock, the same that the procedures of `sp` mode compute.
fn angle_at(nanoseconds: u64) -> f32 {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a double holds the nanoseconds of 100 days, and an angle needs no more than an f32"
    )]
    let turned = (nanoseconds as f64 / 1e9 % f64::from(gears::PERIOD)) as f32;
    turned * gears::SPEED
}

fn register(number: u32) -> Result<Reg, Error> {
    Reg::new(number).ok_or_else(|| Error::Aperture(format!("there is no register {number}")))
}
