//! The room `kernels` of edgeclip and nothing else.

#[path = "../../src/kernels/mod.rs"]
pub mod kernels;

#[cfg(test)]
mod tests {
    /// What the emulated CPU has is found, so that the tests of its kernels do run.
    #[test]
    fn the_instruction_sets_are_those_of_this_cpu() {
        let Ok(expected) = std::env::var("EDGECLIP_EXPECTED_ISAS") else { return };
        let found: Vec<&str> = crate::kernels::Isa::available().iter().map(|isa| isa.name()).collect();
        assert_eq!(found.join(" "), expected);
    }
}
