// The block that gl/block.rs packs.
struct Unit {
    vec4 env_color;
    vec4 scales;      // GL_COMBINE: of color, of alpha
    ivec4 generation; // of s, t, r, q: 0 off, 1 eye, 2 object, 3 sphere
    vec4 planes[4];
    vec4 yuv[4];      // columns of the conversion to RGB, offset
};
layout(std140) uniform Draw {
    vec4 point;       // size, least, greatest
    vec4 attenuation;
    vec4 fog;         // density, end, 1 / (end - start); reference of the alpha test
    vec4 fog_color;
    vec4 offset;      // polygon offset: factor, units; half the depth range
    vec4 half_viewport; // half width, half height, center
    ivec4 outline;    // faces: 1 front, 2 back; front is clockwise; offset
    vec4 clip_planes[6];
    mat4 texture_matrix_1;
    Unit units[2];
};

// OpenGL 2.1 specification, section 3.3.1: points are squares of whole pixels. Their size is a whole number, and
// their center that of a pixel, or a corner where the size is even.
float whole_size(float size) {
    return max(ceil(size - 0.5), 1.0);
}
vec4 on_pixels(vec4 position, float size) {
    vec2 place = position.xy / position.w * half_viewport.xy + half_viewport.zw;
    place = mod(size, 2.0) == 1.0 ? floor(place) + 0.5 : floor(place + 0.5);
    return vec4((place - half_viewport.zw) / half_viewport.xy * position.w, position.zw);
}
