//! The first serial port, for people: what went wrong, or that nothing did.

use crate::ports;
use core::fmt::{self, Write};

/// The first serial port's registers.
const COM1: u16 = 0x3f8;
/// Offset of the line status, and the bit that says that a byte can be sent.
const STATUS: u16 = 5;
const READY: u8 = 0x20;
/// Looks at the status before a byte is sent anyhow: the port may be one that nobody reads.
const TRIES: usize = 10_000;

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            for _ in 0..TRIES {
                // SAFETY: the serial port's status; reading it touches no memory.
                if unsafe { ports::read_u8(COM1 + STATUS) } & READY != 0 {
                    break;
                }
            }
            // SAFETY: the serial port sends the byte and does no more.
            unsafe { ports::write_u8(COM1, byte) };
        }
        Ok(())
    }
}

/// Writes a line.
pub fn line(text: fmt::Arguments<'_>) {
    // It never fails.
    let _written = writeln!(Console, "blink: {text}\r");
}
