//! Bytes as MQTT 3.1.1 (OASIS, 2014) writes them.

use super::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

#[test]
fn packets_are_those_of_the_standard() {
    let connect =
        Connect { client: "a", keep_alive: 30, user: Some("u"), password: Some(b"p"), will: ("t", b"off") };
    let expected = b"\x10\x1b\0\x04MQTT\x04\xee\0\x1e\0\x01a\0\x01t\0\x03off\0\x01u\0\x01p";
    assert_eq!(written(|out| connect.write(out)), expected);
    let plain = Connect { user: None, password: None, ..connect };
    assert_eq!(written(|out| plain.write(out))[9], 0x2e);
    let publish = Publish { topic: "a/b", payload: b"hi", id: Some(258), retain: true, again: true };
    assert_eq!(written(|out| publish.write(out)), b"\x3b\x09\0\x03a/b\x01\x02hi");
    let publish = Publish { topic: "a", payload: &[7; 200], id: None, retain: false, again: false };
    assert_eq!(written(|out| publish.write(out))[..6], *b"\x30\xcb\x01\0\x01a");
    let topics = ["a/+".to_owned(), "b".to_owned()];
    assert_eq!(written(|out| subscribe(out, 9, &topics)), b"\x82\x0c\0\x09\0\x03a/+\x01\0\x01b\x01");
    assert_eq!(written(|out| taken(out, 258)), b"\x40\x02\x01\x02");
    assert_eq!(written(ping), b"\xc0\0");
    assert_eq!(written(disconnect), b"\xe0\0");
}

#[test]
fn what_a_broker_sends_is_read_packet_by_packet() {
    let bytes =
        b"\x20\x02\0\x05\x40\x02\x01\x02\x90\x04\0\x09\x01\x80\xd0\0\x33\x07\0\x01a\0\x03hi\x30\x03\0\x01b";
    let message = |topic: &str, payload: &[u8], id, retained| Incoming::Message {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        id,
        retained,
    };
    let expected = [
        Incoming::Connected(5),
        Incoming::Taken(258),
        Incoming::Subscribed { refused: 1 },
        Incoming::Pong,
        message("a", b"hi", Some(3), true),
        message("b", b"", None, false),
    ];
    let mut rest = &bytes[..];
    for expected in expected {
        let (found, length) = read(rest).unwrap().unwrap();
        assert_eq!(found, expected);
        // No part of it is taken for a whole.
        (0..length).for_each(|cut| assert_eq!(read(&rest[..cut]).unwrap(), None));
        rest = &rest[length..];
    }
    assert!(rest.is_empty());
}

#[test]
fn what_is_no_packet_is_refused() {
    for bytes in [
        &b"\x30\xff\xff\xff\xff\x01"[..],
        b"\x30\xff\xff\x7f",
        b"\x40\x01\0",
        b"\x20\x01\0",
        b"\x90\x01\0",
        b"\x30\x02\0\x05",
        b"\x30\x03\0\x01\xff",
        b"\x32\x04\0\x01a\0",
        b"\x34\x05\0\x01a\0\x01",
        b"\x10\0",
        b"\0\0",
    ] {
        assert!(read(bytes).is_err(), "{bytes:?}");
    }
    // Whatever comes, reading ends.
    for seed in 0..2000_u32 {
        let bytes: Vec<u8> =
            (0..40_u32).map(|i| (seed.wrapping_mul(2_654_435_761).rotate_left(i) >> 7) as u8).collect();
        if let Ok(Some((_, length))) = read(&bytes) {
            assert!((2..=bytes.len()).contains(&length));
        }
    }
}
