//! `blinkctl`: looks at a running server, and steers it.

use clap::{Parser, Subcommand, ValueEnum};
use ipc::control_path;
use ipc::vm::{Color, GroupName, MemorySize, RendererMemory, SocketMode, VmName};
use ipc::{Answer, ClientId, Command, Input, VmCommand, WindowId};
use os::seqpacket::{self, Received};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use serde_json::Value;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

/// Seconds to wait for an answer: the server gives its glass ten.
const ANSWER_SECONDS: i64 = 15;
/// Bytes of a picture, at most: 8192 x 8192 pixels.
const MAX_PICTURE_BYTES: usize = 8192 * 8192 * 4;

/// Looks at a running Blink server, and steers it. Windows are named CLIENT.CONTEXT.OID, as `list` shows them.
#[derive(Debug, Parser)]
#[command(name = "blinkctl", version)]
struct CommandLine {
    /// Path of the server's socket; without it: BLINK_DISPLAY, or the default one.
    #[arg(long, value_name = "PATH", global = true)]
    socket: Option<PathBuf>,
    /// Print the answer as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Clients, their windows and procedures, and what was refused.
    ///
    /// A window is `hidden` if nothing of it is seen, `slow` if it is drawn in slices, because it took too long,
    /// and `busy` with a callback that did not end in its frame. A client is `starting` or `failed` if its renderer is. A
    /// procedure runs in the version that is shown, the last that was accepted, by the interpreter or as native code.
    List,
    /// Counters and times, for each client.
    ///
    /// `interval ms` is the median of the times from redraw to redraw, `p99 ms` what 99 of 100 are below. `us` are
    /// microseconds: of a redraw, of a scan of the client's memory, of taking a procedure. `cached`: procedures that
    /// were known already. `suspended`: runs that did not end in their frame, `slices`: the frames that they took. `draws`:
    /// draw calls. `cpu ms` and `switches` are those of the client's process.
    Stats,
    /// Writes the picture on the output to a PNG file.
    Screenshot {
        /// The file.
        file: PathBuf,
    },
    /// Input, as if the user made it.
    #[command(subcommand)]
    Input(InputAction),
    /// Moves a window's content to X Y on the output.
    #[command(allow_negative_numbers = true)]
    Move {
        /// Which.
        window: Window,
        /// Pixels from the left.
        x: i32,
        /// Pixels from the top.
        y: i32,
    },
    /// Resizes a window's content.
    Resize {
        /// Which.
        window: Window,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Raises a window to the top.
    Raise {
        /// Which.
        window: Window,
    },
    /// Gives a window the keyboard focus.
    Focus {
        /// Which.
        window: Window,
    },
    /// Asks a window's client to close it.
    Close {
        /// Which.
        window: Window,
    },
    /// Disconnects a client; its windows go and its memory is released.
    Kill {
        /// Number of the client, as `list` shows it.
        client: u32,
    },
    /// Virtual machines: which there are, and what is done with them.
    #[command(subcommand)]
    Vm(VmAction),
    /// Stops the server.
    Quit,
}

#[derive(Clone, Debug, Subcommand)]
enum VmAction {
    /// Those that there are, and QEMU's options for those that wait.
    List,
    /// Makes one, and says QEMU's options for it.
    Add {
        /// Its name: the label of its windows.
        name: VmName,
        /// Memory that it shares with the server; a power of two.
        #[arg(long, value_name = "SIZE", default_value = "64M")]
        memory: MemorySize,
        /// Color of its windows' borders, as #2a6fdb.
        #[arg(long)]
        color: Option<Color>,
        /// Group that may use its sockets, as libvirt-qemu: their files belong to it.
        #[arg(long, value_name = "GROUP")]
        group: Option<GroupName>,
        /// Mode of its sockets: 600, or 660, which is the default with a group.
        #[arg(long, value_name = "MODE")]
        mode: Option<SocketMode>,
        /// Private memory that its renderer may have, from 64M to 64G [default: the policy's, else 384M]
        #[arg(long, value_name = "SIZE")]
        renderer_memory: Option<RendererMemory>,
    },
    /// Forgets one: its windows go, and its memory is released.
    Remove {
        /// Which.
        name: VmName,
    },
    /// Hides a VM's windows; nothing of it is run, and it is told nothing.
    Suspend {
        /// Which.
        name: VmName,
    },
    /// Takes a suspended VM up again.
    Resume {
        /// Which.
        name: VmName,
    },
}

#[derive(Clone, Debug, Subcommand)]
enum InputAction {
    /// Moves the pointer.
    #[command(allow_negative_numbers = true)]
    Motion {
        /// Pixels from the left.
        x: f64,
        /// Pixels from the top.
        y: f64,
    },
    /// A button: 0 left, 1 middle, 2 right.
    Button {
        /// Which.
        button: u8,
        /// Down or up.
        state: State,
    },
    /// Moves the pointer and clicks the left button.
    #[command(allow_negative_numbers = true)]
    Click {
        /// Pixels from the left.
        x: f64,
        /// Pixels from the top.
        y: f64,
    },
    /// Turns the wheel by steps, positive away from the user.
    #[command(allow_negative_numbers = true)]
    Wheel {
        /// How many.
        steps: i32,
    },
    /// A key; without a state: down and up.
    Key {
        /// Linux evdev code (linux/input-event-codes.h), as 28 for Enter.
        code: u32,
        /// Down or up.
        state: Option<State>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Down,
    Up,
}

/// A window's name on the command line.
#[derive(Clone, Copy, Debug)]
struct Window(WindowId);

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Window, String> {
        let parse = || {
            let mut numbers = text.split('.').map(|part| part.parse::<u32>().ok());
            let window = WindowId {
                client: ClientId(numbers.next()??),
                context: numbers.next()??,
                oid: numbers.next()??,
            };
            numbers.next().is_none().then_some(Window(window))
        };
        parse()
            .ok_or_else(|| "a window is CLIENT.CONTEXT.OID, as 1.0.3; `blinkctl list` shows them".to_owned())
    }
}

/// What is wrong, for the user.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("no Blink server at {}: {error}; start `blink-server`, or name its socket by --socket", path.display())]
    NoServer { path: PathBuf, error: rustix::io::Errno },
    #[error("{0}")]
    Untrusted(#[from] blink_client::Error),
    #[error("the server hung up; its log says why")]
    HungUp,
    #[error("no answer within {ANSWER_SECONDS} seconds")]
    NoAnswer,
    #[error("{0}")]
    Socket(#[from] seqpacket::SocketError),
    #[error("{0}")]
    System(#[from] rustix::io::Errno),
    #[error("the answer makes no sense: {0}")]
    Answer(#[from] serde_json::Error),
    #[error("{0}")]
    Refused(String),
    #[error("the answer holds no picture")]
    NoPicture,
    #[error("{}: {error}", file.display())]
    File { file: PathBuf, error: std::io::Error },
    #[error("{}: {error}", file.display())]
    Png { file: PathBuf, error: png::EncodingError },
    #[error("{0}")]
    Print(std::io::Error),
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    match run(&line) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough.
        Err(Failure::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("blinkctl: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(line: &CommandLine) -> Result<(), Failure> {
    let server = line.socket.clone().unwrap_or_else(blink_client::display_path);
    blink_client::check_directory(&server)?;
    let (answer, fds) = ask(&control_path(&server), &command(&line.action))?;
    let value = answer.map_err(Failure::Refused)?;
    if let Action::Screenshot { file } = &line.action {
        write_picture(file, &value, fds.first().ok_or(Failure::NoPicture)?)?;
    }
    let mut out = std::io::stdout().lock();
    let printed = match &line.action {
        _ if line.json => serde_json::to_string_pretty(&value).map(|text| writeln!(out, "{text}"))?,
        Action::List => write_list(&mut out, &value),
        Action::Stats => write_stats(&mut out, &value),
        Action::Vm(VmAction::List) => write_vms(&mut out, &value),
        Action::Vm(VmAction::Add { .. }) => write_vm(&mut out, &value),
        Action::Screenshot { .. }
        | Action::Input(_)
        | Action::Move { .. }
        | Action::Resize { .. }
        | Action::Raise { .. }
        | Action::Focus { .. }
        | Action::Close { .. }
        | Action::Kill { .. }
        | Action::Vm(VmAction::Remove { .. } | VmAction::Suspend { .. } | VmAction::Resume { .. })
        | Action::Quit => Ok(()),
    };
    printed.map_err(Failure::Print)
}

fn command(action: &Action) -> Command {
    match *action {
        Action::List => Command::List,
        Action::Stats => Command::Stats,
        Action::Screenshot { .. } => Command::Screenshot,
        Action::Input(ref input) => Command::Input { events: events(input) },
        Action::Move { window, x, y } => Command::Move { window: window.0, x, y },
        Action::Resize { window, width, height } => Command::Resize { window: window.0, width, height },
        Action::Raise { window } => Command::Raise { window: window.0 },
        Action::Focus { window } => Command::Focus { window: window.0 },
        Action::Close { window } => Command::Close { window: window.0 },
        Action::Kill { client } => Command::Kill { client: ClientId(client) },
        Action::Vm(ref action) => Command::Vm(vm_command(action.clone())),
        Action::Quit => Command::Quit,
    }
}

fn vm_command(action: VmAction) -> VmCommand {
    match action {
        VmAction::List => VmCommand::List,
        VmAction::Add { name, memory, color, group, mode, renderer_memory } => {
            VmCommand::Add { name, memory: Some(memory), color, group, mode, renderer_memory }
        }
        VmAction::Remove { name } => VmCommand::Remove { name },
        VmAction::Suspend { name } => VmCommand::Suspend { name },
        VmAction::Resume { name } => VmCommand::Resume { name },
    }
}

fn events(input: &InputAction) -> Vec<Input> {
    let button = |button, pressed| Input::Button { button, pressed };
    let key = |code, pressed| Input::Key { code, pressed };
    match *input {
        InputAction::Motion { x, y } => vec![Input::Motion { x, y }],
        InputAction::Button { button: which, state } => vec![button(which, state == State::Down)],
        InputAction::Click { x, y } => vec![Input::Motion { x, y }, button(0, true), button(0, false)],
        InputAction::Wheel { steps } => vec![Input::Wheel { steps }],
        InputAction::Key { code, state: Some(state) } => vec![key(code, state == State::Down)],
        InputAction::Key { code, state: None } => vec![key(code, true), key(code, false)],
    }
}

fn ask(path: &Path, command: &Command) -> Result<(Answer, Vec<OwnedFd>), Failure> {
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let no_server = |error| Failure::NoServer { path: path.to_owned(), error };
    let address = SocketAddrUnix::new(path).map_err(no_server)?;
    rustix::net::connect(&socket, &address).map_err(no_server)?;
    seqpacket::send(socket.as_fd(), &serde_json::to_vec(command)?, &[])?;
    let time = Timespec { tv_sec: ANSWER_SECONDS, tv_nsec: 0 };
    loop {
        match poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&time)) {
            Ok(0) => return Err(Failure::NoAnswer),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        match seqpacket::receive(socket.as_fd())? {
            Received::Message(bytes, fds) => return Ok((serde_json::from_slice(&bytes)?, fds)),
            Received::Closed => return Err(Failure::HungUp),
            Received::Nothing => {}
        }
    }
}

fn write_picture(file: &Path, value: &Value, memory: &OwnedFd) -> Result<(), Failure> {
    let side = |name: &str| value.get(name).and_then(Value::as_u64).and_then(|v| u32::try_from(v).ok());
    let (Some(width), Some(height)) = (side("width"), side("height")) else { return Err(Failure::NoPicture) };
    let mut pixels = seqpacket::read_memory(memory, MAX_PICTURE_BYTES)?;
    if u64::try_from(pixels.len()) != Ok(u64::from(width) * u64::from(height) * 4) {
        return Err(Failure::NoPicture);
    }
    // What a screen shows is opaque, whatever programs wrote to alpha.
    for pixel in pixels.chunks_exact_mut(4) {
        if let [_, _, _, alpha] = pixel {
            *alpha = u8::MAX;
        }
    }
    let created = File::create(file).map_err(|error| Failure::File { file: file.to_owned(), error })?;
    let mut encoder = png::Encoder::new(BufWriter::new(created), width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&pixels)?;
        writer.finish()
    });
    written.map_err(|error| Failure::Png { file: file.to_owned(), error })
}

/// Text of a JSON value for a table: nothing for what is missing, no quotes, no control characters.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.chars().map(|c| if c.is_control() { '?' } else { c }).collect(),
        Some(other) => other.to_string(),
    }
}

fn entries<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn write_list(out: &mut impl Write, value: &Value) -> std::io::Result<()> {
    let clients = value.as_array().map_or(&[][..], Vec::as_slice);
    if clients.is_empty() {
        return writeln!(out, "no clients");
    }
    for client in clients {
        let field = |name| text(client.get(name));
        let mebibytes = client.get("memory_bytes").and_then(Value::as_u64).unwrap_or(0) >> 20;
        writeln!(
            out,
            "client {}  \"{}\"  {}  {mebibytes} MiB  {} objects",
            field("client"),
            field("name"),
            behind(client).unwrap_or_default(),
            field("objects"),
        )?;
        write_state(out, client)?;
        for window in entries(client, "windows") {
            write_window(out, window)?;
        }
        let shown = shown_errors(client);
        for error in entries(client, "errors").iter().map(|error| text(Some(error))) {
            // Where it happened, it is said already.
            if !shown.iter().any(|shown| error.ends_with(&format!(": {shown}"))) {
                writeln!(out, "  error: {error}")?;
            }
        }
        for note in entries(client, "notes") {
            writeln!(out, "  note: {}", text(Some(note)))?;
        }
    }
    Ok(())
}

/// What is wrong with a client's renderer.
fn write_state(out: &mut impl Write, client: &Value) -> std::io::Result<()> {
    match client.get("state").and_then(Value::as_str) {
        None | Some("running") => Ok(()),
        Some(_) => {
            writeln!(out, "  renderer of class {}: {}", text(client.get("class")), text(client.get("state")))
        }
    }
}

/// The errors of a client's windows and their procedures.
fn shown_errors(client: &Value) -> Vec<String> {
    let windows = entries(client, "windows").iter();
    let all = windows.flat_map(|window| [window].into_iter().chain(entries(window, "procedures")));
    all.filter_map(|value| value.get("error"))
        .filter(|error| error.is_string())
        .map(|e| text(Some(e)))
        .collect()
}

fn write_vms(out: &mut impl Write, value: &Value) -> std::io::Result<()> {
    let vms = value.as_array().map_or(&[][..], Vec::as_slice);
    if vms.is_empty() {
        return writeln!(out, "no VMs; `blinkctl vm add NAME` makes one");
    }
    vms.iter().try_for_each(|vm| write_vm(out, vm))
}

/// What is behind a client: a process of this machine, or a domain of Xen.
fn behind(client: &Value) -> Option<String> {
    ["process", "domain"].into_iter().zip(["pid", "domain"]).find_map(|(what, name)| {
        let number = client.get(name).filter(|value| !value.is_null())?;
        Some(format!("{what} {}", text(Some(number))))
    })
}

/// A VM, and with what options a QEMU becomes it.
fn write_vm(out: &mut impl Write, vm: &Value) -> std::io::Result<()> {
    let field = |name| text(vm.get(name));
    let mebibytes = vm.get("memory_bytes").and_then(Value::as_u64).unwrap_or(0) >> 20;
    write!(out, "VM {}  client {}  {mebibytes} MiB  {}", field("name"), field("client"), field("color"))?;
    write!(out, "  {}", field("state"))?;
    match behind(vm) {
        Some(who) => writeln!(out, ", {who}")?,
        None => writeln!(out)?,
    }
    if field("state") == "waiting" {
        writeln!(out, "  -chardev socket,path={},id=blink", field("socket"))?;
        writeln!(out, "  -device ivshmem-doorbell,vectors=2,chardev=blink")?;
    }
    Ok(())
}

fn write_window(out: &mut impl Write, window: &Value) -> std::io::Result<()> {
    let field = |name| text(window.get(name));
    let is = |name| window.get(name).and_then(Value::as_bool) == Some(true);
    let marks: Vec<&str> = [(is("focus"), "focus"), (!is("visible"), "hidden"), (is("slow"), "slow")]
        .into_iter()
        .filter_map(|(is, mark)| is.then_some(mark))
        .collect();
    let note = window.get("note").and_then(Value::as_str);
    let busy = window.get("busy").and_then(Value::as_str).map(|callback| format!("busy: {callback}"));
    let marks: Vec<&str> = marks.into_iter().chain(busy.as_deref()).chain(note).collect();
    let marks = text(Some(&Value::String(marks.join(", "))));
    let marks = if marks.is_empty() { String::new() } else { format!("  {marks}") };
    writeln!(
        out,
        "  window {}  \"{}\"  {}x{} at {},{}  level {}{marks}",
        field("id"),
        field("title"),
        field("width"),
        field("height"),
        field("x"),
        field("y"),
        field("stack"),
    )?;
    for procedure in entries(window, "procedures") {
        write_procedure(out, procedure)?;
    }
    match window.get("error") {
        None | Some(Value::Null) => Ok(()),
        error => writeln!(out, "    error: {}", text(error)),
    }
}

/// What runs of a procedure, and what is wrong with its newest version, if it is.
fn write_procedure(out: &mut impl Write, procedure: &Value) -> std::io::Result<()> {
    let field = |name| text(procedure.get(name));
    write!(out, "    {} (object {}): ", field("callback"), field("oid"))?;
    match procedure.get("tier") {
        None | Some(Value::Null) => write!(out, "never accepted")?,
        tier => {
            let (version, instructions) = (field("running_version"), field("instructions"));
            write!(out, "version {version}, {}, {instructions} instructions", text(tier))?;
        }
    }
    match procedure.get("error") {
        None | Some(Value::Null) => writeln!(out),
        error => writeln!(out, "; error in version {}: {}", field("version"), text(error)),
    }
}

/// The process of an isolation class.
fn write_renderer(out: &mut impl Write, renderer: &Value) -> std::io::Result<()> {
    let field = |name| text(renderer.get(name));
    let names: Vec<String> = entries(renderer, "names").iter().map(|name| text(Some(name))).collect();
    write!(out, "renderer of class {} ({}): ", field("class"), names.join(", "))?;
    if field("pid").is_empty() {
        write!(out, "no process")?;
    } else {
        let mebibytes = renderer.get("memory_bytes").and_then(Value::as_u64).unwrap_or(0) >> 20;
        let (pid, cpu, switches) = (field("pid"), field("cpu_ms"), field("context_switches"));
        write!(out, "process {pid}, {cpu} ms, {switches} context switches, {mebibytes} MiB")?;
    }
    match renderer.get("nice").and_then(Value::as_i64) {
        None | Some(0) => {}
        Some(nice) => write!(out, ", slow: nice {nice}")?,
    }
    match renderer.get("state").and_then(Value::as_str) {
        None | Some("running") => {}
        Some(state) => write!(out, ", {}", text(Some(&state.into())))?,
    }
    match renderer.get("last_end") {
        None | Some(Value::Null) => {}
        end => write!(out, "; started {} times, the last one before: {}", field("starts"), text(end))?,
    }
    match renderer.get("error") {
        None | Some(Value::Null) => writeln!(out),
        error => writeln!(out, "; error: {}", text(error)),
    }
}

/// The columns of `stats`: title, and path in a client's object.
const COLUMNS: [(&str, &[&str]); 15] = [
    ("client", &["client"]),
    ("name", &["name"]),
    ("updates", &["updates"]),
    ("redraws", &["redraws"]),
    ("interval ms", &["redraw_interval_ms", "median"]),
    ("p99 ms", &["redraw_interval_ms", "p99"]),
    ("redraw us", &["redraw_us", "median"]),
    ("scan us", &["scan_us", "median"]),
    ("accept us", &["accept_us", "median"]),
    ("cached", &["cached_procedures"]),
    ("suspended", &["suspended"]),
    ("slices", &["slices"]),
    ("draws", &["gl_draws"]),
    ("cpu ms", &["cpu_ms"]),
    ("switches", &["context_switches"]),
];

fn write_stats(out: &mut impl Write, value: &Value) -> std::io::Result<()> {
    let field = |name| text(value.get(name));
    writeln!(
        out,
        "{} frames at {} Hz, {} wake-ups, {} renderers started; {}",
        field("frames"),
        value.get("refresh_hz").and_then(Value::as_f64).map_or(String::new(), |hz| format!("{hz:.0}")),
        field("wakeups"),
        field("renderer_starts"),
        field("gl"),
    )?;
    for who in ["broker", "glass", "template"] {
        let field = |what| text(value.get(format!("{who}_{what}")));
        let (pid, cpu, switches) = (field("pid"), field("cpu_ms"), field("context_switches"));
        if !pid.is_empty() {
            writeln!(out, "{who}: process {pid}, {cpu} ms, {switches} context switches")?;
        }
    }
    for renderer in entries(value, "renderers") {
        write_renderer(out, renderer)?;
    }
    let mut rows = vec![COLUMNS.map(|(title, _)| title.to_owned())];
    for client in entries(value, "clients") {
        rows.push(COLUMNS.map(|(_, path)| text(path.iter().try_fold(client, |value, name| value.get(name)))));
    }
    let mut widths = [0; COLUMNS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        writeln!(out, "{}", cells.join("  "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn windows_are_named_by_three_numbers() {
        let window = WindowId { client: ClientId(1), context: 0, oid: 7 };
        assert_eq!("1.0.7".parse::<Window>().map(|w| w.0), Ok(window));
        assert_eq!(window.to_string().parse::<Window>().map(|w| w.0), Ok(window));
        for bad in ["", "1", "1.0", "1.0.7.8", "1.0.x", "-1.0.7"] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }

    #[test]
    fn command_lines() {
        let parse = |line: &str| {
            CommandLine::try_parse_from(line.split(' '))
                .map(|line| command(&line.action))
                .map_err(|e| e.kind())
        };
        let window = WindowId { client: ClientId(1), context: 0, oid: 7 };
        assert_eq!(parse("blinkctl move 1.0.7 -5 20"), Ok(Command::Move { window, x: -5, y: 20 }));
        let events = vec![
            Input::Motion { x: 10.0, y: 20.5 },
            Input::Button { button: 0, pressed: true },
            Input::Button { button: 0, pressed: false },
        ];
        assert_eq!(parse("blinkctl input click 10 20.5"), Ok(Command::Input { events }));
        let events = vec![Input::Key { code: 28, pressed: false }];
        assert_eq!(parse("blinkctl --json input key 28 up"), Ok(Command::Input { events }));
        let events = vec![Input::Wheel { steps: -2 }];
        assert_eq!(parse("blinkctl input wheel -2"), Ok(Command::Input { events }));
        let vm = parse("blinkctl vm add work --group libvirt-qemu --mode 660 --renderer-memory 2G");
        let Ok(Command::Vm(VmCommand::Add { group, mode, renderer_memory, .. })) = vm else {
            panic!("{vm:?}")
        };
        assert_eq!(group.map(String::from).as_deref(), Some("libvirt-qemu"));
        assert_eq!(
            (mode.map(SocketMode::bits), renderer_memory.map(RendererMemory::bytes)),
            (Some(0o660), Some(2 << 30))
        );
        assert!(parse("blinkctl vm add work --mode 666").is_err());
        assert!(parse("blinkctl frobnicate").is_err());
        assert!(parse("blinkctl move 1.0 1 2").is_err());
    }

    /// Whatever the server says, something is printed.
    #[test]
    fn tables_of_strange_answers() {
        let print = |value: Value| {
            let mut out = Vec::new();
            write_list(&mut out, &value).unwrap();
            write_stats(&mut out, &value).unwrap();
            String::from_utf8(out).unwrap()
        };
        for value in [json!(null), json!([1, {"windows": 3}]), json!({"clients": [{"redraw_us": 5}, "x"]})] {
            assert!(print(value).contains("frames"));
        }
        let list = json!([{"client": 1, "name": "a\u{1b}[0m", "windows": [
            {"id": "1.0.2", "procedures": [{"oid": 4, "error": "V07"}], "error": "late"}]}]);
        let text = print(list);
        assert!(text.contains("a?[0m") && text.contains(": V07") && text.contains("error: late"), "{text}");
    }

    #[test]
    fn what_is_wrong_with_a_renderer_is_told() {
        let list = json!([{"client": 1, "name": "work", "class": 3, "state": "failed: crashed", "windows": [
            {"id": "1.0.2", "visible": true, "note": "failed: \u{1b}crashed"}]}]);
        let mut out = Vec::new();
        write_list(&mut out, &list).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("renderer of class 3: failed: crashed\n"), "{text}");
        assert!(text.contains("  failed: ?crashed\n"), "{text}");
        let stats = json!({"glass_pid": 5, "glass_cpu_ms": 7, "template_pid": null, "renderers": [
            {"class": 3, "names": ["work"], "pid": null, "starts": 6, "nice": 0, "state": "failed: crashed",
             "last_end": "crashed"},
            {"class": 4, "names": ["a", "b"], "pid": 9, "cpu_ms": 1, "context_switches": 2, "memory_bytes": 3 << 20,
             "starts": 1, "nice": 19, "state": "running", "last_end": null, "error": "it did not answer"}]});
        let mut out = Vec::new();
        write_stats(&mut out, &stats).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "glass: process 5, 7 ms,  context switches",
            "renderer of class 3 (work): no process, failed: crashed; started 6 times, the last one before: crashed",
            "renderer of class 4 (a, b): process 9, 1 ms, 2 context switches, 3 MiB, slow: nice 19; error: it did not answer",
        ] {
            assert!(text.lines().any(|found| found == line), "{text}");
        }
        assert!(!text.contains("template"), "{text}");
    }

    #[test]
    fn an_error_is_said_once_and_a_note_is_none() {
        let procedures = json!([
            {"oid": 1, "callback": "redraw", "version": 2, "running_version": 0, "tier": null, "instructions": null,
             "error": "V07 at op 3"},
            {"oid": 2, "callback": "init", "version": 6, "running_version": 4, "tier": "native", "instructions": 9,
             "error": "V08 at op 1"},
            {"oid": 3, "callback": "input", "version": 2, "running_version": 2, "tier": "interpreter",
             "instructions": 5, "error": null}]);
        let list = json!([{"client": 1, "windows": [{"id": "1.0.9", "procedures": procedures, "error": null}],
            "errors": ["procedure 0.1 (redraw): V07 at op 3", "procedure 0.2 (init): V08 at op 1", "texture 0.5: bad"],
            "notes": ["window 1.0.9: slow"]}]);
        let mut out = Vec::new();
        write_list(&mut out, &list).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().skip(2).map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "redraw (object 1): never accepted; error in version 2: V07 at op 3",
                "init (object 2): version 4, native, 9 instructions; error in version 6: V08 at op 1",
                "input (object 3): version 2, interpreter, 5 instructions",
                "error: texture 0.5: bad",
                "note: window 1.0.9: slow",
            ]
        );
    }
}
