//! EndpointPickerConfig: the scorers that a pool's `place` weighs, as the Endpoint Picker reads them.

use serde::Serialize;

use super::versions::InferenceExtension;
use crate::program::Place;

/// The whole config.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PickerConfig {
    api_version: &'static str,
    kind: &'static str,
    plugins: Vec<Plugin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saturation_detector: Option<PluginRef>,
    scheduling_profiles: Vec<Profile>,
}

#[derive(Debug, Clone, Serialize)]
struct Plugin {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Saturation>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Saturation {
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_depth_threshold: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kv_cache_util_threshold: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
struct Profile {
    name: &'static str,
    plugins: Vec<PluginRef>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct PluginRef {
    plugin_ref: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
}

const DETECTOR: &str = "utilization-detector";
const PICKER: &str = "max-score-picker";

/// The config of `place`; a signal of weight 0 has no scorer.
pub(crate) fn picker_config(version: &InferenceExtension, place: &Place) -> PickerConfig {
    let scorers: Vec<(&'static str, u32)> = [
        ("queue-scorer", place.queue),
        ("kv-cache-utilization-scorer", place.kv_cache),
        ("prefix-cache-scorer", place.prefix),
        ("lora-affinity-scorer", place.lora),
    ]
    .into_iter()
    .filter(|(_, weight)| *weight > 0)
    .collect();
    let saturation = Some(saturation(place)).filter(|_| version.saturation_is_a_plugin());
    let saturation = saturation.flatten();
    let mut plugins: Vec<Plugin> = scorers
        .iter()
        .map(|(name, _)| *name)
        .chain([PICKER])
        .map(|name| Plugin {
            r#type: name,
            parameters: None,
        })
        .collect();
    let saturation_detector = saturation.is_some().then_some(PluginRef {
        plugin_ref: DETECTOR,
        weight: None,
    });
    plugins.extend(saturation.map(|parameters| Plugin {
        r#type: DETECTOR,
        parameters: Some(parameters),
    }));
    PickerConfig {
        api_version: version.config_api(),
        kind: "EndpointPickerConfig",
        plugins,
        saturation_detector,
        scheduling_profiles: vec![profile(&scorers)],
    }
}

fn profile(scorers: &[(&'static str, u32)]) -> Profile {
    let mut plugins: Vec<PluginRef> = scorers
        .iter()
        .map(|(name, weight)| PluginRef {
            plugin_ref: name,
            weight: Some(*weight),
        })
        .collect();
    plugins.push(PluginRef {
        plugin_ref: PICKER,
        weight: None,
    });
    Profile {
        name: "default",
        plugins,
    }
}

fn saturation(place: &Place) -> Option<Saturation> {
    let share = place
        .saturate_kv_cache
        .map(|share| f64::from(share.0) / 10_000.0);
    (place.saturate_queue.is_some() || share.is_some()).then_some(Saturation {
        queue_depth_threshold: place.saturate_queue,
        kv_cache_util_threshold: share,
    })
}
