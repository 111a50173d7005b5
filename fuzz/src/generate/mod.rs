//! Makes programs: valid ones of all ops, and ones that break one rule and no other (`broken`).

mod broken;
mod operands;

pub use broken::Broken;
pub use operands::{EDGES, LISTS};

use blinkgl::limits::{ATTRIB_STACK, MODELVIEW_STACK, PROJECTION_STACK, TEXTURE_STACK};
use blinkgl::ops::{Callback, Class, OPS, Op, StateOp};
use blinkgl::wire::{self, HEADER_WORDS};
use fastrand::Rng;
use std::sync::LazyLock;

const MODELVIEW: u32 = 0x1700;
const PROJECTION: u32 = 0x1701;
const TEXTURE: u32 = 0x1702;
const TEXTURE0: u32 = 0x84c0;
const TEXTURE1: u32 = 0x84c1;
const SCISSOR_TEST: u32 = 0x0c11;
/// Groups of attributes: matrix mode, and texture unit.
const MODES: u32 = 0x1000 | 0x40000;
const ALL_GROUPS: u32 = 0xf_ffff;

/// Ops by what they are for. Those of matrices and attributes that come in pairs, and modes that go back, are in none.
struct Ops {
    compute: Vec<Op>,
    read: Vec<Op>,
    signal: Vec<Op>,
    state: Vec<Op>,
    attribute: Vec<Op>,
    vertex: Vec<Op>,
    draw: Vec<Op>,
}

/// How an op of class State stands to others: where it may stand depends on them, or theirs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pairing {
    /// Not at all.
    Alone,
    /// Another one must take back what it does.
    Push,
    /// It takes back what another one did.
    Pop,
    /// It selects what others are about.
    Mode,
}

fn pairing(op: StateOp) -> Pairing {
    use StateOp::*;
    match op {
        PushMatrix | PushAttrib => Pairing::Push,
        PopMatrix | PopAttrib => Pairing::Pop,
        MatrixMode | ActiveTexture => Pairing::Mode,
        LoadIdentity | LoadMatrix | MultMatrix | Translate | Rotate | Scale | Frustum | Ortho | Enable
        | Disable | ShadeModel | CullFace | FrontFace | DepthFunc | DepthMask | DepthRange | ColorMask
        | BlendFunc | Scissor | Viewport | ClearColor | ClearDepth | PointSize | LineWidth
        | BlendFuncSeparate | BlendEquation | BlendColor | LogicOp | AlphaFunc | StencilFunc | StencilOp
        | StencilMask | ClearStencil | PolygonMode | PolygonOffset | PointParameter | ClipPlane | FogMode
        | Fog | Light | LightModel | ColorMaterial | Hint | BindTexture | TexEnvMode | TexEnvColor
        | TexParameter | TexEnvCombine | TexEnvScale | TexGenMode | TexGenPlane | ArrayPointer
        | EnableArray => Pairing::Alone,
    }
}

static BY_CLASS: LazyLock<Ops> = LazyLock::new(|| {
    let mut ops = Ops {
        compute: Vec::new(),
        read: Vec::new(),
        signal: Vec::new(),
        state: Vec::new(),
        attribute: Vec::new(),
        vertex: Vec::new(),
        draw: Vec::new(),
    };
    for row in OPS {
        let of_class = match row.class {
            Class::Compute(_) => &mut ops.compute,
            Class::Read(_) => &mut ops.read,
            Class::Signal(_) => &mut ops.signal,
            Class::State(op) if pairing(op) == Pairing::Alone => &mut ops.state,
            Class::Attribute(_) => &mut ops.attribute,
            Class::Vertex(_) => &mut ops.vertex,
            Class::Draw(_) => &mut ops.draw,
            // Put where something begins and ends.
            Class::State(_)
            | Class::Jump(_)
            | Class::Begin(_)
            | Class::End(_)
            | Class::ListDefinition(_)
            | Class::ListCall(_) => continue,
        };
        of_class.push(row.op);
    }
    ops
});

/// A matrix stack: how it is selected, and how much it holds.
#[derive(Clone, Copy, Debug)]
struct Stack {
    mode: u32,
    unit: u32,
    capacity: usize,
}

