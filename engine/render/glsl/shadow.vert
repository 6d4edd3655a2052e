// Depth as the sun sees it. SKINNED: actors.
uniform mat4 p3d_ModelViewProjectionMatrix;
in vec4 p3d_Vertex;
#ifdef SKINNED
in vec4 label;
uniform mat4 joints[MAX_JOINTS];
#endif

void main() {
    vec4 position = p3d_Vertex;
#ifdef SKINNED
    position = joints[int(label.y * 255.0 + 0.5)] * position;
#endif
    gl_Position = p3d_ModelViewProjectionMatrix * position;
}
