//! A clock. Its needles are a function of the time, computed where they are drawn: it is right while its client is
//! stopped.

use crate::{Picture, view};
use alloc::vec;
use blinkgl::gl::{ClearMask, Predicate, Primitive};
use blinkgl::limits::REGISTERS;
use blinkgl::record::{ListId, Normals, Quadric};
use blinkgl::{Callback, RecordError, Recorder, Reg, WireProgram};
use core::f32::consts::TAU;
use libm::{fmod, sincosf};

/// Number of the register with the seconds since noon or midnight at the moment when the server's clock was 0.
pub const PHASE: u32 = 0;
/// Number of the register with the seconds since noon or midnight at the moment when `init` runs, of a client that
/// does not know the server's clock: `init` then computes [`PHASE`], and sets this to 0, which says that there is
/// nothing to compute. So the clock is right when a renderer that starts again runs `init` again.
pub const START: u32 = 1;

/// Seconds in which the hour's needle goes round.
pub const HALF_DAY: f32 = 43_200.0;

const FACE: ListId = ListId::new(1);

/// What the clock's client knows of the time. Both have the seconds since midnight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Time {
    /// At a moment of the server's clock, in nanoseconds.
    Server(f64, u64),
    /// About now; the server's clock is not known.
    Now(f64),
}

impl Time {
    /// The number of the register that says it, and its value.
    #[must_use]
    pub fn register(self) -> (u32, f32) {
        let within = |seconds: f64| {
            let half_day = f64::from(HALF_DAY);
            let rest = fmod(seconds, half_day);
            if rest < 0.0 { rest + half_day } else { rest }
        };
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a double holds the nanoseconds of 100 days, and a needle needs no more than an f32"
        )]
        match self {
            Time::Server(since_midnight, server) => {
                (PHASE, within(since_midnight - server as f64 / 1e9) as f32)
            }
            // Noon is the end of a half day here: 0 has its own meaning.
            Time::Now(since_midnight) => match within(since_midnight) as f32 {
                0.0 => (START, HALF_DAY),
                start => (START, start),
            },
        }
    }
}

/// The window.
///
/// # Errors
/// None: the recorder's, if the procedures are changed.
pub fn picture(time: Time) -> Result<Picture, RecordError> {
    let procedures =
        vec![(Callback::Init, init()?), (Callback::Reshape, reshape()?), (Callback::Redraw, redraw()?)];
    let mut registers = [0.0; REGISTERS];
    let (number, value) = time.register();
    registers[number as usize] = value;
    Ok(Picture { procedures, registers: Some(registers) })
}

/// `init`: the phase, if it is not known yet, and the face as a list.
///
/// # Errors
/// As [`picture`].
pub fn init() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let (phase, start, now) = (p.reg(PHASE), p.reg(START), p.alloc());
    let known = p.label();
    p.jmp_if(Predicate::Eq, start, 0.0, known);
    p.time_mod(now, HALF_DAY);
    p.sub(phase, start, now);
    p.mov(start, 0.0);
    p.bind(known);
    p.clear_color(0.16, 0.18, 0.22, 1.0);
    p.list(FACE, |p| {
        let disk = Quadric { normals: Normals::None, ..Quadric::default() };
        p.color3(0.35, 0.36, 0.4);
        disk.disk(p, 0.0, 0.96, 96, 1);
        p.color3(0.96, 0.95, 0.9);
        disk.disk(p, 0.0, 0.92, 96, 1);
        p.color3(0.1, 0.1, 0.12);
        p.point_size(3.0);
        p.primitive(Primitive::Points, |p| {
            for minute in (0_u8..60).filter(|m| m % 5 != 0) {
                let (sin, cos) = sincosf(f32::from(minute) / 60.0 * TAU);
                p.vertex2(0.84 * sin, 0.84 * cos);
            }
        });
        p.primitive(Primitive::Quads, |p| {
            for hour in 0_u8..12 {
                let (inner, half) = if hour.is_multiple_of(3) { (0.7, 0.02) } else { (0.76, 0.012) };
                let (sin, cos) = sincosf(f32::from(hour) / 12.0 * TAU);
                for [side, radius] in [[-half, inner], [half, inner], [half, 0.86], [-half, 0.86]] {
                    p.vertex2(radius * sin + side * cos, radius * cos - side * sin);
                }
            }
        });
    });
    p.finish()
}

