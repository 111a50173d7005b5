//! The named constants of operands, as Rust types with the values of the OpenGL headers.
//!
//! They come from the same table as the assembler's names ([`crate::ops::ENUM_SETS`]), so a set
//! and its type cannot differ.

pub use crate::ops::{
    BlendFactor, Capability, ClearMask, ColorMaterialMode, Comparison, External, Face, Light,
    LightModelParameter, LightParameter, MaterialParameter, MatrixMode, Predicate, Primitive, ShadeModel,
    TexEnvMode, TexParameter, TexValue, Winding,
};
