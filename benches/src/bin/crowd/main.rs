//! What a crowd of windows costs: gears in many windows, drawn for one isolation class and for one class each, by one or more
//! builds of the server in turns.
//!
//! Counted are all processes of a server: CPU time by the scheduler's own count (`schedstat`), context switches, and the
//! windows' runs of `redraw`. The output's clock is set faster than can be reached, so that nothing waits for it, or to
//! 60 Hz for the time from a tick to the picture.
//!
//! With `--beside`: seven gears in classes of their own, beside three hostile clients of one kind: which frames the gears
//! keep, and when the hostile ones are known as slow.

mod hostile;

use clap::Parser;
use hostile::Kind;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// CPU, context switches and frames of a server that shows many gears.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Folders with `blink-server` and `blinkctl`; several are measured in turns. [default: this program's]
    #[arg(long, value_name = "DIR")]
    server: Vec<PathBuf>,
    /// Windows.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=32))]
    windows: u32,
    /// Width and height of each.
    #[arg(long, value_delimiter = ',', default_values_t = [300, 32])]
    sides: Vec<u32>,
    /// Refresh rates of the output.
    #[arg(long, value_delimiter = ',', default_values_t = [240, 60])]
    hz: Vec<u32>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Times that all is measured.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    /// Measures what seven gears keep beside three hostile clients, of each of these kinds. [without a kind: of all]
    #[arg(long, value_name = "KIND", num_args = 0.., value_delimiter = ',')]
    beside: Option<Vec<Kind>>,
    /// Is a hostile client.
    #[arg(long, value_name = "KIND", hide = true)]
    be: Option<Kind>,
    /// Where its window is.
    #[arg(long, value_name = "PIXELS", hide = true, num_args = 2, default_values_t = [0, 0])]
    at: Vec<i32>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    #[error("{0}")]
    Server(String),
}

/// Classes that the windows are shared out to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Classes {
    One,
    Each,
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
struct Figures {
    /// Microseconds of CPU of all processes for one window's frame.
    cpu_us: f64,
    /// Frames of all windows in a second.
    frames: f64,
    /// Context switches for one window's frame.
    switches: f64,
    /// From a tick to the composed picture, milliseconds.
    composed: Option<[f64; 2]>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(kind) = options.be {
        return match hostile::run(kind, (options.at[0], options.at[1])) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("crowd: hostile client: {error}");
                ExitCode::FAILURE
            }
        };
    }
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crowd: {error}");
            ExitCode::FAILURE
        }
    }
}

fn own_folder() -> Result<PathBuf, Error> {
    let own = std::env::current_exe().map_err(|error| Error::Io("this program".into(), error))?;
    Ok(own.parent().map(Path::to_owned).unwrap_or_default())
}

