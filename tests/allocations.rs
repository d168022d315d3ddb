//! Frames after the first must cost no memory: only the parts that tract runs in float may allocate, and those not much.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use edgeclip_engine::Engine;

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and bytes of `work`.
fn allocated(work: impl FnOnce()) -> (usize, usize) {
    let before = (COUNT.load(Ordering::SeqCst), BYTES.load(Ordering::SeqCst));
    work();
    (COUNT.load(Ordering::SeqCst) - before.0, BYTES.load(Ordering::SeqCst) - before.1)
}

#[test]
fn a_frame_after_the_first_takes_no_memory() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/models/default/vision.onnx");
    for threads in [1, 3] {
        let network = Engine::options().threads(threads).open(file).unwrap();
        let values = network.input().shape.iter().product();
        let mut outputs = network.run(&vec![3i8; values][..]).unwrap();
        let input = vec![12i8; values];
        let mut pass = || allocated(|| network.run_into(&input[..], &mut outputs).unwrap());
        // A thread of the team needs its own scratch when it first gets a large part, on a busy machine long after
        // the others.
        let mut frame = (usize::MAX, 0);
        let mut same = 0;
        for _ in 0..300 {
            let next = pass();
            same = if next == frame { same + 1 } else { 0 };
            frame = next;
            if same == 10 {
                break;
            }
        }
        assert_eq!(same, 10, "frames go on allocating: {frame:?}");
        let islands = network.steps().iter().filter(|step| step.refusal.is_some()).count();
        println!("{threads} threads: {} allocations, {} bytes a frame, {islands} islands", frame.0, frame.1);
        assert!(frame.0 <= 100 * islands && frame.1 <= 65_536 * islands, "{frame:?} of {islands} islands");
    }
}
