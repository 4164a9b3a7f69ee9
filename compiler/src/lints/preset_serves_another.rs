//! WP0513: a model is asked for by a name that its KAITO preset does not serve.

use waypost_lang::diagnostic::Edit;
use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::edits::insertion;
use crate::program::{PoolSource, Via};

/// Finds models of a KAITO pool whose name there is not the preset's.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let ItemKind::Model(written) = &item.kind else {
            continue;
        };
        let model = program
            .models
            .iter()
            .find(|model| model.name.span == written.name.span);
        let (Some(model), Some(via)) = (model, &written.via) else {
            continue;
        };
        let Via::Pool(pool) = model.via else {
            continue;
        };
        let source = program.pools.get(pool).map(|pool| &pool.source);
        let Some(PoolSource::Kaito { preset, .. }) = source else {
            continue;
        };
        // A model of the hub is served under a name that its files choose.
        if preset.contains('/') || *preset == model.upstream_name {
            continue;
        }
        let span = via
            .upstream_name
            .as_ref()
            .map_or(via.span, |name| name.span);
        let edit = match &via.upstream_name {
            Some(name) => Edit {
                span: name.span,
                text: format!("\"{preset}\""),
            },
            None => insertion(via.span, format!("  as \"{preset}\"")),
        };
        let help = format!("write `as \"{preset}\"`");
        found.push(
            codes::PRESET_SERVES_ANOTHER
                .warning(
                    span,
                    format!("the preset does not serve `{}`", model.upstream_name),
                )
                .label(format!(
                    "KAITO serves it as `{preset}`: every call is answered 404"
                ))
                .help(help.clone())
                .fix(help, [edit]),
        );
    }
}
