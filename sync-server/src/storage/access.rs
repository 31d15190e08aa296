//! People, their devices, and which streams they hold, as the store keeps them.

use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, RecordId, StreamId, Timestamp};

use super::Stored;
use super::records::StreamNo;

/// The store's own short number of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonNo(pub i64);

/// The store's own short number of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceNo(pub i64);

/// A person who uses the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Number in the store.
    pub no: PersonNo,
    /// Identifier, as records name them.
    pub id: RecordId,
    /// Name.
    pub name: String,
    /// What they may do.
    pub roles: Vec<Role>,
    /// The unit that they belong to.
    pub unit: Option<RecordId>,
    /// Whether they may do anything at all.
    pub active: bool,
    /// Since when they may not.
    pub closed_at: Option<Timestamp>,
    /// Name with which they sign in to the console.
    pub login: Option<String>,
    /// Argon2id hash of their password.
    pub password: Option<String>,
    /// Failed sign-ins in a row.
    pub failures: u32,
    /// Until when further sign-ins are refused.
    pub locked_until: Timestamp,
}

/// An enrolled device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Number in the store.
    pub no: DeviceNo,
    /// Identifier.
    pub id: DeviceId,
    /// Whose it is.
    pub person: PersonNo,
    /// P-256 public key, SEC1 uncompressed.
    pub public_key: Vec<u8>,
    /// What it calls itself.
    pub label: String,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// When it was locked.
    pub revoked_at: Option<Timestamp>,
    /// Whether it is to wipe itself at once.
    pub wipe: bool,
    /// Last sync that was written down.
    pub seen_at: Timestamp,
    /// Last time that changes of it were taken.
    pub pushed_at: Timestamp,
}

/// A one-time enrolment code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentRow {
    /// For whom.
    pub person: PersonNo,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who redeemed it, and with which key.
    pub redeemed: Option<(DeviceNo, Vec<u8>)>,
}

/// A stream that a person holds or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Number of the stream.
    pub stream_no: StreamNo,
    /// Which stream.
    pub stream: StreamId,
    /// Which granting of it.
    pub generation: u32,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When it was taken away.
    pub revoked_at: Option<Timestamp>,
}

/// A console session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Whose.
    pub person: PersonNo,
    /// Expected in every form that changes something.
    pub csrf: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last.
    pub used_at: Timestamp,
}

/// Reading people, devices and grants.
pub trait AccessReads {
    /// A person.
    fn person(&self, id: RecordId) -> Stored<Option<PersonRow>>;
    /// A person, by number.
    fn person_by_no(&self, no: PersonNo) -> Stored<Option<PersonRow>>;
    /// A person, by the name with which they sign in.
    fn person_by_login(&self, login: &str) -> Stored<Option<PersonRow>>;
    /// Everybody, in the order in which they were added.
    fn people(&self) -> Stored<Vec<PersonRow>>;
    /// A device.
    fn device(&self, id: DeviceId) -> Stored<Option<DeviceRow>>;
    /// All devices, in the order in which they enrolled.
    fn devices(&self) -> Stored<Vec<DeviceRow>>;
    /// An enrolment code, by its hash.
    fn enrolment(&self, code_hash: &[u8; 32]) -> Stored<Option<EnrolmentRow>>;
    /// Whose a sign-in link is, and whether it is still good at `now`.
    fn signin_link(&self, link_hash: &[u8; 32], now: Timestamp) -> Stored<Option<PersonNo>>;
    /// A console session, by the hash of its cookie.
    fn session(&self, cookie_hash: &[u8; 32]) -> Stored<Option<SessionRow>>;
    /// A device's code in event numbers.
    fn device_code(&self, no: DeviceNo) -> Stored<Option<String>>;
    /// What a person was granted, revoked grants included, in order of the streams' encoded form.
    fn grants(&self, person: PersonNo) -> Stored<Vec<GrantRow>>;
    /// The grants that a device has to do with: those that stand, and revoked ones that it has not given up,
    /// in order of the streams' encoded form.
    fn device_grants(&self, device: DeviceNo, person: PersonNo) -> Stored<Vec<GrantRow>>;
    /// Who holds a stream.
    fn holders(&self, stream: StreamNo) -> Stored<Vec<PersonNo>>;
}

