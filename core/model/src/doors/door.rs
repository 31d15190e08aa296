//! What a door is shown as.

use crate::records::dwelling::Occupancy;

labels! {
    /// What a door is shown as on the board of its building.
    DoorState {
        /// People live there.
        LivedIn = "lived_in", "有人居住", "Lived in";
        /// A worker said that nobody lives there, and nobody is recorded.
        Vacant = "vacant", "空置", "Vacant";
        /// Nobody is recorded, and nobody said that it is empty.
        Unrecorded = "unrecorded", "未登记", "Nobody recorded";
        /// One worker called it empty while another recorded people there: somebody has to say which holds.
        Disputed = "disputed", "待核实", "Disputed";
    }
}

/// The state of a door with so many inhabitants, given what the dwelling's record claims. A door with people behind
/// it is never shown as vacant.
pub fn door_state(people: usize, claim: Option<&Occupancy>) -> DoorState {
    match (people, claim) {
        (0, Some(Occupancy::Vacant)) => DoorState::Vacant,
        (0, _) => DoorState::Unrecorded,
        (_, Some(Occupancy::Vacant)) => DoorState::Disputed,
        _ => DoorState::LivedIn,
    }
}

/// The floor that a door number of three or four digits states: 501 is on the fifth, 1203 on the twelfth. `None` for
/// all others, and for floors that no house has.
pub fn floor_of_room(room: &str) -> Option<i64> {
    let digits: String = crate::codes::normalise(room).chars().take_while(char::is_ascii_digit).collect();
    if !(3..=4).contains(&digits.len()) {
        return None;
    }
    let floor = digits.parse::<i64>().ok()? / 100;
    (1..=99).contains(&floor).then_some(floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_with_people_is_never_vacant() {
        assert_eq!(door_state(0, Some(&Occupancy::Vacant)), DoorState::Vacant);
        assert_eq!(door_state(2, Some(&Occupancy::Vacant)), DoorState::Disputed);
        assert_eq!(door_state(2, None), DoorState::LivedIn);
        assert_eq!(door_state(0, Some(&Occupancy::Occupied)), DoorState::Unrecorded);
    }

    #[test]
    fn floors_are_read_from_door_numbers() {
        for (room, floor) in [
            ("501", Some(5)),
            ("1203", Some(12)),
            ("５０１室", Some(5)),
            ("501-2", Some(5)),
            ("12", None),
            ("东户", None),
            ("", None),
            ("99999", None),
            ("001", None),
        ] {
            assert_eq!(floor_of_room(room), floor, "{room}");
        }
    }
}
