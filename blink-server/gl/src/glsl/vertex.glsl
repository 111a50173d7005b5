// OpenGL 2.1 specification, section 2.14: lighting by vertex, clamped, then interpolated; 2.11.4: generated texture
// coordinates; 3.3: point sizes.
//
// Switches: TWO_SIDE; UNIT0, UNIT1: the unit has a texture; GENERATED0, GENERATED1: its coordinates may be generated;
// EYE: the fragment stage wants eye coordinates; POINTS; ATTENUATED: points get smaller; OUTLINED: polygons that are not
// filled. Of the records and lights: TRANSFORMS, MATERIALS, SMOOTH, FLAT, LIT, ALL_LIGHTS, POSITIONAL, SPOTS, SHINES,
// LOCAL_VIEWER, TRACKS.
#if defined(LIT) || defined(EYE) || defined(GENERATED0) || defined(GENERATED1) || defined(ATTENUATED)
#define NEEDS_EYE
#endif
struct Record {
    mat4 product;
    mat4 modelview;
    vec4 normal[3]; // w of the first: rescale factor
    mat4 texture;
    vec4 front[4];  // ambient, diffuse, specular, emission
    vec4 back[4];
    vec4 rest;      // shininess front, back; flags
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
layout(std140) uniform Lights { Light lights[8]; vec4 scene_ambient; };

layout(location = 0) in vec4 a_position;
layout(location = 1) in vec4 a_color;
layout(location = 2) in vec4 a_tex_coord;
layout(location = 3) in vec3 a_normal;
layout(location = 4) in uint a_record;
layout(location = 5) in vec4 a_tex_coord1;

// Where some are smooth and some flat, the flat color of a smooth one has the alpha -1. A software renderer takes its time
// for each output of each vertex and triangle, so there are no more than are needed.
#ifdef SMOOTH
out vec4 v_smooth;
#endif
#ifdef FLAT
flat out vec4 v_flat;
#endif
#ifdef TWO_SIDE
#ifdef SMOOTH
out vec4 v_back_smooth;
#endif
#ifdef FLAT
flat out vec4 v_back_flat;
#endif
#endif
#ifdef UNIT0
out vec4 v_tex_coord0;
#endif
#ifdef UNIT1
out vec4 v_tex_coord1;
#endif
#ifdef EYE
out vec4 v_eye;
#endif
#ifdef OUTLINED
flat out int v_inner;
#endif

vec3 unit(vec3 v) {
    float square = dot(v, v);
    return square > 0.0 ? v * inversesqrt(square) : vec3(0.0);
}

#ifdef LIT
vec3 light_from(int i, vec4 material[4], float shininess, vec3 normal, vec3 eye, int on) {
    if ((on >> i & 1) == 0) return vec3(0.0);
    Light light = lights[i];
    vec3 towards;
    float strength = 1.0;
#ifdef POSITIONAL
    if (light.position.w != 0.0) {
        vec3 way = light.position.xyz / light.position.w - eye;
        float far = length(way);
        towards = unit(way);
        strength = 1.0 / (light.factors.y + light.factors.z * far + light.factors.w * far * far);
    } else
#endif
    towards = unit(light.position.xyz);
#ifdef SPOTS
    if (light.spot.w >= -1.0) {
        float cosine = dot(-towards, unit(light.spot.xyz));
        if (cosine < light.spot.w) {
            strength = 0.0;
        } else if (light.factors.x > 0.0) {
            strength *= pow(max(cosine, 0.0), light.factors.x);
        }
    }
#endif
    float diffuse = max(dot(normal, towards), 0.0);
    vec3 sum = material[0].rgb * light.ambient.rgb + diffuse * material[1].rgb * light.diffuse.rgb;
#ifdef SHINES
    if (diffuse > 0.0) {
#ifdef LOCAL_VIEWER
        vec3 viewer_way = unit(-eye);
#else
        vec3 viewer_way = vec3(0.0, 0.0, 1.0);
#endif
        float specular = max(dot(normal, unit(towards + viewer_way)), 0.0);
        // 0 to the power of 0 is 1 here, as in the specification.
        float shine = shininess == 0.0 ? 1.0 : (specular > 0.0 ? pow(specular, shininess) : 0.0);
        sum += shine * material[2].rgb * light.specular.rgb;
    }
#endif
    return strength * sum;
}

#define LIGHT(i) color += light_from(i, material, shininess, normal, eye, on);
vec4 lit(vec4 material[4], float shininess, vec3 normal, vec3 eye, int on) {
    vec3 color = material[3].rgb + material[0].rgb * scene_ambient.rgb;
    ALL_LIGHTS
    return clamp(vec4(color, material[1].a), 0.0, 1.0);
}

#ifdef TRACKS
void track(inout vec4 material[4], int mode) {
    if (mode == 0 || mode == 4) material[0] = a_color;
    if (mode == 1 || mode == 4) material[1] = a_color;
    if (mode == 2) material[2] = a_color;
    if (mode == 3) material[3] = a_color;
}
#endif
#endif

#if defined(GENERATED0) || defined(GENERATED1)
vec4 generated(int u, vec4 given, vec4 eye, vec3 normal) {
    ivec4 modes = units[u].generation;
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
    // Polygons with one filled face have the bit of inner edges too.
    int index = int(a_record & 0x7fffffffu);
#ifdef OUTLINED
    v_inner = int(a_record >> 31u);
#endif
    // What is the same in all records is read from the first: a software renderer reads what has an index once for each
    // vertex, number by number.
#ifdef TRANSFORMS
#define TRANSFORM records[index]
#else
#define TRANSFORM records[0]
#endif
#ifdef MATERIALS
#define MATERIAL records[index]
#else
#define MATERIAL records[0]
#endif
    vec4 rest = MATERIAL.rest;
    int flags = int(rest.z);
    gl_Position = TRANSFORM.product * a_position;
    vec4 front_color = clamp(a_color, 0.0, 1.0);
#ifdef TWO_SIDE
    vec4 back_color = front_color;
#endif
    vec4 tex_coord0 = a_tex_coord;
    vec4 tex_coord1 = a_tex_coord1;
#ifdef NEEDS_EYE
    vec4 eye = TRANSFORM.modelview * a_position;
    vec3 place = eye.w != 0.0 ? eye.xyz / eye.w : eye.xyz;
    vec3 normal = TRANSFORM.normal[0].xyz * a_normal.x
        + TRANSFORM.normal[1].xyz * a_normal.y + TRANSFORM.normal[2].xyz * a_normal.z;
    if ((flags & 0x400) != 0) {
        normal = unit(normal);
    } else if ((flags & 0x800) != 0) {
        normal *= TRANSFORM.normal[0].w;
    }
#endif
#ifdef EYE
    v_eye = eye;
#endif
#ifdef GENERATED0
    tex_coord0 = generated(0, tex_coord0, eye, normal);
#endif
#ifdef GENERATED1
    tex_coord1 = generated(1, tex_coord1, eye, normal);
#endif
#ifdef LIT
    if ((flags & 0x100) != 0) {
        vec4 material[4] = vec4[4](MATERIAL.front[0], MATERIAL.front[1],
            MATERIAL.front[2], MATERIAL.front[3]);
#ifdef TRACKS
        int mode = flags >> 16;
        if ((flags & 0x1000) != 0) track(material, mode);
#endif
        front_color = lit(material, rest.x, normal, place, flags & 0xff);
#ifdef TWO_SIDE
        material = vec4[4](MATERIAL.back[0], MATERIAL.back[1],
            MATERIAL.back[2], MATERIAL.back[3]);
#ifdef TRACKS
        if ((flags & 0x2000) != 0) track(material, mode);
#endif
        back_color = lit(material, rest.y, -normal, place, flags & 0xff);
#endif
    }
#endif
#ifdef POINTS
    float size = point.x;
#ifdef ATTENUATED
    float far = abs(place.z);
    size *= inversesqrt(attenuation.x + attenuation.y * far + attenuation.z * far * far);
#endif
    gl_PointSize = whole_size(max(min(size, point.z), point.y));
    gl_Position = on_pixels(gl_Position, gl_PointSize);
#endif
#ifdef SMOOTH
    v_smooth = front_color;
#ifdef TWO_SIDE
    v_back_smooth = back_color;
#endif
#endif
#ifdef FLAT
    v_flat = front_color;
#ifdef TWO_SIDE
    v_back_flat = back_color;
#endif
#ifdef SMOOTH
    if ((flags & 0x200) == 0) {
        v_flat.a = -1.0;
#ifdef TWO_SIDE
        v_back_flat.a = -1.0;
#endif
    }
#endif
#endif
#ifdef UNIT0
    v_tex_coord0 = TRANSFORM.texture * tex_coord0;
#endif
#ifdef UNIT1
    v_tex_coord1 = texture_matrix_1 * tex_coord1;
#endif
}
