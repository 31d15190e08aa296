//! Settings: small facts that stand alone.

use gridwalk_model::{DeviceId, RecordId};
use rusqlite::OptionalExtension;

use super::{Commit, Identity, Store, Tx, View};
use crate::error::DeviceError;
use crate::keys::SoftwareKey;

/// The names under which facts are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    /// 12-byte device id.
    Device,
    /// The person that the device is bound to.
    User,
    /// Their name.
    UserName,
    /// The deployment's name.
    ServerName,
    /// Address of the server.
    ServerUrl,
    /// Secret scalar of a software device key.
    DeviceKey,
    /// 4 bytes of the present incarnation.
    Incarnation,
    /// The server's store epoch.
    Epoch,
    /// The last commit that is in one of the server's backups.
    BackedUpThrough,
    /// The highest number of the outbox so far.
    OutboxNumber,
    /// The last commit seen in this epoch and its mark, 8 bytes each: what the next request names.
    Seen,
    /// When the server answered last, by this phone's clock.
    LastContact,
    /// The server's clock less this phone's, in milliseconds.
    Skew,
    /// Version of the projections, [`super::projection::VERSION`].
    Projections,
    /// 1: full photos wait for Wi-Fi.
    WifiOnly,
    /// The deployment's rules for doors, as its file states them.
    DoorRules,
    /// Whether the deployment locked the device: 1 locked, 2 to be wiped.
    Locked,
    /// The deployment's limits for a worker's day, encoded.
    FieldRules,
    /// The deployment's rules for events, as its file states them.
    EventRules,
    /// The device's code in event numbers.
    DeviceCode,
    /// The last event number that was issued.
    EventNumber,
    /// 1: the store is for practice and cannot synchronise.
    Practice,
    /// The last link of the chain of photos: number and hash.
    PhotoChain,
    /// The server's sealing key.
    SealingKey,
    /// Mark of the deployment's rules that were given last.
    RulesMark,
    /// Why they were not used, in Chinese and English.
    RulesRefused,
    /// The package of a locked device: its name and how many parts it has.
    Sealed,
    /// When the house was kept last.
    HouseKept,
}

impl Setting {
    const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::User => "user",
            Self::UserName => "user_name",
            Self::ServerName => "server_name",
            Self::ServerUrl => "server_url",
            Self::DeviceKey => "device_key",
            Self::Incarnation => "incarnation",
            Self::Epoch => "epoch",
            Self::BackedUpThrough => "backed_up_through",
            Self::OutboxNumber => "outbox_number",
            Self::Seen => "seen",
            Self::LastContact => "last_contact",
            Self::Skew => "skew",
            Self::Projections => "projections",
            Self::WifiOnly => "wifi_only",
            Self::DoorRules => "door_rules",
            Self::Locked => "locked",
            Self::FieldRules => "field_rules",
            Self::EventRules => "event_rules",
            Self::DeviceCode => "device_code",
            Self::EventNumber => "event_number",
            Self::Practice => "practice",
            Self::PhotoChain => "photo_chain",
            Self::SealingKey => "sealing_key",
            Self::RulesMark => "rules_mark",
            Self::RulesRefused => "rules_refused",
            Self::Sealed => "sealed",
            Self::HouseKept => "house_kept",
        }
    }
}

impl View<'_> {
    pub(crate) fn get(&self, setting: Setting) -> Result<Option<Vec<u8>>, DeviceError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
        Ok(statement.query_row([setting.name()], |row| row.get(0)).optional()?)
    }

    pub(crate) fn get_text(&self, setting: Setting) -> Result<Option<String>, DeviceError> {
        self.get(setting)?.map(|bytes| String::from_utf8(bytes).map_err(|_| DeviceError::Damaged)).transpose()
    }

    pub(crate) fn get_number(&self, setting: Setting) -> Result<Option<i64>, DeviceError> {
        let Some(bytes) = self.get(setting)? else { return Ok(None) };
        Ok(Some(i64::from_be_bytes(bytes.try_into().map_err(|_| DeviceError::Damaged)?)))
    }

    pub(crate) fn identity(&self) -> Result<Option<Identity>, DeviceError> {
        let (Some(device), Some(user), Some(incarnation)) =
            (self.get(Setting::Device)?, self.get(Setting::User)?, self.get(Setting::Incarnation)?)
        else {
            return Ok(None);
        };
        let device = DeviceId::from_slice(&device).ok_or(DeviceError::Damaged)?;
        let user = RecordId::from_slice(&user).ok_or(DeviceError::Damaged)?;
        let incarnation = incarnation.try_into().map_err(|_| DeviceError::Damaged)?;
        Ok(Some(Identity { device, user, incarnation }))
    }
}

