//! What a chat says of tools, formats and thinking, in Gemini's words.

use super::super::Untranslatable;
use super::super::chat::{self, Choosing};
use super::super::gemini::{CallingConfig, Declaration, ThinkingConfig, ToolConfig, Tools};
use super::super::json::{Json, Text};

/// What a model's name tells of how it thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// It does not.
    Second,
    /// For a number of tokens: Gemini 2.5.
    Budgeted,
    /// As much as a word says, and it signs its calls.
    Third,
}

impl Generation {
    /// Of a model, by its name; newer than those that are known here, where it is none of them.
    pub(super) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        match name.strip_prefix("gemini-") {
            Some(rest) if rest.starts_with("2.5") => Self::Budgeted,
            Some(rest) if rest.starts_with("2.") || rest.starts_with("1.") => Self::Second,
            None if name.starts_with("gemma") || name.starts_with("learnlm") => Self::Second,
            _ => Self::Third,
        }
    }

    /// Whether a call of a function goes back with its signature.
    pub(super) fn signs(self) -> bool {
        self == Self::Third
    }
}

type Offered<'a> = (Vec<Tools<'a>>, Option<ToolConfig<'a>>);

pub(super) fn tools<'a>(
    tools: Option<Vec<chat::Tool<'a>>>,
    functions: Option<Vec<chat::Function<'a>>>,
    choice: Option<&Json<'_>>,
) -> Result<Offered<'a>, Untranslatable> {
    let mut offered = Vec::new();
    for tool in tools.into_iter().flatten() {
        let Some(function) = tool.function else {
            return Err(Untranslatable::no_counterpart(format!(
                "a tool of type `{}`",
                &*tool.r#type
            )));
        };
        offered.push(declaration(function));
    }
    offered.extend(functions.into_iter().flatten().map(declaration));
    if offered.is_empty() {
        return Ok((Vec::new(), None));
    }
    let chosen = choice
        .map(|choice| choose(choice, &mut offered))
        .transpose()?
        .flatten();
    let tools = vec![Tools {
        function_declarations: offered,
    }];
    let config = chosen.map(|function_calling_config| ToolConfig {
        function_calling_config,
    });
    Ok((tools, config))
}

fn declaration(function: chat::Function<'_>) -> Declaration<'_> {
    Declaration {
        name: function.name,
        description: function.description,
        parameters_json_schema: function
            .parameters
            .filter(|schema| schema.get().starts_with('{')),
    }
}

fn mode(word: &str) -> Option<CallingConfig<'static>> {
    let mode = match word {
        "auto" => "AUTO",
        "none" => "NONE",
        "required" => "ANY",
        _ => return None,
    };
    Some(CallingConfig {
        mode,
        allowed_function_names: Vec::new(),
    })
}

fn choose(
    choice: &Json<'_>,
    offered: &mut Vec<Declaration<'_>>,
) -> Result<Option<CallingConfig<'static>>, Untranslatable> {
    if let Some(word) = choice.string() {
        return Ok(mode(&word));
    }
    if !choice.get().starts_with('{') {
        return Ok(None);
    }
    let choosing: Choosing<'_> = serde_json::from_str(choice.get())?;
    if let Some(function) = choosing.function {
        return Ok(Some(CallingConfig {
            mode: "ANY",
            allowed_function_names: vec![Text::from(function.name.to_string())],
        }));
    }
    let Some(allowed) = choosing.allowed_tools else {
        return Err(Untranslatable::no_counterpart("this `tool_choice`"));
    };
    offered.retain(|tool| {
        let mut names = allowed
            .tools
            .iter()
            .filter_map(|tool| tool.function.as_ref());
        names.any(|function| *function.name == *tool.name)
    });
    Ok(mode(&allowed.mode))
}

/// The media type of the answer, and its schema.
pub(super) fn format(
    format: Option<chat::ResponseFormat<'_>>,
) -> (Option<&'static str>, Option<Json<'_>>) {
    match format {
        Some(format) if &*format.r#type != "text" => (
            Some("application/json"),
            format.json_schema.and_then(|json| json.schema),
        ),
        _ => (None, None),
    }
}

/// How hard a model is to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thought<'a> {
    /// In a chat's word.
    Effort(&'a str),
    /// For so many tokens, as Anthropic's clients say it.
    Budget(u64),
}

/// The budgets of Google's own chat API.
const BUDGETS: [u64; 3] = [1024, 8192, 24_576];

/// How hard the model thinks, and whether it shows it.
pub(super) fn thinking(
    thought: Option<Thought<'_>>,
    shown: bool,
    generation: Generation,
    dropped: &mut Vec<String>,
) -> Option<ThinkingConfig> {
    let [low, medium, high] = BUDGETS;
    let (budget, level) = match (generation, thought) {
        (_, None) => (None, None),
        (Generation::Budgeted, Some(Thought::Budget(tokens))) => (Some(tokens.min(high)), None),
        (Generation::Third, Some(Thought::Budget(tokens))) => match tokens {
            _ if tokens <= low => (None, Some("low")),
            _ if tokens <= medium => (None, Some("medium")),
            _ => (None, Some("high")),
        },
        (Generation::Budgeted, Some(Thought::Effort("none"))) => (Some(0), None),
        (Generation::Budgeted, Some(Thought::Effort("minimal" | "low"))) => (Some(low), None),
        (Generation::Budgeted, Some(Thought::Effort("medium"))) => (Some(medium), None),
        (Generation::Budgeted, Some(Thought::Effort("high" | "xhigh" | "max"))) => {
            (Some(high), None)
        }
        (Generation::Third, Some(Thought::Effort("none" | "minimal"))) => (None, Some("minimal")),
        (Generation::Third, Some(Thought::Effort("low"))) => (None, Some("low")),
        (Generation::Third, Some(Thought::Effort("medium"))) => (None, Some("medium")),
        (Generation::Third, Some(Thought::Effort("high" | "xhigh" | "max"))) => {
            (None, Some("high"))
        }
        (_, Some(Thought::Effort(_))) => {
            dropped.push("reasoning_effort".to_owned());
            (None, None)
        }
        (Generation::Second, Some(Thought::Budget(_))) => {
            dropped.push("thinking".to_owned());
            (None, None)
        }
    };
    let thinks = generation != Generation::Second && thought != Some(Thought::Effort("none"));
    let include_thoughts =
        (thinks && (shown || budget.is_some() || level.is_some())).then_some(true);
    let config = ThinkingConfig {
        include_thoughts,
        thinking_budget: budget,
        thinking_level: level,
    };
    (config != ThinkingConfig::default()).then_some(config)
}
