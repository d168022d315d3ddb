//! Events stay consistent whatever happens.

use std::collections::BTreeSet;

use super::super::script::{Script, random};
use super::*;

const SETTINGS: [&str; 3] = [
    "[[zone]]\nname = 'a'\nbox = [0.3, 0.3, 0.7, 0.7]\ndwell = 3\nprompts = ['x', 'y']\ndebounce = 0\n
     [[zone]]\nname = 'b'\npoints = [[0, 0], [1, 0.2], [0.5, 1]]\nlabels = ['cat']\n
     [[line]]\nname = 'l'\nfrom = [0.5, 0.1]\nto = [0.4, 0.9]\n[scene]\nhold = 0\nsmoothing = 0\n",
    "[[zone]]\nname = 'b'\nbox = [0, 0, 0.5, 1]\ndwell = 0\njitter = 0\nmin_area = 0.01\n
     [[zone]]\nname = 'a'\nbox = [0.2, 0.3, 0.7, 0.9]\n[occupancy]\nframes = 1\n
     [[line]]\nname = 'l'\nfrom = [0.5, 0.1]\nto = [0.4, 0.9]\njitter = 0\n",
    "[[zone]]\nname = 'a'\nbox = [0.3, 0.3, 0.7, 0.7]\ndwell = 1\nprompts = ['y', 'z']\n[scene]\ntags = ['cat']\n
     [[label]]\nname = 'dog'\nthreshold = 0.6\n
     [[line]]\nname = 'l'\nfrom = [0.9, 0.1]\nto = [0.4, 0.9]\n",
];

/// A visit's label, and its stay when it dwelt.
type Visit = (Arc<str>, Option<Duration>);

/// Everything that a reader of the events knows.
#[derive(Default)]
struct Reader {
    there: BTreeSet<u64>,
    visits: BTreeMap<(Arc<str>, u64), Visit>,
    counts: BTreeMap<(Arc<str>, Arc<str>), u32>,
    crossed: BTreeMap<Arc<str>, [u64; 2]>,
    state: Option<Arc<str>>,
    tags: BTreeSet<Arc<str>>,
    events: usize,
}

impl Reader {
    fn read(&mut self, event: &Event) {
        self.events += 1;
        match event.clone() {
            Event::Appear { track, .. } => assert!(self.there.insert(track)),
            Event::Disappear { track, .. } => {
                assert!(self.there.remove(&track));
                assert!(self.visits.keys().all(|(_, visitor)| *visitor != track));
            }
            Event::Enter { zone, track, label } => {
                assert!(self.there.contains(&track));
                assert!(self.visits.insert((zone, track), (label, None)).is_none());
            }
            Event::Dwell { zone, track, label, stayed } => {
                let (entered, dwelt) = self.visits.get_mut(&(zone, track)).unwrap();
                assert_eq!((&*entered, dwelt.replace(stayed)), (&label, None));
            }
            Event::Leave { zone, track, label, stayed } => {
                let (entered, dwelt) = self.visits.remove(&(zone, track)).unwrap();
                assert_eq!(entered, label);
                assert!(dwelt.is_none_or(|dwelt| dwelt <= stayed));
            }
            Event::Occupancy { zone, label, count, before } => {
                let old = self.counts.insert((zone, label), count).unwrap_or(0);
                assert!(old == before && count != before);
            }
            Event::Cross { track, label, forward, forwards, backwards, .. } => {
                assert!(self.there.contains(&track));
                let counts = self.crossed.entry(label).or_default();
                counts[usize::from(!forward)] += 1;
                assert_eq!(*counts, [forwards, backwards]);
            }
            Event::State { state, before, probability, .. } => {
                assert!(before.is_none() || before == self.state);
                assert!(Some(&state) != before.as_ref() && (0.0..=1.0).contains(&probability));
                self.state = Some(state);
            }
            Event::Tag { label, present, score } => {
                assert!((0.0..=1.0).contains(&score));
                let changed = if present { self.tags.insert(label) } else { self.tags.remove(&label) };
                assert!(changed);
            }
        }
    }
}

