//! Models.

use waypost_policies::plan::draft;

use super::index;
use super::origin::Origins;
use crate::program::{Model, Via};

pub(crate) fn lower(models: &[Model], origins: &Origins<'_>) -> Vec<draft::Model> {
    models
        .iter()
        .map(|model| draft::Model {
            name: model.name.value.clone(),
            via: match model.via {
                Via::Provider(provider) => draft::Via::Provider(index(provider)),
                Via::Pool(pool) => draft::Via::Pool(index(pool)),
            },
            upstream_name: model.upstream_name.clone(),
            context: model.context,
            output: model.output,
            price: model.price.clone(),
            rejects: model.rejects.clone(),
            chat: model.serves.chat,
            completions: model.serves.completions,
            embeddings: model.serves.embeddings,
            lacks_images: model.lacks.images,
            lacks_tools: model.lacks.tools,
            origin: origins.of(model.name.span),
        })
        .collect()
}
