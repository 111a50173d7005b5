//! The pass: each word once, in order. Jumps go forward only, so every path into an instruction is
//! known when the pass gets there.

use crate::cost::{self, Budget, Cost, Needs};
use crate::error::{Detail, Resource, VerifyError};
use crate::facts::{Body, Confinement, Facts, ListFacts, Occurs, Path, PrimitiveFacts, RegisterWork};
use crate::jumps::{Jump, Pending};
use crate::place::Place;
use crate::range::Constants;
use crate::rows::{self, Check};
use alloc::boxed::Box;
use alloc::vec::Vec;
use blinkgl::gl::{Capability, External};
use blinkgl::limits::{MAX_LISTS, MAX_PROGRAM_WORDS, REGISTERS};
use blinkgl::ops::{
    AttributeOp, BeginOp, Callback, Class, DrawOp, EndOp, JumpOp, ListCallOp, ListDefinitionOp, Op, OpInfo,
    ReadOp, SignalOp, StateOp,
};
use blinkgl::planted;
use blinkgl::wire::{self, HEADER_WORDS, MAGIC, VERSION_MAJOR, VERSION_MINOR};

/// What a pass found.
pub(crate) struct Outcome {
    pub(crate) facts: Facts,
    pub(crate) targets: Box<[u32]>,
}

/// Checks a program's words.
pub(crate) fn check(words: &[u32], callback: Callback, budget: Budget) -> Result<Outcome, VerifyError> {
    if let Err((offset, detail)) = header(words) {
        let rule = detail.rule();
        return Err(VerifyError { rule, op_index: 0, offset, op: None, operand: None, detail });
    }
    let mut pass = Pass {
        words,
        needs: Needs::new(budget),
        offset: HEADER_WORDS,
        index: 0,
        place: Place::new(callback),
        primitive: Primitive { mode: 0, begin: 0, before: Cost::default() },
        primitives: Vec::new(),
        seen: Seen::default(),
        work: None,
        works: Vec::new(),
        pending: Pending::new(),
        reachable: true,
        body: Body::new(),
        outer: None,
        lists: Vec::new(),
        targets: Vec::new(),
        registers_written: 0,
        externals: 0,
        uses_time: false,
        requests_frame: Occurs::Never,
        damages: Occurs::Never,
        notifies: Occurs::Never,
    };
    pass.run()?;
    pass.finish()
}

fn header(words: &[u32]) -> Result<(), (u32, Detail)> {
    let &[magic, version, claimed, reserved, ..] = words else {
        return Err((0, Detail::NoHeader { words: words.len() }));
    };
    if magic != MAGIC {
        return Err((0, Detail::Magic { found: magic }));
    }
    let [minor, major] = rows::halves(version);
    if major != VERSION_MAJOR || planted!(MinorVersionIgnored, false, minor > VERSION_MINOR) {
        return Err((1, Detail::Version { major, minor }));
    }
    if planted!(LengthLimitIgnored, words.len() > MAX_PROGRAM_WORDS + 1, words.len() > MAX_PROGRAM_WORDS) {
        return Err((2, Detail::TooLong { words: words.len() }));
    }
    if planted!(LengthIgnored, false, usize::try_from(claimed) != Ok(words.len())) {
        return Err((2, Detail::Length { claimed, real: words.len() }));
    }
    if planted!(ReservedIgnored, false, reserved != 0) {
        return Err((3, Detail::Reserved { found: reserved }));
    }
    Ok(())
}

/// The open `begin`.
struct Primitive {
    mode: u32,
    begin: u32,
    /// Cost of the path when it began.
    before: Cost,
}

/// The body around an open display list.
struct Outer {
    body: Body,
    name: u32,
}

/// What stands since the last `begin`.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// All registers together.
    registers: u32,
    material: bool,
}

