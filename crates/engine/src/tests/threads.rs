//! Every rule with one to four threads at sizes that are split: the same bits as the scalar kernels on one.

use std::collections::BTreeSet;

use tract_onnx::pb::ModelProto;

use super::float_rules::FLOAT_RULES;
use super::more_rules::MORE_RULES;
use super::net::{Net, engine, float, run};
use super::rules::{PICTURE, RULES, Rule, TAILS, follows};
use edgeclip_kernels::Isa;

fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain(&MORE_RULES).chain(&FLOAT_RULES)
}

/// The rule and what follows it, as a network.
fn network(rule: &Rule, tail: &Rule) -> ModelProto {
    let (mut net, x) = Net::quantised(&PICTURE);
    let x = rule.1(&mut net, &x);
    let x = net.qdq(&x, 0.05, 0);
    let x = tail.1(&mut net, &x);
    net.model(&[&x])
}

#[test]
fn every_rule_gives_the_same_bits_with_one_to_four_threads() {
    let mut wrong = Vec::new();
    for rule in all() {
        for (_, tail) in TAILS.iter().enumerate().filter(|(index, _)| follows(rule.0, *index)) {
            let model = network(rule, tail);
            let name = format!("{}{}", rule.0, tail.0);
            let one = engine(&model, Isa::SCALAR, 1).unwrap();
            assert!(one.is_int8() && one.left_in_float().is_empty(), "{name}: {:?}", one.left_in_float());
            let expected = run(&one);
            assert!(expected[0].iter().any(|value| *value != expected[0][0]), "{name}: one value");
            for isa in Isa::available() {
                for threads in 1..=4 {
                    if run(&engine(&model, isa, threads).unwrap()) != expected {
                        wrong.push(format!("{name}: {isa:?} with {threads} threads"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_within_a_step_of_the_same_network_in_float() {
    for rule in all() {
        for (_, tail) in TAILS.iter().enumerate().filter(|(index, _)| follows(rule.0, *index)) {
            let model = network(rule, tail);
            let int8 = run(&engine(&model, Isa::SCALAR, 2).unwrap());
            let float = run(&float(&model).unwrap());
            // A step of an inner tensor may be one more step of the output.
            let far = int8[0].iter().zip(&float[0]).filter(|(a, b)| (*a - *b).abs() > 0.11).count();
            let off = int8[0].iter().zip(&float[0]).filter(|(a, b)| a != b).count();
            assert!(
                far == 0 && off * 20 <= int8[0].len(),
                "{}{}: {off} differ, {far} by far",
                rule.0,
                tail.0
            );
        }
    }
}

/// Words in quotes that stand before or behind an arrow of a `match` of this source file.
fn arms<'a>(source: &'a str, begin: &str, end: &str) -> BTreeSet<&'a str> {
    let body = source.split_once(begin).unwrap().1.split_once(end).unwrap().0;
    let arms = body.lines().filter(|line| line.contains("=>"));
    arms.flat_map(|line| line.split('"').skip(1).step_by(2)).collect()
}

/// A new rule or kernel is missed here until it is among the rules.
#[test]
fn every_rule_and_every_kernel_is_tried() {
    let rules = include_str!("../lower/rules/mod.rs");
    let mut operators = arms(rules, "match node.op_type.as_str() {", "function::chain");
    let kernels = include_str!("../plan/kernel.rs");
    let mut steps = arms(kernels, "fn name(&self)", "\n    }\n");
    assert!(operators.len() > 20 && steps.len() > 15, "{operators:?} {steps:?}");
    // What nothing can be done about is tried in `fallback.rs`.
    assert!(steps.remove("float"));
    for rule in all() {
        let model = network(rule, &TAILS[1]);
        for step in engine(&model, Isa::SCALAR, 1).unwrap().steps() {
            steps.remove(step.kernel);
        }
        model.graph.unwrap().node.iter().for_each(|node| _ = operators.remove(node.op_type.as_str()));
    }
    assert!(operators.is_empty() && steps.is_empty(), "{operators:?} {steps:?}");
}
