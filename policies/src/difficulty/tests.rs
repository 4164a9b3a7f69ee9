#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use proptest::prelude::*;

use super::*;

/// The threshold of the language's example.
const THRESHOLD: f64 = 0.42;

fn check_easy(prompt: &str) {
    let score = Model::default_model().score(prompt);
    assert!(
        score < THRESHOLD - 0.05,
        "{score} for {prompt}: {:?}",
        Model::default_model().heaviest(prompt, 5)
    );
}

fn check_hard(prompt: &str) {
    let score = Model::default_model().score(prompt);
    assert!(
        score > THRESHOLD + 0.03,
        "{score} for {prompt}: {:?}",
        Model::default_model().heaviest(prompt, 5)
    );
}

#[test]
fn the_default_can_be_read() {
    assert_eq!(Model::default_model().name(), "default");
    assert!(Model::default_model().about().contains("ridge"));
}

#[test]
fn trivial_prompts_are_easy() {
    check_easy("What is 2+2?");
    check_easy("Format this JSON");
    check_easy("Rename the variable");
    check_easy("Translate 'hello' to French");
    check_easy("What is the weather in Paris?");
    check_easy("Fill in the commit message for this one-line change");
    check_easy("Rename the function foo to bar in this file");
    check_easy("");
}

#[test]
fn proofs_debugging_and_design_are_hard() {
    check_hard(
        "Derive the EM algorithm for a Gaussian mixture, and prove that it increases the likelihood.",
    );
    check_hard("Derive the EM algorithm.");
    check_hard("Prove that the square root of 2 is irrational.");
    check_hard("Debug this deadlock: two goroutines wait for each other when the channel is full");
    check_hard("Design a cache invalidation protocol for a multi-region store");
    check_hard(
        "Solve the system of equations 3x + 4y = 7 and 5x - 2y = 3, then find the area of the triangle they bound with the x axis",
    );
}

#[test]
fn a_score_explains_itself() {
    let model = Model::default_model();
    let heaviest = model.heaviest("Prove the theorem.", 3);
    assert_eq!(heaviest[0].feature, "proof");
    assert!(heaviest[0].weight > 0.0);
    assert!(
        heaviest
            .windows(2)
            .all(|pair| pair[0].weight.abs() >= pair[1].weight.abs())
    );
}

#[test]
fn words_are_found_whatever_their_case_and_neighbours() {
    let model = Model::default_model();
    let proof = model.groups().position(|name| name == "proof").unwrap();
    assert_eq!(model.features("PROVE it.").groups[proof], 1);
    assert_eq!(
        model.features("(prove)\nProof:theorem, lemma").groups[proof],
        MOST_HITS
    );
    assert_eq!(model.features("improves").groups[proof], 0);
}

#[test]
fn the_ends_of_a_long_prompt_count() {
    let model = Model::default_model();
    let proof = model.groups().position(|name| name == "proof").unwrap();
    let long = format!("{} prove this theorem", "filler ".repeat(10_000));
    assert_eq!(model.features(&long).groups[proof], 2);
}

fn refuse(text: &str) -> ModelError {
    Model::parse(text).unwrap_err()
}

fn definition(version: u32, structure: &str, words: &str) -> String {
    format!(
        r#"{{"version":{version},"name":"n","about":"a","bias":0,"structure":{structure},"groups":[{{"name":"g","weight":1,"words":{words}}}]}}"#
    )
}

#[test]
fn a_data_file_is_held_to_its_form() {
    assert!(Model::parse(&definition(1, "{}", r#"["one"]"#)).is_ok());
    assert_eq!(refuse(&definition(2, "{}", "[]")), ModelError::Version(2));
    assert_eq!(
        refuse(&definition(1, r#"{"lenght":1}"#, "[]")),
        ModelError::Feature("lenght".to_owned())
    );
    assert_eq!(
        refuse(&definition(1, "{}", r#"["two words"]"#)),
        ModelError::Word("two words".to_owned())
    );
    assert_eq!(
        refuse(&definition(1, "{}", r#"["Upper"]"#)),
        ModelError::Word("Upper".to_owned())
    );
    assert_eq!(
        refuse(&definition(1, "{}", r#"["one","one"]"#)),
        ModelError::Word("one".to_owned())
    );
    assert!(matches!(refuse("{}"), ModelError::Shape(_)));
}

#[test]
fn without_a_model_every_call_is_hard() {
    assert_eq!(Model::every_call_is_hard().score("hi"), 1.0);
}

proptest! {
    #[test]
    fn scores_are_probabilities(prompt in "(?s).{0,400}") {
        let score = Model::default_model().score(&prompt);
        prop_assert!((0.0..=1.0).contains(&score));
        prop_assert_eq!(score, Model::default_model().score(&prompt));
    }

    #[test]
    fn features_are_shares(prompt in "[a-zA-Z0-9 .,?!$\\\\+={}()\n]{0,400}") {
        let features = Model::default_model().features(&prompt);
        prop_assert!(features.structure.iter().all(|value| (0.0..=1.0).contains(value)));
    }
}
