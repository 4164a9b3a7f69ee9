//! `waypost why`: one decision, rule by rule, for each recorded request.
//!
//! Each request is decided as a first call: nothing is spent, no session is known.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use waypost_policies::limits::State;
use waypost_policies::{Evaluation, Facts, Plan, Request, explain};

use super::Format;
use crate::compile::{Warnings, load};
use crate::failure::{Exit, Failure};
use crate::input::PlanArgument;
use crate::recorded::{self, CallerField, Recorded};
use crate::terminal::Terminal;

mod human;

/// Explain decisions on recorded requests, rule by rule.
#[derive(Debug, Args)]
pub(crate) struct Why {
    #[command(flatten)]
    file: PlanArgument,
    /// Requests, one JSON document after another; - for standard input. Each is
    /// {"path":…,"headers":{},"caller":{},"body":{…}}, with "source":{"ip":…} and "now":"2026-01-15T12:00:00Z"
    /// where rules read them, or a bare body of one
    #[arg(long, value_name = "R.json")]
    request: PathBuf,
    /// Something about the caller, instead of what the request says: team=payments, claims.role=admin
    #[arg(long = "caller", value_name = "FIELD=VALUE", value_parser = CallerField::parse)]
    callers: Vec<CallerField>,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Why {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        if self.file.is_standard_input() && self.request.as_os_str() == "-" {
            let message = "the file and the requests cannot both be standard input";
            return Err(Failure::Other(message.to_owned()));
        }
        let Some(loaded) = load(&self.file, Warnings::Silent, terminal)? else {
            return Ok(Exit::Findings);
        };
        let text = self.read_requests(terminal)?;
        let name = self.request.display().to_string();
        let requests = recorded::read(&text, &name)?;
        for (number, request) in (1..).zip(&requests) {
            let explained = self.explain(&loaded.plan, request, terminal);
            let text = explained.map_err(|failure| match requests.len() {
                1 => failure,
                _ => Failure::Other(format!("request {number} of `{name}`: {failure}")),
            })?;
            if self.format == Format::Human && requests.len() > 1 {
                let line = if number > 1 { "\n" } else { "" };
                terminal.print(&format!("{line}request {number} of {}\n", requests.len()))?;
            }
            terminal.print(&text)?;
        }
        Ok(Exit::Fine)
    }

    fn read_requests(&self, terminal: &mut Terminal<'_>) -> Result<String, Failure> {
        let path = &self.request;
        let bytes = if path.as_os_str() == "-" {
            terminal.read_input()
        } else {
            fs::read(path)
        };
        let bytes = bytes.map_err(|error| Failure::file("read", path, error))?;
        String::from_utf8(bytes)
            .map_err(|_| Failure::Other(format!("`{}` is not UTF-8", path.display())))
    }

    fn explain(
        &self,
        plan: &Plan,
        recorded: &Recorded<'_>,
        terminal: &Terminal<'_>,
    ) -> Result<String, Failure> {
        let header = |name: &str| recorded.header(name);
        let body = recorded.body.as_bytes();
        let (surface, path) = recorded.sent_to(plan)?;
        let request = Request::read(plan.needs(), surface, path, &header, body)
            .map_err(|error| Failure::Other(format!("the runtime would answer 400: {error}")))?;
        let facts = Facts {
            request: &request,
            caller: recorded.caller(&self.callers, plan),
            source_ip: recorded.address(),
            now: recorded.now.unwrap_or_else(nanoseconds),
            difficulty: None,
        };
        // Nothing here outlives the command, so its keys need no secret.
        let state = State::new(plan, [0, 0]);
        let explanation = explain(plan, &facts, &state, &mut Evaluation::default());
        match self.format {
            Format::Human => Ok(human::render(&explanation, terminal.output_color())),
            Format::Json => serde_json::to_string(&explanation)
                .map(|line| format!("{line}\n"))
                .map_err(|error| Failure::Other(error.to_string())),
        }
    }
}

fn nanoseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |duration| {
        i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
    })
}