/// Writing people, devices and grants.
pub trait AccessWrites {
    /// Adds a person.
    fn insert_person(&mut self, person: &NewPerson<'_>) -> Stored<PersonNo>;
    /// Sets the console account of a person.
    fn set_password(&mut self, no: PersonNo, login: &str, password_hash: &str) -> Stored<()>;
    /// Writes down how sign-ins went.
    fn set_signin_state(&mut self, no: PersonNo, failures: u32, locked_until: Timestamp) -> Stored<()>;
    /// Sets what a person may do.
    fn set_person_roles(&mut self, no: PersonNo, roles: &[Role]) -> Stored<()>;
    /// Shuts a person out, or lets them in again.
    fn set_person_closed(&mut self, no: PersonNo, closed_at: Option<Timestamp>) -> Stored<()>;

    /// Adds a device.
    fn insert_device(&mut self, device: &NewDevice<'_>) -> Stored<DeviceNo>;
    /// Locks a device.
    fn revoke_device(&mut self, no: DeviceNo, at: Timestamp, wipe: bool) -> Stored<()>;
    /// Gives a device its code in event numbers. Returns whether the code was free.
    fn set_device_code(&mut self, no: DeviceNo, code: &str) -> Stored<bool>;
    /// Lets a locked device work again.
    fn reinstate_device(&mut self, no: DeviceNo) -> Stored<()>;
    /// Writes down when a device was seen and pushed last. Earlier times change nothing.
    fn touch_device(&mut self, no: DeviceNo, seen_at: Timestamp, pushed_at: Timestamp) -> Stored<()>;

    /// Adds an enrolment code.
    fn insert_enrolment(
        &mut self,
        code_hash: &[u8; 32],
        person: PersonNo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Stored<()>;
    /// Notes who redeemed a code.
    fn redeem_enrolment(&mut self, code_hash: &[u8; 32], device: DeviceNo, public_key: &[u8]) -> Stored<()>;
    /// Adds a sign-in link.
    fn insert_signin_link(
        &mut self,
        link_hash: &[u8; 32],
        person: PersonNo,
        expires_at: Timestamp,
    ) -> Stored<()>;
    /// Spends a sign-in link.
    fn use_signin_link(&mut self, link_hash: &[u8; 32], now: Timestamp) -> Stored<()>;
    /// Adds a session.
    fn insert_session(&mut self, cookie_hash: &[u8; 32], session: &SessionRow) -> Stored<()>;
    /// Notes that a session was used.
    fn touch_session(&mut self, cookie_hash: &[u8; 32], now: Timestamp) -> Stored<()>;
    /// Ends a session.
    fn delete_session(&mut self, cookie_hash: &[u8; 32]) -> Stored<()>;
    /// Ends all sessions not used since `used_before` or begun before `created_before`.
    fn delete_old_sessions(&mut self, used_before: Timestamp, created_before: Timestamp) -> Stored<()>;

    /// Writes a grant.
    fn put_grant(&mut self, person: PersonNo, grant: &GrantRow) -> Stored<()>;
    /// Notes that a device has given up a revoked grant.
    fn put_grant_ack(&mut self, device: DeviceNo, stream: StreamNo, generation: u32) -> Stored<()>;
}

/// A person to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewPerson<'a> {
    /// Identifier.
    pub id: RecordId,
    /// Name.
    pub name: &'a str,
    /// What they may do.
    pub roles: &'a [Role],
    /// The unit that they belong to.
    pub unit: Option<RecordId>,
    /// When they were added.
    pub created_at: Timestamp,
}

/// A device to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewDevice<'a> {
    /// Identifier.
    pub id: DeviceId,
    /// Whose it is.
    pub person: PersonNo,
    /// P-256 public key, SEC1 uncompressed.
    pub public_key: &'a [u8],
    /// What it calls itself.
    pub label: &'a str,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
}

/// The word for a role, as the store and the console write it.
pub const fn role_word(role: Role) -> &'static str {
    role.word()
}

/// Reads the word; `None` for one that this build does not know.
pub fn role_from_word(word: &str) -> Option<Role> {
    Role::from_word(word)
}
