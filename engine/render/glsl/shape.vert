// Debug shapes: a line is a ribbon that faces the camera, a point a square of so many pixels whatever its distance.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform vec4 frame[FRAME_SIZE];
in vec4 p3d_Vertex;         // this end
in vec3 other;              // the other end
in vec3 corner;             // which side of the line, thickness (metres) or size (pixels), 1 for a point
in vec4 paint;
flat out vec3 v_paint;

const float NEAR = 0.201;

void main() {
    v_paint = paint.rgb;
    vec4 here = p3d_ModelViewProjectionMatrix * p3d_Vertex;
    vec4 there = p3d_ModelViewProjectionMatrix * vec4(other, 1.0);
    // A line that runs behind the camera ends where the camera begins to see.
    if (here.w < NEAR && there.w > NEAR) here = mix(here, there, (NEAR - here.w) / (there.w - here.w));
    else if (there.w < NEAR && here.w > NEAR) there = mix(there, here, (NEAR - there.w) / (here.w - there.w));
    if (here.w < 0.2) {
        gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
        return;
    }
    vec2 half_size = 0.5 / frame[12].xy;
    float focal = half_size.x / length(frame[10].xyz);
    bool point = corner.z > 0.5;
    // Lines thinner than a pixel are drawn a pixel wide. A point's size is meant for a field of view of 90 degrees.
    float half_width = 0.5 * (point ? corner.y * focal / half_size.x : max(corner.y * focal / here.w, 1.0));
    vec2 between = (there.xy / there.w - here.xy / here.w) * half_size;
    vec2 along = length(between) > 1e-5 ? normalize(between) : vec2(1.0, 0.0);
    // Both ends of a point lie at one place, so their directions would agree: the second one is turned round.
    if (point && corner.x * corner.x > 1.5) along = -along;
    vec2 offset = (vec2(-along.y, along.x) * sign(corner.x) - along) * half_width;
    gl_Position = vec4(here.xy + offset / half_size * here.w, here.zw);
}
