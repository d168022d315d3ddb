//! What processes that decode keep of their rights.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::message::{Job, Order};
use crate::source::network::Destination;
use crate::system::{Grant, NAME_SERVER, Profile, Reach, Right, resolver, seal, trusted};

/// Whether workers of this process are to be sealed.
static SEALED: AtomicBool = AtomicBool::new(false);

/// Gives the process the name that `ps` shows instead of `exe`.
pub(super) fn call_apart() {
    let _ = fs::write("/proc/self/comm", "edgeclip-apart");
}

/// Seals the process that starts keepers for these sources. Those seal further what they start.
///
/// # Errors
/// The kernel cannot.
pub(super) fn seal_nursery(orders: &[Order]) -> io::Result<()> {
    let (mut all, mut reach) =
        (Profile { limits: true, forks: true, ..Profile::default() }, Reach::default());
    for (profile, theirs) in orders.iter().map(rights) {
        all.network |= profile.network;
        all.names |= profile.names;
        all.packets |= profile.packets;
        all.reads |= profile.reads;
        reach.files.extend(theirs.files);
        reach.ports.extend(theirs.ports);
    }
    seal(&all, &reach)?;
    SEALED.store(true, Ordering::Relaxed);
    Ok(())
}

/// Seals the process that does what this order says, where the program is sealed.
///
/// # Errors
/// The kernel cannot.
pub(super) fn seal_worker(order: &Order) -> io::Result<()> {
    if !is_sealed() {
        return Ok(());
    }
    let (profile, reach) = rights(order);
    seal(&profile, &reach)
}

/// Whether workers of this process are sealed.
pub(super) fn is_sealed() -> bool {
    SEALED.load(Ordering::Relaxed)
}

/// What is needed for an order: for pictures nothing, for a camera its port, and what it takes to look up its
/// name.
fn rights(order: &Order) -> (Profile, Reach) {
    let (destination, ca) = match &order.job {
        Job::Camera { address, ca, .. } => (Destination::of(address), ca.as_deref()),
        Job::Pictures { .. } => (None, None),
    };
    let mut profile = Profile { limits: true, ..Profile::default() };
    let mut reach = Reach::default();
    if let Some(Destination { port, is_name, packets, is_tls, .. }) = destination {
        profile = Profile { network: true, names: is_name, packets, reads: is_tls, ..profile };
        reach.ports.push(port);
        if is_name {
            reach.ports.push(NAME_SERVER);
            reach.files = resolver();
        }
        if is_tls {
            // Read anew for each process.
            reach.files.extend(trusted(ca).map(|file| Grant::new(&file, Right::Read)));
        }
    }
    (profile, reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(job: Job) -> (Profile, Reach) {
        rights(&Order { job, megabytes: 64, setting: String::new(), picture_mb: 1 })
    }

    #[test]
    fn pictures_need_nothing_and_cameras_their_port() {
        let (profile, reach) = of(Job::Pictures { of: "http://10.0.0.2/x".to_owned() });
        assert_eq!(profile, Profile { limits: true, ..Profile::default() });
        assert!(reach.files.is_empty() && reach.ports.is_empty());
        let camera = |address: &str| {
            of(Job::Camera {
                address: address.to_owned(),
                fps: None,
                stall: None,
                ca: Some("/etc/hostname".into()),
            })
        };
        let (profile, reach) = camera("rtsp://10.0.0.2:8554/x");
        assert_eq!(profile, Profile { limits: true, network: true, ..Profile::default() });
        assert!(reach.files.is_empty());
        assert_eq!(reach.ports, [8554]);
        let (profile, reach) = camera("rtsp://cam/x?transport=udp");
        assert!(profile.names && profile.packets && !profile.files && !profile.forks);
        assert_eq!(reach.ports, [554, NAME_SERVER]);
        let (profile, reach) = camera("https://10.0.0.2/x");
        assert_eq!(profile, Profile { limits: true, network: true, reads: true, ..Profile::default() });
        let file = Grant { path: "/etc/hostname".into(), right: Right::Read };
        assert_eq!((reach.ports.as_slice(), reach.files.as_slice()), (&[443][..], &[file][..]));
    }
}
