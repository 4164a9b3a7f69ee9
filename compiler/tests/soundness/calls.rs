//! Calls over the constants of the generator and their neighbours.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use waypost_policies::facts::{Caller, Claim, Facts, Message, Request, Tool, ToolCall};
use waypost_policies::plan::Plan;

/// Calls of one course.
const CALLS: usize = 200;

#[derive(Debug, Clone)]
pub(crate) struct Call {
    model: &'static str,
    prompt: &'static str,
    tokens: u64,
    max_tokens: Option<u64>,
    turns: u64,
    stream: bool,
    temperature: Option<f64>,
    header: Option<&'static str>,
    tools: Vec<(&'static str, &'static str)>,
    calls: Vec<Vec<&'static str>>,
    difficulty: f64,
    team: &'static str,
    plan: &'static str,
    role: Option<Claim<'static>>,
    now: i64,
}

struct Numbers(u64);

impl Numbers {
    fn of<T: Clone>(&mut self, values: &[T]) -> T {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let at = (self.0 >> 33) as usize % values.len();
        values[at].clone()
    }
}

const TEXTS: [&str; 7] = ["", "a", "ab", "b", "AB", "c", "ba"];

/// A course of calls.
pub(crate) fn calls(seed: u64) -> Vec<Call> {
    let mut numbers = Numbers(seed | 1);
    let mut now = 1_767_225_599_000_000_000;
    let mut calls = Vec::new();
    for _ in 0..CALLS {
        now += numbers.of(&[0, 1_000_000_000, 20_000_000_000, 40_000_000_000_000]);
        calls.push(call(&mut numbers, now));
    }
    calls
}

fn call(numbers: &mut Numbers, now: i64) -> Call {
    let many: Vec<u8> = vec![0, 1, 2];
    let tools = (0..numbers.of(&many))
        .map(|_| (numbers.of(&TEXTS), numbers.of(&TEXTS)))
        .collect();
    let calls = (0..numbers.of(&many))
        .map(|_| (0..numbers.of(&many)).map(|_| numbers.of(&TEXTS)).collect())
        .collect();
    let claims = [
        Some(Claim::String(Cow::Borrowed("a"))),
        Some(Claim::String(Cow::Borrowed(""))),
        Some(Claim::Int(1)),
        Some(Claim::Strings(vec![Cow::Borrowed("a")])),
        None,
    ];
    Call {
        model: numbers.of(&[
            "auto", "auto", "auto", "auto-x", "auto-0.3", "m1", "ab", "m3",
        ]),
        prompt: numbers.of(&TEXTS),
        tokens: numbers.of(&[
            0,
            1,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
            11,
            23_999,
            24_000,
            24_001,
            1 << 62,
            u64::MAX,
        ]),
        max_tokens: numbers.of(&[None, Some(1), Some(5), Some(90), Some(100), Some(u64::MAX)]),
        turns: numbers.of(&[1, 2, 3]),
        stream: numbers.of(&[false, true]),
        temperature: numbers.of(&[
            None,
            Some(0.0),
            Some(0.5),
            Some(0.7),
            Some(1.0),
            Some(2.0),
            Some(-0.0),
        ]),
        header: numbers.of(&[
            None,
            None,
            Some(""),
            Some("a"),
            Some("ab"),
            Some("b"),
            Some("AB"),
            Some("c"),
            Some("xy"),
        ]),
        tools,
        calls,
        difficulty: numbers.of(&[0.0, 0.1, 0.25, 0.3, 0.4, 0.5, 0.50001, 1.0]),
        team: numbers.of(&TEXTS),
        plan: numbers.of(&TEXTS),
        role: numbers.of(&claims),
        now,
    }
}

impl Call {
    pub(crate) fn request(&self, plan: &Plan) -> Request<'_> {
        let message = |names: &Vec<&'static str>| Message {
            role: Cow::Borrowed("assistant"),
            tool_calls: names
                .iter()
                .map(|name| ToolCall {
                    name: Cow::Borrowed(*name),
                    arguments: Cow::Borrowed("{}"),
                })
                .collect(),
            ..Message::default()
        };
        Request {
            path: Cow::Borrowed("/v1/chat/completions"),
            model: Cow::Borrowed(self.model),
            prompt: Cow::Borrowed(self.prompt),
            messages: self.calls.iter().map(message).collect(),
            tools: self
                .tools
                .iter()
                .map(|(name, description)| Tool {
                    name: Cow::Borrowed(*name),
                    description: Cow::Borrowed(*description),
                })
                .collect(),
            offers_tools: !self.tools.is_empty(),
            tokens: self.tokens,
            largest_prompt: self.tokens.min(60_000),
            max_tokens: self.max_tokens,
            turns: self.turns,
            stream: self.stream,
            temperature: self.temperature,
            headers: plan
                .needs()
                .headers
                .iter()
                .map(|_| self.header.map(Cow::Borrowed))
                .collect(),
            ..Request::default()
        }
    }

    pub(crate) fn facts<'a>(&'a self, request: &'a Request<'a>, plan: &Plan) -> Facts<'a> {
        Facts {
            request,
            caller: Caller {
                key: Cow::Borrowed("key"),
                team: Cow::Borrowed(self.team),
                agent: Cow::Borrowed(self.prompt),
                plan: Cow::Borrowed(self.plan),
                name: Cow::Borrowed(""),
                models: None,
                claims: plan
                    .needs()
                    .claims
                    .iter()
                    .map(|_| self.role.clone())
                    .collect(),
            },
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            now: self.now,
            difficulty: Some(self.difficulty),
        }
    }
}
