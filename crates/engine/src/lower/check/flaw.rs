//! What a check finds.

/// Most axes that a tensor may have.
pub(super) const RANK: i64 = 8;

/// What is wrong with a node or constant.
pub(super) struct Flaw {
    pub(super) found: String,
    pub(super) expected: String,
}

impl Flaw {
    pub(super) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into() }
    }
}
