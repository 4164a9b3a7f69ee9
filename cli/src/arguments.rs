//! The command line's shape: what holds for every command. Each command's own flags stand in its file.

use clap::Parser;

use crate::command::Command;
use crate::terminal::ColorChoice;

/// Routes LLM calls by one .route file: which tier answers, under what policy, on which replica.
#[derive(Debug, Parser)]
#[command(name = "waypost", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to write in colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN"
    )]
    pub(crate) color: ColorChoice,
    /// Write results only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}
