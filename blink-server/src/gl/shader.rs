//! Our shaders: the only ones that are ever compiled. No text of a client is in them.
//!
//! Most drawing needs the small variants. [`Texturing::Full`] does all the rest of fixed function by looking at the
//! uniform block, so that the number of variants, each of which takes long to compile on a software renderer,
//! stays small whatever clients ask for.

use super::block::BLOCK_VECTORS;
use blinkgl::limits::{MAX_CLIP_PLANES, MAX_TEXTURE_UNITS};

/// What a fragment's textures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Texturing {
    /// None.
    Off,
    /// One texture of one plane.
    Plane,
    /// One of three planes.
    Yuv,
    /// Two units of either kind, with everything else that fixed function has.
    Full,
}

/// What polygons are drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Polygons {
    /// As they are: also for points and lines.
    Filled,
    /// As their borders (GL_LINE).
    Lines,
    /// As their corners (GL_POINT).
    Points,
}

/// Which of the drawing shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Texturing.
    pub texturing: Texturing,
    /// Back faces are lit by themselves.
    pub two_side: bool,
    /// The polygon mode; not [`Polygons::Filled`] only with [`Texturing::Full`].
    pub polygons: Polygons,
}

/// Sources of a variant.
#[derive(Debug)]
pub struct Sources {
    /// Vertex shader.
    pub vertex: String,
    /// Geometry shader, for polygons that are not filled.
    pub geometry: Option<String>,
    /// Fragment shader.
    pub fragment: String,
}

/// Sources of a variant. `records`: length of the uniform block's array.
#[must_use]
pub fn sources(variant: Variant, records: usize, embedded: bool) -> Sources {
    let outlined = variant.polygons != Polygons::Filled;
    let mut head = String::from(match (embedded, outlined) {
        (false, _) => "#version 330 core\n",
        (true, false) => "#version 300 es\nprecision highp float;\nprecision highp int;\n",
        // Geometry shaders came later, and those that size points as an extension.
        (true, true) => {
            "#version 320 es\n#extension GL_EXT_geometry_point_size : enable\nprecision highp float;\nprecision highp int;\n"
        }
    });
    head += &format!("#define RECORDS {records}\n");
    if variant.two_side {
        head += "#define TWO_SIDE\n";
    }
    head += match variant.texturing {
        Texturing::Off => "",
        Texturing::Plane => "#define TEXTURED\n",
        Texturing::Yuv => "#define TEXTURED\n#define YUV\n",
        Texturing::Full => "#define TEXTURED\n#define FULL\n",
    };
    let geometry = match variant.polygons {
        Polygons::Filled => None,
        Polygons::Lines => Some("#define LINES\n"),
        Polygons::Points => Some(""),
    };
    if outlined {
        head += "#define OUTLINED\n";
    }
    head += BLOCK;
    Sources {
        vertex: head.clone() + VERTEX,
        geometry: geometry.map(|what| head.replacen('\n', &format!("\n{what}"), 1) + GEOMETRY),
        fragment: head + FRAGMENT,
    }
}

/// Sources of the shader that draws images for the server: vertex, fragment.
#[must_use]
pub fn image_sources(embedded: bool) -> [String; 2] {
    let head = if embedded { "#version 300 es\nprecision highp float;\n" } else { "#version 330 core\n" };
    [head.to_owned() + IMAGE_VERTEX, head.to_owned() + IMAGE_FRAGMENT]
}

const _: () = assert!(
    MAX_CLIP_PLANES == 6 && MAX_TEXTURE_UNITS == 2 && BLOCK_VECTORS == 18 + 2 * 17,
    "the shaders' block has these"
);

