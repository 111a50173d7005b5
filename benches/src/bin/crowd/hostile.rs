//! Clients that take what they can.

use blink_client::{Connection, Context, ObjectId, TextureInfo, Wake};
use blinkgl::layout::WindowDesc;
use blinkgl::layout::texture::Format;
use blinkgl::{Callback, WireProgram, asm};
use std::time::Duration;

/// What a hostile client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Reckons as long as a program may, in each frame.
    Spin,
    /// Draws 20,000 triangles in each frame, each as large as its window.
    Triangles,
    /// Publishes a program that wants another shader, eight times a second.
    Shaders,
    /// Publishes textures of 16 MiB without end.
    Textures,
    /// Does nothing wrong, but its renderer is stopped (SIGSTOP).
    Stopped,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Spin, Kind::Triangles, Kind::Shaders, Kind::Textures, Kind::Stopped];
}

type Failure = Box<dyn std::error::Error>;

/// Is such a client until the server goes.
pub fn run(kind: Kind, (x, y): (i32, i32)) -> Result<(), Failure> {
    let mut connection = Connection::open("hostile")?;
    let mut context = connection.context()?;
    let mut commit = context.commit();
    let image = commit.texture(&TextureInfo::new(Format::Rgba8, 16, 16), &[0x80; 16 * 16 * 4])?;
    let redraw = commit.procedure(Callback::Redraw, &program(&start(kind, image))?)?;
    let mut window = WindowDesc { x, y, width: 300, height: 300, ..WindowDesc::default() };
    window.set_title("Hostile");
    window.procedures[Callback::Redraw as usize] = redraw.number();
    if kind == Kind::Triangles {
        let triangles = "vertex2 -1.0, -1.0\nvertex2 3.0, -1.0\nvertex2 -1.0, 3.0\n".repeat(500);
        let list = format!(".callback init\nnew_list 1\nbegin triangles\n{triangles}end\nend_list\n");
        let init = commit.procedure(Callback::Init, &asm::assemble(&list)?.program)?;
        window.procedures[Callback::Init as usize] = init.number();
    }
    commit.window(&window)?;
    commit.finish()?;
    let mut round: usize = 0;
    loop {
        let pause = match kind {
            Kind::Spin | Kind::Triangles | Kind::Stopped => None,
            Kind::Shaders => Some(Duration::from_millis(125)),
            Kind::Textures => Some(Duration::from_millis(1)),
        };
        if connection.wait(pause)? == Wake::ServerGone {
            return Ok(());
        }
        while context.next_event().is_some() {}
        round += 1;
        // What the server refuses, and what has no room yet, is what is measured.
        let _refused = match kind {
            Kind::Spin | Kind::Triangles | Kind::Stopped => Ok(()),
            Kind::Shaders => publish(&mut context, redraw, &shader(round, image)),
            Kind::Textures => fill(&mut context, image, round),
        };
    }
}

fn program(redraw: &str) -> Result<WireProgram, Failure> {
    Ok(asm::assemble(&format!(".callback redraw\n{redraw}request_frame\n"))?.program)
}

fn publish(context: &mut Context, oid: ObjectId, redraw: &str) -> Result<(), Failure> {
    let mut commit = context.commit();
    commit.set_procedure(oid, Callback::Redraw, &program(redraw)?)?;
    Ok(commit.finish()?)
}

fn fill(context: &mut Context, oid: ObjectId, round: usize) -> Result<(), Failure> {
    let pixels = vec![u8::try_from(round % 251)?; 16 << 20];
    let mut commit = context.commit();
    commit.set_texture(oid, &TextureInfo::new(Format::Rgba8, 2048, 2048), &pixels)?;
    Ok(commit.finish()?)
}

/// The redraw that it starts with.
fn start(kind: Kind, image: ObjectId) -> String {
    match kind {
        Kind::Spin => format!("clear color\n{}", "sin r1, r1\ncos r2, r1\n".repeat(8000)),
        Kind::Triangles => format!("clear color\n{}", "call_list 1\n".repeat(40)),
        Kind::Shaders | Kind::Textures => shader(0, image),
        Kind::Stopped => shader(1, image),
    }
}

/// A triangle by another combination of texture functions for each number.
fn shader(round: usize, image: ObjectId) -> String {
    const FUNCTIONS: [&str; 6] = ["replace", "modulate", "add", "add_signed", "interpolate", "subtract"];
    const SOURCES: [&str; 3] = ["constant", "primary_color", "previous"];
    const OPERANDS: [&str; 4] = ["src_color", "one_minus_src_color", "src_alpha", "one_minus_src_alpha"];
    let mut rest = round;
    let mut pick = |names: &[&'static str]| {
        let name = names[rest % names.len()];
        rest /= names.len();
        name
    };
    let (rgb, alpha) = (pick(&FUNCTIONS), pick(&FUNCTIONS));
    let (first, second) = (pick(&SOURCES), pick(&SOURCES));
    let (operand, other) = (pick(&OPERANDS), pick(&OPERANDS));
    format!(
        "clear color\nenable texture_2d\nbind_texture {}\ntex_env_mode combine\n\
         tex_env_combine combine_rgb, {rgb}\ntex_env_combine combine_alpha, {alpha}\n\
         tex_env_combine src0_rgb, {first}\ntex_env_combine src1_rgb, {second}\n\
         tex_env_combine operand0_rgb, {operand}\ntex_env_combine operand1_rgb, {other}\n\
         begin triangles\nvertex2 0.0, 0.0\nvertex2 1.0, 0.0\nvertex2 0.0, 1.0\nend\n",
        image.number()
    )
}
