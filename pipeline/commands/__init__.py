"""One module a command (or group of commands): arguments in, a stage's function, results out."""
