// Motion on the screen, where the picture is 2 wide and 2 high: 24 bits each, 0 is 2^23, one unit is 2^-22.
vec4 flow_code(float motion) {
    float units = clamp(floor(motion * 4194304.0 + 0.5), -8388608.0, 8388607.0) + 8388608.0;
    float high = floor(units / 65536.0);
    float rest = units - high * 65536.0;
    float middle = floor(rest / 256.0);
    return vec4(vec3(rest - middle * 256.0, middle, high) / 255.0, 1.0);
}

// Clip coordinates x, y, w. What was behind the camera then has no place it came from: it counts as resting.
void write_flow(vec3 now, vec3 before) {
    vec2 at = now.xy / now.z;
    vec2 motion = at - (before.z > 1e-4 ? before.xy / before.z : at);
    // Two ways through float32 may differ by this: 2^-19, a thousandth of a pixel. What rests shall rest.
    motion *= step(vec2(1.9e-6), abs(motion));
    o_flow_x = flow_code(motion.x);
    o_flow_y = flow_code(motion.y);
}
