// A debug shape shines by itself, through fog and night.
flat in vec3 v_paint;
out vec4 o_rgb;

void main() {
    o_rgb = vec4(v_paint, 1.0);
}
