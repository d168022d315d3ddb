//! Reads and sets a camera's controls.

use std::io;
use std::mem::zeroed;

use v4l::Device;
use v4l::v4l_sys::{v4l2_control, v4l2_queryctrl, v4l2_querymenu};
use v4l::v4l2::vidioc;

use super::control::{CameraControl, ControlKind, ControlValue, normalised};
use super::device::{request, text};
use crate::error::{Error, Result};

/// `V4L2_CTRL_FLAG_NEXT_CTRL`: asks for the control after this id.
const NEXT: u32 = 0x8000_0000;
/// `V4L2_CTRL_FLAG_DISABLED`, `…_READ_ONLY`
const USELESS: u32 = 1 | 4;
/// `V4L2_CTRL_FLAG_INACTIVE`
const INACTIVE: u32 = 0x10;
/// Most menu entries, and most controls, that are read.
const MOST: usize = 1024;

/// A control and its id.
pub(super) struct Numbered {
    id: u32,
    pub control: CameraControl,
}

/// `VIDIOC_QUERYCTRL`: the controls that can be set, in the driver's order. Text and 64-bit controls are
/// skipped.
pub(super) fn list(device: &Device) -> Vec<Numbered> {
    let mut found = Vec::new();
    let mut id = 0;
    for _ in 0..MOST {
        // SAFETY: all fields are integers, for which zero is a value.
        let mut answer = v4l2_queryctrl { id: id | NEXT, ..unsafe { zeroed() } };
        // SAFETY: the request takes this type.
        if unsafe { request(device, vidioc::VIDIOC_QUERYCTRL, &mut answer) }.is_err() || answer.id <= id {
            break;
        }
        id = answer.id;
        if answer.flags & USELESS == 0 {
            found.extend(control(device, &answer).map(|control| Numbered { id, control }));
        }
    }
    found
}

/// A control as the driver describes it; `None` if its type is not supported.
fn control(device: &Device, about: &v4l2_queryctrl) -> Option<CameraControl> {
    let (minimum, maximum) = (i64::from(about.minimum), i64::from(about.maximum));
    // `V4L2_CTRL_TYPE_…`
    let kind = match about.type_ {
        1 => ControlKind::Integer { minimum, maximum, step: i64::from(about.step).max(1) },
        2 => ControlKind::Boolean,
        3 | 9 => ControlKind::Menu(menu(device, about)),
        4 => ControlKind::Button,
        8 => ControlKind::Bitmask(about.maximum.cast_unsigned()),
        _ => return None,
    };
    let wide = |value: i32| match kind {
        ControlKind::Bitmask(_) => i64::from(value.cast_unsigned()),
        _ => i64::from(value),
    };
    let mut answer = v4l2_control { id: about.id, value: 0 };
    // SAFETY: the request takes this type.
    let read = unsafe { request(device, vidioc::VIDIOC_G_CTRL, &mut answer) };
    let value = read.ok().filter(|()| kind != ControlKind::Button).map(|()| wide(answer.value));
    let name = normalised(&text(&about.name));
    let inactive = about.flags & INACTIVE != 0;
    Some(CameraControl { name, default: wide(about.default_value), value, inactive, kind })
}

/// `VIDIOC_QUERYMENU`: the existing entries; numbers as text.
fn menu(device: &Device, about: &v4l2_queryctrl) -> Vec<(i64, String)> {
    let mut entries = Vec::new();
    for index in (about.minimum.max(0)..=about.maximum).take(MOST) {
        // SAFETY: zero is a value of integers, and of the union of them.
        let mut answer = v4l2_querymenu { id: about.id, index: index.cast_unsigned(), ..unsafe { zeroed() } };
        // SAFETY: the request takes this type. Menus have gaps.
        if unsafe { request(device, vidioc::VIDIOC_QUERYMENU, &mut answer) }.is_err() {
            continue;
        }
        let inside = answer.__bindgen_anon_1;
        // SAFETY: the type of the control says which of the union's forms is there; both are integers.
        let entry = unsafe { if about.type_ == 9 { inside.value.to_string() } else { text(&inside.name) } };
        entries.push((i64::from(index), entry));
    }
    entries
}

/// Sets controls in the given order.
///
/// # Errors
/// [`Error::Settings`] if there is no such control, it does not accept the value, or the driver refuses.
pub(super) fn set(name: &str, device: &Device, wishes: &[(String, ControlValue)]) -> Result<()> {
    if wishes.is_empty() {
        return Ok(());
    }
    let there = list(device);
    for (wish, value) in wishes {
        let (id, value) = resolve(name, &there, wish, value)?;
        let mut argument = v4l2_control { id, value };
        // SAFETY: the request takes this type.
        unsafe { request(device, vidioc::VIDIOC_S_CTRL, &mut argument) }
            .map_err(|error| refused(name, wish, &error))?;
    }
    Ok(())
}

/// The id of a control and the number to set.
fn resolve(name: &str, there: &[Numbered], wish: &str, value: &ControlValue) -> Result<(u32, i32)> {
    let control = normalised(wish);
    let Some(Numbered { id, control }) = there.iter().find(|one| one.control.name == control) else {
        let known: Vec<String> =
            there.iter().map(|one| format!("{} ({})", one.control.name, one.control.kind)).collect();
        let expected = if known.is_empty() { "none: it has none".to_owned() } else { known.join(", ") };
        return Err(Error::settings(name, format!("no control {wish}"), expected));
    };
    let number = control.number_for(value).map_err(|expected| {
        Error::settings(name, format!("{}={value}", control.name), format!("{}={expected}", control.name))
    })?;
    // The driver's type is signed; a bitmask keeps its bits.
    let number = i32::try_from(number).or_else(|_| u32::try_from(number).map(u32::cast_signed));
    number.map(|number| (*id, number)).map_err(|_| Error::bug(format!("{wish}={value} is too large")))
}

fn refused(name: &str, control: &str, error: &io::Error) -> Error {
    let expected = "a value that the driver accepts at present; if an automatic control overrides it, switch that off first";
    Error::settings(name, format!("control {control} refused ({error})"), expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(id: u32, name: &str, kind: ControlKind) -> Numbered {
        let control = CameraControl { name: name.to_owned(), kind, default: 0, value: None, inactive: false };
        Numbered { id, control }
    }

    fn there() -> Vec<Numbered> {
        let gain = ControlKind::Integer { minimum: -1, maximum: 100, step: 1 };
        vec![numbered(7, "gain", gain), numbered(8, "bits", ControlKind::Bitmask(u32::MAX))]
    }

    #[test]
    fn wishes_become_numbers() {
        let resolve = |wish, value: &str| {
            resolve("/dev/video0", &there(), wish, &ControlValue::Text(value.to_owned())).unwrap()
        };
        assert_eq!(resolve("gain", "-1"), (7, -1));
        assert_eq!(resolve("Gain", "100"), (7, 100));
        assert_eq!(resolve("bits", "0xffffffff"), (8, -1));
    }

    #[test]
    fn a_wrong_wish_says_what_there_is() {
        let line = |there: &[Numbered], wish, value: &str| {
            let value = ControlValue::Text(value.to_owned());
            resolve("/dev/video0", there, wish, &value).unwrap_err().to_string()
        };
        let unknown = line(&there(), "iso", "5");
        let expected =
            "/dev/video0: found no control iso, expected gain (-1 to 100), bits (bits of 0xffffffff)";
        assert_eq!(unknown, expected);
        assert_eq!(line(&there(), "gain", "101"), "/dev/video0: found gain=101, expected gain=-1 to 100");
        assert!(line(&[], "gain", "1").contains("it has none"));
    }
}