struct Pass<'a> {
    words: &'a [u32],
    needs: Needs,
    /// Word offset of the instruction at hand.
    offset: usize,
    /// Its index.
    index: u32,
    place: Place,
    primitive: Primitive,
    primitives: Vec<PrimitiveFacts>,
    seen: Seen,
    /// The run of register work at hand: where it began, and the index of its first instruction.
    work: Option<(usize, u32)>,
    works: Vec<RegisterWork>,
    pending: Pending,
    /// Does any path lead here? If not, `body.path` is that of the `jmp` before, so that dead code is checked too.
    reachable: bool,
    body: Body,
    outer: Option<Box<Outer>>,
    lists: Vec<ListFacts>,
    targets: Vec<u32>,
    registers_written: u32,
    externals: u32,
    uses_time: bool,
    requests_frame: Occurs,
    damages: Occurs,
    notifies: Occurs,
}

/// A fault: the operand, if one is at fault, and what is wrong.
type Fault = (Option<usize>, Detail);

impl Pass<'_> {
    fn run(&mut self) -> Result<(), VerifyError> {
        // A local too: through memory it would add some cycles to where each instruction starts.
        let mut offset = self.offset;
        loop {
            if offset >= self.pending.next {
                planted!(WorkAcrossTarget, (), self.end_work());
                self.arrive()?;
            }
            let Some((&head, rest)) = self.words.get(offset..).and_then(<[u32]>::split_first) else {
                self.end_work();
                return Ok(());
            };
            let [code, mask] = rows::halves(head);
            let row = rows::row(code);
            let needed = usize::from(row.operands);
            let Some(args) = rest.get(..needed) else {
                return Err(self.refused(head, rest));
            };
            if planted!(MaskUnchecked, false, mask & !row.may_register != 0)
                || planted!(WrittenConstant, false, row.must_register & !mask != 0)
                || planted!(PlaceUnchecked, row.kind == 0, row.kind & self.place.allowed == 0)
            {
                return Err(self.refused(head, rest));
            }
            if mask != 0 {
                let Some((first, others)) = registers(mask, args, rest) else {
                    return Err(self.refused(head, rest));
                };
                let (read, written) =
                    if row.must_register == 0 { (first | others, 0) } else { (others, first) };
                self.body.registers_read |= read
                    & !planted!(ReadAfterWrite, self.body.path.written | written, self.body.path.written);
                self.body.path.written |= written;
                self.registers_written |= written;
                self.seen.registers |= first | others;
            }
            if (row.kind & rows::REGISTER_WORK != 0) != self.work.is_some() {
                self.turn();
            }
            self.body.path.cost.add(row.step);
            if !row.plain {
                self.special(code, mask, args)?;
            }
            offset += 1 + needed;
            self.offset = offset;
            self.index += 1;
        }
    }

    /// At the first instruction of a run of register work, or the first one after it.
    #[cold]
    fn turn(&mut self) {
        match self.work {
            Some(_) => self.end_work(),
            None => self.work = Some((self.offset, self.index)),
        }
    }

    /// Register work ends before the instruction at hand, if there was some.
    fn end_work(&mut self) {
        if let Some((begin, first)) = self.work.take()
            && begin < self.offset
        {
            self.works.push(RegisterWork {
                begin: word_offset(begin),
                end: word_offset(self.offset),
                instructions: self.index - first,
            });
        }
    }

    /// What is left of an instruction that is not plain: its constants, and what it does.
    fn special(&mut self, code: u16, mask: u16, args: &[u32]) -> Result<(), VerifyError> {
        let Some((info, checks)) = rows::details(code) else {
            return Err(self.error(None, (None, Detail::UnknownOp { code })));
        };
        for check in checks {
            if let Some(operand) = check.fails(args) {
                return Err(self.error(Some(info.op), constant_fault(check, operand, args)));
            }
        }
        self.effect(info.class, mask, args).map_err(|fault| self.error(Some(info.op), fault))
    }

    /// Why the instruction with this head word is refused before its constants are looked at. `rest`: the words
    /// after it.
    #[cold]
    fn refused(&self, head: u32, rest: &[u32]) -> VerifyError {
        let [code, mask] = rows::halves(head);
        let Some(info) = Op::info_from_code(code) else {
            return self.error(None, (None, Detail::UnknownOp { code }));
        };
        let needed = info.operands.len();
        let fault = match rest.get(..needed) {
            None => (None, Detail::Truncated { needed, found: rest.len() }),
            Some(_) if u32::from(mask) >> needed != 0 => (None, Detail::Mask { mask, operands: needed }),
            Some(args) => {
                register_fault(info, mask, args).unwrap_or_else(|| (None, self.place.refusal(info)))
            }
        };
        self.error(Some(info.op), fault)
    }

    /// What an op means to the verifier. Constants are members of their sets by now.
    fn effect(&mut self, class: Class, mask: u16, args: &[u32]) -> Result<(), Fault> {
        let constants = Constants { mask, args };
        match class {
            // Nothing: see `rows::is_plain`.
            Class::Compute(_) | Class::Vertex(_) => {}
            Class::Attribute(op) => self.attribute(op, constants).map_err(at)?,
            Class::Read(op) => self.read(op, args),
            Class::Signal(op) => self.signal(op),
            Class::Jump(op) => self.jump(op, args)?,
            Class::State(op) => self.state(op, constants)?,
            Class::Begin(BeginOp::Begin) => self.begin(first(args)),
            Class::End(EndOp::End) => self.end(),
            Class::Draw(op) => self.draw(op, constants)?,
            Class::ListDefinition(ListDefinitionOp::NewList) => self.new_list(first(args)).map_err(whole)?,
            Class::ListDefinition(ListDefinitionOp::EndList) => self.end_list().map_err(whole)?,
            Class::ListCall(ListCallOp::CallList) => {
                self.body.path.stacks.call().map_err(whole)?;
                self.body.call_list(first(args));
            }
        }
        Ok(())
    }

    fn attribute(&mut self, op: AttributeOp, constants: Constants<'_>) -> Result<(), (usize, Detail)> {
        match op {
            AttributeOp::Material => {
                self.seen.material = true;
                constants.material()
            }
            AttributeOp::Normal3
            | AttributeOp::Color4
            | AttributeOp::TexCoord2
            | AttributeOp::TexCoord4
            | AttributeOp::MultiTexCoord4 => Ok(()),
        }
    }

    fn read(&mut self, op: ReadOp, args: &[u32]) {
        match op {
            ReadOp::Read => {
                let what = operand(args, 1);
                self.externals |= 1u32.checked_shl(what).unwrap_or(0);
                self.uses_time |= matches!(External::from_code(what), Some(External::Time | External::Frame));
            }
            ReadOp::TimeSince | ReadOp::TimeMod => self.uses_time |= planted!(TimeForgotten, false, true),
        }
    }

    fn signal(&mut self, op: SignalOp) {
        let unconditional = self.unconditional();
        let occurs = match op {
            SignalOp::RequestFrame => &mut self.requests_frame,
            SignalOp::Damage => &mut self.damages,
            SignalOp::Notify => &mut self.notifies,
        };
        occurs.note(unconditional);
    }

    fn begin(&mut self, mode: u32) {
        self.body.draws.note(self.unconditional());
        let before = self.body.path.cost;
        self.primitive = Primitive { mode, begin: word_offset(self.offset), before };
        self.seen = Seen::default();
        self.place.set_begin(Some(self.offset));
    }

    fn end(&mut self) {
        let cost = &mut self.body.path.cost;
        let source = cost.vertices - self.primitive.before.vertices;
        // At most three for each of a program's words.
        let assembled = cost::assembled(self.primitive.mode, source);
        cost.assembled += planted!(AssembledForgotten, 0, u32::try_from(assembled).unwrap_or(0));
        self.place.set_begin(None);
        // `end` itself is a GL call too. What is none is register work.
        let (now, before) = (self.body.path.cost, self.primitive.before);
        let is_gl = now.ops - before.ops == now.gl_calls - before.gl_calls;
        let Seen { registers, material } = self.seen;
        self.primitives.push(PrimitiveFacts {
            begin: self.primitive.begin,
            end: word_offset(self.offset + 1),
            mode: self.primitive.mode,
            vertices: source,
            plain: is_gl && planted!(PlainMaterial, true, !material),
            registers,
        });
    }

    fn state(&mut self, op: StateOp, constants: Constants<'_>) -> Result<(), Fault> {
        use StateOp::*;
        let Constants { mask, args } = constants;
        let first = first(args);
        match op {
            MatrixMode => self.body.path.stacks.set_mode(first),
            ActiveTexture => self.body.path.stacks.set_unit(first),
            PushMatrix => self.body.path.stacks.push().map_err(whole)?,
            PopMatrix => self.body.path.stacks.pop().map_err(whole)?,
            PushAttrib => self.body.push_attributes(first).map_err(whole)?,
            PopAttrib => self.body.pop_attributes().map_err(whole)?,
            Frustum => constants.frustum().map_err(at)?,
            Ortho => constants.ortho().map_err(at)?,

            Enable => self.capability(first, true),
            Disable => self.capability(first, false),
            DepthMask => self.body.path.depth_mask = open_if(first == 1),
            StencilMask => {
                self.body.path.stencil_mask = open_if(mask == 0 && first & STENCIL_BITS == STENCIL_BITS);
            }
            ColorMask => {
                self.body.uses.color_mask = true;
                self.body.path.color_mask = open_if(args.iter().all(|&write| write == 1));
            }
            Scissor => {
                constants.rectangle().map_err(at)?;
                self.body.uses.scissor = true;
                // Without effect while the test is off; else it may be narrower than it was.
                if self.body.path.scissor == Confinement::Inherited {
                    self.body.path.scissor = Confinement::Unknown;
                }
            }
            Viewport => {
                constants.rectangle().map_err(at)?;
                self.body.uses.viewport = true;
            }
            PointSize | LineWidth => constants.width().map_err(at)?,
            Light => constants.light().map_err(at)?,
            BindTexture => self.body.bind_texture(first),
            TexParameter => constants.tex_parameter().map_err(at)?,
            TexEnvCombine => constants.tex_env_combine().map_err(at)?,
            TexEnvScale => constants.tex_env_scale().map_err(at)?,
            TexGenMode => constants.tex_gen_mode().map_err(at)?,
            PointParameter => constants.point_parameter().map_err(at)?,
            Fog => constants.fog().map_err(at)?,
            ArrayPointer => {
                constants.array_pointer().map_err(at)?;
                self.body.use_buffer(operand(args, 4));
            }

            // What the rows say is all there is to check, and no fact is about it.
            LoadIdentity | LoadMatrix | MultMatrix | Translate | Rotate | Scale | ShadeModel | CullFace
            | FrontFace | DepthFunc | DepthRange | BlendFunc | ClearColor | ClearDepth | LightModel
            | ColorMaterial | TexEnvMode | TexEnvColor | BlendFuncSeparate | BlendEquation | BlendColor
            | LogicOp | AlphaFunc | StencilFunc | StencilOp | ClearStencil | PolygonMode | PolygonOffset
            | ClipPlane | FogMode | Hint | TexGenPlane | EnableArray => {}
        }
        Ok(())
    }

    fn draw(&mut self, op: DrawOp, constants: Constants<'_>) -> Result<(), Fault> {
        let args = constants.args;
        match op {
            DrawOp::Clear => {
                let unconditional = self.unconditional();
                self.body.clear(first(args), word_offset(self.offset), unconditional);
            }
            DrawOp::DrawArrays => {
                constants.place(1).map_err(at)?;
                self.draw_arrays(2, args)?;
            }
            DrawOp::DrawElements => {
                constants.place(4).map_err(at)?;
                self.draw_arrays(1, args)?;
                self.body.use_buffer(operand(args, 3));
            }
        }
        Ok(())
    }

    fn new_list(&mut self, name: u32) -> Result<(), Detail> {
        let definitions = self.lists.len() as u64 + 1;
        if definitions > u64::from(planted!(OneListMore, MAX_LISTS + 1, MAX_LISTS)) {
            let (resource, limit) = (Resource::ListDefinitions, u64::from(MAX_LISTS));
            return Err(Detail::Budget { resource, needed: definitions, limit });
        }
        let body = core::mem::replace(&mut self.body, Body::new());
        self.outer = Some(Box::new(Outer { body, name }));
        self.place.set_list(Some(self.offset));
        Ok(())
    }

    /// Outside of every conditional scope? Within a list: of its own body, which has none.
    fn unconditional(&self) -> bool {
        self.outer.is_some() || planted!(AllUnconditional, true, self.pending.is_empty())
    }

    /// Drawing of as many vertices as operand `count` says.
    fn draw_arrays(&mut self, count: usize, args: &[u32]) -> Result<(), Fault> {
        self.body.draws.note(self.unconditional());
        let added = self.body.path.cost.add_arrays(first(args), operand(args, count), &mut self.needs);
        added.map_err(|detail| (Some(count), detail))
    }

    fn capability(&mut self, capability: u32, on: bool) {
        use Capability::*;
        let uses = &mut self.body.uses;
        match Capability::from_value(capability) {
            Some(ScissorTest) => {
                uses.scissor = true;
                self.body.path.scissor = open_if(!on);
            }
            Some(DepthTest) => uses.depth_test |= on,
            Some(StencilTest) => uses.stencil_test |= on,
            Some(Blend) => uses.blending |= on,
            Some(Lighting) => uses.lighting |= on,
            Some(Texture2d) => uses.texturing |= on,
            // No fact is about these.
            Some(
                CullFace | ColorMaterial | Fog | Normalize | AlphaTest | Dither | ColorLogicOp | TextureGenS
                | TextureGenT | TextureGenR | TextureGenQ | PolygonOffsetPoint | PolygonOffsetLine
                | PolygonOffsetFill | ClipPlane0 | ClipPlane1 | ClipPlane2 | ClipPlane3 | ClipPlane4
                | ClipPlane5 | RescaleNormal | Light0 | Light1 | Light2 | Light3 | Light4 | Light5 | Light6
                | Light7,
            )
            | None => {}
        }
    }

    fn jump(&mut self, op: JumpOp, args: &[u32]) -> Result<(), Fault> {
        let at = match op {
            JumpOp::Jmp => 0,
            JumpOp::JmpIf => 3,
        };
        self.jump_to(op, operand(args, at), at, args.len())?;
        match op {
            JumpOp::Jmp => self.reachable = false,
            JumpOp::JmpIf => {}
        }
        Ok(())
    }

    fn jump_to(&mut self, op: JumpOp, target: u32, operand: usize, operands: usize) -> Result<(), Fault> {
        let next = self.offset + 1 + operands;
        let offset = usize::try_from(target).unwrap_or(usize::MAX);
        if planted!(JumpIntoItself, offset + 1 < next, offset < next) {
            return Err((Some(operand), Detail::Backward { target, next }));
        }
        if planted!(JumpPastEnd, offset > self.words.len() + 1, offset > self.words.len()) {
            return Err((Some(operand), Detail::PastEnd { target, end: self.words.len() }));
        }
        // Code that no path reaches brings no state to where it would jump.
        let path = self.reachable.then_some(self.body.path);
        let (op_index, offset, op) = (self.index, self.offset, op.op());
        self.pending.push(Jump { target, op_index, offset, op, path });
        Ok(())
    }

    /// Joins the jumps that lead to the instruction at hand, or into the middle of the one before.
    #[cold]
    fn arrive(&mut self) -> Result<(), VerifyError> {
        let at_end = self.offset == self.words.len();
        while let Some(jump) = self.pending.arrive(self.offset) {
            let target = jump.target;
            let detail = if planted!(JumpIntoMiddle, false, usize::try_from(target) != Ok(self.offset)) {
                Detail::IntoMiddle { target, instruction: self.start_of(target) }
            } else if at_end && (self.place.begin.is_some() || self.place.list.is_some()) {
                // The missing end is the fault, and is found there.
                continue;
            } else if planted!(JumpIntoPrimitive, false, self.place.begin.is_some()) {
                Detail::IntoPrimitive { target }
            } else if planted!(JumpIntoList, false, self.place.list.is_some()) {
                Detail::IntoList { target }
            } else {
                if self.targets.last() != Some(&target) {
                    self.targets.push(target);
                }
                match self.join(jump.path, target) {
                    Ok(()) => continue,
                    Err(detail) => detail,
                }
            };
            return Err(VerifyError {
                rule: detail.rule(),
                op_index: jump.op_index,
                offset: word_offset(jump.offset),
                op: Some(jump.op),
                operand: jump.op.info().operands.iter().position(|o| o.name == "target").map(operand_index),
                detail,
            });
        }
        Ok(())
    }

    fn join(&mut self, jumped: Option<Path>, target: u32) -> Result<(), Detail> {
        let Some(jumped) = jumped else { return Ok(()) };
        if self.reachable {
            self.body.path.join(jumped, target)
        } else {
            self.body.path = jumped;
            self.reachable = true;
            Ok(())
        }
    }

    /// Start of the instruction that holds a word of the part already checked.
    fn start_of(&self, target: u32) -> usize {
        let mut start = HEADER_WORDS;
        while let Ok(Some(instruction)) = wire::decode(self.words, start) {
            let next = start + instruction.words();
            if usize::try_from(target).is_ok_and(|target| next > target) {
                break;
            }
            start = next;
        }
        start
    }

    fn end_list(&mut self) -> Result<(), Detail> {
        self.body.path.stacks.list_end()?;
        self.body.balanced()?;
        // `end_list` itself is the program's.
        let end = rows::row(Op::EndList.code()).step;
        self.body.path.cost.sub(end);
        self.needs.check(self.body.path.cost)?;
        let (Some(outer), Some(new_list)) = (self.outer.take(), self.place.list) else {
            return Err(Detail::NoList);
        };
        let body = core::mem::replace(&mut self.body, outer.body);
        self.place.set_list(None);
        planted!(EndListForFree, (), self.body.path.cost.add(end));
        let mut defined = Occurs::Never;
        defined.note(self.unconditional());
        self.lists.push(ListFacts {
            name: outer.name,
            words: word_offset(new_list + 2)..word_offset(self.offset),
            defined,
            body: body.finish(),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome, VerifyError> {
        let open = match (self.place.begin, self.place.list) {
            (Some(begin), _) => planted!(EndForgotten, Ok(()), Err(Detail::MissingEnd { begin })),
            (None, Some(new_list)) => {
                planted!(EndListForgotten, Ok(()), Err(Detail::MissingEndList { new_list }))
            }
            (None, None) => Ok(()),
        };
        let (needs, cost) = (&mut self.needs, self.body.path.cost);
        let end = open.and_then(|()| self.body.balanced()).and_then(|()| needs.check(cost));
        if let Err(detail) = end {
            return Err(self.error(None, (None, detail)));
        }
        let registers_always_written = self.body.path.written;
        Ok(Outcome {
            facts: Facts {
                body: self.body.finish(),
                instructions: self.index,
                registers_written: self.registers_written,
                registers_always_written,
                externals: self.externals,
                uses_time: self.uses_time,
                requests_frame: self.requests_frame,
                damages: self.damages,
                notifies: self.notifies,
                lists: self.lists.into_boxed_slice(),
                needs: self.needs.least,
                primitives: self.primitives.into_boxed_slice(),
                works: self.works.into_boxed_slice(),
            },
            targets: self.targets.into_boxed_slice(),
        })
    }

    #[cold]
    fn error(&self, op: Option<Op>, (operand, detail): Fault) -> VerifyError {
        VerifyError {
            rule: detail.rule(),
            op_index: self.index,
            offset: word_offset(self.offset),
            op,
            operand: operand.map(operand_index),
            detail,
        }
    }
}

/// The fault of an operand.
fn at((operand, detail): (usize, Detail)) -> Fault {
    (Some(operand), detail)
}

/// The fault of an instruction as a whole.
fn whole(detail: Detail) -> Fault {
    (None, detail)
}

#[inline]
fn operand(args: &[u32], i: usize) -> u32 {
    args.get(i).copied().unwrap_or_default()
}

#[inline]
fn first(args: &[u32]) -> u32 {
    operand(args, 0)
}

/// Bits of a stencil buffer.
const STENCIL_BITS: u32 = 0xff;

/// A set of registers is the bits of a word.
const _: () = assert!(REGISTERS == 32);

/// The registers that the operands of `mask` name: (that of operand 0, those of the others). `None`: a number is
/// too large.
#[inline]
fn registers(mask: u16, args: &[u32], rest: &[u32]) -> Option<(u32, u32)> {
    // Which operands are registers is hard to predict, so up to four are looked at without a branch.
    if let (Some(lanes), Some(&[a, b, c, d])) = (LANES.get(usize::from(mask)), rest.first_chunk()) {
        let numbers = a & lanes[0] | b & lanes[1] | c & lanes[2] | d & lanes[3];
        let bit = |word: u32, lane: u32| 1u32.wrapping_shl(word) & lane;
        let others = bit(b, lanes[1]) | bit(c, lanes[2]) | bit(d, lanes[3]);
        return if planted!(Register32, numbers <= u32::BITS, numbers < u32::BITS) {
            Some((bit(a, lanes[0]), others))
        } else {
            None
        };
    }
    let (mut first, mut others) = (0, 0);
    for (i, &number) in args.iter().enumerate() {
        if mask >> i & 1 != 0 {
            let bit = 1u32.checked_shl(number)?;
            if i == 0 { first = bit } else { others |= bit }
        }
    }
    Some((first, others))
}

/// For each mask of four operands, all bits set for those that are registers.
static LANES: [[u32; 4]; 16] = {
    let mut lanes = [[0; 4]; 16];
    let mut mask = 0;
    while mask < 16 {
        let mut i = 0;
        while i < 4 {
            if mask >> i & 1 != 0 {
                lanes[mask][i] = u32::MAX;
            }
            i += 1;
        }
        mask += 1;
    }
    lanes
};

/// The first operand that is wrong in being a register or none, or in its number.
#[cold]
fn register_fault(info: &OpInfo, mask: u16, args: &[u32]) -> Option<Fault> {
    info.operands.iter().zip(args).enumerate().find_map(|(i, (operand, &word))| {
        let detail = match mask >> i & 1 != 0 {
            true if !operand.kind.takes_register() => Detail::RegisterSelects { number: word },
            true if word >= u32::BITS => Detail::RegisterNumber { number: word },
            false if !operand.kind.takes_constant() => Detail::ConstantWritten { value: word },
            _ => return None,
        };
        Some((Some(i), detail))
    })
}

#[cold]
fn constant_fault(check: &Check, operand: usize, args: &[u32]) -> Fault {
    let value = args.get(operand).copied().unwrap_or_default();
    let detail = match *check {
        Check::Member { set, .. } => Detail::NotInSet { value, set },
        Check::Bits { set, .. } => Detail::NotInBits { value, set },
        Check::Bool { .. } => Detail::NotBool { value },
        Check::List { .. } => Detail::ListName { value },
    };
    (Some(operand), detail)
}

fn open_if(open: bool) -> Confinement {
    if open { Confinement::Open } else { Confinement::Unknown }
}

/// A word offset as the wire has it: programs have at most [`MAX_PROGRAM_WORDS`].
fn word_offset(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn operand_index(operand: usize) -> u32 {
    u32::try_from(operand).unwrap_or(u32::MAX)
}
