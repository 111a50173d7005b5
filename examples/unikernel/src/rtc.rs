//! The real-time clock of every PC.

use crate::ports;

/// Ports of the clock's memory: the number of a byte, and the byte.
const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;
/// Numbers of the clock's bytes.
const SECONDS: u8 = 0;
const MINUTES: u8 = 2;
const HOURS: u8 = 4;
const STATUS_A: u8 = 10;
const STATUS_B: u8 = 11;
/// In `STATUS_A`: the time is being changed.
const CHANGING: u8 = 0x80;
/// In `STATUS_B`: hours are from 0 to 23, numbers are binary.
const HOURS_24: u8 = 0x02;
const BINARY: u8 = 0x04;
/// In the hours, where they are from 1 to 12.
const AFTERNOON: u8 = 0x80;
/// Readings until two are the same. The clock changes once a second.
const TRIES: usize = 100;

fn read(number: u8) -> u8 {
    // SAFETY: the clock's memory is no memory of the machine; reading these bytes changes nothing.
    unsafe {
        ports::write_u8(INDEX, number);
        ports::read_u8(DATA)
    }
}

/// Seconds since midnight by the machine's clock, which counts whole ones. (QEMU gives a machine the time of
/// Greenwich, or the host's with `-rtc base=localtime`.)
pub fn since_midnight() -> f64 {
    let mut last = None;
    for _ in 0..TRIES {
        let now = [SECONDS, MINUTES, HOURS].map(read);
        if read(STATUS_A) & CHANGING == 0 && last == Some(now) {
            return seconds(now, read(STATUS_B));
        }
        last = Some(now);
    }
    0.0
}

fn seconds([second, minute, hour]: [u8; 3], status: u8) -> f64 {
    let number = |value: u8| {
        if status & BINARY != 0 { value } else { (value >> 4).wrapping_mul(10).wrapping_add(value & 0x0f) }
    };
    let hours = if status & HOURS_24 != 0 {
        number(hour)
    } else {
        number(hour & !AFTERNOON) % 12 + if hour & AFTERNOON != 0 { 12 } else { 0 }
    };
    (f64::from(hours) * 60.0 + f64::from(number(minute))) * 60.0 + f64::from(number(second))
}
