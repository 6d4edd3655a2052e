"""Environments, detectors and the adaptive loop (later issues); today only its place in the import order."""
