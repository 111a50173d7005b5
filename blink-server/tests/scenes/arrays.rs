//! Vertex arrays: each array, type, size, stride and offset; indices of each type.

use super::shapes::{clear, lit, name, view};
use crate::scene::{Scene, Texture};
use blinkgl::Recorder;
use blinkgl::gl::{
    Array, ArrayData, Capability, IndexData, MatrixMode, PolygonMode, Primitive, ShadeModel, TexEnvMode,
    TextureUnit,
};
use blinkgl::ops::{ARRAY, ARRAY_DATA, INDEX_DATA, PRIMITIVE};

const VERTICES: u32 = 20;
const INDICES: u32 = 21;

/// Bytes of a component.
fn size_of(data: ArrayData) -> u32 {
    match data {
        ArrayData::Byte | ArrayData::UnsignedByte => 1,
        ArrayData::Short | ArrayData::UnsignedShort => 2,
        ArrayData::Int | ArrayData::UnsignedInt | ArrayData::Float => 4,
        ArrayData::Double => 8,
    }
}

/// What stands for 1 where integers stand for -1 to 1 or 0 to 1.
fn one(data: ArrayData) -> f64 {
    match data {
        ArrayData::Byte => 127.0,
        ArrayData::UnsignedByte => 255.0,
        ArrayData::Short => 32_767.0,
        ArrayData::UnsignedShort => 65_535.0,
        ArrayData::Int => 2_147_483_647.0,
        ArrayData::UnsignedInt => 4_294_967_295.0,
        ArrayData::Float | ArrayData::Double => 1.0,
    }
}

/// The bytes of a component.
fn put(bytes: &mut Vec<u8>, data: ArrayData, value: f64) {
    match data {
        ArrayData::Byte => bytes.extend((value as i8).to_le_bytes()),
        ArrayData::UnsignedByte => bytes.extend((value as u8).to_le_bytes()),
        ArrayData::Short => bytes.extend((value as i16).to_le_bytes()),
        ArrayData::UnsignedShort => bytes.extend((value as u16).to_le_bytes()),
        ArrayData::Int => bytes.extend((value as i32).to_le_bytes()),
        ArrayData::UnsignedInt => bytes.extend((value as u32).to_le_bytes()),
        ArrayData::Float => bytes.extend((value as f32).to_le_bytes()),
        ArrayData::Double => bytes.extend(value.to_le_bytes()),
    }
}

/// An array and how it lies in its buffer.
#[derive(Clone, Copy)]
struct Layout {
    array: Array,
    size: u32,
    data: ArrayData,
    /// Bytes between vertices that are nothing's.
    gap: u32,
    /// 0 and no gap: packed.
    explicit_stride: bool,
    offset: u32,
}

impl Layout {
    fn packed(array: Array, size: u32, data: ArrayData) -> Layout {
        Layout { array, size, data, gap: 0, explicit_stride: false, offset: 0 }
    }

    /// The buffer's bytes, from the values of each vertex.
    fn bytes(self, values: &[[f64; 4]]) -> Vec<u8> {
        let mut bytes = vec![0xa5; self.offset as usize];
        for vertex in values {
            for &value in &vertex[..self.size as usize] {
                put(&mut bytes, self.data, value);
            }
            bytes.extend(vec![0x5a; self.gap as usize]);
        }
        bytes
    }

    fn point(self, p: &mut Recorder, buffer: u32) {
        let stride = if self.explicit_stride { self.size * size_of(self.data) + self.gap } else { 0 };
        p.array_pointer(self.array, self.size, self.data, stride, buffer, self.offset);
        p.enable_array(self.array, true);
    }
}

/// Corners of a star's triangles, from -1 to 1, with z and w.
fn corners() -> Vec<[f64; 4]> {
    (0..18)
        .map(|i| {
            let (blade, corner) = (f64::from(i / 3), i % 3);
            let a = blade * 1.047 + [0.0, 0.4, -0.3][corner as usize];
            let r = [0.15, 0.93, 0.88][corner as usize];
            [r * f64::cos(a), r * f64::sin(a), 0.1 * blade - 0.3, 1.0 + 0.05 * blade]
        })
        .collect()
}

