//! Names of what a program refers to. Each kind has a type, so that a list is not bound as a texture:
//!
//! ```compile_fail
//! let mut p = blinkgl::Recorder::new();
//! let list = p.gen_list();
//! p.bind_texture(list);
//! ```
//!
//! Numbers become names by `into`, so that constants and numbers from elsewhere need no ceremony.

use super::{RecordError, Recorder};
use crate::limits::MAX_LISTS;

macro_rules! name {
    ($(#[doc = $doc:literal])* $Name:ident, $number:ident, $what:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name(u32);

        impl $Name {
            #[doc = concat!("The ", $what, " of this number.")]
            #[must_use]
            pub const fn new(number: u32) -> $Name {
                $Name(number)
            }

            /// Its number on the wire.
            #[must_use]
            pub const fn $number(self) -> u32 {
                self.0
            }
        }

        impl From<u32> for $Name {
            fn from(number: u32) -> $Name {
                $Name(number)
            }
        }
    };
}

name! {
    /// A display list of the window.
    ListId, name, "list"
}
name! {
    /// A texture object of the context: an OID. See [`TextureId::NONE`].
    TextureId, number, "texture"
}
name! {
    /// A vertex or index buffer of the context: an OID.
    BufferId, number, "buffer"
}

impl TextureId {
    /// No texture: what is bound at the start.
    pub const NONE: TextureId = TextureId(0);
}

impl Recorder {
    /// The name of a display list that this recording has neither given out nor defined. (`glGenLists`; lists
    /// belong to the window, so a list of an earlier procedure may have the name, and is then replaced.)
    ///
    /// ```
    /// # use blinkgl::{Recorder, gl::Primitive};
    /// let mut init = Recorder::new();
    /// let triangle = init.gen_list();
    /// init.list(triangle, |p| {
    ///     p.primitive(Primitive::Triangles, |p| {
    ///         for point in [[-1.0, -1.0], [1.0, -1.0], [0.0, 1.0]] {
    ///             p.vertex2v(point);
    ///         }
    ///     });
    /// });
    /// let mut redraw = Recorder::new();
    /// redraw.call_list(triangle);
    /// # init.finish()?;
    /// # redraw.finish()?;
    /// # Ok::<(), blinkgl::RecordError>(())
    /// ```
    pub fn gen_list(&mut self) -> ListId {
        if self.last_list >= MAX_LISTS {
            self.fail(RecordError::NoListLeft { op_index: self.op_count });
            return ListId(MAX_LISTS);
        }
        self.last_list += 1;
        ListId(self.last_list)
    }

    /// Several names, as [`Recorder::gen_list`]: `let [wheel, axle] = p.gen_lists();`
    pub fn gen_lists<const N: usize>(&mut self) -> [ListId; N] {
        core::array::from_fn(|_| self.gen_list())
    }

    /// `glCallLists` with a list base of 0.
    pub fn call_lists(&mut self, lists: impl IntoIterator<Item = impl Into<ListId>>) {
        for list in lists {
            self.call_list(list);
        }
    }
}
