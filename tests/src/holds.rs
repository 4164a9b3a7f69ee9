//! What must hold of every input; each function panics where it does not.

mod call;
mod expression;
mod finding;
mod ledger;
mod plan;
mod text;

pub use call::call;
pub use expression::{condition, expression};
pub use finding::{checked, fixed};
pub use ledger::{ledger, replayed};
pub use plan::{plan, reseal};
pub use text::{formatted, parsed};