fn colors() -> Vec<[f64; 4]> {
    (0..18)
        .map(f64::from)
        .map(|n| [(n * 0.37).fract(), (n * 0.61).fract(), (n * 0.83).fract(), 0.3 + n / 26.0])
        .collect()
}

fn normals() -> Vec<[f64; 4]> {
    (0..18).map(f64::from).map(|n| [(n * 1.3).sin() * 0.6, (n * 2.1).cos() * 0.6, 0.5, 0.0]).collect()
}

fn scaled(values: &[[f64; 4]], by: f64) -> Vec<[f64; 4]> {
    values.iter().map(|v| v.map(|c| c * by)).collect()
}

fn float_vertices() -> Layout {
    Layout::packed(Array::Vertex, 3, ArrayData::Float)
}

fn scene(name: &str, draw: impl FnOnce(&mut Recorder)) -> Scene {
    Scene::new(format!("arrays-{name}"), 96, 96, |p| {
        clear(p);
        draw(p);
    })
}

/// Types that OpenGL has for an array. (Blink's are those of OpenGL ES too.)
fn types(array: Array) -> &'static [ArrayData] {
    use ArrayData as D;
    match array {
        Array::Vertex | Array::TexCoord0 | Array::TexCoord1 => &[D::Short, D::Int, D::Float, D::Double],
        Array::Normal => &[D::Byte, D::Short, D::Int, D::Float, D::Double],
        Array::Color => ArrayData::ALL,
    }
}

fn sizes(array: Array) -> std::ops::RangeInclusive<u32> {
    match array {
        Array::Vertex => 2..=4,
        Array::Normal => 3..=3,
        Array::Color => 3..=4,
        Array::TexCoord0 | Array::TexCoord1 => 1..=4,
    }
}

fn picture() -> Texture {
    Texture::bgra(1, 8, 8, |x, y| {
        [(x * 31) as u8, (y * 31) as u8, if (x + y) % 2 == 0 { 220 } else { 40 }, 255]
    })
}

/// A star whose vertices, or one attribute of them, come from an array of this type and size.
fn typed(array: Array, data: ArrayData, size: u32) -> Scene {
    let layout = Layout::packed(array, size, data);
    let values = match array {
        // Integers of positions and texture coordinates are what they are.
        Array::Vertex if one(data) > 1.0 => scaled(&corners(), 100.0),
        Array::Vertex => corners(),
        Array::Normal => scaled(&normals(), one(data)),
        Array::Color => scaled(&colors(), one(data)),
        Array::TexCoord0 | Array::TexCoord1 if one(data) > 1.0 => scaled(&corners(), 20.0),
        Array::TexCoord0 | Array::TexCoord1 => corners(),
    };
    let name = format!("{}-{}-{size}", name(&ARRAY, array.value()), name(&ARRAY_DATA, data.value()));
    scene(&name, |p| {
        p.color4(0.9, 0.6, 0.2, 1.0);
        if array == Array::Vertex {
            if one(data) > 1.0 {
                // The fourth coordinate divides.
                let by = if size == 4 { 1.0 } else { 0.01 };
                p.scale(by, by, by);
            }
        } else {
            float_vertices().point(p, VERTICES);
        }
        layout.point(p, VERTICES + 2);
        match array {
            Array::Vertex => p.shade_model(ShadeModel::Flat),
            Array::Color => {}
            Array::Normal => lit(p),
            Array::TexCoord0 | Array::TexCoord1 => {
                let unit =
                    if array == Array::TexCoord0 { TextureUnit::Texture0 } else { TextureUnit::Texture1 };
                p.active_texture(unit);
                p.enable(Capability::Texture2d);
                p.bind_texture(1);
                p.tex_env_mode(TexEnvMode::Replace);
                p.matrix_mode(MatrixMode::Texture);
                if one(data) > 1.0 && size < 4 {
                    p.scale(0.05, 0.05, 0.05);
                }
                p.matrix_mode(MatrixMode::Modelview);
                p.active_texture(TextureUnit::Texture0);
            }
        }
        p.draw_arrays(Primitive::Triangles, 0, 18);
    })
    .texture(picture())
    .buffer(VERTICES, float_vertices().bytes(&corners()))
    .buffer(VERTICES + 2, layout.bytes(&values))
}

