//! The fragment stage, written line by line for what a draw needs. OpenGL 2.1 specification, section 3.8.13:
//! texture environments; 3.10: fog; 4.1.4: alpha test.

use super::stage::Shading;
use super::variant::{Environment, Polygons, UnitVariant, Variant};
use std::fmt::Write as _;

/// The text of a variant's fragment shader, after its head.
#[must_use]
pub fn text(variant: &Variant) -> String {
    let outlined = variant.polygons != Polygons::Filled;
    let two_side = variant.two_side && !outlined;
    // A geometry shader's outputs have names of their own.
    let v = if outlined { "g" } else { "v" };
    let mut text = String::new();
    let mut line = |line: String| {
        text += &line;
        text.push('\n');
    };
    let shading = variant.stage.shading;
    let sides: &[String] = if two_side { &[v.into(), format!("{v}_back")] } else { &[v.into()] };
    for side in sides {
        if shading.has_smooth() {
            line(format!("in vec4 {side}_smooth;"));
        }
        if shading.has_flat() {
            line(format!("flat in vec4 {side}_flat;"));
        }
    }
    // The vertex stage says by the flat color's alpha which it is, where there are both.
    let shaded = |side: &str| match shading {
        Shading::Smooth => format!("color = {side}_smooth;"),
        Shading::Flat => format!("color = {side}_flat;"),
        Shading::Mixed => format!("color = {side}_flat.a < 0.0 ? {side}_smooth : {side}_flat;"),
    };
    if variant.wants_eye() {
        line(format!("in vec4 {v}_eye;"));
    }
    for (u, unit) in (0..).zip(variant.units) {
        let Some(unit) = unit else { continue };
        line(format!("in vec4 {v}_tex_coord{u};\nuniform sampler2D image{u};"));
        if unit.yuv {
            line(format!("uniform sampler2D image{u}_u;\nuniform sampler2D image{u}_v;"));
        }
    }
    line("out vec4 color;\nvoid main() {".into());
    line(shaded(v));
    if two_side {
        line(format!("if (!gl_FrontFacing) {}", shaded("v_back")));
    }
    line("vec4 primary = color;".into());
    for (u, unit) in (0..).zip(variant.units) {
        line(texel(u, unit, v));
    }
    for (u, unit) in (0..).zip(variant.units) {
        if let Some(unit) = unit {
            line(environment(u, &unit.environment));
        }
    }
    if let Some(mode) = variant.fog {
        line(fog(mode, v));
    }
    let mut cuts = Vec::new();
    if let Some(function) = variant.alpha_test {
        cuts.push(alpha_test(function));
    }
    for plane in 0..6 {
        if variant.clip_planes >> plane & 1 != 0 {
            cuts.push(format!("dot(clip_planes[{plane}], {v}_eye) < 0.0"));
        }
    }
    if !cuts.is_empty() {
        // At the end: what is discarded earlier would leave its neighbours without derivatives.
        line(format!("if ({}) discard;", cuts.join(" || ")));
    }
    text.push_str("}\n");
    text
}

/// Samples a unit's texture.
fn texel(u: usize, unit: Option<UnitVariant>, v: &str) -> String {
    let Some(unit) = unit else { return format!("vec4 texel{u} = vec4(0.0, 0.0, 0.0, 1.0);") };
    let mut text = format!("vec2 at{u} = {v}_tex_coord{u}.xy / {v}_tex_coord{u}.w;\n");
    for (is_clamped, axis) in unit.clamp.into_iter().zip(["x", "y"]) {
        if is_clamped {
            let _ = writeln!(text, "at{u}.{axis} = clamp(at{u}.{axis}, 0.0, 1.0);");
        }
    }
    let _ = if unit.yuv {
        write!(
            text,
            "vec3 yuv{u} = vec3(texture(image{u}, at{u}).r, texture(image{u}_u, at{u}).r, \
             texture(image{u}_v, at{u}).r) - units[{u}].yuv[3].xyz;\n\
             vec4 texel{u} = vec4(clamp(units[{u}].yuv[0].xyz * yuv{u}.x + units[{u}].yuv[1].xyz * yuv{u}.y \
             + units[{u}].yuv[2].xyz * yuv{u}.z, 0.0, 1.0), 1.0);"
        )
    } else {
        write!(text, "vec4 texel{u} = texture(image{u}, at{u});")
    };
    text
}

/// What a unit does to `color`.
fn environment(u: usize, environment: &Environment) -> String {
    let text = match *environment {
        Environment::Mode { mode, has_color, has_alpha } => by_mode(u, mode, has_color, has_alpha),
        Environment::Combine { functions, sources, operands } => combine(u, functions, sources, operands),
    };
    text + "\ncolor = clamp(color, 0.0, 1.0);"
}

