//! The named constants of operands, as Rust types with the values of the OpenGL headers.
//!
//! They come from the same table as the assembler's names ([`crate::ops::ENUM_SETS`]), so a set
//! and its type cannot differ.

pub use crate::ops::{
    Array, ArrayData, AttribGroup, BlendEquation, BlendFactor, Capability, ClearMask, ClipPlane,
    ColorMaterialMode, Comparison, External, Face, FogMode, FogParameter, HintMode, HintTarget, IndexData,
    Light, LightModelParameter, LightParameter, LogicOp, MaterialParameter, MatrixMode, PointParameter,
    PolygonMode, Predicate, Primitive, ShadeModel, StencilOp, TexCoordinate, TexEnvMode, TexEnvParameter,
    TexEnvScale, TexEnvValue, TexGenMode, TexGenPlane, TexParameter, TexValue, TextureUnit, Winding,
};
