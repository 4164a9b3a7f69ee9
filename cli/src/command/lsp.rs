//! `waypost lsp`: the language server, for editors.

use clap::Args;

use crate::failure::{Exit, Failure};
use crate::inspection::today;
use crate::lsp::{self, Disk, Server};
use crate::terminal::Terminal;

/// Serve editors over standard input and output.
#[derive(Debug, Args)]
pub(crate) struct Lsp {
    /// What most clients pass; there is no other way to talk
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let server = Server::new(Box::new(Disk), today());
        let (input, output) = terminal.conversation();
        lsp::serve(server, input, output).map_err(Failure::Output)
    }
}
