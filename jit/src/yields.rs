//! Yield points: on no path is more than a distance of work ([`DISTANCE`]) between two of them, but where a single step has more.
//!
//! They are placed by what lies behind on the worst path, so no jump gets around them. Long register work has its own, in its
//! middle: before each instruction that begins [`chunk`] words or more after the last one.

use crate::builder::MAX_SEGMENT_VERTICES;
use crate::step::{Body, CommandRow, Step};
use blinkgl::planted;

/// A quarter of a millisecond, about: a unit is some ten cycles.
pub(crate) const DISTANCE: u32 = 1 << 16;

/// What a word of register work may cost: a sine has three.
const WORD: u32 = 3;

/// What a unit of fuel of a command may cost, in our units. (State is changed by a call of the tracker.)
const COMMAND: u32 = 8;

/// What a vertex costs when it is drawn first.
const VERTEX: u32 = DISTANCE / MAX_SEGMENT_VERTICES;

/// What any other step costs.
const STEP: u32 = 16;

/// Words of register work for a distance.
pub(crate) fn chunk(distance: u32) -> u32 {
    (distance / (WORD + 1)).max(1)
}

/// Puts yield points between the steps of a program's or list's body. A list begins at one: its call has one before it.
pub(crate) fn place(body: &mut Body, limit: u32) {
    let weights = Weights { body, chunk: chunk(limit) };
    let all = body.steps.iter().fold(0, |all: u32, step| all.saturating_add(weights.of(step)));
    let is_short = all <= limit && !body.steps.iter().any(|step| matches!(step, Step::CallList { .. }));
    if is_short {
        return;
    }
    let mut placing = Placing {
        steps: Vec::with_capacity(body.steps.len() + body.steps.len() / 8),
        limit,
        distance: 0,
        is_reached: true,
        jumped: vec![0; body.steps.len() + 1],
    };
    // Where each step is now, with the yield point in front of it.
    let mut moved = Vec::with_capacity(body.steps.len() + 1);
    for (at, step) in body.steps.iter().enumerate() {
        placing.arrive(at);
        moved.push(placing.steps.len());
        placing.step(*step, &weights);
    }
    moved.push(placing.steps.len());
    let mut steps = placing.steps;
    for step in &mut steps {
        if let Step::Jump { target } | Step::JumpIf { target, .. } = step {
            let to = planted!(
                TargetsMovedTooFar,
                moved.get(*target as usize).map(|to| to + 1),
                moved.get(*target as usize).copied()
            )
            .unwrap_or(usize::MAX);
            *target = u32::try_from(to).unwrap_or(u32::MAX);
        }
    }
    body.steps = steps;
}

struct Placing {
    steps: Vec<Step>,
    limit: u32,
    /// Work since the last yield point, on the worst path to here.
    distance: u32,
    is_reached: bool,
    /// The same at each step that a jump leads to.
    jumped: Vec<u32>,
}

impl Placing {
    fn arrive(&mut self, at: usize) {
        let jumped = self.jumped.get(at).copied().unwrap_or_default();
        self.distance = if self.is_reached {
            planted!(JumpAroundYields, self.distance, self.distance.max(jumped))
        } else {
            jumped
        };
        self.is_reached = true;
    }

    fn yields(&mut self) {
        if self.distance > 0 {
            self.steps.push(Step::Yield);
            self.distance = 0;
        }
    }

    fn step(&mut self, step: Step, weights: &Weights<'_>) {
        if let Step::CallList { .. } = step {
            self.yields();
            self.steps.push(step);
            // As much as a list may have behind it at its end.
            self.distance = self.limit;
            return;
        }
        let weight = weights.of(&step);
        if self.distance.saturating_add(weight) > self.limit {
            if let Step::Commands { first, end } = step {
                self.commands(first, end, weights);
                return;
            }
            self.yields();
        }
        self.distance = self.distance.saturating_add(weight).min(self.limit);
        self.steps.push(step);
        if let Step::Jump { target } | Step::JumpIf { target, .. } = step
            && let Some(jumped) = self.jumped.get_mut(target as usize)
        {
            *jumped = self.distance.max(*jumped);
        }
        self.is_reached = !matches!(step, Step::Jump { .. });
    }

    /// Commands that are too many for what is left of the distance.
    fn commands(&mut self, first: u32, end: u32, weights: &Weights<'_>) {
        let mut from = first;
        for at in first..end {
            let weight = weights.command(at);
            if self.distance.saturating_add(weight) > self.limit {
                if at > from {
                    self.steps.push(Step::Commands { first: from, end: at });
                    from = at;
                }
                planted!(CommandsWithoutYields, (), self.yields());
            }
            self.distance = self.distance.saturating_add(weight).min(self.limit);
        }
        self.steps.push(Step::Commands { first: from, end });
    }
}

/// What steps cost.
struct Weights<'a> {
    body: &'a Body,
    chunk: u32,
}

impl Weights<'_> {
    fn of(&self, step: &Step) -> u32 {
        match *step {
            // With yield points of its own if it is long.
            Step::Work { begin, end } => end.saturating_sub(begin).min(self.chunk).saturating_mul(WORD),
            Step::Commands { first, end } => {
                (first..end).fold(0, |all: u32, at| all.saturating_add(self.command(at)))
            }
            Step::Command { command, .. } => self.command(command),
            Step::DrawArrays { command, vertices } => {
                self.command(command).saturating_add(vertices.saturating_mul(VERTEX))
            }
            Step::Draw { segment } => {
                let segment = self.body.segments.get(segment as usize);
                segment.map_or(STEP, |segment| drawing(segment.assembled))
            }
            Step::DrawWords { lazy } => {
                let lazy = self.body.lazies.get(lazy as usize);
                lazy.map_or(STEP, |lazy| drawing(lazy.vertices))
            }
            Step::Open { dynamic } | Step::DrawOpen { dynamic } => {
                let dynamic = self.body.dynamics.get(dynamic as usize);
                dynamic.map_or(STEP, |dynamic| drawing(dynamic.segment.assembled))
            }
            Step::Patch { first, end, .. } => STEP.saturating_add(end.saturating_sub(first)),
            Step::DefineList { .. }
            | Step::CallList { .. }
            | Step::Jump { .. }
            | Step::JumpIf { .. }
            | Step::RequestFrame
            | Step::Damage { .. }
            | Step::Notify { .. }
            | Step::Yield => STEP,
        }
    }

    fn command(&self, at: u32) -> u32 {
        let row: Option<&CommandRow> = self.body.commands.get(at as usize);
        row.map_or(STEP, |row| u32::from(row.fuel).saturating_mul(COMMAND))
    }
}

fn drawing(vertices: u32) -> u32 {
    STEP.saturating_add(vertices.saturating_mul(VERTEX))
}
