// From the lit picture to the delivered one: smooth edges, rain, lens and white balance.
// Edges: a small filter after Timothy Lottes' FXAA (NVIDIA 2011), whose idea is to blur along the edge only.
uniform vec4 frame[FRAME_SIZE];
uniform sampler2D colors;
in vec2 v_place;
out vec4 o_rgb;

float luma(vec3 c) { return dot(c, vec3(0.299, 0.587, 0.114)); }

vec3 smooth_edges(vec2 at, vec2 px) {
    vec3 here = texture(colors, at).rgb;
    vec3 north = texture(colors, at + vec2(0.0, px.y)).rgb;
    vec3 south = texture(colors, at - vec2(0.0, px.y)).rgb;
    vec3 east = texture(colors, at + vec2(px.x, 0.0)).rgb;
    vec3 west = texture(colors, at - vec2(px.x, 0.0)).rgb;
    float m = luma(here), n = luma(north), s = luma(south), e = luma(east), w = luma(west);
    float low = min(m, min(min(n, s), min(e, w)));
    float high = max(m, max(max(n, s), max(e, w)));
    // Along the edge: east and west where brightness changes from north to south, and the other way round.
    float level = abs(n - s) + abs(n + s - 2.0 * m), upright = abs(e - w) + abs(e + w - 2.0 * m);
    vec3 across = mix(east + west, north + south, level / max(level + upright, 1e-4)) * 0.5;
    // A pixel that stands out from all its neighbours is pulled further towards them than one beside an edge.
    float stand_out = abs(0.25 * (n + s + e + w) - m) / max(high - low, 1e-4);
    float strength = clamp((high - low - 0.03 - high * 0.05) * 10.0, 0.0, 1.0) * clamp(stand_out * 1.5, 0.0, 0.85);
    return mix(here, across, strength);
}

#ifdef RAIN
float hash(float n) { return fract(sin(n) * 43758.5453); }

// Three curtains of streaks, the near ones longer and faster; each column has its own phase.
float rain(vec2 at, float aspect) {
    float sum = 0.0;
    for (int i = 0; i < 3; ++i) {
        float k = float(i);
        float columns = 70.0 + 70.0 * k;
        float x = (at.x + (at.y - 0.5) * frame[23].w) * aspect * columns;
        float column = floor(x);
        float phase = hash(column + 131.0 * k);
        float fall = at.y * (1.6 + k) + frame[0].w * (5.0 - k) + phase * 7.0;
        float drop = hash(column * 1.7 + floor(fall) * 3.1 + k);
        float across = 1.0 - abs(fract(x) - 0.5) * 2.0;
        float streak = smoothstep(0.72, 1.0, fract(fall)) * smoothstep(0.55, 1.0, across);
        sum += streak * step(1.0 - 0.55 * frame[23].z, drop) * (0.5 - 0.1 * k);
    }
    return sum;
}
#endif

void main() {
    vec2 px = frame[12].xy;
#ifdef SMOOTH
    vec3 color = smooth_edges(v_place, px);
#else
    vec3 color = texture(colors, v_place).rgb;
#endif
#ifdef RAIN
    color += (0.07 + 0.17 * luma(color)) * (0.35 + 0.65 * frame[13].z) * rain(v_place, px.y / px.x);
#endif
#ifdef GRADE
    color = pow(clamp(pow(color, vec3(2.2)) * frame[POST_AT].rgb, 0.0, 1.0), vec3(frame[POST_AT].w));
#endif
    o_rgb = vec4(color, 1.0);
}