fn run(options: &Options) -> Result<(), Error> {
    let clients = own_folder()?;
    let servers = if options.server.is_empty() { vec![clients.clone()] } else { options.server.clone() };
    if let Some(kinds) = &options.beside {
        return beside(&servers, &clients, options, if kinds.is_empty() { &Kind::ALL } else { kinds });
    }
    let mut rows = Vec::new();
    for &hz in &options.hz {
        for &side in &options.sides {
            for classes in [Classes::One, Classes::Each] {
                let mut measured: Vec<Vec<Figures>> = vec![Vec::new(); servers.len()];
                for _ in 0..options.rounds {
                    for (server, figures) in servers.iter().zip(&mut measured) {
                        figures.push(measure(server, &clients, options, (hz, side, classes))?);
                    }
                }
                for (server, figures) in servers.iter().zip(&measured) {
                    rows.push(row(server, (hz, side, classes), figures));
                    if !options.json {
                        print_row(rows.last().unwrap_or(&Value::Null));
                    }
                }
            }
        }
    }
    if options.json {
        println!("{}", Value::Array(rows));
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn row(server: &Path, (hz, side, classes): (u32, u32, Classes), figures: &[Figures]) -> Value {
    let composed = |i: usize| median(figures.iter().filter_map(|f| f.composed.map(|c| c[i])));
    json!({
        "server": server.display().to_string(),
        "hz": hz,
        "side": side,
        "classes": match classes { Classes::One => "one", Classes::Each => "each" },
        "cpu_us": median(figures.iter().map(|f| f.cpu_us)),
        "frames": median(figures.iter().map(|f| f.frames)),
        "switches": median(figures.iter().map(|f| f.switches)),
        "composed_p50_ms": composed(0),
        "composed_p99_ms": composed(1),
        "all_cpu_us": figures.iter().map(|f| f.cpu_us).collect::<Vec<_>>(),
    })
}

fn print_row(row: &Value) {
    let number = |name: &str| row[name].as_f64().unwrap_or(f64::NAN);
    println!(
        "{:3} Hz {:4} px {:4} class | {:7.1} us/frame | {:7.0} frames/s | {:5.2} switches | tick to picture {:5.1} / {:5.1} ms | {}",
        row["hz"],
        row["side"],
        row["classes"].as_str().unwrap_or_default(),
        number("cpu_us"),
        number("frames"),
        number("switches"),
        number("composed_p50_ms"),
        number("composed_p99_ms"),
        row["server"].as_str().unwrap_or_default(),
    );
}

// ---- Beside hostile clients --------------------------------------------------------------------

const GEARS: usize = 7;
const HOSTILE: usize = 3;
/// Where their windows are: beside and below the gears'.
const PLACES: [(i32, i32); HOSTILE] = [(1000, 370), (10, 700), (340, 700)];

fn beside(servers: &[PathBuf], clients: &Path, options: &Options, kinds: &[Kind]) -> Result<(), Error> {
    let gears = Options { windows: u32::try_from(GEARS).unwrap_or(0), ..options.clone() };
    let mut rows = Vec::new();
    for kind in [None].into_iter().chain(kinds.iter().copied().map(Some)) {
        for server in servers {
            let row = keep(server, clients, &gears, kind)?;
            if !options.json {
                println!(
                    "{:9} | kept {:5.1} %, of the worst {:5.1} % | tick to picture {:5.1} / {:5.1} ms | {} of {HOSTILE} slow, the last after {:.1} s | {}",
                    row["beside"].as_str().unwrap_or("nobody"),
                    row["kept"].as_f64().unwrap_or(f64::NAN),
                    row["worst"].as_f64().unwrap_or(f64::NAN),
                    row["composed_p50_ms"].as_f64().unwrap_or(f64::NAN),
                    row["composed_p99_ms"].as_f64().unwrap_or(f64::NAN),
                    row["slow"],
                    row["slow_after_s"].as_f64().unwrap_or(f64::NAN),
                    row["server"].as_str().unwrap_or_default(),
                );
            }
            rows.push(row);
        }
    }
    if options.json {
        println!("{}", Value::Array(rows));
    }
    Ok(())
}

/// What gears keep beside three of a kind, or alone.
fn keep(server: &Path, clients: &Path, options: &Options, kind: Option<Kind>) -> Result<Value, Error> {
    const HZ: u32 = 60;
    let mut running = start(server, clients, options, (HZ, 300, Classes::Each))?;
    std::thread::sleep(Duration::from_millis(1500));
    let own = std::env::current_exe().map_err(|error| Error::Io("this program".into(), error))?;
    let gears = running.clients_seen();
    if let Some(kind) = kind {
        let name = clap::ValueEnum::to_possible_value(&kind).map(|v| v.get_name().to_owned());
        for (x, y) in PLACES {
            let child = Command::new(&own)
                .env("BLINK_DISPLAY", &running.socket)
                .args(["--be", name.as_deref().unwrap_or_default(), "--at", &x.to_string(), &y.to_string()])
                // What the server says of them is not the measurement.
                .stderr(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .map_err(|error| Error::Io("a hostile client".into(), error))?;
            running.clients.push(child);
        }
        wait("the hostile clients", || running.clients_seen().len() >= gears.len() + HOSTILE)?;
        if kind == Kind::Stopped {
            std::thread::sleep(Duration::from_secs(1));
            running.stop_renderers(&gears);
        }
    }
    // Who is known as slow, and since when; then the gears' frames.
    let began = Instant::now();
    let mut known: Vec<(u64, f64)> = Vec::new();
    let before = loop {
        let stats = running.blinkctl(&["stats"]).unwrap_or_default();
        for class in stats["glass"]["classes"].as_array().into_iter().flatten() {
            let Some(number) = class["class"].as_u64().filter(|_| class["note"] == "slow") else { continue };
            if !known.iter().any(|(of, _)| *of == number) {
                known.push((number, began.elapsed().as_secs_f64()));
            }
        }
        if began.elapsed() > Duration::from_secs(2) {
            break stats;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let began = Instant::now();
    std::thread::sleep(Duration::from_secs_f64(options.seconds));
    let (after, took) = (running.blinkctl(&["stats"]).unwrap_or_default(), began.elapsed().as_secs_f64());
    let redraws = |stats: &Value, client: u64| {
        let clients = stats["clients"].as_array().cloned().unwrap_or_default();
        clients.iter().find(|c| c["client"] == client).and_then(|c| c["redraws"].as_u64()).unwrap_or(0)
    };
    #[allow(clippy::cast_precision_loss, reason = "counts of seconds")]
    let kept: Vec<f64> = gears
        .iter()
        .map(|&client| redraws(&after, client).saturating_sub(redraws(&before, client)) as f64)
        .map(|frames| 100.0 * frames / (took * f64::from(HZ)))
        .collect();
    let slow: Vec<f64> = known.iter().filter(|(class, _)| !gears.contains(class)).map(|(_, s)| *s).collect();
    let composed = &after["glass"]["composed_ms"];
    Ok(json!({
        "server": server.display().to_string(),
        "beside": kind.map(|kind| format!("{kind:?}").to_lowercase()),
        "kept": kept.iter().sum::<f64>() / f64::from(u32::try_from(kept.len()).unwrap_or(1)),
        "worst": kept.iter().copied().fold(f64::INFINITY, f64::min),
        "composed_p50_ms": composed["median"],
        "composed_p99_ms": composed["p99"],
        "slow": slow.len(),
        "slow_after_s": slow.iter().copied().reduce(f64::max),
        "gears_slow": known.len() - slow.len(),
    }))
}

/// A server, its clients and its folder: all go when this does.
struct Running {
    server: Child,
    clients: Vec<Child>,
    folder: PathBuf,
    socket: PathBuf,
    bin: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        for child in self.clients.iter_mut() {
            let _gone = child.kill();
            let _status = child.wait();
        }
        let pid = i32::try_from(self.server.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _told = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _status = self.server.wait();
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    fn blinkctl(&self, arguments: &[&str]) -> Option<Value> {
        let output = Command::new(self.bin.join("blinkctl"))
            .arg("--json")
            .arg("--socket")
            .arg(&self.socket)
            .args(arguments)
            .output()
            .ok()?;
        serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success())
    }

    /// Clients' numbers, which are their classes' where each has one of its own.
    fn clients_seen(&self) -> Vec<u64> {
        let stats = self.blinkctl(&["stats"]).unwrap_or_default();
        let clients = stats["clients"].as_array().cloned().unwrap_or_default();
        clients.iter().filter_map(|client| client["client"].as_u64()).collect()
    }

    /// Stops the renderers of all classes but these. They are killed with the server.
    fn stop_renderers(&self, others: &[u64]) {
        let stats = self.blinkctl(&["stats"]).unwrap_or_default();
        for renderer in stats["renderers"].as_array().into_iter().flatten() {
            let class = renderer["class"].as_u64().unwrap_or(0);
            let pid = renderer["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
            let pid = pid.and_then(rustix::process::Pid::from_raw).filter(|_| !others.contains(&class));
            if let Some(pid) = pid {
                let _told = rustix::process::kill_process(pid, rustix::process::Signal::STOP);
            }
        }
    }

    fn redraws(&self) -> u64 {
        let list = self.blinkctl(&["stats"]).unwrap_or_default();
        let clients = list["clients"].as_array().cloned().unwrap_or_default();
        clients.iter().filter_map(|client| client["redraws"].as_u64()).sum()
    }
}

fn start(
    bin: &Path,
    clients: &Path,
    options: &Options,
    (hz, side, classes): (u32, u32, Classes),
) -> Result<Running, Error> {
    let io = |what: &str| {
        let what = what.to_owned();
        move |error| Error::Io(what, error)
    };
    let folder = std::env::temp_dir().join(format!("blink-crowd-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(io("a folder for the server"))?;
    let socket = folder.join("s");
    let mut command = Command::new(bin.join("blink-server"));
    command.arg("--socket").arg(&socket).arg("--headless").arg(format!("1600x1000@{hz}"));
    if classes == Classes::Each {
        let policy = folder.join("policy.toml");
        fs::write(&policy, "isolation = \"client\"\n").map_err(io("a policy file"))?;
        // A build from before there were classes draws all in one anyway.
        if has_classes(bin) {
            command.arg("--policy").arg(policy);
        }
    }
    let server = command.stdout(Stdio::null()).spawn().map_err(io("blink-server"))?;
    let mut running = Running { server, clients: Vec::new(), folder, socket, bin: bin.to_owned() };
    wait("the server", || running.blinkctl(&["list"]).is_some())?;
    let step = side + 30;
    let columns = (1600 / step).max(1);
    for i in 0..options.windows {
        let (x, y) = (10 + i % columns * step, 40 + i / columns * step);
        let child = Command::new(clients.join("gears"))
            .env("BLINK_DISPLAY", &running.socket)
            .args(["--size", &format!("{side}x{side}"), "--at", &format!("{x},{y}")])
            .stdout(Stdio::null())
            .spawn()
            .map_err(io("gears"))?;
        running.clients.push(child);
    }
    let windows = usize::try_from(options.windows).unwrap_or(usize::MAX);
    wait("all windows' first frames", || {
        let stats = running.blinkctl(&["stats"]).unwrap_or_default();
        let clients = stats["clients"].as_array().cloned().unwrap_or_default();
        clients.iter().filter(|c| c["redraws"].as_u64().is_some_and(|n| n > 30)).count() == windows
    })?;
    Ok(running)
}

/// Does this build of the server know isolation classes?
fn has_classes(bin: &Path) -> bool {
    let help = Command::new(bin.join("blink-server")).args(["glass", "--help"]).output();
    help.is_ok_and(|output| output.status.success())
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), Error> {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        if Instant::now() > end {
            return Err(Error::Server(format!("{what} did not come within 60 seconds")));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn measure(
    bin: &Path,
    clients: &Path,
    options: &Options,
    how: (u32, u32, Classes),
) -> Result<Figures, Error> {
    let running = start(bin, clients, options, how)?;
    // Native code, shaders and caches are there after a moment.
    std::thread::sleep(Duration::from_millis(1500));
    let (before, began) = ((running.redraws(), used(running.server.id())), Instant::now());
    std::thread::sleep(Duration::from_secs_f64(options.seconds));
    let (after, took) = ((running.redraws(), used(running.server.id())), began.elapsed().as_secs_f64());
    #[allow(clippy::cast_precision_loss, reason = "counts of seconds")]
    let [frames, cpu, switches] = [
        after.0.saturating_sub(before.0) as f64,
        after.1.0.saturating_sub(before.1.0) as f64,
        after.1.1.saturating_sub(before.1.1) as f64,
    ];
    let stats = running.blinkctl(&["stats"]).unwrap_or_default();
    let composed = &stats["glass"]["composed_ms"];
    let composed = composed["median"].as_f64().zip(composed["p99"].as_f64()).map(|(a, b)| [a, b]);
    if frames == 0.0 {
        return Err(Error::Server("no frame was drawn".into()));
    }
    Ok(Figures {
        cpu_us: cpu / 1000.0 / frames,
        frames: frames / took,
        switches: switches / frames,
        composed,
    })
}

/// Nanoseconds of CPU and context switches of a process and all below it.
fn used(root: u32) -> (u64, u64) {
    let mut all = BTreeSet::from([root]);
    let parents: Vec<(u32, u32)> = processes();
    loop {
        let before = all.len();
        all.extend(
            parents
                .iter()
                .filter(|(_, parent)| all.contains(parent))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if all.len() == before {
            break;
        }
    }
    let mut sum = (0, 0);
    for pid in all {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.flatten() {
            let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let cpu = read("schedstat");
            sum.0 += cpu.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            let status = read("status");
            let counts = status.lines().filter_map(|line| {
                let (key, value) = line.split_once(':')?;
                let is_count = key == "voluntary_ctxt_switches" || key == "nonvoluntary_ctxt_switches";
                value.trim().parse::<u64>().ok().filter(|_| is_count)
            });
            sum.1 += counts.sum::<u64>();
        }
    }
    sum
}

/// All processes with their parents.
fn processes() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        Some((pid, rest.split_whitespace().nth(1)?.parse().ok()?))
    })
    .collect()
}
