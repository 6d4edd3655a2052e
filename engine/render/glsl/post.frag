// From the drawn colours to the delivered picture: smooth edges, rain, lens and white balance.
// Edges: a small filter after Timothy Lottes' FXAA (NVIDIA 2011), whose idea is to blur along the edge only.
uniform vec4 frame[FRAME_SIZE];
uniform sampler2D colors;
in vec2 v_place;
out vec4 o_rgb;

float luma(vec3 c) { return dot(c, vec3(0.299, 0.587, 0.114)); }

vec3 smooth_edges(vec2 at, vec2 px) {
    vec3 here = texture(colors, at).rgb;
    float m = luma(here);
    float nw = luma(texture(colors, at + vec2(-0.5, 0.5) * px).rgb);
    float ne = luma(texture(colors, at + vec2(0.5, 0.5) * px).rgb);
    float sw = luma(texture(colors, at + vec2(-0.5, -0.5) * px).rgb);
    float se = luma(texture(colors, at + vec2(0.5, -0.5) * px).rgb);
    float low = min(m, min(min(nw, ne), min(sw, se)));
    float high = max(m, max(max(nw, ne), max(sw, se)));
    vec2 along = vec2(sw + se - nw - ne, nw + sw - ne - se);
    along.y = (nw + sw) - (ne + se);
    float scale = 1.0 / (min(abs(along.x), abs(along.y)) + max((nw + ne + sw + se) * 0.03, 0.004));
    along = clamp(along * scale, -4.0, 4.0) * px;
    vec3 close = 0.5 * (texture(colors, at + along * (-1.0 / 6.0)).rgb + texture(colors, at + along * (1.0 / 6.0)).rgb);
    vec3 wide = 0.5 * close + 0.25 * (texture(colors, at - along * 0.5).rgb + texture(colors, at + along * 0.5).rgb);
    float w = luma(wide);
    vec3 blurred = w < low || w > high ? close : wide;
    return high - low > max(0.04, high * 0.10) ? blurred : here;
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
    color = mix(color, vec3(0.75) * max(luma(color), 0.08) + 0.18 * frame[13].z, 0.55 * rain(v_place, px.y / px.x));
#endif
#ifdef GRADE
    vec3 gain = frame[POST_AT].rgb;
    vec2 from_centre = (v_place - 0.5) * 2.0;
    float rim = 1.0 - clamp(frame[POST_AT].w * pow(dot(from_centre, from_centre) * 0.5, frame[POST_AT + 1].x * 0.5), 0.0, 1.0);
    color = pow(clamp(pow(color, vec3(2.2)) * gain * rim, 0.0, 1.0), vec3(frame[POST_AT + 1].y));
#endif
    o_rgb = vec4(color, 1.0);
}
