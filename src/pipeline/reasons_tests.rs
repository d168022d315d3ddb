use super::*;

/// Counts that are told of these failures, one a second from the `start`th on.
fn told(reasons: &mut Reasons, begin: Instant, start: u64, failures: u64, why: &str) -> Vec<u64> {
    let at = |second| begin + Duration::from_secs(second);
    (start..start + failures).filter_map(|second| reasons.failed(why, at(second))).collect()
}

#[test]
fn a_long_outage_is_told_ever_more_rarely_and_its_end_once() {
    let (mut reasons, begin) = (Reasons::default(), Instant::now());
    assert_eq!(told(&mut reasons, begin, 0, 100, "full"), [1, 2, 4, 8, 16, 32, 64]);
    let recovery = reasons.succeeded(begin + Duration::from_secs(100)).unwrap();
    assert_eq!(recovery, Recovery { failures: 100, lasted: Duration::from_secs(100) });
    assert_eq!(recovery.to_string(), "again after 100 failures, 100 s");
    assert_eq!(reasons.succeeded(begin + Duration::from_secs(101)), None);
    assert_eq!(Recovery { failures: 1, ..recovery }.to_string(), "again after 1 failure, 100 s");
}

#[test]
fn a_new_reason_does_not_hide_behind_an_old_one() {
    let (mut reasons, begin) = (Reasons::default(), Instant::now());
    told(&mut reasons, begin, 0, 300, "full");
    assert_eq!(told(&mut reasons, begin, 300, 5, "read-only"), [1, 2, 4]);
    assert_eq!(told(&mut reasons, begin, 305, 211, "full"), [0u64; 0]);
    assert_eq!(told(&mut reasons, begin, 516, 1, "full"), [512]);
}

#[test]
fn numbers_do_not_make_a_reason_new() {
    let (mut reasons, begin) = (Reasons::default(), Instant::now());
    let told = (0..8).filter_map(|i| reasons.failed(&format!("{i} of {} bytes", i * 1000), begin));
    assert_eq!(told.collect::<Vec<_>>(), [1, 2, 4, 8]);
}

#[test]
fn another_outage_is_told_at_once_unless_they_keep_coming() {
    let (mut reasons, begin) = (Reasons::default(), Instant::now());
    let at = |second| begin + Duration::from_secs(second);
    told(&mut reasons, begin, 0, 1000, "gone");
    assert!(reasons.succeeded(at(1000)).is_some());
    assert_eq!(told(&mut reasons, begin, 1060, 3, "gone"), [1001, 1002]);
    assert!(reasons.succeeded(at(1063)).is_some());
    // A failure and a success in turn, ten times a second for a day.
    let tenth = |i: u64| at(2000) + Duration::from_millis(100 * i);
    let (mut failures, mut recoveries) = (0, 0);
    for i in 0..864_000 {
        if i % 2 == 0 {
            failures += u32::from(reasons.failed("gone", tenth(i)).is_some());
        } else {
            recoveries += u32::from(reasons.succeeded(tenth(i)).is_some());
        }
    }
    assert!((140..180).contains(&failures) && failures == recoveries, "{failures} {recoveries}");
}

#[test]
fn after_a_long_time_a_reason_is_new_again() {
    let (mut reasons, begin) = (Reasons::default(), Instant::now());
    told(&mut reasons, begin, 0, 100, "gone");
    assert_eq!(told(&mut reasons, begin, 700, 3, "gone"), [1, 2]);
}

#[test]
fn what_is_held_is_bounded() {
    let (mut reasons, begin) = (Reasons::default(), Instant::now());
    let letters = |i: u32| char::from_u32(0x4e00 + i).unwrap().to_string();
    let told = (0..10_000).filter(|i| reasons.failed(&letters(*i), begin).is_some()).count();
    assert_eq!(reasons.seen.len(), REASONS);
    assert!(told < 40, "{told}");
}
