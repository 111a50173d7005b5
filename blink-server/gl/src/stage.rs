//! What the vertex stage does for a batch: found from its records and lights, so that a shader has no more than that. A
//! software renderer takes all branches for each vertex: eight lights that might be spots cost a vertex five times what one
//! sun does.

use super::record::{Record, flag};
use super::state::Lights;

/// GL_SHADE_MODEL of a batch's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shading {
    /// Of all.
    #[default]
    Smooth,
    /// Of all.
    Flat,
    /// Some are smooth and some flat.
    Mixed,
}

impl Shading {
    /// Of records with and without flat shading.
    fn of(records: &[Record]) -> Shading {
        let is_flat = |record: &Record| record.flags() & flag::FLAT != 0;
        if !records.iter().any(is_flat) {
            Shading::Smooth
        } else if records.iter().all(is_flat) {
            Shading::Flat
        } else {
            Shading::Mixed
        }
    }

    /// Are some smooth?
    #[must_use]
    pub fn has_smooth(self) -> bool {
        self != Shading::Flat
    }

    /// Are some flat?
    #[must_use]
    pub fn has_flat(self) -> bool {
        self != Shading::Smooth
    }
}

/// What the records and lights of a batch need of the vertex stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stage {
    /// Some records differ in their transforms.
    pub transforms: bool,
    /// Some differ in their materials or flags.
    pub materials: bool,
    /// How their colors are spread.
    pub shading: Shading,
    /// Some records are lit.
    pub lit: bool,
    /// Lights that are on in some of these, by bit.
    pub lights: u32,
    /// One of them has a place, and not only a direction.
    pub positional: bool,
    /// One is a spot.
    pub spots: bool,
    /// Some specular light comes back.
    pub shines: bool,
    /// The eye is at the origin for it.
    pub local_viewer: bool,
    /// Materials follow the vertices' colors.
    pub tracks: bool,
}

impl Stage {
    /// What a batch needs.
    #[must_use]
    pub fn new(records: &[Record], lights: &Lights) -> Stage {
        let mut stage = Stage { shading: Shading::of(records), ..Stage::default() };
        let mut specular = Product::default();
        for record in records {
            if let Some(first) = records.first() {
                stage.transforms |= record.transform() != first.transform();
                stage.materials |= record.material() != first.material();
            }
            let flags = record.flags();
            if flags & flag::LIGHTING == 0 {
                continue;
            }
            stage.lit = true;
            stage.lights |= flags & flag::LIGHTS;
            if flags & (flag::TRACK_FRONT | flag::TRACK_BACK) != 0 {
                stage.tracks = true;
                specular.first |= flags >> flag::TRACK_MODE_SHIFT == flag::TRACK_SPECULAR;
            }
            for color in record.specular() {
                specular.look(color, |product| &mut product.first);
            }
        }
        for (_, light) in (0..).zip(&lights.lights).filter(|(i, _)| stage.lights >> i & 1 != 0) {
            stage.positional |= light.position[3] != 0.0;
            stage.spots |= light.spot_cutoff != 180.0;
            specular.look(light.specular, |product| &mut product.second);
        }
        stage.shines = specular.is_some();
        stage.local_viewer = stage.shines && lights.local_viewer;
        stage
    }

    /// The lines that say so to the shader.
    #[must_use]
    pub fn defines(&self) -> String {
        let mut text = String::new();
        for (is_on, name) in [
            (self.transforms, "TRANSFORMS"),
            (self.materials, "MATERIALS"),
            (self.shading.has_smooth(), "SMOOTH"),
            (self.shading.has_flat(), "FLAT"),
            (self.lit, "LIT"),
            (self.positional, "POSITIONAL"),
            (self.spots, "SPOTS"),
            (self.shines, "SHINES"),
            (self.local_viewer, "LOCAL_VIEWER"),
            (self.tracks, "TRACKS"),
        ] {
            if is_on {
                text += &format!("#define {name}\n");
            }
        }
        if self.lit {
            text += "#define ALL_LIGHTS";
            for light in (0..u32::BITS).filter(|light| self.lights >> light & 1 != 0) {
                text += &format!(" LIGHT({light})");
            }
            text += "\n";
        }
        text
    }
}

/// Colors of materials and lights that are multiplied: is anything left?
#[derive(Debug, Default)]
struct Product {
    first: bool,
    second: bool,
    /// Zero times this is not zero.
    infinite: bool,
}

impl Product {
    fn look(&mut self, [r, g, b, _]: [f32; 4], which: impl FnOnce(&mut Product) -> &mut bool) {
        let color = [r, g, b];
        self.infinite |= color.iter().any(|value| !value.is_finite());
        *which(self) |= color.iter().any(|value| *value != 0.0);
    }

