//! What a request, a caller and an endpoint have: facts, the records they hold, and the sections that read them.

/// The part of a file an expression stands in: what it may read (LANGUAGE.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// `content`: the request.
    Content,
    /// `policy`: the caller, the tier and model chosen, the money, the clock.
    Policy,
    /// `place`: the endpoints.
    Place,
    /// `let`: constants only.
    Constant,
}

/// The shapes that a request's lists hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Record {
    /// An element of `request.messages`.
    Message,
    /// An element of `request.tools`.
    Tool,
    /// An element of a message's `tool_calls`.
    ToolCall,
}

/// A field of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Member {
    /// `message.role`
    MessageRole,
    /// `message.content`: its text; parts are joined by newlines, images left out.
    MessageContent,
    /// `message.name`
    MessageName,
    /// `message.tool_call_id`
    MessageToolCallId,
    /// `message.tool_calls`
    MessageToolCalls,
    /// `tool.name`
    ToolName,
    /// `tool.description`
    ToolDescription,
    /// `tool_call.name`
    ToolCallName,
    /// `tool_call.arguments`: the JSON text.
    ToolCallArguments,
}

/// A fact that an expression may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// `request.model`
    RequestModel,
    /// `request.path`
    RequestPath,
    /// `request.prompt`
    RequestPrompt,
    /// `request.system`
    RequestSystem,
    /// `request.messages`
    RequestMessages,
    /// `request.tools`
    RequestTools,
    /// `request.tokens`
    RequestTokens,
    /// `request.max_tokens`; 0 when the client sent none.
    RequestMaxTokens,
    /// `request.turns`
    RequestTurns,
    /// `request.images`
    RequestImages,
    /// `request.stream`
    RequestStream,
    /// `request.temperature`
    RequestTemperature,
    /// `request.response_format`
    RequestResponseFormat,
    /// `request.headers`
    RequestHeaders,
    /// `request.metadata`
    RequestMetadata,
    /// `difficulty`
    Difficulty,
    /// `threshold`
    Threshold,
    /// `caller.key`
    CallerKey,
    /// `caller.team`
    CallerTeam,
    /// `caller.agent`
    CallerAgent,
    /// `caller.plan`
    CallerPlan,
    /// `caller.name`
    CallerName,
    /// `caller.claims`
    CallerClaims,
    /// `tier`
    Tier,
    /// `model`
    Model,
    /// `cost.estimate`
    CostEstimate,
    /// `cost.ceiling`
    CostCeiling,
    /// `source.ip`
    SourceIp,
    /// `now`
    Now,
    /// `endpoint.labels`
    EndpointLabels,
    /// `endpoint.zone`
    EndpointZone,
    /// `endpoint.queue`
    EndpointQueue,
    /// `endpoint.kv_cache`
    EndpointKvCache,
    /// `endpoint.lora`
    EndpointLora,
}
