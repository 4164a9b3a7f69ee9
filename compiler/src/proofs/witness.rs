//! A call for which conditions come out as asked: what shows a reader that two rules differ.
//!
//! The search says what is left of each term's values; one of each is tried. Terms may depend on one another in ways that
//! the search does not know, so a witness is handed out only after the machine has evaluated the conditions on it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use waypost_lang::cel::typed::{Constant, Field, Function, Type, Typed, TypedKind};
use waypost_policies::limits::State;
use waypost_policies::plan::draft::Origin;
use waypost_policies::plan::{Draft, encode};
use waypost_policies::vm::{Pool, holds};
use waypost_policies::{Caller, Evaluation, Facts, Plan, Request};

use super::formula::{Formula, TermIndex};
use super::numbers::{Numbers, double_at};
use super::search::{Left, Room, Search, Verdict, World};
use super::terms::Key;
use super::text::{Predicate, Texts};
use super::{BUDGET, Reasoner};
use crate::lower::expression;

/// 2026-01-15T12:00:00Z, as in tests.
const NOON: i64 = 1_768_478_400_000_000_000;

/// A call, as far as the conditions read it; the rest is as it would be of an empty one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Witness {
    /// Facts, and what they are.
    pub facts: BTreeMap<Field, Value>,
    /// Keys of maps with their values; `None` where the key is missing.
    pub keys: BTreeMap<(Field, String), Option<String>>,
    /// The tools that the call offers, by name and description.
    pub tools: Vec<(String, String)>,
}

/// What a fact is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An optional without a value.
    Absent,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text.
    Text(String),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Time(i64),
}

impl Reasoner {
    /// A call for which each condition is true or false, as it says; none where none was found.
    pub fn witness(&mut self, wanted: &[(&Typed, bool)]) -> Option<Witness> {
        let formulas: Vec<Formula> = wanted
            .iter()
            .map(|(typed, holds)| {
                let formula = self.terms.formula(typed);
                if *holds { formula } else { formula.negation() }
            })
            .collect();
        let formulas: Vec<&Formula> = formulas.iter().collect();
        let Verdict::Possible(world) = Search::new(&self.terms, BUDGET).run(&formulas) else {
            return None;
        };
        let mut witness = Witness::default();
        for (term, left) in &world {
            self.choose(*term, left, &world, &mut witness)?;
            self.choose_base(*term, left, &world, &mut witness)?;
        }
        witness.satisfies(wanted).then_some(witness)
    }

    fn choose(
        &self,
        index: TermIndex,
        left: &Left,
        world: &World,
        witness: &mut Witness,
    ) -> Option<()> {
        let term = self.terms.get(index)?;
        match &term.key {
            Key::Fact(field) => {
                if let Room::Lists { some, none } = &left.present {
                    if *field == Field::RequestTools {
                        witness.tools = self.elements(some, none)?;
                    }
                    return Some(());
                }
                let value = self.value(index, &term.ty, *field, left, world)?;
                witness.facts.insert(*field, value);
            }
            Key::Lookup(map, key) => {
                let value = if left.absent {
                    None
                } else {
                    Some(self.text(index, &left.present, world)?)
                };
                witness.keys.insert((*map, key.clone()), value);
            }
            // What they are follows from others.
            Key::Expression(_) | Key::Order(..) => {}
        }
        Some(())
    }

    /// What a view looks at, where nothing else does; as many tools as are counted.
    fn choose_base(
        &self,
        index: TermIndex,
        left: &Left,
        world: &World,
        witness: &mut Witness,
    ) -> Option<()> {
        let Some(view) = &self.terms.get(index)?.view else {
            return Some(());
        };
        let base = self.terms.get(view.base)?;
        if base.key == Key::Fact(Field::RequestTools)
            && let Room::Numbers(sizes) = &left.present
        {
            let size = sizes
                .samples(0)
                .next()
                .and_then(|size| usize::try_from(size).ok());
            let missing = size?.min(64).saturating_sub(witness.tools.len());
            let tool = ("tool".to_owned(), String::new());
            witness.tools.extend(std::iter::repeat_n(tool, missing));
        } else if !world.iter().any(|(known, _)| *known == view.base) {
            let any = Left {
                absent: false,
                present: Room::Anything,
            };
            self.choose(view.base, &any, world, witness)?;
        }
        Some(())
    }

