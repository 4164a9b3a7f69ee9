//! What commands write to: results, everything else, and whether either may be coloured.

use std::io::{Read, Write};

use clap::ValueEnum;
use waypost_lang::render::Color;

use crate::failure::Failure;

/// A stream to write to.
pub struct Stream<'a> {
    /// The stream.
    pub writer: &'a mut dyn Write,
    /// Whether a person reads it as it comes.
    pub is_terminal: bool,
}

/// What the process is given.
pub struct Streams<'a> {
    /// What `-` reads.
    pub input: &'a mut (dyn Read + Send),
    /// Results.
    pub output: Stream<'a>,
    /// Everything else.
    pub errors: Stream<'a>,
    /// Whether a terminal may be coloured: not with `NO_COLOR`.
    pub colors: bool,
}

/// `--color`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The streams and how they are written to.
pub(crate) struct Terminal<'a> {
    streams: Streams<'a>,
    choice: ColorChoice,
    quiet: bool,
}

impl<'a> Terminal<'a> {
    pub(crate) const fn new(streams: Streams<'a>) -> Self {
        Self {
            streams,
            choice: ColorChoice::Auto,
            quiet: false,
        }
    }

    pub(crate) const fn set_color(&mut self, choice: ColorChoice) {
        self.choice = choice;
    }

    pub(crate) const fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Whether only results are wanted.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether results may be coloured.
    pub(crate) const fn output_color(&self) -> Color {
        self.color(self.streams.output.is_terminal)
    }

    /// Whether everything else may be.
    pub(crate) const fn error_color(&self) -> Color {
        self.color(self.streams.errors.is_terminal)
    }

    /// Writes a result.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), Failure> {
        let writer = &mut self.streams.output.writer;
        writer.write_all(text.as_bytes()).map_err(Failure::Output)
    }

    /// Writes something that is no result; never silenced.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.flush()?;
        let writer = &mut self.streams.errors.writer;
        writer.write_all(text.as_bytes()).map_err(Failure::Output)
    }

    /// Writes one line that `--quiet` silences.
    pub(crate) fn note(&mut self, line: &str) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        self.say(&format!("{line}\n"))
    }

    /// Writes why the command could not do its work.
    pub(crate) fn complain(&mut self, message: &str) -> Result<(), Failure> {
        let line = match self.error_color() {
            Color::Always => format!("\u{1b}[1;31merror\u{1b}[0m\u{1b}[1m:\u{1b}[0m {message}\n"),
            Color::Never => format!("error: {message}\n"),
        };
        self.say(&line)
    }

    /// Begins anew: an empty screen where a person reads, nothing elsewhere.
    pub(crate) fn clear(&mut self) -> Result<(), Failure> {
        match self.streams.output.is_terminal {
            true => self.print("\u{1b}[2J\u{1b}[3J\u{1b}[H"),
            false => Ok(()),
        }
    }

    /// Everything that `-` gives.
    pub(crate) fn read_input(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.streams.input.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Both ends of a conversation: what the other side says, and where the answers go.
    pub(crate) fn conversation(&mut self) -> (&mut (dyn Read + Send), &mut dyn Write) {
        (&mut *self.streams.input, &mut *self.streams.output.writer)
    }

    /// Sends what was written on its way.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.streams.output.writer.flush().map_err(Failure::Output)
    }

    const fn color(&self, is_terminal: bool) -> Color {
        match self.choice {
            ColorChoice::Always => Color::Always,
            ColorChoice::Never => Color::Never,
            ColorChoice::Auto if is_terminal && self.streams.colors => Color::Always,
            ColorChoice::Auto => Color::Never,
        }
    }
}
