//! A stored procedure while C calls record it: checks each argument against the op table, and follows what decides how
//! later calls are recorded.

use crate::error::{Mistake, gl};
use crate::value::{Value, single};
use blinkgl::gl::{AttribGroup, Capability, MatrixMode, TextureUnit};
use blinkgl::ops::{BeginOp, Callback, Class, EndOp, Kind, ListDefinitionOp, Op, StateOp};
use blinkgl::record::Label;
use blinkgl::wire::Arg;
use blinkgl::{RecordError, Recorder, WireProgram};
use verifier::VerifyError;

/// Matrix mode and active texture unit: what each callback and each list starts with, and what OpenGL programs
/// leave for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// `GL_MODELVIEW`...
    pub matrix_mode: u32,
    /// `GL_TEXTURE0`...
    pub unit: u32,
}

impl Default for Selected {
    fn default() -> Selected {
        Selected { matrix_mode: MatrixMode::Modelview.value(), unit: TextureUnit::Texture0.value() }
    }
}

/// A display list while it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// Its name.
    pub name: u32,
    /// What is selected outside of it.
    outside: Selected,
    /// What its calls rely on.
    pub needs: Needs,
    /// What it has selected by itself.
    own: Needs,
}

/// What a list's meaning depends on. OpenGL takes it from where the list is called, and Blink always begins a list with
/// [`Selected::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The matrix mode.
    pub matrix_mode: bool,
    /// The active texture unit.
    pub unit: bool,
}

/// What a state op has to do with what is selected.
enum Selection {
    /// Selects the matrix mode.
    MatrixMode,
    /// Selects the texture unit.
    Unit,
    /// Saves what is selected.
    Push,
    /// Restores what was saved.
    Pop,
    /// Depends on the matrix mode.
    NeedsMatrixMode,
    /// Depends on the texture unit.
    NeedsUnit,
    /// Depends on the texture unit, if the capability does.
    Switch,
    /// Nothing.
    None,
}

impl Selection {
    fn of(op: StateOp) -> Selection {
        use StateOp::*;
        match op {
            MatrixMode => Selection::MatrixMode,
            ActiveTexture => Selection::Unit,
            PushAttrib => Selection::Push,
            PopAttrib => Selection::Pop,
            LoadIdentity | LoadMatrix | MultMatrix | PushMatrix | PopMatrix | Translate | Rotate | Scale
            | Frustum | Ortho => Selection::NeedsMatrixMode,
            BindTexture | TexEnvMode | TexEnvColor | TexEnvCombine | TexEnvScale | TexGenMode
            | TexGenPlane | TexParameter => Selection::NeedsUnit,
            Enable | Disable => Selection::Switch,
            ShadeModel | CullFace | FrontFace | DepthFunc | DepthMask | DepthRange | ColorMask
            | BlendFunc | Scissor | Viewport | ClearColor | ClearDepth | PointSize | LineWidth
            | BlendFuncSeparate | BlendEquation | BlendColor | LogicOp | AlphaFunc | StencilFunc
            | StencilOp | StencilMask | ClearStencil | PolygonMode | PolygonOffset | PointParameter
            | ClipPlane | FogMode | Fog | Light | LightModel | ColorMaterial | Hint | ArrayPointer
            | EnableArray => Selection::None,
        }
    }
}

/// Is it switched for a texture unit?
fn is_of_unit(capability: u32) -> bool {
    use Capability::*;
    match Capability::from_value(capability) {
        Some(Texture2d | TextureGenS | TextureGenT | TextureGenR | TextureGenQ) => true,
        Some(
            CullFace | Lighting | ColorMaterial | Fog | DepthTest | StencilTest | Normalize | AlphaTest
            | Dither | Blend | ColorLogicOp | ScissorTest | PolygonOffsetPoint | PolygonOffsetLine
            | PolygonOffsetFill | ClipPlane0 | ClipPlane1 | ClipPlane2 | ClipPlane3 | ClipPlane4 | ClipPlane5
            | RescaleNormal | Light0 | Light1 | Light2 | Light3 | Light4 | Light5 | Light6 | Light7,
        )
        | None => false,
    }
}

impl List {
    /// A call in the list needs this.
    pub fn add(&mut self, needs: Needs) {
        self.needs.matrix_mode |= needs.matrix_mode && !self.own.matrix_mode;
        self.needs.unit |= needs.unit && !self.own.unit;
    }
}

/// A procedure while it is recorded.
#[derive(Debug)]
pub struct Recording {
    /// For what.
    pub callback: Callback,
    /// The program. What is recorded here directly needs [`Recording::credit`] after it.
    pub p: Recorder,
    /// For each op the call that recorded it.
    calls: Vec<&'static str>,
    /// At this place of the program.
    pub selected: Selected,
    /// Between `glBegin` and `glEnd`.
    pub in_begin: bool,
    /// The list that is being defined.
    pub list: Option<List>,
    /// For each `glPushAttrib`: its groups, and what was selected.
    pushed: Vec<(u32, Selected)>,
    /// What the program's array pointers and switches are, if known: see `arrays`.
    pub arrays: [Option<[u32; 5]>; 5],
    /// Labels by the number that C has.
    pub labels: Vec<Label>,
}

