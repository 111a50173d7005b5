//! Real OpenGL: the paper's Table 3. The OpenGL-mix by the server against the same calls by OpenGL itself.
//!
//! Both draw into a framebuffer of their own in one process, in turns, confined to one pixel by the scissor, so that what is
//! measured is the way to the rasteriser and not the filling of pixels. Each frame ends with glFinish. OpenGL
//! has a compatibility context and a thread of its own, because the tracker's context stays current on its thread.
//!
//! What is fair. OpenGL gets the calls from a flat array that is made once, so it pays for no decoding and computes no
//! coordinates; going through the array is measured by itself. The server pays for all that it does in a frame: the copy of the
//! window's state, the run, the tracker, and for a first frame everything from the client's words on. Shaders are not compiled
//! in either: OpenGL's driver and the server keep theirs.

mod blink;
mod calls;
mod driver;
mod fixed;
mod native;

use crate::report::{Both, GlFigures, GlRows, cpi, ratio};
use benches::mix::Mix;
use benches::tsc::Samples;
use blink::Blink;
use blink_server::gl::GlError;
use blink_server::gl::context::ContextError;
use blinkgl::ops::Callback;
use blinkgl::wire::WireProgram;
use calls::Calls;
pub use driver::{Driver, measure};
use jit::TierChoice;
use native::{Native, Way};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Width and height of the windows.
const SIDE: u32 = 300;
/// The pixel that is drawn, from the upper left corner: on the largest gear.
const PIXEL: [u32; 2] = [185, 150];
/// The gears' view: degrees about x and y.
const VIEW: [f32; 2] = [20.0, 30.0];
/// Frames of one kind before it is the next one's turn.
const TURN: usize = 5;
/// Frames before measuring.
const WARM: usize = 10;

