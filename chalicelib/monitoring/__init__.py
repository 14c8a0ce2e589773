"""Monitoring: which chargers have fallen silent, and who is told. It reads liveness, it never decides it."""
