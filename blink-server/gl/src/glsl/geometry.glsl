// OpenGL 2.1 specification, section 3.5.4: polygons as their borders or corners. Each corner says whether the edge
// that begins there is inside of the polygon that the triangle was cut from.
//
// Switches: as in the vertex stage; LINES: borders, else corners.
layout(triangles) in;
#ifdef LINES
layout(line_strip, max_vertices = 6) out;
#else
layout(points, max_vertices = 3) out;
#endif

#ifdef SMOOTH
in vec4 v_smooth[];
out vec4 g_smooth;
#ifdef TWO_SIDE
in vec4 v_back_smooth[];
#endif
#endif
#ifdef FLAT
flat in vec4 v_flat[];
flat out vec4 g_flat;
#ifdef TWO_SIDE
flat in vec4 v_back_flat[];
#endif
#endif
#ifdef UNIT0
in vec4 v_tex_coord0[];
out vec4 g_tex_coord0;
#endif
#ifdef UNIT1
in vec4 v_tex_coord1[];
out vec4 g_tex_coord1;
#endif
#ifdef EYE
in vec4 v_eye[];
out vec4 g_eye;
#endif
flat in int v_inner[];

bool is_front;
float lift;

void corner(int i) {
    gl_Position = gl_in[i].gl_Position;
    gl_Position.z += lift * gl_Position.w;
#ifdef SMOOTH
    g_smooth = v_smooth[i];
#ifdef TWO_SIDE
    if (!is_front) g_smooth = v_back_smooth[i];
#endif
#endif
#ifdef FLAT
    g_flat = v_flat[2];
#ifdef TWO_SIDE
    if (!is_front) g_flat = v_back_flat[2];
#endif
#endif
#ifdef UNIT0
    g_tex_coord0 = v_tex_coord0[i];
#endif
#ifdef UNIT1
    g_tex_coord1 = v_tex_coord1[i];
#endif
#ifdef EYE
    g_eye = v_eye[i];
#endif
#ifndef LINES
    gl_PointSize = whole_size(max(min(point.x, point.z), point.y));
    gl_Position = on_pixels(gl_Position, gl_PointSize);
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
