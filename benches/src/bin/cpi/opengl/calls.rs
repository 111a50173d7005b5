//! The OpenGL-mix as an OpenGL program makes it: a flat array of calls, and the same with the vertices in arrays.

use blinkgl::ops::{AttributeOp, BeginOp, Class, EndOp, StateOp, VertexOp};
use thiserror::Error;
use verifier::VerifiedProgram;

/// A call of OpenGL. 16 bytes, so that walking thousands of them is little beside making the calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Call {
    /// glBegin
    Begin(u32),
    /// glEnd
    End,
    /// glVertex3f
    Vertex([f32; 3]),
    /// glNormal3f
    Normal([f32; 3]),
    /// glMaterialfv, with the index of its values.
    Material { face: u32, name: u32, values: u32 },
    /// glLightfv, with the index of its values.
    Light { light: u32, name: u32, values: u32 },
    /// glShadeModel
    ShadeModel(u32),
    /// glEnable
    Enable(u32),
}

const _: () = assert!(size_of::<Call>() == 16, "as said above");

/// A program's calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    /// In order.
    pub calls: Vec<Call>,
    /// Values of materials and lights.
    pub values: Vec<[f32; 4]>,
}

/// The program has something that the OpenGL-mix has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the comparison with OpenGL knows no {0} of constants")]
pub struct Unknown(&'static str);

impl Calls {
    /// The calls of a program of constants.
    pub fn of(program: &VerifiedProgram) -> Result<Calls, Unknown> {
        let mut all = Calls::default();
        for i in program.instructions() {
            let float = |n: usize| i.args.get(n).copied().map_or(0.0, f32::from_bits);
            let name = i.op().info().name;
            if i.mask != 0 {
                return Err(Unknown(name));
            }
            let word = |n: usize| i.args.get(n).copied().unwrap_or_default();
            let mut values = || {
                all.values.push([float(2), float(3), float(4), float(5)]);
                u32::try_from(all.values.len() - 1).unwrap_or(u32::MAX)
            };
            let call = match i.info.class {
                Class::Begin(BeginOp::Begin) => Call::Begin(word(0)),
                Class::End(EndOp::End) => Call::End,
                Class::Vertex(VertexOp::Vertex3) => Call::Vertex([float(0), float(1), float(2)]),
                Class::Attribute(AttributeOp::Normal3) => Call::Normal([float(0), float(1), float(2)]),
                Class::Attribute(AttributeOp::Material) => {
                    Call::Material { face: word(0), name: word(1), values: values() }
                }
                Class::State(StateOp::Light) => {
                    Call::Light { light: word(0), name: word(1), values: values() }
                }
                Class::State(StateOp::ShadeModel) => Call::ShadeModel(word(0)),
                Class::State(StateOp::Enable) => Call::Enable(word(0)),
                Class::Vertex(_)
                | Class::Attribute(_)
                | Class::State(_)
                | Class::Compute(_)
                | Class::Read(_)
                | Class::Signal(_)
                | Class::Jump(_)
                | Class::Draw(_)
                | Class::ListDefinition(_)
                | Class::ListCall(_) => return Err(Unknown(name)),
            };
            all.calls.push(call);
        }
        Ok(all)
    }

    /// The values of a material or a light.
    pub fn values(&self, at: u32) -> &[f32; 4] {
        usize::try_from(at).ok().and_then(|at| self.values.get(at)).unwrap_or(&[0.0; 4])
    }
}

/// A step of the program with its vertices in an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// A state call.
    State(Call),
    /// glDrawArrays.
    Draw { mode: u32, first: i32, count: i32 },
}

/// A program that draws from one array of positions and normals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrays {
    /// Position and normal of each vertex.
    pub vertices: Vec<[f32; 6]>,
    /// In order.
    pub steps: Vec<Step>,
}

impl Arrays {
    /// The same drawing: each primitive becomes one glDrawArrays, what is between them stays.
    pub fn of(calls: &Calls) -> Arrays {
        let mut arrays = Arrays::default();
        let mut normal = [0.0, 0.0, 1.0];
        let mut open = (0, 0);
        let count = |arrays: &Arrays| i32::try_from(arrays.vertices.len()).unwrap_or(i32::MAX);
        for &call in &calls.calls {
            match call {
                Call::Begin(mode) => open = (mode, count(&arrays)),
                Call::End => {
                    let (mode, first) = open;
                    let step = Step::Draw { mode, first, count: count(&arrays) - first };
                    arrays.steps.push(step);
                }
                Call::Vertex([x, y, z]) => {
                    let [a, b, c] = normal;
                    arrays.vertices.push([x, y, z, a, b, c]);
                }
                Call::Normal(to) => normal = to,
                Call::Material { .. } | Call::Light { .. } | Call::ShadeModel(_) | Call::Enable(_) => {
                    arrays.steps.push(Step::State(call));
                }
            }
        }
        arrays
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benches::mix::Mix;
    use blinkgl::ops::Callback;
    use blinkgl::wire::WireProgram;

    fn verified(mix: Mix) -> VerifiedProgram {
        verifier::verify(WireProgram::from_words(mix.words()), Callback::Redraw).unwrap()
    }

    #[test]
    fn each_instruction_is_a_call_and_each_vertex_is_in_the_array() {
        let program = verified(Mix::OpenGl);
        let calls = Calls::of(&program).unwrap();
        assert_eq!(calls.calls.len(), program.facts().instructions as usize);
        let arrays = Arrays::of(&calls);
        let vertices = calls.calls.iter().filter(|call| matches!(call, Call::Vertex(_))).count();
        assert_eq!(arrays.vertices.len(), vertices);
        let mut next = 0;
        for step in &arrays.steps {
            if let &Step::Draw { first, count, .. } = step {
                assert_eq!(first, next, "each vertex is drawn once");
                next += count;
            }
        }
        assert_eq!(usize::try_from(next), Ok(vertices));
    }

    #[test]
    fn programs_with_registers_are_refused() {
        assert_eq!(Calls::of(&verified(Mix::OpenGlDynamic)), Err(Unknown("vertex3")));
        assert!(Calls::of(&verified(Mix::Arith)).is_err());
    }
}
