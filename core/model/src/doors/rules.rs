//! What a deployment decides about doors: data, edited without a release. The file that new deployments start with is
//! `schemas/rules/doors.json`.

use serde_json::{Map, Value, json};

use super::pace::DoorLimit;

/// The rules. Server and phones of a deployment hold the same.
#[derive(Clone, Debug, PartialEq)]
pub struct DoorRules {
    /// How many doors can be confirmed in person within how long.
    pub limits: Vec<DoorLimit>,
    /// How fast a worker gets from door to door, on foot or by bicycle.
    pub metres_per_second: f64,
    /// Metres that count as no distance: the breadth of a house and the error of positions.
    pub slack_m: f64,
    /// Metres within which the doors lie that one tap confirms in person: a long block, a lane.
    pub together_m: f64,
    /// Days after which a door is to be confirmed again.
    pub verify_days: u32,
    /// Days for which an operation can be undone.
    pub undo_days: u32,
}

/// A file of rules that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DoorRulesError {
    /// Not JSON, or not an object.
    #[error("the rules for doors are not a JSON object")]
    NotAnObject,
    /// A value that is missing, of another type, or out of its range.
    #[error("the rules for doors have no usable `{field}`")]
    Field {
        /// Which.
        field: &'static str,
    },
}

impl Default for DoorRules {
    /// Our choice: a long floor at once, a tower in an hour, 400 doors in a day.
    fn default() -> Self {
        let limit = |doors, seconds| DoorLimit { doors, seconds };
        Self {
            limits: vec![limit(24, 120), limit(60, 1_800), limit(120, 7_200), limit(400, 57_600)],
            metres_per_second: 5.0,
            slack_m: 60.0,
            together_m: 200.0,
            verify_days: 180,
            undo_days: 7,
        }
    }
}

impl DoorRules {
    /// Reads a file of rules. Keys of a newer version are passed over.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, DoorRulesError> {
        let Ok(Value::Object(all)) = serde_json::from_str(text) else {
            return Err(DoorRulesError::NotAnObject);
        };
        let rows = all.get("limits").and_then(Value::as_array);
        let limits = rows.ok_or(DoorRulesError::Field { field: "limits" })?.iter().map(limit);
        Ok(Self {
            limits: limits.collect::<Result<_, _>>()?,
            metres_per_second: real(&all, "metres_per_second", 0.1, 100.0)?,
            slack_m: real(&all, "slack_m", 0.0, 10_000.0)?,
            together_m: real(&all, "together_m", 0.0, 10_000.0)?,
            verify_days: whole(&all, "verify_days", 1, 3_660)?,
            undo_days: whole(&all, "undo_days", 0, 366)?,
        })
    }

    /// The file of these rules.
    pub fn to_json(&self) -> String {
        let limits: Vec<Value> = self
            .limits
            .iter()
            .map(|limit| json!({ "doors": limit.doors, "seconds": limit.seconds }))
            .collect();
        let all = json!({
            "limits": limits,
            "metres_per_second": self.metres_per_second,
            "slack_m": self.slack_m,
            "together_m": self.together_m,
            "verify_days": self.verify_days,
            "undo_days": self.undo_days,
        });
        format!("{all:#}\n")
    }
}

fn limit(row: &Value) -> Result<DoorLimit, DoorRulesError> {
    let row = row.as_object().ok_or(DoorRulesError::Field { field: "limits" })?;
    Ok(DoorLimit { doors: whole(row, "doors", 1, 100_000)?, seconds: whole(row, "seconds", 1, 31 * 86_400)? })
}

fn whole<T: TryFrom<i64>>(
    all: &Map<String, Value>,
    field: &'static str,
    min: i64,
    max: i64,
) -> Result<T, DoorRulesError> {
    let number = all.get(field).and_then(Value::as_i64).filter(|number| (min..=max).contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or(DoorRulesError::Field { field })
}

fn real(all: &Map<String, Value>, field: &'static str, min: f64, max: f64) -> Result<f64, DoorRulesError> {
    let number = all.get(field).and_then(Value::as_f64).filter(|number| (min..=max).contains(number));
    number.ok_or(DoorRulesError::Field { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_file_states_the_defaults() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/rules/doors.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(path, DoorRules::default().to_json()).unwrap();
        }
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, DoorRules::default().to_json());
        assert_eq!(DoorRules::parse(&text), Ok(DoorRules::default()));
    }

    #[test]
    fn unusable_rules_are_named() {
        assert_eq!(DoorRules::parse("[]"), Err(DoorRulesError::NotAnObject));
        assert_eq!(DoorRules::parse("{}"), Err(DoorRulesError::Field { field: "limits" }));
        let zero = DoorRules::default().to_json().replace("\"doors\": 24", "\"doors\": 0");
        assert_eq!(DoorRules::parse(&zero), Err(DoorRulesError::Field { field: "doors" }));
        let nan = DoorRules::default().to_json().replace("5.0", "null");
        assert_eq!(DoorRules::parse(&nan), Err(DoorRulesError::Field { field: "metres_per_second" }));
    }
}
