"""One training loop for every task: see `loop.run`, and `task.Task` for what it needs."""