    fn value(
        &self,
        index: TermIndex,
        ty: &Type,
        field: Field,
        left: &Left,
        world: &World,
    ) -> Option<Value> {
        if left.absent {
            return Some(Value::Absent);
        }
        let near = if field == Field::Now {
            i128::from(NOON)
        } else {
            0
        };
        let place = |numbers: &Numbers| numbers.samples(near).next();
        match (ty, &left.present) {
            (Type::Bool, Room::Numbers(numbers)) => Some(Value::Bool(place(numbers)? == 1)),
            (Type::Int, Room::Numbers(numbers)) => {
                Some(Value::Int(i64::try_from(place(numbers)?).ok()?))
            }
            (Type::Double, Room::Numbers(numbers)) => {
                Some(Value::Double(double_at(place(numbers)?)))
            }
            (Type::Timestamp, Room::Numbers(numbers)) => {
                Some(Value::Time(i64::try_from(place(numbers)?).ok()?))
            }
            (Type::String, room) => Some(Value::Text(self.text(index, room, world)?)),
            _ => None,
        }
    }

    /// A string that is left, as short as it may be where its size is asked.
    fn text(&self, index: TermIndex, room: &Room, world: &World) -> Option<String> {
        let any = Texts::default();
        let texts = match room {
            Room::Texts(texts) => texts,
            Room::Anything => &any,
            _ => return None,
        };
        let mut size = 0;
        let mut likely: Vec<String> = texts
            .only
            .iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        for (view, left) in world
            .iter()
            .filter_map(|(term, left)| Some((self.terms.get(*term)?.view.as_ref()?, left)))
        {
            match (&left.present, view.function) {
                _ if view.base != index => {}
                (Room::Numbers(sizes), Function::Size) => {
                    size = sizes
                        .samples(0)
                        .next()
                        .and_then(|size| usize::try_from(size).ok())?;
                }
                (
                    Room::Texts(Texts {
                        only: Some(only), ..
                    }),
                    _,
                ) => {
                    likely.extend(only.iter().map(ToString::to_string));
                }
                _ => {}
            }
        }
        likely.extend(pieced(texts));
        let padded = likely.into_iter().map(|text| {
            let missing = size.saturating_sub(text.chars().count()).min(1 << 16);
            text + &"x".repeat(missing)
        });
        padded.into_iter().find(|text| texts.admits(text))
    }

    /// One tool for each that must exist.
    fn elements(
        &self,
        some: &[Rc<Formula>],
        none: &[Rc<Formula>],
    ) -> Option<Vec<(String, String)>> {
        let others: Vec<Formula> = none.iter().map(|body| body.negation()).collect();
        let mut tools = Vec::new();
        for body in some {
            let formulas: Vec<&Formula> = std::iter::once(&**body).chain(&others).collect();
            let Verdict::Possible(world) = Search::new(&self.terms, BUDGET).run(&formulas) else {
                return None;
            };
            let mut tool = (String::new(), String::new());
            for (term, left) in &world {
                match &self.terms.get(*term)?.key {
                    Key::Expression(text) if text.starts_with("ToolName(") => {
                        tool.0 = self.text(*term, &left.present, &world)?;
                    }
                    Key::Expression(text) if text.starts_with("ToolDescription(") => {
                        tool.1 = self.text(*term, &left.present, &world)?;
                    }
                    _ => {}
                }
            }
            tools.push(tool);
        }
        Some(tools)
    }
}

/// Strings made of the parts that are asked for.
fn pieced(texts: &Texts) -> Vec<String> {
    let (mut start, mut middle, mut end) = (String::new(), String::new(), String::new());
    for (predicate, holds) in &texts.predicates {
        match predicate {
            _ if !holds => {}
            Predicate::StartsWith(part) if part.len() > start.len() => start = part.to_string(),
            Predicate::EndsWith(part) if part.len() > end.len() => end = part.to_string(),
            Predicate::Contains(part) => middle.push_str(part),
            _ => {}
        }
    }
    let whole = format!("{start}{middle}{end}");
    let mut pieced = vec![
        whole.clone(),
        start.clone(),
        end.clone(),
        format!("{start}{end}"),
    ];
    pieced.extend(["x", "y", "other"].map(|more| format!("{start}{middle}{more}{end}")));
    pieced
}

impl Witness {
    /// Whether the machine, which runs the conditions in production, agrees.
    fn satisfies(&self, wanted: &[(&Typed, bool)]) -> bool {
        let mut pool = Pool::default();
        let expressions: Vec<_> = wanted
            .iter()
            .map(|(typed, holds)| {
                let closed = self.closed(typed);
                let index =
                    pool.expression("", Origin::default(), |to| expression::write(&closed, to));
                (index, *holds)
            })
            .collect();
        let mut draft = Draft::default();
        pool.fill(&mut draft);
        let Ok(plan) = Plan::load(encode(&draft)) else {
            return false;
        };
        let state = State::new(&plan, [0, 0]);
        let mut evaluation = Evaluation::default();
        let request = self.request(&plan);
        let facts = self.facts(&request, &plan);
        expressions.iter().all(|(index, wanted)| {
            holds(&plan, *index, &facts, &state, &mut evaluation) == Ok(*wanted)
        })
    }

