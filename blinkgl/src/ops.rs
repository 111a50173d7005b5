//! The op table: the one place where an operation's name, code, operands, class and cost are written.
//!
//! The table has a group of rows for each [`Class`], and each group becomes an enum ([`ComputeOp`], [`StateOp`]...).
//! [`Op`] names an op of any class, by its code. [`Class`] says the same by class: what gives ops a meaning matches on
//! the class, then on the ops of the classes that it knows, and has no arm for "the others".
//!
//! To add an op, add one row. The compiler then shows each place that must give it a meaning
//! (`docs/ARCHITECTURE.md`, "To add an op").
//!
//! GL enumerants have the values of the OpenGL headers, so that a C program's constants pass
//! through unchanged.

use core::fmt;

/// A stored procedure's callback: when the server runs it (paper, table 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Callback {
    /// At first display, and again after a restart of the server.
    Init = 0,
    /// When the client asks.
    Update = 1,
    /// When the window was moved or resized; also once after `init`.
    Reshape = 2,
    /// For each display.
    Redraw = 3,
    /// On user input, before the client hears of it.
    Input = 4,
}

impl Callback {
    /// All callbacks, in the order of their codes.
    pub const ALL: [Callback; 5] =
        [Callback::Init, Callback::Update, Callback::Reshape, Callback::Redraw, Callback::Input];

    /// The callback of a code from the wire.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Callback> {
        Callback::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// Its name in `.bgl` text and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Callback::Init => "init",
            Callback::Update => "update",
            Callback::Reshape => "reshape",
            Callback::Redraw => "redraw",
            Callback::Input => "input",
        }
    }
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Class {
    /// May stand between Begin and End.
    #[must_use]
    pub const fn inside_begin(self) -> bool {
        match self {
            Class::Compute(_) | Class::Read(_) | Class::Attribute(_) | Class::Vertex(_) | Class::End(_) => {
                true
            }
            Class::Signal(_)
            | Class::Jump(_)
            | Class::State(_)
            | Class::Begin(_)
            | Class::Draw(_)
            | Class::ListDefinition(_)
            | Class::ListCall(_) => false,
        }
    }

    /// May stand in a display list.
    #[must_use]
    pub const fn in_list(self) -> bool {
        match self {
            Class::State(_)
            | Class::Attribute(_)
            | Class::Vertex(_)
            | Class::Begin(_)
            | Class::End(_)
            | Class::Draw(_)
            | Class::ListCall(_) => true,
            Class::Compute(_)
            | Class::Read(_)
            | Class::Signal(_)
            | Class::Jump(_)
            | Class::ListDefinition(_) => false,
        }
    }

    /// May be executed (not: compiled into a list) by this callback.
    #[must_use]
    pub fn allowed_in(self, callback: Callback) -> bool {
        match self {
            Class::Compute(_) | Class::Read(_) | Class::Signal(_) | Class::Jump(_) => true,
            Class::State(_) | Class::Attribute(_) => callback != Callback::Input,
            Class::Vertex(_) | Class::Begin(_) | Class::End(_) | Class::Draw(_) | Class::ListCall(_) => {
                callback == Callback::Redraw
            }
            Class::ListDefinition(_) => {
                matches!(callback, Callback::Init | Callback::Update | Callback::Reshape)
            }
        }
    }

    /// Is a GL call (counts against the GL call budget), not register work.
    #[must_use]
    pub const fn is_gl(self) -> bool {
        match self {
            Class::Compute(_) | Class::Read(_) | Class::Signal(_) | Class::Jump(_) => false,
            Class::State(_)
            | Class::Attribute(_)
            | Class::Vertex(_)
            | Class::Begin(_)
            | Class::End(_)
            | Class::Draw(_)
            | Class::ListDefinition(_)
            | Class::ListCall(_) => true,
        }
    }
}

/// A named set of constants that an operand may take.
#[derive(Debug, PartialEq, Eq)]
pub struct EnumSet {
    /// The set's name in the documentation.
    pub name: &'static str,
    /// `(name in .bgl text, value)`. For GL the name is the header's without `GL_`, in lower case.
    pub values: &'static [(&'static str, u32)],
}

impl EnumSet {
    /// Is `value` one of the set's?
    #[must_use]
    pub fn contains(&self, value: u32) -> bool {
        self.values.iter().any(|&(_, v)| v == value)
    }

    /// The name of `value`.
    #[must_use]
    pub fn name_of(&self, value: u32) -> Option<&'static str> {
        self.values.iter().find(|&&(_, v)| v == value).map(|&(n, _)| n)
    }

    /// The value of `name`.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<u32> {
        self.values.iter().find(|&&(n, _)| n == name).map(|&(_, v)| v)
    }

    /// All bits of a bit set.
    #[must_use]
    pub fn all_bits(&self) -> u32 {
        self.values.iter().fold(0, |all, &(_, v)| all | v)
    }
}

/// What an operand may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The register that is written: always a register.
    Dst,
    /// An `f32`: constant or register.
    Float,
    /// An `i32`: a constant's bits are the integer; a register holds an `f32` that is converted
    /// by truncation, saturating, NaN to 0.
    Int,
    /// 32 bits as they are: constant or register.
    Raw,
    /// One of a set: constant only.
    Enum(&'static EnumSet),
    /// An or of a set's values: constant only.
    Bits(&'static EnumSet),
    /// 0 or 1: constant only.
    Bool,
    /// The OID of a texture of the same context, or 0 for none: constant only.
    Texture,
    /// The OID of a vertex or index buffer of the same context: constant only.
    Buffer,
    /// How many, or from where: a `u32`, constant only, so that a program's cost is known before it runs.
    Count,
    /// The name of a display list, `1..=MAX_LISTS`: constant only.
    List,
    /// A jump target: word offset from the start of the program, constant only.
    Label,
}

impl Kind {
    /// May the operand be a register?
    #[must_use]
    pub fn takes_register(self) -> bool {
        match self {
            Kind::Dst | Kind::Float | Kind::Int | Kind::Raw => true,
            Kind::Enum(_)
            | Kind::Bits(_)
            | Kind::Bool
            | Kind::Texture
            | Kind::Buffer
            | Kind::Count
            | Kind::List
            | Kind::Label => false,
        }
    }

    /// May the operand be a constant?
    #[must_use]
    pub fn takes_constant(self) -> bool {
        self != Kind::Dst
    }
}

/// An operand of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Its name, for messages and the reference page.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
}

/// A row of the op table.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// The op.
    pub op: Op,
    /// Its name in `.bgl` text.
    pub name: &'static str,
    /// Its operands in wire order.
    pub operands: &'static [Operand],
    /// What kind of thing it is: the op again, by its class.
    pub class: Class,
    /// Fuel units of one execution (1 = one cheap op).
    pub cost: u32,
    /// One line for the reference page.
    pub doc: &'static str,
}

