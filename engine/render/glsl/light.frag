// Light on what the surface pass saw, once per pixel: sun with shadow, sky, lamps, reflections, wetness, fog.
uniform vec4 frame[FRAME_SIZE];
uniform sampler2D albedo;
uniform sampler2D depth;
uniform sampler2D label;
#ifdef SHADOWS
uniform sampler2DShadow shadow_static;
#ifdef SHADOW_ACTORS
uniform sampler2DShadow shadow_actors;
#endif
#endif
#ifdef WET
uniform sampler2DArray detail;
#endif
in vec2 v_place;
out vec4 o_rgb;

#include display.glsl

vec3 sky_light(vec3 direction) {
    float up = clamp(direction.z, 0.0, 1.0);
    return mix(frame[5].rgb, frame[6].rgb, up * (2.0 - up));
}

// exp(-x) for x >= 0 to 0.005, without the cost of exp on a processor.
float fading(float x) { return 1.0 / (1.0 + x * (1.0 + x * (0.48 + x * (0.12 + x * 0.09)))); }

#ifdef SHADOWS
float sunlight(vec3 world, vec3 normal, float lambert) {
    // Surfaces that the sun grazes need more distance from their own shadow.
    normal *= 1.8 - lambert;
    // One texture holds the near map (left half) and the far map (right half).
    vec4 p = vec4(world + normal * frame[23].x, 1.0);
    vec3 close = vec3(dot(frame[14], p), dot(frame[15], p), dot(frame[16], p));
    vec4 q = vec4(world + normal * frame[23].y, 1.0);
    vec3 wide = vec3(dot(frame[17], q), dot(frame[18], q), dot(frame[19], q));
    vec2 edge = abs(close.xy - 0.5);
    bool near = max(edge.x, edge.y) < 0.495;
    vec3 at = near ? close : wide;
    vec2 outer = abs(at.xy - 0.5);
    at.x = at.x * 0.5 + (near ? 0.0 : 0.5);
    float lit = max(outer.x, outer.y) < 0.497 ? texture(shadow_static, at) : 1.0;
#ifdef SHADOW_ACTORS
    vec3 moving = vec3(dot(frame[20], p), dot(frame[21], p), dot(frame[22], p));
    edge = abs(moving.xy - 0.5);
    lit = max(edge.x, edge.y) < 0.495 ? min(lit, texture(shadow_actors, moving)) : lit;
#endif
    return lit;
}
#endif

#ifdef LAMPS
// Lamps are three vec4: position and range; direction and kind (0 street lamp, 1 headlight); colour.
vec3 lamplight(vec3 world, vec3 normal) {
    vec3 sum = vec3(0.0);
    int count = int(frame[11].w + 0.5);
    for (int i = 0; i < count; ++i) {
        vec4 place = frame[LAMPS_AT + 3 * i];
        vec4 aim = frame[LAMPS_AT + 3 * i + 1];
        vec3 to = place.xyz - world;
        float distance2 = dot(to, to);
        float distance = sqrt(distance2);
        vec3 toward = to / distance;
        float reach = clamp(1.0 - distance / place.w, 0.0, 1.0);
        // A low beam: wide, flat, cut off just above its axis. A street lamp: a wide cone down.
        float flat_length = max(length(toward.xy), 1e-3);
        float ahead = dot(-toward.xy, aim.xy) / flat_length;
        float rise = -toward.z / flat_length - aim.z;
        float head = smoothstep(0.72, 0.98, ahead) * smoothstep(0.05, -0.035, rise) * smoothstep(-0.55, -0.05, rise);
        float beam = aim.w > 0.5 ? head : smoothstep(0.05, 0.8, toward.z);
        float facing = clamp(dot(normal, toward) * 0.9 + 0.1, 0.0, 1.0);
        sum += frame[LAMPS_AT + 3 * i + 2].rgb * (beam * facing * reach * reach / (1.0 + 0.02 * distance2));
    }
    return sum;
}
#endif

