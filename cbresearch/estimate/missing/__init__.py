"""Answers that are missing: filled in many times, so that the doubt stays."""