macro_rules! op_table {
    ($(
        #[doc = $class_doc:literal] $Class:ident($ClassOp:ident) {
            $( #[doc = $doc:literal] $Name:ident = $code:literal, $text:literal, [$($arg:ident : $kind:expr),* $(,)?], $cost:literal; )*
        }
    )*) => {
        /// An operation of BlinkGL.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Op { $( $( #[doc = $doc] $Name = $code, )* )* }

        /// What kind of thing an op is, which decides where it may stand; and which one of its kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Class { $( #[doc = $class_doc] $Class($ClassOp), )* }

        impl Class {
            /// The op.
            #[must_use]
            #[inline]
            pub const fn op(self) -> Op {
                match self { $( Class::$Class(op) => op.op(), )* }
            }
        }

        $(
            #[doc = concat!("Ops of the class [`", stringify!($Class), "`](Class::", stringify!($Class), ").")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum $ClassOp { $( #[doc = $doc] $Name, )* }

            impl $ClassOp {
                /// All of them, in the order of the table.
                pub const ALL: &'static [$ClassOp] = &[ $( $ClassOp::$Name ),* ];

                /// The op of a code from the wire, if it is one of this class. (An instruction's head without register
                /// mask is a code.)
                #[must_use]
                #[inline]
                pub const fn from_code(code: u32) -> Option<$ClassOp> {
                    match code {
                        $( $code => Some($ClassOp::$Name), )*
                        _ => None,
                    }
                }

                /// The same among the ops of all classes.
                #[must_use]
                #[inline]
                pub const fn op(self) -> Op {
                    match self { $( $ClassOp::$Name => Op::$Name, )* }
                }
            }
        )*

        /// The op table, sorted by code.
        pub static OPS: &[OpInfo] = &sorted([ $( $( OpInfo {
            op: Op::$Name,
            name: $text,
            operands: &[ $( Operand { name: stringify!($arg), kind: $kind } ),* ],
            class: Class::$Class($ClassOp::$Name),
            cost: $cost,
            doc: $doc,
        } ),* ),* ]);
    };
}

/// The rows in the order of their codes.
const fn sorted<const ROWS: usize>(mut rows: [OpInfo; ROWS]) -> [OpInfo; ROWS] {
    let mut end = 1;
    while end < ROWS {
        let mut i = end;
        while i > 0 && (rows[i].op as u16) < rows[i - 1].op as u16 {
            let row = rows[i];
            rows[i] = rows[i - 1];
            rows[i - 1] = row;
            i -= 1;
        }
        end += 1;
    }
    rows
}

/// For each possible code below [`CODE_LIMIT`], one more than the row's index; 0 for none.
static BY_CODE: [u8; CODE_LIMIT] = {
    let mut table = [0; CODE_LIMIT];
    let mut row = 0;
    assert!(OPS.len() < u8::MAX as usize, "indices no longer fit a byte");
    while row < OPS.len() {
        #[allow(clippy::cast_possible_truncation, reason = "asserted above")]
        let next = row as u8 + 1;
        table[OPS[row].op as usize] = next;
        row += 1;
    }
    table
};

/// Codes are below this. Room for 256 special and 768 GL ops.
pub const CODE_LIMIT: usize = 0x400;

use Kind::{Bits, Bool, Buffer, Count, Dst, Enum, Float, Int, Label, List, Raw, Texture};

