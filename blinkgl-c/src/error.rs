//! Errors: `glGetError`'s codes, and what they are about.

use blink_client::What;

/// OpenGL's error codes.
pub mod gl {
    /// `GL_NO_ERROR`.
    pub const NO_ERROR: u32 = 0;
    /// `GL_INVALID_ENUM`.
    pub const INVALID_ENUM: u32 = 0x500;
    /// `GL_INVALID_VALUE`.
    pub const INVALID_VALUE: u32 = 0x501;
    /// `GL_INVALID_OPERATION`.
    pub const INVALID_OPERATION: u32 = 0x502;
    /// `GL_OUT_OF_MEMORY`.
    pub const OUT_OF_MEMORY: u32 = 0x505;
}

/// What is wrong with a call.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// For `glGetError`.
    pub code: u32,
    /// For the programmer.
    pub text: String,
}

impl Mistake {
    /// A mistake with OpenGL's code for it.
    pub fn new(code: u32, text: impl Into<String>) -> Mistake {
        Mistake { code, text: text.into() }
    }

    /// `GL_INVALID_OPERATION`: the call can't stand here.
    pub fn operation(text: impl Into<String>) -> Mistake {
        Mistake::new(gl::INVALID_OPERATION, text)
    }

    /// Something to know that is nobody's error: `glGetError` hears nothing of it.
    pub fn note(text: impl Into<String>) -> Mistake {
        Mistake::new(gl::NO_ERROR, text)
    }

    /// What the server has to say of a program.
    pub fn of_event(what: &What) -> Option<Mistake> {
        let text = what.complaint()?;
        let is_note = matches!(what, What::Quota { kind, .. } if kind.is_note());
        Some(if is_note { Mistake::note(text) } else { Mistake::operation(text) })
    }

    /// `GL_INVALID_VALUE`.
    pub fn value(text: impl Into<String>) -> Mistake {
        Mistake::new(gl::INVALID_VALUE, text)
    }

    /// `GL_INVALID_ENUM`: this parameter, mode or target is not Blink's.
    pub fn name(what: &str, value: u32) -> Mistake {
        Mistake::new(gl::INVALID_ENUM, format!("Blink has no {what} {value:#06x}"))
    }

    /// A pointer that points nowhere.
    pub fn null(what: &str) -> Mistake {
        Mistake::new(gl::INVALID_VALUE, format!("{what} is a null pointer"))
    }
}

impl From<blink_client::Error> for Mistake {
    fn from(error: blink_client::Error) -> Mistake {
        Mistake::new(gl::INVALID_OPERATION, error.to_string())
    }
}

/// The name of an error code.
pub fn name(code: u32) -> &'static str {
    match code {
        gl::NO_ERROR => "GL_NO_ERROR",
        gl::INVALID_ENUM => "GL_INVALID_ENUM",
        gl::INVALID_VALUE => "GL_INVALID_VALUE",
        gl::INVALID_OPERATION => "GL_INVALID_OPERATION",
        0x503 => "GL_STACK_OVERFLOW",
        0x504 => "GL_STACK_UNDERFLOW",
        gl::OUT_OF_MEMORY => "GL_OUT_OF_MEMORY",
        _ => "an unknown error",
    }
}