const STACKS: [Stack; 4] = [
    Stack { mode: MODELVIEW, unit: TEXTURE0, capacity: MODELVIEW_STACK },
    Stack { mode: PROJECTION, unit: TEXTURE0, capacity: PROJECTION_STACK },
    Stack { mode: TEXTURE, unit: TEXTURE0, capacity: TEXTURE_STACK },
    Stack { mode: TEXTURE, unit: TEXTURE1, capacity: TEXTURE_STACK },
];

/// What is known of the place that a statement is appended at.
#[derive(Clone, Copy, Debug)]
struct Place {
    in_list: bool,
    /// Depth of the modelview stack; that of the others is 1 between statements.
    depth: usize,
    /// Attributes pushed.
    attributes: usize,
    /// Open blocks: conditional ones, and ones between a push and a pop.
    nesting: u32,
    /// The list's name, 0 outside of lists.
    list: u32,
}

const TOP: Place = Place { in_list: false, depth: 1, attributes: 0, nesting: 0, list: 0 };

/// A program in the making.
#[derive(Debug)]
pub struct Generator {
    /// Randomness.
    pub rng: Rng,
    /// The words so far.
    pub words: Vec<u32>,
    callback: Callback,
    /// How many of the 32 registers are used: few, so that they meet each other.
    registers: u32,
    /// Of 10 operands that can be a register, how many are.
    share: u32,
    place: Place,
    /// Operands that are jumps to the program's end.
    exits: Vec<usize>,
    /// Lists call any list, themselves too.
    wild: bool,
    /// Dear drawings so far.
    dear: u32,
    /// A rule that is still to be broken.
    fault: Option<broken::Plan>,
    fault_offset: Option<usize>,
}

impl Generator {
    fn new(rng: &mut Rng, callback: Callback) -> Generator {
        let mut rng = rng.fork();
        let registers = [2, 5, 5, 31][rng.usize(..4)];
        let share = [0, 1, 3, 8][rng.usize(..4)];
        let wild = rng.u8(..16) == 0;
        Generator {
            rng,
            words: vec![wire::MAGIC, wire::version_word(), 0, 0],
            callback,
            registers,
            share,
            place: TOP,
            exits: Vec::new(),
            wild,
            dear: 0,
            fault: None,
            fault_offset: None,
        }
    }

    /// A program that keeps all rules, of about `length` words.
    #[must_use]
    pub fn valid(rng: &mut Rng, callback: Callback, length: usize) -> Vec<u32> {
        let mut g = Generator::new(rng, callback);
        if callback == Callback::Redraw && g.chance(4) {
            g.opening();
        }
        g.block(length);
        g.finish();
        g.words
    }

    /// What redraws begin with: a clear, of all of the window or not.
    fn opening(&mut self) {
        let mut open = 0;
        for _ in 0..self.rng.u32(0..6) {
            match self.rng.u32(0..4) {
                0 => {
                    let groups = self.rng.u32(..) & ALL_GROUPS & !MODES;
                    self.op(Op::PushAttrib, &[groups]);
                    open += 1;
                }
                1 if open > 0 => {
                    self.op(Op::PopAttrib, &[]);
                    open -= 1;
                }
                _ => self.confining(),
            }
        }
        for _ in 0..open {
            self.op(Op::PopAttrib, &[]);
        }
        self.instruction(Op::Clear);
    }

    fn finish(&mut self) {
        let end = self.words.len() as u32;
        for exit in self.exits.drain(..) {
            self.words[exit] = end;
        }
        self.words[2] = end;
    }

    fn here(&self) -> usize {
        self.words.len()
    }

    /// Appends an instruction of constants.
    fn op(&mut self, op: Op, args: &[u32]) {
        self.words.push(u32::from(op.code()));
        self.words.extend_from_slice(args);
    }

