//! The deployment's limits, as this phone holds them, and who the worker is.

use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::policy::Role;
use gridwalk_model::records::elements;
use gridwalk_model::{Kind, RecordId, Value};

use crate::error::DeviceError;
use crate::store::{Commit, Store, View};

impl View<'_> {
    /// What a person may do, by the directory of staff; a gridworker where it does not say.
    pub(crate) fn roles_of(&self, user: RecordId) -> Result<Vec<Role>, DeviceError> {
        let listed = self.listed(user)?.filter(|listed| listed.kind == Kind::Worker.tag());
        let mut roles = Vec::new();
        for (word, value) in listed.iter().flat_map(|worker| elements(&worker.fields, "roles")) {
            roles.extend(Role::from_word(word).filter(|_| *value == Value::Flag(true)));
        }
        if roles.is_empty() {
            roles.push(Role::Gridworker);
        }
        Ok(roles)
    }

    /// The unit that a person belongs to, by the directory of staff.
    pub(crate) fn unit_of(&self, user: RecordId) -> Result<Option<RecordId>, DeviceError> {
        let listed = self.listed(user)?;
        Ok(listed.and_then(|worker| worker.fields.get("unit").and_then(Value::as_link)))
    }
}

impl Store {
    /// The deployment's limits.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn field_rules(&self) -> Result<FieldRules, DeviceError> {
        self.view().field_rules()
    }

    /// Sets the deployment's limits.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn set_field_rules(&mut self, rules: &FieldRules) -> Result<(), DeviceError> {
        self.write(Commit::Setting, |tx| tx.put_field_rules(rules))
    }
}
