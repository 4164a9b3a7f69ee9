//! The verifier: one linear pass over a plan's records, then over what they must mean together.
//!
//! After it every index is in range, every string is UTF-8, every list is owned by one record, every pattern and
//! time zone is known and every expression's code passes [`crate::vm::verify`]: no input can make a decision fail,
//! loop or panic.

use super::column::{Column, Row};
use super::image::Image;
use super::view::*;
use super::{PlanError, section};

/// How much text all records may have together. Strings may share their bytes in the heap, so without a bound a small
/// file could hold, and a loader copy or compare, any amount of it.
const MOST_TEXT: usize = 1 << 26;

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A tag that no variant has.
    #[error("a tag has no meaning")]
    Tag,
    /// A string outside the heap, or one that cuts a character.
    #[error("a string is not in the heap")]
    Text,
    /// Strings that share their bytes many times over.
    #[error("the plan's strings together are too long")]
    TooMuchText,
    /// An index beyond its section.
    #[error("an index is out of range")]
    Index,
    /// A list that overlaps another, or leaves records that no list owns.
    #[error("a list does not follow the one before it")]
    List,
    /// Money below zero.
    #[error("an amount of money is negative")]
    NegativeMoney,
    /// A price whose rows do not stand in order, or do not begin with the usual one.
    #[error("the rows of a price are not in order")]
    Price,
    /// More records than 16 bits can count.
    #[error("there are more records than a plan can refer to")]
    TooMany,
    /// A tier without a step, a split without an arm.
    #[error("it has no model")]
    Empty,
    /// Shares of a split.
    #[error("the shares of a split do not add up to 100%")]
    Shares,
    /// A threshold outside 0 to 1.
    #[error("a threshold is not between 0 and 1")]
    Threshold,
    /// A status that is no error.
    #[error("a denial's status is not an error")]
    Status,
    /// Shared among no replicas.
    #[error("nobody is there to share what is used")]
    Replicas,
    /// A quota with no outcome.
    #[error("a quota has no outcome")]
    NoOutcome,
    /// A window of no time.
    #[error("a window is empty")]
    Window,
    /// An unknown time zone.
    #[error("a time zone is not known")]
    Zone,
    /// A pattern that does not compile within the size limit, or one too many.
    #[error("a pattern does not compile, or is too large")]
    Pattern,
    /// A set that is not sorted.
    #[error("a set is not sorted")]
    Set,
    /// A map whose keys are not sorted and distinct, or constants that hold one another too deep.
    #[error("a map's keys are not sorted and distinct, or constants nest too deep")]
    Map,
    /// A network's prefix longer than its address.
    #[error("a network's prefix is longer than its address")]
    Prefix,
    /// Code that the VM would refuse.
    #[error("its code is not valid: {0}")]
    Code(crate::vm::CodeFlaw),
    /// An expression of another type than its use asks.
    #[error("its expression has the wrong type")]
    ExpressionType,
}

/// A pass over the records.
pub struct Check<'p> {
    image: &'p Image,
    /// For each section, how many records (bytes, for code) lists own so far.
    owned: [usize; section::COUNT],
    /// Bytes of text that records refer to so far.
    text: usize,
}