/// A finished program, and the call that recorded each of its ops.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The program.
    pub program: WireProgram,
    /// Calls by op index.
    pub calls: Vec<&'static str>,
}

/// The value sets of the table are those of OpenGL, but for what is Blink's own.
fn enum_mistake(kind: &str, value: u32) -> Mistake {
    Mistake::new(gl::INVALID_ENUM, format!("Blink has no {kind} {value:#06x}"))
}

impl Recording {
    /// An empty program.
    pub fn new(callback: Callback) -> Recording {
        Recording {
            callback,
            p: Recorder::new(),
            calls: Vec::new(),
            selected: Selected::default(),
            in_begin: false,
            list: None,
            pushed: Vec::new(),
            arrays: [None; 5],
            labels: Vec::new(),
        }
    }

    /// Names the call that recorded what is new.
    pub fn credit(&mut self, call: &'static str) {
        self.calls.resize(self.p.op_count(), call);
    }

    /// Can an op of this kind stand here?
    pub fn check(&self, op: Op) -> Result<(), Mistake> {
        let row = op.info();
        if self.in_begin && !row.class.inside_begin() {
            return Err(Mistake::operation("not between glBegin and glEnd"));
        }
        match row.class {
            Class::Vertex(_) | Class::End(_) if !self.in_begin => {
                return Err(Mistake::operation("only between glBegin and glEnd"));
            }
            Class::Begin(_) | Class::Draw(_) | Class::ListCall(_)
                if self.callback != Callback::Redraw && self.list.is_none() =>
            {
                return Err(Mistake::operation(
                    "only the redraw callback (GLUT's display function) draws, or a display list",
                ));
            }
            Class::State(_) | Class::Attribute(_) if self.callback == Callback::Input => {
                return Err(Mistake::operation("the input callback has no OpenGL"));
            }
            Class::ListDefinition(_) if matches!(self.callback, Callback::Redraw | Callback::Input) => {
                return Err(Mistake::operation("display lists are defined in init, reshape or update"));
            }
            Class::Compute(_) | Class::Read(_) | Class::Signal(_) | Class::Jump(_) if self.list.is_some() => {
                return Err(Mistake::operation(
                    "not in a display list: registers are worked on outside of it",
                ));
            }
            Class::Compute(_)
            | Class::Read(_)
            | Class::Signal(_)
            | Class::Jump(_)
            | Class::State(_)
            | Class::Attribute(_)
            | Class::Vertex(_)
            | Class::Begin(_)
            | Class::End(_)
            | Class::Draw(_)
            | Class::ListDefinition(_)
            | Class::ListCall(_) => {}
        }
        Ok(())
    }

    /// Records an op.
    pub fn put(&mut self, call: &'static str, op: Op, values: &[Value]) -> Result<(), Mistake> {
        self.check(op)?;
        let row = op.info();
        let mut args = Vec::with_capacity(values.len());
        for (value, operand) in values.iter().zip(row.operands) {
            args.push(argument(*value, operand.kind)?);
        }
        self.p.instruction(op, &args);
        self.credit(call);
        self.follow(op, &args);
        Ok(())
    }

    fn follow(&mut self, op: Op, args: &[Arg]) {
        let first = match args.first() {
            Some(Arg::Const(word)) => *word,
            Some(Arg::Reg(_)) | None => 0,
        };
        match op.class() {
            Class::State(op) => self.follow_state(op, first),
            Class::Begin(BeginOp::Begin) => self.in_begin = true,
            Class::End(EndOp::End) => self.in_begin = false,
            Class::ListDefinition(ListDefinitionOp::NewList) => {
                let (outside, needs) = (self.selected, Needs::default());
                self.list = Some(List { name: first, outside, needs, own: needs });
                self.selected = Selected::default();
            }
            Class::ListDefinition(ListDefinitionOp::EndList) => {
                if let Some(list) = self.list.take() {
                    self.selected = list.outside;
                }
            }
            // These select nothing, and need nothing that is selected.
            Class::Compute(_)
            | Class::Read(_)
            | Class::Signal(_)
            | Class::Jump(_)
            | Class::Attribute(_)
            | Class::Vertex(_)
            | Class::Draw(_)
            | Class::ListCall(_) => {}
        }
    }

    fn follow_state(&mut self, op: StateOp, first: u32) {
        let list = self.list.as_mut();
        match Selection::of(op) {
            Selection::MatrixMode => {
                self.selected.matrix_mode = first;
                if let Some(list) = list {
                    list.own.matrix_mode = true;
                }
            }
            Selection::Unit => {
                self.selected.unit = first;
                if let Some(list) = list {
                    list.own.unit = true;
                }
            }
            Selection::Push => self.pushed.push((first, self.selected)),
            Selection::Pop => {
                let Some((groups, selected)) = self.pushed.pop() else { return };
                if groups & AttribGroup::TRANSFORM.value() != 0 {
                    self.selected.matrix_mode = selected.matrix_mode;
                }
                if groups & AttribGroup::TEXTURE.value() != 0 {
                    self.selected.unit = selected.unit;
                }
            }
            Selection::NeedsMatrixMode => {
                if let Some(list) = list {
                    list.add(Needs { matrix_mode: true, unit: false });
                }
            }
            Selection::NeedsUnit => {
                if let Some(list) = list {
                    list.add(Needs { matrix_mode: false, unit: true });
                }
            }
            Selection::Switch => {
                if let Some(list) = list {
                    list.add(Needs { matrix_mode: false, unit: is_of_unit(first) });
                }
            }
            Selection::None => {}
        }
    }

