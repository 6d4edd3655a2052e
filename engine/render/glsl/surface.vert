// Every surface: one packed vertex format (engine/render/geometry.py). SKINNED: actors, with joints and lamps.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ModelMatrix;
uniform vec4 frame[FRAME_SIZE];
in vec4 p3d_Vertex;
in vec4 paint;
in vec4 surface;
in vec4 label;
in vec4 emission;
in vec2 uv;
#ifdef SKINNED
uniform vec4 actor;         // instance id low, high byte (0..1), lamp mask
uniform mat4 joints[MAX_JOINTS];
#endif

#ifdef OUT_LABEL
flat out vec3 v_label;
#endif
#ifdef OUT_FLOW_X
uniform mat4 motion[2];     // clip space from the world: now, and at the moment that motion is measured from
#ifdef SKINNED
uniform mat4 before[MAX_JOINTS + 1];  // at that moment: world from actor, then actor from joint
#endif
out vec3 v_now;             // clip coordinates x, y, w
out vec3 v_before;
#endif
#if defined(OUT_ALBEDO) || defined(OUT_NORMAL)
out vec3 v_normal;
#endif
#ifdef OUT_ALBEDO
out vec4 v_paint;           // sRGB; gloss 0..0.5 or, from 0.5, a lamp that is on
out vec3 v_uv;              // and layer
#endif
#ifdef GLASS
out float v_opacity;
#endif
#ifdef COVERAGE
in vec4 strip;              // along, across, and half the length and width of a strip of road paint, metres
in vec3 along;
out vec4 v_strip;
#endif

void main() {
    vec4 position = p3d_Vertex;
    vec3 normal = surface.xyz * (255.0 / 127.0) - 128.0 / 127.0;
#ifdef SKINNED
    mat4 joint = joints[int(label.y * 255.0 + 0.5)];
    position = joint * position;
    normal = mat3(joint) * normal;
#endif
#ifdef COVERAGE
    // Push the outline out by 0.75 pixels, measured across the edges on the screen.
    v_strip = strip;
    vec3 across = cross(normal, along);
    vec4 at = p3d_ModelViewProjectionMatrix * position;
    if (at.w > 1.0 && strip.z > 0.0) {
        vec4 d_along = p3d_ModelViewProjectionMatrix * vec4(along, 0.0);
        vec4 d_across = p3d_ModelViewProjectionMatrix * vec4(across, 0.0);
        vec2 half_size = 0.5 / frame[12].xy;
        vec2 step_along = (d_along.xy - at.xy / at.w * d_along.w) / at.w * half_size;
        vec2 step_across = (d_across.xy - at.xy / at.w * d_across.w) / at.w * half_size;
        float area = max(abs(step_along.x * step_across.y - step_along.y * step_across.x), 1e-6);
        float wider = min(0.75 * length(step_along) / area, 2.0) * sign(strip.y);
        float longer = min(0.75 * length(step_across) / area, 15.0);
        longer *= abs(strip.x) > strip.z - 0.001 ? sign(strip.x) : 0.0;
        position.xyz += along * longer + across * wider;
        v_strip.xy += vec2(longer, wider);
    }
#endif
    gl_Position = p3d_ModelViewProjectionMatrix * position;
#ifdef OUT_FLOW_X
    // Both by the same operations, so that what rests has a motion of exactly 0.
    vec4 world = p3d_ModelMatrix * position;
    v_now = (motion[0] * world).xyw;
#ifdef SKINNED
    world = before[0] * (before[int(label.y * 255.0 + 0.5) + 1] * p3d_Vertex);
#endif
    v_before = (motion[1] * world).xyw;
#endif
#ifdef OUT_LABEL
#ifdef SKINNED
    v_label = vec3(label.x, actor.xy);
#else
    v_label = label.xyz;
#endif
#endif
#if defined(OUT_ALBEDO) || defined(OUT_NORMAL)
#ifdef SKINNED
    normal = mat3(p3d_ModelMatrix) * normal;
#endif
    v_normal = normal;
#endif
#ifdef OUT_ALBEDO
#ifdef SKINNED
    int mask = int(actor.z + 0.5);
#else
    int mask = int(frame[8].w + 0.5);
#endif
    int lamp = int(emission.w * 255.0 + 0.5);
    bool shines = ((mask >> lamp) & 1) == 1 && emission.r + emission.g + emission.b > 0.0;
    v_paint = shines ? vec4(emission.rgb, 1.0) : vec4(paint.rgb, surface.w * (127.0 / 255.0));
#ifdef GLASS
    v_opacity = paint.a;
#endif
    v_uv = vec3(uv, floor(label.w * 255.0 + 0.5));
#endif
}
