//! An oracle of the verifier's facts: walks one path of a program instruction by instruction, with jumps taken at random,
//! where the verifier joins all paths; what it sees must not be against the facts.
//!
//! Where a program has no jumps there is but one path, and the facts must say exactly what happens on it.

mod seen;

use crate::{Mismatch, ensure};
use blinkgl::limits::{ATTRIB_STACK, MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK};
use blinkgl::ops::{
    AttributeOp, BeginOp, Class, DrawOp, EndOp, JumpOp, Kind, ListCallOp, ListDefinitionOp, ReadOp, SignalOp,
    StateOp, VertexOp,
};
use blinkgl::wire::{self, HEADER_WORDS};
use fastrand::Rng;
use seen::{Confines, Saved, Seen, add, assembled, happened};
use verifier::{Occurs, PrimitiveFacts, RegisterWork, VerifiedProgram};

/// A primitive as it is walked through.
#[derive(Clone, Copy, Debug)]
struct Primitive {
    facts: PrimitiveFacts,
}

/// Follows runs of register work: as long as they can be, and never jumped into.
struct Works<'a> {
    facts: &'a [RegisterWork],
    /// The run at hand: where it began, and how many instructions it has.
    open: Option<(usize, u32)>,
}

impl Works<'_> {
    fn instruction(&mut self, offset: usize, class: Class, targets: &[u32]) -> Result<(), Mismatch> {
        if targets.binary_search(&(offset as u32)).is_ok() {
            self.end(offset)?;
        }
        if !matches!(class, Class::Compute(_) | Class::Read(_)) {
            return self.end(offset);
        }
        let (begin, instructions) = self.open.unwrap_or((offset, 0));
        self.open = Some((begin, instructions + 1));
        Ok(())
    }

    /// After a jump nothing is open: it is no register work, and what follows may have been jumped over.
    fn jumped(&mut self) {
        self.open = None;
    }

    fn end(&mut self, offset: usize) -> Result<(), Mismatch> {
        let Some((begin, instructions)) = self.open.take() else { return Ok(()) };
        let seen = RegisterWork { begin: begin as u32, end: offset as u32, instructions };
        while let Some((first, rest)) = self.facts.split_first()
            && first.begin < seen.begin
        {
            self.facts = rest;
        }
        let said = self.facts.first();
        ensure!(said == Some(&seen), "facts", "register work {said:?} for {seen:?}");
        Ok(())
    }
}

/// What a path did that is of the whole program.
#[derive(Debug, Default)]
struct Whole {
    externals: u32,
    uses_time: bool,
    signals: [bool; 3],
    defined: Vec<(u32, u32)>,
}

