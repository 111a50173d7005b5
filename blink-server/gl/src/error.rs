//! Why OpenGL did not do something.

/// Why OpenGL did not do something.
#[derive(Debug, thiserror::Error)]
pub enum GlError {
    /// It gives no object of this kind.
    #[error("OpenGL gives no {what}: {why}")]
    Object {
        /// The kind.
        what: &'static str,
        /// What it says.
        why: String,
    },
    /// One of our shaders does not compile: an error of ours or the driver's.
    #[error("a shader of the server does not compile: {0}")]
    Shader(String),
    /// A framebuffer of this size is not complete.
    #[error("no framebuffer of {width}x{height} pixels")]
    Framebuffer {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Fewer bytes than the image has.
    #[error("the image has {found} bytes, its shape needs {wanted}")]
    ShortImage {
        /// Given.
        found: usize,
        /// Needed.
        wanted: usize,
    },
}

impl GlError {
    /// OpenGL gives no object of a kind, and says why.
    pub(super) fn object(what: &'static str) -> impl FnOnce(String) -> GlError {
        move |why| GlError::Object { what, why }
    }
}
