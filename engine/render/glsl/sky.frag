// The sky in the pictures of depth and labels: infinitely far, and tagged. Its colours: skylight.frag.
#ifdef OUT_ALBEDO
layout(location = OUT_ALBEDO) out vec4 o_albedo;
#endif
#ifdef OUT_DEPTH
layout(location = OUT_DEPTH) out vec4 o_depth;
#endif
#ifdef OUT_LABEL
layout(location = OUT_LABEL) out vec4 o_label;
#endif
#ifdef OUT_NORMAL
layout(location = OUT_NORMAL) out vec4 o_normal;
#endif
#ifdef OUT_FLOW_X
uniform vec4 frame[FRAME_SIZE];
uniform mat4 motion[2];
in vec2 v_place;
layout(location = OUT_FLOW_X) out vec4 o_flow_x;
layout(location = OUT_FLOW_Y) out vec4 o_flow_y;
#include flow.glsl
#endif

void main() {
#ifdef OUT_FLOW_X
    // Infinitely far: only turning moves it.
    vec2 screen = v_place * 2.0 - 1.0;
    vec4 ray = vec4(frame[9].xyz + screen.x * frame[10].xyz + screen.y * frame[11].xyz, 0.0);
    write_flow((motion[0] * ray).xyw, (motion[1] * ray).xyw);
#endif
#ifdef OUT_ALBEDO
    o_albedo = vec4(0.0);
#endif
#ifdef OUT_DEPTH
    o_depth = vec4(1.0);
#endif
#ifdef OUT_LABEL
    o_label = vec4(SKY_TAG / 255.0, 0.0, 0.0, 1.0);
#endif
#ifdef OUT_NORMAL
    o_normal = vec4(0.5, 0.5, 0.5, 1.0);
#endif
}
