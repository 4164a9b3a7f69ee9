#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use waypost_policies::decision::{Charge, Key};
use waypost_policies::limits::{Calendar, Quota, Reservation, Spent, State, Unit, Window};
use waypost_policies::plan::draft::Period;

use super::*;

const NOON: i64 = 1_795_521_600_000_000_000;

/// A folder that is gone with its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("waypost-ledger-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "ledger"))
            .collect();
        paths.sort();
        paths
    }

    fn last_segment(&self) -> PathBuf {
        self.segments().pop().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fresh(seed: [u64; 2]) -> State {
    let quotas = [
        Quota {
            unit: Unit::Tokens,
            amount: 100,
            window: Window::Rolling {
                nanoseconds: 3_600_000_000_000,
                burst: 1_000_000,
            },
        },
        Quota {
            unit: Unit::Money,
            amount: 1_000_000,
            window: Window::Calendar(Calendar::utc(Period::Day)),
        },
    ];
    State::with_quotas(quotas, [], seed)
}

fn open(path: &Path) -> Result<(Arc<State>, Keeper), LedgerError> {
    Keeper::open(path, fresh, NOON)
}

fn key(state: &State, number: u64) -> Key {
    state.key(&number.to_string())
}

fn reserve(state: &State, number: u64, amount: u64) -> Reservation {
    let charge = |quota| Charge {
        quota,
        key: key(state, number),
        amount,
        bound: 1_000_000,
    };
    state.reserve(&[charge(0), charge(1)], NOON).unwrap()
}

fn spent(amount: u64) -> Spent {
    Spent {
        requests: 1,
        tokens: amount,
        money: amount,
    }
}

fn used(state: &State, number: u64) -> [u64; 2] {
    [0, 1].map(|quota| state.usage(quota, key(state, number), NOON).used)
}

/// A copy of a folder, as a crash at this moment would leave it, without what its process holds.
fn crash(folder: &Scratch) -> Scratch {
    let copy = Scratch::new();
    fs::create_dir(&copy.0).unwrap();
    for entry in fs::read_dir(&folder.0).unwrap() {
        let path = entry.unwrap().path();
        // A file that the keeper removes meanwhile is one that is not needed.
        let _ = fs::copy(&path, copy.0.join(path.file_name().unwrap()));
    }
    copy
}

/// Until the first checkpoint is there and synced: one segment, which stands for itself.
fn settle_down(folder: &Scratch) {
    while folder.segments().len() > 1 || !is_quiet(folder) {
        std::thread::yield_now();
    }
}

fn is_quiet(folder: &Scratch) -> bool {
    let bytes = fs::read(folder.last_segment()).unwrap();
    frame::Marker::find_all(&bytes).count() > 0
}

#[test]
fn what_was_committed_is_there_after_a_crash_and_a_stop() {
    let folder = Scratch::new();
    let (state, keeper) = open(&folder.0).unwrap();
    let held = reserve(&state, 1, 70);
    keeper.ledger().commit(held.position()).unwrap();
    let crashed = crash(&folder);
    let (back, kept) = open(&crashed.0).unwrap();
    assert_eq!(used(&back, 1), [70, 70]);
    drop((back, kept));
    let position = state.settle(held, spent(20), NOON);
    keeper.ledger().commit(position).unwrap();
    drop(keeper);
    for _ in 0..3 {
        let (back, kept) = open(&folder.0).unwrap();
        assert_eq!(used(&back, 1), [20, 20]);
        drop(kept);
    }
}

#[test]
fn one_process_at_a_time() {
    let folder = Scratch::new();
    let (_state, keeper) = open(&folder.0).unwrap();
    assert!(matches!(open(&folder.0), Err(LedgerError::Locked(_))));
    drop(keeper);
    open(&folder.0).unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Scratch::new();
    let (_state, _keeper) = open(&folder.0).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    for entry in fs::read_dir(&folder.0).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

fn message(folder: &Scratch) -> String {
    match open(&folder.0) {
        Ok(_) => panic!("it opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn damage_in_what_was_synced_is_an_error_that_names_the_file() {
    let folder = Scratch::new();
    let (state, keeper) = open(&folder.0).unwrap();
    settle_down(&folder);
    for number in 0..20 {
        state.add(1, key(&state, number), 5, NOON);
    }
    drop(keeper);
    let path = folder.last_segment();
    let whole = fs::read(&path).unwrap();
    // Anywhere in the content but the very end, where only the last marker stands.
    for offset in [45, whole.len() / 2, whole.len() - 200] {
        let mut bytes = whole.clone();
        bytes[offset] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        let message = message(&folder);
        assert!(
            message.contains(path.to_str().unwrap()) && message.contains("damaged at byte"),
            "{message}"
        );
    }
    fs::write(&path, &whole).unwrap();
    let (back, _keeper) = open(&folder.0).unwrap();
    assert_eq!(used(&back, 7), [0, 5]);
}

#[test]
fn a_seed_a_header_or_a_segment_that_is_gone_or_wrong_is_an_error() {
    let folder = Scratch::new();
    // The second segment stands for itself once it has its checkpoint.
    drop(open(&folder.0).unwrap());
    let opened = open(&folder.0).unwrap();
    settle_down(&folder);
    drop(opened);
    let seed = folder.0.join("seed");
    let text = fs::read_to_string(&seed).unwrap();
    fs::remove_file(&seed).unwrap();
    assert!(message(&folder).contains("seed` is missing"));
    fs::write(&seed, "0123456789abcdef0123456789abcdef\n").unwrap();
    assert!(message(&folder).contains("another seed's"));
    fs::write(&seed, "zebra").unwrap();
    assert!(message(&folder).contains("32 hexadecimal digits"));
    fs::write(&seed, text).unwrap();
    let path = folder.last_segment();
    let whole = fs::read(&path).unwrap();
    let mut newer = whole.clone();
    newer[16] = 2;
    fs::write(&path, newer).unwrap();
    assert!(message(&folder).contains("has version 2"));
    fs::write(&path, b"something else").unwrap();
    assert!(message(&folder).contains("no ledger"));
    fs::write(&path, &whole).unwrap();
    // The one before it is needed as long as this one has no checkpoint.
    let header = 40 + u64::from(u32::from_le_bytes(whole[40..44].try_into().unwrap())) + 8;
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(header)
        .unwrap();
    assert!(message(&folder).contains("is missing"), "{path:?}");
}

#[test]
fn checkpoints_make_old_segments_superfluous() {
    let folder = Scratch::new();
    for round in 0..4 {
        let (state, keeper) = open(&folder.0).unwrap();
        settle_down(&folder);
        assert_eq!(folder.segments().len(), 1, "{round}");
        let position = state.add(1, key(&state, 1), 10, NOON);
        keeper.ledger().commit(position).unwrap();
    }
    let (state, _keeper) = open(&folder.0).unwrap();
    assert_eq!(used(&state, 1), [0, 40]);
}

#[tokio::test]
async fn it_is_secure_once_it_is_synced() {
    let folder = Scratch::new();
    let (state, keeper) = open(&folder.0).unwrap();
    let position = state.add(1, key(&state, 1), 10, NOON);
    keeper.ledger().commit(position).unwrap();
    keeper.ledger().secure(position).await;
    assert!(keeper.ledger().synced.borrow().position >= position.0);
}

#[test]
fn many_threads_lose_nothing() {
    let folder = Scratch::new();
    let (state, keeper) = open(&folder.0).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (state, keeper) = (&state, &keeper);
            scope.spawn(move || {
                for call in 0..200 {
                    let held = reserve(state, call % 7, 5);
                    keeper.ledger().commit(held.position()).unwrap();
                    if (call + thread) % 3 != 0 {
                        keeper
                            .ledger()
                            .commit(state.settle(held, spent(2), NOON))
                            .unwrap();
                    } else {
                        keeper.ledger().commit(state.refund(held, NOON)).unwrap();
                    }
                }
            });
        }
    });
    let crashed = crash(&folder);
    let (back, _kept) = open(&crashed.0).unwrap();
    for number in 0..7 {
        assert_eq!(used(&back, number), used(&state, number));
    }
}

/// A step of a run: which key, how much, and what becomes of it.
type Step = (u64, u64, Option<u64>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Cut off at any byte, what is there is what was used after some number of steps: all those whose bytes are
    /// there. Nothing acknowledged before is lost, nothing is invented.
    #[test]
    fn a_log_that_is_cut_anywhere_gives_what_was_used_at_that_moment(
        steps in prop::collection::vec((0..3_u64, 1..100_u64, prop::option::of(0..150_u64)), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let folder = Scratch::new();
        let (state, keeper) = open(&folder.0).unwrap();
        settle_down(&folder);
        let path = folder.last_segment();
        let amounts = |state: &State| [0, 1, 2].map(|number| used(state, number));
        let length = |path: &Path| fs::metadata(path).unwrap().len();
        // After each acknowledgement: how long the file was at least, and what was used.
        let mut moments = vec![(length(&path), amounts(&state))];
        for &(number, amount, end) in &steps as &[Step] {
            let held = reserve(&state, number, amount);
            keeper.ledger().commit(held.position()).unwrap();
            moments.push((length(&path), amounts(&state)));
            match end {
                Some(used) => {
                    keeper.ledger().commit(state.settle(held, spent(used), NOON)).unwrap();
                    moments.push((length(&path), amounts(&state)));
                }
                // The call is in flight when the process ends.
                None => drop(held),
            }
        }
        let crashed = crash(&folder);
        drop(keeper);
        let path = crashed.last_segment();
        let (start, whole) = (moments[0].0, length(&path));
        let cut = start + cut.index(usize::try_from(whole - start + 1).unwrap()) as u64;
        File::options().write(true).open(&path).unwrap().set_len(cut).unwrap();
        let (back, _kept) = open(&crashed.0).unwrap();
        let back = amounts(&back);
        let acknowledged = moments.iter().rposition(|(length, _)| *length <= cut).unwrap();
        // A marker may have stood before the next record: then the cut lies in it, and this is the moment.
        let possible = &moments[acknowledged..(acknowledged + 2).min(moments.len())];
        prop_assert!(possible.iter().any(|(_, used)| *used == back), "{back:?} is none of {possible:?}");
    }

    /// Whatever bytes stand at the end of a file: they are cut off, or it is an error; what was committed stays.
    #[test]
    fn noise_at_the_end_hides_nothing(noise in prop::collection::vec(any::<u8>(), 1..200)) {
        let folder = Scratch::new();
        let (state, keeper) = open(&folder.0).unwrap();
        keeper.ledger().commit(state.add(1, key(&state, 1), 10, NOON)).unwrap();
        let crashed = crash(&folder);
        drop(keeper);
        let path = crashed.last_segment();
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend(noise);
        fs::write(&path, bytes).unwrap();
        let (back, _kept) = open(&crashed.0).unwrap();
        prop_assert_eq!(used(&back, 1), [0, 10]);
    }
}

#[test]
fn a_write_that_fails_refuses_and_goes_on_at_the_same_place() {
    let folder = Scratch::new();
    let (state, keeper) = open(&folder.0).unwrap();
    settle_down(&folder);
    keeper
        .ledger()
        .commit(state.add(1, key(&state, 1), 10, NOON))
        .unwrap();
    let (number, length) = {
        let writer = lock(&keeper.ledger().writer);
        (writer.extent().segment, writer.extent().length)
    };
    // A file that is open for reading alone fails as a full disk does: at the write.
    let path = keeper.ledger().folder.segment_path(number);
    lock(&keeper.ledger().writer).move_to(File::open(&path).unwrap(), number, length);
    let held = reserve(&state, 2, 30);
    assert_eq!(keeper.ledger().commit(held.position()), Err(Unrecorded));
    assert!(keeper.ledger().is_failing());
    assert!(
        keeper
            .ledger()
            .trouble()
            .unwrap()
            .contains(folder.0.to_str().unwrap())
    );
    state.refund(held, NOON);
    let late = state.add(1, key(&state, 1), 5, NOON);
    let file = File::options().read(true).write(true).open(&path).unwrap();
    lock(&keeper.ledger().writer).move_to(file, number, length);
    keeper.ledger().commit(late).unwrap();
    assert!(!keeper.ledger().is_failing() && keeper.ledger().trouble().is_none());
    drop(keeper);
    let (back, _keeper) = open(&folder.0).unwrap();
    assert_eq!([used(&back, 1), used(&back, 2)], [[0, 15], [0, 0]]);
}

/// After a sync that failed nothing that was written before is trusted: everything is written anew.
#[test]
fn a_sync_that_fails_is_answered_with_a_new_file() {
    let folder = Scratch::new();
    let (state, keeper) = open(&folder.0).unwrap();
    settle_down(&folder);
    keeper
        .ledger()
        .commit(state.add(1, key(&state, 1), 10, NOON))
        .unwrap();
    let before = folder.last_segment();
    keeper
        .ledger()
        .unsynced(&std::io::Error::other("the disk is gone"));
    while keeper.ledger().is_failing() || folder.segments().len() > 1 {
        std::thread::yield_now();
    }
    assert_ne!(folder.last_segment(), before);
    let crashed = crash(&folder);
    let (back, _kept) = open(&crashed.0).unwrap();
    assert_eq!(used(&back, 1), [0, 10]);
}

/// A plan that takes the place of another goes on in the same folder; what is said in the other's terms is over.
#[test]
fn another_state_takes_over() {
    let folder = Scratch::new();
    let (state, keeper) = open(&folder.0).unwrap();
    settle_down(&folder);
    let before = folder.last_segment();
    let open_call = reserve(&state, 1, 70);
    let (number, next) = keeper.follow(fresh(keeper.ledger().folder.seed()));
    // Not written yet, and there from the first checkpoint on.
    assert_eq!(next.add(1, key(&next, 1), 10, NOON), Position::default());
    keeper.turn_to(number, &next);
    assert!(keeper.record(next.add(1, key(&next, 1), 20, NOON)));
    assert_eq!(state.settle(open_call, spent(1), NOON), Position::default());
    while folder.last_segment() == before || folder.segments().len() > 1 {
        std::thread::yield_now();
    }
    let crashed = crash(&folder);
    let (back, _kept) = open(&crashed.0).unwrap();
    assert_eq!(used(&back, 1), [0, 30]);
}
