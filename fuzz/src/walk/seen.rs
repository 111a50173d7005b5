//! What one body did on one path, and what that says of its facts.

use crate::{Mismatch, ensure};
use blinkgl::ops::{Class, DrawOp, OpInfo};
use fastrand::Rng;
use verifier::{BodyFacts, ClearFact, Cost, Occurs, Uses};

const SCISSOR_TEST: u32 = 0x0c11;
const COLOR: u32 = 0x4000;
const DEPTH: u32 = 0x100;
const STENCIL: u32 = 0x400;

/// What confines a clear, as it is and not as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confines {
    pub(super) scissor_test: bool,
    /// The scissor rectangle is smaller than the window.
    pub(super) rectangle: bool,
    pub(super) color: bool,
    pub(super) depth: bool,
    pub(super) stencil: bool,
}

impl Confines {
    pub(super) fn random(rng: &mut Rng) -> Confines {
        let bits = rng.u8(..);
        let bit = |n: u8| bits >> n & 1 != 0;
        Confines { scissor_test: bit(0), rectangle: bit(1), color: bit(2), depth: bit(3), stencil: bit(4) }
    }

    fn scissor(self) -> bool {
        self.scissor_test && self.rectangle
    }

    /// What `pop_attrib` makes of the state.
    pub(super) fn restore(&mut self, groups: u32, saved: Confines) {
        if groups & (0x2000 | 0x80000) != 0 {
            self.scissor_test = saved.scissor_test;
        }
        if groups & 0x80000 != 0 {
            self.rectangle = saved.rectangle;
        }
        if groups & 0x4000 != 0 {
            self.color = saved.color;
        }
        if groups & 0x100 != 0 {
            self.depth = saved.depth;
        }
        if groups & 0x400 != 0 {
            self.stencil = saved.stencil;
        }
    }
}

/// What `push_attrib` saves of what is followed here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    pub(super) groups: u32,
    pub(super) mode: usize,
    pub(super) unit: usize,
    pub(super) confines: Confines,
}

/// A clear that happened.
#[derive(Clone, Copy, Debug)]
struct Cleared {
    offset: u32,
    buffers: u32,
    confines: Confines,
}

/// What one body did on one path.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) cost: Cost,
    pub(super) written: u32,
    pub(super) read: u32,
    pub(super) draws: bool,
    /// Buffers cleared.
    pub(super) cleared: u32,
    pub(super) uses: Uses,
    /// Buffers whose first clear was before any drawing.
    pub(super) opened: u32,
    pub(super) textures: Vec<u32>,
    pub(super) buffers: Vec<u32>,
    pub(super) calls: Vec<u32>,
    pub(super) depth: [usize; 4],
    pub(super) peak: [usize; 4],
    pub(super) mode: usize,
    pub(super) unit: usize,
    pub(super) saved: Vec<Saved>,
    pub(super) entry: Confines,
    pub(super) confines: Confines,
    clears: Vec<Cleared>,
}

impl Seen {
    pub(super) fn new(entry: Confines) -> Seen {
        Seen {
            cost: Cost::default(),
            written: 0,
            read: 0,
            draws: false,
            cleared: 0,
            uses: Uses::default(),
            opened: 0,
            textures: Vec::new(),
            buffers: Vec::new(),
            calls: Vec::new(),
            depth: [1; 4],
            peak: [1; 4],
            mode: 0,
            unit: 0,
            saved: Vec::new(),
            entry,
            confines: entry,
            clears: Vec::new(),
        }
    }

    /// The matrix stack that is selected.
    pub(super) fn stack(&self) -> usize {
        if self.mode == 2 { 2 + self.unit } else { self.mode }
    }

    /// What is said of an opening clear holds for the clear.
    fn opens(
        &self,
        fact: Option<ClearFact>,
        buffer: u32,
        mask: fn(Confines) -> bool,
    ) -> Result<(), Mismatch> {
        let Some(fact) = fact else { return Ok(()) };
        ensure!(
            self.opened & buffer != 0,
            "facts",
            "{fact:?}, but {buffer:#x} is drawn to before, or not cleared"
        );
        let first = self.clears.iter().find(|clear| clear.buffers & buffer != 0);
        let Some(at) = first.filter(|clear| clear.offset == fact.offset) else {
            return Err(Mismatch::new("facts", format!("{fact:?}, but the first clear is {first:?}")));
        };
        if fact.covers_window(!self.entry.scissor(), !mask(self.entry)) {
            let confined = at.confines.scissor() || mask(at.confines);
            ensure!(
                !confined,
                "facts",
                "{fact:?} covers the window, but it is {at:?}, at entry {:?}",
                self.entry
            );
        }
        Ok(())
    }

    pub(super) fn clear(&mut self, offset: usize, buffers: u32) {
        if !self.draws {
            self.opened |= buffers & !self.cleared;
        }
        self.cleared |= buffers;
        self.clears.push(Cleared { offset: offset as u32, buffers, confines: self.confines });
    }

    pub(super) fn capability(&mut self, capability: u32, on: bool) {
        let uses = &mut self.uses;
        match capability {
            SCISSOR_TEST => {
                uses.scissor = true;
                self.confines.scissor_test = on;
            }
            0x0b71 => uses.depth_test |= on,
            0x0b90 => uses.stencil_test |= on,
            0x0be2 => uses.blending |= on,
            0x0b50 => uses.lighting |= on,
            0x0de1 => uses.texturing |= on,
            _ => {}
        }
    }

