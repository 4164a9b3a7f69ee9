//! Reads what an inference engine says of itself, in Prometheus' text format.
//!
//! Tolerant: lines that cannot be read are passed over, names that are not asked for too. Several series of one name
//! (one for each model or rank) are added up, and of KV caches the fullest counts: it is the one that runs over.

use crate::plan::draft::Engine;

/// An engine's figures; `None` where it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Snapshot {
    /// Requests waiting.
    pub queue: Option<u32>,
    /// Requests running.
    pub running: Option<u32>,
    /// Share of the KV cache in use, 0 to 1.
    pub kv_cache: Option<f64>,
}

/// Which of the figures a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Queue,
    Running,
    KvCache,
}

impl Snapshot {
    /// The figures in a scraped page.
    #[must_use]
    pub fn parse(text: &str, engine: &Engine) -> Self {
        let mut snapshot = Self::default();
        for sample in text.lines().filter_map(Sample::parse) {
            if let Some(signal) = signal(engine, &sample) {
                snapshot.add(signal, sample.value);
            }
        }
        snapshot
    }

    /// Whether it says anything at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, signal: Signal, value: f64) {
        if value.is_nan() {
            return;
        }
        // Casts of floats saturate.
        let count = value.max(0.0).round() as u32;
        match signal {
            Signal::Queue => self.queue = Some(self.queue.unwrap_or(0).saturating_add(count)),
            Signal::Running => self.running = Some(self.running.unwrap_or(0).saturating_add(count)),
            Signal::KvCache => {
                self.kv_cache = Some(self.kv_cache.unwrap_or(0.0).max(value.clamp(0.0, 1.0)))
            }
        }
    }
}

fn signal(engine: &Engine, sample: &Sample<'_>) -> Option<Signal> {
    match engine {
        Engine::Vllm => match sample.name {
            "vllm:num_requests_waiting" => Some(Signal::Queue),
            "vllm:num_requests_running" => Some(Signal::Running),
            // The second is its name before 0.10.
            "vllm:kv_cache_usage_perc" | "vllm:gpu_cache_usage_perc" => Some(Signal::KvCache),
            _ => None,
        },
        Engine::Sglang => match sample.name {
            "sglang:num_queue_reqs" => Some(Signal::Queue),
            "sglang:num_running_reqs" => Some(Signal::Running),
            "sglang:token_usage" => Some(Signal::KvCache),
            _ => None,
        },
        Engine::Trtllm => match (sample.name, sample.labels) {
            ("trtllm_num_requests_waiting", _) => Some(Signal::Queue),
            ("trtllm_num_requests_running", _) => Some(Signal::Running),
            ("trtllm_kv_cache_utilization", _) => Some(Signal::KvCache),
            // Under Triton one name has several figures.
            ("nv_trt_llm_request_metrics", labels)
                if labels.contains("request_type=\"waiting\"") =>
            {
                Some(Signal::Queue)
            }
            ("nv_trt_llm_request_metrics", labels)
                if labels.contains("request_type=\"scheduled\"") =>
            {
                Some(Signal::Running)
            }
            ("nv_trt_llm_kv_cache_block_metrics", labels)
                if labels.contains("kv_cache_block_type=\"fraction\"") =>
            {
                Some(Signal::KvCache)
            }
            _ => None,
        },
        Engine::Custom {
            queue,
            running,
            kv_cache,
        } => match sample.name {
            name if name == queue => Some(Signal::Queue),
            name if name == running => Some(Signal::Running),
            name if name == kv_cache => Some(Signal::KvCache),
            _ => None,
        },
    }
}

/// One line: `name{labels} value timestamp`.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

impl<'a> Sample<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim_start();
        if line.starts_with('#') {
            return None;
        }
        let (name, rest) = line.split_at(line.find(|c: char| c == '{' || c.is_ascii_whitespace())?);
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => rest.split_at(end_of_labels(rest)?),
            None => ("", rest),
        };
        let value = rest
            .trim_start_matches('}')
            .split_ascii_whitespace()
            .next()?
            .parse()
            .ok()?;
        (!name.is_empty()).then_some(Self {
            name,
            labels,
            value,
        })
    }
}

/// Where the `}` is that no string holds.
fn end_of_labels(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return Some(index),
            _ => {}
        }
    }
    None
}