/// The block that [`super::block`] packs.
const BLOCK: &str = r"
struct Unit {
    ivec4 env;       // kind of texture: 0 none, 1 plane, 2 YUV; mode; base format: 1 color, 2 alpha; GL_CLAMP of s, t
    vec4 env_color;
    ivec4 functions; // GL_COMBINE: color, alpha
    vec4 scales;
    ivec4 sources_rgb;
    ivec4 operands_rgb;
    ivec4 sources_alpha;
    ivec4 operands_alpha;
    ivec4 generation; // of s, t, r, q: 0 off, 1 eye, 2 object, 3 sphere
    vec4 planes[4];
    vec4 yuv[4];      // columns of the conversion to RGB, offset
};
layout(std140) uniform Draw {
    vec4 point;       // size, least, greatest
    vec4 attenuation;
    ivec4 switches;   // fog: 0 off, 1 linear, 2 exp, 3 exp2; alpha function; clip planes; points are attenuated
    vec4 fog;         // density, end, 1 / (end - start); reference of the alpha test
    vec4 fog_color;
    vec4 offset;      // polygon offset: factor, units; half the depth range
    vec4 half_viewport;
    ivec4 outline;    // faces: 1 front, 2 back; front is clockwise; offset
    vec4 clip_planes[6];
    mat4 texture_matrix_1;
    Unit units[2];
};
";

/// OpenGL 2.1 specification, section 2.14: lighting by vertex, clamped, then interpolated; 2.11.4: generated texture
/// coordinates; 3.3: point sizes.
const VERTEX: &str = r"
struct Record {
    mat4 product;
    mat4 modelview;
    vec4 normal[3];
    mat4 texture;
    vec4 front[4];  // ambient, diffuse, specular, emission
    vec4 back[4];
    vec4 rest;      // shininess front, back; flags; rescale factor
};
struct Light {
    vec4 position;
    vec4 ambient;
    vec4 diffuse;
    vec4 specular;
    vec4 spot;      // direction, cosine of the cutoff (below -1: no spot)
    vec4 factors;   // spot exponent; attenuation: constant, linear, quadratic
};
layout(std140) uniform Records { Record records[RECORDS]; };
layout(std140) uniform Lights { Light lights[8]; vec4 scene_ambient; vec4 viewer; };

layout(location = 0) in vec4 a_position;
layout(location = 1) in vec4 a_color;
layout(location = 2) in vec4 a_tex_coord;
layout(location = 3) in vec3 a_normal;
layout(location = 4) in uint a_record;
layout(location = 5) in vec4 a_tex_coord1;

out vec4 v_smooth;
flat out vec4 v_flat;
flat out int v_is_flat;
#ifdef TWO_SIDE
out vec4 v_back_smooth;
flat out vec4 v_back_flat;
#endif
#ifdef TEXTURED
out vec4 v_tex_coord;
#endif
#ifdef FULL
out vec4 v_tex_coord1;
out vec4 v_eye;
#endif
#ifdef OUTLINED
flat out int v_inner;
#endif

vec3 unit(vec3 v) {
    float square = dot(v, v);
    return square > 0.0 ? v * inversesqrt(square) : vec3(0.0);
}

vec4 lit(vec4 material[4], float shininess, vec3 normal, vec3 eye, int on) {
    vec3 color = material[3].rgb + material[0].rgb * scene_ambient.rgb;
    for (int i = 0; i < 8; ++i) {
        if ((on >> i & 1) == 0) continue;
        Light light = lights[i];
        vec3 towards;
        float strength = 1.0;
        if (light.position.w == 0.0) {
            towards = unit(light.position.xyz);
        } else {
            vec3 way = light.position.xyz / light.position.w - eye;
            float far = length(way);
            towards = unit(way);
            strength = 1.0 / (light.factors.y + light.factors.z * far + light.factors.w * far * far);
        }
        if (light.spot.w >= -1.0) {
            float cosine = dot(-towards, unit(light.spot.xyz));
            if (cosine < light.spot.w) {
                strength = 0.0;
            } else if (light.factors.x > 0.0) {
                strength *= pow(max(cosine, 0.0), light.factors.x);
            }
        }
        float diffuse = max(dot(normal, towards), 0.0);
        vec3 sum = material[0].rgb * light.ambient.rgb + diffuse * material[1].rgb * light.diffuse.rgb;
        if (diffuse > 0.0) {
            vec3 viewer_way = viewer.x != 0.0 ? unit(-eye) : vec3(0.0, 0.0, 1.0);
            float specular = max(dot(normal, unit(towards + viewer_way)), 0.0);
            // 0 to the power of 0 is 1 here, as in the specification.
            float shine = shininess == 0.0 ? 1.0 : (specular > 0.0 ? pow(specular, shininess) : 0.0);
            sum += shine * material[2].rgb * light.specular.rgb;
        }
        color += strength * sum;
    }
    return clamp(vec4(color, material[1].a), 0.0, 1.0);
}

