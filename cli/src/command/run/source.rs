//! Where `run` gets its plan from when the file, or a file that it imports, changes.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use waypost_lang::render::Color;
use waypost_policies::Plan;
use waypost_policies::plan::view::Via;
use waypost_runtime::PlanSource;

use crate::compile::{Warnings, load};
use crate::demo::Demo;
use crate::input::PlanArgument;
use crate::terminal::{ColorChoice, Stream, Streams, Terminal};

/// A .route file, or a plan.
#[derive(Debug)]
pub(super) struct RouteSource {
    file: PlanArgument,
    color: Color,
    /// The files that the last sound plan was compiled from.
    files: Mutex<Vec<PathBuf>>,
    /// What the simulated servers serve, where there are any.
    simulated: Option<BTreeSet<String>>,
}

impl RouteSource {
    pub(super) fn new(
        file: PlanArgument,
        plan: &Plan,
        demo: Option<&Demo>,
        terminal: &Terminal<'_>,
    ) -> Self {
        Self {
            files: Mutex::new(files(&file, plan)),
            file,
            color: terminal.error_color(),
            simulated: demo.map(|_| served(plan)),
        }
    }
}

impl PlanSource for RouteSource {
    fn read(&self) -> Result<Plan, String> {
        let (mut input, mut output, mut errors) = (io::empty(), Vec::new(), Vec::new());
        let mut terminal = Terminal::new(Streams {
            input: &mut input,
            output: Stream {
                writer: &mut output,
                is_terminal: false,
            },
            errors: Stream {
                writer: &mut errors,
                is_terminal: false,
            },
            colors: false,
        });
        terminal.set_color(match self.color {
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        });
        let loaded = load(&self.file, Warnings::Silent, &mut terminal);
        let loaded = loaded.map_err(|failure| failure.to_string())?;
        let Some(loaded) = loaded else {
            return Err(String::from_utf8_lossy(&errors).into_owned());
        };
        if let Some(simulated) = &self.simulated
            && let Some(new) = served(&loaded.plan).difference(simulated).next()
        {
            return Err(format!(
                "{new} is new, and no server simulates it yet: start `waypost run --demo` again"
            ));
        }
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) =
            files(&self.file, &loaded.plan);
        Ok(loaded.plan)
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.clone()
    }
}

/// The file itself and those that it imports; built-in ones are no files.
fn files(file: &PlanArgument, plan: &Plan) -> Vec<PathBuf> {
    let imported = plan
        .files()
        .map(PathBuf::from)
        .filter(|path| path.is_file());
    let mut files: Vec<PathBuf> = imported.collect();
    files.push(file.path().to_owned());
    files
}

/// Which models are asked where.
fn served(plan: &Plan) -> BTreeSet<String> {
    let pools: Vec<_> = plan.pools().map(|pool| pool.name()).collect();
    let providers: Vec<_> = plan.providers().map(|provider| provider.name()).collect();
    let models = plan.models().map(|model| {
        let place = match model.via() {
            Via::Pool(index) => pools.get(usize::from(index)),
            Via::Provider(index) => providers.get(usize::from(index)),
        };
        let place = place.copied().unwrap_or_default();
        format!("model `{}` via `{place}`", model.upstream_name())
    });
    models.collect()
}
