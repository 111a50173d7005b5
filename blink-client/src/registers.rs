//! Register files: small values that client and procedures exchange while both run.

use blinkgl::shm::{OutOfBounds, Shm, ShmOffset};
use blinkgl::wire::Reg;

/// A register file, read and written in place: no commit is needed, each register by itself is
/// never torn, and no order between registers is promised.
#[derive(Clone, Debug)]
pub struct Registers {
    memory: Shm,
}

impl Registers {
    /// The file at `at`.
    pub(crate) fn new(context: &Shm, at: ShmOffset) -> Result<Registers, OutOfBounds> {
        Ok(Registers { memory: context.part(at, blinkgl::limits::REGISTERS * 4)? })
    }

    /// Sets a register.
    pub fn set(&self, register: Reg, value: f32) {
        self.set_bits(register, value.to_bits());
    }

    /// A register's value.
    #[must_use]
    pub fn get(&self, register: Reg) -> f32 {
        f32::from_bits(self.bits(register))
    }

    /// Sets a register to 32 bits that are no `f32`: an object id, half of a time.
    pub fn set_bits(&self, register: Reg, bits: u32) {
        let stored = self.memory.store(offset(register), bits);
        debug_assert!(stored.is_ok(), "a register file holds all registers");
    }

    /// A register's bits.
    #[must_use]
    pub fn bits(&self, register: Reg) -> u32 {
        self.memory.load(offset(register)).unwrap_or(0)
    }
}

fn offset(register: Reg) -> ShmOffset {
    ShmOffset(register.index() * 4)
}
