//! The plan: what the compiler seals and the runtime executes.
//!
//! The file: magic, format version, number of sections; for each section its offset, length and CRC-32; the
//! sections. Records are of fixed width and little-endian; strings lie in one heap, code in one section.
//! [`Plan::load`] trusts nothing: the verifier passes every record and every instruction first, and after it
//! nothing that a plan says can make a decision fail, loop or panic. Views read the records in place.

mod column;
pub mod draft;
mod encode;
mod error;
mod guard;
mod image;
mod load;
mod meaning;
pub(crate) mod ranked;
mod record;
mod rows;
mod section;
mod tables;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]
pub(crate) mod tests;
mod verify;
pub mod view;

pub use draft::Draft;
pub use encode::encode;
pub use error::PlanError;
pub use tables::pattern;
pub use verify::Flaw;

use std::fmt;

use column::Column;
use image::Image;
use tables::Tables;
use view::Rows;

use crate::cost::{Manner, Price, Service};
use crate::decision::RuleReference;

const MAGIC: &[u8; 8] = b"WAYPOST\0";
/// The version of the format that this crate writes and reads.
pub const FORMAT: u32 = 1;
/// Magic, format, number of sections.
const HEADER: usize = 16;
/// Offset, length, checksum.
const TABLE_ENTRY: usize = 12;

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
    /// Whether a call came before: a limit counts repeats.
    pub fingerprint: bool,
    /// For how long tools are cached: a model has a price for an hour of it.
    pub cache_lifetime: bool,
    /// Header names, lower case, by slot.
    pub headers: Vec<String>,
    /// Metadata keys, by slot.
    pub metadata: Vec<String>,
    /// Claims, by slot.
    pub claims: Vec<String>,
}

/// A verified plan. It owns its bytes; put it into an `Arc` to share it.
pub struct Plan {
    image: Image,
    tables: Tables,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("compiler", &self.compiler())
            .field("tiers", &self.tiers().len())
            .field("models", &self.models().len())
            .field("quotas", &self.quotas().len())
            .finish_non_exhaustive()
    }
}

/// A rule by what people know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleView<'p> {
    /// Its label, or its own text where it has none.
    pub label: &'p str,
    /// The source file; "" where the plan does not say.
    pub file: &'p str,
    /// The line, from 1; 0 where the plan does not say.
    pub line: u32,
}

macro_rules! rows {
    ($($(#[$doc:meta])* $many:ident, $one:ident: $row:ty => $view:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $many(&self) -> Rows<'_, $row> {
            self.root().$many()
        }

        #[doc = concat!("One of [`Self::", stringify!($many), "`] by its index.")]
        #[must_use]
        pub fn $one(&self, index: impl Into<u32>) -> Option<$view> {
            self.root().$many().get(index.into() as usize)
        }
    )*};
}

impl Plan {
    rows! {
        /// Source files by the names that messages show.
        files, file: view::File => &str;
        /// Where secrets are kept.
        secrets, secret: view::Secret<'static> => view::Secret<'_>;
        /// Hosted APIs.
        providers, provider: view::Provider<'static> => view::Provider<'_>;
        /// Groups of replicas.
        pools, pool: view::Pool<'static> => view::Pool<'_>;
        /// Models.
        models, model: view::Model<'static> => view::Model<'_>;
        /// Tiers, lowest first.
        tiers, tier: view::Tier<'static> => view::Tier<'_>;
        /// The model names that clients may send.
        accepts, accept: view::Accept<'static> => view::Accept<'_>;
        /// The content sections.
        contents, content: view::Content<'static> => view::Content<'_>;
        /// `deny` rules.
        denials, denial: view::Denial<'static> => view::Denial<'_>;
        /// `cap` rules.
        caps, cap: view::Cap<'static> => view::Cap<'_>;
        /// Limits and budgets.
        quotas, quota: view::Quota<'static> => view::Quota<'_>;
        /// `priority` rules.
        priorities, priority: view::Priority<'static> => view::Priority<'_>;
        /// What is redacted.
        redactions, redaction: view::Redaction<'static> => view::Redaction<'_>;
        /// Every expression.
        expressions, expression: view::Expression<'static> => view::Expression<'_>;
        /// Header names that expressions read.
        headers, header: column::TextIn<{ section::HEADERS }> => &str;
        /// Metadata keys that expressions read.
        metadata, metadata_key: column::TextIn<{ section::METADATA }> => &str;
        /// Claims that expressions read.
        claims, claim: column::TextIn<{ section::CLAIMS }> => &str;
        /// Endpoint labels that expressions read.
        labels, label: column::TextIn<{ section::LABELS }> => &str;
    }

