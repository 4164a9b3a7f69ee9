//! What names stand for: variables, constants, and the fields that the section may read.

use super::{Checker, Constant, Meaning, Type, Typed, TypedKind, call, constant, unknown};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::print::quote;
use crate::cel::typed::{Field, Function, Section};
use crate::codes::{SECTION_SEAM, UNKNOWN_IDENTIFIER};
use crate::diagnostic::{Diagnostic, Edit, nearest};
use crate::source::{Span, Spanned};

/// Names that only group fields.
const GROUPS: &[&str] = &["request", "caller", "cost", "source", "endpoint"];

/// Types that have a name: as it is written, and as the type calls itself.
const TYPES: &[&str] = &[
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "optional_type",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "net.IP",
    "net.CIDR",
];

/// What a word means in another language.
enum Word {
    Bool(bool),
    Nothing,
    Root,
}

fn word_of_elsewhere(name: &str) -> Option<Word> {
    Some(match name {
        "True" | "TRUE" | "yes" | "on" => Word::Bool(true),
        "False" | "FALSE" | "no" | "off" => Word::Bool(false),
        "None" | "nil" | "NULL" | "Null" | "undefined" => Word::Nothing,
        "input" | "self" | "this" | "ctx" | "context" | "local" | "locals" => Word::Root,
        _ => return None,
    })
}

