//! The `waypost` command, as a library: [`run`] takes the arguments and the streams and returns how the process ends.
//!
//! Invariants: results go to the output, everything else to the error stream; the exit code is 0 (fine), 1 (findings or
//! failed tests) or 2 (the command could not do its work); a reader that closes the output early ends the command
//! without a complaint. Only the binary reads the environment and asks what a stream is.

mod arguments;
mod command;
mod compile;
mod decisions;
pub mod demo;
mod difference;
mod failure;
mod input;
mod inspection;
pub mod lsp;
mod markdown;
mod recorded;
mod report;
mod table;
mod terminal;
mod watch;

use std::ffi::OsString;

use clap::Parser as _;
use clap::error::ErrorKind;

use arguments::Arguments;
pub use failure::Exit;
use failure::Failure;
use terminal::Terminal;
pub use terminal::{Stream, Streams};

/// Runs the command line `arguments`, the program's name first.
pub fn run<I, T>(arguments: I, streams: Streams<'_>) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let mut terminal = Terminal::new(streams);
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => {
            terminal.set_color(arguments.color);
            terminal.set_quiet(arguments.quiet);
            arguments.command.run(&mut terminal)
        }
        Err(error) => usage(&error, &mut terminal),
    };
    let outcome = outcome.and_then(|exit| terminal.flush().map(|()| exit));
    match outcome {
        Ok(exit) => exit,
        Err(failure) if failure.is_closed_output() => Exit::Fine,
        Err(failure) => {
            // Nobody is left to hear of a failure to say this.
            let _ = terminal.complain(&failure.to_string());
            Exit::Failed
        }
    }
}

/// What was asked for (help, the version) is a result; what was not understood is a failure.
fn usage(error: &clap::Error, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let text = error.render();
    if asked {
        terminal.print(&text.to_string())?;
        return Ok(Exit::Fine);
    }
    terminal.say(&text.to_string())?;
    Ok(Exit::Failed)
}
