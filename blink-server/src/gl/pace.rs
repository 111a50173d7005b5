//! How long a program's drawing may take. Its vertices are limited, but not the pixels that each of its triangles
//! covers: a million triangles as large as the window would hold up every other window for minutes.
//!
//! What a draw costs is known only when it is done. So drawing goes in steps that are small enough by the worst
//! that they can cover, and after each the clock is looked at. A program of any sense fits into one step.

use blinkgl::limits::{
    FREE_SHADER_SECONDS, FREE_SHADERS, MAX_CLIENTS, MAX_DRAW_MILLISECONDS, MAX_UNCHECKED_FRAGMENTS,
};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Vertices of a step, at least: whole points, lines and triangles.
const LEAST: u64 = 6;

/// The time and the work of one run.
#[derive(Debug)]
pub(super) struct Pace {
    started: Instant,
    /// Pixels that a primitive may cover.
    area: u64,
    /// What a fragment costs, in those of the plainest shader.
    weight: u64,
    /// What a vertex costs, in the same.
    vertex: u64,
    /// Fragments at most that were drawn since the clock was looked at.
    unchecked: u64,
    /// Time is up: nothing more is drawn.
    pub(super) stopped: bool,
}

impl Pace {
    /// A run begins.
    pub(super) fn new() -> Pace {
        Pace { started: Instant::now(), area: 0, weight: 1, vertex: 0, unchecked: 0, stopped: false }
    }

    /// What follows is confined to this many pixels.
    pub(super) fn confine(&mut self, width: u32, height: u32) {
        self.area = u64::from(width) * u64::from(height);
    }

    /// The fragments that follow cost as much as so many of the plainest shader each, the vertices as so many too.
    pub(super) fn weigh(&mut self, fragment: u64, vertex: u64) {
        (self.weight, self.vertex) = (fragment, vertex);
    }

    /// Vertices that may be drawn now, of `corners` a primitive; with them, must the clock be looked at first?
    pub(super) fn step(&mut self, corners: u64, wanted: u64) -> (u64, bool) {
        let cost = self.area.saturating_mul(self.weight).saturating_add(corners.saturating_mul(self.vertex));
        let room = |unchecked: u64| {
            let primitives = MAX_UNCHECKED_FRAGMENTS.saturating_sub(unchecked) / cost.max(1);
            primitives.saturating_mul(corners) / LEAST * LEAST
        };
        let (mut vertices, mut look) = (room(self.unchecked), false);
        if vertices < wanted && self.unchecked > 0 {
            look = true;
            self.unchecked = 0;
            vertices = room(0);
        }
        let vertices = vertices.max(LEAST).min(wanted);
        let fragments = vertices.div_ceil(corners).saturating_mul(cost);
        self.unchecked = self.unchecked.saturating_add(fragments);
        (vertices, look)
    }

    /// This long was not the program's doing.
    pub(super) fn excuse(&mut self, time: Duration) {
        self.started = self.started.checked_add(time).unwrap_or(self.started);
    }

    /// All that was drawn is done: is there time left?
    pub(super) fn look(&mut self) {
        self.stopped |= self.started.elapsed() > Duration::from_millis(MAX_DRAW_MILLISECONDS);
    }
}

/// Shaders that clients may have compiled without it being their drawing time.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    /// By client: those left, and when one was added last.
    clients: HashMap<u32, (u32, Instant)>,
}

impl Allowances {
    /// Takes one of a client's.
    pub(super) fn take(&mut self, client: u32, now: Instant) -> bool {
        if self.clients.len() >= 2 * MAX_CLIENTS && !self.clients.contains_key(&client) {
            // Numbers of clients are not used again: most of these are gone.
            self.clients.clear();
        }
        let (left, since) = self.clients.entry(client).or_insert((FREE_SHADERS, now));
        let more = now.saturating_duration_since(*since).as_secs() / FREE_SHADER_SECONDS;
        if more > 0 {
            *left = left.saturating_add(u32::try_from(more).unwrap_or(u32::MAX)).min(FREE_SHADERS);
            *since = now;
        }
        let is_free = *left > 0;
        *left = left.saturating_sub(1);
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blinkgl::limits::VERTEX_FRAGMENTS;

    #[test]
    fn shaders_are_free_until_there_are_many() {
        let mut allowances = Allowances::default();
        let now = Instant::now();
        let free = (0..100).filter(|_| allowances.take(1, now)).count();
        assert_eq!(free, FREE_SHADERS as usize);
        assert!(allowances.take(2, now), "another client's are its own");
        let later = now + Duration::from_secs(FREE_SHADER_SECONDS);
        assert!(allowances.take(1, later) && !allowances.take(1, later));
        let much_later = later + Duration::from_secs(1_000_000);
        let free = (0..100).filter(|_| allowances.take(1, much_later)).count();
        assert_eq!(free, FREE_SHADERS as usize);
        for client in 3..1000 {
            allowances.take(client, now);
        }
        assert!(allowances.clients.len() <= 2 * MAX_CLIENTS);
    }

    #[test]
    fn small_drawing_is_one_step_large_is_many() {
        let mut pace = Pace::new();
        pace.confine(300, 300);
        assert_eq!(pace.step(3, 15_000), (15_000, false));
        pace.confine(1920, 1080);
        let mut left = 30_000;
        let mut looks = 0;
        while left > 0 {
            let (vertices, look) = pace.step(3, left);
            assert!(vertices > 0 && vertices <= left && (vertices % 6 == 0 || vertices == left));
            assert!(vertices / 3 * 1920 * 1080 <= MAX_UNCHECKED_FRAGMENTS);
            left -= vertices;
            looks += u32::from(look);
        }
        assert!(looks >= 38, "{looks}");
        pace.confine(1000, 1000);
        pace.weigh(8, 0);
        assert_eq!(pace.step(3, 3000), (MAX_UNCHECKED_FRAGMENTS / 8_000_000 * 3 / 6 * 6, true));
        pace.weigh(1, 0);
        pace.confine(u32::MAX, u32::MAX);
        assert_eq!(pace.step(3, 9), (6, true));
        pace.confine(0, 0);
        assert_eq!(pace.step(1, 9), (9, true));
    }

    #[test]
    fn vertices_count_where_nothing_is_covered() {
        let mut pace = Pace::new();
        pace.confine(0, 0);
        pace.weigh(1, VERTEX_FRAGMENTS);
        let most = MAX_UNCHECKED_FRAGMENTS / VERTEX_FRAGMENTS;
        assert_eq!(pace.step(3, u64::MAX), (most / LEAST * LEAST, false));
        assert_eq!(pace.step(3, 600), (600, true), "after so many the clock is looked at");
    }
}
