//! Each instruction and function, on small code.

mod blocks;

use std::borrow::Cow;

use super::evaluation::stable_hash;
use super::inputs::{Endpoint, Inputs};
use super::machine::{Buffers, Machine};
use super::value::Value;
use super::{Assembler, Comprehension, Evaluation, Field, Function as F, Instruction as I};
use super::{Map, Member, Pool, admits, zone};
use crate::example;
use crate::facts::{Claim, Message, Request, ToolCall};
use crate::plan::draft::{Draft, Origin, Scalar};
use crate::plan::{Plan, encode};

fn request() -> Request<'static> {
    let mut request = example::request("Größe: 4 µm, 🦀!");
    request.tools = vec![example::tool("read_a"), example::tool("write_b")];
    request.messages = vec![
        Message {
            role: Cow::Borrowed("user"),
            content: Cow::Borrowed("hi"),
            ..Message::default()
        },
        Message {
            role: Cow::Borrowed("assistant"),
            tool_calls: vec![ToolCall {
                name: Cow::Borrowed("read_a"),
                arguments: Cow::Borrowed("{}"),
            }],
            ..Message::default()
        },
    ];
    request.headers = vec![Some(Cow::Borrowed("yes"))];
    request
}

fn show<'a>(machine: &Machine<'a>, value: Value<'a>) -> String {
    if let Ok(text) = machine.string(value) {
        return format!("{text:?}");
    }
    if let Some(length) = machine.length(value) {
        let elements = (0..length).map(|index| show(machine, machine.element(value, index)));
        return format!("[{}]", elements.collect::<Vec<_>>().join(", "));
    }
    if let Some(bytes) = machine.octets(value) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let is_record = matches!(
        value,
        Value::Message(_) | Value::Tool(_) | Value::ToolCall(_)
    );
    if let Some(entries) = machine.entries(value).filter(|_| !is_record) {
        let entries = (0..entries).map(|index| {
            let (key, value) = machine.entry(value, index);
            format!("{}: {}", show(machine, key), show(machine, value))
        });
        return format!("{{{}}}", entries.collect::<Vec<_>>().join(", "));
    }
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => format!("{number}u"),
        Value::Double(number) => format!("{number:?}"),
        Value::Absent => "none".to_owned(),
        Value::Present(_) => format!("some {}", show(machine, machine.inner(value))),
        Value::Type(name) => name.name().to_owned(),
        Value::Failed(failure) => format!("failed: {failure:?}"),
        value => value.printed().unwrap_or_else(|| format!("{value:?}")),
    }
}

