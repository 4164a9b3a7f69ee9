//! Limits and budgets.

use waypost_policies::plan::draft::{Amount, Priority, QuotaAction, QuotaOutcome, Window};
use waypost_runtime::Ending;

use crate::client::{chat, get, request, send};
use crate::plan::{daily, quota};
use crate::upstream::{Script, Upstream, usual_answer};
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";

fn requests(count: u64) -> waypost_policies::plan::draft::Quota {
    quota(
        "requests a minute",
        Amount::Requests(count),
        Window::Rolling(60_000),
    )
}

#[tokio::test]
async fn a_used_up_limit_is_429_and_says_when_there_is_room() {
    let mut world = World::with(|draft, _| draft.quotas = vec![requests(2)]).await;
    assert_eq!(world.ask("one").await.status, 200);
    assert_eq!(world.ask("two").await.status, 200);
    let answer = world.ask("three").await;
    assert_eq!(
        (answer.status.as_u16(), answer.error("code")),
        (429, "rate_limit_exceeded".to_owned())
    );
    assert_eq!(
        (answer.error("rule"), answer.error("line")),
        ("requests a minute".to_owned(), "40".to_owned())
    );
    let milliseconds: u64 = answer.header("retry-after-ms").parse().unwrap();
    assert!((20_000..=30_000).contains(&milliseconds), "{milliseconds}");
    assert_eq!(
        answer.header("retry-after"),
        milliseconds.div_ceil(1000).to_string()
    );
    assert!(!answer.headers.contains_key("x-should-retry"));
    assert_eq!(answer.header("x-ratelimit-limit-requests"), "2");
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "0");
    assert_eq!(answer.header("x-ratelimit-reset-requests"), "60s");
    assert_eq!(world.one.calls(), 2);
}

#[tokio::test]
async fn a_used_up_budget_is_insufficient_quota_and_not_worth_a_quick_retry() {
    let world = World::with(|draft, _| draft.quotas = vec![daily(0.001)]).await;
    let answer = world.ask("HARD").await;
    assert_eq!(
        (answer.status.as_u16(), answer.error("code")),
        (429, "insufficient_quota".to_owned())
    );
    assert_eq!(answer.header("x-should-retry"), "false");
    assert_eq!(answer.error("rule"), "daily budget");
}

#[tokio::test]
async fn two_callers_race_for_the_last_dollar_and_one_gets_it() {
    // Room for one reservation: the prompt and 1,000 tokens at $2 per million are some $0.002.
    let mut world = World::with(|draft, _| {
        draft.tiers[0].steps.truncate(1);
        draft.quotas = vec![daily(0.003)];
    })
    .await;
    let events = world.one.streams();
    let body = r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let calls: Vec<_> = (0..8)
        .map(|_| tokio::spawn(crate::client::open(request(world.address, CHAT, body))))
        .collect();
    events
        .send(Ok(
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".to_owned(),
        ))
        .unwrap();
    let mut answered = Vec::new();
    for call in calls {
        answered.push(call.await.unwrap());
    }
    let statuses = |status: u16| {
        answered
            .iter()
            .filter(|answer| answer.status() == status)
            .count()
    };
    assert_eq!((statuses(200), statuses(429)), (1, 7));
    assert_eq!(world.one.calls(), 1);
    drop((events, answered));
}