/// `reshape`.
///
/// # Errors
/// As [`picture`].
pub fn reshape() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    view::plane(&mut p);
    p.finish()
}

/// Records: `d` is how far a needle that goes round in `period` seconds has turned, in degrees.
///
/// Each needle has a time of its own: seconds of the day in one `f32` would let the fast needle tremble.
fn turned(p: &mut Recorder, d: Reg, phase: Reg, period: f32) {
    p.time_mod(d, period);
    p.add(d, d, phase);
    // The clockwise turn is the negative one. More than a whole one does no harm.
    p.mul(d, d, -360.0 / period);
}

/// `redraw`: the face and the needles.
///
/// # Errors
/// As [`picture`].
pub fn redraw() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    let phase = p.reg(PHASE);
    let [angle, whole] = [p.alloc(), p.alloc()];
    p.request_frame();
    p.clear(ClearMask::COLOR);
    p.call_list(FACE);
    for (period, length, width) in [(HALF_DAY, 0.5, 0.05), (3600.0, 0.76, 0.035)] {
        turned(&mut p, angle, phase, period);
        p.pushed(|p| {
            p.rotate(angle, 0.0, 0.0, 1.0);
            p.color3(0.12, 0.12, 0.16);
            p.primitive(Primitive::Polygon, |p| {
                p.vertex2(-width, -0.12);
                p.vertex2(width, -0.12);
                p.vertex2(0.4 * width, length);
                p.vertex2(-0.4 * width, length);
            });
        });
    }
    // The phase within the minute, exactly: a multiple of 60 less.
    p.div(whole, phase, 60.0);
    p.floor(whole, whole);
    p.mul(whole, whole, 60.0);
    p.sub(whole, phase, whole);
    turned(&mut p, angle, whole, 60.0);
    p.pushed(|p| {
        p.rotate(angle, 0.0, 0.0, 1.0);
        p.color3(0.85, 0.1, 0.08);
        p.line_width(2.0);
        p.primitive(Primitive::Lines, |p| {
            p.vertex2(0.0, -0.2);
            p.vertex2(0.0, 0.82);
        });
    });
    p.point_size(10.0);
    p.primitive(Primitive::Points, |p| p.vertex2(0.0, 0.0));
    p.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use verifier::verify;

    #[test]
    fn the_needles_are_a_function_of_the_time() {
        for (callback, program) in picture(Time::Now(1.0)).expect("it records").procedures {
            let program = verify(program, callback).expect("the server accepts it");
            let facts = program.facts();
            let draws = callback == Callback::Redraw;
            assert_eq!(facts.uses_time, callback != Callback::Reshape, "{callback}");
            assert_eq!(facts.requests_frame.may(), draws, "{callback}");
            // What the client says is read, and after `init` not written by the server.
            let written = u32::from(callback == Callback::Init) * (1 << PHASE | 1 << START);
            assert_eq!(facts.registers_written & (1 << PHASE | 1 << START), written, "{callback}");
            assert_eq!(facts.body.registers_read & 1 << PHASE, u32::from(draws) << PHASE, "{callback}");
        }
    }

    #[test]
    fn the_registers_are_within_half_a_day() {
        // The server's clock began 100 s after noon.
        let noon = 12.0 * 3600.0;
        let (number, value) = Time::Server(noon + 150.0, 50_000_000_000).register();
        assert!(number == PHASE && (value - 100.0).abs() < 1e-3);
        // And the evening before, while it is early in the morning now.
        let (_, before) = Time::Server(3600.0, 2 * 3600 * 1_000_000_000).register();
        assert!((before - 11.0 * 3600.0).abs() < 1e-2);
        assert_eq!(Time::Now(noon + 5.0).register(), (START, 5.0));
        assert_eq!(Time::Now(noon).register(), (START, HALF_DAY), "0 is no start");
    }
}
