// One triangle over the whole picture, on the far plane.
uniform vec4 frame[FRAME_SIZE];
in vec4 p3d_Vertex;
out vec2 v_place;

void main() {
    v_place = p3d_Vertex.xz * 0.5 + 0.5;
    gl_Position = vec4(p3d_Vertex.x, p3d_Vertex.z, 1.0, 1.0);
}