#[tokio::test]
async fn an_open_call_holds_its_place_until_its_stream_ends_or_its_caller_hangs_up() {
    let concurrent = || quota("2 concurrent", Amount::Concurrent(2), Window::Open);
    let mut world = World::with(|draft, _| {
        draft.tiers[0].steps.truncate(1);
        draft.quotas = vec![concurrent()];
    })
    .await;
    let body = r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let delta = || Ok("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".to_owned());
    let mut open = Vec::new();
    for _ in 0..2 {
        let events = world.one.streams();
        events.send(delta()).unwrap();
        let answer = crate::client::open(request(world.address, CHAT, body)).await;
        assert_eq!(answer.status(), 200);
        open.push((events, answer));
    }
    let refused = world.ask("three").await;
    assert_eq!(
        (
            refused.status.as_u16(),
            refused.error("code"),
            refused.header("retry-after")
        ),
        (429, "rate_limit_exceeded".to_owned(), "1")
    );
    assert_eq!(world.receipt().await.ending, Ending::Refused);
    // One stream breaks off, the other's caller hangs up: both places are free again.
    let (events, answer) = open.pop().unwrap();
    drop(events);
    let _ = http_body_util::BodyExt::collect(answer.into_body()).await;
    assert_eq!(world.receipt().await.ending, Ending::Broken);
    let (events, answer) = open.pop().unwrap();
    drop(answer);
    assert_eq!(world.receipt().await.ending, Ending::HungUp);
    drop(events);
    for _ in 0..3 {
        assert_eq!(world.ask("again").await.status, 200);
    }
    // And one that fails holds none.
    world.one.fails(400);
    assert_eq!(world.ask("bad").await.status, 400);
    assert_eq!(world.ask("good").await.status, 200);
}

/// One call at a time, for which others wait so long.
async fn waiting_world(milliseconds: u64) -> World {
    World::with(|draft, _| {
        draft.tiers[0].steps.truncate(1);
        let mut limit = quota("1 concurrent", Amount::Concurrent(1), Window::Open);
        limit.outcomes = vec![QuotaOutcome {
            share: 10_000,
            action: QuotaAction::Wait(milliseconds),
        }];
        draft.quotas = vec![limit];
        // The team that else is denied comes last.
        draft.priorities = vec![Priority {
            value: -1,
            label: "later".to_owned(),
            when: Some(draft.denials[0].when),
            origin: crate::plan::at(50),
        }];
        draft.denials.clear();
    })
    .await
}

const STREAM: &str =
    r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;

/// A call by the key of this team, of which somebody is told when it is answered.
fn call_of(
    world: &World,
    key: &str,
    done: &tokio::sync::mpsc::UnboundedSender<(String, u16)>,
) -> tokio::task::JoinHandle<()> {
    let call = crate::client::with_key(world.address, CHAT, key, chat("hi"));
    let (key, done) = (key.to_owned(), done.clone());
    tokio::spawn(async move {
        let status = send(call).await.status.as_u16();
        done.send((key, status)).unwrap();
    })
}

