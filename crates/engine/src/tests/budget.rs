//! Small files that ask for much memory or time.

use tract_onnx::pb::ModelProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::net::Attribute::{Int, Ints};
use super::net::{FINE, Net};
use crate::engine::Engine;
use crate::error::Kind;
use crate::memory::Budget;
use edgeclip_kernels::Isa;

const MEGABYTES: usize = 1 << 20;

fn refused(what: &str, model: &ModelProto, expected: &str) {
    for int8 in [true, false] {
        let budget = Budget::of(16 * MEGABYTES);
        let opened = Engine::new("net.onnx".into(), model.clone(), Isa::SCALAR, 1, int8, budget);
        let Err(error) = opened else { panic!("{what}: no error") };
        assert_eq!(error.kind(), Kind::Model, "{what}: {error}");
        assert!(error.to_string().contains(expected), "{what}: {error}");
    }
}

/// A network of `[1, 3, 64, 64]` after the change.
fn network(change: impl FnOnce(&mut Net, String) -> String) -> ModelProto {
    let (mut net, x) = Net::quantised(&[1, 3, 64, 64]);
    let x = change(&mut net, x);
    net.model(&[&x])
}

#[test]
fn tensors_that_no_memory_holds() {
    let memory = "expected a network within 16 MB of memory";
    let doubled = network(|net, mut x| {
        for _ in 0..9 {
            let scales = net.floats(&[4], &[1.0, 1.0, 2.0, 2.0]);
            x = net.op("Resize", &[&x, "", &scales], &[]);
            x = net.qdq(&x, FINE, 0);
        }
        x
    });
    refused("nine times twice the size", &doubled, memory);
    for count in [12, 30, 64] {
        let concatenated = network(|net, mut x| {
            for _ in 0..count {
                x = net.op("Concat", &[&x, &x], &[Int("axis", 1)]);
                x = net.qdq(&x, FINE, 0);
            }
            x
        });
        refused("doubled channels", &concatenated, memory);
        let float = network(|net, mut x| {
            for _ in 0..count {
                x = net.op("Concat", &[&x, &x], &[Int("axis", 2)]);
            }
            net.qdq(&x, FINE, 0)
        });
        refused("doubled rows in float", &float, memory);
    }
    let resized = network(|net, x| {
        let scales = net.floats(&[4], &[1.0, 1.0, 60000.0, 60000.0]);
        net.op("Resize", &[&x, "", &scales], &[])
    });
    refused("a resize by 60,000", &resized, memory);
    let convolved = network(|net, x| {
        let conv = net.conv(&x, [8192, 3, 1, 1], &[]);
        net.qdq(&conv, FINE, 0)
    });
    refused("a convolution to 8,192 channels", &convolved, memory);
    let padded = network(|net, x| {
        let conv = net.conv(&x, [4, 3, 1, 1], &[]);
        net.graph.node.last_mut().unwrap().attribute[0].ints = vec![65_536; 4];
        net.qdq(&conv, FINE, 0)
    });
    refused("a convolution of padding", &padded, memory);
    for shape in [vec![1, 3, 30_000, 30_000], vec![1, 1 << 40, 1, 1], vec![1 << 31; 4]] {
        let filled = network(|net, x| {
            let shape = net.longs(&[4], &shape);
            let zeros = net.op("ConstantOfShape", &[&shape], &[]);
            net.op("Add", &[&x, &zeros], &[])
        });
        refused("a constant of a shape", &filled, "expected");
        let expanded = network(|net, x| {
            let shape = net.longs(&[4], &shape);
            net.op("Expand", &[&x, &shape], &[])
        });
        refused("an expansion", &expanded, "expected");
    }
    let tiled = network(|net, x| {
        let times = net.longs(&[4], &[1, 1, 1 << 20, 1]);
        net.op("Tile", &[&x, &times], &[])
    });
    refused("tiles", &tiled, memory);
    let range = network(|net, x| {
        let [start, end, step] = [0, 1 << 40, 1].map(|number| net.longs(&[], &[number]));
        let range = net.op("Range", &[&start, &end, &step], &[]);
        let range = net.op("Cast", &[&range], &[Int("to", DataType::Float as i64)]);
        let sum = net.op("ReduceSum", &[&range], &[Int("keepdims", 0)]);
        net.op("Add", &[&x, &sum], &[])
    });
    refused("a range", &range, memory);
    let outer = network(|net, x| {
        let column = net.floats(&[40_000, 1], &vec![1.0; 40_000]);
        let row = net.floats(&[1, 40_000], &vec![1.0; 40_000]);
        let product = net.op("MatMul", &[&column, &row], &[]);
        let sum = net.op("ReduceMax", &[&product], &[Int("keepdims", 0)]);
        net.op("Add", &[&x, &sum], &[])
    });
    refused("a product of two vectors", &outer, memory);
}

#[test]
fn windows_without_end() {
    for (what, name, values) in [
        ("pads", "pads", vec![1 << 31, 0, 0, 0]),
        ("pads beyond the window", "pads", vec![1 << 14; 4]),
        ("kernel", "kernel_shape", vec![1 << 31, 1 << 31]),
        ("kernel of a million", "kernel_shape", vec![1 << 12, 1 << 12]),
        ("strides", "strides", vec![1 << 62, 1]),
        ("gaps", "dilations", vec![1 << 40, 1]),
    ] {
        for kind in ["MaxPool", "AveragePool"] {
            let mut attributes = vec![Ints(name, &values)];
            if name != "kernel_shape" {
                attributes.push(Ints("kernel_shape", &[2, 2]));
            }
            let pooled = network(|net, x| net.op(kind, &[&x], &attributes));
            refused(what, &pooled, kind);
        }
    }
}

#[test]
fn an_ordinary_network_fits() {
    let model = network(|net, x| {
        let conv = net.conv(&x, [16, 3, 3, 3], &[]);
        net.qdq(&conv, FINE, 0)
    });
    let open = |bytes| Engine::new("net.onnx".into(), model.clone(), Isa::SCALAR, 1, true, Budget::of(bytes));
    assert!(open(MEGABYTES).is_ok());
    let error = open(64 << 10).unwrap_err().to_string();
    assert!(error.contains("of memory") && error.contains("conv"), "{error}");
}
