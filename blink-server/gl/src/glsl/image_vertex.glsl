// A rectangle of the framebuffer, corners in clip coordinates, first row of the image on top.
uniform vec4 corners;  // left, bottom, right, top
out vec2 at;
void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    at = vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4(mix(corners.xy, corners.zw, corner), 0.0, 1.0);
}