/// Walks one path, and holds what it sees against the facts.
pub fn walk(rng: &mut Rng, verified: &VerifiedProgram) -> Result<(), Mismatch> {
    use AttributeOp::{Color4, Material, MultiTexCoord4, Normal3, TexCoord2, TexCoord4};
    let words = verified.words();
    let facts = verified.facts();
    let capacity = [MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK, TEXTURE_STACK];
    let exact = verified.jump_targets().is_empty();
    let mut works = Works { facts: &facts.works, open: None };
    let mut body = Seen::new(Confines::random(rng));
    let mut outer: Option<(Seen, u32, usize)> = None;
    let mut primitive: Option<Primitive> = None;
    let mut primitives = facts.primitives.iter();
    let mut whole = Whole::default();
    let mut offset = HEADER_WORDS;
    let mut steps = 0;
    while offset < words.len() {
        steps += 1;
        ensure!(steps <= facts.instructions, "facts", "more than {} steps", facts.instructions);
        let instruction = match wire::decode(words, offset) {
            Ok(Some(instruction)) => instruction,
            other => return Err(Mismatch::new("shape", format!("word {offset}: {other:?}"))),
        };
        let (info, args) = (instruction.info, instruction.args);
        works.instruction(offset, info.class, verified.jump_targets())?;
        ensure!(
            u32::from(instruction.mask) >> args.len() == 0,
            "shape",
            "word {offset}: mask {:#x}",
            instruction.mask
        );
        let (mut written, mut named) = (0, 0);
        for (i, operand) in info.operands.iter().enumerate() {
            let value = args[i];
            if instruction.is_register(i) {
                let good = operand.kind.takes_register() && value < 32;
                ensure!(good, "shape", "word {offset}: operand {i} is register {value}");
                named |= 1 << value;
                if operand.kind == Kind::Dst {
                    written = 1 << value;
                } else {
                    body.read |= (1 << value) & !body.written;
                }
            } else {
                let good = match operand.kind {
                    Kind::Dst => false,
                    Kind::Enum(set) => set.contains(value),
                    Kind::Bits(set) => value & !set.all_bits() == 0,
                    Kind::Bool => value < 2,
                    Kind::List => (1..1025).contains(&value),
                    Kind::Label => value as usize > offset + args.len() && value as usize <= words.len(),
                    Kind::Float | Kind::Int | Kind::Raw | Kind::Texture | Kind::Buffer | Kind::Count => true,
                };
                ensure!(good, "shape", "word {offset}: operand {i} is {value:#x}");
            }
        }
        body.written |= written;
        ensure!(written & !facts.registers_written == 0, "facts", "writes register set {written:#x}");
        let in_list = outer.is_some();
        let ends_list = matches!(info.class, Class::ListDefinition(ListDefinitionOp::EndList));
        let placed = if in_list {
            info.class.in_list() || ends_list
        } else {
            info.class.allowed_in(verified.callback())
        };
        let placed = placed && (primitive.is_none() || info.class.inside_begin());
        ensure!(placed, "place", "word {offset}: {} may not stand there", info.op);
        if let Some(primitive) = &mut primitive {
            let facts = &mut primitive.facts;
            facts.vertices += u32::from(matches!(info.class, Class::Vertex(_)));
            facts.registers |= named;
            facts.plain &= match info.class {
                Class::Vertex(_) | Class::End(_) => true,
                Class::Attribute(Normal3 | Color4 | TexCoord2 | TexCoord4 | MultiTexCoord4) => true,
                Class::Attribute(Material) => false,
                Class::Compute(_)
                | Class::Read(_)
                | Class::Signal(_)
                | Class::Jump(_)
                | Class::State(_)
                | Class::Begin(_)
                | Class::Draw(_)
                | Class::ListDefinition(_)
                | Class::ListCall(_) => false,
            };
        }
        let mut next = offset + instruction.words();
        if !ends_list {
            add(&mut body.cost, info, args);
        }
        match info.class {
            Class::Jump(op) => {
                works.jumped();
                match op {
                    JumpOp::Jmp => next = args[0] as usize,
                    JumpOp::JmpIf => {
                        if rng.bool() {
                            next = args[3] as usize;
                        }
                    }
                }
            }
            Class::Begin(BeginOp::Begin) => {
                ensure!(primitive.is_none(), "place", "word {offset}: begin in begin");
                let begin = offset as u32;
                let empty =
                    PrimitiveFacts { begin, end: 0, mode: args[0], vertices: 0, plain: true, registers: 0 };
                primitive = Some(Primitive { facts: empty });
                body.draws = true;
            }
            Class::End(EndOp::End) => {
                let Some(Primitive { facts: mut seen }) = primitive.take() else {
                    return Err(Mismatch::new("place", format!("word {offset}: end without begin")));
                };
                seen.end = next as u32;
                body.cost.assembled += assembled(seen.mode, seen.vertices);
                // Others may have been jumped over.
                let said = primitives.find(|said| said.begin >= seen.begin);
                ensure!(said == Some(&seen), "facts", "{said:?} for {seen:?}");
            }
            Class::Vertex(VertexOp::Vertex2 | VertexOp::Vertex3 | VertexOp::Vertex4) => {
                ensure!(primitive.is_some(), "place", "word {offset}: a vertex outside of begin and end");
            }
            Class::ListDefinition(ListDefinitionOp::NewList) => {
                ensure!(!in_list, "place", "word {offset}: a list in a list");
                let list = Seen::new(Confines::random(rng));
                outer = Some((std::mem::replace(&mut body, list), args[0], next));
            }
            Class::ListDefinition(ListDefinitionOp::EndList) => {
                let Some((program, name, start)) = outer.take() else {
                    return Err(Mismatch::new("place", format!("word {offset}: end_list without new_list")));
                };
                let good = primitive.is_none() && (body.mode, body.unit) == (0, 0);
                ensure!(
                    good,
                    "place",
                    "word {offset}: the list ends in mode {}, unit {}",
                    body.mode,
                    body.unit
                );
                let list = std::mem::replace(&mut body, program);
                let range = start as u32..offset as u32;
                let known = facts.lists.iter().find(|l| l.name == name && l.words == range);
                let Some(known) = known else {
                    return Err(Mismatch::new("facts", format!("list {name} at {range:?} is not known")));
                };
                list.agrees(&known.body, true)?;
                whole.defined.push((name, start as u32));
                add(&mut body.cost, info, args);
            }
            Class::State(op) => state(op, &mut body, &instruction, offset, capacity)?,
            Class::Draw(op) => match op {
                DrawOp::Clear => body.clear(offset, args[0]),
                DrawOp::DrawArrays => body.draws = true,
                DrawOp::DrawElements => {
                    body.draws = true;
                    body.buffers.push(args[3]);
                }
            },
            Class::ListCall(ListCallOp::CallList) => {
                let good = (body.mode, body.unit) == (0, 0);
                ensure!(good, "place", "word {offset}: called in mode {}, unit {}", body.mode, body.unit);
                body.calls.push(args[0]);
                body.draws = true;
                // It may leave anything behind.
                body.confines = Confines::random(rng);
            }
            Class::Signal(op) => {
                let did = match op {
                    SignalOp::RequestFrame => &mut whole.signals[0],
                    SignalOp::Damage => &mut whole.signals[1],
                    SignalOp::Notify => &mut whole.signals[2],
                };
                *did = true;
            }
            Class::Read(op) => match op {
                ReadOp::Read => {
                    whole.externals |= 1 << args[1];
                    whole.uses_time |= args[1] < 2;
                }
                ReadOp::TimeSince | ReadOp::TimeMod => whole.uses_time = true,
            },
            // Registers were looked at above, and no fact is about attributes.
            Class::Compute(_) | Class::Attribute(_) => {}
        }
        ensure!(next > offset, "place", "word {offset}: jumps to {next}");
        if next != offset + instruction.words() {
            let known = verified.jump_targets().binary_search(&(next as u32)).is_ok();
            ensure!(known, "facts", "word {offset}: jumps to {next}, which is not known to be a target");
            ensure!(primitive.is_none() && outer.is_none(), "place", "word {offset}: jumps out");
        }
        offset = next;
    }
    works.end(offset)?;
    ensure!(offset == words.len(), "place", "ends at word {offset} of {}", words.len());
    ensure!(primitive.is_none() && outer.is_none(), "place", "ends in a primitive or list");
    body.agrees(&facts.body, exact)?;
    let unwritten = facts.registers_always_written & !body.written;
    ensure!(unwritten == 0, "facts", "register set {unwritten:#x} is always written, but was not");
    for ((what, did), occurs) in ["request_frame", "damage", "notify"].into_iter().zip(whole.signals).zip([
        facts.requests_frame,
        facts.damages,
        facts.notifies,
    ]) {
        happened(what, did, occurs)?;
        ensure!(!exact || occurs != Occurs::Maybe, "exact", "{what}: {occurs:?}");
    }
    ensure!(whole.externals & !facts.externals == 0, "facts", "reads externals {:#x}", whole.externals);
    ensure!(facts.uses_time || !whole.uses_time, "facts", "depends on the time");
    for list in &facts.lists {
        let did = whole.defined.contains(&(list.name, list.words.start));
        happened("defines a list", did, list.defined)?;
        ensure!(!exact || list.defined == Occurs::Always, "exact", "list {}: {:?}", list.name, list.defined);
    }
    if exact {
        let said =
            (facts.externals, facts.uses_time, facts.registers_written, facts.registers_always_written);
        let seen = (whole.externals, whole.uses_time, body.written, body.written);
        ensure!(said == seen, "exact", "externals, time, written {said:?} for {seen:?}");
        ensure!(steps == facts.instructions, "exact", "{} instructions for {steps}", facts.instructions);
        ensure!(primitives.next().is_none(), "exact", "more primitives than there are");
    }
    Ok(())
}

