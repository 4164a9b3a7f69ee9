//! From an input to a checked program and its plan, with what was found on the way.

use std::fs;

use waypost_compiler::{Checked, Program, lint};
use waypost_lang::render::{self, Color};
use waypost_lang::{Diagnostic, SourceMap};
use waypost_policies::Plan;
use waypost_policies::plan::encode;

use crate::failure::Failure;
use crate::input::{Input, Origin, PlanArgument};
use crate::inspection::today;
use crate::terminal::Terminal;

/// What every plan begins with; no .route file does.
const PLAN_MAGIC: &[u8] = b"WAYPOST\0";

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

/// A plan, from a .route file or from the file that `build` wrote.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The verified plan.
    pub(crate) plan: Plan,
    /// What it was compiled from; absent for a sealed plan.
    pub(crate) program: Option<Program>,
}

/// What is said of warnings; errors are always said in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warnings {
    /// With the lines that they are about.
    Full,
    /// One line each.
    Concise,
    /// Nothing: the command answers another question.
    Silent,
}

/// Checks an input; imports are read from the file system.
pub(crate) fn check(input: &Input) -> Checked {
    let loader = |path: &str| fs::read_to_string(path).ok();
    waypost_compiler::check(&input.name, &input.text, &loader)
}

/// Compiles an input, or says on the error stream why not.
pub(crate) fn compile(
    input: &Input,
    warnings: Warnings,
    terminal: &mut Terminal<'_>,
) -> Result<Option<Compiled>, Failure> {
    finish(check(input), &input.name, warnings, terminal)
}

/// Compiles what was checked, or says on the error stream why not; `name` is the file's.
pub(crate) fn finish(
    checked: Checked,
    name: &str,
    warnings: Warnings,
    terminal: &mut Terminal<'_>,
) -> Result<Option<Compiled>, Failure> {
    let diagnostics = match warnings {
        Warnings::Silent => checked.diagnostics.clone(),
        Warnings::Full | Warnings::Concise => lint(&checked, today()),
    };
    let Checked {
        sources, program, ..
    } = checked;
    let Some(program) = program else {
        report(&sources, &diagnostics, terminal)?;
        return Ok(None);
    };
    match warnings {
        Warnings::Full => report(&sources, &diagnostics, terminal)?,
        Warnings::Concise => {
            for line in render::concise(&sources, &diagnostics).lines() {
                terminal.note(line)?;
            }
        }
        Warnings::Silent => {}
    }
    let sealed = encode(&waypost_compiler::lower(&program, &sources));
    let plan = Plan::load(sealed.clone()).map_err(|error| {
        // The compiler sealed what the verifier refuses: a mistake of ours, never of the file.
        Failure::Other(format!(
            "the plan of `{}` does not pass its own verifier, please report this: {error}",
            name
        ))
    })?;
    Ok(Some(Compiled {
        sources,
        program,
        sealed,
        plan,
    }))
}

/// Loads a sealed plan, or compiles a .route file; says on the error stream why it does not compile.
pub(crate) fn load(
    argument: &PlanArgument,
    warnings: Warnings,
    terminal: &mut Terminal<'_>,
) -> Result<Option<Loaded>, Failure> {
    let (name, bytes) = argument.read(terminal)?;
    if bytes.starts_with(PLAN_MAGIC) {
        let refused = |error| Failure::Other(format!("plan `{name}`: {error}"));
        return Ok(Some(Loaded {
            plan: Plan::load(bytes).map_err(refused)?,
            program: None,
        }));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Other(format!("`{name}` is neither a plan nor a .route file")))?;
    let input = Input {
        name,
        text,
        origin: Origin::Named,
    };
    Ok(compile(&input, warnings, terminal)?.map(|compiled| Loaded {
        plan: compiled.plan,
        program: Some(compiled.program),
    }))
}

/// Says on the error stream what was found, and how much; `--quiet` leaves errors only.
pub(crate) fn report(
    sources: &SourceMap,
    diagnostics: &[Diagnostic],
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let color: Color = terminal.error_color();
    let wanted = diagnostics.iter();
    let wanted: Vec<Diagnostic> = wanted
        .filter(|found| found.is_error() || !terminal.is_quiet())
        .cloned()
        .collect();
    let text = render::human(sources, &wanted, color);
    if !text.is_empty() {
        terminal.say(&text)?;
    }
    match render::summary(&[(sources, diagnostics)]) {
        Some(summary) => terminal.note(&summary),
        None => Ok(()),
    }
}
