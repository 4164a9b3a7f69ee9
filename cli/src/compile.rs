//! From an input to a checked program and its plan, with what was found on the way.

use waypost_compiler::{Checked, Program};
use waypost_lang::render::{self, Color};
use waypost_lang::{Diagnostic, SourceMap};
use waypost_policies::Plan;
use waypost_policies::plan::encode;

use crate::failure::Failure;
use crate::input::Input;
use crate::terminal::Terminal;

/// A file that compiled.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// Its sources.
    pub(crate) sources: SourceMap,
    /// What it means.
    pub(crate) program: Program,
    /// The sealed plan.
    pub(crate) sealed: Vec<u8>,
    /// The same, verified.
    pub(crate) plan: Plan,
}

/// Checks an input; imports are read from the file system.
pub(crate) fn check(input: &Input) -> Checked {
    let loader = |path: &str| std::fs::read_to_string(path).ok();
    waypost_compiler::check(&input.name, &input.text, &loader)
}

/// Compiles an input, or says on the error stream why not.
pub(crate) fn compile(
    input: &Input,
    terminal: &mut Terminal<'_>,
) -> Result<Option<Compiled>, Failure> {
    let Checked {
        sources,
        program,
        diagnostics,
    } = check(input);
    report(&sources, &diagnostics, terminal)?;
    let Some(program) = program else {
        return Ok(None);
    };
    let sealed = encode(&waypost_compiler::lower(&program, &sources));
    let plan = Plan::load(sealed.clone()).map_err(|error| {
        // The compiler sealed what the verifier refuses: a mistake of ours, never of the file.
        Failure::Other(format!(
            "the plan of `{}` does not pass its own verifier, please report this: {error}",
            input.name
        ))
    })?;
    Ok(Some(Compiled {
        sources,
        program,
        sealed,
        plan,
    }))
}

/// Says on the error stream what was found, and how much.
pub(crate) fn report(
    sources: &SourceMap,
    diagnostics: &[Diagnostic],
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let color: Color = terminal.error_color();
    let text = render::human(sources, diagnostics, color);
    if !text.is_empty() {
        terminal.say(&text)?;
    }
    match render::summary(sources, diagnostics) {
        Some(summary) => terminal.note(&summary),
        None => Ok(()),
    }
}