fn indexed(name: &str, data: IndexData, offset: u32, indices: &[u32]) -> Scene {
    let mut bytes = vec![0xff; offset as usize];
    for &index in indices {
        match data {
            IndexData::UnsignedByte => bytes.push(index as u8),
            IndexData::UnsignedShort => bytes.extend((index as u16).to_le_bytes()),
            IndexData::UnsignedInt => bytes.extend(index.to_le_bytes()),
        }
    }
    let count = indices.len() as u32;
    scene(name, |p| {
        float_vertices().point(p, VERTICES);
        Layout::packed(Array::Color, 4, ArrayData::Float).point(p, VERTICES + 2);
        p.draw_elements(Primitive::Triangles, count, data, INDICES, offset);
    })
    .buffer(VERTICES, float_vertices().bytes(&corners()))
    .buffer(VERTICES + 2, Layout::packed(Array::Color, 4, ArrayData::Float).bytes(&colors()))
    .buffer(INDICES, bytes)
}

/// Corners around a circle, in two rings: each primitive makes something of them.
fn rings() -> Vec<[f64; 4]> {
    (0..24)
        .map(|i| {
            let (a, r) = (f64::from(i / 2) * 0.523 + 0.1, if i % 2 == 0 { 0.9 } else { 0.5 });
            [r * a.cos(), r * a.sin(), 0.0, 1.0]
        })
        .collect()
}