impl Tx<'_> {
    pub(crate) fn put(&mut self, setting: Setting, value: &[u8]) -> Result<(), DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO setting (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
        )?;
        statement.execute((setting.name(), value))?;
        Ok(())
    }

    pub(crate) fn clear(&mut self, setting: Setting) -> Result<(), DeviceError> {
        self.connection.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([setting.name()])?;
        Ok(())
    }

    pub(crate) fn put_number(&mut self, setting: Setting, value: i64) -> Result<(), DeviceError> {
        self.put(setting, &value.to_be_bytes())
    }
}

impl Store {
    /// Binds the store to a device and a person, as the server's enrolment says. The same again changes nothing but
    /// the names.
    ///
    /// # Errors
    /// [`DeviceError::AlreadyEnrolled`] for another device or person, [`DeviceError::Practice`].
    pub fn enrol(
        &mut self,
        device: DeviceId,
        user: RecordId,
        user_name: &str,
        server_name: &str,
    ) -> Result<Identity, DeviceError> {
        if self.view().is_practice()? {
            return Err(DeviceError::Practice);
        }
        self.bind(device, user, user_name, server_name)
    }

    pub(crate) fn bind(
        &mut self,
        device: DeviceId,
        user: RecordId,
        user_name: &str,
        server_name: &str,
    ) -> Result<Identity, DeviceError> {
        self.write(Commit::Setting, |tx| {
            let identity = match tx.identity {
                Some(identity) if identity.device == device && identity.user == user => identity,
                Some(_) => return Err(DeviceError::AlreadyEnrolled),
                None => Identity { device, user, incarnation: tx.random()? },
            };
            tx.put(Setting::Device, device.as_bytes())?;
            tx.put(Setting::User, user.as_bytes())?;
            tx.put(Setting::Incarnation, &identity.incarnation)?;
            tx.put(Setting::UserName, user_name.as_bytes())?;
            tx.put(Setting::ServerName, server_name.as_bytes())?;
            tx.identity = Some(identity);
            Ok(identity)
        })
    }

    /// The name of the person that the device is bound to, as the server told it.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn user_name(&self) -> Result<Option<String>, DeviceError> {
        self.view().get_text(Setting::UserName)
    }

    pub(crate) fn set_server_url(&mut self, url: &str) -> Result<(), DeviceError> {
        self.write(Commit::Setting, |tx| tx.put(Setting::ServerUrl, url.as_bytes()))
    }

    /// The store's own device key; `fresh` becomes it if there is none yet.
    pub(crate) fn software_key(&mut self, fresh: SoftwareKey) -> Result<SoftwareKey, DeviceError> {
        if let Some(bytes) = self.view().get(Setting::DeviceKey)? {
            return SoftwareKey::from_slice(&bytes).ok_or(DeviceError::Damaged);
        }
        let bytes = fresh.to_bytes();
        self.write(Commit::Setting, |tx| tx.put(Setting::DeviceKey, bytes.as_slice()))?;
        Ok(fresh)
    }

    /// Whether full photos wait for Wi-Fi. At first they do not.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn wifi_only(&self) -> Result<bool, DeviceError> {
        Ok(self.view().get_number(Setting::WifiOnly)? == Some(1))
    }

    /// Sets whether full photos wait for Wi-Fi.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn set_wifi_only(&mut self, on: bool) -> Result<(), DeviceError> {
        self.write(Commit::Setting, |tx| tx.put_number(Setting::WifiOnly, i64::from(on)))
    }
}
