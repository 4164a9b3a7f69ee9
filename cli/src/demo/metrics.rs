//! A replica's gauges under the names of the engine that its pool says it runs.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use super::engine::Engine;

/// How an engine calls its signals; "" where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) waiting: String,
    pub(super) running: String,
    pub(super) kv_cache: String,
    /// Whether vLLM's counters of prefixes and tokens are there too.
    pub(super) vllm: bool,
}

impl Names {
    /// vLLM 0.9 and later.
    pub(super) fn vllm() -> Self {
        Self {
            waiting: "vllm:num_requests_waiting".to_owned(),
            running: "vllm:num_requests_running".to_owned(),
            kv_cache: "vllm:kv_cache_usage_perc".to_owned(),
            vllm: true,
        }
    }

    /// SGLang.
    pub(super) fn sglang() -> Self {
        Self::custom(
            "sglang:num_queue_reqs",
            "sglang:num_running_reqs",
            "sglang:token_usage",
        )
    }

    /// TensorRT-LLM's own server.
    pub(super) fn trtllm() -> Self {
        Self::custom(
            "trtllm_num_requests_waiting",
            "trtllm_num_requests_running",
            "trtllm_kv_cache_utilization",
        )
    }

    /// Names that the file gives.
    pub(super) fn custom(waiting: &str, running: &str, kv_cache: &str) -> Self {
        Self {
            waiting: waiting.to_owned(),
            running: running.to_owned(),
            kv_cache: kv_cache.to_owned(),
            vllm: false,
        }
    }
}

/// The text of `/metrics`.
pub(super) fn exposition(engine: &Engine, names: &Names, model: &str) -> String {
    let gauges = &engine.gauges;
    let mut text = String::new();
    let mut write = |kind: &str, name: &str, value: f64| {
        if !name.is_empty() {
            let model = model.replace('\\', "\\\\").replace('"', "\\\"");
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "# TYPE {name} {kind}\n{name}{{model_name=\"{model}\"}} {value}\n"
            );
        }
    };
    write("gauge", &names.waiting, gauges.waiting.load(Relaxed) as f64);
    write("gauge", &names.running, gauges.running.load(Relaxed) as f64);
    write("gauge", &names.kv_cache, engine.kv_cache_usage());
    if names.vllm {
        for (name, counter) in [
            ("vllm:prefix_cache_queries_total", &gauges.prefix_queries),
            ("vllm:prefix_cache_hits_total", &gauges.prefix_hits),
            ("vllm:prompt_tokens_total", &gauges.prompt_tokens),
            ("vllm:generation_tokens_total", &gauges.generation_tokens),
            ("vllm:request_success_total", &gauges.finished),
        ] {
            write("counter", name, counter.load(Relaxed) as f64);
        }
    }
    text
}
