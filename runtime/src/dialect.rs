//! What is said to an upstream: the API of one of this server's own surfaces, or one that only a provider has.

use waypost_policies::facts::Surface;

/// How an upstream is asked, and how it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// As this server is asked on a surface.
    Of(Surface),
    /// Google's `generateContent`.
    Gemini,
    /// Bedrock's `Converse`.
    Converse,
}

impl Dialect {
    /// OpenAI's chat.
    pub(crate) const CHAT: Self = Self::Of(Surface::Chat);

    /// Whether it is what a surface speaks.
    pub(crate) fn is(self, surface: Surface) -> bool {
        self == Self::Of(surface)
    }
}
