//! The table of decisions as they happen, and what they came to.

use waypost_lang::render::Color;
use waypost_policies::cost::{self, Price};
use waypost_policies::{NanoDollars, Plan};
use waypost_runtime::Receipt;

use crate::command::plural;
use crate::table::{self, Column};

const COLUMNS: [Column; 9] = [
    Column::left("time", 8),
    Column::left("caller", 10),
    Column::left("tier", 8),
    Column::left("rule", 26),
    Column::left("model", 14),
    Column::left("replica", 16),
    Column::right("tokens", 12),
    Column::right("cost", 12),
    Column::right("ms", 7),
];

/// What all decisions so far came to.
#[derive(Debug)]
pub(crate) struct Decisions {
    color: Color,
    /// The highest tier's first model, and its price: what every call would have cost without a file.
    strongest: Option<(String, Price)>,
    calls: u64,
    refused: u64,
    cost: NanoDollars,
    strong_cost: NanoDollars,
    /// Calls by tier, in the order of the chain.
    tiers: Vec<(String, u64)>,
}

impl Decisions {
    /// None yet.
    pub(crate) fn new(plan: &Plan, color: Color) -> Self {
        Self {
            color,
            strongest: strongest(plan),
            calls: 0,
            refused: 0,
            cost: NanoDollars::ZERO,
            strong_cost: NanoDollars::ZERO,
            tiers: plan
                .tiers()
                .map(|tier| (tier.name().to_owned(), 0))
                .collect(),
        }
    }

    /// Another plan decides from now on.
    pub(crate) fn replace_plan(&mut self, plan: &Plan) {
        self.strongest = strongest(plan);
        for tier in plan.tiers() {
            if self.tiers.iter().all(|(name, _)| name != tier.name()) {
                self.tiers.push((tier.name().to_owned(), 0));
            }
        }
    }

    /// The line of titles.
    pub(crate) fn header(&self) -> String {
        self.painted("1", &table::header(&COLUMNS))
    }

    /// Counts a receipt and returns its line.
    pub(crate) fn add(&mut self, receipt: &Receipt) -> String {
        self.calls += 1;
        if receipt.model.is_empty() {
            self.refused += 1;
        } else {
            let mut tiers = self.tiers.iter_mut();
            if let Some((_, calls)) = tiers.find(|(name, _)| **name == *receipt.tier) {
                *calls += 1;
            }
            self.cost = self.cost.plus(receipt.cost);
            if let Some((_, price)) = &self.strongest {
                let strong = cost::actual(price, receipt.usage);
                self.strong_cost = self.strong_cost.plus(strong);
            }
        }
        match receipt.model.is_empty() {
            true => self.painted("31", &line(receipt)),
            false => line(receipt),
        }
    }

    fn painted(&self, style: &str, line: &str) -> String {
        match self.color {
            Color::Always => format!("\u{1b}[{style}m{}\u{1b}[0m\n", line.trim_end()),
            Color::Never => line.to_owned(),
        }
    }

    /// `34 calls, $0.0123: weak 71%, strong 29%; all by gpt-5.1 would be $0.0456`
    pub(crate) fn summary(&self) -> String {
        let answered = self.calls - self.refused;
        let count = |calls: u64| usize::try_from(calls).unwrap_or(usize::MAX);
        let mut text = format!("{}, ${}", plural(count(self.calls), "call"), self.cost);
        let shares: Vec<String> = self
            .tiers
            .iter()
            .map(|(tier, calls)| {
                let share = *calls as f64 * 100.0 / answered.max(1) as f64;
                format!("{tier} {share:.0}%")
            })
            .collect();
        if answered > 0 {
            text.push_str(&format!(": {}", shares.join(", ")));
        }
        if self.refused > 0 {
            text.push_str(&format!("; {} not answered", self.refused));
        }
        if let Some((model, _)) = self.strongest.as_ref().filter(|_| answered > 0) {
            text.push_str(&format!("; all by {model}: ${}", self.strong_cost));
        }
        text
    }
}

fn strongest(plan: &Plan) -> Option<(String, Price)> {
    let tier = plan.tiers().last()?;
    let home = match tier.steps().next()? {
        waypost_policies::plan::view::Step::Try(model) => model,
        waypost_policies::plan::view::Step::Split { arms, .. } => {
            arms.max_by_key(|(_, share)| *share)?.0
        }
    };
    let model = plan.model(home)?;
    Some((model.name().to_owned(), plan.price(home)?.clone()))
}

fn line(receipt: &Receipt) -> String {
    let answered = !receipt.model.is_empty();
    let model = match answered {
        true => receipt.model.to_string(),
        false => format!("({})", receipt.status),
    };
    let tokens = match answered {
        true => format!("{}+{}", receipt.usage.input, receipt.usage.output),
        false => String::new(),
    };
    let cost = match answered {
        true => format!("${}", receipt.cost),
        false => String::new(),
    };
    let who = match (&*receipt.caller, &*receipt.team) {
        ("", "") => "anonymous",
        ("", team) => team,
        (caller, _) => caller,
    };
    let milliseconds = format!("{:.0}", receipt.duration.as_secs_f64() * 1e3);
    let cells = [
        &clock(receipt.time),
        who,
        &receipt.tier,
        &rule(receipt),
        &model,
        receipt.replica.trim_start_matches("http://"),
        &tokens,
        &cost,
        &milliseconds,
    ];
    table::line(&COLUMNS, cells)
}

/// The label of the rule that decided; of the start, only that it was.
fn rule(receipt: &Receipt) -> String {
    match receipt.rule.kind {
        // No section took it.
        "start" if receipt.tier.is_empty() => String::new(),
        "start" => "start".to_owned(),
        "escalate" | "keep" | "model" | "cap" => receipt.rule.label.clone(),
        kind => format!("{kind} {}", receipt.rule.label),
    }
}

/// The time of day in UTC.
fn clock(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000).rem_euclid(86_400);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn the_clock_is_of_the_day() {
        assert_eq!(clock(0), "00:00:00");
        assert_eq!(clock(1_768_478_461_999), "12:01:01");
    }
}
