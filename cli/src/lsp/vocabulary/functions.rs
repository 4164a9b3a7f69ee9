//! The functions and macros of expressions: what they are called on, take and give.
//!
//! Which functions there are is the checker's to say. Here stand those that deserve an example, the macros, and a sentence for each of
//! the others; a test holds that none is without one.

use std::borrow::Cow;
use std::sync::LazyLock;

use waypost_lang::cel;
use waypost_lang::cel::typed::Type;

/// What a function is called on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// Nothing: `size(x)`, `math.abs(x)`.
    Nothing,
    /// A string.
    Text,
    /// A list.
    List,
    /// A list of strings.
    Texts,
    /// An optional.
    Optional,
    /// A time or a length of time.
    Time,
    /// A network.
    Network,
    /// An address.
    Address,
}

impl On {
    /// What has this type, where editors offer functions on it.
    pub(crate) const fn of(ty: &Type) -> Option<Self> {
        match ty {
            Type::String => Some(Self::Text),
            Type::List(element) if matches!(**element, Type::String) => Some(Self::Texts),
            Type::List(_) => Some(Self::List),
            Type::Optional(_) => Some(Self::Optional),
            Type::Timestamp | Type::Duration => Some(Self::Time),
            Type::Cidr => Some(Self::Network),
            Type::Ip => Some(Self::Address),
            _ => None,
        }
    }
}

/// A function or macro.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    /// As it is called.
    pub(crate) name: Cow<'static, str>,
    /// On what.
    pub(crate) on: On,
    /// Its parameters and what it gives, as signature help shows it.
    pub(crate) signature: Cow<'static, str>,
    /// What it does.
    pub(crate) meaning: Cow<'static, str>,
    /// The call with places to fill in.
    pub(crate) snippet: Cow<'static, str>,
    /// A call that is sound in `content`, or in `policy` where only that reads its operand; "" of those that the checker names.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tests check that each row is a function")
    )]
    pub(crate) example: &'static str,
}

const fn row(
    on: On,
    name: &'static str,
    signature: &'static str,
    meaning: &'static str,
    snippet: &'static str,
    example: &'static str,
) -> Function {
    Function {
        name: Cow::Borrowed(name),
        on,
        signature: Cow::Borrowed(signature),
        meaning: Cow::Borrowed(meaning),
        snippet: Cow::Borrowed(snippet),
        example,
    }
}

use On::{Address, List, Network, Nothing, Optional, Text, Texts, Time};

/// All of them.
pub(crate) fn functions() -> &'static [Function] {
    static ALL: LazyLock<Vec<Function>> = LazyLock::new(|| {
        let mut all = WRITTEN.to_vec();
        for callable in cel::functions() {
            let on = callable.receiver.map_or(Some(Nothing), On::of);
            let known = |on| {
                all.iter()
                    .any(|one| (one.on, &*one.name) == (on, &*callable.name))
            };
            if let Some(on) = on.filter(|on| !known(*on)) {
                all.push(named(on, &callable));
            }
        }
        all
    });
    &ALL
}

/// A function that the checker names: its types for its parameters.
fn named(on: On, callable: &cel::Callable) -> Function {
    let name = &callable.name;
    let types: Vec<String> = callable.parameters.iter().map(Type::to_string).collect();
    let places: Vec<String> = (1..=types.len()).map(|place| format!("${place}")).collect();
    let meaning = MEANINGS.iter().find(|(known, _)| known == name);
    Function {
        name: Cow::Owned(name.clone()),
        on,
        signature: Cow::Owned(format!(
            "{name}({}) -> {}",
            types.join(", "),
            callable.result
        )),
        meaning: Cow::Borrowed(meaning.map_or("", |(_, meaning)| meaning)),
        snippet: Cow::Owned(format!("{name}({})", places.join(", "))),
        example: "",
    }
}