    fn is_some(&self) -> bool {
        self.infinite || self.first && self.second
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::WindowState;
    use super::*;
    use blinkgl::ops::{AttributeOp, StateOp};
    use jit::CommandOp;

    fn stage(commands: &[(CommandOp, &[u32])]) -> Stage {
        let mut state = WindowState::new(100, 100);
        for (op, args) in commands {
            state.command(*op, args);
        }
        Stage::new(&[Record::new(&state)], &state.lights)
    }

    const LIGHTING: (CommandOp, &[u32]) = (CommandOp::State(StateOp::Enable), &[0x0b50]);
    const LIGHT0: (CommandOp, &[u32]) = (CommandOp::State(StateOp::Enable), &[0x4000]);
    const LIGHT3: (CommandOp, &[u32]) = (CommandOp::State(StateOp::Enable), &[0x4003]);
    const ONE: u32 = 0x3f80_0000;

    #[test]
    fn without_lighting_nothing_else_matters() {
        assert_eq!(stage(&[]), Stage::default());
        assert_eq!(stage(&[LIGHT0, LIGHT3]), Stage::default());
        assert_eq!(Stage::default().defines(), "#define SMOOTH\n");
    }

    #[test]
    fn what_is_on_and_used_is_there() {
        let lit = Stage { lit: true, ..Stage::default() };
        assert_eq!(stage(&[LIGHTING]), lit);
        let sun = Stage { lights: 1, ..lit };
        assert_eq!(stage(&[LIGHTING, LIGHT0]), sun);
        let two = stage(&[LIGHTING, LIGHT0, LIGHT3]);
        assert_eq!(two, Stage { lights: 9, ..sun });
        assert_eq!(two.defines(), "#define SMOOTH\n#define LIT\n#define ALL_LIGHTS LIGHT(0) LIGHT(3)\n");

        let place: (CommandOp, &[u32]) = (CommandOp::State(StateOp::Light), &[0x4000, 0x1203, 0, 0, 0, ONE]);
        assert_eq!(stage(&[LIGHTING, LIGHT0, place]), Stage { positional: true, ..sun });
        let cutoff: (CommandOp, &[u32]) =
            (CommandOp::State(StateOp::Light), &[0x4000, 0x1206, 10.0f32.to_bits(), 0, 0, 0]);
        assert_eq!(stage(&[LIGHTING, LIGHT0, cutoff]), Stage { spots: true, ..sun });
        let cutoff_of_another: (CommandOp, &[u32]) =
            (CommandOp::State(StateOp::Light), &[0x4003, 0x1206, 10.0f32.to_bits(), 0, 0, 0]);
        assert_eq!(stage(&[LIGHTING, LIGHT0, cutoff_of_another]), sun);
        assert_eq!(
            stage(&[LIGHTING, LIGHT0, (CommandOp::State(StateOp::Enable), &[0x0b57])]),
            Stage { tracks: true, ..sun }
        );
    }

    #[test]
    fn specular_light_takes_both_a_light_and_a_material() {
        let sun = Stage { lit: true, lights: 1, ..Stage::default() };
        let metal: (CommandOp, &[u32]) =
            (CommandOp::Attribute(AttributeOp::Material), &[0x0404, 0x1202, ONE, 0, 0, ONE]);
        let viewer: (CommandOp, &[u32]) = (CommandOp::State(StateOp::LightModel), &[0x0b51, ONE, 0, 0, 0]);
        assert_eq!(stage(&[LIGHTING, LIGHT0, metal]), Stage { shines: true, ..sun });
        let near = Stage { shines: true, local_viewer: true, ..sun };
        assert_eq!(stage(&[LIGHTING, LIGHT0, metal, viewer]), near);
        assert_eq!(stage(&[LIGHTING, LIGHT0, viewer]), sun);
        // Light 3 has none, unless it is infinite.
        assert_eq!(stage(&[LIGHTING, LIGHT3, metal]), Stage { lights: 8, ..sun });
        let infinite = f32::INFINITY.to_bits();
        let glare: (CommandOp, &[u32]) =
            (CommandOp::State(StateOp::Light), &[0x4003, 0x1202, infinite, 0, 0, ONE]);
        assert_eq!(stage(&[LIGHTING, LIGHT3, glare]), Stage { lights: 8, shines: true, ..sun });
        let tracked: [(CommandOp, &[u32]); 2] = [
            (CommandOp::State(StateOp::ColorMaterial), &[0x0408, 0x1202]),
            (CommandOp::State(StateOp::Enable), &[0x0b57]),
        ];
        let all = [&[LIGHTING, LIGHT0], &tracked[..]].concat();
        assert_eq!(stage(&all), Stage { shines: true, tracks: true, ..sun });
    }

    #[test]
    fn records_differ_in_transforms_or_in_materials() {
        let record = |commands: &[(CommandOp, &[u32])]| {
            let mut state = WindowState::new(100, 100);
            for (op, args) in commands {
                state.command(*op, args);
            }
            Record::new(&state)
        };
        let lights = WindowState::new(100, 100).lights;
        let differ = |records: &[Record]| {
            let stage = Stage::new(records, &lights);
            (stage.transforms, stage.materials)
        };
        let shading = |records: &[Record]| Stage::new(records, &lights).shading;
        let plain = record(&[]);
        let moved = record(&[(CommandOp::State(StateOp::Translate), &[ONE, 0, 0])]);
        let metal =
            record(&[(CommandOp::Attribute(AttributeOp::Material), &[0x0404, 0x1202, ONE, 0, 0, ONE])]);
        let flat = record(&[(CommandOp::State(StateOp::ShadeModel), &[0x1d00])]);
        assert_eq!(differ(&[]), (false, false));
        assert_eq!(differ(&[moved]), (false, false));
        assert_eq!(differ(&[plain, plain]), (false, false));
        assert_eq!(differ(&[plain, plain, moved]), (true, false));
        assert_eq!(differ(&[plain, metal]), (false, true));
        assert_eq!(differ(&[flat, plain]), (false, true));
        assert_eq!(shading(&[]), Shading::Smooth);
        assert_eq!(shading(&[plain, moved]), Shading::Smooth);
        assert_eq!(shading(&[flat, flat]), Shading::Flat);
        assert_eq!(shading(&[plain, flat]), Shading::Mixed);
        assert_eq!(shading(&[flat, plain]), Shading::Mixed);
        assert_eq!(differ(&[plain, moved, metal]), (true, true));
    }
}
