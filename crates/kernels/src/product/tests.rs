use super::{Columns, GROUP, Isa, Product, Scratch, TINY};

/// Numbers in −1..1, a few of them a hundred times larger.
fn floats(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let value = (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
        if (state >> 20).is_multiple_of(97) { value * 100.0 } else { value }
    };
    (0..count).map(next).collect()
}

fn product(isa: Isa, inputs: usize, outputs: usize, seed: u64) -> Product {
    let weights: Vec<i8> = floats(inputs * outputs, seed).iter().map(|v| (v * 128.0) as i8).collect();
    let scale = floats(outputs, seed + 1).iter().map(|v| v.abs() / 50.0).collect();
    let columns = Columns { scale, bias: floats(outputs, seed + 2) };
    Product::new(isa, inputs, columns, |input, output| weights[input * outputs + output])
}

fn run(product: &Product, input: &[f32]) -> Vec<u32> {
    let mut output = vec![f32::NAN; input.len() / product.inputs() * product.outputs()];
    product.run(&mut Scratch::default(), input, &mut output);
    output.iter().map(|y| y.to_bits()).collect()
}

#[test]
fn every_isa_gives_what_scalar_gives() {
    for inputs in [1, 2, 3, 4, 5, 63, 64, 65, 66, 130, 194, 384] {
        for outputs in [1, 7, 15, 16, 17, 63, 64, 65, 100] {
            let expected = product(Isa::SCALAR, inputs, outputs, 3);
            for rows in [0, 1, 2, 3, 4, 5, 6, 7, 12, 49, 100] {
                let input = floats(rows * inputs, (rows * 7 + inputs) as u64);
                let wanted = run(&expected, &input);
                for isa in Isa::available() {
                    let found = run(&product(isa, inputs, outputs, 3), &input);
                    assert!(found == wanted, "{isa:?} {inputs} → {outputs}, {rows} rows");
                }
            }
        }
    }
}

#[test]
fn runs_of_the_extremes_do_not_saturate() {
    let inputs = 1536;
    for (x, w) in [(-3.0, -128), (-3.0, 127), (3.0, -128), (3.0, 127)] {
        for isa in Isa::available() {
            let columns = Columns { scale: vec![0.5; 20], bias: vec![1.0; 20] };
            let product = Product::new(isa, inputs, columns, |_, _| w);
            let mut output = vec![0.0; 20 * 7];
            product.run(&mut Scratch::default(), &vec![x; inputs * 7], &mut output);
            let expected = x * w as f32 * inputs as f32 * 0.5 + 1.0;
            let wrong = output.iter().find(|&&y| (y - expected).abs() > expected.abs() * 1e-5);
            assert_eq!(wrong, None, "{isa:?} {x} {w}, expected {expected}");
        }
    }
}

#[test]
fn one_row_by_hand() {
    for isa in Isa::available() {
        let columns = Columns { scale: vec![2.0], bias: vec![10.0] };
        let weights = [3, -2, 1];
        let product = Product::new(isa, 3, columns, |input, _| weights[input]);
        let mut output = [0.0];
        // 254 → 127, 3 → 1.5 → 2 (to even), −1 → −.5 → 0; scale 2: (3·127 − 2·2) · 2 · 2 + 10.
        product.run(&mut Scratch::default(), &[254.0, 3.0, -1.0], &mut output);
        assert_eq!(output, [1518.0], "{isa:?}");
    }
}

#[test]
fn an_outlier_spoils_its_group_alone() {
    let columns = || Columns { scale: vec![1.0], bias: vec![0.0] };
    let mut input = vec![0.01; 2 * GROUP];
    input[0] = 1000.0;
    for isa in Isa::available() {
        let product = Product::new(isa, 2 * GROUP, columns(), |input, _| i8::from(input > 0));
        let mut output = [0.0];
        product.run(&mut Scratch::default(), &input, &mut output);
        assert!((output[0] - 0.64).abs() < 1e-5, "{isa:?}: {output:?}");
    }
}

#[test]
fn nothing_is_zero_and_what_is_not_finite_shows() {
    let columns = || Columns { scale: vec![1.0; 3], bias: vec![4.0; 3] };
    for isa in Isa::available() {
        let product = Product::new(isa, 70, columns(), |_, _| 100);
        let one = |x: f32| {
            let mut input = vec![0.0; 70];
            input[69] = x;
            let mut output = [0.0; 3];
            product.run(&mut Scratch::default(), &input, &mut output);
            output
        };
        assert_eq!(one(0.0), [4.0; 3], "{isa:?}");
        assert_eq!(one(TINY / 2.0), [4.0; 3], "{isa:?}");
        assert!(one(f32::NAN).iter().chain(&one(f32::INFINITY)).all(|y| !y.is_finite()), "{isa:?}");
    }
}

#[test]
fn rows_of_int8_are_taken_as_they_are() {
    for inputs in [1, 3, 64, 65, 200] {
        let weights = |input: usize, output: usize| ((input * 31 + output * 17) % 255) as i8;
        for rows in [0, 1, 5, 49, 100] {
            let input: Vec<i8> = (0..rows * inputs).map(|i| (i * 73 % 256) as u8 as i8).collect();
            let outputs = 19;
            let sum = |row: &[i8], output: usize| -> i32 {
                (0usize..).zip(row).map(|(k, q)| i32::from(weights(k, output)) * i32::from(*q)).sum()
            };
            let all = input.chunks(inputs).flat_map(|row| (0..outputs).map(move |output| (row, output)));
            let expected: Vec<f32> =
                all.map(|(row, output)| sum(row, output) as f32 * (output as f32 + 0.1)).collect();
            for isa in Isa::available() {
                let scale = (0..outputs).map(|output| output as f32 + 0.1).collect();
                let product = Product::new(isa, inputs, Columns { scale, bias: vec![0.0; outputs] }, weights);
                let mut output = vec![f32::NAN; rows * outputs];
                product.run_int8(&mut Scratch::default(), &input, &mut output);
                assert!(output == expected, "{isa:?} {inputs} values, {rows} rows");
            }
        }
    }
}
