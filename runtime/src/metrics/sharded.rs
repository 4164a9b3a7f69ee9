//! Figures that each thread keeps by itself, and that are added up when somebody asks: counting waits for no other core.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric, counter, gauge};

use crate::gateway::lock;
use crate::worker;

/// Dollars are counted in billionths: sums of whole numbers are exact in any order.
const BILLIONTHS: f64 = 1e9;

/// A number in as many parts as there are threads.
#[derive(Debug)]
pub(crate) struct Sharded(Box<[Lane<AtomicU64>]>);

/// What one thread has; no other's lies in the same line of a cache.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Lane<T>(T);

/// That of this thread.
fn of_this<T>(lanes: &[Lane<T>]) -> Option<&T> {
    let lane = lanes.get(worker::here()).or_else(|| lanes.first());
    lane.map(|lane| &lane.0)
}

impl Default for Sharded {
    fn default() -> Self {
        Self((0..=worker::count()).map(|_| Lane::default()).collect())
    }
}

impl Sharded {
    fn add(&self, value: u64) {
        if let Some(lane) = of_this(&self.0) {
            lane.fetch_add(value, Ordering::Relaxed);
        }
    }

    /// Parts below zero, of what ended on another thread than it began, cancel out.
    fn sum(&self) -> u64 {
        let lanes = self.0.iter().map(|lane| lane.0.load(Ordering::Relaxed));
        lanes.fold(0, u64::wrapping_add)
    }
}

impl counter::Atomic<u64> for Sharded {
    fn inc(&self) -> u64 {
        counter::Atomic::<u64>::inc_by(self, 1)
    }

    fn inc_by(&self, value: u64) -> u64 {
        self.add(value);
        value
    }

    fn get(&self) -> u64 {
        self.sum()
    }
}

impl counter::Atomic<f64> for Sharded {
    fn inc(&self) -> f64 {
        counter::Atomic::<f64>::inc_by(self, 1.0)
    }

    fn inc_by(&self, value: f64) -> f64 {
        self.add((value * BILLIONTHS).round() as u64);
        value
    }

    fn get(&self) -> f64 {
        self.sum() as f64 / BILLIONTHS
    }
}

impl gauge::Atomic<i64> for Sharded {
    fn inc(&self) -> i64 {
        self.inc_by(1)
    }

    fn inc_by(&self, value: i64) -> i64 {
        self.add(value.cast_unsigned());
        value
    }

    fn dec(&self) -> i64 {
        self.dec_by(1)
    }

    fn dec_by(&self, value: i64) -> i64 {
        self.inc_by(value.wrapping_neg())
    }

    fn set(&self, value: i64) -> i64 {
        for lane in &self.0 {
            lane.0.store(0, Ordering::Relaxed);
        }
        self.inc_by(value)
    }

    fn get(&self) -> i64 {
        self.sum().cast_signed()
    }
}

/// How often figures fell between which bounds.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    lanes: Arc<[Lane<Mutex<Observed>>]>,
}

#[derive(Debug, Default, Clone)]
struct Observed {
    sum: f64,
    /// By bound, and then those above the last.
    counts: Vec<u64>,
}

impl Histogram {
    /// Each bound belongs to what it bounds.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        let empty = || {
            Lane(Mutex::new(Observed {
                sum: 0.0,
                counts: vec![0; bounds.len() + 1],
            }))
        };
        Self {
            bounds,
            lanes: (0..=worker::count()).map(|_| empty()).collect(),
        }
    }

    pub(crate) fn observe(&self, figure: f64) {
        let place = self.bounds.partition_point(|bound| *bound < figure);
        let Some(lane) = of_this(&self.lanes) else {
            return;
        };
        let mut observed = lock(lane);
        observed.sum += figure;
        if let Some(count) = observed.counts.get_mut(place) {
            *count += 1;
        }
    }

    fn total(&self) -> Observed {
        let mut total = Observed {
            sum: 0.0,
            counts: vec![0; self.bounds.len() + 1],
        };
        for lane in self.lanes.iter() {
            let observed = lock(&lane.0);
            total.sum += observed.sum;
            for (all, one) in total.counts.iter_mut().zip(&observed.counts) {
                *all += one;
            }
        }
        total
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Observed { sum, counts } = self.total();
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts.iter().copied()).collect();
        let count = counts.iter().sum();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram;
    use prometheus_client::registry::{Metric, Registry};

    use super::*;

    fn text(metric: impl Metric) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        registry.register("x", "x", metric);
        encode(&mut text, &registry).unwrap_or_default();
        text
    }

    #[test]
    fn a_histogram_is_written_as_the_usual_one() {
        const BOUNDS: [f64; 3] = [0.5, 1.0, 4.0];
        let (ours, usual) = (Histogram::new(&BOUNDS), histogram::Histogram::new(BOUNDS));
        for figure in [0.0, 0.5, 0.7, 1.0, 3.0, 4.0, 4.1, 1e9] {
            ours.observe(figure);
            usual.observe(figure);
        }
        assert_eq!(text(ours), text(usual));
    }

    #[test]
    fn what_threads_count_is_added_up() {
        let (calls, open) = (
            Counter::<u64, Sharded>::default(),
            Gauge::<i64, Sharded>::default(),
        );
        let cost = Counter::<f64, Sharded>::default();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (calls, open, cost) = (calls.clone(), open.clone(), cost.clone());
                std::thread::spawn(move || {
                    for _ in 0..1000 {
                        calls.inc_by(3);
                        cost.inc_by(0.000_000_1);
                        open.inc();
                        open.inc();
                        open.dec();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap_or_default();
        }
        open.dec_by(5000);
        assert_eq!((calls.get(), open.get()), (12_000, -1000));
        assert!((cost.get() - 0.0004).abs() < 1e-12);
    }
}
