// Light on surfaces, and in the same pass: depth in CARLA's 24 bits, tag and instance id.
uniform vec4 frame[FRAME_SIZE];
#ifdef OUT_RGB
uniform sampler2DArray detail;
#ifdef SHADOWS
uniform sampler2DShadow shadow_near;
uniform sampler2DShadow shadow_far;
#ifdef SHADOW_ACTORS
uniform sampler2DShadow shadow_actors;
#endif
#endif
in vec3 v_world;
in vec4 v_normal;
in vec4 v_paint;
in vec3 v_uv;
in vec3 v_emission;
in float v_wet;
layout(location = OUT_RGB) out vec4 o_rgb;
#endif
#ifdef OUT_DEPTH
layout(location = OUT_DEPTH) out vec4 o_depth;
#endif
#ifdef OUT_LABEL
flat in vec4 v_label;
layout(location = OUT_LABEL) out vec4 o_label;
#endif
#ifdef OUT_NORMAL
in vec3 v_normal_only;
layout(location = OUT_NORMAL) out vec4 o_normal;
#endif

#ifdef OUT_RGB
vec3 sky_light(vec3 direction) {
    float up = clamp(direction.z, 0.0, 1.0);
    return mix(frame[5].rgb, frame[6].rgb, up * (2.0 - up));
}

#ifdef SHADOWS
float tap(sampler2DShadow map, vec3 at) { return texture(map, at); }

float sunlight(vec3 world, vec3 normal) {
    vec3 at = world + normal * frame[23].x;
    vec4 p = vec4(at, 1.0);
    vec3 near = vec3(dot(frame[14], p), dot(frame[15], p), dot(frame[16], p));
    vec3 edge = abs(near - 0.5);
    float lit;
    if (max(edge.x, edge.y) < 0.495) {
        lit = texture(shadow_near, near);
    } else {
        p.xyz = world + normal * frame[23].y;
        vec3 far = vec3(dot(frame[17], p), dot(frame[18], p), dot(frame[19], p));
        edge = abs(far - 0.5);
        lit = max(edge.x, edge.y) < 0.495 ? texture(shadow_far, far) : 1.0;
    }
#ifdef SHADOW_ACTORS
    p.xyz = at;
    vec3 moving = vec3(dot(frame[20], p), dot(frame[21], p), dot(frame[22], p));
    edge = abs(moving - 0.5);
    if (max(edge.x, edge.y) < 0.495) lit *= texture(shadow_actors, moving);
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
        float beam;
        if (aim.w > 0.5) {
            // A low beam: wide, flat, cut off just above its axis.
            float flat_length = max(length(toward.xy), 1e-3);
            float ahead = dot(-toward.xy, aim.xy) / flat_length;
            float rise = -toward.z / flat_length - aim.z;
            beam = smoothstep(0.72, 0.98, ahead) * smoothstep(0.05, -0.035, rise) * smoothstep(-0.55, -0.05, rise);
        } else {
            beam = smoothstep(0.05, 0.8, toward.z);
        }
        float facing = clamp(dot(normal, toward) * 0.9 + 0.1, 0.0, 1.0);
        sum += frame[LAMPS_AT + 3 * i + 2].rgb * (beam * facing * reach * reach / (1.0 + 0.02 * distance2));
    }
    return sum;
}
#endif

vec3 display(vec3 radiance) {
    vec3 x = radiance * frame[5].w;
    x = clamp((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0);
    return max(1.055 * pow(x, vec3(0.416666667)) - 0.055, 0.0);
}

vec3 shade() {
    vec4 texel = texture(detail, v_uv);
    vec3 albedo = v_paint.rgb * texel.rgb * texel.rgb * 3.9687;
    vec3 normal = normalize(v_normal.xyz);
    vec3 ray = v_world - frame[0].xyz;
    float distance = length(ray);
    ray /= distance;
    float puddle = v_wet * clamp((texel.a - 1.0 + frame[4].w * 1.1) * 6.0, 0.0, 1.0);
    albedo *= 1.0 - 0.45 * v_wet;
    float gloss = max(v_normal.w, max(0.35 * v_wet, 0.95 * puddle));
    float lambert = max(dot(normal, frame[1].xyz), 0.0);
    vec3 sun = frame[2].rgb;
#ifdef SHADOWS
    sun *= sunlight(v_world, normal);
#endif
    float up = normal.z * 0.5 + 0.5;
    vec3 light = sun * lambert + mix(frame[4].rgb, frame[3].rgb, up);
#ifdef LAMPS
    light += lamplight(v_world, normal);
#endif
    // Schlick's fresnel on a mirror image of the sky; matt surfaces have gloss 0 and pay only the arithmetic.
    vec3 mirror = reflect(ray, normal);
    float grazing = 1.0 - max(-dot(ray, normal), 0.0);
    float grazing2 = grazing * grazing;
    float fresnel = gloss * (0.05 + 0.75 * grazing2 * grazing2 * grazing);
    float glint = max(dot(mirror, frame[1].xyz), 0.0);
    glint *= glint; glint *= glint; glint *= glint; glint *= glint; glint *= glint;
    vec3 shine = mirror.z > 0.0 ? sky_light(mirror) : frame[4].rgb;
    vec3 radiance = albedo * light * (1.0 - fresnel) + fresnel * shine + (gloss * gloss * 0.8 * glint) * sun
        + v_emission * frame[9].w;
    // Height fog: mean of the densities at both ends of the ray.
    float thick = frame[7].x * max(distance - frame[7].y, 0.0) * 0.5
        * (frame[7].w + exp(-max(v_world.z - frame[13].w, 0.0) * frame[7].z));
    return mix(frame[8].rgb, radiance, exp(-thick));
}
#endif

#ifdef OUT_DEPTH
vec4 carla_depth() {
    float units = min(floor(DEPTH_UNITS_PER_M / gl_FragCoord.w + 0.5), 16777215.0);
    float high = floor(units / 65536.0);
    float rest = units - high * 65536.0;
    float middle = floor(rest / 256.0);
    return vec4(rest - middle * 256.0, middle, high, 255.0) / 255.0;
}
#endif

void main() {
#ifdef OUT_RGB
    o_rgb = vec4(display(shade()), v_paint.a);
#endif
#ifdef OUT_DEPTH
    o_depth = carla_depth();
#endif
#ifdef OUT_LABEL
    o_label = v_label;
#endif
#ifdef OUT_NORMAL
    vec3 n = normalize(v_normal_only);
    o_normal = vec4(n.x, -n.y, n.z, 1.0) * 0.5 + 0.5;
#endif
}
