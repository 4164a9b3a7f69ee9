//! The language above expressions: lexer, recovering parser, tree, formatter.

pub mod tree;
