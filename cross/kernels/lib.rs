//! The kernels of edgeclip by themselves.

#[path = "../../src/kernels/mod.rs"]
pub mod kernels;

#[cfg(test)]
mod tests {
    /// The instruction sets of the emulated CPU are detected, so that the tests of their kernels do run.
    #[test]
    fn the_instruction_sets_are_those_of_this_cpu() {
        let Ok(expected) = std::env::var("EDGECLIP_EXPECTED_ISAS") else { return };
        let found: Vec<&str> = crate::kernels::Isa::available().iter().map(|isa| isa.name()).collect();
        assert_eq!(found.join(" "), expected);
    }
}
