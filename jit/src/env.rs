//! What a run of a program reads from outside, and what it says to the outside.

use blinkgl::External;
use blinkgl::limits::{MAX_FUEL, MAX_NOTIFICATIONS, MAX_VERTICES};
use blinkgl::ops::Callback;

/// External state for one run, fixed before it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Predicted presentation time, nanoseconds of the server's clock.
    pub presentation_ns: u64,
    /// Values for `read`, by [`External`] code; that of [`External::Time`] included.
    pub values: [f32; External::ALL.len()],
    /// Units of fuel that the run may use, with the lists that it calls.
    pub fuel: u64,
    /// Vertices that it may draw, with those of the lists that it calls.
    pub vertices: u64,
}

impl Environment {
    /// All zero but the time, and as much fuel and vertices as there can be.
    #[must_use]
    pub fn at(presentation_ns: u64) -> Environment {
        let mut env = Environment {
            presentation_ns,
            values: [0.0; External::ALL.len()],
            fuel: MAX_FUEL,
            vertices: MAX_VERTICES,
        };
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "rounding to f32 is the op's meaning"
        )]
        env.set(External::Time, (presentation_ns as f64 / 1e9) as f32);
        env
    }

    /// Sets a value.
    pub fn set(&mut self, what: External, value: f32) {
        self.values[what as usize] = value;
    }

    /// Reads a value.
    #[must_use]
    pub fn get(&self, what: External) -> f32 {
        self.values[what as usize]
    }
}

/// A rectangle in pixels from the window's lower left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamageRect {
    /// Left edge.
    pub x: i32,
    /// Lower edge.
    pub y: i32,
    /// Width; nothing if not positive.
    pub width: i32,
    /// Height; nothing if not positive.
    pub height: i32,
}

/// What a run said to the outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Wants another frame.
    pub request_frame: bool,
    /// Wants this rectangle drawn in the next frame: the bounding box of all that was asked.
    pub damage: Option<DamageRect>,
    /// Notifications for the client, at most [`MAX_NOTIFICATIONS`].
    pub notifications: Vec<u32>,
    /// Notifications above that.
    pub notifications_dropped: u32,
}

impl Effects {
    /// Adds a notification, or counts it as dropped.
    pub fn notify(&mut self, value: u32) {
        if self.notifications.len() < MAX_NOTIFICATIONS {
            self.notifications.push(value);
        } else {
            self.notifications_dropped = self.notifications_dropped.saturating_add(1);
        }
    }

    /// Adds a damaged rectangle.
    pub fn add_damage(&mut self, rect: DamageRect) {
        if rect.width <= 0 || rect.height <= 0 {
            return;
        }
        self.damage = Some(match self.damage {
            None => rect,
            Some(old) => {
                let right = old.x.saturating_add(old.width).max(rect.x.saturating_add(rect.width));
                let top = old.y.saturating_add(old.height).max(rect.y.saturating_add(rect.height));
                let (x, y) = (old.x.min(rect.x), old.y.min(rect.y));
                DamageRect { x, y, width: right.saturating_sub(x), height: top.saturating_sub(y) }
            }
        });
    }
}

/// Why a run ended before the program did. What it did until then stays done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The fuel is spent.
    #[error("{callback} used up its {limit} units of fuel")]
    Fuel {
        /// Which callback.
        callback: Callback,
        /// The limit.
        limit: u64,
    },
    /// Too many vertices.
    #[error("{callback} drew more than {limit} vertices")]
    Vertices {
        /// Which callback.
        callback: Callback,
        /// The limit.
        limit: u64,
    },
}
