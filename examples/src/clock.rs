//! A clock. Its needles are a function of the time, computed where they are drawn: it is right while its client is
//! stopped.

use crate::show::{self, Procedures};
use blinkgl::gl::{ClearMask, Primitive};
use blinkgl::record::{ListId, Normals, Quadric};
use blinkgl::{Callback, RecordError, Recorder, Reg, WireProgram};
use std::f32::consts::TAU;

/// Number of the register with the seconds since noon or midnight at the moment when the server's clock was 0.
pub const PHASE: u32 = 0;

/// Seconds in which the hour's needle goes round.
pub const HALF_DAY: f32 = 43_200.0;

const FACE: ListId = ListId::new(1);

/// What [`PHASE`] must be: `since_midnight` in seconds and `server` in nanoseconds are of one moment.
#[must_use]
pub fn phase(since_midnight: f64, server: u64) -> f32 {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a double holds the nanoseconds of 100 days, and a needle needs no more than an f32"
    )]
    let phase = (since_midnight - server as f64 / 1e9).rem_euclid(f64::from(HALF_DAY)) as f32;
    phase
}

/// The window's procedures.
///
/// # Errors
/// None: the recorder's, if they are changed.
pub fn procedures() -> Result<Procedures, RecordError> {
    Ok(vec![(Callback::Init, init()?), (Callback::Reshape, reshape()?), (Callback::Redraw, redraw()?)])
}

/// `init`: the face as a list.
///
/// # Errors
/// As [`procedures`].
pub fn init() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
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
                let (sin, cos) = (f32::from(minute) / 60.0 * TAU).sin_cos();
                p.vertex2(0.84 * sin, 0.84 * cos);
            }
        });
        p.primitive(Primitive::Quads, |p| {
            for hour in 0_u8..12 {
                let (inner, half) = if hour.is_multiple_of(3) { (0.7, 0.02) } else { (0.76, 0.012) };
                let (sin, cos) = (f32::from(hour) / 12.0 * TAU).sin_cos();
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
/// As [`procedures`].
pub fn reshape() -> Result<WireProgram, RecordError> {
    let mut p = Recorder::new();
    show::plane(&mut p);
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
/// As [`procedures`].
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
        for (callback, program) in procedures().expect("they record") {
            let program = verify(program, callback).expect("the server accepts it");
            let facts = program.facts();
            let draws = callback == Callback::Redraw;
            assert_eq!(facts.uses_time, draws, "{callback}");
            assert_eq!(facts.requests_frame.may(), draws, "{callback}");
            // The client's register is read, and not written by the server.
            assert_eq!(facts.registers_written & 1 << PHASE, 0, "{callback}");
            assert_eq!(facts.body.registers_read & 1 << PHASE, u32::from(draws) << PHASE, "{callback}");
        }
    }

    #[test]
    fn the_phase_is_within_half_a_day() {
        // The server's clock began 100 s after noon.
        let noon = 12.0 * 3600.0;
        assert!((phase(noon + 150.0, 50_000_000_000) - 100.0).abs() < 1e-3);
        // And the evening before, while it is early in the morning now.
        let before = phase(3600.0, 2 * 3600 * 1_000_000_000);
        assert!((before - 11.0 * 3600.0).abs() < 1e-2);
    }
}
