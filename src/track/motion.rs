//! The Kalman filter of one box: constant velocity, noise in proportion to the box's size, time in seconds.
//!
//! SORT (Bewley et al. 2016) and ByteTrack (Zhang et al. 2022) filter a state of eight numbers whose noise is diagonal
//! and whose measurement is the box itself: that is four filters of two numbers each, for centre x, y, width and height.

use crate::geometry::Rect;

use super::Settings;

/// Boxes with a side below this many pixels are taken for this large where noise is scaled.
const SMALLEST: f64 = 1.0;
/// Sides change less than places do: their rates' noise over that of the centre.
const SIDE_RATE: f64 = 0.1;
/// Seconds after which a thing out of sight has lost 63 % of its speed: it may as well have stopped.
const COASTING: f64 = 1.0;

/// A coordinate with its rate of change a second, and their covariance.
#[derive(Debug, Clone, Copy)]
struct Axis {
    value: f64,
    rate: f64,
    value_variance: f64,
    covariance: f64,
    rate_variance: f64,
}

impl Axis {
    fn new(value: f64, value_variance: f64, rate_variance: f64) -> Self {
        Self { value, rate: 0.0, value_variance, covariance: 0.0, rate_variance }
    }

    /// `dt` seconds on: the value moves by `reach` of its rate, which keeps `kept` of itself. Both are also pushed at
    /// random: white noise of densities `shake` (the value) and `push` (the rate).
    fn predict(&mut self, dt: f64, (reach, kept): (f64, f64), shake: f64, push: f64) {
        self.value += reach * self.rate;
        self.rate *= kept;
        self.value_variance += reach * (2.0 * self.covariance + reach * self.rate_variance);
        self.covariance = kept * (self.covariance + reach * self.rate_variance);
        self.rate_variance *= kept * kept;
        self.value_variance += shake * dt + push * dt * dt * dt / 3.0;
        self.covariance += push * dt * dt / 2.0;
        self.rate_variance += push * dt;
    }

    /// `variance` is above 0. The forms stay positive whatever the magnitudes.
    fn correct(&mut self, measured: f64, variance: f64) {
        let total = self.value_variance + variance;
        let surprise = measured - self.value;
        self.value += self.value_variance / total * surprise;
        self.rate += self.covariance / total * surprise;
        self.rate_variance = (self.rate_variance - self.covariance / total * self.covariance).max(0.0);
        self.covariance *= variance / total;
        self.value_variance *= variance / total;
    }

    fn scale(&mut self, factor: f64) {
        self.value *= factor;
        self.rate *= factor;
        self.value_variance *= factor * factor;
        self.covariance *= factor * factor;
        self.rate_variance *= factor * factor;
    }
}

/// Where a box is, how it moves, and how sure that is.
#[derive(Debug, Clone)]
pub struct Motion {
    /// Centre x, centre y, width, height.
    axes: [Axis; 4],
}

/// Centre x, centre y, width, height.
fn measures(rect: &Rect) -> [f64; 4] {
    let [x0, y0, x1, y1] = [rect.x0, rect.y0, rect.x1, rect.y1].map(f64::from);
    [(x0 + x1) / 2.0, (y0 + y1) / 2.0, x1 - x0, y1 - y0]
}

fn square(v: f64) -> f64 {
    v * v
}

impl Motion {
    /// At rest at `rect`, which is finite and has an area.
    pub fn new(rect: &Rect, settings: &Settings) -> Self {
        let [x, y, width, height] = measures(rect);
        let size = (width * height).sqrt().max(SMALLEST);
        let place = square(f64::from(settings.box_noise) * size);
        let speed = square(f64::from(settings.speed) * size);
        let centre = |v| Axis::new(v, place, speed);
        let side = |v| Axis::new(v, place, speed * SIDE_RATE * SIDE_RATE);
        Self { axes: [centre(x), centre(y), side(width), side(height)] }
    }

    /// Side of the square with the box's area, in pixels, at least 1.
    pub fn size(&self) -> f64 {
        (self.axes[2].value * self.axes[3].value).sqrt().max(SMALLEST)
    }

    /// `dt` ≥ 0 seconds on. A thing out of sight is `coasting`: it slows down.
    pub fn predict(&mut self, dt: f64, coasting: bool, settings: &Settings) {
        let (reach, kept) = if coasting {
            let kept = (-dt / COASTING).exp();
            (COASTING * (1.0 - kept), kept)
        } else {
            (dt, 1.0)
        };
        let size = self.size();
        let shake = square(f64::from(settings.shake) * size);
        let push = square(f64::from(settings.acceleration) * size);
        for axis in &mut self.axes[..2] {
            axis.predict(dt, (reach, kept), shake, push);
        }
        // A size out of sight is kept: a thing that goes behind another seems to shrink.
        let (reach, kept) = if coasting { (0.0, 0.0) } else { (reach, kept) };
        for axis in &mut self.axes[2..] {
            let before = axis.value;
            axis.predict(dt, (reach, kept), shake, push * SIDE_RATE * SIDE_RATE);
            // Rates are measured over moments; no side halves or doubles by them alone.
            let value = axis.value.clamp(before / 2.0, before * 2.0);
            if value != axis.value {
                axis.value = value;
                axis.rate = 0.0;
            }
        }
    }

    /// The thing was seen at `rect`; a `weak` sight counts less.
    pub fn correct(&mut self, rect: &Rect, weak: bool, settings: &Settings) {
        let noise = f64::from(settings.box_noise) * if weak { 2.0 } else { 1.0 };
        let variance = square(noise * self.size()).max(1e-6);
        for (axis, measured) in self.axes.iter_mut().zip(measures(rect)) {
            axis.correct(measured, variance);
        }
        for axis in &mut self.axes[2..] {
            axis.value = axis.value.max(1e-3);
        }
    }

    /// Distance of the box's centre from where it is expected, in standard deviations (Mahalanobis).
    pub fn distance(&self, rect: &Rect, settings: &Settings) -> f32 {
        let noise = square(f64::from(settings.box_noise) * self.size()).max(1e-6);
        let centre = self.axes.iter().zip(measures(rect)).take(2);
        let squares =
            centre.map(|(axis, measured)| square(measured - axis.value) / (axis.value_variance + noise));
        squares.sum::<f64>().sqrt() as f32
    }

    /// The box, in pixels.
    pub fn rect(&self) -> Rect {
        let [x, y, width, height] = self.axes.map(|axis| axis.value);
        let edges = [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0];
        let [x0, y0, x1, y1] = edges.map(|v| v as f32);
        Rect { x0, y0, x1, y1 }
    }

    /// Movement of the centre in pixels a second, right and down.
    pub fn velocity(&self) -> [f32; 2] {
        [self.axes[0].rate as f32, self.axes[1].rate as f32]
    }

    /// The same in a picture that became `x` times as wide and `y` times as high; both are finite and above 0.
    pub fn scale(&mut self, x: f64, y: f64) {
        for (axis, factor) in self.axes.iter_mut().zip([x, y, x, y]) {
            axis.scale(factor);
        }
    }
}

#[cfg(test)]
#[path = "motion_tests.rs"]
mod tests;