    /// The compiler's version.
    #[must_use]
    pub fn compiler(&self) -> &str {
        self.root().compiler()
    }

    /// SHA-256 of the sources.
    #[must_use]
    pub fn source_hash(&self) -> [u8; 32] {
        self.root().source_hash()
    }

    /// Who may call.
    #[must_use]
    pub fn callers(&self) -> view::Callers<'_> {
        self.root().callers()
    }

    /// Where replicas share what is used of limits and budgets; each counts by itself without it.
    #[must_use]
    pub fn shared(&self) -> Option<view::Shared<'_>> {
        self.root().shared()
    }

    /// What it needs to know of a call.
    #[must_use]
    pub const fn needs(&self) -> &Needs {
        &self.tables.needs
    }

    /// Back to a draft: for tests, and for a plan disassembled.
    #[must_use]
    pub fn to_draft(&self) -> Draft {
        view::Root::own(self.root())
    }

    /// A rule's label, file and line.
    #[must_use]
    pub fn rule(&self, reference: RuleReference) -> RuleView<'_> {
        let (label, origin) = self.rule_origin(reference).unwrap_or_default();
        RuleView {
            label,
            file: self.file(origin.file).unwrap_or_default(),
            line: origin.line,
        }
    }

    fn rule_origin(&self, reference: RuleReference) -> Option<(&str, draft::Origin)> {
        Some(match reference {
            RuleReference::Start(content) => ("start", self.content(content)?.start_origin()),
            RuleReference::Escalation(content, index) => {
                let rule = self.content(content)?.escalations().get(index.into())?;
                (rule.label(), rule.origin())
            }
            RuleReference::Keep(content) => ("keep", self.content(content)?.keep()?.origin()),
            RuleReference::Named(model) => {
                let model = self.model(model)?;
                (model.name(), model.origin())
            }
            RuleReference::Cap(index) => {
                let rule = self.cap(index)?;
                (rule.label(), rule.origin())
            }
            RuleReference::Quota(index) => {
                let rule = self.quota(index)?;
                (rule.label(), rule.origin())
            }
            RuleReference::Denial(index) => {
                let rule = self.denial(index)?;
                (rule.label(), rule.origin())
            }
        })
    }

    /// What an accepted model name leads to: exact names before prefixes, longer prefixes first.
    /// With it, what follows the prefix.
    #[must_use]
    pub fn accepted<'n>(&self, name: &'n str) -> Option<(view::AcceptTarget, &'n str)> {
        let accepts = self.accepts();
        let exact = self.tables.exact.binary_search_by(|index| {
            let accept = accepts.get((*index).into());
            accept.map_or("", |accept| accept.name()).cmp(name)
        });
        if let Ok(position) = exact {
            let index = *self.tables.exact.get(position)?;
            return Some((accepts.get(index.into())?.target(), ""));
        }
        self.tables.prefixes.iter().find_map(|index| {
            let accept = accepts.get((*index).into())?;
            let rest = name.strip_prefix(accept.name())?;
            Some((accept.target(), rest))
        })
    }

    /// The models that a list of names means; a name that ends in `*` means all that begin so.
    #[must_use]
    pub fn models_named(&self, names: &[String]) -> Vec<draft::ModelIndex> {
        let is_named = |model: &str| {
            names.iter().any(|name| match name.strip_suffix('*') {
                Some(beginning) => model.starts_with(beginning),
                None => model == name,
            })
        };
        let models = (0..).zip(self.models());
        models
            .filter(|(_, model)| is_named(model.name()))
            .map(|(index, _)| index)
            .collect()
    }

    /// What a model costs.
    #[must_use]
    pub fn price(&self, model: draft::ModelIndex) -> Option<&Price> {
        self.tables.prices.get(usize::from(model))?.as_ref()
    }

    /// How a call comes to a model: as it asks, but for what does not reach the model's provider.
    #[must_use]
    pub fn manner(&self, model: draft::ModelIndex, asked: Manner) -> Manner {
        let served = self.tables.served_as_asked.get(usize::from(model));
        let service = match served {
            Some(true) => asked.service,
            _ => Service::Standard,
        };
        Manner { service, ..asked }
    }

    /// The code of an expression.
    pub(crate) fn code(&self, index: draft::ExpressionIndex) -> &[u8] {
        let expression = self.expression(index);
        expression.map_or(&[], |expression| expression.code())
    }

    pub(crate) fn root(&self) -> view::Root<'_> {
        self.image.root()
    }

    pub(crate) const fn tables(&self) -> &Tables {
        &self.tables
    }
}
