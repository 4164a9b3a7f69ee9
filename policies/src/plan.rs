//! The plan: what the compiler seals and the runtime executes.

pub mod draft;

pub use draft::Draft;

/// Bytecode of one expression.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Code(pub Vec<u8>);

/// What a plan needs to know of a call: the runtime reads exactly this from the body and headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// `request.prompt`, or the difficulty.
    pub prompt: bool,
    /// `request.system`
    pub system: bool,
    /// `request.messages`
    pub messages: bool,
    /// `request.tools`
    pub tools: bool,
    /// `difficulty`
    pub difficulty: bool,
    /// Header names, lower case, by slot.
    pub headers: Vec<String>,
    /// Metadata keys, by slot.
    pub metadata: Vec<String>,
    /// Claims, by slot.
    pub claims: Vec<String>,
}