void track(inout vec4 material[4], int mode) {
    if (mode == 0 || mode == 4) material[0] = a_color;
    if (mode == 1 || mode == 4) material[1] = a_color;
    if (mode == 2) material[2] = a_color;
    if (mode == 3) material[3] = a_color;
}

#ifdef FULL
vec4 generated(int u, vec4 given, vec4 eye, vec3 normal) {
    ivec4 modes = units[u].generation;
    if (modes == ivec4(0)) return given;
    // The sphere map of the specification: the reflected way to the eye, as a place on a unit sphere's picture.
    vec3 way = unit(eye.xyz);
    vec3 reflected = way - 2.0 * dot(normal, way) * normal;
    reflected.z += 1.0;
    float m = 2.0 * length(reflected);
    vec2 sphere = (m > 0.0 ? reflected.xy / m : vec2(0.0)) + 0.5;
    for (int i = 0; i < 4; ++i) {
        vec4 plane = units[u].planes[i];
        if (modes[i] == 1) given[i] = dot(plane, eye);
        if (modes[i] == 2) given[i] = dot(plane, a_position);
        if (modes[i] == 3) given[i] = i == 0 ? sphere.x : sphere.y;
    }
    return given;
}
#endif

void main() {
#ifdef OUTLINED
    int index = int(a_record & 0x7fffffffu);
    v_inner = int(a_record >> 31u);
#else
    int index = int(a_record);
#endif
    vec4 rest = records[index].rest;
    int flags = int(rest.z);
    gl_Position = records[index].product * a_position;
    float size = point.x;
    v_is_flat = flags >> 9 & 1;
    vec4 front_color = clamp(a_color, 0.0, 1.0);
#ifdef TWO_SIDE
    vec4 back_color = front_color;
#endif
#ifdef FULL
    bool needs_eye = true;
#else
    bool needs_eye = (flags & 0x100) != 0;
#endif
    if (needs_eye) {
        vec4 eye = records[index].modelview * a_position;
        vec3 place = eye.w != 0.0 ? eye.xyz / eye.w : eye.xyz;
        vec3 normal = records[index].normal[0].xyz * a_normal.x
            + records[index].normal[1].xyz * a_normal.y + records[index].normal[2].xyz * a_normal.z;
        if ((flags & 0x400) != 0) {
            normal = unit(normal);
        } else if ((flags & 0x800) != 0) {
            normal *= rest.w;
        }
#ifdef FULL
        v_eye = eye;
        v_tex_coord = records[index].texture * generated(0, a_tex_coord, eye, normal);
        v_tex_coord1 = texture_matrix_1 * generated(1, a_tex_coord1, eye, normal);
        if (switches.w != 0) {
            float far = abs(place.z);
            size *= inversesqrt(attenuation.x + attenuation.y * far + attenuation.z * far * far);
        }
        if ((flags & 0x100) != 0) {
#endif
        int mode = flags >> 16;
        vec4 material[4] = vec4[4](records[index].front[0], records[index].front[1],
            records[index].front[2], records[index].front[3]);
        if ((flags & 0x1000) != 0) track(material, mode);
        front_color = lit(material, rest.x, normal, place, flags & 0xff);
#ifdef TWO_SIDE
        material = vec4[4](records[index].back[0], records[index].back[1],
            records[index].back[2], records[index].back[3]);
        if ((flags & 0x2000) != 0) track(material, mode);
        back_color = lit(material, rest.y, -normal, place, flags & 0xff);
#endif
#ifdef FULL
        }
#endif
    }
    gl_PointSize = max(min(size, point.z), point.y);
    v_smooth = front_color;
    v_flat = front_color;
#ifdef TWO_SIDE
    v_back_smooth = back_color;
    v_back_flat = back_color;
#endif
#if defined(TEXTURED) && !defined(FULL)
    v_tex_coord = records[index].texture * a_tex_coord;
#endif
}
";