/// Channels of two equal pixels may differ by this much, as in the tests of the tracker...
const TOLERANCE: u8 = 2;
/// ... and by more in one of so many pixels.
const ONE_OF: usize = 200;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no OpenGL compatibility context: {0}")]
    Compatibility(String),
    #[error("OpenGL has no {0}")]
    Function(&'static str),
    #[error("OpenGL gives no object: {0}")]
    Object(String),
    #[error("OpenGL refuses a call: {0:#x}")]
    Refused(u32),
    #[error("no context for the tracker: {0}")]
    Context(#[from] ContextError),
    #[error("the tracker: {0}")]
    Tracker(#[from] GlError),
    #[error("the program is refused: {0}")]
    Verify(#[from] verifier::VerifyError),
    #[error("the program cannot be recorded: {0}")]
    Record(#[from] blinkgl::RecordError),
    #[error("it is not compiled: {0}")]
    Compile(#[from] jit::CompileError),
    #[error("{0}")]
    Unknown(#[from] calls::Unknown),
    #[error("the server stopped the drawing, so nothing is measured")]
    Stopped,
    #[error("the picture of {0} is not that of immediate mode: {1} of {2} pixels differ")]
    Different(&'static str, usize, usize),
    #[error("immediate mode draws only {0} of {1} pixels, or not the measured one: nothing is measured")]
    Empty(usize, usize),
    #[error("OpenGL's thread is gone")]
    Thread,
    #[error("a fresh process cannot be started: {0}")]
    Start(#[from] std::io::Error),
    #[error("the process for {0} OpenGL fails")]
    Child(&'static str),
    #[error("the process for OpenGL prints no figures: {0}")]
    Json(#[from] serde_json::Error),
}

/// What OpenGL's thread is asked.
enum Order {
    Picture(Way),
    Frames(Way),
    Walk,
}

/// What it answers.
enum Answer {
    Ready(String),
    Picture(Vec<u8>),
    Frames(Vec<u64>),
}

/// OpenGL itself, on its thread.
struct Remote {
    orders: SyncSender<Order>,
    answers: Receiver<Result<Answer, Error>>,
}

impl Remote {
    fn start(calls: Calls) -> Remote {
        let (orders, inbox) = sync_channel(0);
        let (outbox, answers) = sync_channel(0);
        std::thread::spawn(move || {
            let native = match Native::new(calls) {
                Ok(native) => native,
                Err(error) => {
                    // Nobody hears it only if the other thread is gone.
                    let _ = outbox.send(Err(error));
                    return;
                }
            };
            let mut answer = Ok(Answer::Ready(native.describe()));
            while outbox.send(answer).is_ok() {
                let turn = |work: &dyn Fn() -> u64| Answer::Frames((0..TURN).map(|_| work()).collect());
                answer = match inbox.recv() {
                    Ok(Order::Picture(way)) => native.picture(way).map(Answer::Picture),
                    Ok(Order::Frames(way)) => Ok(turn(&|| native.frame(way))),
                    Ok(Order::Walk) => Ok(turn(&|| native.walk())),
                    Err(_) => return,
                };
            }
        });
        Remote { orders, answers }
    }

    fn answer(&self) -> Result<Answer, Error> {
        self.answers.recv().map_err(|_| Error::Thread)?
    }

    fn ask(&self, order: Order) -> Result<Answer, Error> {
        self.orders.send(order).map_err(|_| Error::Thread)?;
        self.answer()
    }

    fn picture(&self, way: Way) -> Result<Vec<u8>, Error> {
        match self.ask(Order::Picture(way))? {
            Answer::Picture(pixels) => Ok(pixels),
            Answer::Ready(_) | Answer::Frames(_) => Err(Error::Thread),
        }
    }

    fn frames(&self, order: Order) -> Result<Vec<u64>, Error> {
        match self.ask(order)? {
            Answer::Frames(cycles) => Ok(cycles),
            Answer::Ready(_) | Answer::Picture(_) => Err(Error::Thread),
        }
    }
}

/// Measures all ways of drawing in turns, in this process. `is_drawn`: OpenGL really draws, so that the pictures are compared
/// first.
pub fn measure_here(frames: usize, is_drawn: bool) -> Result<GlRows, Error> {
    let words = Mix::OpenGl.words();
    let program = verifier::verify(WireProgram::from_words(&words[..]), Callback::Redraw)?;
    let commands = program.facts().instructions;
    let native = Remote::start(Calls::of(&program)?);
    let Answer::Ready(renderer) = native.answer()? else { return Err(Error::Thread) };
    let mut blink = Blink::new(words)?;
    let choices = [TierChoice::Interpreter, TierChoice::Native];
    if is_drawn {
        let wanted = native.picture(Way::Immediate)?;
        check_content(&wanted)?;
        for (name, way) in [("the display list", Way::DisplayList), ("the buffer", Way::StaticBuffer)] {
            compare(name, &native.picture(way)?, &wanted)?;
        }
        for (name, choice) in ["the interpreter", "native code"].into_iter().zip(choices) {
            compare(name, &blink.picture(choice)?, &wanted)?;
        }
    }

    let mut ways = Way::ALL.map(|way| (way, Samples::default()));
    let mut tiers = choices.map(|choice| (choice, Samples::default()));
    let (mut first, mut walk) = (Samples::default(), Samples::default());
    for _ in 0..WARM {
        for choice in choices {
            blink.redraw(choice)?;
        }
        blink.first_frame()?;
    }
    for way in Way::ALL {
        native.frames(Order::Frames(way))?;
        native.frames(Order::Frames(way))?;
    }
    blink.counters();
    let rounds = frames.div_ceil(TURN).max(1);
    for _ in 0..rounds {
        for (way, samples) in &mut ways {
            samples.extend(native.frames(Order::Frames(*way))?);
        }
        walk.extend(native.frames(Order::Walk)?);
        for (choice, samples) in &mut tiers {
            for _ in 0..TURN {
                samples.add(blink.redraw(*choice)?);
            }
        }
        for _ in 0..TURN {
            first.add(blink.first_frame()?);
        }
    }
    // The redraws and the first frames draw alike.
    let counted = u64::try_from(rounds * TURN * 3).unwrap_or(u64::MAX);
    let draws = blink.counters().draws;
    if draws < counted {
        return Err(Error::Stopped);
    }
    let [immediate, list, buffer] = &ways.map(|(_, samples)| samples);
    let [interpreter, compiled] = &tiers.map(|(_, samples)| samples);
    let figures = Both::of(|pick| {
        let cpi = |samples: &Samples| cpi(pick(samples), commands);
        let against = |samples: &Samples, other: &Samples| ratio(pick(samples), pick(other));
        GlFigures {
            commands,
            redraw_vs_immediate: against(compiled, immediate),
            first_frame_vs_immediate: against(&first, immediate),
            redraw_vs_static_vbo: against(compiled, buffer),
            redraw_vs_display_list: against(compiled, list),
            immediate_cpi: cpi(immediate),
            display_list_cpi: cpi(list),
            static_vbo_cpi: cpi(buffer),
            redraw_interp_cpi: cpi(interpreter),
            redraw_native_cpi: cpi(compiled),
            first_frame_cpi: cpi(&first),
            walk_cpi: cpi(&walk),
        }
    });
    Ok(GlRows { renderer, frames: rounds * TURN, draws: ratio(draws, counted), figures })
}

const BLACK: [u8; 4] = [0, 0, 0, 255];

/// The measured pixel is drawn, and so is a good part of the picture.
fn check_content(picture: &[u8]) -> Result<(), Error> {
    let (pixels, _) = picture.as_chunks::<4>();
    let drawn = pixels.iter().filter(|pixel| **pixel != BLACK).count();
    let [x, y] = PIXEL.map(|at| at as usize);
    let is_there = pixels.get(y * SIDE as usize + x).is_some_and(|pixel| *pixel != BLACK);
    if drawn * 10 < pixels.len() || !is_there { Err(Error::Empty(drawn, pixels.len())) } else { Ok(()) }
}

fn compare(name: &'static str, picture: &[u8], wanted: &[u8]) -> Result<(), Error> {
    let pairs = picture.chunks_exact(4).zip(wanted.chunks_exact(4));
    let differ = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > TOLERANCE);
    let different = pairs.filter(|&pair| differ(pair)).count();
    let all = wanted.len() / 4;
    if picture.len() != wanted.len() || different * ONE_OF > all {
        return Err(Error::Different(name, different, all));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_differ_or_are_empty_are_no_measurement() {
        let all = (SIDE * SIDE) as usize;
        let black = BLACK.repeat(all);
        assert!(matches!(check_content(&black), Err(Error::Empty(0, _))));
        let grey = [90, 90, 90, 255].repeat(all);
        assert!(check_content(&grey).is_ok());
        assert!(compare("x", &grey, &grey).is_ok());
        assert!(matches!(compare("x", &grey, &black), Err(Error::Different(_, n, _)) if n == all));
        assert!(compare("x", &grey[4..], &grey).is_err());
    }
}