impl<'p> Check<'p> {
    pub(super) const fn image(&self) -> &'p Image {
        self.image
    }

    pub(super) fn text(&mut self, start: usize, length: usize) -> Result<(), Flaw> {
        let text = self.image.text(start, length).ok_or(Flaw::Text)?;
        self.text = self.text.saturating_add(text.len());
        if self.text > MOST_TEXT {
            return Err(Flaw::TooMuchText);
        }
        Ok(())
    }

    pub(super) fn index<R: Row>(&self, index: usize) -> Result<(), Flaw> {
        if index < self.image.count::<R>() {
            Ok(())
        } else {
            Err(Flaw::Index)
        }
    }

    pub(super) fn tile<R: Row>(&mut self, start: usize, count: usize) -> Result<(), Flaw> {
        self.follow(R::SECTION, start, count, self.image.count::<R>())
    }

    pub(super) fn tile_blob(&mut self, start: usize, length: usize) -> Result<(), Flaw> {
        let all = self.image.section(section::CODE).len();
        self.follow(section::CODE, start, length, all)
    }

    /// Lists stand in the order of their owners, without gap or overlap: so a pass over all lists is linear.
    fn follow(
        &mut self,
        number: usize,
        start: usize,
        count: usize,
        all: usize,
    ) -> Result<(), Flaw> {
        let owned = self.owned.get_mut(number).ok_or(Flaw::List)?;
        let end = start.checked_add(count).ok_or(Flaw::List)?;
        if start != *owned || end > all {
            return Err(Flaw::List);
        }
        *owned = end;
        Ok(())
    }

    fn section<R: Row>(&mut self) -> Result<(), PlanError> {
        for index in 0..self.image.count::<R>() {
            let row = self.image.row::<R>(index).unwrap_or_default();
            R::verify(row, self).map_err(|flaw| PlanError::flaw(R::SECTION, index, flaw))?;
        }
        Ok(())
    }

    fn all_owned<R: Row>(&self) -> Result<(), PlanError> {
        let owned = self.owned.get(R::SECTION).copied().unwrap_or_default();
        let whole = self.image.section(R::SECTION).len() == owned * R::WIDTH;
        if whole || R::SECTION == section::ROOT {
            return Ok(());
        }
        Err(PlanError::flaw(R::SECTION, owned, Flaw::List))
    }
}

macro_rules! rows {
    ($($constant:ident: $row:ty $(, $by_hand:ident)?;)*) => {
        $(rows!(@row $constant, $row $(, $by_hand)?);)*

        /// Every record of every section.
        pub(super) fn records(image: &Image) -> Result<(), PlanError> {
            let mut check = Check { image, owned: [0; section::COUNT], text: 0 };
            $(check.section::<$row>()?;)*
            $(check.all_owned::<$row>()?;)*
            let code = check.owned.get(section::CODE).copied().unwrap_or_default();
            if code != image.section(section::CODE).len() {
                return Err(PlanError::flaw(section::CODE, code, Flaw::List));
            }
            Ok(())
        }
    };
    (@row $constant:ident, $row:ty, generic) => {};
    (@row $constant:ident, $row:ty) => {
        impl Row for $row {
            const SECTION: usize = section::$constant;
        }
    };
}

use super::column::{List, TextIn};

// An owner stands before what it owns.
rows! {
    ROOT: Root<'static>;
    FILES: File, generic;
    SECRETS: Secret<'static>;
    PROVIDERS: Provider<'static>;
    POOLS: Pool<'static>;
    ENDPOINTS: TextIn<{ section::ENDPOINTS }>, generic;
    POD_LABELS: PodLabel;
    ONLY: ExpressionReference;
    MODELS: Model<'static>;
    PRICES: crate::cost::Row;
    REJECTS: TextIn<{ section::REJECTS }>, generic;
    TIERS: Tier<'static>;
    STEPS: StepColumn;
    ARMS: Arm;
    ACCEPTS: Accept<'static>;
    CONTENTS: Content<'static>;
    ESCALATIONS: Escalation<'static>;
    DENIALS: Denial<'static>;
    CAPS: Cap<'static>;
    QUOTAS: Quota<'static>;
    OUTCOMES: QuotaOutcome<'static>;
    PRIORITIES: Priority<'static>;
    REDACTIONS: Redaction<'static>;
    EXPRESSIONS: Expression<'static>;
    HEADERS: TextIn<{ section::HEADERS }>, generic;
    METADATA: TextIn<{ section::METADATA }>, generic;
    CLAIMS: TextIn<{ section::CLAIMS }>, generic;
    LABELS: TextIn<{ section::LABELS }>, generic;
    STRINGS: TextIn<{ section::STRINGS }>, generic;
    PATTERNS: TextIn<{ section::PATTERNS }>, generic;
    ZONES: TextIn<{ section::ZONES }>, generic;
    LISTS: List<ScalarColumn>;
    SCALARS: ScalarColumn;
    SETS: List<TextIn<{ section::SET_MEMBERS }>>;
    SET_MEMBERS: TextIn<{ section::SET_MEMBERS }>, generic;
}

/// There is exactly one root.
pub(super) fn lengths(image: &Image) -> Result<(), PlanError> {
    if image.section(section::ROOT).len() == Root::WIDTH {
        return Ok(());
    }
    Err(PlanError::flaw(section::ROOT, 0, Flaw::List))
}
