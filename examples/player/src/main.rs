//! A video player: decodes several pictures at a time into a ring of textures, and lets a stored procedure
//! choose among them by the time at which a frame will be seen (paper, section 2.4).

#[cfg(test)]
mod clips;
mod decode;
mod film;
mod player;
mod procedures;
mod ring;

use clap::Parser;
use examples::client::Place;
use std::path::PathBuf;
use std::process::ExitCode;

/// Plays a video. Space or a click pauses, left and right go 5 s back and forth, q ends.
#[derive(Debug, Parser)]
#[command(name = "player")]
pub struct Options {
    /// A file with video in it, of any kind that FFmpeg decodes.
    pub file: PathBuf,
    /// Starts again at the end.
    #[arg(long = "loop")]
    pub repeat: bool,
    /// Starts at so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    pub seek: f64,
    /// Starts paused.
    #[arg(long)]
    pub paused: bool,
    /// Pictures that are decoded ahead.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=i64::from(procedures::MAX_RING)))]
    pub ahead: u32,
    /// Mixes each picture with the next by the time between them.
    #[arg(long)]
    pub blend: bool,
    /// Ends after so many seconds.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Place of the window.
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    pub at: Option<Place>,
    /// Title of the window; the file's name if there is none.
    #[arg(long)]
    pub title: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match player::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("player: {}: {error}", options.file.display());
            ExitCode::FAILURE
        }
    }
}