/// OpenGL 2.1 specification, section 3.5.4: polygons as their borders or corners. Each corner says whether the edge
/// that begins there is inside of the polygon that the triangle was cut from.
const GEOMETRY: &str = r"
layout(triangles) in;
#ifdef LINES
layout(line_strip, max_vertices = 6) out;
#else
layout(points, max_vertices = 3) out;
#endif

in vec4 v_smooth[];
flat in vec4 v_flat[];
flat in int v_is_flat[];
#ifdef TWO_SIDE
in vec4 v_back_smooth[];
flat in vec4 v_back_flat[];
#endif
in vec4 v_tex_coord[];
in vec4 v_tex_coord1[];
in vec4 v_eye[];
flat in int v_inner[];

out vec4 g_smooth;
flat out vec4 g_flat;
flat out int g_is_flat;
out vec4 g_tex_coord;
out vec4 g_tex_coord1;
out vec4 g_eye;

bool is_front;
float lift;

void corner(int i) {
    gl_Position = gl_in[i].gl_Position;
    gl_Position.z += lift * gl_Position.w;
    // A constant index, as some embedded compilers want.
    g_smooth = v_smooth[i];
    g_flat = v_flat[2];
#ifdef TWO_SIDE
    if (!is_front) {
        g_smooth = v_back_smooth[i];
        g_flat = v_back_flat[2];
    }
#endif
    g_is_flat = v_is_flat[2];
    g_tex_coord = v_tex_coord[i];
    g_tex_coord1 = v_tex_coord1[i];
    g_eye = v_eye[i];
#ifndef LINES
    gl_PointSize = max(min(point.x, point.z), point.y);
#endif
    EmitVertex();
}

void main() {
    vec4 a = gl_in[0].gl_Position;
    vec4 b = gl_in[1].gl_Position;
    vec4 c = gl_in[2].gl_Position;
    // The signed area, right also for corners behind the eye.
    float area = determinant(mat3(a.xyw, b.xyw, c.xyw));
    is_front = (area > 0.0) != (outline.y != 0);
    if ((outline.x & (is_front ? 1 : 2)) == 0) return;
    lift = 0.0;
    if (outline.z != 0) {
        // The greatest slope of depth over pixels.
        vec3 p = a.xyz / a.w * vec3(half_viewport.xy, offset.z);
        vec3 u = b.xyz / b.w * vec3(half_viewport.xy, offset.z) - p;
        vec3 v = c.xyz / c.w * vec3(half_viewport.xy, offset.z) - p;
        float flatness = u.x * v.y - u.y * v.x;
        vec2 slope = vec2(u.z * v.y - u.y * v.z, u.x * v.z - u.z * v.x) / flatness;
        float m = flatness != 0.0 ? max(abs(slope.x), abs(slope.y)) : 0.0;
        lift = (offset.x * m + offset.y) / offset.z;
    }
#ifdef LINES
    if (v_inner[2] == 0) {
        corner(2);
        corner(0);
        EndPrimitive();
    }
    if (v_inner[0] == 0) {
        corner(0);
        corner(1);
        EndPrimitive();
    }
    if (v_inner[1] == 0) {
        corner(1);
        corner(2);
        EndPrimitive();
    }
#else
    if (v_inner[0] == 0) { corner(0); EndPrimitive(); }
    if (v_inner[1] == 0) { corner(1); EndPrimitive(); }
    if (v_inner[2] == 0) { corner(2); EndPrimitive(); }
#endif
}
";

