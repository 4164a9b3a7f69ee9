//! What an expression finds around it, and how strictly it is checked.

use super::typed::{Constant, Section, Type, Typed};

/// What an expression finds around it.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The part of the file that it stands in.
    pub section: Section,
    /// The declared tiers.
    pub tiers: &'a dyn Names,
    /// The declared models.
    pub models: &'a dyn Names,
    /// The value of a `let`.
    pub constants: &'a dyn Fn(&str) -> Option<Constant>,
    /// The names of all `let`s, to find a misspelt one.
    pub constant_names: &'a dyn Names,
    /// Names that whoever evaluates the expression gives values to, beside the facts of the section. Where there
    /// are any, the facts are not known: an organisation's rule reads the compiled model, never a request.
    pub variables: &'a [Variable<'a>],
    /// Functions that are known by their signature only; a call of one is checked and cannot be evaluated.
    pub functions: &'a [Signature<'a>],
    /// The namespace that names are looked up in first: `a.b` for `a.b.c` written as `c`.
    pub container: &'a str,
    /// What is refused.
    pub mode: Mode,
    /// What computes functions of constants; without one they are left to run time.
    pub evaluator: Option<&'a dyn Evaluate>,
}

impl<'a> Scope<'a> {
    /// A scope of `section` in which nothing is declared.
    #[must_use]
    pub fn of(section: Section) -> Self {
        Self {
            section,
            tiers: &NONE,
            models: &NONE,
            constants: &|_| None,
            constant_names: &NONE,
            variables: &[],
            functions: &[],
            container: "",
            mode: Mode::Total,
            evaluator: None,
        }
    }

    /// The same scope with `variables` in place of facts.
    #[must_use]
    pub const fn with_variables(self, variables: &'a [Variable<'a>]) -> Self {
        Self { variables, ..self }
    }
}

/// Declared names. They are asked for one by one, and listed only for what is said of a name that is not among them: a
/// file has thousands of expressions and as many names.
pub trait Names {
    /// Whether a name is declared.
    fn has(&self, name: &str) -> bool;
    /// All of them.
    fn list(&self) -> Vec<&str>;
}

const NONE: [&str; 0] = [];

impl<const COUNT: usize> Names for [&str; COUNT] {
    fn has(&self, name: &str) -> bool {
        self.contains(&name)
    }

    fn list(&self) -> Vec<&str> {
        self.to_vec()
    }
}

impl Names for Vec<&str> {
    fn has(&self, name: &str) -> bool {
        self.contains(&name)
    }

    fn list(&self) -> Vec<&str> {
        self.clone()
    }
}

/// What is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Wrong types, and whatever could fail on some call: the files of Waypost.
    Total,
    /// Wrong types. Operations that may fail are kept and may give a failed value: CEL as its standard has it,
    /// for the conformance tests and for comparison with other implementations.
    Fallible,
    /// Nothing that parses: what is wrong fails when it is evaluated. CEL without its checker.
    Unchecked,
}

/// A declared variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable<'a> {
    /// Its name, which may have several parts: `com.example.x`.
    pub name: &'a str,
    /// Its type.
    pub ty: Type,
}

/// A function that is known by its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it takes. A [`Type::Parameter`] stands for any type, everywhere the same.
    pub parameters: Vec<Type>,
    /// What it gives.
    pub result: Type,
}

/// Computes expressions of constants, so that a function means one thing now and at run time.
pub trait Evaluate {
    /// The value of `expression`, which reads no fact and no variable; or why it has none.
    ///
    /// # Errors
    /// A phrase such as `it does not fit in 64 bits`, for a message.
    fn evaluate(&self, expression: &Typed) -> Result<Constant, String>;
}

/// The type that the place of an expression asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// `when`.
    Bool,
    /// `per`, `keep session`, `split … by`.
    String,
    /// `let`.
    Any,
}