/// Moves the objects: mostly small steps, now and then a leap or the end.
fn walk(places: &mut BTreeMap<u64, [f64; 2]>, newest: &mut u64, seed: &mut u64) -> String {
    if random(seed, 10) == 0 && places.len() < 5 {
        *newest += 1;
        places.insert(*newest, [0.5, 0.5]);
    }
    places.retain(|_, _| random(seed, 40) > 0);
    let mut items = String::new();
    for (id, place) in places.iter_mut() {
        let reach = if random(seed, 20) == 0 { 1.0 } else { 0.08 };
        *place = place.map(|v| (v + reach * (random(seed, 1001) as f64 / 1000.0 - 0.5)).clamp(-0.1, 1.1));
        let label = ["cat", "dog"][usize::from((id + u64::from(random(seed, 15) == 0)) % 2 == 0)];
        let x = if random(seed, 50) == 0 { f64::NAN } else { place[0] };
        let unseen = if random(seed, 6) == 0 { "?" } else { "" };
        items += &format!("{id}:{label}@{x},{}*0.{}{unseen} ", place[1], 4 + random(seed, 5));
    }
    items
}

#[test]
fn events_are_consistent_whatever_happens() {
    let mut events = 0;
    for run in 1..=60 {
        let seed = &mut (run * 7919);
        let mut script = Script::new(SETTINGS[0]);
        let (mut reader, mut places, mut newest, mut clock) = (Reader::default(), BTreeMap::new(), 0, 50.0);
        for _ in 0..400 {
            match random(seed, 100) {
                0 => script.reload(SETTINGS[random(seed, 3) as usize]),
                1 => script.size = [(0, 0), (640, 480), (1280, 960), (480, 640)][random(seed, 4) as usize],
                2 => clock = random(seed, 100) as f64,
                _ => clock += 0.2,
            }
            let mut items = walk(&mut places, &mut newest, seed);
            if random(seed, 3) == 0 {
                items = items.replace("? ", " ").replace(' ', "? ") + "-";
            } else {
                let mut score = || random(seed, 11) as f64 / 10.0;
                items += &format!("cat={} rain={} #0={}/{} #1=1/0", score(), score(), score(), score());
            }
            let mut out = Vec::new();
            script.frame(clock, &items, &mut out);
            out.iter().for_each(|event| reader.read(event));
        }
        let mut out = Vec::new();
        (0..9).for_each(|i| script.frame(clock + f64::from(i), "", &mut out));
        out.iter().for_each(|event| reader.read(event));
        assert!(reader.there.is_empty() && reader.visits.is_empty(), "run {run}");
        assert!(reader.counts.values().all(|count| *count == 0), "{:?}", reader.counts);
        events += reader.events;
    }
    assert!(events > 20_000, "{events}");
}

/// Counts changes of side and compares them with the crossings: exact as nothing comes near the line.
#[test]
fn crossings_match_the_whole_path() {
    let line = "[[line]]\nname = 'l'\nfrom = [0.5, 0]\nto = [0.5, 1]\n";
    for run in 1..=50 {
        let seed = &mut (run * 104_729);
        let mut script = Script::new(line);
        let (mut side, mut expected, mut counted) = (None, [0_u32; 2], [0_u32; 2]);
        for i in 0..100 {
            let left = random(seed, 2) == 0;
            let x = 0.03 + 0.44 * random(seed, 100) as f64 / 100.0 + if left { 0.0 } else { 0.5 };
            if side.replace(left).is_some_and(|before| before != left) {
                // Looking from top to bottom, the right side is the left of the picture.
                expected[usize::from(!left)] += 1;
            }
            for event in script.run(&format!("{i} 1:cat@{x},0.{}", random(seed, 10))) {
                counted[usize::from(event.contains("backward"))] += 1;
            }
        }
        assert_eq!(counted, expected);
        assert!(counted[0].abs_diff(counted[1]) <= 1 && counted[0] > 10);
    }
}
