//! The smallest client: a triangle.

use blink_client::{Connection, Wake, What};
use blinkgl::gl::{ClearMask, Primitive};
use blinkgl::layout::WindowDesc;
use blinkgl::{Callback, Recorder};
use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hello: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    // What the server is to run whenever it draws the window.
    let mut p = Recorder::new();
    p.clear_color(0.1, 0.1, 0.2, 1.0);
    p.clear(ClearMask::COLOR);
    p.primitive(Primitive::Triangles, |p| {
        for (x, y, color) in
            [(-0.8, -0.7, [1.0, 0.2, 0.2]), (0.8, -0.7, [0.2, 1.0, 0.2]), (0.0, 0.8, [0.2, 0.2, 1.0])]
        {
            let [r, g, b] = color;
            p.color3(r, g, b);
            p.vertex2(x, y);
        }
    });
    let redraw = p.finish()?;

    // Published as one: the server sees both objects or none.
    let mut connection = Connection::open("hello")?;
    let mut context = connection.context()?;
    let mut commit = context.commit();
    let redraw = commit.procedure(Callback::Redraw, &redraw)?;
    let mut window = WindowDesc { width: 300, height: 200, ..WindowDesc::default() };
    window.set_title("Hello");
    window.procedures[Callback::Redraw as usize] = redraw.number();
    commit.window(&window)?;
    commit.finish()?;

    // Nothing more to do: until the user closes the window, or the server goes.
    while connection.wait(None)? != Wake::ServerGone {
        while let Some(event) = context.next_event() {
            if event.what == What::Close {
                return Ok(());
            }
            // What is refused, and what takes too long.
            if let Some(complaint) = event.what.complaint() {
                eprintln!("hello: {complaint}");
            }
        }
    }
    Err("the server is gone".into())
}