    /// The condition with the decision's own facts written out: what it has come to is part of the witness.
    fn closed(&self, typed: &Typed) -> Typed {
        let mut closed = typed.clone();
        self.close(&mut closed);
        closed
    }

    fn close(&self, typed: &mut Typed) {
        if let TypedKind::Field(field) = typed.kind {
            let decided = [
                Field::Tier,
                Field::Model,
                Field::Threshold,
                Field::CostEstimate,
                Field::CostCeiling,
            ];
            if decided.contains(&field) {
                typed.kind = TypedKind::Constant(match (self.facts.get(&field), &typed.ty) {
                    (Some(Value::Text(text)), _) => Constant::String(text.clone()),
                    (Some(Value::Double(value)), _) => Constant::Double(*value),
                    (_, Type::String) => Constant::String(String::new()),
                    _ => Constant::Double(0.0),
                });
            }
            return;
        }
        match &mut typed.kind {
            TypedKind::Member(inner, _) => self.close(inner),
            TypedKind::Call(_, parts) | TypedKind::List(parts) => {
                for part in parts {
                    self.close(part);
                }
            }
            TypedKind::And(left, right) | TypedKind::Or(left, right) => {
                self.close(left);
                self.close(right);
            }
            TypedKind::Conditional(condition, then, otherwise) => {
                self.close(condition);
                self.close(then);
                self.close(otherwise);
            }
            TypedKind::Comprehension {
                range,
                filter,
                body,
                ..
            } => {
                self.close(range);
                if let Some(filter) = filter {
                    self.close(filter);
                }
                self.close(body);
            }
            _ => {}
        }
    }

    fn number(&self, field: Field) -> Option<u64> {
        match self.facts.get(&field)? {
            Value::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    fn text(&self, field: Field) -> Cow<'_, str> {
        match self.facts.get(&field) {
            Some(Value::Text(text)) => Cow::Borrowed(text),
            _ => Cow::Borrowed(""),
        }
    }

    fn request(&self, plan: &Plan) -> Request<'_> {
        let slots = |map: Field, names: &[String]| {
            let value = |name: &String| {
                self.keys
                    .get(&(map, name.clone()))?
                    .as_deref()
                    .map(Cow::Borrowed)
            };
            names.iter().map(value).collect()
        };
        Request {
            path: self.text(Field::RequestPath),
            model: self.text(Field::RequestModel),
            prompt: self.text(Field::RequestPrompt),
            system: self.text(Field::RequestSystem),
            response_format: self.text(Field::RequestResponseFormat),
            tools: self
                .tools
                .iter()
                .map(|(name, description)| waypost_policies::facts::Tool {
                    name: Cow::Borrowed(name),
                    description: Cow::Borrowed(description),
                })
                .collect(),
            tokens: self.number(Field::RequestTokens).unwrap_or(0),
            max_tokens: self.number(Field::RequestMaxTokens),
            turns: self.number(Field::RequestTurns).unwrap_or(1),
            offers_tools: !self.tools.is_empty(),
            images: self.number(Field::RequestImages).unwrap_or(0),
            stream: self.facts.get(&Field::RequestStream) == Some(&Value::Bool(true)),
            temperature: match self.facts.get(&Field::RequestTemperature) {
                Some(Value::Double(value)) => Some(*value),
                _ => None,
            },
            headers: slots(Field::RequestHeaders, &plan.needs().headers),
            metadata: slots(Field::RequestMetadata, &plan.needs().metadata),
            ..Request::default()
        }
    }

    fn facts<'a>(&'a self, request: &'a Request<'a>, plan: &Plan) -> Facts<'a> {
        let claim = |name: &String| {
            let value = self
                .keys
                .get(&(Field::CallerClaims, name.clone()))?
                .as_deref()?;
            Some(waypost_policies::facts::Claim::String(Cow::Borrowed(value)))
        };
        Facts {
            request,
            caller: Caller {
                key: self.text(Field::CallerKey),
                team: self.text(Field::CallerTeam),
                agent: self.text(Field::CallerAgent),
                plan: self.text(Field::CallerPlan),
                name: self.text(Field::CallerName),
                models: None,
                claims: plan.needs().claims.iter().map(claim).collect(),
            },
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            now: match self.facts.get(&Field::Now) {
                Some(Value::Time(now)) => *now,
                _ => NOON,
            },
            difficulty: match self.facts.get(&Field::Difficulty) {
                Some(Value::Double(value)) => Some(*value),
                _ => Some(0.0),
            },
        }
    }
}
