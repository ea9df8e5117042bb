"""Models of answers: ordered answers, residents inside communities."""