/// What those do that have no row of their own.
const MEANINGS: &[(&str, &str)] = &[
    (
        "base64.decode",
        "The octets that this Base64 text stands for.",
    ),
    ("base64.encode", "The octets as Base64 text."),
    ("charAt", "The character at this position, from 0."),
    ("containsCIDR", "Whether the other network lies within it."),
    ("containsIP", "Whether the address lies within it."),
    ("distinct", "Each element once, where it first stands."),
    ("first", "The first element, if there is one."),
    ("flatten", "The elements of its lists, in one list."),
    (
        "format",
        "With the values in place of `%s`, `%d`, `%f` and the like.",
    ),
    ("getDayOfMonth", "The day of the month, from 0."),
    ("getDayOfYear", "The day of the year, from 0."),
    ("getMilliseconds", "The milliseconds of the second."),
    (
        "getSeconds",
        "The seconds of the minute; of a length of time, all of them.",
    ),
    ("ip", "The address of the network."),
    (
        "ip.isCanonical",
        "Whether the text is an address in its one canonical form.",
    ),
    (
        "isBool",
        "Whether the text is a boolean: `bool(…)` has a value.",
    ),
    ("isCIDR", "Whether the text is a network: `10.0.0.0/8`."),
    (
        "isDouble",
        "Whether the text is a number: `double(…)` has a value.",
    ),
    (
        "isDuration",
        "Whether the text is a length of time: `duration(…)` has a value.",
    ),
    (
        "isGlobalUnicast",
        "Whether it is an ordinary address, routed or private.",
    ),
    ("isIP", "Whether the text is an address."),
    (
        "isInt",
        "Whether the text is a whole number: `int(…)` has a value.",
    ),
    (
        "isLinkLocalMulticast",
        "Whether it addresses many on the local link.",
    ),
    (
        "isLinkLocalUnicast",
        "Whether it addresses one on the local link.",
    ),
    (
        "isTimestamp",
        "Whether the text is a time: `timestamp(…)` has a value.",
    ),
    (
        "isUint",
        "Whether the text is a whole number from 0 on: `uint(…)` has a value.",
    ),
    ("isUnspecified", "Whether it is `0.0.0.0` or `::`."),
    ("last", "The last element, if there is one."),
    ("lists.range", "The numbers from 0 to below this one."),
    (
        "masked",
        "The network without the bits of an address in it.",
    ),
    (
        "matches",
        "Whether the regular expression matches somewhere in the text.",
    ),
    ("math.bitAnd", "The bits that both have."),
    ("math.bitNot", "The bits that it has not."),
    ("math.bitOr", "The bits that either has."),
    ("math.bitShiftLeft", "Its bits, moved so far to the left."),
    ("math.bitShiftRight", "Its bits, moved so far to the right."),
    ("math.bitXor", "The bits that one of them has."),
    ("math.isFinite", "Whether it is a number and not infinite."),
    ("math.isInf", "Whether it is infinite."),
    ("math.isNaN", "Whether it is no number."),
    ("math.sign", "-1, 0 or 1."),
    (
        "math.sqrt",
        "The square root; of a negative number, no number.",
    ),
    ("math.trunc", "Without what stands after the point."),
    ("optional.of", "A value that is there."),
    (
        "optional.ofNonZeroValue",
        "A value that is there, unless it is 0, empty or false.",
    ),
    ("optional.unwrap", "The values that are there."),
    ("prefixLength", "How many bits name the network."),
    ("reverse", "From its end to its beginning."),
    ("size", "How many elements, characters or octets it has."),
    (
        "slice",
        "The elements from the first position to below the second.",
    ),
    ("sort", "From the least to the greatest."),
    ("strings.quote", "The text in quotes, with escapes."),
    (
        "substring",
        "The characters from this position on, or to below the second.",
    ),
    ("unwrapOpt", "The values that are there."),
];

