//! What the programs of one animated window have in common: options, publishing, waiting for the end. After
//! publishing they have nothing to do.

use crate::client::{Deadline, Place, Size, awake, complaint, connect};
use blink_client::{Commit, What};
use blinkgl::layout::WindowDesc;
use clap::Args;
use pictures::Picture;
use std::error::Error;
use std::process::ExitCode;

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

/// Shows a window until it is closed; `publish` makes its picture, and publishes what that needs.
pub fn main(
    program: &str,
    options: &Window,
    publish: impl FnOnce(&mut Commit<'_>) -> Result<Picture, Box<dyn Error>>,
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
    publish: impl FnOnce(&mut Commit<'_>) -> Result<Picture, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut connection = connect(program, None)?;
    let mut context = connection.context()?;
    let Size { width, height } = options.size;
    let mut window = WindowDesc { width, height, ..WindowDesc::default() };
    window.set_title(options.title.as_deref().unwrap_or(program));
    if let Some(Place { x, y }) = options.at {
        (window.x, window.y) = (x, y);
    }

    let mut commit = context.commit();
    publish(&mut commit)?.publish(&mut commit, window)?;
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
