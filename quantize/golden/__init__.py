"""Golden cases: what Python computes, for the Rust tests to compare with."""