op_table! {
    #[doc = "Arithmetic on registers. Anywhere but inside a display list."]
    Compute(ComputeOp) {
        #[doc = "d = a, all 32 bits unchanged."]
        Mov = 0x001, "mov", [d: Dst, a: Raw], 1;
        #[doc = "d = a + b."]
        Add = 0x002, "add", [d: Dst, a: Float, b: Float], 1;
        #[doc = "d = a - b."]
        Sub = 0x003, "sub", [d: Dst, a: Float, b: Float], 1;
        #[doc = "d = a * b."]
        Mul = 0x004, "mul", [d: Dst, a: Float, b: Float], 1;
        #[doc = "d = a / b."]
        Div = 0x005, "div", [d: Dst, a: Float, b: Float], 1;
        #[doc = "d = a if a < b, else b."]
        Min = 0x006, "min", [d: Dst, a: Float, b: Float], 1;
        #[doc = "d = a if a > b, else b."]
        Max = 0x007, "max", [d: Dst, a: Float, b: Float], 1;
        #[doc = "d = -a (sign bit flipped)."]
        Neg = 0x008, "neg", [d: Dst, a: Float], 1;
        #[doc = "d = |a| (sign bit cleared)."]
        Abs = 0x009, "abs", [d: Dst, a: Float], 1;
        #[doc = "d = a rounded towards minus infinity."]
        Floor = 0x00a, "floor", [d: Dst, a: Float], 1;
        #[doc = "d = a - floor(a)."]
        Fract = 0x00b, "fract", [d: Dst, a: Float], 1;
        #[doc = "d = square root of a."]
        Sqrt = 0x00c, "sqrt", [d: Dst, a: Float], 2;
        #[doc = "d = sine of a radians."]
        Sin = 0x00d, "sin", [d: Dst, a: Float], 8;
        #[doc = "d = cosine of a radians."]
        Cos = 0x00e, "cos", [d: Dst, a: Float], 8;
        #[doc = "d = angle of the vector (x, y) in radians, in (-pi, pi]."]
        Atan2 = 0x00f, "atan2", [d: Dst, y: Float, x: Float], 8;
        #[doc = "d = 1.0 if the comparison of a with b holds, else 0.0. With a NaN only `ne` holds."]
        Cmp = 0x010, "cmp", [d: Dst, predicate: Enum(&PREDICATE), a: Float, b: Float], 1;
        #[doc = "d = a if c is not zero (a NaN is not zero), else b; all 32 bits unchanged."]
        Select = 0x011, "select", [d: Dst, c: Float, a: Raw, b: Raw], 1;
    }

    #[doc = "Reads external state into a register. Anywhere but inside a display list."]
    Read(ReadOp) {
        #[doc = "d = a piece of external state."]
        Read = 0x030, "read", [d: Dst, what: Enum(&EXTERNAL)], 1;
        #[doc = "d = seconds from the moment {hi, lo} (server clock, nanoseconds, high and low 32 bits) to the predicted presentation time."]
        TimeSince = 0x031, "time_since", [d: Dst, hi: Raw, lo: Raw], 2;
        #[doc = "d = predicted presentation time in seconds, modulo period seconds; 0 where the period is not positive and finite."]
        TimeMod = 0x032, "time_mod", [d: Dst, period: Float], 2;
    }

    #[doc = "Tells server or client something (next frame, damage, notify). Not between Begin and End, not in a list."]
    Signal(SignalOp) {
        #[doc = "Asks for another frame after this one."]
        RequestFrame = 0x040, "request_frame", [], 1;
        #[doc = "Marks a rectangle of the window, pixels from its lower left corner, as needing a redraw in the next frame."]
        Damage = 0x041, "damage", [x: Int, y: Int, width: Int, height: Int], 1;
        #[doc = "Sends a notify event with this value to the client."]
        Notify = 0x042, "notify", [value: Raw], 4;
    }

    #[doc = "A forward jump. Not between Begin and End, not in a list."]
    Jump(JumpOp) {
        #[doc = "Goes on at the target, which must lie ahead."]
        Jmp = 0x020, "jmp", [target: Label], 1;
        #[doc = "Goes on at the target if the comparison of a with b holds. With a NaN only `ne` holds."]
        JmpIf = 0x021, "jmp_if", [predicate: Enum(&PREDICATE), a: Float, b: Float, target: Label], 1;
    }

    #[doc = "GL state. Not between Begin and End. Every callback but `input`."]
    State(StateOp) {
        // Matrices
        #[doc = "glMatrixMode. Each callback starts in `modelview`. `texture`: the stack of the active texture unit."]
        MatrixMode = 0x120, "matrix_mode", [mode: Enum(&MATRIX_MODE)], 1;
        #[doc = "glLoadIdentity."]
        LoadIdentity = 0x121, "load_identity", [], 1;
        #[doc = "glLoadMatrixf, column by column."]
        LoadMatrix = 0x122, "load_matrix", [m0: Float, m1: Float, m2: Float, m3: Float, m4: Float, m5: Float, m6: Float, m7: Float, m8: Float, m9: Float, m10: Float, m11: Float, m12: Float, m13: Float, m14: Float, m15: Float], 4;
        #[doc = "glMultMatrixf, column by column."]
        MultMatrix = 0x123, "mult_matrix", [m0: Float, m1: Float, m2: Float, m3: Float, m4: Float, m5: Float, m6: Float, m7: Float, m8: Float, m9: Float, m10: Float, m11: Float, m12: Float, m13: Float, m14: Float, m15: Float], 8;
        #[doc = "glPushMatrix."]
        PushMatrix = 0x124, "push_matrix", [], 2;
        #[doc = "glPopMatrix."]
        PopMatrix = 0x125, "pop_matrix", [], 2;
        #[doc = "glTranslatef."]
        Translate = 0x126, "translate", [x: Float, y: Float, z: Float], 4;
        #[doc = "glRotatef, angle in degrees."]
        Rotate = 0x127, "rotate", [angle: Float, x: Float, y: Float, z: Float], 8;
        #[doc = "glScalef."]
        Scale = 0x128, "scale", [x: Float, y: Float, z: Float], 4;
        #[doc = "glFrustum."]
        Frustum = 0x129, "frustum", [left: Float, right: Float, bottom: Float, top: Float, near: Float, far: Float], 8;
        #[doc = "glOrtho."]
        Ortho = 0x12a, "ortho", [left: Float, right: Float, bottom: Float, top: Float, near: Float, far: Float], 8;

        // State
        #[doc = "glEnable."]
        Enable = 0x140, "enable", [capability: Enum(&CAPABILITY)], 1;
        #[doc = "glDisable."]
        Disable = 0x141, "disable", [capability: Enum(&CAPABILITY)], 1;
        #[doc = "glShadeModel."]
        ShadeModel = 0x142, "shade_model", [mode: Enum(&SHADE_MODEL)], 1;
        #[doc = "glCullFace."]
        CullFace = 0x143, "cull_face", [face: Enum(&FACE)], 1;
        #[doc = "glFrontFace."]
        FrontFace = 0x144, "front_face", [winding: Enum(&WINDING)], 1;
        #[doc = "glDepthFunc."]
        DepthFunc = 0x145, "depth_func", [function: Enum(&COMPARISON)], 1;
        #[doc = "glDepthMask."]
        DepthMask = 0x146, "depth_mask", [write: Bool], 1;
        #[doc = "glDepthRange."]
        DepthRange = 0x147, "depth_range", [near: Float, far: Float], 1;
        #[doc = "glColorMask."]
        ColorMask = 0x148, "color_mask", [r: Bool, g: Bool, b: Bool, a: Bool], 1;
        #[doc = "glBlendFunc."]
        BlendFunc = 0x149, "blend_func", [source: Enum(&BLEND_FACTOR), destination: Enum(&BLEND_FACTOR)], 1;
        #[doc = "glScissor, in pixels from the window's lower left corner; confined to the window."]
        Scissor = 0x14a, "scissor", [x: Int, y: Int, width: Int, height: Int], 1;
        #[doc = "glViewport, in pixels from the window's lower left corner; drawing stays confined to the window."]
        Viewport = 0x14b, "viewport", [x: Int, y: Int, width: Int, height: Int], 1;
        #[doc = "glClearColor."]
        ClearColor = 0x14c, "clear_color", [r: Float, g: Float, b: Float, a: Float], 1;
        #[doc = "glClearDepth."]
        ClearDepth = 0x14d, "clear_depth", [depth: Float], 1;
        #[doc = "glPointSize."]
        PointSize = 0x14f, "point_size", [size: Float], 1;
        #[doc = "glLineWidth."]
        LineWidth = 0x150, "line_width", [width: Float], 1;
        #[doc = "glBlendFuncSeparate."]
        BlendFuncSeparate = 0x151, "blend_func_separate", [source_rgb: Enum(&BLEND_FACTOR), destination_rgb: Enum(&BLEND_FACTOR), source_alpha: Enum(&BLEND_FACTOR), destination_alpha: Enum(&BLEND_FACTOR)], 1;
        #[doc = "glBlendEquationSeparate; glBlendEquation is the same value twice."]
        BlendEquation = 0x152, "blend_equation", [rgb: Enum(&BLEND_EQUATION), alpha: Enum(&BLEND_EQUATION)], 1;
        #[doc = "glBlendColor."]
        BlendColor = 0x153, "blend_color", [r: Float, g: Float, b: Float, a: Float], 1;
        #[doc = "glLogicOp. Drawing without it where the server has OpenGL ES only."]
        LogicOp = 0x154, "logic_op", [operation: Enum(&LOGIC_OP)], 1;
        #[doc = "glAlphaFunc."]
        AlphaFunc = 0x155, "alpha_func", [function: Enum(&COMPARISON), reference: Float], 1;
        #[doc = "glStencilFunc."]
        StencilFunc = 0x156, "stencil_func", [function: Enum(&COMPARISON), reference: Int, mask: Raw], 1;
        #[doc = "glStencilOp."]
        StencilOp = 0x157, "stencil_op", [stencil_fail: Enum(&STENCIL_OP), depth_fail: Enum(&STENCIL_OP), pass: Enum(&STENCIL_OP)], 1;
        #[doc = "glStencilMask."]
        StencilMask = 0x158, "stencil_mask", [mask: Raw], 1;
        #[doc = "glClearStencil."]
        ClearStencil = 0x159, "clear_stencil", [value: Int], 1;
        #[doc = "glPolygonMode."]
        PolygonMode = 0x15a, "polygon_mode", [face: Enum(&FACE), mode: Enum(&POLYGON_MODE)], 1;
        #[doc = "glPolygonOffset."]
        PolygonOffset = 0x15b, "polygon_offset", [factor: Float, units: Float], 1;
        #[doc = "glPointParameterfv; single values are taken from a. The fade threshold is kept and has no effect, as without multisampling."]
        PointParameter = 0x15c, "point_parameter", [name: Enum(&POINT_PARAMETER), a: Float, b: Float, c: Float], 1;
        #[doc = "glClipPlane: transformed by the inverse modelview matrix of the moment."]
        ClipPlane = 0x15d, "clip_plane", [plane: Enum(&CLIP_PLANE), a: Float, b: Float, c: Float, d: Float], 4;
        #[doc = "glFogi(GL_FOG_MODE, mode)."]
        FogMode = 0x15e, "fog_mode", [mode: Enum(&FOG_MODE)], 1;
        #[doc = "glFogfv; single values are taken from a."]
        Fog = 0x15f, "fog", [name: Enum(&FOG_PARAMETER), a: Float, b: Float, c: Float, d: Float], 1;

        // Lighting
        #[doc = "glLightfv; single values are taken from a. Positions are transformed by the modelview matrix of the moment."]
        Light = 0x160, "light", [light: Enum(&LIGHT), name: Enum(&LIGHT_PARAMETER), a: Float, b: Float, c: Float, d: Float], 4;
        #[doc = "glLightModelfv; single values are taken from a."]
        LightModel = 0x161, "light_model", [name: Enum(&LIGHT_MODEL), a: Float, b: Float, c: Float, d: Float], 2;
        #[doc = "glColorMaterial."]
        ColorMaterial = 0x162, "color_material", [face: Enum(&FACE), mode: Enum(&COLOR_MATERIAL)], 1;

        // Attribute stack
        #[doc = "glPushAttrib. Each body pops what it pushes. Groups without state in Blink may be named, and save nothing."]
        PushAttrib = 0x170, "push_attrib", [groups: Bits(&ATTRIB_GROUP)], 8;
        #[doc = "glPopAttrib."]
        PopAttrib = 0x171, "pop_attrib", [], 8;
        #[doc = "glHint. Without effect: quality is always the same."]
        Hint = 0x172, "hint", [target: Enum(&HINT_TARGET), mode: Enum(&HINT_MODE)], 1;

        // Textures
        #[doc = "glBindTexture, for the active unit, of a texture object of the context; 0 for none."]
        BindTexture = 0x180, "bind_texture", [texture: Texture], 2;
        #[doc = "glTexEnvi(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, mode)."]
        TexEnvMode = 0x181, "tex_env_mode", [mode: Enum(&TEX_ENV_MODE)], 1;
        #[doc = "glTexEnvfv(GL_TEXTURE_ENV, GL_TEXTURE_ENV_COLOR, ...)."]
        TexEnvColor = 0x182, "tex_env_color", [r: Float, g: Float, b: Float, a: Float], 1;
        #[doc = "glTexParameteri of the active unit's texture."]
        TexParameter = 0x183, "tex_parameter", [name: Enum(&TEX_PARAMETER), value: Enum(&TEX_VALUE)], 1;
        #[doc = "glActiveTexture. Each callback starts with unit 0."]
        ActiveTexture = 0x184, "active_texture", [unit: Enum(&TEXTURE_UNIT)], 1;
        #[doc = "glTexEnvi(GL_TEXTURE_ENV, name, value) of the parameters of `combine`."]
        TexEnvCombine = 0x185, "tex_env_combine", [name: Enum(&TEX_ENV_PARAMETER), value: Enum(&TEX_ENV_VALUE)], 1;
        #[doc = "glTexEnvf(GL_TEXTURE_ENV, GL_RGB_SCALE or GL_ALPHA_SCALE, scale): 1, 2 or 4."]
        TexEnvScale = 0x186, "tex_env_scale", [name: Enum(&TEX_ENV_SCALE), scale: Float], 1;
        #[doc = "glTexGeni(coordinate, GL_TEXTURE_GEN_MODE, mode)."]
        TexGenMode = 0x187, "tex_gen_mode", [coordinate: Enum(&TEX_COORDINATE), mode: Enum(&TEX_GEN_MODE)], 1;
        #[doc = "glTexGenfv. An eye plane is transformed by the inverse modelview matrix of the moment."]
        TexGenPlane = 0x188, "tex_gen_plane", [coordinate: Enum(&TEX_COORDINATE), plane: Enum(&TEX_GEN_PLANE), a: Float, b: Float, c: Float, d: Float], 4;

        // Vertex arrays
        #[doc = "gl*Pointer into a vertex buffer of the context: components, their type, bytes from one to the next (0: packed) and to the first. A vertex that is not all inside the buffer reads as 0."]
        ArrayPointer = 0x1b0, "array_pointer", [array: Enum(&ARRAY), size: Count, data: Enum(&ARRAY_DATA), stride: Count, buffer: Buffer, offset: Count], 1;
        #[doc = "glEnableClientState or glDisableClientState."]
        EnableArray = 0x1b1, "enable_array", [array: Enum(&ARRAY), on: Bool], 1;
    }

    #[doc = "A vertex attribute or material, between Begin and End or outside. Every callback but `input`."]
    Attribute(AttributeOp) {
        #[doc = "glNormal3f."]
        Normal3 = 0x105, "normal3", [x: Float, y: Float, z: Float], 1;
        #[doc = "glColor4f."]
        Color4 = 0x106, "color4", [r: Float, g: Float, b: Float, a: Float], 1;
        #[doc = "glTexCoord2f."]
        TexCoord2 = 0x107, "tex_coord2", [s: Float, t: Float], 1;
        #[doc = "glTexCoord4f."]
        TexCoord4 = 0x108, "tex_coord4", [s: Float, t: Float, r: Float, q: Float], 1;
        #[doc = "glMaterialfv; `shininess` takes its value from a."]
        Material = 0x109, "material", [face: Enum(&FACE), name: Enum(&MATERIAL), a: Float, b: Float, c: Float, d: Float], 2;
        #[doc = "glMultiTexCoord4f."]
        MultiTexCoord4 = 0x10a, "multi_tex_coord4", [unit: Enum(&TEXTURE_UNIT), s: Float, t: Float, r: Float, q: Float], 1;
    }

    #[doc = "A vertex: only between Begin and End."]
    Vertex(VertexOp) {
        #[doc = "glVertex2f."]
        Vertex2 = 0x102, "vertex2", [x: Float, y: Float], 1;
        #[doc = "glVertex3f."]
        Vertex3 = 0x103, "vertex3", [x: Float, y: Float, z: Float], 1;
        #[doc = "glVertex4f."]
        Vertex4 = 0x104, "vertex4", [x: Float, y: Float, z: Float, w: Float], 1;
    }

    #[doc = "`begin`: draws, so `redraw` only, or while a list is compiled."]
    Begin(BeginOp) {
        #[doc = "glBegin."]
        Begin = 0x100, "begin", [mode: Enum(&PRIMITIVE)], 2;
    }

    #[doc = "`end`."]
    End(EndOp) {
        #[doc = "glEnd."]
        End = 0x101, "end", [], 2;
    }

    #[doc = "Draws without Begin (clear): `redraw` only, or while a list is compiled."]
    Draw(DrawOp) {
        #[doc = "glClear."]
        Clear = 0x14e, "clear", [mask: Bits(&CLEAR_MASK)], 16;
        #[doc = "glDrawArrays. The arrays are read when it is executed, also in a display list."]
        DrawArrays = 0x1b2, "draw_arrays", [mode: Enum(&PRIMITIVE), first: Count, count: Count], 16;
        #[doc = "glDrawElements with indices from an index buffer of the context, from this byte on. The arrays are read when it is executed, also in a display list."]
        DrawElements = 0x1b3, "draw_elements", [mode: Enum(&PRIMITIVE), count: Count, data: Enum(&INDEX_DATA), buffer: Buffer, offset: Count], 16;
    }

    #[doc = "`new_list`, `end_list`: `init`, `update`, `reshape`."]
    ListDefinition(ListDefinitionOp) {
        #[doc = "glNewList(list, GL_COMPILE). Register operands in the list are read when the list is called."]
        NewList = 0x1a0, "new_list", [list: List], 2;
        #[doc = "glEndList."]
        EndList = 0x1a1, "end_list", [], 2;
    }

    #[doc = "`call_list`: draws, so `redraw` only, or while a list is compiled."]
    ListCall(ListCallOp) {
        #[doc = "glCallList. A list that does not exist is ignored, as in OpenGL."]
        CallList = 0x1a2, "call_list", [list: List], 4;
    }
}