/// Those that deserve an example, and the macros.
const WRITTEN: &[Function] = &[
    row(
        Text,
        "contains",
        "contains(text: string) -> bool",
        "Whether this text stands in it.",
        "contains(\"$1\")",
        "request.prompt.contains('a')",
    ),
    row(
        Text,
        "startsWith",
        "startsWith(text: string) -> bool",
        "Whether it begins with this text.",
        "startsWith(\"$1\")",
        "request.prompt.startsWith('a')",
    ),
    row(
        Text,
        "endsWith",
        "endsWith(text: string) -> bool",
        "Whether it ends with this text.",
        "endsWith(\"$1\")",
        "request.prompt.endsWith('a')",
    ),
    row(
        Text,
        "matches",
        "matches(pattern: string) -> bool",
        "Whether the regular expression matches somewhere in it; the pattern is compiled once.",
        "matches(r\"$1\")",
        "request.prompt.matches('a+')",
    ),
    row(
        Text,
        "lowerAscii",
        "lowerAscii() -> string",
        "With ASCII letters in lower case.",
        "lowerAscii()",
        "request.prompt.lowerAscii() == 'a'",
    ),
    row(
        Text,
        "upperAscii",
        "upperAscii() -> string",
        "With ASCII letters in upper case.",
        "upperAscii()",
        "request.prompt.upperAscii() == 'A'",
    ),
    row(
        Text,
        "trim",
        "trim() -> string",
        "Without white space at its ends.",
        "trim()",
        "request.prompt.trim() == 'a'",
    ),
    row(
        Text,
        "replace",
        "replace(old: string, new: string) -> string",
        "With every `old` replaced.",
        "replace(\"$1\", \"$2\")",
        "request.prompt.replace('a', 'b') == 'b'",
    ),
    row(
        Text,
        "indexOf",
        "indexOf(text: string) -> int",
        "Where this text first stands in it; -1 if nowhere.",
        "indexOf(\"$1\")",
        "request.prompt.indexOf('a') > 1",
    ),
    row(
        Text,
        "lastIndexOf",
        "lastIndexOf(text: string) -> int",
        "Where this text last stands in it; -1 if nowhere.",
        "lastIndexOf(\"$1\")",
        "request.prompt.lastIndexOf('a') > 1",
    ),
    row(
        Text,
        "split",
        "split(separator: string) -> list(string)",
        "Its parts between separators.",
        "split(\"${1:,}\")",
        "request.prompt.split(',').size() > 3",
    ),
    row(
        Text,
        "size",
        "size() -> int",
        "How many characters it has.",
        "size()",
        "request.prompt.size() > 3",
    ),
    row(
        List,
        "size",
        "size() -> int",
        "How many elements it has.",
        "size()",
        "request.tools.size() > 3",
    ),
    row(
        List,
        "exists",
        "exists(variable, condition) -> bool",
        "Whether the condition holds for some element.",
        "exists(${1:x}, $2)",
        "request.tools.exists(x, x.name == 'a')",
    ),
    row(
        List,
        "all",
        "all(variable, condition) -> bool",
        "Whether the condition holds for every element.",
        "all(${1:x}, $2)",
        "request.tools.all(x, x.name == 'a')",
    ),
    row(
        List,
        "exists_one",
        "exists_one(variable, condition) -> bool",
        "Whether the condition holds for exactly one element.",
        "exists_one(${1:x}, $2)",
        "request.tools.exists_one(x, x.name == 'a')",
    ),
    row(
        List,
        "filter",
        "filter(variable, condition) -> list",
        "The elements for which the condition holds.",
        "filter(${1:x}, $2)",
        "request.tools.filter(x, x.name == 'a').size() > 1",
    ),
    row(
        List,
        "map",
        "map(variable, value) -> list",
        "The value for every element.",
        "map(${1:x}, $2)",
        "request.tools.map(x, x.name).size() > 1",
    ),
    row(
        Texts,
        "join",
        "join(separator: string) -> string",
        "Its strings as one, with the separator between them.",
        "join(\"${1:,}\")",
        "request.prompt.split(',').join(';') == 'a'",
    ),
    row(
        Optional,
        "orValue",
        "orValue(value) -> value",
        "What it holds, or this value.",
        "orValue($1)",
        "request.temperature.orValue(1.0) > 0.5",
    ),
    row(
        Optional,
        "hasValue",
        "hasValue() -> bool",
        "Whether it holds something.",
        "hasValue()",
        "request.temperature.hasValue()",
    ),
    row(
        Optional,
        "or",
        "or(other: optional) -> optional",
        "It, or the other if it holds nothing.",
        "or($1)",
        "request.headers[?'a'].or(request.headers[?'b']).orValue('') == 'c'",
    ),
    row(
        Optional,
        "optMap",
        "optMap(variable, value) -> optional",
        "The value made of what it holds, if it holds something.",
        "optMap(${1:x}, $2)",
        "request.headers[?'a'].optMap(x, x.size()).orValue(0) > 1",
    ),
    row(
        Time,
        "getHours",
        "getHours(zone: string) -> int",
        "The hour, 0 to 23, in a time zone or in UTC.",
        "getHours(\"${1:Europe/Berlin}\")",
        "now.getHours('Europe/Berlin') > 8",
    ),
    row(
        Time,
        "getMinutes",
        "getMinutes(zone: string) -> int",
        "The minute, 0 to 59.",
        "getMinutes()",
        "now.getMinutes() > 8",
    ),
    row(
        Time,
        "getDayOfWeek",
        "getDayOfWeek(zone: string) -> int",
        "The day of the week; Sunday is 0.",
        "getDayOfWeek(\"${1:Europe/Berlin}\")",
        "now.getDayOfWeek() == 0",
    ),
    row(
        Time,
        "getDate",
        "getDate(zone: string) -> int",
        "The day of the month; the first is 1.",
        "getDate()",
        "now.getDate() == 1",
    ),
    row(
        Time,
        "getMonth",
        "getMonth(zone: string) -> int",
        "The month; January is 0.",
        "getMonth()",
        "now.getMonth() == 0",
    ),
    row(
        Time,
        "getFullYear",
        "getFullYear(zone: string) -> int",
        "The year.",
        "getFullYear()",
        "now.getFullYear() > 2025",
    ),
    row(
        Network,
        "containsIP",
        "containsIP(address: ip) -> bool",
        "Whether the address is in the network.",
        "containsIP(${1:source.ip})",
        "cidr('10.0.0.0/8').containsIP(source.ip)",
    ),
    row(
        Address,
        "family",
        "family() -> int",
        "4 or 6.",
        "family()",
        "source.ip.family() == 4",
    ),
    row(
        Address,
        "isLoopback",
        "isLoopback() -> bool",
        "Whether it is the machine's own.",
        "isLoopback()",
        "source.ip.isLoopback()",
    ),
    row(
        Nothing,
        "has",
        "has(map.key) -> bool",
        "Whether the map has the key, or the fact a value.",
        "has($1)",
        "has(request.temperature)",
    ),
    row(
        Nothing,
        "size",
        "size(value) -> int",
        "How many characters or elements it has.",
        "size($1)",
        "size(request.prompt) > 1",
    ),
    row(
        Nothing,
        "int",
        "int(value) -> int",
        "As a whole number.",
        "int($1)",
        "int(math.floor(1.5)) == 1",
    ),
    row(
        Nothing,
        "double",
        "double(value) -> double",
        "As a decimal number.",
        "double($1)",
        "double(request.tokens) > 1.0",
    ),
    row(
        Nothing,
        "string",
        "string(value) -> string",
        "As text.",
        "string($1)",
        "string(request.tokens) == '1'",
    ),
    row(
        Nothing,
        "timestamp",
        "timestamp(text: string) -> timestamp",
        "A point in time.",
        "timestamp(\"${1:2026-01-31T00:00:00Z}\")",
        "now < timestamp('2026-01-31T00:00:00Z')",
    ),
    row(
        Nothing,
        "duration",
        "duration(text: string) -> duration",
        "A length of time.",
        "duration(\"${1:10m}\")",
        "now - duration('10m') < now",
    ),
    row(
        Nothing,
        "cidr",
        "cidr(text: string) -> cidr",
        "A network.",
        "cidr(\"${1:10.0.0.0/8}\")",
        "cidr('10.0.0.0/8').containsIP(source.ip)",
    ),
    row(
        Nothing,
        "ip",
        "ip(text: string) -> ip",
        "An address.",
        "ip(\"$1\")",
        "source.ip == ip('127.0.0.1')",
    ),
    row(
        Nothing,
        "math.greatest",
        "math.greatest(a, b) -> number",
        "The greater of two numbers.",
        "math.greatest($1, $2)",
        "math.greatest(request.tokens, 1) > 2",
    ),
    row(
        Nothing,
        "math.least",
        "math.least(a, b) -> number",
        "The lesser of two numbers.",
        "math.least($1, $2)",
        "math.least(request.tokens, 1) > 2",
    ),
    row(
        Nothing,
        "math.abs",
        "math.abs(a) -> number",
        "Without its sign.",
        "math.abs($1)",
        "math.abs(difficulty) > 0.5",
    ),
    row(
        Nothing,
        "math.ceil",
        "math.ceil(a: double) -> double",
        "The next whole number above.",
        "math.ceil($1)",
        "math.ceil(difficulty) > 0.5",
    ),
    row(
        Nothing,
        "math.floor",
        "math.floor(a: double) -> double",
        "The next whole number below.",
        "math.floor($1)",
        "math.floor(difficulty) > 0.5",
    ),
    row(
        Nothing,
        "math.round",
        "math.round(a: double) -> double",
        "The nearest whole number.",
        "math.round($1)",
        "math.round(difficulty) > 0.5",
    ),
    row(
        Nothing,
        "cel.bind",
        "cel.bind(variable, value, expression)",
        "Names a value within an expression.",
        "cel.bind(${1:x}, $2, $3)",
        "cel.bind(x, request.tokens, x > 1 && x < 9)",
    ),
];

