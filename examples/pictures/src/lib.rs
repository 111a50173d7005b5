//! Windows whose pictures the server animates by itself: the gears and the clock, which clients with and without an
//! operating system show. A client publishes a [`Picture`] and has nothing more to do.
//!
//! Sines and roots come from one portable implementation, so all clients publish the same words.
#![no_std]
extern crate alloc;

pub mod clock;
pub mod gears;
pub mod view;

use alloc::vec::Vec;
use blink_client::{Commit, Error, ObjectId, WindowDesc};
use blinkgl::limits::REGISTERS;
use blinkgl::{Callback, WireProgram};

/// A window's procedures.
pub type Procedures = Vec<(Callback, WireProgram)>;

/// What a window shows.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The procedures.
    pub procedures: Procedures,
    /// What the register file, shared with the client, holds at first. `None`: the window has one of its own.
    pub registers: Option<[f32; REGISTERS]>,
}

impl From<Procedures> for Picture {
    fn from(procedures: Procedures) -> Picture {
        Picture { procedures, registers: None }
    }
}

impl Picture {
    /// Puts a window with this picture into a commit; `desc` is all else that is to be said of the window.
    ///
    /// # Errors
    /// As [`Commit::window`].
    pub fn publish(&self, commit: &mut Commit<'_>, mut desc: WindowDesc) -> Result<ObjectId, Error> {
        for (callback, program) in &self.procedures {
            desc.procedures[*callback as usize] = commit.procedure(*callback, program)?.number();
        }
        if let Some(values) = &self.registers {
            let file = commit.registers()?;
            commit.set_registers(file, values)?;
            desc.registers = file.number();
        }
        commit.window(&desc)
    }
}
