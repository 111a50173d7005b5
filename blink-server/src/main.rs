//! `blink-server`: the keeper, and, started by it, the broker, and, started by that, the glass, the template and renderers.

use blink_server::broker;
use blink_server::budget::Budget;
use blink_server::glass;
use blink_server::ipc::template::Share;
use blink_server::keeper;
use blink_server::options::{Mode, OutputOption};
use blink_server::renderer;
use clap::{Args, Parser, Subcommand};
use log::LevelFilter;
use rustix::net::SocketType;
use rustix::process::Signal;
use std::env;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

/// Lets many untrusted clients draw on one display.
#[derive(Debug, Parser)]
#[command(name = "blink-server", version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    process: Option<Process>,
    #[command(flatten)]
    options: Options,
}

/// What a server is told.
#[derive(Debug, Args)]
struct Options {
    /// Path of the socket for clients; PATH.control is the one for blinkctl [default: BLINK_DISPLAY, else blink-0 in
    /// XDG_RUNTIME_DIR, else /tmp/blink-UID/blink-0]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// A file that says what clients may and which virtual machines there are (TOML). Where it gives a budget too, the
    /// smaller one holds.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    budget: Budget,
    /// Say more in the log; twice: still more.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Process {
    /// The broker: started by the keeper, with a socket to it as its standard input.
    #[command(hide = true)]
    Broker {
        #[command(flatten)]
        options: Options,
    },
    /// The glass: started by the broker, with a socket to it as its standard input.
    #[command(hide = true)]
    Glass {
        #[command(flatten)]
        output: Output,
        #[arg(short, long, action = clap::ArgAction::Count)]
        verbose: u8,
    },
    /// The template that renderers are copies of: started by the broker, with a socket to it as its standard input.
    #[command(hide = true)]
    Template {
        #[arg(short, long, action = clap::ArgAction::Count)]
        verbose: u8,
    },
    /// A renderer that is no copy: started by the broker, with a socket to it as its standard input.
    #[command(hide = true)]
    Renderer {
        /// Bytes of private memory that it may have.
        #[arg(long, value_name = "BYTES")]
        memory: u64,
        #[arg(short, long, action = clap::ArgAction::Count)]
        verbose: u8,
    },
}

/// Where the picture goes.
#[derive(Debug, Args)]
struct Output {
    /// Into memory, for screenshots; without a desktop the default, 1024x768@60.
    #[arg(long, value_name = "WIDTHxHEIGHT@HZ", conflicts_with = "window")]
    headless: Option<Mode>,
    /// Into a window on the desktop; the default where there is one.
    #[arg(long)]
    window: bool,
    /// Size of the window.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1024x768", conflicts_with = "headless")]
    size: Mode,
}

impl Output {
    fn has_desktop() -> bool {
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|v| env::var_os(v).is_some_and(|d| !d.is_empty()))
    }

    fn option(&self) -> OutputOption {
        match self.headless {
            Some(Mode { width, height, hz }) => OutputOption::Headless { width, height, hz },
            None if self.window || Output::has_desktop() => {
                OutputOption::Window { width: self.size.width, height: self.size.height }
            }
            None => OutputOption::Headless { width: 1024, height: 768, hz: 60 },
        }
    }
}

fn main() -> ExitCode {
    let CommandLine { process, options } = CommandLine::parse();
    match process {
        Some(Process::Glass { output, verbose }) => {
            start_log(verbose);
            child("glass", "broker", |broker| glass::main(broker, output.option()))
        }
        Some(Process::Template { verbose }) => {
            start_log(verbose);
            child("template", "broker", renderer::template)
        }
        Some(Process::Renderer { memory, verbose }) => {
            start_log(verbose);
            child("renderer", "broker", |broker| renderer::main(broker, Share { memory }))
        }
        Some(Process::Broker { options }) => {
            start_log(options.verbose);
            child("broker", "keeper", |keeper| start_broker(options, keeper))
        }
        // Otherwise the glass would find out, time after time.
        None if options.output.window && !Output::has_desktop() => {
            eprintln!(
                "blink-server: --window needs a desktop, and neither DISPLAY nor WAYLAND_DISPLAY is set; \
                 --headless 1024x768@60 needs none"
            );
            ExitCode::FAILURE
        }
        None => {
            start_log(options.verbose);
            if let Err(error) = os::descriptors::inherit_none() {
                log::warn!(
                    "descriptors that were open before are open in all processes of the server: {error}"
                );
            }
            let arguments: Vec<_> = env::args_os().skip(1).collect();
            keeper::main(&arguments).unwrap_or_else(|error| fail(&error))
        }
    }
}

fn start_broker(options: Options, keeper: OwnedFd) -> ExitCode {
    let Options { socket, policy, output, budget, verbose } = options;
    let socket = socket.unwrap_or_else(blink_client::display_path);
    let output = output.option();
    match broker::main(broker::Options { socket, output, policy, limit: budget, verbose }, keeper) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("blink-server: {error}");
    ExitCode::FAILURE
}

/// Warnings and errors, or what `-v` or `RUST_LOG` say.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        _ => LevelFilter::Debug,
    };
    // Cranelift prints each function that it compiles at `Info`: a client's whole program.
    env_logger::Builder::new()
        .filter_level(level)
        .filter_module("cranelift", LevelFilter::Warn)
        .parse_default_env()
        .init();
}

/// The descriptor that is standard input, which is nothing from then on: a copy of this process must not have the socket of
/// the process that it is a copy of.
fn take_stdin(stdin: BorrowedFd<'_>) -> std::io::Result<OwnedFd> {
    let socket = stdin.try_clone_to_owned()?;
    let nothing = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(nothing)?;
    Ok(socket)
}

/// Runs a process that another one starts, with a socket to that as its standard input.
fn child(name: &str, parent: &str, run: impl FnOnce(OwnedFd) -> ExitCode) -> ExitCode {
    if let Err(error) = os::descriptors::close_inherited() {
        log::warn!("descriptors that were open before the {name} stay open in it: {error}");
    }
    // Without its parent it is of no use, and nobody would end it.
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::KILL)) {
        log::error!("the {name} would outlive the {parent}: {error}");
    }
    let stdin = std::io::stdin();
    let is_parent = rustix::net::sockopt::socket_type(stdin.as_fd()) == Ok(SocketType::SEQPACKET);
    match take_stdin(stdin.as_fd()) {
        Ok(socket) if is_parent => run(socket),
        Ok(_) => {
            eprintln!(
                "blink-server: the {name} is started by the {parent}: run `blink-server` without `{name}`"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("blink-server: the socket to the {parent}: {error}");
            ExitCode::FAILURE
        }
    }
}
