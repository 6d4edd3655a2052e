// One triangle over the whole picture, behind everything.
in vec4 p3d_Vertex;
out vec2 v_screen;

void main() {
    v_screen = p3d_Vertex.xz;
    gl_Position = vec4(p3d_Vertex.x, p3d_Vertex.z, 1.0, 1.0);
}
