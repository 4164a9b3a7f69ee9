//! A decision for people: what came of it, how the tier came to be, and every rule.

use serde_json::Value;
use waypost_lang::render::Color;
use waypost_policies::Explanation;
use waypost_policies::explain::{QuotaExplanation, RuleExplanation};

/// The whole answer.
pub(super) fn render(explanation: &Explanation, color: Color) -> String {
    let paint = Paint(color);
    let mut text = format!("{}\n", paint.bold(&headline(explanation)));
    if let Some(course) = course(explanation) {
        text.push_str(&format!("  {:<11} {course}\n", "tier"));
    }
    if let (Some(difficulty), threshold) = (explanation.difficulty, explanation.threshold) {
        let against = threshold.map_or_else(String::new, |threshold| {
            format!(", the threshold is {threshold}")
        });
        text.push_str(&format!(
            "  {:<11} {difficulty:.3}{against}\n",
            "difficulty"
        ));
    }
    if let Some(cost) = &explanation.cost {
        text.push_str(&format!(
            "  {:<11} ${} expected, ${} at most\n",
            "cost", cost.estimate_usd, cost.ceiling_usd
        ));
    }
    if explanation.priority != 0 {
        text.push_str(&format!("  {:<11} {}\n", "priority", explanation.priority));
    }
    for skipped in &explanation.skipped {
        let rule = skipped.rule.as_ref();
        let by = rule.map_or_else(String::new, |rule| format!(" by \"{rule}\""));
        text.push_str(&format!(
            "  {:<11} {}: {}{by}\n",
            "passed over", skipped.model, skipped.reason
        ));
    }
    for warning in &explanation.warnings {
        text.push_str(&format!(
            "  {:<11} \"{warning}\" is nearly used up\n",
            "warning"
        ));
    }
    text.push_str(&rules(&explanation.rules, paint));
    text
}

fn headline(explanation: &Explanation) -> String {
    let status = explanation.status;
    let by = |label: &Option<String>| {
        let label = label.as_deref();
        label.map_or_else(String::new, |label| format!(" by \"{label}\""))
    };
    match (explanation.decision, &explanation.model) {
        (_, Some(model)) => {
            let tier = explanation.tier.as_deref().unwrap_or("");
            format!("routed to {model}, tier {tier}")
        }
        ("deny", _) => format!("denied with {status}{}", by(&explanation.refused_by)),
        ("limit", _) => format!("limited with {status}{}", by(&explanation.refused_by)),
        ("unknown-model", _) => {
            format!("refused with {status}: no `accept` takes the model name that was sent")
        }
        _ => format!("refused with {status}: no model can serve it"),
    }
}

/// `weak -> strong by "hard prompt" -> weak, capped by "free plan"`
fn course(explanation: &Explanation) -> Option<String> {
    let start = explanation.start.as_ref()?;
    let content = explanation.content_tier.as_ref()?;
    let tier = explanation.tier.as_ref()?;
    let mut course = match &explanation.content {
        Some(_) => format!("starts at {start}"),
        None => format!("{start}, that of the model by name"),
    };
    if content != start {
        let raised = explanation
            .rules
            .iter()
            .filter(|rule| rule.matched && matches!(rule.kind, "escalate" | "keep"))
            .find(|rule| rule.to.as_ref().is_none_or(|to| to == content));
        let by = raised.map_or_else(String::new, |rule| format!(" by \"{}\"", rule.label));
        course.push_str(&format!(", raised to {content}{by}"));
    }
    if let Some(cap) = &explanation.capped_by {
        course.push_str(&format!(", capped at {tier} by \"{cap}\""));
    }
    Some(course)
}

fn rules(rules: &[RuleExplanation], paint: Paint) -> String {
    let titles: Vec<String> = rules.iter().map(title).collect();
    let places: Vec<String> = rules
        .iter()
        .map(|rule| format!("{}:{}", rule.file, rule.line))
        .collect();
    let width = |texts: &[String]| {
        let lengths = texts.iter().map(|text| text.chars().count());
        lengths.max().unwrap_or(0)
    };
    let (title_width, place_width) = (width(&titles), width(&places));
    let mut text = String::new();
    for ((rule, title), place) in rules.iter().zip(&titles).zip(&places) {
        let line = format!(
            "{title:<title_width$}  {place:<place_width$}  {}",
            detail(rule)
        );
        let line = line.trim_end();
        text.push_str(&match rule.matched {
            true => format!("  {} {}\n", paint.green("✓"), paint.bold(line)),
            false => format!("  · {}\n", paint.dim(line)),
        });
    }
    text
}

fn title(rule: &RuleExplanation) -> String {
    let kind = match (rule.kind, &rule.to) {
        ("escalate", Some(to)) => format!("escalate to {to}"),
        ("cap", Some(to)) => format!("cap at {to}"),
        ("keep", _) => return "keep session".to_owned(),
        (kind, _) => kind.to_owned(),
    };
    format!("{kind} \"{}\"", rule.label)
}

/// The condition on one line, what it read, and how full a quota is.
fn detail(rule: &RuleExplanation) -> String {
    let mut parts = Vec::new();
    if let Some(expression) = &rule.expression
        && *expression != rule.label
    {
        let words: Vec<&str> = expression.split_whitespace().collect();
        parts.push(words.join(" "));
    }
    let values: Vec<String> = rule
        .values
        .iter()
        .map(|(name, value)| format!("{name} = {}", short(value)))
        .collect();
    if !values.is_empty() {
        parts.push(format!("[{}]", values.join(", ")));
    }
    match &rule.quota {
        Some(quota) => parts.push(used(quota)),
        None if matches!(rule.kind, "limit" | "budget") => {
            parts.push("does not count this call".to_owned());
        }
        None => {}
    }
    if rule.failed {
        parts.push("could not be evaluated, so it acts".to_owned());
    }
    parts.join("  ")
}

/// Three decimals say enough of a fraction.
fn short(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if value.is_f64() => format!("{number:.3}"),
        _ => value.to_string(),
    }
}

fn used(quota: &QuotaExplanation) -> String {
    let QuotaExplanation {
        unit,
        used,
        capacity,
        reserves,
        ..
    } = quota;
    match *unit {
        "usd" => format!("${used} of ${capacity} used, this call reserves ${reserves}"),
        unit => format!("{used} of {capacity} {unit} used, this call reserves {reserves}"),
    }
}

#[derive(Debug, Clone, Copy)]
struct Paint(Color);

impl Paint {
    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    fn with(self, style: &str, text: &str) -> String {
        match self.0 {
            Color::Always => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
            Color::Never => text.to_owned(),
        }
    }
}
