//! A Blink client without an operating system.
//!
//! A machine starts this program instead of a kernel. It finds its share of a display by the ids of a PCI device,
//! publishes a window with gears and one with a clock, and halts its processor for ever: what moves in the windows
//! is their procedures' work, which the display server runs.
//!
//! The rules of this world:
//!
//! - One processor, no interrupts, no exceptions handled, one thread; memory is where it is (all addresses are
//!   physical ones, but those of the [aperture](mmu)).
//! - Memory is given out and never taken back: a program that ends with its beginning needs no more.
//! - `unsafe` is what touches the machine: ports, registers of the device, page tables, the heap, and what the loader
//!   left in memory.
#![no_std]
#![no_main]
extern crate alloc;

mod boot;
mod console;
mod heap;
mod intrinsics;
mod ivshmem;
mod mmu;
mod pci;
mod places;
mod ports;
mod rtc;
mod start_info;

use alloc::sync::Arc;
use blink_client::Connection;
use blinkgl::RecordError;
use core::mem::ManuallyDrop;
use core::panic::PanicInfo;
use ivshmem::Ivshmem;
use pictures::clock::{self, Time};
use pictures::gears::{self, Angle};
use places::Window;
use start_info::StartInfo;

/// Why no window is shown.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Start(#[from] start_info::Unusable),
    #[error("{0}")]
    Device(#[from] ivshmem::NoDevice),
    #[error("{0}")]
    Client(#[from] blink_client::Error),
    #[error("{0}")]
    CommandLine(#[from] places::Meaningless),
    #[error("the pictures can't be recorded: {0:?}")]
    Record(#[from] RecordError),
}

/// Where `boot` arrives in 64-bit mode; `start_info` is the address of what the loader says.
#[unsafe(no_mangle)]
extern "C" fn main(start_info: usize) -> ! {
    match run(start_info) {
        Ok(client) => {
            console::line(format_args!("client {client} of the display: gears and clock are published"))
        }
        Err(failure) => console::line(format_args!("{failure}")),
    }
    ports::halt()
}

fn run(start_info: usize) -> Result<u32, Failure> {
    let info = StartInfo::at(start_info)?;
    let (free, end, command_line) = (info.free_memory()?, info.memory_end(), info.command_line());
    heap::give(free);
    let device = Arc::new(Ivshmem::find(end)?);
    let mut connection = Connection::over(device)?;
    // A context that is dropped takes its windows from the screen.
    let mut context = ManuallyDrop::new(connection.context()?);
    let mut commit = context.commit();
    for (window, desc) in places::windows(&command_line)? {
        let picture = match window {
            Window::Gears => gears::picture(Angle::Time)?,
            Window::Clock => clock::picture(Time::Now(rtc::since_midnight()))?,
        };
        picture.publish(&mut commit, desc)?;
    }
    commit.finish()?;
    Ok(connection.client())
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    console::line(format_args!("{info}"));
    ports::halt()
}