async fn waiting(world: &World, count: &str) {
    while !send(get(world.admin, "/metrics"))
        .await
        .text
        .contains(&format!("waypost_quota_waiting {count}\n"))
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_waits_for_room_in_a_limit_is_served_by_priority_and_then_in_turn() {
    let world = waiting_world(60_000).await;
    let events = world.one.streams();
    events
        .send(Ok(
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".to_owned(),
        ))
        .unwrap();
    let open = crate::client::open(request(world.address, CHAT, STREAM)).await;
    let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
    for (count, key) in ["sand-key", "sand-key", "alpha-key"]
        .into_iter()
        .enumerate()
    {
        call_of(&world, key, &done);
        waiting(&world, &(count + 1).to_string()).await;
    }
    drop((events, open));
    let mut keys = Vec::new();
    for _ in 0..3 {
        let (key, status) = order.recv().await.unwrap();
        assert_eq!(status, 200);
        keys.push(key);
    }
    assert_eq!(keys, ["alpha-key", "sand-key", "sand-key"]);
    let metrics = send(get(world.admin, "/metrics")).await.text;
    let served = "waypost_quota_waited_total{quota=\"1 concurrent\",outcome=\"served\"} 3";
    assert!(metrics.contains(served), "{metrics}");
    assert!(metrics.contains("waypost_quota_waiting 0"));
}

#[tokio::test]
async fn nobody_waits_for_a_limit_longer_than_it_says_or_than_he_does() {
    let world = waiting_world(100).await;
    let events = world.one.streams();
    events
        .send(Ok(
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".to_owned(),
        ))
        .unwrap();
    let open = crate::client::open(request(world.address, CHAT, STREAM)).await;
    let late = world.ask("hi").await;
    assert_eq!(
        (late.status.as_u16(), late.error("rule")),
        (429, "1 concurrent".to_owned())
    );
    let mut hasty = request(world.address, CHAT, chat("hi"));
    hasty
        .headers_mut()
        .insert("x-request-timeout", "20ms".parse().unwrap());
    assert_eq!(send(hasty).await.status, 429);
    // Who hangs up leaves the line.
    let (done, _) = tokio::sync::mpsc::unbounded_channel();
    let gone = call_of(&world, "alpha-key", &done);
    waiting(&world, "1").await;
    gone.abort();
    waiting(&world, "0").await;
    drop((events, open));
}

fn tokens(count: u64) -> waypost_policies::plan::draft::Quota {
    quota("tokens", Amount::Tokens(count), Window::Rolling(60_000))
}

/// The usual answer, whose upstream says that it used this much.
fn saying(usage: &str) -> Script {
    let answer = usual_answer().replace(crate::upstream::USAGE, usage);
    Script::Whole(hyper::StatusCode::OK, Vec::new(), answer)
}

#[tokio::test]
async fn what_was_reserved_is_the_longest_answer_that_is_asked_for() {
    let prompt = r#"{"model":"auto","messages":[{"role":"user","content":"hi"}]}"#;
    let mut counted = World::with(|draft, _| draft.quotas = vec![daily(1.0)]).await;
    counted.chat(prompt).await;
    assert_eq!(counted.one.call().await.json()["max_tokens"], 1000);
    // Where no length is counted, the caller's body stays as it is.
    let mut uncounted = World::with(|draft, _| draft.quotas = vec![requests(9)]).await;
    uncounted.chat(prompt).await;
    assert!(
        uncounted
            .one
            .call()
            .await
            .json()
            .get("max_tokens")
            .is_none()
    );
}

#[tokio::test]
async fn usage_that_cannot_be_is_not_believed() {
    let mut world = World::with(|draft, _| draft.quotas = vec![daily(1.0)]).await;
    world.one.then(saying(
        r#"{"prompt_tokens":10,"completion_tokens":900000000000,"total_tokens":900000000010}"#,
    ));
    assert_eq!(world.ask("hi").await.status, 200);
    let receipt = world.receipt().await;
    assert_eq!((receipt.usage.input, receipt.usage.output), (10, 2_000));
    assert!(receipt.estimated);
    world.one.then(saying(
        r#"{"prompt_tokens":18446744073709551615,"completion_tokens":5,"total_tokens":18446744073709551615}"#,
    ));
    assert_eq!(world.ask("hi").await.status, 200);
    let receipt = world.receipt().await;
    assert!(receipt.usage.input <= 200_000, "{}", receipt.usage.input);
}

#[tokio::test]
async fn overshoot_is_debt_that_later_calls_wait_out() {
    let world = World::with(|draft, _| draft.quotas = vec![tokens(2_500)]).await;
    world.one.then(saying(
        r#"{"prompt_tokens":10,"completion_tokens":1990,"total_tokens":2000}"#,
    ));
    assert_eq!(world.ask("hi").await.status, 200);
    // 2,000 are used of 2,500, though half of that was reserved; the next needs some thousand, which drain in half a minute.
    let refused = world.ask("hi").await;
    assert_eq!(refused.status, 429);
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn the_answer_says_how_much_is_left() {
    let world = World::with(|draft, _| draft.quotas = vec![requests(60), tokens(60_000)]).await;
    let answer = world.ask("hi").await;
    assert_eq!(answer.header("x-ratelimit-limit-requests"), "60");
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "59");
    // One a second comes back.
    assert_eq!(answer.header("x-ratelimit-reset-requests"), "1s");
    assert_eq!(answer.header("x-ratelimit-limit-tokens"), "60000");
    let left: u64 = answer
        .header("x-ratelimit-remaining-tokens")
        .parse()
        .unwrap();
    // What is reserved counts until it is settled.
    assert!((58_900..59_500).contains(&left), "{left}");
}

#[tokio::test]
async fn the_same_call_is_let_through_so_many_times() {
    let world = World::with(|draft, _| {
        draft.quotas = vec![quota(
            "3 repeats / 10m",
            Amount::Repeats(3),
            Window::Rolling(600_000),
        )];
    })
    .await;
    for _ in 0..3 {
        assert_eq!(world.ask("hi").await.status, 200);
    }
    let refused = world.ask("hi").await;
    assert_eq!(
        (refused.status.as_u16(), refused.error("rule")),
        (429, "3 repeats / 10m".to_owned())
    );
    assert_eq!(world.ask("hi!").await.status, 200);
}

#[tokio::test]
async fn what_was_reserved_and_not_used_comes_back() {
    // Each reserves some $0.002 and uses $0.00002: a hundred fit one after the other.
    let world = World::with(|draft, _| draft.quotas = vec![daily(0.006)]).await;
    for _ in 0..100 {
        assert_eq!(world.ask("hi").await.status, 200);
    }
    let metrics = send(get(world.admin, "/metrics")).await.text;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("waypost_quota_used_ratio"))
        .unwrap();
    let share: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((share - 100.0 * 0.00002 / 0.006).abs() < 1e-6, "{line}");
    assert!(metrics.contains("waypost_reservations_abandoned 0"));
}

