use super::*;

/// Noise: every pixel differs from its neighbours.
fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut state = 7u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..width * height * 3).map(|_| byte()).collect()
}

#[test]
fn a_box_of_any_size_has_few_cells_and_the_rest_stays() {
    let (width, height) = (200, 160);
    for (w, h) in [(5, 5), (24, 24), (60, 40), (30, 120), (200, 160)] {
        let before = noise(width, height);
        let mut rgb = before.clone();
        let area = Rect { x0: 0.0, y0: 20.0, x1: w as f32, y1: (20 + h).min(160) as f32 };
        pixelate(&mut rgb, width, height, &area);
        let pixel = |x: u32, y: u32| &rgb[((y * width + x) * 3) as usize..][..3];
        // Changes of colour along a row and a column.
        let across = (1..w).filter(|x| pixel(*x, 20) != pixel(x - 1, 20)).count();
        let down = (21..(20 + h).min(160)).filter(|y| pixel(0, *y) != pixel(0, y - 1)).count();
        assert!(across < 6 && down < 6, "{w}x{h}: {across} {down}");
        let outside = |at: usize| {
            let (x, y) = ((at as u32 / 3) % width, at as u32 / 3 / width);
            x >= w || y < 20 || y >= 20 + h
        };
        assert!((0..rgb.len()).all(|at| !outside(at) || rgb[at] == before[at]), "{w}x{h}");
    }
}

#[test]
fn a_cell_has_the_mean_colour_in_sixteen_shades() {
    let mut rgb = [[0, 100, 250], [255, 120, 250]].concat().repeat(8);
    pixelate(&mut rgb, 4, 4, &Rect { x0: 0.0, y0: 0.0, x1: 4.0, y1: 4.0 });
    assert!(rgb.chunks(3).all(|pixel| pixel == [0x78, 0x68, 0xf8]), "{rgb:?}");
}

#[test]
fn boxes_beyond_the_picture_and_pictures_of_fewer_bytes_do_no_harm() {
    let wild = [
        Rect { x0: -50.0, y0: -9.0, x1: 999.0, y1: 999.0 },
        Rect { x0: f32::NAN, y0: 0.0, x1: 4.0, y1: f32::INFINITY },
        Rect { x0: 9.0, y0: 9.0, x1: 2.0, y1: 2.0 },
        Rect { x0: 40.0, y0: 40.0, x1: 50.0, y1: 50.0 },
    ];
    for area in wild {
        let mut rgb = noise(8, 6);
        pixelate(&mut rgb, 8, 6, &area);
        pixelate(&mut rgb[..50], 8, 6, &area);
        pixelate(&mut [], 0, 0, &area);
    }
    let mut rgb = noise(8, 6);
    pixelate(&mut rgb, 8, 6, &wild[0]);
    assert!(rgb.chunks(3).all(|pixel| pixel == &rgb[..3]));
}

#[test]
fn the_margin_grows_with_the_box() {
    let rect = with_margin(Rect { x0: 10.0, y0: 10.0, x1: 30.0, y1: 50.0 });
    let expected = [7.0, 4.0, 33.0, 56.0];
    let found = [rect.x0, rect.y0, rect.x1, rect.y1];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?}");
}
