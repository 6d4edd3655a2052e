// What is seen at a pixel, for the light pass to shade: colour, gloss, normal; and in the same pass the pictures
// of depth (CARLA's 24 bits) and labels. Their spare alpha bytes carry the normal, octahedrally folded.
#if defined(OUT_ALBEDO) || defined(OUT_NORMAL)
in vec3 v_normal;
#endif
#ifdef OUT_ALBEDO
uniform sampler2DArray detail;
in vec4 v_paint;
in vec3 v_uv;
#ifdef GLASS
in float v_opacity;
#endif
#ifdef COVERAGE
in vec4 v_strip;
#endif
layout(location = OUT_ALBEDO) out vec4 o_albedo;
#endif
#ifdef OUT_DEPTH
layout(location = OUT_DEPTH) out vec4 o_depth;
#endif
#ifdef OUT_LABEL
flat in vec3 v_label;
layout(location = OUT_LABEL) out vec4 o_label;
#endif
#ifdef OUT_NORMAL
layout(location = OUT_NORMAL) out vec4 o_normal;
#endif

#ifdef OUT_FLOW_X
in vec3 v_now;
in vec3 v_before;
layout(location = OUT_FLOW_X) out vec4 o_flow_x;
layout(location = OUT_FLOW_Y) out vec4 o_flow_y;
#include flow.glsl
#endif

#ifdef OUT_DEPTH
vec3 carla_depth() {
    float units = min(floor(DEPTH_UNITS_PER_M / gl_FragCoord.w + 0.5), 16777215.0);
    float high = floor(units / 65536.0);
    float rest = units - high * 65536.0;
    float middle = floor(rest / 256.0);
    return vec3(rest - middle * 256.0, middle, high) / 255.0;
}
#endif

void main() {
    vec2 spare = vec2(1.0);
    float alpha = 1.0;
#ifdef OUT_ALBEDO
    vec3 n = v_normal / (abs(v_normal.x) + abs(v_normal.y) + abs(v_normal.z));
    spare = n.z >= 0.0 ? n.xy : (1.0 - abs(n.yx)) * vec2(n.x >= 0.0 ? 1.0 : -1.0, n.y >= 0.0 ? 1.0 : -1.0);
    spare = spare * (127.0 / 255.0) + 128.0 / 255.0;
    alpha = v_paint.a;
    // Blended kinds: alpha says how much of each target is replaced; what the targets keep in alpha stays.
#if defined(GLASS)
    spare = vec2(1.0);
    alpha = v_opacity;
#elif defined(OVERLAY)
    spare = vec2(1.0);
    alpha = 0.0;
#elif defined(COVERAGE)
    spare = vec2(0.0);
    // Box filter over the pixel: its overlap with the strip's width times that with its length.
    vec2 px = vec2(length(vec2(dFdx(v_strip.x), dFdy(v_strip.x))), length(vec2(dFdx(v_strip.y), dFdy(v_strip.y))));
    px = max(px, 1e-6);
    vec2 inside = clamp((v_strip.zw - v_strip.xy) / px + 0.5, 0.0, 1.0)
        + clamp((v_strip.zw + v_strip.xy) / px + 0.5, 0.0, 1.0) - 1.0;
    alpha = v_strip.z > 0.0 ? max(inside.x, 0.0) * max(inside.y, 0.0) : 1.0;
    // The target blends sRGB values, which would darken bright paint on a dark road; this power makes up for it.
    alpha = pow(alpha, 0.7);
#endif
    // The pattern's neutral value is 128 of 255.
    o_albedo = vec4(v_paint.rgb * texture(detail, v_uv).rgb * 1.9921875, alpha);
#endif
#ifdef OUT_DEPTH
    o_depth = vec4(carla_depth(), spare.x);
#endif
#ifdef OUT_FLOW_X
    write_flow(v_now, v_before);
#endif
#ifdef OUT_LABEL
    o_label = vec4(v_label, spare.y);
#endif
#ifdef OUT_NORMAL
    vec3 m = normalize(v_normal);
    o_normal = vec4(m.x, -m.y, m.z, 1.0) * 0.5 + 0.5;
#endif
}
