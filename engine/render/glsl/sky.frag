// The sky in the pictures of depth and labels: infinitely far, and tagged. Its colours: skylight.frag.
#ifdef OUT_DEPTH
layout(location = OUT_DEPTH) out vec4 o_depth;
#endif
#ifdef OUT_LABEL
layout(location = OUT_LABEL) out vec4 o_label;
#endif
#ifdef OUT_NORMAL
layout(location = OUT_NORMAL) out vec4 o_normal;
#endif

void main() {
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
