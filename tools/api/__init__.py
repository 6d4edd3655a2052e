"""Tables of how much of CARLA 0.9.16's interface the engine answers, made from code and from real calls."""
