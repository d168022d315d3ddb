//! Kalman filter of one box: constant velocity, noise proportional to the box's size, time in seconds.
//!
//! SORT (Bewley et al. 2016) and ByteTrack (Zhang et al. 2022) filter a state of eight numbers with diagonal
//! noise and the box itself as measurement. That is equivalent to four filters of two numbers each, for
//! centre x, centre y, width and height.

use crate::geometry::Rect;

use super::Settings;

/// Smallest size in pixels by which noise is scaled.
const MIN_SIZE: f64 = 1.0;
/// Sides change more slowly than positions: noise of their rates relative to that of the centre's.
const SIDE_RATE_NOISE: f64 = 0.1;
/// Time constant in seconds with which an object out of sight slows down: it may well have stopped.
const COASTING_SECONDS: f64 = 1.0;

/// A coordinate, its rate of change per second, and their covariance.
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

    /// Advances by `dt` seconds: the value moves by `effective_dt` times its rate, and the rate is multiplied
    /// by `decay`. Both receive white noise with spectral densities `value_noise` and `rate_noise`.
    fn predict(&mut self, dt: f64, (effective_dt, decay): (f64, f64), value_noise: f64, rate_noise: f64) {
        self.value += effective_dt * self.rate;
        self.rate *= decay;
        self.value_variance += effective_dt * (2.0 * self.covariance + effective_dt * self.rate_variance);
        self.covariance = decay * (self.covariance + effective_dt * self.rate_variance);
        self.rate_variance *= decay * decay;
        self.value_variance += value_noise * dt + rate_noise * dt * dt * dt / 3.0;
        self.covariance += rate_noise * dt * dt / 2.0;
        self.rate_variance += rate_noise * dt;
    }

    /// `variance` is above 0. These forms keep the covariance positive for any magnitudes.
    fn correct(&mut self, measured: f64, variance: f64) {
        let total = self.value_variance + variance;
        let innovation = measured - self.value;
        self.value += self.value_variance / total * innovation;
        self.rate += self.covariance / total * innovation;
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

/// Where a box is, how it moves, and how certain that is.
#[derive(Debug, Clone)]
pub(crate) struct Motion {
    /// Centre x, centre y, width, height.
    axes: [Axis; 4],
}

/// Centre x, centre y, width, height.
fn measurement(rect: &Rect) -> [f64; 4] {
    let [x0, y0, x1, y1] = [rect.x0, rect.y0, rect.x1, rect.y1].map(f64::from);
    [(x0 + x1) / 2.0, (y0 + y1) / 2.0, x1 - x0, y1 - y0]
}

fn square(v: f64) -> f64 {
    v * v
}

impl Motion {
    /// At rest at `rect`, which must be finite and have an area.
    pub(crate) fn new(rect: &Rect, settings: &Settings) -> Self {
        let [x, y, width, height] = measurement(rect);
        let size = (width * height).sqrt().max(MIN_SIZE);
        let place = square(f64::from(settings.box_noise) * size);
        let speed = square(f64::from(settings.speed) * size);
        let centre = |v| Axis::new(v, place, speed);
        let side = |v| Axis::new(v, place, speed * SIDE_RATE_NOISE * SIDE_RATE_NOISE);
        Self { axes: [centre(x), centre(y), side(width), side(height)] }
    }

    /// Side in pixels of the square with the box's area, at least 1.
    pub(crate) fn size(&self) -> f64 {
        (self.axes[2].value * self.axes[3].value).sqrt().max(MIN_SIZE)
    }

    /// Advances by `dt` ≥ 0 seconds. An object out of sight is `coasting`: it slows down.
    pub(crate) fn predict(&mut self, dt: f64, coasting: bool, settings: &Settings) {
        let (effective_dt, decay) = if coasting {
            let decay = (-dt / COASTING_SECONDS).exp();
            (COASTING_SECONDS * (1.0 - decay), decay)
        } else {
            (dt, 1.0)
        };
        let size = self.size();
        let value_noise = square(f64::from(settings.shake) * size);
        let rate_noise = square(f64::from(settings.acceleration) * size);
        for axis in &mut self.axes[..2] {
            axis.predict(dt, (effective_dt, decay), value_noise, rate_noise);
        }
        // Out of sight the size is kept: an object that moves behind another seems to shrink.
        let (effective_dt, decay) = if coasting { (0.0, 0.0) } else { (effective_dt, decay) };
        for axis in &mut self.axes[2..] {
            let before = axis.value;
            axis.predict(
                dt,
                (effective_dt, decay),
                value_noise,
                rate_noise * SIDE_RATE_NOISE * SIDE_RATE_NOISE,
            );
            // Rates come from short intervals; they alone never more than halve or double a side.
            let value = axis.value.clamp(before / 2.0, before * 2.0);
            if value != axis.value {
                axis.value = value;
                axis.rate = 0.0;
            }
        }
    }

    /// The object was detected at `rect`, whose edges are `doubt` times as uncertain as usual.
    pub(crate) fn correct(&mut self, rect: &Rect, doubt: f64, settings: &Settings) {
        let noise = f64::from(settings.box_noise) * doubt;
        let variance = square(noise * self.size()).max(1e-6);
        for (axis, measured) in self.axes.iter_mut().zip(measurement(rect)) {
            axis.correct(measured, variance);
        }
        for axis in &mut self.axes[2..] {
            axis.value = axis.value.max(1e-3);
        }
    }

    /// Mahalanobis distance of the box's centre from where it is expected, in standard deviations.
    pub(crate) fn distance(&self, rect: &Rect, settings: &Settings) -> f32 {
        let noise = square(f64::from(settings.box_noise) * self.size()).max(1e-6);
        let centre = self.axes.iter().zip(measurement(rect)).take(2);
        let squares =
            centre.map(|(axis, measured)| square(measured - axis.value) / (axis.value_variance + noise));
        squares.sum::<f64>().sqrt() as f32
    }

    /// The box, in pixels.
    pub(crate) fn rect(&self) -> Rect {
        let [x, y, width, height] = self.axes.map(|axis| axis.value);
        let edges = [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0];
        let [x0, y0, x1, y1] = edges.map(|v| v as f32);
        Rect { x0, y0, x1, y1 }
    }

    /// Velocity of the centre in pixels per second, right and down.
    pub(crate) fn velocity(&self) -> [f32; 2] {
        [self.axes[0].rate as f32, self.axes[1].rate as f32]
    }

    /// Scales the state to a picture `x` times as wide and `y` times as high; both must be
    /// finite and above 0.
    pub(crate) fn scale(&mut self, x: f64, y: f64) {
        for (axis, factor) in self.axes.iter_mut().zip([x, y, x, y]) {
            axis.scale(factor);
        }
    }
}

#[cfg(test)]
#[path = "motion_tests.rs"]
mod tests;
