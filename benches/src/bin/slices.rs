//! What a hostile client costs its neighbour, in real time: gears in a window beside one that draws a million triangles, each as
//! large as itself, in every picture.
//!
//! Both are of one isolation class: one renderer draws them, in this process, without an output. A frame of the neighbour is kept if it is drawn in the refresh interval
//! that it is due in. The same is measured without the hostile client: on a machine with other work, frames are lost then too.

use blink_client::{Connection, Context, Transport, Wake, WindowDesc};
use blink_server::budget::Budget;
use blink_server::geometry::Rect;
use blink_server::gl::{GlError, Tracker, context};
use blink_server::ipc::{ClientId, ClientInfo, Command, Owner};
use blink_server::together::Server;
use blinkgl::gl::{ClearMask, Primitive};
use blinkgl::layout::{APERTURE_MAGIC, APERTURE_VERSION, aperture};
use blinkgl::limits::PAGE_SIZE;
use blinkgl::ops::Callback;
use blinkgl::shm::{Shm, ShmOffset};
use blinkgl::{RecordError, Recorder};
use clap::Parser;
use examples::gears;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Frames that a neighbour keeps beside a client that draws without end, and how long that one goes on after its slices.
#[derive(Debug, Parser)]
struct Options {
    /// Prints one JSON object.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Prints the table of docs/BENCHMARKS.md.
    #[arg(long)]
    markdown: bool,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Frames per second.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1000))]
    hz: u64,
    /// Hostile clients.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    hostile: u32,
    /// Width and height of their windows.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(16..=2048))]
    side: u32,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("OpenGL: {0}")]
    Gl(#[from] GlError),
    #[error("the OpenGL context: {0}")]
    Context(#[from] context::ContextError),
    #[error("a program cannot be recorded: {0}")]
    Record(#[from] RecordError),
    #[error("a client: {0}")]
    Client(#[from] blink_client::Error),
    #[error("the server: {0}")]
    Server(String),
}

/// A client's memory. The server is told of its commits by hand.
#[derive(Debug)]
struct Local(Shm);

impl Transport for Local {
    fn memory(&self) -> &Shm {
        &self.0
    }

    fn ring(&self) {}

    fn wait(&self, _timeout: Option<Duration>) -> Result<Wake, blink_client::Error> {
        Ok(Wake::Timeout)
    }

    fn client(&self) -> u32 {
        0
    }
}

const APERTURE: usize = 8 << 20;

fn add_client(server: &mut Server, id: u32) -> Result<Context, Error> {
    let memory = Shm::anonymous(APERTURE);
    let pages = u32::try_from(APERTURE / PAGE_SIZE).unwrap_or(0);
    for (offset, value) in
        [(aperture::MAGIC, APERTURE_MAGIC), (aperture::VERSION, APERTURE_VERSION), (aperture::PAGES, pages)]
    {
        memory.store(ShmOffset(offset), value).map_err(|error| Error::Server(error.to_string()))?;
    }
    let info = ClientInfo {
        id: ClientId(id),
        owner: Owner::Machine(ClientId(id)),
        name: format!("client{id}"),
        bytes: APERTURE as u64,
        budget: Budget::default(),
        channel: None,
    };
    server.add_client(info, [90, 90, 90], vec![], memory.clone(), (None, None));
    Ok(Connection::over(Arc::new(Local(memory)))?.context()?)
}

fn publish(
    context: &mut Context,
    rect: Rect,
    programs: Vec<(Callback, blinkgl::WireProgram)>,
) -> Result<(), Error> {
    let mut commit = context.commit();
    let mut desc =
        WindowDesc { x: rect.x, y: rect.y, width: rect.width, height: rect.height, ..WindowDesc::default() };
    for (callback, program) in programs {
        desc.procedures[callback as usize] = commit.procedure(callback, &program)?.number();
    }
    commit.window(&desc)?;
    Ok(commit.finish()?)
}

fn gears() -> Result<Vec<(Callback, blinkgl::WireProgram)>, Error> {
    Ok(vec![
        (Callback::Init, gears::init()?),
        (Callback::Reshape, gears::reshape()?),
        (Callback::Redraw, gears::redraw(gears::Angle::Time)?),
    ])
}

/// Triangles of a list, and calls of it: a million.
const TRIANGLES: usize = 20_000;
const CALLS: usize = 50;

fn hostile() -> Result<Vec<(Callback, blinkgl::WireProgram)>, Error> {
    let mut init = Recorder::new();
    init.new_list(1);
    init.begin(Primitive::Triangles);
    for _ in 0..TRIANGLES {
        for (x, y) in [(-1.0, -1.0), (3.0, -1.0), (-1.0, 3.0)] {
            init.vertex2(x, y);
        }
    }
    init.end();
    init.end_list();
    let mut redraw = Recorder::new();
    redraw.clear(ClearMask::COLOR);
    for _ in 0..CALLS {
        redraw.call_list(1);
    }
    redraw.request_frame();
    Ok(vec![(Callback::Init, init.finish()?), (Callback::Redraw, redraw.finish()?)])
}

/// Runs the server for some seconds. The neighbour is client 1.
fn measure(options: &Options, hostile_clients: u32) -> Result<Value, Error> {
    let (gl, functions) = context::Headless::new()?;
    let refresh = 1_000_000_000 / options.hz;
    let mut server = Server::new(Tracker::new(functions)?, 1280, 800, refresh);
    let mut neighbour = add_client(&mut server, 1)?;
    publish(&mut neighbour, Rect::new(40, 60, 300, 300), gears()?)?;
    let mut contexts = Vec::new();
    let start = Instant::now();
    let now = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX).saturating_add(refresh);
    let run = |server: &mut Server, seconds: u64| {
        let end = now() + seconds * 1_000_000_000;
        let mut durations = Vec::new();
        while now() < end {
            let Some(due) = server.next_frame(now()) else { break };
            std::thread::sleep(Duration::from_nanos(due.saturating_sub(now())));
            let before = Instant::now();
            server.make_frame(now());
            durations.push(before.elapsed());
        }
        durations
    };
    // The neighbour is there first, with all that it needs.
    run(&mut server, 1);
    for i in 0..hostile_clients {
        let mut context = add_client(&mut server, 2 + i)?;
        let x = 380 + i32::try_from(i).unwrap_or(0) * 10;
        publish(&mut context, Rect::new(x, 60, options.side, options.side), hostile()?)?;
        contexts.push(context);
    }
    let before = stats(&mut server, now())?;
    let ticks = now() / refresh;
    let mut durations = run(&mut server, options.seconds);
    let ticks = now() / refresh - ticks;
    let after = stats(&mut server, now())?;
    let redraws = |stats: &Value| stats["clients"][0]["redraws"].as_u64().unwrap_or(0);
    durations.sort_unstable();
    let at = |percent: usize| {
        let index = durations.len().saturating_sub(1) * percent / 100;
        milliseconds(durations.get(index).map_or(0.0, Duration::as_secs_f64))
    };
    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    let kept = (redraws(&after) - redraws(&before)) as f64 / ticks.max(1) as f64 * 100.0;
    let late = |what: &str| after["slice_late_us"][what].as_f64().map(|us| milliseconds(us / 1e6));
    let sum = |what: &str| -> u64 {
        let clients = after["clients"].as_array().into_iter().flatten().skip(1);
        clients.filter_map(|client| client[what].as_u64()).sum()
    };
    let value = json!({
        "hostile_clients": hostile_clients,
        "frames_due": ticks,
        "neighbour_frames_kept_percent": (kept * 100.0).round() / 100.0,
        "frame_ms": { "median": at(50), "p99": at(99), "max": at(100) },
        "stop_late_ms": { "median": late("median"), "p99": late("p99"), "max": late("max") },
        "hostile_pictures": sum("redraws"),
        "hostile_slices": sum("slices"),
    });
    // Its objects are deleted while there is a context.
    drop(server);
    drop(gl);
    Ok(value)
}

fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e3
}

/// The table of docs/BENCHMARKS.md.
fn markdown(alone: &Value, beside: &Value) -> String {
    let mut text = format!("| | alone | beside {} hostile |\n|---|---|---|\n", beside["hostile_clients"]);
    let mut row = |name: &str, cell: &dyn Fn(&Value) -> String| {
        text += &format!("| {name} | {} | {} |\n", cell(alone), cell(beside));
    };
    let three = |figures: &Value| {
        let all = format!("{} / {} / {}", figures["median"], figures["p99"], figures["max"]);
        if figures["max"].is_null() { String::new() } else { all }
    };
    let unless_alone = |figures: &Value, what: &str| match figures["hostile_clients"].as_u64() {
        Some(0) => String::new(),
        _ => figures[what].to_string(),
    };
    row("frames due", &|f| f["frames_due"].to_string());
    row("frames that the neighbour keeps, %", &|f| f["neighbour_frames_kept_percent"].to_string());
    row("a frame, milliseconds: median / 99 % / worst", &|f| three(&f["frame_ms"]));
    row("stops after the end of a slice, likewise", &|f| three(&f["stop_late_ms"]));
    row("slices of the hostile", &|f| unless_alone(f, "hostile_slices"));
    row("complete pictures of the hostile", &|f| unless_alone(f, "hostile_pictures"));
    text
}

fn stats(server: &mut Server, now: u64) -> Result<Value, Error> {
    Ok(server.command(Command::Stats, now).map_err(Error::Server)?.value)
}

fn main() -> ExitCode {
    let options = Options::parse();
    let measured = measure(&options, 0).and_then(|alone| Ok((alone, measure(&options, options.hostile)?)));
    let (alone, beside) = match measured {
        Ok(measured) => measured,
        Err(error) => {
            eprintln!("slices: {error}");
            return ExitCode::FAILURE;
        }
    };
    if options.json {
        println!("{}", json!({ "alone": alone, "beside": beside }));
        return ExitCode::SUCCESS;
    }
    if options.markdown {
        print!("{}", markdown(&alone, &beside));
        return ExitCode::SUCCESS;
    }
    for (name, figures) in [("alone", &alone), ("beside hostile clients", &beside)] {
        println!("The neighbour {name}:");
        println!("  frames kept    {} %", figures["neighbour_frames_kept_percent"]);
        let row = |what: &str| {
            format!("{} / {} / {}", figures[what]["median"], figures[what]["p99"], figures[what]["max"])
        };
        println!("  frames take    {} ms (median / 99 % / worst)", row("frame_ms"));
        if figures["hostile_clients"] != 0 {
            println!("  stops are late {} ms", row("stop_late_ms"));
            println!(
                "  slices         {} for {} pictures",
                figures["hostile_slices"], figures["hostile_pictures"]
            );
        }
    }
    ExitCode::SUCCESS
}