/// OpenGL 2.1 specification, section 3.8.13: texture environments; 3.10: fog; 4.1.4: alpha test.
const FRAGMENT: &str = r"
#ifdef OUTLINED
#define v_smooth g_smooth
#define v_flat g_flat
#define v_is_flat g_is_flat
#define v_tex_coord g_tex_coord
#define v_tex_coord1 g_tex_coord1
#define v_eye g_eye
#endif
in vec4 v_smooth;
flat in vec4 v_flat;
flat in int v_is_flat;
#if defined(TWO_SIDE) && !defined(OUTLINED)
in vec4 v_back_smooth;
flat in vec4 v_back_flat;
#endif
#ifdef TEXTURED
in vec4 v_tex_coord;
uniform sampler2D image;
#if defined(YUV) || defined(FULL)
uniform sampler2D image_u;
uniform sampler2D image_v;
#endif
#endif
#ifdef FULL
in vec4 v_tex_coord1;
in vec4 v_eye;
uniform sampler2D image1;
uniform sampler2D image1_u;
uniform sampler2D image1_v;
#endif
out vec4 color;

#ifdef TEXTURED
vec4 rgb_of(vec3 yuv, int u) {
    yuv -= units[u].yuv[3].xyz;
    vec3 rgb = units[u].yuv[0].xyz * yuv.x + units[u].yuv[1].xyz * yuv.y + units[u].yuv[2].xyz * yuv.z;
    return vec4(clamp(rgb, 0.0, 1.0), 1.0);
}

vec4 environment(int u, vec4 before, vec4 texel) {
    int mode = units[u].env.y;
    bool has_color = (units[u].env.z & 1) != 0;
    bool has_alpha = (units[u].env.z & 2) != 0;
    vec4 after = before;
    if (mode == 0x1e01) {         // replace
        if (has_color) after.rgb = texel.rgb;
        if (has_alpha) after.a = texel.a;
        return after;
    }
    if (mode == 0x2101) {         // decal
        after.rgb = has_alpha ? mix(before.rgb, texel.rgb, texel.a) : texel.rgb;
        return after;
    }
    if (has_color) {
        if (mode == 0x0be2) {     // blend
            after.rgb = mix(before.rgb, units[u].env_color.rgb, texel.rgb);
        } else if (mode == 0x0104) {
            after.rgb += texel.rgb;
        } else {                  // modulate
            after.rgb *= texel.rgb;
        }
    }
    if (has_alpha) after.a *= texel.a;
    return after;
}
#endif

#ifdef FULL
vec2 place(int u, vec4 coordinate) {
    vec2 at = coordinate.xy / coordinate.w;
    int clamps = units[u].env.w;
    if ((clamps & 1) != 0) at.x = clamp(at.x, 0.0, 1.0);
    if ((clamps & 2) != 0) at.y = clamp(at.y, 0.0, 1.0);
    return at;
}

vec4 texels[2];

vec4 source(int what, int u, vec4 primary, vec4 before) {
    if (what == 0x1702) return texels[u];
    if (what == 0x84c0) return texels[0];
    if (what == 0x84c1) return texels[1];
    if (what == 0x8576) return units[u].env_color;
    if (what == 0x8577) return primary;
    return before;
}

vec3 operand_rgb(int what, vec4 value) {
    if (what == 0x300) return value.rgb;
    if (what == 0x301) return 1.0 - value.rgb;
    if (what == 0x302) return value.aaa;
    return 1.0 - value.aaa;
}

vec4 combined(int function, vec4 a, vec4 b, vec4 c) {
    if (function == 0x1e01) return a;
    if (function == 0x2100) return a * b;
    if (function == 0x0104) return a + b;
    if (function == 0x8574) return a + b - 0.5;
    if (function == 0x8575) return a * c + b * (1.0 - c);
    if (function == 0x84e7) return a - b;
    return vec4(4.0 * dot(a.rgb - 0.5, b.rgb - 0.5));
}

vec4 combine(int u, vec4 primary, vec4 before) {
    vec4 arguments[3];
    for (int i = 0; i < 3; ++i) {
        vec4 of_rgb = source(units[u].sources_rgb[i], u, primary, before);
        vec4 of_alpha = source(units[u].sources_alpha[i], u, primary, before);
        arguments[i].rgb = operand_rgb(units[u].operands_rgb[i], of_rgb);
        arguments[i].a = units[u].operands_alpha[i] == 0x302 ? of_alpha.a : 1.0 - of_alpha.a;
    }
    // The dot product that is alpha too is scaled as each of them.
    ivec2 functions = units[u].functions.xy;
    if (functions.x == 0x86af) functions.y = 0x86af;
    vec3 rgb = combined(functions.x, arguments[0], arguments[1], arguments[2]).rgb;
    float alpha = combined(functions.y, arguments[0], arguments[1], arguments[2]).a;
    return vec4(rgb * units[u].scales.x, alpha * units[u].scales.y);
}