fn state(
    op: StateOp,
    body: &mut Seen,
    instruction: &wire::Instruction<'_>,
    offset: usize,
    capacity: [usize; 4],
) -> Result<(), Mismatch> {
    use StateOp::*;
    let args = instruction.args;
    let stack = body.stack();
    match op {
        ArrayPointer => body.buffers.push(args[4]),
        BindTexture => body.textures.push(args[0]),
        ActiveTexture => body.unit = (args[0] - 0x84c0) as usize,
        MatrixMode => body.mode = (args[0] - 0x1700) as usize,
        PushMatrix => {
            body.depth[stack] += 1;
            ensure!(body.depth[stack] <= capacity[stack], "place", "word {offset}: stack {stack} overflows");
            body.peak[stack] = body.peak[stack].max(body.depth[stack]);
        }
        PopMatrix => {
            ensure!(body.depth[stack] > 1, "place", "word {offset}: stack {stack} underflows");
            body.depth[stack] -= 1;
        }
        PushAttrib => {
            let (mode, unit, confines) = (body.mode, body.unit, body.confines);
            body.saved.push(Saved { groups: args[0], mode, unit, confines });
            ensure!(body.saved.len() <= ATTRIB_STACK, "place", "word {offset}: attributes overflow");
        }
        PopAttrib => {
            let Some(saved) = body.saved.pop() else {
                return Err(Mismatch::new("place", format!("word {offset}: attributes underflow")));
            };
            if saved.groups & 0x1000 != 0 {
                body.mode = saved.mode;
            }
            if saved.groups & 0x40000 != 0 {
                body.unit = saved.unit;
            }
            body.confines.restore(saved.groups, saved.confines);
        }
        Scissor => {
            body.uses.scissor = true;
            body.confines.rectangle = true;
        }
        Viewport => body.uses.viewport = true,
        ColorMask => {
            body.uses.color_mask = true;
            body.confines.color = args != [1; 4];
        }
        DepthMask => body.confines.depth = args[0] != 1,
        StencilMask => body.confines.stencil = instruction.mask != 0 || args[0] & 0xff != 0xff,
        Enable => body.capability(args[0], true),
        Disable => body.capability(args[0], false),
        // No fact is about these.
        LoadIdentity | LoadMatrix | MultMatrix | Translate | Rotate | Scale | Frustum | Ortho
        | ShadeModel | CullFace | FrontFace | DepthFunc | DepthRange | BlendFunc | ClearColor
        | ClearDepth | PointSize | LineWidth | BlendFuncSeparate | BlendEquation | BlendColor | LogicOp
        | AlphaFunc | StencilFunc | StencilOp | ClearStencil | PolygonMode | PolygonOffset
        | PointParameter | ClipPlane | FogMode | Fog | Light | LightModel | ColorMaterial | Hint
        | TexEnvMode | TexEnvColor | TexParameter | TexEnvCombine | TexEnvScale | TexGenMode
        | TexGenPlane | EnableArray => {}
    }
    Ok(())
}
