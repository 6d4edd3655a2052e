// The colours of the sky, drawn where the surface pass left the far plane: gradient, sun, clouds.
uniform vec4 frame[FRAME_SIZE];
#ifdef CLOUDS
uniform sampler2DArray detail;
#endif
in vec2 v_place;
out vec4 o_rgb;

#include display.glsl

vec3 sky() {
    vec2 screen = v_place * 2.0 - 1.0;
    vec3 ray = normalize(frame[9].xyz + screen.x * frame[10].xyz + screen.y * frame[11].xyz);
    float up = clamp(ray.z, 0.0, 1.0);
    vec3 color = mix(frame[5].rgb, frame[6].rgb, up * (2.0 - up));
    float toward = max(dot(ray, frame[1].xyz), 0.0);
    float glow = toward * toward; glow *= glow; glow *= glow;
    float halo = glow * glow * glow * glow;
    vec3 sun = frame[2].rgb;
    color += sun * (0.02 * glow + 0.10 * halo * halo);
    color += sun * 12.0 * smoothstep(0.99993, 0.99997, toward);
#ifdef CLOUDS
    // Clouds on a plane overhead; they thin out towards the horizon where the plane is far.
    vec2 place = ray.xy / (up + 0.12) * 0.22 + frame[12].zw;
    float density = texture(detail, vec3(place, CLOUD_LAYER)).r * 0.7
        + texture(detail, vec3(place * 3.1, CLOUD_LAYER)).r * 0.3;
    float few = 0.66 - 0.60 * frame[6].w;
    float cover = smoothstep(few, few + 0.22, density) * smoothstep(0.0, 0.25, ray.z);
    // Thick clouds are darker below; thin ones let the sun through.
    float thickness = smoothstep(few, few + 0.6, density);
    vec3 cloud = frame[3].rgb * mix(1.35, 0.75, thickness) + sun * (0.14 + 0.2 * glow) * (1.0 - 0.6 * thickness);
    color = mix(color, cloud, cover * (0.4 + 0.5 * frame[6].w));
#endif
    float thick = frame[7].x * frame[7].w * min(1.0 / (frame[7].z * max(ray.z, 0.01)), 1500.0);
    return mix(frame[8].rgb, color, exp(-thick));
}

void main() {
    o_rgb = vec4(display(sky()), 1.0);
}