impl Checker<'_> {
    pub(super) fn identifier(&mut self, span: Span, written: &str) -> Typed {
        let name = written.strip_prefix('.').unwrap_or(written);
        if name == written
            && let Some(at) = self.locals.iter().rposition(|local| local.name == name)
        {
            return self.local(span, at);
        }
        if let Some(found) = self.named(span, written) {
            return found;
        }
        if let Some(field) = Field::find(name).filter(|_| self.reads_facts()) {
            return self.fact(span, field);
        }
        if let Some(value) = (self.scope.constants)(name) {
            return constant(span, value);
        }
        if TYPES.contains(&name) {
            return constant(span, Constant::Type(name.to_owned()));
        }
        if GROUPS.contains(&name) && self.reads_facts() {
            let fields: Vec<_> = fields_of(name)
                .map(|field| format!("`{}`", field.path()))
                .collect();
            return self.report(
                UNKNOWN_IDENTIFIER
                    .error(span, format!("`{name}` has no value of its own"))
                    .label("its fields have values")
                    .help(format!("name one of its fields: {}", fields.join(", "))),
            );
        }
        self.unknown_identifier(span, name)
    }

    /// What a name of a macro around stands for.
    pub(super) fn local_of(&self, span: Span, name: &str) -> Option<Typed> {
        let at = self.locals.iter().rposition(|local| local.name == name)?;
        Some(self.local(span, at))
    }

    fn local(&self, span: Span, at: usize) -> Typed {
        let Some(local) = self.locals.get(at) else {
            return unknown(span);
        };
        match &local.meaning {
            Meaning::Element(number, ty) => Typed {
                span,
                ty: ty.clone(),
                kind: TypedKind::Local(*number),
            },
            Meaning::Bound(value) => Typed {
                span,
                ..value.clone()
            },
        }
    }

    /// Whether the facts of a call are known here.
    fn reads_facts(&self) -> bool {
        self.scope.variables.is_empty()
    }

    /// The declared variable of this name, looked up from the container outwards.
    fn named(&self, span: Span, written: &str) -> Option<Typed> {
        let variables = self.scope.variables;
        let find = |name: &str| variables.iter().position(|one| one.name == name);
        let found = match written.strip_prefix('.') {
            Some(name) => find(name),
            None => {
                let mut container = self.scope.container;
                loop {
                    if container.is_empty() {
                        break find(written);
                    }
                    if let Some(found) = find(&format!("{container}.{written}")) {
                        break Some(found);
                    }
                    container = container.rsplit_once('.').map_or("", |(outer, _)| outer);
                }
            }
        }?;
        let variable = variables.get(found)?;
        Some(Typed {
            span,
            ty: variable.ty.clone(),
            kind: TypedKind::Variable(u16::try_from(found).ok()?),
        })
    }

    /// The variable or type that `a.b.c` names as a whole, unless a name of a macro hides it.
    pub(super) fn qualified_name(&self, expr: &Expr) -> Option<Typed> {
        let name = dotted(expr)?;
        let first = name.split('.').next()?;
        if self.locals.iter().any(|local| local.name == first) {
            return None;
        }
        let is_type = |name: &&str| TYPES.contains(name);
        self.named(expr.span, &name).or_else(|| {
            let name = name.strip_prefix('.').unwrap_or(&name);
            let ty = Some(name).filter(is_type)?;
            Some(constant(expr.span, Constant::Type(ty.to_owned())))
        })
    }

    fn unknown_identifier(&mut self, span: Span, name: &str) -> Typed {
        let finding = UNKNOWN_IDENTIFIER.error(span, format!("`{name}` is not known here"));
        if let Some(word) = word_of_elsewhere(name) {
            return self.other_word(finding, word);
        }
        let mut names = self.scope.tiers.list();
        names.extend(self.scope.models.list());
        let prefix = format!("{name}-");
        if let Some(declared) = names
            .into_iter()
            .find(|declared| *declared == name || declared.starts_with(&prefix))
        {
            return self.report(
                finding
                    .label("inside expressions, names are strings")
                    .help(format!("write `{}`", quote(declared))),
            );
        }
        let section = self.scope.section;
        let is_readable = self.reads_facts();
        let readable = |field: &Field| is_readable && field.sections().contains(&section);
        let by_last_part = Field::all()
            .filter(readable)
            .chain(Field::all().filter(|_| is_readable))
            .map(Field::path)
            .find(|path| path.rsplit('.').next() == Some(name));
        let mut candidates: Vec<&str> = Vec::new();
        for field in Field::all().filter(readable) {
            candidates.push(field.path());
        }
        candidates.retain(|path| !path.contains('.'));
        candidates.extend(self.locals.iter().map(|local| local.name.as_str()));
        candidates.extend(self.scope.constant_names.list());
        candidates.extend(self.scope.variables.iter().map(|one| one.name));
        candidates.extend(
            GROUPS
                .iter()
                .filter(|group| fields_of(group).any(|field| readable(&field))),
        );
        let meant = by_last_part
            .map(str::to_owned)
            .or_else(|| nearest(name, candidates).map(str::to_owned));
        let finding = match meant {
            Some(meant) => finding
                .label("no field, constant or variable has this name")
                .help(format!("write `{meant}`"))
                .fix(format!("write `{meant}`"), [Edit { span, text: meant }]),
            None if !is_readable => {
                let names = self.scope.variables.iter().map(|one| one.name);
                let names: std::collections::BTreeSet<&str> = names.collect();
                finding
                    .label("no constant or variable has this name")
                    .help(format!(
                        "known are `{}`",
                        names.into_iter().collect::<Vec<_>>().join("`, `")
                    ))
            }
            None => finding
                .label("no field, constant or variable has this name")
                .help(
                    "fields are written in full, such as `request.tokens`; strings stand in quotes",
                ),
        };
        self.report(finding)
    }

    /// A word that other languages have for a value or a root of names.
    fn other_word(&mut self, finding: Diagnostic, word: Word) -> Typed {
        let span = finding.primary.span;
        match word {
            Word::Bool(value) => {
                let edit = Edit {
                    span,
                    text: value.to_string(),
                };
                self.report(
                    finding
                        .label("truth has small letters")
                        .help(format!("write `{value}`"))
                        .fix(format!("write `{value}`"), [edit]),
                )
            }
            Word::Nothing => self.report(
                finding
                    .label("nothing is absent here")
                    .help("a text that was not sent is `\"\"`, a number 0: compare with that"),
            ),
            Word::Root => self.report(
                finding
                    .label("fields stand by themselves")
                    .help("write the field, such as `request.tokens` or `caller.team`"),
            ),
        }
    }

    /// Whether an expression is a word for nothing of another language.
    pub(super) fn is_nothing(&self, expr: &Expr) -> bool {
        let ExprKind::Identifier(name) = &expr.kind else {
            return false;
        };
        let is_word = matches!(word_of_elsewhere(name), Some(Word::Nothing));
        is_word && self.local_of(expr.span, name).is_none() && self.named(expr.span, name).is_none()
    }

    /// Reads a fact, if the section may.
    fn fact(&mut self, span: Span, field: Field) -> Typed {
        if !field.sections().contains(&self.scope.section) {
            return self.seam(span, field);
        }
        Typed {
            span,
            ty: field.ty(),
            kind: TypedKind::Field(field),
        }
    }

    fn seam(&mut self, span: Span, field: Field) -> Typed {
        let path = field.path();
        let owners: Vec<String> = field
            .sections()
            .iter()
            .map(|section| format!("`{}`", section.keyword()))
            .collect();
        let (owners, any_owner) = (owners.join(" and "), owners.join(" or "));
        let (label, help) = match self.scope.section {
            Section::Content => (
                "`content` reads the request, never who calls, what it costs or where it runs",
                format!("move the rule to {any_owner}"),
            ),
            Section::Policy if field.sections() == [Section::Place] => (
                "`policy` never reads where a call runs",
                "move the condition to `place`: `only when …`".to_owned(),
            ),
            Section::Policy => (
                "`policy` never reads what was asked",
                "move the rule to `content`: an `escalate` may read it, and `policy` sees the `tier`".to_owned(),
            ),
            Section::Place => (
                "`place` reads the endpoints, never the request, the caller or the money",
                format!("move the rule to {any_owner}"),
            ),
            Section::Constant => (
                "a constant is known before any call",
                format!("write it where it is used, in {any_owner}"),
            ),
        };
        self.report(
            SECTION_SEAM
                .error(span, format!("`{path}` belongs to {owners}"))
                .label(label)
                .help(help),
        )
    }

    /// The group that an expression names, unless a variable hides it.
    pub(super) fn group(&self, expr: &Expr) -> Option<&'static str> {
        if !self.reads_facts() {
            return None;
        }
        let ExprKind::Identifier(written) = &expr.kind else {
            return None;
        };
        let name = written.strip_prefix('.').unwrap_or(written);
        let hidden = name == written && self.locals.iter().any(|local| local.name == name);
        GROUPS
            .iter()
            .copied()
            .find(|group| *group == name && !hidden)
    }

    pub(super) fn field_of(&mut self, group: &str, span: Span, field: &Spanned<String>) -> Typed {
        let path = format!("{group}.{}", field.value);
        if let Some(field) = Field::find(&path) {
            return self.fact(span, field);
        }
        let names = fields_of(group).filter_map(|field| field.path().split_once('.'));
        self.unknown_field(
            format!("`{group}` has no field `{}`", field.value),
            field,
            &names.map(|(_, name)| name).collect::<Vec<_>>(),
        )
    }

    /// A field of a record or of a declared shape.
    pub(super) fn member(&mut self, span: Span, base: Typed, field: &Spanned<String>) -> Typed {
        let names: Vec<&'static str> = match &base.ty {
            Type::Record(record) => {
                let found = record.members().find(|(name, _)| *name == field.value);
                if let Some((_, member)) = found {
                    return Typed {
                        span,
                        ty: member.ty(),
                        kind: TypedKind::Member(Box::new(base), member),
                    };
                }
                record.members().map(|(name, _)| name).collect()
            }
            Type::Struct(shape) => {
                if let Some(ty) = shape.field(&field.value) {
                    let name = constant(field.span, Constant::String(field.value.clone()));
                    return call(span, Function::Select, vec![base, name], ty);
                }
                shape.fields.iter().map(|(name, _)| *name).collect()
            }
            _ => Vec::new(),
        };
        let message = format!("a {} has no field `{}`", base.ty, field.value);
        self.unknown_field(message, field, &names)
    }

    fn unknown_field(&mut self, message: String, field: &Spanned<String>, names: &[&str]) -> Typed {
        let finding = UNKNOWN_IDENTIFIER
            .error(field.span, message)
            .label("no such field");
        let finding = match nearest(&field.value, names.iter().copied()) {
            Some(meant) => finding.help(format!("write `{meant}`")).fix(
                format!("write `{meant}`"),
                [Edit {
                    span: field.span,
                    text: meant.to_owned(),
                }],
            ),
            None => finding.help(format!("its fields are `{}`", names.join("`, `"))),
        };
        self.report(finding)
    }
}

fn fields_of(group: &str) -> impl Iterator<Item = Field> {
    Field::all().filter(move |field| {
        field
            .path()
            .split_once('.')
            .is_some_and(|(prefix, _)| prefix == group)
    })
}

/// `a.b.c` as one name.
fn dotted(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Identifier(name) => Some(name.clone()),
        ExprKind::Select {
            operand,
            field,
            optional: false,
        } => Some(format!("{}.{}", dotted(operand)?, field.value)),
        _ => None,
    }
}
