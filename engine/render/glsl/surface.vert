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
flat out vec4 v_label;
#endif
#ifdef OUT_NORMAL
out vec3 v_normal_only;
#endif
#ifdef OUT_RGB
out vec3 v_world;
out vec4 v_normal;          // and gloss
out vec4 v_paint;           // linear, opacity
out vec3 v_uv;              // and layer
out vec3 v_emission;
out float v_wet;
#endif
#ifdef OUT_FLOW
uniform mat4 before_from_model;
uniform mat4 joints_before[MAX_JOINTS];
out vec3 v_clip_now;
out vec3 v_clip_before;
#endif

vec3 linear(vec3 srgb) {
    return srgb * (srgb * (srgb * 0.305306011 + 0.682171111) + 0.012522878);
}

void main() {
    vec4 position = p3d_Vertex;
    vec3 normal = surface.xyz * (255.0 / 127.0) - 128.0 / 127.0;
#ifdef SKINNED
    mat4 joint = joints[int(label.y * 255.0 + 0.5)];
    position = joint * position;
    normal = mat3(joint) * normal;
#endif
    gl_Position = p3d_ModelViewProjectionMatrix * position;
#ifdef OUT_LABEL
#ifdef SKINNED
    v_label = vec4(label.x, actor.xy, 1.0);
#else
    v_label = vec4(label.xyz, 1.0);
#endif
#endif
#if defined(OUT_RGB) || defined(OUT_NORMAL)
    vec3 world_normal = mat3(p3d_ModelMatrix) * normal;
#endif
#ifdef OUT_NORMAL
    v_normal_only = world_normal;
#endif
#ifdef OUT_RGB
    v_world = (p3d_ModelMatrix * position).xyz;
    v_normal = vec4(world_normal, surface.w);
    v_paint = vec4(linear(paint.rgb), paint.a);
    v_uv = vec3(uv, floor(label.w * 255.0 + 0.5));
    int lamp = int(emission.w * 255.0 + 0.5);
#ifdef SKINNED
    int mask = int(actor.z + 0.5);
#else
    int mask = int(frame[8].w + 0.5);
#endif
    v_emission = linear(emission.rgb) * float((mask >> lamp) & 1);
    // Rain lies on what looks up: fully on roads and other flat ground.
    v_wet = frame[3].w * clamp(world_normal.z * 2.5 - 1.5, 0.0, 1.0);
#endif
}
