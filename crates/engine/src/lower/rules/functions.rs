//! The elementwise ops of ONNX, each on one value.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::constant;
use crate::lower::builder::Builder;
use crate::lower::onnx::{float, integer, word};
use crate::refusal::Refusal;

const UNARY: [&str; 32] = [
    "Abs",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "Cos",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "Log",
    "Mish",
    "Neg",
    "Not",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
    "Sign",
    "Sin",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Swish",
    "Tanh",
    "ThresholdedRelu",
];
const BINARY: [&str; 14] = [
    "Add",
    "And",
    "Div",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Max",
    "Min",
    "Mul",
    "Or",
    "Pow",
    "Sub",
];

/// Of one to three arguments. Truth is 1, falsehood 0.
pub(super) type Function = Box<dyn Fn(&[f32]) -> f32 + Send + Sync>;

/// Whether it is one of them.
pub(super) fn knows(op: &str) -> bool {
    UNARY.contains(&op) || BINARY.contains(&op) || matches!(op, "DequantizeLinear" | "Where")
}

/// The function of a node that [`knows`] lists.
pub(super) fn function(builder: &Builder, node: &NodeProto) -> Result<Function, Refusal> {
    let op = node.op_type.as_str();
    let expected = match op {
        "Where" => 3,
        op if BINARY.contains(&op) => 2,
        _ => 1,
    };
    if op != "Clip" && node.input.len() != expected {
        return Err(Refusal::float(&node.name, format!("{} inputs of {op}", node.input.len())));
    }
    let alpha = |default: f32| float(node, "alpha", default);
    let truth =
        |of: fn(f32, f32) -> bool| -> Function { Box::new(move |x| f32::from(u8::from(of(x[0], x[1])))) };
    let wide = |function: fn(f64) -> f64| -> Function { Box::new(move |x| function(f64::from(x[0])) as f32) };
    Ok(match op {
        "Add" => Box::new(|x| x[0] + x[1]),
        "Sub" => Box::new(|x| x[0] - x[1]),
        "Mul" => Box::new(|x| x[0] * x[1]),
        "Div" => Box::new(|x| x[0] / x[1]),
        "Min" => Box::new(|x| x[0].min(x[1])),
        "Max" => Box::new(|x| x[0].max(x[1])),
        "Pow" => Box::new(|x| libm::pow(f64::from(x[0]), f64::from(x[1])) as f32),
        "Identity" => Box::new(|x| x[0]),
        "Cast" if integer(node, "to", 0) == DataType::Float as i64 => Box::new(|x| x[0]),
        "Cast" if integer(node, "to", 0) == DataType::Bool as i64 => {
            Box::new(|x| if x[0] == 0.0 { 0.0 } else { 1.0 })
        }
        "Not" => Box::new(|x| 1.0 - x[0]),
        "And" => Box::new(|x| x[0] * x[1]),
        "Or" => Box::new(|x| x[0].max(x[1])),
        "Equal" => truth(|a, b| a == b),
        "Greater" => truth(|a, b| a > b),
        "GreaterOrEqual" => truth(|a, b| a >= b),
        "Less" => truth(|a, b| a < b),
        "LessOrEqual" => truth(|a, b| a <= b),
        "Where" => Box::new(|x| if x[0] == 0.0 { x[2] } else { x[1] }),
        "Abs" => Box::new(|x| x[0].abs()),
        "Neg" => Box::new(|x| -x[0]),
        "Sqrt" => Box::new(|x| x[0].sqrt()),
        "Reciprocal" => Box::new(|x| 1.0 / x[0]),
        "Ceil" => Box::new(|x| x[0].ceil()),
        "Floor" => Box::new(|x| x[0].floor()),
        "Round" => Box::new(|x| x[0].round_ties_even()),
        "Sign" => Box::new(|x| {
            if x[0] > 0.0 {
                1.0
            } else if x[0] < 0.0 {
                -1.0
            } else {
                x[0]
            }
        }),
        "Softsign" => Box::new(|x| x[0] / (1.0 + x[0].abs())),
        "ThresholdedRelu" => {
            let alpha = alpha(1.0);
            Box::new(move |x| if x[0] > alpha { x[0] } else { 0.0 })
        }
        "Celu" => {
            let alpha = f64::from(alpha(1.0));
            let below = move |x: f64| (alpha * libm::expm1(x / alpha)) as f32;
            Box::new(move |x| if x[0] < 0.0 { below(x[0].into()) } else { x[0] })
        }
        "Selu" => {
            let (alpha, gamma) = (alpha(1.673_263_2), float(node, "gamma", 1.050_701));
            let below = move |x: f64| (f64::from(gamma) * f64::from(alpha) * libm::expm1(x)) as f32;
            Box::new(move |x| if x[0] < 0.0 { below(x[0].into()) } else { gamma * x[0] })
        }
        "Log" => wide(libm::log),
        "Sin" => wide(libm::sin),
        "Cos" => wide(libm::cos),
        "Relu" | "Clip" => {
            let (low, high) = bounds(builder, node)?;
            Box::new(move |x| x[0].max(low).min(high))
        }
        "LeakyRelu" => {
            let alpha = alpha(0.01);
            Box::new(move |x| if x[0] < 0.0 { alpha * x[0] } else { x[0] })
        }
        "Elu" => {
            let alpha = f64::from(alpha(1.0));
            Box::new(move |x| if x[0] < 0.0 { (alpha * libm::expm1(f64::from(x[0]))) as f32 } else { x[0] })
        }
        "HardSigmoid" => {
            let (alpha, beta) = (alpha(0.2), float(node, "beta", 0.5));
            Box::new(move |x| (alpha * x[0] + beta).clamp(0.0, 1.0))
        }
        "HardSwish" => Box::new(|x| x[0] * (x[0] * (1.0 / 6.0) + 0.5).clamp(0.0, 1.0)),
        "Exp" => wide(libm::exp),
        "Erf" => wide(libm::erf),
        "Tanh" => wide(libm::tanh),
        "Sigmoid" => wide(sigmoid),
        "Softplus" => wide(softplus),
        "Mish" => wide(|x| x * libm::tanh(softplus(x))),
        "Swish" => {
            let alpha = f64::from(alpha(1.0));
            Box::new(move |x| (f64::from(x[0]) * sigmoid(alpha * f64::from(x[0]))) as f32)
        }
        "Gelu" if word(node, "approximate", "none", "tanh") => {
            wide(|x| 0.5 * x * (1.0 + libm::tanh((2.0 / PI).sqrt() * (x + 0.044_715 * x * x * x))))
        }
        "Gelu" => wide(|x| 0.5 * x * (1.0 + libm::erf(x * FRAC_1_SQRT_2))),
        other => return Err(Refusal::float(&node.name, format!("op {other}"))),
    })
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn softplus(x: f64) -> f64 {
    libm::log1p(libm::exp(x))
}

/// Least and largest value of a `Relu` or `Clip`.
pub(super) fn bounds(builder: &Builder, node: &NodeProto) -> Result<(f32, f32), Refusal> {
    if node.op_type == "Relu" {
        return Ok((0.0, f32::INFINITY));
    }
    let bound = |index: usize, name: &str, default: f32| match node.input.get(index).map(String::as_str) {
        None | Some("") => Ok(float(node, name, default)),
        Some(name) => match constant::real(builder, name)?.values[..] {
            [value] if !value.is_nan() => Ok(value),
            _ => Err(Refusal::float(&node.name, "a bound that is not one number")),
        },
    };
    let (low, high) = (bound(1, "min", f32::NEG_INFINITY)?, bound(2, "max", f32::INFINITY)?);
    if low > high { Err(Refusal::float(&node.name, "bounds out of order")) } else { Ok((low, high)) }
}