#[cfg(test)]
mod tests {
    use super::{WRITTEN, functions};
    use waypost_lang::FileId;
    use waypost_lang::cel::typed::Section;
    use waypost_lang::cel::{Expected, Extent, Scope, check, parse};

    #[test]
    fn every_row_is_a_function_that_the_checker_takes() {
        for function in WRITTEN {
            let parsed = parse(FileId(0), function.example, 0, Extent::Statement);
            let sound = [Section::Content, Section::Policy].iter().any(|section| {
                let scope = Scope {
                    evaluator: Some(&waypost_compiler::Folder),
                    ..Scope::of(*section)
                };
                check(&parsed.expr, &scope, Expected::Bool, &mut Vec::new()).is_some()
            });
            assert!(sound, "{}: {}", function.name, function.example);
            assert!(
                function.example.contains(&*function.name),
                "{}",
                function.example
            );
        }
    }

    #[test]
    fn every_function_of_the_checker_is_offered_with_its_meaning() {
        let without = functions().iter().filter(|one| one.meaning.is_empty());
        let without: Vec<&str> = without.map(|one| &*one.name).collect();
        assert_eq!(without, [""; 0]);
        for name in [
            "isIP",
            "math.sign",
            "lists.range",
            "unwrapOpt",
            "containsCIDR",
        ] {
            assert!(functions().iter().any(|one| one.name == name), "{name}");
        }
    }
}