void main() {
    vec4 seen = texture(albedo, v_place);
    vec4 far = texture(depth, v_place);
    float side = texture(label, v_place).a;
    float units = dot(far.rgb, vec3(255.0, 65280.0, 16711680.0));
    vec2 screen = v_place * 2.0 - 1.0;
    vec3 ray = frame[9].xyz + screen.x * frame[10].xyz + screen.y * frame[11].xyz;
    float stretch = length(ray);
    float planar = units * (1.0 / DEPTH_UNITS_PER_M);
    vec3 world = frame[0].xyz + ray * planar;
    float distance = planar * stretch;
    ray /= stretch;

    vec2 folded = vec2(far.a, side) * (255.0 / 127.0) - 128.0 / 127.0;
    vec3 normal = vec3(folded, 1.0 - abs(folded.x) - abs(folded.y));
    float below = max(-normal.z, 0.0);
    normal.xy += vec2(normal.x >= 0.0 ? -below : below, normal.y >= 0.0 ? -below : below);
    normal = normalize(normal);

    bool lamp = seen.a > 0.52;
    float gloss = lamp ? 0.0 : seen.a * (255.0 / 127.0);
    vec3 color = seen.rgb * (seen.rgb * (seen.rgb * 0.305306011 + 0.682171111) + 0.012522878);
#ifdef WET
    // Rain lies on what looks up; puddles where the ground is low, which slow noise stands in for.
    float wet = frame[3].w * clamp(normal.z * 2.5 - 1.5, 0.0, 1.0);
    float low = texture(detail, vec3(world.xy * 0.11, ASPHALT_LAYER)).a;
    // Water stands on sealed ground, which has some gloss, and seeps into grass, which has none.
    float sealed = gloss > 0.0 ? 1.0 : 0.0;
    float puddle = sealed * wet * clamp((low - 1.0 + frame[4].w * 0.62) * 4.0, 0.0, 1.0);
    vec3 dull = color * (1.0 - 0.5 * wet);
    color = lamp ? color : dull;
    gloss = max(gloss, max(0.40 * wet * sealed, 0.9 * puddle));
    normal = normalize(mix(normal, vec3(0.0, 0.0, 1.0), puddle));
#endif
    float lambert = max(dot(normal, frame[1].xyz), 0.0);
    vec3 sun = frame[2].rgb;
#ifdef SHADOWS
    sun *= sunlight(world, normal, lambert);
#endif
    vec3 light = sun * lambert + mix(frame[4].rgb, frame[3].rgb, normal.z * 0.5 + 0.5);
#ifdef LAMPS
    light += lamplight(world, normal);
#endif
    // Schlick's fresnel on a mirror image of the sky.
    vec3 mirror = reflect(ray, normal);
    float grazing = 1.0 - max(-dot(ray, normal), 0.0);
    float grazing2 = grazing * grazing;
    float fresnel = gloss * (0.05 + 0.75 * grazing2 * grazing2 * grazing);
    float glint = max(dot(mirror, frame[1].xyz), 0.0);
    // A wide highlight: eight bits of normal would stripe a narrow one.
    glint *= glint; glint *= glint; glint *= glint; glint *= glint;
    vec3 shine = mix(frame[4].rgb * 0.6, sky_light(mirror), clamp(mirror.z * 6.0 + 0.5, 0.0, 1.0));
    vec3 radiance = color * light * (1.0 - fresnel) + fresnel * shine + (gloss * gloss * 0.22 * glint) * sun;
    radiance = lamp ? color * frame[9].w : radiance;
    // Height fog: mean of the densities at both ends of the ray.
    float thick = frame[7].x * max(distance - frame[7].y, 0.0) * 0.5
        * (frame[7].w + fading(max(world.z - frame[13].w, 0.0) * frame[7].z));
    radiance = mix(frame[8].rgb, radiance, fading(thick));
    o_rgb = vec4(display(radiance), 1.0);
}
