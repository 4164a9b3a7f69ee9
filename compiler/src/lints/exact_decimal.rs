//! WP0443: a score or an amount of dollars is compared for equality.

use waypost_lang::cel::typed::{Constant, Field, Typed, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::comparison::comparisons;

/// Finds `==` and `!=` on figures that are computed.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for expression in subject.expressions() {
        for one in comparisons(expression) {
            let sides = one.both();
            let mut computed = sides.iter().filter(|one| is_computed(one.left, one.right));
            let Some(side) = computed.next().filter(|_| one.is_equality()) else {
                continue;
            };
            let name = subject.sources.text(side.left.span);
            found.push(
                codes::EXACT_DECIMAL
                    .warning(one.whole.span, format!("`{name}` is compared for equality"))
                    .label("a computed figure hits a given one by chance only")
                    .help(format!("write `>=` or `<=`, as in `{name} >= …`")),
            );
        }
    }
}

/// A call that costs nothing at all is a fact, no chance.
fn is_computed(value: &Typed, other: &Typed) -> bool {
    let zero = match other.kind {
        TypedKind::Constant(Constant::Int(value)) => value == 0,
        TypedKind::Constant(Constant::Double(value)) => value.abs() < f64::EPSILON,
        _ => false,
    };
    match value.kind {
        TypedKind::Field(Field::Difficulty | Field::EndpointKvCache) => true,
        TypedKind::Field(Field::CostEstimate | Field::CostCeiling) => !zero,
        _ => false,
    }
}
