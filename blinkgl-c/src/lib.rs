//! BlinkGL for C: `libblinkgl.a`, with the names of `include/blinkgl.h` and `include/blinkglut.h`.
//!
//! A C program's OpenGL calls are recorded into stored procedures, which the server verifies, compiles and runs.
//! The header documents what C sees; this is how it comes about:
//!
//! - Each exported function hands its arguments to the [`recording`], which checks them against the op table. So a
//!   value that Blink has not is `GL_INVALID_ENUM` where it is recorded, and never a silent omission.
//! - Objects that live at the server (textures, buffers, procedures, windows) are collected and published by a
//!   commit: all at once.
//! - Lists, names, pixel storage, vertex arrays in the program's memory, and what `glGet` tells, are kept here.
//! - [`glut`] runs a program's callbacks, each in a recording of its own.
//!
//! `unsafe` is in reading and writing what C points to, and in calling C's functions.
#![allow(non_snake_case, reason = "the names are OpenGL's, and those of `blinkgl.h`")]

mod arrays;
mod display;
mod error;
mod export;
mod fixed;
mod glu;
mod glut;
mod lists;
mod params;
mod pixels;
mod query;
mod recording;
mod registers;
mod state;
mod textures;
mod value;
mod vertex;

#[cfg(test)]
mod tests;
