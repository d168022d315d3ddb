use super::*;

/// Start, a segment, a scan with a stuffed and a restart marker, end.
const SMALL: &[u8] =
    &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 7, 0xff, 0, 0xff, 0xd1, 7, 0xff, 0xd9];

#[test]
fn each_broken_part_is_told_between_the_frames() {
    let bytes = [SMALL, b"xx", SMALL, &SMALL[..9]].concat();
    let mut stream = Mjpeg::new(Input::new("x", std::io::Cursor::new(bytes)));
    let mut told = Vec::new();
    loop {
        match stream.next().unwrap() {
            Piece::Frame(frame) => {
                assert_eq!(frame.bytes, SMALL);
                told.push("frame".to_owned());
            }
            Piece::Broken(why) => told.push(why),
            Piece::Nothing => panic!("a file has something or has ended"),
            Piece::End => break,
        }
    }
    assert_eq!(told, ["frame", "bytes that are not JPEG", "frame", "cut short by the end of the input"]);
}