impl Op {
    /// The op of a code from the wire.
    #[must_use]
    #[inline]
    pub fn from_code(code: u16) -> Option<Op> {
        let row = *BY_CODE.get(usize::from(code))?;
        Some(OPS.get(usize::from(row).checked_sub(1)?)?.op)
    }

    /// The row of a code from the wire: one table access, for the verifier's inner loop.
    #[must_use]
    #[inline]
    pub fn info_from_code(code: u16) -> Option<&'static OpInfo> {
        let row = *BY_CODE.get(usize::from(code))?;
        OPS.get(usize::from(row).checked_sub(1)?)
    }

    /// The op of a name in `.bgl` text.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Op> {
        OPS.iter().find(|row| row.name == name).map(|row| row.op)
    }

    /// Its code on the wire.
    #[must_use]
    #[inline]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// Its row.
    #[must_use]
    #[inline]
    pub fn info(self) -> &'static OpInfo {
        &OPS[usize::from(BY_CODE[usize::from(self.code())]) - 1]
    }

    /// The same op by its class.
    #[must_use]
    #[inline]
    pub fn class(self) -> Class {
        self.info().class
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info().name)
    }
}

macro_rules! externals {
    ($( #[doc = $doc:literal] $Name:ident = $code:literal, $text:literal; )*) => {
        /// A piece of external state that `read` gives, always as an `f32`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum External { $( #[doc = $doc] $Name = $code, )* }

        impl External {
            /// All of them, in the order of their codes, which are dense from 0.
            pub const ALL: &'static [External] = &[ $( External::$Name ),* ];
            /// One line each for the reference page, in the same order.
            pub const DOCS: &'static [&'static str] = &[ $( $doc ),* ];
        }

        /// External state, for `read`.
        pub static EXTERNAL: EnumSet = EnumSet { name: "external", values: &[ $( ($text, $code) ),* ] };
    };
}

