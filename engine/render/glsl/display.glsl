// Radiance to sRGB: the filmic curve of Hejl and Burgess-Dawson (GDC 2010), which contains the display gamma.
vec3 display(vec3 radiance) {
    vec3 x = max(radiance * frame[5].w, 0.0);
    return (x * (6.2 * x + 0.5)) / (x * (6.2 * x + 1.7) + 0.06);
}
