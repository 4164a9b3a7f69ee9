//! What crosses crates is tested under `tests/`; nothing is built from here.
