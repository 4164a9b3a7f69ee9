//! Signatures of functions: written in one line each, read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Type;
use super::standard::ROWS;
use crate::cel::typed::Function;

/// What must hold of the arguments so that a function cannot fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// It never fails.
    Nothing,
    /// The second is a constant: what it says is prepared once.
    Constant,
    /// The text is an IP address.
    Address,
    /// The text is a network.
    Network,
    /// The second, a text, is an IP address; or a network.
    SecondReads(Function),
    /// The indices lie in the text or list, an end not before its start.
    Within,
    /// The third, a position, lies in the text.
    Position,
    /// The last is a constant from 0 to this.
    Small(u64),
    /// The elements have an order.
    Order,
    /// The clauses of the text fit the list.
    Clauses,
    /// It fails on some values and nothing is known to prevent it.
    Luck,
}

/// Where a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `function(a)`
    Global,
    /// `group.function(a)`
    Group(&'static str),
    /// `a.function(b)`; the receiver is the first parameter.
    Method,
}

/// One overload.
#[derive(Debug)]
pub(super) struct Overload {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) function: Function,
    pub(super) needs: Needs,
    pub(super) parameters: Vec<Type>,
    pub(super) result: Type,
}

/// All overloads, by name.
static OVERLOADS: LazyLock<BTreeMap<&'static str, Vec<Overload>>> = LazyLock::new(|| {
    let mut all: BTreeMap<&'static str, Vec<Overload>> = BTreeMap::new();
    for (text, function, needs) in ROWS {
        if let Some(overload) = read(text, *function, *needs) {
            all.entry(overload.name).or_default().push(overload);
        }
    }
    all
});

/// The overloads of `name` that are written in this place.
pub(super) fn overloads(name: &str, is_there: impl Fn(Place) -> bool) -> Vec<&'static Overload> {
    let all = OVERLOADS.get(name).map_or(&[][..], Vec::as_slice);
    all.iter().filter(|one| is_there(one.place)).collect()
}

/// The names of all functions, with where they are written.
pub(super) fn names() -> impl Iterator<Item = (&'static str, Place)> {
    OVERLOADS
        .values()
        .flatten()
        .map(|one| (one.name, one.place))
}

/// A way of calling a function, as an editor shows it.
#[derive(Debug, Clone)]
pub struct Callable {
    /// As it is written: `contains` after a value, `math.abs`, `isIP`.
    pub name: String,
    /// The type of the value before the dot, where there is one.
    pub receiver: Option<&'static Type>,
    /// The types of what stands between the brackets.
    pub parameters: &'static [Type],
    /// The type of what it gives.
    pub result: &'static Type,
}

/// Every way of calling every function, by name. Macros are not among them.
pub fn functions() -> impl Iterator<Item = Callable> {
    OVERLOADS.values().flatten().map(|one| {
        let (receiver, parameters) = match (one.place, one.parameters.split_first()) {
            (Place::Method, Some((receiver, rest))) => (Some(receiver), rest),
            _ => (None, one.parameters.as_slice()),
        };
        Callable {
            name: match one.place {
                Place::Group(group) => format!("{group}.{}", one.name),
                Place::Global | Place::Method => one.name.to_owned(),
            },
            receiver,
            parameters,
            result: &one.result,
        }
    })
}

/// `string.contains(string) -> bool`, `math::abs(int) -> int`, `::isIP(string) -> bool`.
fn read(text: &'static str, function: Function, needs: Needs) -> Option<Overload> {
    let (call, result) = text.split_once(" -> ")?;
    let (head, parameters) = arguments_of(call)?;
    let (place, name, receiver) = match head.split_once("::") {
        Some(("", name)) => (Place::Global, name, None),
        Some((group, name)) => (Place::Group(group), name, None),
        None => {
            let (receiver, name) = head.rsplit_once('.')?;
            (Place::Method, name, Some(receiver))
        }
    };
    let parameters = receiver.into_iter().chain(split(parameters)).map(ty);
    Some(Overload {
        name,
        place,
        function,
        needs,
        parameters: parameters.collect::<Option<_>>()?,
        result: ty(result)?,
    })
}

/// What stands before the parentheses that the arguments stand in, and the arguments.
fn arguments_of(call: &str) -> Option<(&str, &str)> {
    let inner = call.strip_suffix(')')?;
    let mut depth = 0_u32;
    let open = inner.rfind(|c| {
        let is_open = c == '(' && depth == 0;
        match c {
            ')' => depth += 1,
            '(' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_open
    })?;
    let (head, rest) = inner.split_at_checked(open)?;
    Some((head, rest.strip_prefix('(')?))
}

/// The parts of `map(K, V), int`.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    list.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

fn ty(text: &str) -> Option<Type> {
    if let Some((name, parameters)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let mut parameters = split(parameters).map(ty);
        let first = Box::new(parameters.next()??);
        return Some(match name {
            "list" => Type::List(first),
            "optional" => Type::Optional(first),
            _ => Type::Map(first, Box::new(parameters.next()??)),
        });
    }
    Some(match text {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "ip" => Type::Ip,
        "cidr" => Type::Cidr,
        "dyn" => Type::Dyn,
        "T" | "K" | "V" => Type::Parameter(text.to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{OVERLOADS, ROWS};

    #[test]
    fn each_row_reads() {
        assert_eq!(OVERLOADS.values().map(Vec::len).sum::<usize>(), ROWS.len());
    }
}
