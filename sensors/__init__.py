"""Rigs, synchronized capture, sensor models, labels and dataset writers."""
