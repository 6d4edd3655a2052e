"""The loop: sample, produce, train, evaluate, and let what went wrong decide what is sampled next. Knows no domain."""