pub fn arrays() -> Vec<Scene> {
    let mut scenes = vec![];
    for &array in Array::ALL {
        for &data in types(array) {
            for size in sizes(array) {
                scenes.push(typed(array, data, size));
            }
        }
    }
    for (name, gap, explicit_stride, offset) in [
        ("stride", 8, true, 0),
        ("offset", 0, false, 24),
        ("stride-and-offset", 20, true, 36),
        ("stride-packed", 0, true, 12),
    ] {
        let layout = Layout { gap, explicit_stride, offset, ..float_vertices() };
        scenes.push(
            scene(name, |p| {
                layout.point(p, VERTICES);
                p.draw_arrays(Primitive::Triangles, 0, 18);
            })
            .buffer(VERTICES, layout.bytes(&corners())),
        );
    }
    // All attributes of a vertex side by side in one buffer, as programs have them.
    let mut bytes = vec![];
    for ((position, color), normal) in corners().into_iter().zip(colors()).zip(normals()) {
        for value in &position[..3] {
            put(&mut bytes, ArrayData::Float, *value);
        }
        for value in normal[..3].iter().chain(&[0.0]) {
            put(&mut bytes, ArrayData::Byte, value * 127.0);
        }
        for value in color {
            put(&mut bytes, ArrayData::UnsignedByte, value * 255.0);
        }
        for value in &position[..2] {
            put(&mut bytes, ArrayData::Float, 2.0 * value);
        }
    }
    scenes.push(
        scene("interleaved", |p| {
            lit(p);
            p.enable(Capability::ColorMaterial);
            p.enable(Capability::Texture2d);
            p.bind_texture(1);
            for (array, size, data, offset) in [
                (Array::Vertex, 3, ArrayData::Float, 0),
                (Array::Normal, 3, ArrayData::Byte, 12),
                (Array::Color, 4, ArrayData::UnsignedByte, 16),
                (Array::TexCoord0, 2, ArrayData::Float, 20),
            ] {
                p.array_pointer(array, size, data, 28, VERTICES, offset);
                p.enable_array(array, true);
            }
            p.draw_arrays(Primitive::Triangles, 3, 12);
        })
        .texture(picture())
        .buffer(VERTICES, bytes),
    );
    for &mode in Primitive::ALL {
        let layout = float_vertices();
        let mode_name = name(&PRIMITIVE, mode.value());
        // (Quads that are cut otherwise look alike in one color each.)
        let set = |p: &mut Recorder| {
            layout.point(p, VERTICES);
            Layout::packed(Array::Color, 4, ArrayData::Float).point(p, VERTICES + 2);
            p.shade_model(ShadeModel::Flat);
            p.point_size(3.0);
            if matches!(mode, Primitive::Polygon | Primitive::Quads) {
                p.polygon_mode(blinkgl::gl::Face::FrontAndBack, PolygonMode::Fill);
            }
        };
        let order: Vec<u8> = match mode {
            // Convex: the outer ring; quads of both.
            Primitive::Polygon | Primitive::TriangleFan => (0..12).map(|i| i * 2).collect(),
            Primitive::Quads => (0..6).flat_map(|i| [4 * i, 4 * i + 2, 4 * i + 3, 4 * i + 1]).collect(),
            Primitive::Points
            | Primitive::Lines
            | Primitive::LineLoop
            | Primitive::LineStrip
            | Primitive::Triangles
            | Primitive::TriangleStrip
            | Primitive::QuadStrip => (0..24).collect(),
        };
        let ordered: Vec<[f64; 4]> = order.iter().map(|&i| rings()[usize::from(i)]).collect();
        let colors: Vec<[f64; 4]> = colors().into_iter().cycle().take(24).collect();
        let colors = Layout::packed(Array::Color, 4, ArrayData::Float).bytes(&colors);
        let count = order.len() as u32;
        scenes.push(
            scene(&format!("draw-{mode_name}"), |p| {
                set(p);
                p.draw_arrays(mode, 0, count);
            })
            .buffer(VERTICES, layout.bytes(&ordered))
            .buffer(VERTICES + 2, colors.clone()),
        );
        scenes.push(
            scene(&format!("elements-{mode_name}"), |p| {
                set(p);
                p.draw_elements(mode, count, IndexData::UnsignedByte, INDICES, 0);
            })
            .buffer(VERTICES, layout.bytes(&rings()))
            .buffer(VERTICES + 2, colors)
            .buffer(INDICES, order),
        );
    }
    for &data in IndexData::ALL {
        let data_name = name(&INDEX_DATA, data.value());
        scenes.push(indexed(
            &format!("indices-{data_name}"),
            data,
            0,
            &[0, 1, 2, 6, 7, 8, 3, 1, 8, 17, 12, 4],
        ));
        scenes.push(indexed(
            &format!("indices-{data_name}-offset"),
            data,
            8,
            &[2, 1, 0, 9, 10, 11, 5, 5, 5, 16, 15, 17],
        ));
    }
    // Without arrays, the current values; without vertices, nothing; and what is off is not read.
    scenes.push(
        scene("some-are-off", |p| {
            float_vertices().point(p, VERTICES);
            Layout::packed(Array::Color, 4, ArrayData::Float).point(p, VERTICES + 2);
            p.enable_array(Array::Color, false);
            p.color4(0.2, 0.7, 0.9, 1.0);
            p.draw_arrays(Primitive::Triangles, 0, 9);
            p.enable_array(Array::Vertex, false);
            p.draw_arrays(Primitive::Triangles, 9, 6);
            p.enable_array(Array::Vertex, true);
            p.enable_array(Array::Color, true);
            p.draw_arrays(Primitive::Triangles, 15, 3);
        })
        .buffer(VERTICES, float_vertices().bytes(&corners()))
        .buffer(VERTICES + 2, Layout::packed(Array::Color, 4, ArrayData::Float).bytes(&colors())),
    );
    // In a list; and between other primitives, under changing matrices.
    scenes.push(
        scene("in-lists", |p| {
            view(p);
            float_vertices().point(p, VERTICES);
            p.enable_array(Array::Color, true);
            p.scale(0.5, 0.5, 1.0);
            for i in 0..5u8 {
                p.rotate(72.0, 0.0, 0.0, 1.0);
                p.pushed(|p| {
                    p.translate(1.1, 0.0, 0.0);
                    p.call_list(1);
                    p.color4(0.2 * f32::from(i), 0.9, 0.5, 1.0);
                    super::shapes::square(p, [-0.1, -0.1, 0.1, 0.1], 0.0);
                });
            }
        })
        .init(|p| {
            float_vertices().point(p, VERTICES);
            Layout::packed(Array::Color, 4, ArrayData::Float).point(p, VERTICES + 2);
            p.list(1, |p| p.draw_arrays(Primitive::Triangles, 0, 18));
        })
        .buffer(VERTICES, float_vertices().bytes(&corners()))
        .buffer(VERTICES + 2, Layout::packed(Array::Color, 4, ArrayData::Float).bytes(&colors())),
    );
    scenes
}
