//! Measures what a call through Waypost costs, beside nginx as a plain proxy in the same run.
//!
//! Load and upstream run in this process, on one core; each proxy runs on another. The peers take turns, a round each,
//! so that whatever else the machine does falls on all of them; of the rounds, the quietest counts.

mod calls;
mod http;
mod load;
mod machine;
mod measure;
mod memory;
mod peers;
mod process;
mod report;
mod upstream;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use measure::Effort;

/// Measures what a call through Waypost costs, beside nginx.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The compiler
    #[arg(long, value_name = "FILE")]
    waypost: PathBuf,
    /// The proxy that is measured
    #[arg(long, value_name = "FILE")]
    runtime: PathBuf,
    /// The proxy that it is measured by
    #[arg(long, value_name = "FILE")]
    nginx: PathBuf,
    /// Where the route file and nginx's configuration are
    #[arg(long, value_name = "FOLDER")]
    source: PathBuf,
    /// Where what they are filled in to is written
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Only see that all of it works: the figures mean little
    #[arg(long)]
    quick: bool,
    /// Only the scenarios whose name, such as `whole-1KiB-32`, contains this, and no memory
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// For people or for machines
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, String> {
    let effort = if arguments.quick {
        Effort::QUICK
    } else {
        Effort::FULL
    };
    let machine = machine::read(&arguments.nginx);
    machine.pin_this()?;
    let replicas = upstream::start()?;
    let peers = peers::start(arguments, &machine, &replicas)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let report = runtime.block_on(measure::all(
        &peers,
        effort,
        arguments.only.as_deref(),
        machine,
    ))?;
    match arguments.format {
        Format::Human => Ok(report.human()),
        Format::Json => serde_json::to_string_pretty(&report).map_err(|error| error.to_string()),
    }
}