    /// Holds what was seen against the facts. `exact`: there is no other path.
    pub(super) fn agrees(&self, facts: &BodyFacts, exact: bool) -> Result<(), Mismatch> {
        ensure!(within(self.cost, facts.worst), "cost", "{:?} exceeds {:?}", self.cost, facts.worst);
        let bound = facts.worst.upload_bytes();
        ensure!(
            bound >= u64::from(self.cost.vertices) * 80,
            "cost",
            "{} vertices in {bound} bytes",
            self.cost.vertices
        );
        ensure!(
            self.read & !facts.registers_read == 0,
            "facts",
            "reads {:#x}, which is not live at entry",
            self.read
        );
        happened("draws", self.draws, facts.draws)?;
        happened("clears color", self.cleared & COLOR != 0, facts.clears_color)?;
        happened("clears depth", self.cleared & DEPTH != 0, facts.clears_depth)?;
        happened("clears stencil", self.cleared & STENCIL != 0, facts.clears_stencil)?;
        self.opens(facts.opening_color_clear, COLOR, |c| c.color)?;
        self.opens(facts.opening_depth_clear, DEPTH, |c| c.depth)?;
        self.opens(facts.opening_stencil_clear, STENCIL, |c| c.stencil)?;
        ensure!(
            facts.uses == facts.uses.union(self.uses),
            "facts",
            "{:?} is not in {:?}",
            self.uses,
            facts.uses
        );
        named("textures", &self.textures, &facts.textures, exact)?;
        named("buffers", &self.buffers, &facts.buffers, exact)?;
        named("lists", &self.calls, &facts.calls, exact)?;
        ensure!(self.depth == [1; 4] && self.saved.is_empty(), "facts", "unbalanced: {:?}", self.depth);
        for (peak, rise) in self.peak.into_iter().zip(facts.matrix_rise) {
            ensure!(
                peak <= 1 + usize::from(rise),
                "facts",
                "{:?} is deeper than {:?}",
                self.peak,
                facts.matrix_rise
            );
            ensure!(
                !exact || peak == 1 + usize::from(rise),
                "exact",
                "{:?} for {:?}",
                facts.matrix_rise,
                self.peak
            );
        }
        if exact {
            ensure!(self.cost == facts.worst, "exact", "{:?} for {:?}", facts.worst, self.cost);
            ensure!(
                self.read == facts.registers_read,
                "exact",
                "reads {:#x} for {:#x}",
                facts.registers_read,
                self.read
            );
            ensure!(self.uses == facts.uses, "exact", "{:?} for {:?}", facts.uses, self.uses);
            // A list that is called may draw or not; it is not known here.
            if self.calls.is_empty() {
                let certain = |did| if did { Occurs::Always } else { Occurs::Never };
                let cleared = |buffer| certain(self.cleared & buffer != 0);
                let (said, seen) = (
                    [facts.draws, facts.clears_color, facts.clears_depth, facts.clears_stencil],
                    [certain(self.draws), cleared(COLOR), cleared(DEPTH), cleared(STENCIL)],
                );
                ensure!(said == seen, "exact", "draws and clears {said:?} for {seen:?}");
                let opening =
                    [facts.opening_color_clear, facts.opening_depth_clear, facts.opening_stencil_clear];
                for (fact, buffer) in opening.into_iter().zip([COLOR, DEPTH, STENCIL]) {
                    let opened = self.opened & buffer != 0;
                    ensure!(fact.is_some() == opened, "exact", "{fact:?}, but opened is {opened}");
                }
            }
        }
        Ok(())
    }
}

/// Are all of `seen` but 0 among `facts`, which are sorted?
fn named(what: &str, seen: &[u32], facts: &[u32], exact: bool) -> Result<(), Mismatch> {
    ensure!(facts.windows(2).all(|pair| pair[0] < pair[1]), "facts", "{what} {facts:?} are not sorted");
    for name in seen {
        ensure!(*name == 0 || facts.contains(name), "facts", "{name} is not in the {what} {facts:?}");
    }
    ensure!(!exact || facts.iter().all(|name| seen.contains(name)), "exact", "{what} {facts:?} for {seen:?}");
    Ok(())
}

pub(super) fn happened(what: &str, did: bool, occurs: Occurs) -> Result<(), Mismatch> {
    let good = match occurs {
        Occurs::Never => !did,
        Occurs::Maybe => true,
        Occurs::Always => did,
    };
    ensure!(good, "facts", "{what}: {occurs:?}, but it is {did}");
    Ok(())
}

fn within(cost: Cost, worst: Cost) -> bool {
    cost.ops <= worst.ops
        && cost.fuel <= worst.fuel
        && cost.gl_calls <= worst.gl_calls
        && cost.vertices <= worst.vertices
        && cost.assembled <= worst.assembled
}

pub(super) fn add(cost: &mut Cost, info: &OpInfo, args: &[u32]) {
    cost.ops += 1;
    cost.fuel += info.cost;
    cost.gl_calls += u32::from(info.class.is_gl());
    cost.vertices += u32::from(matches!(info.class, Class::Vertex(_)));
    let Class::Draw(op) = info.class else { return };
    let arrays = match op {
        DrawOp::Clear => None,
        DrawOp::DrawArrays => Some((args[0], args[2])),
        DrawOp::DrawElements => Some((args[0], args[1])),
    };
    if let Some((mode, count)) = arrays {
        cost.fuel += count;
        cost.vertices += count;
        cost.assembled += assembled(mode, count);
    }
}

/// Vertices after assembly, by counting primitives.
pub(super) fn assembled(mode: u32, n: u32) -> u32 {
    let (primitives, corners) = match mode {
        0 => (n, 1),
        1 => (n / 2, 2),
        2 => (if n < 2 { 0 } else { n }, 2),
        3 => (n.max(1) - 1, 2),
        4 => (n / 3, 3),
        7 => (n / 4 * 2, 3),
        8 => (n.max(2) / 2 * 2 - 2, 3),
        _ => (n.max(2) - 2, 3),
    };
    primitives * corners
}