#[tokio::test]
async fn a_failed_call_costs_nothing_but_counts_as_a_call() {
    let world = World::with(|draft, _| draft.quotas = vec![daily(1.0), requests(3)]).await;
    for _ in 0..3 {
        world.one.fails(500);
        world.two.fails(500);
        assert_eq!(world.ask("hi").await.status, 502);
    }
    assert_eq!(world.ask("hi").await.status, 429);
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(
        metrics.contains("waypost_quota_used_ratio{quota=\"daily budget\"} 0.0"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_fallback_counts_as_one_call() {
    let world = World::with(|draft, _| draft.quotas = vec![requests(2)]).await;
    world.one.fails(500).fails(500);
    assert_eq!(world.ask("hi").await.status, 200);
    assert_eq!(world.ask("hi").await.status, 200);
    assert_eq!(world.ask("hi").await.status, 429);
}

#[tokio::test]
async fn an_upstream_that_hides_usage_is_charged_by_what_it_sent() {
    let mut world = World::start().await;
    let hidden = usual_answer().replace("\"usage\"", "\"unused\"");
    world
        .one
        .then(Script::Whole(hyper::StatusCode::OK, Vec::new(), hidden));
    world.ask("hi there").await;
    let receipt = world.receipt().await;
    assert!(
        receipt.estimated
            && receipt.usage.input > 0
            && receipt.usage.output > 0
            && receipt.cost.0 > 0
    );
}

#[tokio::test]
async fn an_exhausted_budget_degrades_where_the_file_says_cap() {
    let mut world = World::with(|draft, _| {
        let mut budget = daily(0.001);
        budget.on = Some(1);
        let outcome = |share, action| QuotaOutcome { share, action };
        budget.outcomes = vec![outcome(10_000, QuotaAction::CapAt(0))];
        draft.quotas = vec![budget];
    })
    .await;
    let answer = world.ask("HARD").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-waypost-tier")),
        (200, "weak")
    );
    let receipt = world.receipt().await;
    assert_eq!(receipt.capped_by.unwrap().label, "daily budget");
}

#[tokio::test]
async fn a_budget_that_is_nearly_used_up_warns() {
    let world = World::with(|draft, _| {
        let mut budget = daily(0.1);
        let outcome = |share, action| QuotaOutcome { share, action };
        budget.outcomes = vec![
            outcome(100, QuotaAction::Warn),
            outcome(10_000, QuotaAction::Deny),
        ];
        draft.quotas = vec![budget];
    })
    .await;
    let answer = world.ask("hi").await;
    assert_eq!(
        answer.header("x-waypost-warning"),
        "`daily budget` is nearly used up"
    );
}

#[tokio::test]
async fn somebody_is_told_once_of_each_share_that_is_passed() {
    let mut hook = Upstream::start().await;
    let address = format!("http://{}/hook?token=secret", hook.address);
    let world = World::with(|draft, settings| {
        let outcome = |share, action| QuotaOutcome { share, action };
        let mut limit = requests(10);
        limit.outcomes = vec![
            outcome(2_000, QuotaAction::Warn),
            outcome(5_000, QuotaAction::Warn),
            outcome(10_000, QuotaAction::Deny),
        ];
        draft.quotas = vec![limit];
        settings.warn_webhook = Some(address);
    })
    .await;
    // What fails is tried again.
    hook.fails(503);
    for _ in 0..7 {
        assert_eq!(world.ask("hi").await.status, 200);
    }
    let _failed = hook.call().await;
    for used in [3, 6] {
        let call = hook.call().await;
        assert_eq!(call.path, "/hook?token=secret");
        let told = call.json();
        assert_eq!(told["event"], "nearly_used_up");
        assert_eq!((&told["used"], &told["of"]), (&used.into(), &10.into()));
        assert_eq!(told["caller"]["team"], "payments");
        let text = format!(
            "`requests a minute` (test.route:40) is used to {}%, last by key `alpha`, team `payments`",
            used * 10
        );
        assert_eq!(told["text"], text);
    }
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(metrics.contains("waypost_quota_warnings_total{quota=\"requests a minute\"} 5"));
    assert!(metrics.contains("waypost_webhook_messages_total{outcome=\"sent\"} "));
    assert!(!metrics.contains("outcome=\"failed\""));
    assert_eq!(hook.calls(), 0, "told of more");
}

#[tokio::test]
async fn an_attempt_that_ran_out_of_time_is_charged_for_its_prompt() {
    let mut world = World::with(|draft, _| {
        draft.tiers[0].timeout_milliseconds = 100;
        draft.quotas = vec![daily(1.0)];
        draft.tiers[0].steps.truncate(1);
    })
    .await;
    world.one.then(Script::Hang);
    let answer = send(request(world.address, CHAT, chat("hi"))).await;
    assert_eq!(answer.status, 504);
    assert_eq!(world.receipt().await.ending, Ending::Failed);
    let metrics = send(get(world.admin, "/metrics")).await.text;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("waypost_quota_used_ratio"))
        .unwrap();
    assert!(!line.ends_with(" 0.0"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_becomes_of_calls_nothing_stays_reserved() {
    let world = World::with(|draft, _| draft.quotas = vec![daily(100.0), requests(100_000)]).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..200 {
        match number % 5 {
            0 => drop(world.one.fails(503)),
            1 => drop(world.one.then(Script::Reset)),
            2 => drop(world.one.then(Script::Hang)),
            _ => {}
        }
        calls.spawn(send(request(world.address, CHAT, chat("hi"))));
    }
    // Those that hang never end by themselves: their callers give up.
    for _ in 0..160 {
        calls.join_next().await.unwrap().unwrap();
    }
    calls.shutdown().await;
    loop {
        let metrics = send(get(world.admin, "/metrics")).await.text;
        assert!(metrics.contains("waypost_reservations_abandoned 0"));
        if metrics.contains("waypost_in_flight 0") {
            assert!(metrics.contains("waypost_reservations_open 0"), "{metrics}");
            break;
        }
    }
}
