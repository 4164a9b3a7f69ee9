//! `waypost diff`: what changes in behaviour from one file to another.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use waypost_compiler::diff::{self, Change, Decided, Place, Side};
use waypost_policies::{Facts, Plan, Request};

use super::{Format, plural};
use crate::compile::{Compiled, Warnings, compile};
use crate::failure::{Exit, Failure};
use crate::input::InputName;
use crate::recorded::{self, Recorded};
use crate::terminal::Terminal;

mod human;

/// Say what changes in behaviour from one file to another: rules, settings, ceilings and recorded requests.
///
/// Labels, lines, the order of rules and comments are no behaviour. Each rule that changed comes with a request
/// that the two files decide differently, as `why --request` reads it. Ends with 1 when something changes.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The .route file as it was, or - for standard input
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The .route file as it is to be, or - for standard input
    #[arg(value_name = "NEW")]
    new: PathBuf,
    #[command(flatten)]
    name: InputName,
    /// Recorded requests, as `why` reads them: those whose decision changes are shown
    #[arg(long, value_name = "R.jsonl")]
    requests: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// A recorded request that is decided differently.
#[derive(Debug)]
struct Moved {
    /// Which, from 1.
    number: usize,
    old: Decided,
    new: Decided,
}

/// What became of recorded requests.
#[derive(Debug)]
struct Replayed {
    total: usize,
    moved: Vec<Moved>,
}

impl Diff {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        if self.old == self.new && self.old.as_os_str() == "-" {
            let message = "the two files cannot both be standard input";
            return Err(Failure::Other(message.to_owned()));
        }
        let old = self.name.read_file(&self.old, terminal)?;
        let new = self.name.read_file(&self.new, terminal)?;
        let old = compile(&old, Warnings::Silent, terminal)?;
        let new = compile(&new, Warnings::Silent, terminal)?;
        let (Some(old), Some(new)) = (old, new) else {
            return Ok(Exit::Failed);
        };
        let changes = diff::diff(side(&old), side(&new));
        let replayed = match &self.requests {
            Some(path) => Some(replay(path, &old.plan, &new.plan)?),
            None => None,
        };
        match self.format {
            Format::Human => terminal.print(&human::render(
                &changes,
                replayed.as_ref(),
                terminal.output_color(),
            ))?,
            Format::Json => {
                let document = document(&changes, replayed.as_ref());
                terminal.print(&format!("{document}\n"))?;
            }
        }
        let moved = replayed.as_ref().map_or(0, |all| all.moved.len());
        terminal.note(&match changes.len() {
            0 => "no change of behaviour".to_owned(),
            count => format!("{} of behaviour", plural(count, "change")),
        })?;
        Ok(Exit::findings(!changes.is_empty() || moved > 0))
    }
}

const fn side(compiled: &Compiled) -> Side<'_> {
    Side {
        program: &compiled.program,
        plan: &compiled.plan,
        sources: &compiled.sources,
    }
}

/// Decides every request through both plans, each as a first call.
fn replay(path: &PathBuf, old: &Plan, new: &Plan) -> Result<Replayed, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
    let name = path.display().to_string();
    let requests = recorded::read(&text, &name)?;
    let mut moved = Vec::new();
    for (number, request) in (1..).zip(&requests) {
        let failed =
            |failure: Failure| Failure::Other(format!("request {number} of `{name}`: {failure}"));
        let was = decide(old, request).map_err(failed)?;
        let is = decide(new, request).map_err(failed)?;
        if was != is {
            moved.push(Moved {
                number,
                old: was,
                new: is,
            });
        }
    }
    Ok(Replayed {
        total: requests.len(),
        moved,
    })
}

fn decide(plan: &Plan, recorded: &Recorded<'_>) -> Result<Decided, Failure> {
    let header = |name: &str| recorded.header(name);
    let body = recorded.body.as_bytes();
    let (surface, path) = recorded.sent_to(plan)?;
    let request = Request::read(plan.needs(), surface, path, &header, body)
        .map_err(|error| Failure::Other(format!("the runtime would answer 400: {error}")))?;
    let facts = Facts {
        request: &request,
        caller: recorded.caller(&[], plan),
        source_ip: recorded.address(),
        // The same moment for both, far from the ends of days: what differs is the files.
        now: recorded.now.unwrap_or(diff::NOON),
        difficulty: None,
    };
    Ok(Decided::of(plan, &facts))
}

fn document(changes: &[Change], replayed: Option<&Replayed>) -> Value {
    let place = |place: &Option<Place>| {
        let place = place.as_ref();
        place.map(|place| json!({ "file": place.file, "line": place.line }))
    };
    let change = |change: &Change| {
        let witness = change.witness.as_ref();
        json!({
            "kind": change.kind.name(), "subject": change.subject, "details": change.details,
            "old": place(&change.old), "new": place(&change.new),
            "witness": witness.map(|witness| json!({
                "request": witness.request, "after": witness.after,
                "old": decided(&witness.old), "new": decided(&witness.new),
                "prompt": witness.prompt.as_ref().map(|prompt| json!({
                    "place": prompt.place, "old": prompt.old, "new": prompt.new,
                })),
            })),
        })
    };
    let changes: Vec<Value> = changes.iter().map(change).collect();
    let requests = replayed.map(|replayed| {
        let moved = replayed.moved.iter();
        let moved: Vec<Value> = moved
            .map(|one| {
                json!({ "number": one.number, "old": decided(&one.old), "new": decided(&one.new) })
            })
            .collect();
        json!({ "total": replayed.total, "changed": moved })
    });
    json!({ "version": 1, "changes": changes, "requests": requests })
}

fn decided(decided: &Decided) -> Value {
    json!({
        "decision": decided.decision, "status": decided.status,
        "tier": decided.tier, "model": decided.model, "priority": decided.priority, "warnings": decided.warnings,
        "rule": decided.rule, "file": decided.file, "line": decided.line,
    })
}
