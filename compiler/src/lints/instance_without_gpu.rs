//! WP0512: a KAITO pool on machines without a GPU.

use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Finds machine sizes that are known to have none.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let ItemKind::Pool(pool) = &item.kind else {
            continue;
        };
        let instance = pool
            .kaito
            .as_ref()
            .and_then(|kaito| kaito.instance.as_ref());
        let Some(instance) = instance.filter(|instance| !may_have_gpu(&instance.value)) else {
            continue;
        };
        found.push(
            codes::INSTANCE_WITHOUT_GPU
                .warning(instance.span, format!("`{}` has no GPU", instance.value))
                .label("the model server never becomes ready")
                .help("write a size of Azure's N series, such as `Standard_NC24ads_A100_v4`"),
        );
    }
}

/// Azure's sizes with accelerators begin with N; of names in another form nothing is known.
fn may_have_gpu(instance: &str) -> bool {
    let lower = instance.to_ascii_lowercase();
    lower
        .strip_prefix("standard_")
        .is_none_or(|size| size.starts_with('n'))
}
