use super::disk::name;
use super::*;

fn push(spool: &mut Spool, range: std::ops::Range<usize>) {
    range.for_each(|i| spool.push(format!("t/{i}"), format!("{i:0>100}")));
}

/// Sends all there is, as to a broker that takes each at once.
fn drain(spool: &mut Spool) -> Vec<usize> {
    let mut seen = Vec::new();
    while let Some(message) = spool.next() {
        seen.push(message.payload.parse().unwrap());
        spool.taken(message.number);
    }
    seen
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count() - 1
}

#[test]
fn events_keep_their_order_through_disconnections() {
    let folder = tempfile::tempdir().unwrap();
    for mut spool in [Spool::in_memory(), Spool::open(folder.path(), 1 << 20).unwrap()] {
        push(&mut spool, 0..5);
        spool.connected();
        let first = spool.next().unwrap();
        spool.taken(first.number);
        let unanswered = vec![spool.next().unwrap(), spool.next().unwrap()];
        push(&mut spool, 5..8);
        spool.disconnected(unanswered);
        push(&mut spool, 8..900);
        spool.connected();
        let next = spool.next().unwrap();
        assert!(next.again && next.payload.ends_with("01"), "{next:?}");
        spool.disconnected(vec![next]);
        spool.connected();
        assert_eq!(drain(&mut spool), (1..900).collect::<Vec<_>>());
        // While they are taken, nothing need be written.
        push(&mut spool, 900..910);
        assert_eq!(drain(&mut spool), (900..910).collect::<Vec<_>>());
        assert_eq!(spool.lost(), 0);
    }
    assert_eq!(files(folder.path()), 0);
}

#[test]
fn what_is_on_the_disk_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    push(&mut spool, 0..700);
    assert!(files(folder.path()) > 1);
    let busy = Spool::open(folder.path(), 1 << 20).unwrap_err().to_string();
    assert!(busy.contains("a folder that another edgeclip uses"), "{busy}");
    drop(spool);
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    push(&mut spool, 700..710);
    spool.connected();
    assert_eq!(drain(&mut spool), (0..710).collect::<Vec<_>>());
    drop(spool);
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    assert_eq!(drain(&mut spool), Vec::<usize>::new());
}

#[test]
fn a_line_that_was_cut_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    push(&mut spool, 0..3);
    drop(spool);
    let file = folder.path().join(name(0));
    let text = std::fs::read(&file).unwrap();
    std::fs::write(&file, &text[..text.len() - 20]).unwrap();
    let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
    assert_eq!(drain(&mut spool), [0, 1]);
}

#[test]
fn beyond_the_bound_the_oldest_are_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 200_000).unwrap();
    push(&mut spool, 0..5000);
    let lost = spool.lost() as usize;
    assert!((2000..4900).contains(&lost), "{lost}");
    assert_eq!(spool.lost(), 0);
    spool.connected();
    assert_eq!(drain(&mut spool), (lost..5000).collect::<Vec<_>>());
    let mut spool = Spool::in_memory();
    push(&mut spool, 0..20_000);
    let lost = spool.lost() as usize;
    assert!((8000..15_000).contains(&lost), "{lost}");
    assert_eq!(drain(&mut spool), (lost..20_000).collect::<Vec<_>>());
}

#[test]
fn a_folder_that_was_taken_away_is_made_again() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("spool");
    let mut spool = Spool::open(&folder, 1 << 20).unwrap();
    push(&mut spool, 0..2);
    std::fs::remove_dir_all(&folder).unwrap();
    push(&mut spool, 2..900);
    spool.connected();
    let seen = drain(&mut spool);
    // What was in the file that is gone is lost; no more than one file of events.
    assert!(seen.len() > 300 && *seen.last().unwrap() == 899, "{}", seen.len());
}