/// Runs code that the verifier passes.
fn run(write: impl FnOnce(&mut Assembler<'_>)) -> String {
    let mut pool = Pool::default();
    pool.expression("", Origin::default(), write);
    let mut draft = Draft::default();
    pool.fill(&mut draft);
    let plan = Plan::load(encode(&draft)).unwrap();
    let request = request();
    let mut facts = example::facts(&request);
    facts.caller.claims = vec![Some(Claim::Int(7)), None];
    facts.difficulty = Some(0.5);
    let mut inputs = Inputs::new(&plan, Some(&facts), None);
    inputs.threshold = Some(0.42);
    let mut machine = Machine::new(inputs, Buffers::default());
    let code = plan.expression(0u32).unwrap().code();
    let value = machine.evaluate(code);
    let shown = show(&machine, value);
    let again = machine.evaluate(code);
    assert_eq!(shown, show(&machine, again), "a second run gives the same");
    shown
}

fn check(expected: &str, write: impl FnOnce(&mut Assembler<'_>)) {
    assert_eq!(run(write), expected);
}

fn call(function: F, arguments: &[I<'_>], expected: &str) {
    check(expected, |code| {
        for argument in arguments {
            code.push(*argument);
        }
        code.call(function);
    });
}

fn text_call(function: F, texts: &[&str], expected: &str) {
    check(expected, |code| {
        for text in texts {
            code.text(text);
        }
        code.call(function);
    });
}

const TIME: I<'static> = I::Timestamp(1_764_244_800, 250_000_000);

#[test]
fn literals() {
    check("null", |code| done(code.push(I::Null)));
    check("true", |code| done(code.push(I::Bool(true))));
    check("-3", |code| done(code.push(I::Int(-3))));
    check("3u", |code| done(code.push(I::Uint(3))));
    check("1.5", |code| done(code.push(I::Double(1.5))));
    check("\"größer\"", |code| done(code.text("größer")));
    check("ab", |code| done(code.push(I::Bytes(b"ab"))));
    check("2025-11-27T12:00:00.25Z", |code| done(code.push(TIME)));
    check("-0.25s", |code| done(code.push(I::Duration(-250_000_000))));
    check("::1", |code| done(code.push(I::Ip("::1".parse().unwrap()))));
    check("10.0.0.0/8", |code| {
        code.push(I::Cidr("10.0.0.0".parse().unwrap(), 8));
    });
    check("none", |code| done(code.push(I::Absent)));
    check("[1, \"a\", null]", |code| {
        code.list(vec![
            Scalar::Int(1),
            Scalar::String("a".to_owned()),
            Scalar::Null,
        ]);
    });
}

#[test]
fn facts() {
    check("\"auto\"", |code| done(code.field(Field::RequestModel)));
    check("1000", |code| done(code.field(Field::RequestTokens)));
    check("500", |code| done(code.field(Field::RequestMaxTokens)));
    check("none", |code| done(code.field(Field::RequestTemperature)));
    check("0.5", |code| done(code.field(Field::Difficulty)));
    check("0.42", |code| done(code.field(Field::Threshold)));
    check("127.0.0.1", |code| done(code.field(Field::SourceIp)));
    check("2025-11-27T12:00:00Z", |code| done(code.field(Field::Now)));
    check("failed: Missing", |code| {
        done(code.field(Field::EndpointZone))
    });
    check("some \"yes\"", |code| {
        done(code.lookup(Map::Headers, "x-a"))
    });
    check("true", |code| done(code.has(Map::Headers, "x-a")));
    check("none", |code| done(code.lookup(Map::Metadata, "k")));
    check("some 7", |code| done(code.lookup(Map::Claims, "level")));
}

#[test]
fn arithmetic_says_when_it_leaves_64_bits() {
    call(F::Add, &[I::Int(2), I::Int(3)], "5");
    call(F::Add, &[I::Int(i64::MAX), I::Int(1)], "failed: Arithmetic");
    call(F::Subtract, &[I::Uint(1), I::Uint(2)], "failed: Arithmetic");
    call(
        F::Multiply,
        &[I::Int(i64::MIN), I::Int(-1)],
        "failed: Arithmetic",
    );
    call(F::Divide, &[I::Int(-7), I::Int(2)], "-3");
    call(F::Divide, &[I::Int(1), I::Int(0)], "failed: Arithmetic");
    call(F::Divide, &[I::Double(1.0), I::Double(0.0)], "inf");
    call(F::Remainder, &[I::Int(-7), I::Int(2)], "-1");
    call(F::Negate, &[I::Int(i64::MIN)], "failed: Arithmetic");
    call(F::Absolute, &[I::Double(-2.5)], "2.5");
    call(F::Greatest, &[I::Int(1), I::Int(2)], "2");
    call(F::Least, &[I::Double(1.0), I::Double(2.0)], "1.0");
    call(F::Ceiling, &[I::Double(1.2)], "2.0");
    call(F::Floor, &[I::Double(-1.2)], "-2.0");
    call(F::Round, &[I::Double(2.5)], "3.0");
}

#[test]
fn conversions() {
    call(F::ToInt, &[I::Double(-1.9)], "-1");
    call(F::ToInt, &[I::Double(1e19)], "failed: Arithmetic");
    call(F::ToInt, &[I::Double(f64::NAN)], "failed: Arithmetic");
    call(F::ToInt, &[TIME], "1764244800");
    call(F::ToUint, &[I::Int(-1)], "failed: Arithmetic");
    call(F::ToDouble, &[I::Uint(3)], "3.0");
    text_call(F::ToInt, &["-12"], "-12");
    text_call(F::ToInt, &["1x"], "failed: Conversion");
    call(F::ToString, &[I::Int(-5)], "\"-5\"");
    call(F::ToString, &[I::Double(0.1)], "\"0.1\"");
    call(F::ToString, &[I::Bool(true)], "\"true\"");
    call(F::ToString, &[I::Duration(90_000_000_000)], "\"90s\"");
}

#[test]
fn numbers_compare_across_types() {
    call(F::Equal, &[I::Int(1), I::Double(1.0)], "true");
    call(F::Equal, &[I::Int(1), I::Uint(1)], "true");
    call(F::Less, &[I::Int(-1), I::Uint(0)], "true");
    call(F::Less, &[I::Uint(u64::MAX), I::Double(1e30)], "true");
    call(
        F::Greater,
        &[I::Int(i64::MAX), I::Double(9.223_372_036_854_775e18)],
        "true",
    );
    call(F::LessOrEqual, &[I::Double(f64::NAN), I::Int(1)], "false");
    call(
        F::Equal,
        &[I::Double(f64::NAN), I::Double(f64::NAN)],
        "false",
    );
    call(F::NotEqual, &[I::Null, I::Bool(false)], "true");
    call(F::GreaterOrEqual, &[I::Duration(2), I::Duration(2)], "true");
    call(F::Less, &[I::Bytes(b"a"), I::Bytes(b"b")], "true");
    text_call(F::Less, &["a", "ä"], "true");
}

#[test]
fn strings_count_code_points() {
    text_call(F::Size, &["🦀ä"], "2");
    text_call(F::IndexOf, &["🦀äb", "b"], "2");
    text_call(F::LastIndexOf, &["bab", "b"], "2");
    text_call(F::IndexOf, &["a", "x"], "-1");
    text_call(F::Contains, &["hello", "ell"], "true");
    text_call(F::StartsWith, &["hello", "he"], "true");
    text_call(F::EndsWith, &["hello", "he"], "false");
    text_call(F::LowerAscii, &["ÄB"], "\"Äb\"");
    text_call(F::UpperAscii, &["äb"], "\"äB\"");
    text_call(F::Trim, &[" \t a b \u{a0}"], "\"a b\"");
    text_call(F::Reverse, &["ab🦀"], "\"🦀ba\"");
    text_call(F::Replace, &["aXbX", "X", "--"], "\"a--b--\"");
    text_call(F::Replace, &["ab", "", "-"], "\"-a-b-\"");
    text_call(F::Split, &["a,b,", ","], "[\"a\", \"b\", \"\"]");
    text_call(F::Split, &["äb", ""], "[\"ä\", \"b\"]");
    text_call(F::Split, &["", ","], "[\"\"]");
    text_call(F::Add, &["ab", "cd"], "\"abcd\"");
    check("\"a-b-c\"", |code| {
        code.text("a,b,c")
            .text(",")
            .call(F::Split)
            .text("-")
            .call(F::Join);
    });
    check("\"BA\"", |code| {
        code.text(" ab ")
            .call(F::UpperAscii)
            .call(F::Trim)
            .call(F::Reverse);
    });
    check("[\"B\", \"A\"]", |code| {
        code.text("b a")
            .call(F::UpperAscii)
            .text(" ")
            .call(F::Split);
    });
}

#[test]
fn patterns_and_sets() {
    check("true", |code| {
        done(code.text("id INT-123456.").matches("INT-[0-9]{6}"))
    });
    check("false", |code| {
        done(code.text("INT-1").matches("INT-[0-9]{6}"))
    });
    let set = || vec!["b".to_owned(), "a".to_owned(), "b".to_owned()];
    check("true", |code| done(code.text("a").in_set(set())));
    check("false", |code| done(code.text("c").in_set(set())));
    check("false", |code| done(code.push(I::Int(1)).in_set(set())));
}

#[test]
fn lists() {
    check("[1, 2]", |code| {
        code.push(I::Int(1)).push(I::Int(2)).push(I::MakeList(2));
    });
    check("[]", |code| done(code.push(I::MakeList(0))));
    check("[1, 2, \"a\"]", |code| {
        code.push(I::Int(1)).push(I::Int(2)).push(I::MakeList(2));
        code.list(vec![Scalar::String("a".to_owned())]).call(F::Add);
    });
    check("true", |code| {
        code.push(I::Double(2.0))
            .list(vec![Scalar::Int(1), Scalar::Int(2)])
            .call(F::In);
    });
    check("true", |code| {
        code.push(I::Int(1))
            .push(I::MakeList(1))
            .list(vec![Scalar::Uint(1)])
            .call(F::Equal);
    });
    check("2", |code| {
        done(code.field(Field::RequestTools).call(F::Size))
    });
}

#[test]
fn optionals() {
    check("\"yes\"", |code| {
        code.lookup(Map::Headers, "x").text("no").call(F::OrValue);
    });
    check("\"no\"", |code| {
        code.lookup(Map::Metadata, "x").text("no").call(F::OrValue);
    });
    call(F::HasValue, &[I::Absent], "false");
    check("true", |code| {
        code.push(I::Absent).call(F::OptionalOf).call(F::HasValue);
    });
    check("false", |code| {
        code.push(I::Absent)
            .call(F::OptionalOf)
            .call(F::Value)
            .call(F::HasValue);
    });
    call(F::Value, &[I::Absent], "failed: Missing");
    check("some 3", |code| {
        code.push(I::Absent)
            .push(I::Int(3))
            .call(F::OptionalOf)
            .call(F::Or);
    });
    check("failed: Type", |code| {
        code.lookup(Map::Claims, "level")
            .push(I::Int(0))
            .call(F::OrValue);
        code.text("x").call(F::StartsWith);
    });
}

#[test]
fn times() {
    call(F::Year, &[TIME], "2025");
    call(F::Month, &[TIME], "10");
    call(F::DayOfYear, &[TIME], "330");
    call(F::DayOfMonth, &[TIME], "26");
    call(F::Date, &[TIME], "27");
    call(F::DayOfWeek, &[TIME], "4");
    call(F::Hours, &[TIME], "12");
    call(F::Minutes, &[TIME], "0");
    call(F::Seconds, &[TIME], "0");
    call(F::Milliseconds, &[TIME], "250");
    call(F::Hours, &[I::Duration(7_200_000_000_001)], "2");
    call(F::Milliseconds, &[I::Duration(1_321_000_000)], "321");
    check("13", |code| {
        done(code.push(TIME).zoned(F::Hours, "Europe/Berlin"))
    });
    check("6", |code| done(code.push(TIME).zoned(F::Hours, "-05:30")));
    call(
        F::Add,
        &[TIME, I::Duration(750_000_000)],
        "2025-11-27T12:00:01Z",
    );
    call(F::Subtract, &[TIME, TIME], "0s");
    call(
        F::Subtract,
        &[I::Timestamp(0, 0), I::Duration(1)],
        "1969-12-31T23:59:59.999999999Z",
    );
    call(
        F::Add,
        &[I::Timestamp(253_402_300_799, 0), I::Duration(1_000_000_000)],
        "failed: Arithmetic",
    );
}

#[test]
fn zones_by_name_and_offset() {
    assert!(zone("Asia/Kolkata").is_some());
    assert!(zone("02:00").is_some());
    for unknown in ["Mars/Olympus", "+25:00", "+02", "-1:99", ""] {
        assert!(zone(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn networks() {
    let ip = |text: &str| I::Ip(text.parse().unwrap());
    let network = |text: &str, length| I::Cidr(text.parse().unwrap(), length);
    call(
        F::ContainsIp,
        &[network("10.0.0.0", 8), ip("10.255.1.2")],
        "true",
    );
    call(
        F::ContainsIp,
        &[network("10.0.0.0", 8), ip("11.0.0.0")],
        "false",
    );
    call(
        F::ContainsIp,
        &[network("0.0.0.0", 0), ip("11.0.0.0")],
        "true",
    );
    call(F::ContainsIp, &[network("::", 0), ip("11.0.0.0")], "false");
    call(F::ContainsIp, &[network("::", 0), ip("fe80::1")], "true");
    call(
        F::ContainsIp,
        &[network("fe80::1", 128), ip("fe80::2")],
        "false",
    );
    call(F::Family, &[ip("::1")], "6");
    call(F::IsLoopback, &[ip("127.0.0.9")], "true");
}

/// A long prompt of many lines is read once, not once for each line.
#[test]
fn a_long_text_can_be_split() {
    check("30001", |code| {
        code.text(&"twenty bytes a line\n".repeat(30_000))
            .text("\n")
            .call(F::Split)
            .call(F::Size);
    });
}

#[test]
fn work_is_bounded() {
    // Each replacement puts the whole text between all of its characters: it squares.
    check("failed: Work", |code| {
        code.text(&"x".repeat(2_000));
        for _ in 0..3 {
            code.text("").text(&"y".repeat(2_000)).call(F::Replace);
        }
    });
    check("failed: Work", |code| {
        let hundred = vec![Scalar::Int(1); 200];
        code.list(hundred.clone()).comprehend(
            Comprehension::All,
            0,
            |_| {},
            |code| {
                code.list(hundred.clone()).comprehend(
                    Comprehension::All,
                    1,
                    |_| {},
                    |code| {
                        code.list(hundred.clone()).comprehend(
                            Comprehension::All,
                            2,
                            |_| {},
                            |code| {
                                code.push(I::Bool(true));
                            },
                        );
                    },
                );
            },
        );
    });
}

#[test]
fn a_replica_is_left_out_where_a_condition_is_false_or_fails() {
    let mut draft = example::draft();
    let mut pool = Pool::default();
    pool.expression("", Origin::default(), |code| {
        code.lookup(Map::Labels, "gpu").text("").call(F::OrValue);
        code.text("h100").call(F::Equal).and(|code| {
            code.field(Field::EndpointQueue)
                .push(I::Int(5))
                .call(F::Less);
        });
    });
    pool.expression("", Origin::default(), |code| {
        code.push(I::Int(i64::MAX))
            .field(Field::RequestTokens)
            .call(F::Add);
        code.push(I::Int(0)).call(F::Less);
    });
    draft = Draft {
        pools: draft.pools,
        ..Draft::default()
    };
    pool.fill(&mut draft);
    draft.pools[0].placement.only = vec![0];
    let mut failing = draft.clone();
    failing.pools[0].placement.only = vec![1];
    let (plan, failing) = (
        Plan::load(encode(&draft)).unwrap(),
        Plan::load(encode(&failing)).unwrap(),
    );
    let mut evaluation = Evaluation::default();
    let labels = |gpu: &'static str| [Some(Cow::Borrowed(gpu))];
    let (h100, a100) = (labels("h100"), labels("a100"));
    let mut ask = |plan: &Plan, labels, queue| {
        let endpoint = Endpoint {
            labels,
            queue,
            ..Endpoint::default()
        };
        admits(plan, 0, &endpoint, &mut evaluation)
    };
    assert!(ask(&plan, &h100, 4));
    assert!(!ask(&plan, &h100, 5));
    assert!(!ask(&plan, &a100, 0));
    assert!(!ask(&failing, &h100, 0));
    assert_eq!(evaluation.failures(), 1);
}

#[test]
fn a_stable_hash_stays_what_it_is() {
    assert_eq!(stable_hash(b""), 0xefd0_1f60_ba99_2926);
    assert_ne!(stable_hash(b"a"), stable_hash(b"b"));
}

/// Ends a chain of instructions.
const fn done(_: &mut Assembler<'_>) {}
