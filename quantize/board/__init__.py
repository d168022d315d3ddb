"""Training of the board's model: supervision points, batches, objective; `task.Board` is what the loop runs."""
