//! The figures, and what they are held against.

use std::fmt::Write as _;

use serde::Serialize;

use crate::calls::Answer;
use crate::load::Load;
use crate::machine::Machine;
use crate::memory::Memory;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) figures: Vec<Figures>,
    pub(crate) memory: Vec<Memory>,
}

/// One round: times in microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Round {
    pub(crate) requests_per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// What the proxy computed, by request.
    pub(crate) cpu: f64,
}

/// One peer in one scenario: of each figure that of the round that was least disturbed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figures {
    pub(crate) connections: usize,
    pub(crate) body: usize,
    pub(crate) answer: Answer,
    pub(crate) peer: &'static str,
    pub(crate) best: Round,
    /// Beyond a direct call.
    pub(crate) added_p50: f64,
    pub(crate) added_p99: f64,
    pub(crate) rounds: Vec<Round>,
}

impl Figures {
    pub(crate) fn new(load: Load, peer: &'static str, rounds: Vec<Round>) -> Self {
        let least =
            |figure: fn(&Round) -> f64| rounds.iter().map(figure).fold(f64::INFINITY, f64::min);
        let best = Round {
            requests_per_second: -least(|round| -round.requests_per_second),
            p50: least(|round| round.p50),
            p99: least(|round| round.p99),
            cpu: least(|round| round.cpu),
        };
        Self {
            connections: load.connections,
            body: load.body,
            answer: load.answer,
            peer,
            best,
            added_p50: 0.0,
            added_p99: 0.0,
            rounds,
        }
    }

    /// Says what it takes beyond a direct call.
    pub(crate) fn beyond(&mut self, direct: &Self) {
        self.added_p50 = self.best.p50 - direct.best.p50;
        self.added_p99 = self.best.p99 - direct.best.p99;
    }

    fn is(&self, peer: &str, connections: usize) -> bool {
        self.peer == peer
            && self.connections == connections
            && self.body == 1 << 10
            && self.answer == Answer::Whole
    }
}

/// A figure and the most that it should be.
struct Aim {
    what: &'static str,
    most: f64,
    found: Option<f64>,
}

impl Report {
    /// As tables.
    pub(crate) fn human(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let machine = &self.machine;
        writeln!(
            text,
            "{} UTC, {} ({} cores, load average {}), Linux {}\nWaypost {} beside {}; of {} rounds the least disturbed\n",
            machine.date,
            machine.processor,
            machine.cores,
            machine.load_average,
            machine.kernel,
            machine.waypost,
            machine.nginx,
            self.rounds,
        )?;
        writeln!(
            text,
            "{:<8} {:>6} {:>5}  {:<8} {:>9} {:>10} {:>10} {:>10} {:>10} {:>10}",
            "answer",
            "body",
            "conns",
            "peer",
            "req/s",
            "p50 µs",
            "p99 µs",
            "+p50 µs",
            "+p99 µs",
            "CPU µs"
        )?;
        for figures in &self.figures {
            let best = &figures.best;
            writeln!(
                text,
                "{:<8} {:>3}KiB {:>5}  {:<8} {:>9.0} {:>10.1} {:>10.1} {:>10.1} {:>10.1} {:>10}",
                figures.answer.word(),
                figures.body >> 10,
                figures.connections,
                figures.peer,
                best.requests_per_second,
                best.p50,
                best.p99,
                figures.added_p50,
                figures.added_p99,
                match best.cpu {
                    0.0 => "-".to_owned(),
                    cpu => format!("{cpu:.1}"),
                },
            )?;
        }
        writeln!(
            text,
            "\n{:<8} {:>12} {:>18} {:>14}",
            "memory", "at rest kB", "kB an open stream", "after load kB"
        )?;
        for memory in &self.memory {
            writeln!(
                text,
                "{:<8} {:>12} {:>18.1} {:>14}",
                memory.peer, memory.at_rest, memory.per_stream, memory.after_load
            )?;
        }
        writeln!(text)?;
        for aim in self.aims() {
            let found = aim
                .found
                .map_or("-".to_owned(), |found| format!("{found:.2}"));
            writeln!(text, "{:<68} {found:>8} (aim: {})", aim.what, aim.most)?;
        }
        Ok(())
    }

    fn aims(&self) -> [Aim; 4] {
        let of = |peer, connections| {
            let mut figures = self.figures.iter();
            figures.find(|figures| figures.is(peer, connections))
        };
        let both = |connections| of("waypost", connections).zip(of("nginx", connections));
        let memory = self.memory.iter().find(|memory| memory.peer == "waypost");
        [
            Aim {
                what: "CPU a request, as a multiple of nginx's, 32 connections, 1 KiB",
                most: 1.5,
                found: both(32).map(|(waypost, nginx)| waypost.best.cpu / nginx.best.cpu),
            },
            Aim {
                what: "milliseconds of p50 beyond nginx's, 1 connection, 1 KiB",
                most: 0.1,
                found: both(1).map(|(waypost, nginx)| (waypost.best.p50 - nginx.best.p50) / 1e3),
            },
            Aim {
                what: "MB at rest",
                most: 20.0,
                found: memory.map(|memory| memory.at_rest as f64 / 1e3),
            },
            Aim {
                what: "kB an open stream",
                most: 30.0,
                found: memory.map(|memory| memory.per_stream),
            },
        ]
    }
}