externals! {
    #[doc = "Predicted presentation time of the frame, seconds since the server's clock began. Loses precision with the hours: prefer `time_mod` and `time_since`."]
    Time = 0, "time";
    #[doc = "Frame number."]
    Frame = 1, "frame";
    #[doc = "Refresh interval in seconds."]
    Refresh = 2, "refresh";
    #[doc = "Left edge of the window on the output, pixels."]
    X = 3, "x";
    #[doc = "Top edge of the window on the output, pixels."]
    Y = 4, "y";
    #[doc = "Width of the window, pixels."]
    Width = 5, "width";
    #[doc = "Height of the window, pixels."]
    Height = 6, "height";
    #[doc = "Pixels per point of the output (1 on ordinary screens)."]
    Scale = 7, "scale";
    #[doc = "Pointer, pixels from the window's left edge: its last place inside, see `pointer_inside`."]
    PointerX = 8, "pointer_x";
    #[doc = "Pointer, pixels from the window's lower edge (as in OpenGL)."]
    PointerY = 9, "pointer_y";
    #[doc = "Buttons that were pressed in the window and are held, bit 0 left, 1 middle, 2 right, 3 back, 4 forward."]
    Buttons = 10, "buttons";
    #[doc = "Wheel steps of this event, positive away from the user; 0 outside `input`."]
    Wheel = 11, "wheel";
    #[doc = "Key of this event, a Linux evdev code; 0 for none or outside `input`."]
    Key = 12, "key";
    #[doc = "1 if that key went down, 0 if it went up."]
    KeyState = 13, "key_state";
    #[doc = "1 if the window has the keyboard focus."]
    Focus = 14, "focus";
    #[doc = "Why `input` runs: 1 pointer moved, 2 button, 3 wheel, 4 key, 5 focus, 6 the pointer left the window; 0 outside `input`."]
    Event = 15, "event";
    #[doc = "1 while the pointer is over the window, or a button that was pressed there is held. Without it, `pointer_x` and `pointer_y` are the last place inside."]
    PointerInside = 16, "pointer_inside";
}

impl External {
    /// The constant on the wire.
    #[must_use]
    pub const fn value(self) -> u32 {
        self as u32
    }

    /// The external state of a verified code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<External> {
        External::ALL.get(usize::try_from(code).ok()?).copied()
    }
}