    fn one(&mut self, ops: fn(&'static Ops) -> &'static Vec<Op>) {
        let op = self.pick(ops(&BY_CLASS));
        self.instruction(op);
    }

    fn draws(&self) -> bool {
        self.place.in_list || self.callback == Callback::Redraw
    }

    fn has_gl(&self) -> bool {
        self.place.in_list || self.callback != Callback::Input
    }

    fn defines_lists(&self) -> bool {
        !self.place.in_list && matches!(self.callback, Callback::Init | Callback::Update | Callback::Reshape)
    }

    /// Statements, which leave matrices and attributes as they were.
    fn block(&mut self, length: usize) {
        let end = self.here() + length;
        while self.here() < end {
            self.break_rule();
            let left = end.saturating_sub(self.here());
            self.statement(left);
        }
    }

    /// A block within a statement.
    fn inner(&mut self, length: usize, place: Place) {
        let outer = self.place;
        self.place = Place { nesting: outer.nesting + 1, ..place };
        self.block(length);
        self.place = outer;
    }

    fn statement(&mut self, left: usize) {
        let nests = self.place.nesting < 4 && left > 8;
        match self.rng.u32(0..32) {
            0..=5 if !self.place.in_list => self.compute(),
            6 if !self.place.in_list => self.one(|ops| &ops.signal),
            7..=12 if self.draws() => self.primitive(),
            13..=17 if self.has_gl() => self.one(|ops| &ops.state),
            18..=19 if self.has_gl() => self.one(|ops| &ops.attribute),
            20 if self.has_gl() => self.confining(),
            21 if self.draws() => self.one(|ops| &ops.draw),
            22 if self.draws() => self.call(),
            23 if self.has_gl() && nests => self.matrices(left),
            24 if self.has_gl() => self.other_stack(),
            25 if self.has_gl() && nests => self.attributes(left),
            26..=28 if !self.place.in_list && nests => self.conditional(left),
            29 if !self.place.in_list => self.exit(),
            30 if self.defines_lists() && nests => self.list(left),
            31 if self.has_gl() => self.modes(),
            _ if !self.place.in_list => self.compute(),
            _ => self.one(|ops| &ops.state),
        }
    }

    fn compute(&mut self) {
        if self.chance(6) {
            self.one(|ops| &ops.read);
        } else {
            self.one(|ops| &ops.compute);
        }
    }

    fn primitive(&mut self) {
        self.instruction(Op::Begin);
        let length = if self.chance(32) { self.rng.u32(0..80) } else { self.rng.u32(0..9) };
        for _ in 0..length {
            match self.rng.u32(0..8) {
                0..=1 => self.one(|ops| &ops.attribute),
                2 if !self.place.in_list => self.compute(),
                _ => self.one(|ops| &ops.vertex),
            }
        }
        self.instruction(Op::End);
    }

    /// What may narrow or open what a clear reaches; sometimes a clear.
    fn confining(&mut self) {
        match self.rng.u32(0..9) {
            0 => self.op(Op::Enable, &[SCISSOR_TEST]),
            1 => self.op(Op::Disable, &[SCISSOR_TEST]),
            2 => self.op(Op::ColorMask, &[1; 4]),
            3 => {
                let bits = self.rng.u32(..) | 0xff;
                self.op(Op::StencilMask, &[bits]);
            }
            4 => self.instruction(Op::Scissor),
            5 => self.instruction(Op::ColorMask),
            6 => self.instruction(Op::DepthMask),
            7 => self.instruction(Op::StencilMask),
            _ if self.draws() => self.instruction(Op::Clear),
            _ => self.op(Op::DepthMask, &[1]),
        }
    }

    /// Between statements matrix mode and texture unit are those that lists are called in.
    fn call(&mut self) {
        if self.place.in_list && self.wild {
            // Dear, so that lists that call each other without end soon do. Not so many that a program is too dear itself.
            self.dear += 1;
            if self.dear > 10 {
                return;
            }
            let (mode, count) = (self.rng.u32(0..10), self.rng.u32(10_000..100_000));
            self.op(Op::DrawArrays, &[mode, 0, count]);
            self.instruction(Op::CallList);
        } else if self.place.in_list && self.place.list <= LISTS {
            // Lists of greater names only, so that it ends soon.
            let name = self.rng.u32(self.place.list + 1..=LISTS + 1);
            self.op(Op::CallList, &[name]);
        } else if !self.place.in_list {
            self.instruction(Op::CallList);
        }
    }

    fn matrices(&mut self, left: usize) {
        // Sometimes as deep as the stack is.
        let most = MODELVIEW_STACK - self.place.depth;
        let pushes = if self.chance(16) { most } else { most.min(1) };
        for _ in 0..pushes {
            self.instruction(Op::PushMatrix);
        }
        let length = self.rng.usize(..=left / 2);
        self.inner(length, Place { depth: self.place.depth + pushes, ..self.place });
        for _ in 0..pushes {
            self.instruction(Op::PopMatrix);
        }
    }

    /// A stack of another mode or unit.
    fn other_stack(&mut self) {
        let stack = self.pick(&STACKS[1..]);
        let pushes = self.rng.usize(..stack.capacity);
        self.select(stack);
        for _ in 0..pushes {
            self.instruction(Op::PushMatrix);
        }
        self.instruction(Op::LoadIdentity);
        if stack.unit == TEXTURE1 && self.chance(4) && pushes > 0 {
            // Pushed with the other unit: another stack.
            self.op(Op::ActiveTexture, &[TEXTURE0]);
            self.instruction(Op::PushMatrix);
            self.instruction(Op::PopMatrix);
            self.op(Op::ActiveTexture, &[TEXTURE1]);
        }
        for _ in 0..pushes {
            self.instruction(Op::PopMatrix);
        }
        self.select(STACKS[0]);
    }

    fn select(&mut self, stack: Stack) {
        self.op(Op::MatrixMode, &[stack.mode]);
        if stack.unit != TEXTURE0 || self.rng.bool() || stack.mode == MODELVIEW {
            self.op(Op::ActiveTexture, &[stack.unit]);
        }
    }

    fn attributes(&mut self, left: usize) {
        let most = ATTRIB_STACK - self.place.attributes;
        let pushes = if self.chance(16) { most } else { most.min(1) };
        let restores = self.rng.bool();
        for _ in 0..pushes {
            let random = self.rng.u32(..) & ALL_GROUPS;
            let groups = self.pick(&[MODES, ALL_GROUPS, random | MODES]);
            // Else of groups that do not matter to modes and units.
            self.op(Op::PushAttrib, &[if restores { groups } else { random & !MODES }]);
        }
        let length = self.rng.usize(..=left / 2);
        self.inner(length, Place { attributes: self.place.attributes + pushes, ..self.place });
        if restores && pushes > 0 {
            self.wander();
        }
        for _ in 0..pushes {
            self.instruction(Op::PopAttrib);
        }
    }

    /// Leaves matrix mode and texture unit anywhere, perhaps elsewhere on each path.
    fn wander(&mut self) {
        let jump = self.here();
        let jumps = !self.place.in_list && self.rng.bool();
        if jumps {
            self.instruction(Op::JmpIf);
        }
        self.instruction(Op::MatrixMode);
        self.instruction(Op::ActiveTexture);
        if self.rng.bool() && self.place.depth == 1 {
            self.instruction(Op::PushMatrix);
            self.instruction(Op::PopMatrix);
        }
        if jumps {
            self.words[jump + 4] = self.here() as u32;
        }
    }

    fn modes(&mut self) {
        self.wander();
        self.select(STACKS[0]);
    }

    /// A jump; the place of its target.
    fn jump(&mut self, op: Op) -> usize {
        self.instruction(op);
        self.here() - 1
    }

    /// Must all code be on some path, as the rule that is still to be broken is about paths that meet?
    fn needs_life(&self) -> bool {
        self.fault.is_some_and(|plan| plan.is_of_paths())
    }

    fn conditional(&mut self, left: usize) {
        let place = self.place;
        let length = self.rng.usize(..=left / 2);
        // What an unconditional jump skips is dead.
        let op = if self.chance(6) && !self.needs_life() { Op::Jmp } else { Op::JmpIf };
        let mut holes = vec![self.jump(op)];
        self.inner(length, place);
        // More jumps to the same place.
        while self.chance(4) {
            holes.push(self.jump(Op::JmpIf));
            self.inner(length / 2, place);
        }
        let mut second = None;
        if self.chance(3) {
            second = Some(self.jump(Op::Jmp));
        }
        for hole in holes {
            self.words[hole] = self.here() as u32;
        }
        if let Some(second) = second {
            self.inner(length, place);
            self.words[second] = self.here() as u32;
        }
    }

    /// A jump to the program's end, where all is as at its beginning.
    fn exit(&mut self) {
        let meets_fault = self.fault.is_some_and(|plan| plan.is_met_by_exits());
        if (self.place.depth, self.place.attributes) == (1, 0) && self.chance(3) && !meets_fault {
            let op = if self.chance(8) && !self.needs_life() { Op::Jmp } else { Op::JmpIf };
            let hole = self.jump(op);
            self.exits.push(hole);
        }
    }

    fn list(&mut self, left: usize) {
        self.instruction(Op::NewList);
        let list = self.words[self.here() - 1];
        let length = self.rng.usize(..=left / 2);
        self.inner(length, Place { in_list: true, list, ..TOP });
        self.op(Op::EndList, &[]);
    }

    /// A program of lists, for others to call them. Each calls only lists of greater names, or any.
    #[must_use]
    pub fn lists(rng: &mut Rng, length: usize) -> Vec<u32> {
        let mut g = Generator::new(rng, Callback::Init);
        for name in 1..=LISTS {
            if g.chance(8) {
                continue;
            }
            if g.chance(4) {
                g.block(length / 4);
            }
            g.op(Op::NewList, &[name]);
            let end = g.here() + length;
            while g.here() < end {
                let before = g.here();
                g.place = Place { in_list: true, nesting: 3, list: name, ..TOP };
                g.statement(end - before);
            }
            g.place = TOP;
            g.op(Op::EndList, &[]);
        }
        g.finish();
        g.words
    }

    /// Lists that call each other as deep as it goes: (the program that defines them, the one that calls them).
    #[must_use]
    pub fn deep(rng: &mut Rng) -> (Vec<u32>, Vec<u32>) {
        let mut init = Generator::new(rng, Callback::Init);
        let mut redraw = Generator::new(rng, Callback::Redraw);
        // Once each: twice would be 2^64 calls.
        let next = [rng.u32(1..=LISTS), rng.u32(1..=2)];
        for (name, next) in (1..).zip(next) {
            init.op(Op::NewList, &[name]);
            init.place = Place { in_list: true, list: name, ..TOP };
            for around in [true, false] {
                for _ in 0..init.rng.u32(0..3) {
                    init.one(|ops| &ops.state);
                }
                if around {
                    init.op(Op::CallList, &[next]);
                }
            }
            init.place = TOP;
            init.op(Op::EndList, &[]);
        }
        redraw.op(Op::CallList, &[1]);
        redraw.instruction(Op::LoadIdentity);
        init.finish();
        redraw.finish();
        (init.words, redraw.words)
    }

    /// A list that costs so much that a program that calls it reaches a limit of fuel or vertices, or stays just below
    /// it: (the program that defines it, the one that calls it).
    #[must_use]
    pub fn at_limit(rng: &mut Rng) -> (Vec<u32>, Vec<u32>) {
        use blinkgl::limits::{MAX_FUEL, MAX_VERTICES};
        let over = rng.u32(0..3);
        let mut init = Generator::new(rng, Callback::Init);
        let mut redraw = Generator::new(rng, Callback::Redraw);
        for name in [1, 2] {
            // What is in registers when a run is stopped, and what comes after.
            for _ in 0..redraw.rng.u32(0..4) {
                redraw.compute();
            }
            redraw.op(Op::CallList, &[name]);
        }
        for _ in 0..redraw.rng.u32(0..4) {
            redraw.compute();
        }
        redraw.finish();
        let cost = |op: Op| u64::from(op.info().cost);
        let mut own = 0;
        let mut at = HEADER_WORDS;
        while let Ok(Some(instruction)) = wire::decode(&redraw.words, at) {
            own += u64::from(instruction.info.cost);
            at += instruction.words();
        }
        let [first, second] = if rng.bool() {
            // Points: as much fuel as vertices, and what the rest costs.
            let left = MAX_FUEL - own - 2 * cost(Op::DrawArrays);
            // In equal parts, as one of them alone would be too many bytes.
            let half = left as u32 / 2;
            [(0, half), (0, left as u32 - half + over - 1)]
        } else {
            // Line loops: twice as many vertices.
            let most = MAX_VERTICES as u32;
            [(2, most / 2 - 1000), (2, 1000 + over.saturating_sub(1))]
        };
        for (name, (mode, count)) in [(1, first), (2, second)] {
            init.op(Op::NewList, &[name]);
            init.op(Op::DrawArrays, &[mode, 0, count]);
            init.op(Op::EndList, &[]);
        }
        init.finish();
        (init.words, redraw.words)
    }
}
