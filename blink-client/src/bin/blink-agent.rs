//! The agent of a virtual machine, see [`blink_client::agent`].

use blink_client::agent::{Agent, Device};
use blink_client::signals::Signals;
use blink_client::transport::ivshmem::Ivshmem;
#[cfg(feature = "xen")]
use blink_client::transport::xen::{self, Xen};
use blink_client::{AGENT_SOCKET, Address, Error};
use rustix::fd::AsFd;
use rustix::fs::Mode;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: blink-agent [--device DEVICE] [--socket PATH] [--mode MODE]

Takes this virtual machine's device, and gives each application that connects a part of it, so that many can be shown.

  --device DEVICE the device's address on the PCI bus, as 0000:00:04.0, or xen: that of this domain of Xen; without it,
                  the first that has an aperture
  --socket PATH   where applications connect: /run/blink-agent, where they look by themselves
  --mode MODE     the socket's permissions, as chmod has them: 600, so that only this user's applications may";

struct Options {
    device: Option<String>,
    socket: PathBuf,
    mode: u32,
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options { device: None, socket: AGENT_SOCKET.into(), mode: 0o600 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--device" => options.device = Some(value()?),
            "--socket" => options.socket = value()?.into(),
            "--mode" => {
                let text = value()?;
                let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o777);
                options.mode = mode.ok_or_else(|| format!("--mode wants three octal digits, not {text}"))?;
            }
            "-h" | "--help" => return Ok(None),
            _ => return Err(format!("what is {argument}?\n{USAGE}")),
        }
    }
    Ok(Some(options))
}

struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("blink-agent: {}", record.args());
    }

    fn flush(&self) {}
}

fn run(options: &Options) -> Result<(), Error> {
    let signals = Signals::new().map_err(|source| Error::System { doing: "waiting for signals", source })?;
    match address(options.device.as_deref()) {
        #[cfg(feature = "xen")]
        Address::Xen => serve(Xen::open(&blink_client::Options::default())?, options, &signals),
        Address::Ivshmem(slot) => serve(Ivshmem::open(slot.as_deref())?, options, &signals),
        // No device is there: the error says so.
        Address::Socket(_) => serve(Ivshmem::open(None)?, options, &signals),
    }
}

/// The device to take.
fn address(device: Option<&str>) -> Address {
    match device {
        #[cfg(feature = "xen")]
        Some(xen::SCHEME) => Address::Xen,
        Some(slot) => Address::Ivshmem(Some(slot.into())),
        None => Address::of_device().unwrap_or(Address::Ivshmem(None)),
    }
}

fn serve(device: impl Device, options: &Options, signals: &Signals) -> Result<(), Error> {
    eprintln!("blink-agent: {}", device.describe());
    let mut agent = Agent::new(device, &options.socket, Mode::from_raw_mode(options.mode))?;
    eprintln!("blink-agent: ready on {}", options.socket.display());
    // Whoever ends it finds nothing shown that nobody looks after.
    agent.serve(signals.as_fd())
}

fn main() -> ExitCode {
    if log::set_logger(&Log).is_ok() {
        log::set_max_level(log::LevelFilter::Info);
    }
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("blink-agent: {error}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blink-agent: {error}");
            ExitCode::FAILURE
        }
    }
}
