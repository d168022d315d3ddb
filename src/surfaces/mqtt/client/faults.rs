//! Faults of the connection.

/// What went wrong, told when it is new or has lasted for long.
#[derive(Default)]
pub(super) struct Faults {
    last: String,
    count: u64,
}

impl Faults {
    /// Tells of a fault; `stood` if there was a connection.
    pub(super) fn tell(&mut self, name: &str, why: &str, stood: bool) {
        if stood || self.last != why {
            (self.last, self.count) = (why.to_owned(), 0);
        }
        self.count += 1;
        if self.count.is_power_of_two() {
            tracing::warn!("{name}: {why}; trying again ({} so far)", self.count);
        }
    }
}