    /// Makes the program select what the C program has selected.
    pub fn select(&mut self, call: &'static str, wanted: Selected) -> Result<(), Mistake> {
        if self.selected.matrix_mode != wanted.matrix_mode {
            self.put(call, Op::MatrixMode, &[wanted.matrix_mode.into()])?;
        }
        if self.selected.unit != wanted.unit {
            self.put(call, Op::ActiveTexture, &[wanted.unit.into()])?;
        }
        Ok(())
    }

    /// Ends the recording. What is wrong names the call that recorded it.
    pub fn finish(self) -> Result<Recorded, Mistake> {
        let Recording { p, calls, .. } = self;
        match p.finish() {
            Ok(program) => Ok(Recorded { program, calls }),
            Err(error @ RecordError::TooLong { .. }) => {
                Err(Mistake::new(gl::OUT_OF_MEMORY, error.to_string()))
            }
            Err(error) => Err(Mistake::new(gl::INVALID_OPERATION, error.to_string())),
        }
    }
}

impl Recorded {
    /// Verifies it as the server will.
    pub fn verify(self, callback: Callback) -> Result<WireProgram, Mistake> {
        let Recorded { program, calls } = self;
        match verifier::verify(program.clone(), callback) {
            Ok(_) => Ok(program),
            Err(error) => Err(Mistake::operation(refusal(&calls, &error))),
        }
    }
}

fn refusal(calls: &[&'static str], error: &VerifyError) -> String {
    let at = usize::try_from(error.op_index).ok().and_then(|index| calls.get(index));
    let call = at.map_or("at its end".to_owned(), |call| format!("at {call}"));
    format!("the procedure is wrong {call}: {error}")
}

/// What a value becomes as an operand of a kind.
fn argument(value: Value, kind: Kind) -> Result<Arg, Mistake> {
    let register = |what: &str| Err(Mistake::new(gl::INVALID_VALUE, format!("{what} can't be a register")));
    match (value, kind) {
        (Value::Bad(found), _) => {
            Err(Mistake::new(gl::INVALID_VALUE, format!("{found} is no register, and no value")))
        }
        (Value::Register(reg), Kind::Dst | Kind::Float | Kind::Int | Kind::Raw) => Ok(Arg::Reg(reg)),
        (Value::Register(_), Kind::Enum(set) | Kind::Bits(set)) => register(set.name),
        (
            Value::Register(_),
            Kind::Bool | Kind::Texture | Kind::Buffer | Kind::Count | Kind::List | Kind::Label,
        ) => register("this"),
        (Value::Float(number), Kind::Float | Kind::Raw) => Ok(Arg::from(number)),
        (Value::Int(number), Kind::Float | Kind::Raw) => Ok(Arg::from(single(number.into()))),
        (Value::Bits(number), Kind::Float) => Ok(Arg::from(single(number.into()))),
        (Value::Int(number), Kind::Int) => Ok(Arg::from(number)),
        (Value::Float(number), Kind::Int) => Ok(Arg::from(truncated(number))),
        (Value::Bits(bits), Kind::Int | Kind::Raw) => Ok(Arg::Const(bits)),
        (Value::Float(number), _) => argument(Value::Int(truncated(number)), kind),
        (Value::Int(number), _) => argument(Value::Bits(number.cast_unsigned()), kind),
        (Value::Bits(bits), Kind::Enum(set)) => {
            if set.contains(bits) {
                Ok(Arg::Const(bits))
            } else {
                Err(enum_mistake(set.name, bits))
            }
        }
        (Value::Bits(bits), Kind::Bits(set)) => match bits & !set.all_bits() {
            0 => Ok(Arg::Const(bits)),
            unknown => Err(Mistake::new(
                gl::INVALID_VALUE,
                format!("Blink has no {} with the bits {unknown:#06x}", set.name),
            )),
        },
        (Value::Bits(bits), Kind::Bool) => Ok(Arg::Const(u32::from(bits != 0))),
        (Value::Bits(bits), Kind::Texture | Kind::Buffer | Kind::Count | Kind::List | Kind::Label) => {
            Ok(Arg::Const(bits))
        }
        (Value::Bits(_), Kind::Dst) => {
            Err(Mistake::new(gl::INVALID_VALUE, "a register is written, not a number".to_owned()))
        }
    }
}

/// As registers become integers: truncated, saturating, NaN to 0.
#[allow(clippy::cast_possible_truncation, reason = "saturating is meant")]
fn truncated(number: f32) -> i32 {
    number as i32
}
