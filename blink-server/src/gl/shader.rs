//! Our shaders: the only ones that are ever compiled. No text of a client is in them.

/// What a fragment's texture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Texturing {
    /// None.
    Off,
    /// One RGBA texture.
    Rgba,
    /// Three planes.
    Yuv,
}

/// Which of the drawing shaders. Few, as each takes long to compile on a software renderer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Texturing.
    pub texturing: Texturing,
    /// Back faces are lit by themselves.
    pub two_side: bool,
}

/// Sources of a variant: vertex, fragment. `records`: length of the uniform block's array.
#[must_use]
pub fn sources(variant: Variant, records: usize, embedded: bool) -> [String; 2] {
    let mut head = String::from(if embedded {
        "#version 300 es\nprecision highp float;\nprecision highp int;\n"
    } else {
        "#version 330 core\n"
    });
    head += &format!("#define RECORDS {records}\n");
    if variant.two_side {
        head += "#define TWO_SIDE\n";
    }
    match variant.texturing {
        Texturing::Off => {}
        Texturing::Rgba => head += "#define TEXTURED\n",
        Texturing::Yuv => head += "#define TEXTURED\n#define YUV\n",
    }
    [head.clone() + VERTEX, head + FRAGMENT]
}

/// Sources of the shader that draws images for the server.
#[must_use]
pub fn image_sources(embedded: bool) -> [String; 2] {
    let head = if embedded { "#version 300 es\nprecision highp float;\n" } else { "#version 330 core\n" };
    [head.to_owned() + IMAGE_VERTEX, head.to_owned() + IMAGE_FRAGMENT]
}

/// OpenGL 2.1 specification, section 2.14: lighting by vertex, clamped, then interpolated.
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
uniform float point_size;

layout(location = 0) in vec4 a_position;
layout(location = 1) in vec4 a_color;
layout(location = 2) in vec4 a_tex_coord;
layout(location = 3) in vec3 a_normal;
layout(location = 4) in uint a_record;

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

void main() {
    int index = int(a_record);
    vec4 rest = records[index].rest;
    int flags = int(rest.z);
    gl_Position = records[index].product * a_position;
    gl_PointSize = point_size;
    v_is_flat = flags >> 9 & 1;
    vec4 front_color = clamp(a_color, 0.0, 1.0);
#ifdef TWO_SIDE
    vec4 back_color = front_color;
#endif
    if ((flags & 0x100) != 0) {
        vec4 eye = records[index].modelview * a_position;
        vec3 place = eye.w != 0.0 ? eye.xyz / eye.w : eye.xyz;
        vec3 normal = records[index].normal[0].xyz * a_normal.x
            + records[index].normal[1].xyz * a_normal.y + records[index].normal[2].xyz * a_normal.z;
        if ((flags & 0x400) != 0) {
            normal = unit(normal);
        } else if ((flags & 0x800) != 0) {
            normal *= rest.w;
        }
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
    }
    v_smooth = front_color;
    v_flat = front_color;
#ifdef TWO_SIDE
    v_back_smooth = back_color;
    v_back_flat = back_color;
#endif
#ifdef TEXTURED
    v_tex_coord = records[index].texture * a_tex_coord;
#endif
}
";

/// OpenGL 2.1 specification, section 3.8.13: texture environments, for textures with alpha (RGBA) and
/// without (YUV).
const FRAGMENT: &str = r"
in vec4 v_smooth;
flat in vec4 v_flat;
flat in int v_is_flat;
#ifdef TWO_SIDE
in vec4 v_back_smooth;
flat in vec4 v_back_flat;
#endif
#ifdef TEXTURED
in vec4 v_tex_coord;
uniform sampler2D image;
#ifdef YUV
uniform sampler2D image_u;
uniform sampler2D image_v;
uniform mat3 yuv_to_rgb;
uniform vec3 yuv_offset;
#endif
uniform int env_mode;
uniform vec4 env_color;
#endif
out vec4 color;

void main() {
    color = v_is_flat != 0 ? v_flat : v_smooth;
#ifdef TWO_SIDE
    if (!gl_FrontFacing) color = v_is_flat != 0 ? v_back_flat : v_back_smooth;
#endif
#ifdef TEXTURED
    vec2 at = v_tex_coord.xy / v_tex_coord.w;
#ifdef YUV
    vec3 yuv = vec3(texture(image, at).r, texture(image_u, at).r, texture(image_v, at).r);
    vec4 texel = vec4(clamp(yuv_to_rgb * (yuv - yuv_offset), 0.0, 1.0), color.a);
#else
    vec4 texel = texture(image, at);
#endif
    if (env_mode == 0x1e01) {         // replace
        color = texel;
    } else if (env_mode == 0x2100) {  // modulate
#ifdef YUV
        color.rgb *= texel.rgb;
#else
        color *= texel;
#endif
    } else if (env_mode == 0x2101) {  // decal
#ifdef YUV
        color.rgb = texel.rgb;
#else
        color.rgb = mix(color.rgb, texel.rgb, texel.a);
#endif
    } else if (env_mode == 0x0be2) {  // blend
        color.rgb = mix(color.rgb, env_color.rgb, texel.rgb);
#ifndef YUV
        color.a *= texel.a;
#endif
    } else {                          // add
        color.rgb += texel.rgb;
#ifndef YUV
        color.a *= texel.a;
#endif
    }
    color = clamp(color, 0.0, 1.0);
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
