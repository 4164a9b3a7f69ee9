//! The `waypost` command.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use waypost_cli::{Stream, Streams};

/// A keystroke in an editor builds and drops a tree of many small pieces, which this is quicker at than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    log();
    // An empty NO_COLOR counts as none: https://no-color.org
    let colors = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let output_is_terminal = io::stdout().is_terminal();
    let errors_are_terminal = io::stderr().is_terminal();
    let mut output = io::BufWriter::new(io::stdout().lock());
    let streams = Streams {
        input: &mut io::stdin(),
        output: Stream {
            writer: &mut output,
            is_terminal: output_is_terminal,
        },
        errors: Stream {
            writer: &mut io::stderr(),
            is_terminal: errors_are_terminal,
        },
        colors,
    };
    waypost_cli::run(std::env::args_os(), streams).into()
}

/// What the server warns of while it runs goes to the error stream.
fn log() {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .init();
}