macro_rules! enum_sets {
    ($( #[doc = $doc:literal] $NAME:ident, $name:literal, $kind:ident $Type:ident [$( $Value:ident $text:literal = $value:literal ),* $(,)?]; )*) => {
        $( #[doc = $doc] pub static $NAME: EnumSet = EnumSet { name: $name, values: &[ $( ($text, $value) ),* ] }; )*
        /// Every set, for the assembler and the reference page.
        pub static ENUM_SETS: &[&EnumSet] = &[ $( &$NAME, )* &EXTERNAL ];
        $( enum_type!($kind #[doc = $doc] $NAME, $Type [$( $Value $text = $value ),*]); )*
    };
}

/// The Rust type of an enum set: an `enum` for "one of", a struct of constants for a bit set.
macro_rules! enum_type {
    (one_of #[doc = $doc:literal] $NAME:ident, $Type:ident [$( $Value:ident $text:literal = $value:literal ),*]) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum $Type { $( #[doc = concat!("`", $text, "` in `.bgl` text.")] $Value = $value ),* }

        impl $Type {
            /// All values, in the order of the set.
            pub const ALL: &'static [$Type] = &[ $( $Type::$Value ),* ];

            /// The constant on the wire.
            #[must_use]
            pub const fn value(self) -> u32 {
                self as u32
            }

            /// The value of a constant from the wire.
            #[must_use]
            #[inline]
            pub const fn from_value(value: u32) -> Option<$Type> {
                match value {
                    $( $value => Some($Type::$Value), )*
                    _ => None,
                }
            }
        }
    };
    (bits #[doc = $doc:literal] $NAME:ident, $Type:ident [$( $Value:ident $text:literal = $value:literal ),*]) => {
        #[doc = $doc]
        #[doc = "A bit set: values are combined by `|`."]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $Type(u32);

        impl $Type {
            $( #[doc = concat!("`", $text, "` in `.bgl` text.")] pub const $Value: $Type = $Type($value); )*

            /// All single bits, in the order of the set.
            pub const ALL: &'static [$Type] = &[ $( $Type::$Value ),* ];

            /// The constant on the wire.
            #[must_use]
            pub const fn value(self) -> u32 {
                self.0
            }
        }

        impl core::ops::BitOr for $Type {
            type Output = $Type;
            fn bitor(self, other: $Type) -> $Type {
                $Type(self.0 | other.0)
            }
        }
    };
}

enum_sets! {
    #[doc = "Comparisons of registers."]
    PREDICATE, "predicate", one_of Predicate [Lt "lt" = 0, Le "le" = 1, Eq "eq" = 2, Ne "ne" = 3, Ge "ge" = 4, Gt "gt" = 5];
    #[doc = "Primitives of glBegin."]
    PRIMITIVE, "primitive", one_of Primitive [Points "points" = 0, Lines "lines" = 1, LineLoop "line_loop" = 2, LineStrip "line_strip" = 3, Triangles "triangles" = 4, TriangleStrip "triangle_strip" = 5, TriangleFan "triangle_fan" = 6, Quads "quads" = 7, QuadStrip "quad_strip" = 8, Polygon "polygon" = 9];
    #[doc = "Faces."]
    FACE, "face", one_of Face [Front "front" = 0x404, Back "back" = 0x405, FrontAndBack "front_and_back" = 0x408];
    #[doc = "Material parameters."]
    MATERIAL, "material", one_of MaterialParameter [Ambient "ambient" = 0x1200, Diffuse "diffuse" = 0x1201, Specular "specular" = 0x1202, Emission "emission" = 0x1600, Shininess "shininess" = 0x1601, AmbientAndDiffuse "ambient_and_diffuse" = 0x1602];
    #[doc = "Matrix modes."]
    MATRIX_MODE, "matrix mode", one_of MatrixMode [Modelview "modelview" = 0x1700, Projection "projection" = 0x1701, Texture "texture" = 0x1702];
    #[doc = "Capabilities of glEnable. Texturing and coordinate generation are the active unit's. Dithering is kept and has no effect: colors have eight bits."]
    CAPABILITY, "capability", one_of Capability [CullFace "cull_face" = 0x0b44, Lighting "lighting" = 0x0b50, ColorMaterial "color_material" = 0x0b57, Fog "fog" = 0x0b60, DepthTest "depth_test" = 0x0b71, StencilTest "stencil_test" = 0x0b90, Normalize "normalize" = 0x0ba1, AlphaTest "alpha_test" = 0x0bc0, Dither "dither" = 0x0bd0, Blend "blend" = 0x0be2, ColorLogicOp "color_logic_op" = 0x0bf2, ScissorTest "scissor_test" = 0x0c11, TextureGenS "texture_gen_s" = 0x0c60, TextureGenT "texture_gen_t" = 0x0c61, TextureGenR "texture_gen_r" = 0x0c62, TextureGenQ "texture_gen_q" = 0x0c63, Texture2d "texture_2d" = 0x0de1, PolygonOffsetPoint "polygon_offset_point" = 0x2a01, PolygonOffsetLine "polygon_offset_line" = 0x2a02, ClipPlane0 "clip_plane0" = 0x3000, ClipPlane1 "clip_plane1" = 0x3001, ClipPlane2 "clip_plane2" = 0x3002, ClipPlane3 "clip_plane3" = 0x3003, ClipPlane4 "clip_plane4" = 0x3004, ClipPlane5 "clip_plane5" = 0x3005, PolygonOffsetFill "polygon_offset_fill" = 0x8037, RescaleNormal "rescale_normal" = 0x803a, Light0 "light0" = 0x4000, Light1 "light1" = 0x4001, Light2 "light2" = 0x4002, Light3 "light3" = 0x4003, Light4 "light4" = 0x4004, Light5 "light5" = 0x4005, Light6 "light6" = 0x4006, Light7 "light7" = 0x4007];
    #[doc = "Shade models."]
    SHADE_MODEL, "shade model", one_of ShadeModel [Flat "flat" = 0x1d00, Smooth "smooth" = 0x1d01];
    #[doc = "Windings."]
    WINDING, "winding", one_of Winding [Cw "cw" = 0x0900, Ccw "ccw" = 0x0901];
    #[doc = "Comparison functions of the depth, stencil and alpha tests."]
    COMPARISON, "comparison", one_of Comparison [Never "never" = 0x200, Less "less" = 0x201, Equal "equal" = 0x202, Lequal "lequal" = 0x203, Greater "greater" = 0x204, Notequal "notequal" = 0x205, Gequal "gequal" = 0x206, Always "always" = 0x207];
    #[doc = "Blend factors."]
    BLEND_FACTOR, "blend factor", one_of BlendFactor [Zero "zero" = 0, One "one" = 1, SrcColor "src_color" = 0x300, OneMinusSrcColor "one_minus_src_color" = 0x301, SrcAlpha "src_alpha" = 0x302, OneMinusSrcAlpha "one_minus_src_alpha" = 0x303, DstAlpha "dst_alpha" = 0x304, OneMinusDstAlpha "one_minus_dst_alpha" = 0x305, DstColor "dst_color" = 0x306, OneMinusDstColor "one_minus_dst_color" = 0x307, SrcAlphaSaturate "src_alpha_saturate" = 0x308, ConstantColor "constant_color" = 0x8001, OneMinusConstantColor "one_minus_constant_color" = 0x8002, ConstantAlpha "constant_alpha" = 0x8003, OneMinusConstantAlpha "one_minus_constant_alpha" = 0x8004];
    #[doc = "Buffers of glClear."]
    CLEAR_MASK, "clear mask", bits ClearMask [DEPTH "depth" = 0x100, STENCIL "stencil" = 0x400, COLOR "color" = 0x4000];
    #[doc = "Lights."]
    LIGHT, "light", one_of Light [Light0 "light0" = 0x4000, Light1 "light1" = 0x4001, Light2 "light2" = 0x4002, Light3 "light3" = 0x4003, Light4 "light4" = 0x4004, Light5 "light5" = 0x4005, Light6 "light6" = 0x4006, Light7 "light7" = 0x4007];
    #[doc = "Light parameters."]
    LIGHT_PARAMETER, "light parameter", one_of LightParameter [Ambient "ambient" = 0x1200, Diffuse "diffuse" = 0x1201, Specular "specular" = 0x1202, Position "position" = 0x1203, SpotDirection "spot_direction" = 0x1204, SpotExponent "spot_exponent" = 0x1205, SpotCutoff "spot_cutoff" = 0x1206, ConstantAttenuation "constant_attenuation" = 0x1207, LinearAttenuation "linear_attenuation" = 0x1208, QuadraticAttenuation "quadratic_attenuation" = 0x1209];
    #[doc = "Light model parameters."]
    LIGHT_MODEL, "light model", one_of LightModelParameter [LocalViewer "local_viewer" = 0x0b51, TwoSide "two_side" = 0x0b52, Ambient "ambient" = 0x0b53];
    #[doc = "What glColorMaterial tracks."]
    COLOR_MATERIAL, "color material", one_of ColorMaterialMode [Ambient "ambient" = 0x1200, Diffuse "diffuse" = 0x1201, Specular "specular" = 0x1202, Emission "emission" = 0x1600, AmbientAndDiffuse "ambient_and_diffuse" = 0x1602];
    #[doc = "Texture environment modes."]
    TEX_ENV_MODE, "texture environment mode", one_of TexEnvMode [Add "add" = 0x0104, Blend "blend" = 0x0be2, Replace "replace" = 0x1e01, Modulate "modulate" = 0x2100, Decal "decal" = 0x2101, Combine "combine" = 0x8570];
    #[doc = "Texture parameters."]
    TEX_PARAMETER, "texture parameter", one_of TexParameter [MagFilter "mag_filter" = 0x2800, MinFilter "min_filter" = 0x2801, WrapS "wrap_s" = 0x2802, WrapT "wrap_t" = 0x2803];
    #[doc = "Texture units."]
    TEXTURE_UNIT, "texture unit", one_of TextureUnit [Texture0 "texture0" = 0x84c0, Texture1 "texture1" = 0x84c1];
    #[doc = "Parameters of the texture environment mode `combine`."]
    TEX_ENV_PARAMETER, "texture environment parameter", one_of TexEnvParameter [CombineRgb "combine_rgb" = 0x8571, CombineAlpha "combine_alpha" = 0x8572, Src0Rgb "src0_rgb" = 0x8580, Src1Rgb "src1_rgb" = 0x8581, Src2Rgb "src2_rgb" = 0x8582, Src0Alpha "src0_alpha" = 0x8588, Src1Alpha "src1_alpha" = 0x8589, Src2Alpha "src2_alpha" = 0x858a, Operand0Rgb "operand0_rgb" = 0x8590, Operand1Rgb "operand1_rgb" = 0x8591, Operand2Rgb "operand2_rgb" = 0x8592, Operand0Alpha "operand0_alpha" = 0x8598, Operand1Alpha "operand1_alpha" = 0x8599, Operand2Alpha "operand2_alpha" = 0x859a];
    #[doc = "Values of the parameters of `combine`: functions for combine_*, sources for src*, operands for operand*; dot products for combine_rgb only, colors for operand*_rgb only."]
    TEX_ENV_VALUE, "texture environment value", one_of TexEnvValue [SrcColor "src_color" = 0x300, OneMinusSrcColor "one_minus_src_color" = 0x301, SrcAlpha "src_alpha" = 0x302, OneMinusSrcAlpha "one_minus_src_alpha" = 0x303, Add "add" = 0x0104, Texture "texture" = 0x1702, Replace "replace" = 0x1e01, Modulate "modulate" = 0x2100, Texture0 "texture0" = 0x84c0, Texture1 "texture1" = 0x84c1, Subtract "subtract" = 0x84e7, AddSigned "add_signed" = 0x8574, Interpolate "interpolate" = 0x8575, Constant "constant" = 0x8576, PrimaryColor "primary_color" = 0x8577, Previous "previous" = 0x8578, Dot3Rgb "dot3_rgb" = 0x86ae, Dot3Rgba "dot3_rgba" = 0x86af];
    #[doc = "Scales of the texture environment mode `combine`."]
    TEX_ENV_SCALE, "texture environment scale", one_of TexEnvScale [AlphaScale "alpha_scale" = 0x0d1c, RgbScale "rgb_scale" = 0x8573];
    #[doc = "Texture coordinates."]
    TEX_COORDINATE, "texture coordinate", one_of TexCoordinate [S "s" = 0x2000, T "t" = 0x2001, R "r" = 0x2002, Q "q" = 0x2003];
    #[doc = "How texture coordinates are generated; `sphere_map` for s and t only."]
    TEX_GEN_MODE, "texture generation mode", one_of TexGenMode [EyeLinear "eye_linear" = 0x2400, ObjectLinear "object_linear" = 0x2401, SphereMap "sphere_map" = 0x2402];
    #[doc = "Planes that texture coordinates are generated from."]
    TEX_GEN_PLANE, "texture generation plane", one_of TexGenPlane [ObjectPlane "object_plane" = 0x2501, EyePlane "eye_plane" = 0x2502];
    #[doc = "Blend equations."]
    BLEND_EQUATION, "blend equation", one_of BlendEquation [Add "func_add" = 0x8006, Min "min" = 0x8007, Max "max" = 0x8008, Subtract "func_subtract" = 0x800a, ReverseSubtract "func_reverse_subtract" = 0x800b];
    #[doc = "Logical operations on colors."]
    LOGIC_OP, "logic op", one_of LogicOp [Clear "clear" = 0x1500, And "and" = 0x1501, AndReverse "and_reverse" = 0x1502, Copy "copy" = 0x1503, AndInverted "and_inverted" = 0x1504, Noop "noop" = 0x1505, Xor "xor" = 0x1506, Or "or" = 0x1507, Nor "nor" = 0x1508, Equiv "equiv" = 0x1509, Invert "invert" = 0x150a, OrReverse "or_reverse" = 0x150b, CopyInverted "copy_inverted" = 0x150c, OrInverted "or_inverted" = 0x150d, Nand "nand" = 0x150e, Set "set" = 0x150f];
    #[doc = "What happens to the stencil buffer."]
    STENCIL_OP, "stencil op", one_of StencilOp [Zero "zero" = 0, Invert "invert" = 0x150a, Keep "keep" = 0x1e00, Replace "replace" = 0x1e01, Incr "incr" = 0x1e02, Decr "decr" = 0x1e03, IncrWrap "incr_wrap" = 0x8507, DecrWrap "decr_wrap" = 0x8508];
    #[doc = "How polygons are drawn."]
    POLYGON_MODE, "polygon mode", one_of PolygonMode [Point "point" = 0x1b00, Line "line" = 0x1b01, Fill "fill" = 0x1b02];
    #[doc = "Point parameters."]
    POINT_PARAMETER, "point parameter", one_of PointParameter [SizeMin "size_min" = 0x8126, SizeMax "size_max" = 0x8127, FadeThresholdSize "fade_threshold_size" = 0x8128, DistanceAttenuation "distance_attenuation" = 0x8129];
    #[doc = "Clip planes."]
    CLIP_PLANE, "clip plane", one_of ClipPlane [ClipPlane0 "clip_plane0" = 0x3000, ClipPlane1 "clip_plane1" = 0x3001, ClipPlane2 "clip_plane2" = 0x3002, ClipPlane3 "clip_plane3" = 0x3003, ClipPlane4 "clip_plane4" = 0x3004, ClipPlane5 "clip_plane5" = 0x3005];
    #[doc = "Fog modes."]
    FOG_MODE, "fog mode", one_of FogMode [Exp "exp" = 0x800, Exp2 "exp2" = 0x801, Linear "linear" = 0x2601];
    #[doc = "Fog parameters."]
    FOG_PARAMETER, "fog parameter", one_of FogParameter [Density "density" = 0x0b62, Start "start" = 0x0b63, End "end" = 0x0b64, Color "color" = 0x0b66];
    #[doc = "Attribute groups of glPushAttrib. Groups of state that Blink has not may be named too."]
    ATTRIB_GROUP, "attribute groups", bits AttribGroup [CURRENT "current" = 0x1, POINT "point" = 0x2, LINE "line" = 0x4, POLYGON "polygon" = 0x8, POLYGON_STIPPLE "polygon_stipple" = 0x10, PIXEL_MODE "pixel_mode" = 0x20, LIGHTING "lighting" = 0x40, FOG "fog" = 0x80, DEPTH_BUFFER "depth_buffer" = 0x100, ACCUM_BUFFER "accum_buffer" = 0x200, STENCIL_BUFFER "stencil_buffer" = 0x400, VIEWPORT "viewport" = 0x800, TRANSFORM "transform" = 0x1000, ENABLE "enable" = 0x2000, COLOR_BUFFER "color_buffer" = 0x4000, HINT "hint" = 0x8000, EVAL "eval" = 0x10000, LIST "list" = 0x20000, TEXTURE "texture" = 0x40000, SCISSOR "scissor" = 0x80000];
    #[doc = "What glHint is about."]
    HINT_TARGET, "hint target", one_of HintTarget [PerspectiveCorrection "perspective_correction" = 0x0c50, PointSmooth "point_smooth" = 0x0c51, LineSmooth "line_smooth" = 0x0c52, PolygonSmooth "polygon_smooth" = 0x0c53, Fog "fog" = 0x0c54, GenerateMipmap "generate_mipmap" = 0x8192];
    #[doc = "Hints."]
    HINT_MODE, "hint", one_of HintMode [DontCare "dont_care" = 0x1100, Fastest "fastest" = 0x1101, Nicest "nicest" = 0x1102];
    #[doc = "Vertex arrays."]
    ARRAY, "array", one_of Array [Vertex "vertex" = 0x8074, Normal "normal" = 0x8075, Color "color" = 0x8076, TexCoord0 "tex_coord0" = 0x8078, TexCoord1 "tex_coord1" = 0x8079];
    #[doc = "Types of a vertex array's components. Integers of colors and normals stand for -1 to 1, or 0 to 1 without sign."]
    ARRAY_DATA, "array data", one_of ArrayData [Byte "byte" = 0x1400, UnsignedByte "unsigned_byte" = 0x1401, Short "short" = 0x1402, UnsignedShort "unsigned_short" = 0x1403, Int "int" = 0x1404, UnsignedInt "unsigned_int" = 0x1405, Float "float" = 0x1406, Double "double" = 0x140a];
    #[doc = "Types of indices."]
    INDEX_DATA, "index data", one_of IndexData [UnsignedByte "unsigned_byte" = 0x1401, UnsignedShort "unsigned_short" = 0x1403, UnsignedInt "unsigned_int" = 0x1405];
    #[doc = "Values of texture parameters."]
    TEX_VALUE, "texture value", one_of TexValue [Nearest "nearest" = 0x2600, Linear "linear" = 0x2601, NearestMipmapNearest "nearest_mipmap_nearest" = 0x2700, LinearMipmapNearest "linear_mipmap_nearest" = 0x2701, NearestMipmapLinear "nearest_mipmap_linear" = 0x2702, LinearMipmapLinear "linear_mipmap_linear" = 0x2703, Clamp "clamp" = 0x2900, Repeat "repeat" = 0x2901, ClampToEdge "clamp_to_edge" = 0x812f, MirroredRepeat "mirrored_repeat" = 0x8370];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_sorted() {
        for pair in OPS.windows(2) {
            assert!(pair[0].op.code() < pair[1].op.code(), "{} before {}", pair[0].name, pair[1].name);
        }
        for row in OPS {
            assert_eq!(Op::from_code(row.op.code()), Some(row.op));
            assert_eq!(Op::from_name(row.name), Some(row.op), "{} is not unique", row.name);
            assert_eq!(row.op.info().name, row.name);
            assert_eq!((row.op.class(), row.class.op()), (row.class, row.op));
            assert!(row.operands.len() <= crate::limits::MAX_OPERANDS);
            assert!(row.cost > 0, "{} is free, so nothing bounds it", row.name);
            assert!(
                row.operands.iter().skip(1).all(|o| o.kind != Kind::Dst),
                "{}: the written register comes first",
                row.name
            );
        }
        assert_eq!(Op::from_code(0), None);
        assert_eq!(Op::from_code(u16::MAX), None);
    }

    #[test]
    fn external_codes_are_dense() {
        for (i, &e) in External::ALL.iter().enumerate() {
            assert_eq!(e as usize, i);
        }
    }
}
