//! Where the time of a pass goes.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::quantile::quantile;
use edgeclip_engine::StepReport;

/// Longest reason that fits a table.
const REASON: usize = 60;

/// Order of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sort {
    /// As they run.
    Graph,
    /// The slowest first.
    Time,
}

/// The steps of a network and their sums.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    /// Multiply-accumulates of a pass.
    macs: u64,
    /// Share of them that int8 kernels do, 0 to 1.
    lowered_macs_share: f64,
    /// Median times of the steps together, µs; reading the outputs is not a step.
    steps_us: f64,
    steps: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Step {
    node: String,
    op: &'static str,
    int8: bool,
    /// Why it stays in float.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Channels, height and width of what it writes.
    shape: [usize; 3],
    macs: u64,
    /// Of all steps, 0 to 1.
    macs_share: f64,
    median_us: f64,
    /// Of all steps, 0 to 1.
    time_share: f64,
    gmacs_per_s: f64,
}

impl Explanation {
    /// From the steps and their times in each of several passes.
    pub(super) fn new(reports: Vec<StepReport>, passes: &[Vec<Duration>], sort: Sort) -> Self {
        let median = |index: usize| {
            let mut times: Vec<Duration> =
                passes.iter().filter_map(|pass| pass.get(index).copied()).collect();
            times.sort_unstable();
            quantile(&times, 0.5).as_secs_f64() * 1e6
        };
        let times: Vec<f64> = (0..reports.len()).map(median).collect();
        let macs: u64 = reports.iter().map(|report| report.macs).sum();
        let steps_us: f64 = times.iter().sum();
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let step = |(report, median_us): (StepReport, f64)| Step {
            node: report.node,
            op: report.kernel,
            int8: report.refusal.is_none(),
            reason: report.refusal,
            shape: report.shape,
            macs: report.macs,
            macs_share: share(report.macs as f64, macs as f64),
            median_us,
            time_share: share(median_us, steps_us),
            gmacs_per_s: share(report.macs as f64, median_us * 1e3),
        };
        let mut steps: Vec<Step> = reports.into_iter().zip(times).map(step).collect();
        let lowered: u64 = steps.iter().filter(|step| step.int8).map(|step| step.macs).sum();
        if sort == Sort::Time {
            steps.sort_by(|a, b| b.median_us.total_cmp(&a.median_us));
        }
        Self { macs, lowered_macs_share: share(lowered as f64, macs as f64), steps_us, steps }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.steps.iter().map(|step| step.node.chars().count()).max().unwrap_or(0).max(4);
        writeln!(
            to,
            "{:widest$}  {:<12} {:>13} {:>9} {:>6} {:>9} {:>6} {:>7}",
            "node", "op", "shape", "kMAC", "MAC %", "µs", "time %", "GMAC/s"
        )?;
        for step in &self.steps {
            let [channels, height, width] = step.shape;
            write!(
                to,
                "{:widest$}  {:<12} {:>13} {:>9.0} {:>6.2} {:>9.1} {:>6.2} {:>7.1}",
                step.node,
                step.op,
                format!("{channels}×{height}×{width}"),
                step.macs as f64 / 1e3,
                step.macs_share * 100.0,
                step.median_us,
                step.time_share * 100.0,
                step.gmacs_per_s,
            )?;
            match &step.reason {
                Some(reason) => writeln!(to, "  float: {}", reason.chars().take(REASON).collect::<String>())?,
                None => writeln!(to)?,
            }
        }
        write!(
            to,
            "{} steps, {:.1} MMAC, {:.2} % of MACs lowered, {:.2} ms in steps, {:.1} GMAC/s",
            self.steps.len(),
            self.macs as f64 / 1e6,
            self.lowered_macs_share * 100.0,
            self.steps_us / 1e3,
            if self.steps_us > 0.0 { self.macs as f64 / self.steps_us / 1e3 } else { 0.0 },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(node: &str, macs: u64, refusal: Option<&str>) -> StepReport {
        let refusal = refusal.map(str::to_owned);
        StepReport { node: node.to_owned(), kernel: "pointwise", refusal, shape: [8, 2, 2], macs }
    }

    fn micros(times: [u64; 2]) -> Vec<Duration> {
        times.map(Duration::from_micros).to_vec()
    }

    #[test]
    fn shares_are_of_the_sum_of_medians() {
        let reports = vec![report("a", 3_000, None), report("b", 1_000, Some("softmax"))];
        let passes = [micros([10, 90]), micros([20, 80]), micros([30, 10_000])];
        let explanation = Explanation::new(reports, &passes, Sort::Time);
        let nodes: Vec<&str> = explanation.steps.iter().map(|step| step.node.as_str()).collect();
        assert_eq!(nodes, ["b", "a"]);
        assert!((explanation.steps_us - 110.0).abs() < 1e-9);
        assert!((explanation.lowered_macs_share - 0.75).abs() < 1e-12);
        assert!((explanation.steps[1].gmacs_per_s - 0.15).abs() < 1e-12);
        let text = explanation.to_string();
        assert!(text.contains("75.00 % of MACs lowered"), "{text}");
        assert!(text.contains("float: softmax"), "{text}");
    }

    #[test]
    fn nothing_measured_is_nothing_divided() {
        let explanation = Explanation::new(vec![report("a", 0, None)], &[], Sort::Graph);
        assert_eq!((explanation.steps_us, explanation.steps[0].time_share), (0.0, 0.0));
    }
}