bool passes(int function, float value, float reference) {
    if (function == 0x207) return true;
    if (function == 0x200) return false;
    if (function == 0x201) return value < reference;
    if (function == 0x202) return value == reference;
    if (function == 0x203) return value <= reference;
    if (function == 0x204) return value > reference;
    if (function == 0x205) return value != reference;
    return value >= reference;
}
#endif

void main() {
    color = v_is_flat != 0 ? v_flat : v_smooth;
#if defined(TWO_SIDE) && !defined(OUTLINED)
    if (!gl_FrontFacing) color = v_is_flat != 0 ? v_back_flat : v_back_smooth;
#endif
#if defined(TEXTURED) && !defined(FULL)
    vec2 at = v_tex_coord.xy / v_tex_coord.w;
#ifdef YUV
    vec4 texel = rgb_of(vec3(texture(image, at).r, texture(image_u, at).r, texture(image_v, at).r), 0);
#else
    vec4 texel = texture(image, at);
#endif
    color = clamp(environment(0, color, texel), 0.0, 1.0);
#endif
#ifdef FULL
    vec2 at = place(0, v_tex_coord);
    vec2 at1 = place(1, v_tex_coord1);
    texels[0] = vec4(0.0, 0.0, 0.0, 1.0);
    texels[1] = texels[0];
    // The kinds are the same for a whole draw, so that neighbours agree and mipmaps are chosen rightly.
    if (units[0].env.x == 1) {
        texels[0] = texture(image, at);
    } else if (units[0].env.x == 2) {
        texels[0] = rgb_of(vec3(texture(image, at).r, texture(image_u, at).r, texture(image_v, at).r), 0);
    }
    if (units[1].env.x == 1) {
        texels[1] = texture(image1, at1);
    } else if (units[1].env.x == 2) {
        texels[1] = rgb_of(vec3(texture(image1, at1).r, texture(image1_u, at1).r, texture(image1_v, at1).r), 1);
    }
    vec4 primary = color;
    for (int u = 0; u < 2; ++u) {
        if (units[u].env.x == 0) continue;
        if (units[u].env.y == 0x8570) {
            color = combine(u, primary, color);
        } else {
            color = environment(u, color, texels[u]);
        }
        color = clamp(color, 0.0, 1.0);
    }
    if (switches.x != 0) {
        float far = abs(v_eye.z);
        float thick = fog.x * far;
        float clear = switches.x == 1 ? (fog.y - far) * fog.z
            : switches.x == 2 ? exp(-thick) : exp(-thick * thick);
        color.rgb = mix(fog_color.rgb, color.rgb, clamp(clear, 0.0, 1.0));
    }
    // At the end: what is discarded earlier would leave its neighbours without derivatives.
    // Alpha is compared as the framebuffer would hold it.
    bool cut = !passes(switches.y, floor(color.a * 255.0 + 0.5), floor(fog.w * 255.0 + 0.5));
    for (int i = 0; i < 6; ++i) {
        cut = cut || ((switches.z >> i & 1) != 0 && dot(clip_planes[i], v_eye) < 0.0);
    }
    if (cut) discard;
#endif
}
";

/// A rectangle of the framebuffer, corners in clip coordinates, first row of the image on top.
const IMAGE_VERTEX: &str = r"
uniform vec4 corners;  // left, bottom, right, top
out vec2 at;
void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    at = vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4(mix(corners.xy, corners.zw, corner), 0.0, 1.0);
}
";

const IMAGE_FRAGMENT: &str = r"
in vec2 at;
uniform sampler2D image;
out vec4 color;
void main() { color = texture(image, at); }
";