fn by_mode(u: usize, mode: u32, has_color: bool, has_alpha: bool) -> String {
    let rgb = match mode {
        REPLACE => format!("texel{u}.rgb"),
        DECAL if has_alpha => format!("mix(color.rgb, texel{u}.rgb, texel{u}.a)"),
        DECAL => format!("texel{u}.rgb"),
        BLEND => format!("mix(color.rgb, units[{u}].env_color.rgb, texel{u}.rgb)"),
        ADD => format!("color.rgb + texel{u}.rgb"),
        _ => format!("color.rgb * texel{u}.rgb"),
    };
    let alpha = match mode {
        REPLACE => format!("texel{u}.a"),
        DECAL => "color.a".into(),
        _ => format!("color.a * texel{u}.a"),
    };
    let rgb = if has_color { rgb } else { "color.rgb".into() };
    let alpha = if has_alpha { alpha } else { "color.a".into() };
    format!("color = vec4({rgb}, {alpha});")
}

fn combine(u: usize, functions: [u32; 2], sources: [[u32; 3]; 2], operands: [[u32; 3]; 2]) -> String {
    let source = |what: u32| match what {
        TEXTURE => format!("texel{u}"),
        TEXTURE0 => "texel0".into(),
        TEXTURE1 => "texel1".into(),
        CONSTANT => format!("units[{u}].env_color"),
        PRIMARY_COLOR => "primary".into(),
        _ => "color".into(),
    };
    let [of_rgb, of_alpha] = sources.map(|sources| sources.map(source));
    let [operands_rgb, operands_alpha] = operands;
    let rgb = [0, 1, 2].map(|i| {
        let from = &of_rgb[i];
        match operands_rgb[i] {
            SRC_COLOR => format!("{from}.rgb"),
            ONE_MINUS_SRC_COLOR => format!("(1.0 - {from}.rgb)"),
            SRC_ALPHA => format!("{from}.aaa"),
            _ => format!("(1.0 - {from}.aaa)"),
        }
    });
    let alpha = [0, 1, 2].map(|i| {
        let from = &of_alpha[i];
        if operands_alpha[i] == SRC_ALPHA { format!("{from}.a") } else { format!("(1.0 - {from}.a)") }
    });
    let [function_rgb, function_alpha] = functions;
    let rgb_value = function(function_rgb, &rgb);
    // The dot product that is alpha too.
    let alpha_value = if function_rgb == DOT3_RGBA {
        format!("{}.x", function(DOT3_RGBA, &rgb))
    } else {
        function(function_alpha, &alpha)
    };
    format!("color = vec4({rgb_value} * units[{u}].scales.x, {alpha_value} * units[{u}].scales.y);")
}

fn function(function: u32, [a, b, c]: &[String; 3]) -> String {
    match function {
        REPLACE => a.clone(),
        MODULATE => format!("({a} * {b})"),
        ADD => format!("({a} + {b})"),
        ADD_SIGNED => format!("({a} + {b} - 0.5)"),
        INTERPOLATE => format!("mix({b}, {a}, {c})"),
        SUBTRACT => format!("({a} - {b})"),
        // Both dot products.
        _ => format!("vec3(4.0 * dot({a} - 0.5, {b} - 0.5))"),
    }
}

fn fog(mode: u32, v: &str) -> String {
    let clear = match mode {
        LINEAR => "(fog.y - far) * fog.z",
        EXP => "exp(-fog.x * far)",
        _ => "exp(-fog.x * far * fog.x * far)",
    };
    format!(
        "float far = abs({v}_eye.z);\n\
         color.rgb = mix(fog_color.rgb, color.rgb, clamp({clear}, 0.0, 1.0));"
    )
}

/// When a fragment is discarded. Alpha is compared as the framebuffer would hold it.
fn alpha_test(function: u32) -> String {
    let fails = match function {
        LESS => ">=",
        EQUAL => "!=",
        LEQUAL => ">",
        GREATER => "<=",
        NOTEQUAL => "==",
        GEQUAL => "<",
        _ => return "true".into(),
    };
    format!("floor(color.a * 255.0 + 0.5) {fails} floor(fog.w * 255.0 + 0.5)")
}

const REPLACE: u32 = 0x1e01;
const MODULATE: u32 = 0x2100;
const DECAL: u32 = 0x2101;
const BLEND: u32 = 0x0be2;
const ADD: u32 = 0x0104;
const ADD_SIGNED: u32 = 0x8574;
const INTERPOLATE: u32 = 0x8575;
const SUBTRACT: u32 = 0x84e7;
const DOT3_RGBA: u32 = 0x86af;
const TEXTURE: u32 = 0x1702;
const TEXTURE0: u32 = 0x84c0;
const TEXTURE1: u32 = 0x84c1;
const CONSTANT: u32 = 0x8576;
const PRIMARY_COLOR: u32 = 0x8577;
const SRC_COLOR: u32 = 0x300;
const ONE_MINUS_SRC_COLOR: u32 = 0x301;
const SRC_ALPHA: u32 = 0x302;
const EXP: u32 = 0x800;
const LINEAR: u32 = 0x2601;
const LESS: u32 = 0x201;
const EQUAL: u32 = 0x202;
const LEQUAL: u32 = 0x203;
const GREATER: u32 = 0x204;
const NOTEQUAL: u32 = 0x205;
const GEQUAL: u32 = 0x206;
