//! How people sign in to the console: a one-time link first, then a name and a password, then a session.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use gridwalk_model::{RecordId, Timestamp};

use super::staff::{note, person_row};
use super::{AccessError, hash_secret, new_secret};
use crate::clock::Entropy;
use crate::storage::access::{PersonRow, SessionRow};
use crate::storage::{ReadTx, WriteTx};

/// How long a one-time link lives: 24 hours, in milliseconds.
pub const LINK_LIFE_MS: i64 = 24 * 60 * 60 * 1_000;
/// A session ends after this long without use, in milliseconds.
pub const SESSION_IDLE_MS: i64 = 30 * 60 * 1_000;
/// A session ends after this long whatever happens, in milliseconds.
pub const SESSION_LIFE_MS: i64 = 12 * 60 * 60 * 1_000;
/// Fewest characters of a password.
pub const PASSWORD_MIN: usize = 10;
/// Failed attempts that are free; then each further one doubles the wait, from a second up to 15 minutes.
const FREE_FAILURES: u32 = 4;
const WAIT_MAX_S: i64 = 15 * 60;

/// Makes a one-time link for a person: the part after `/signin/`. It is returned once.
///
/// # Errors
/// See [`AccessError`].
pub fn create_signin_link(
    tx: &mut dyn WriteTx,
    by: &str,
    person: RecordId,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<String, AccessError> {
    let row = person_row(tx, person)?;
    let link = new_secret(entropy)?;
    tx.insert_signin_link(&hash_secret(&link), row.no, now.plus_millis(LINK_LIFE_MS))?;
    note(tx, now, by, "signin.link", &person.to_string(), "")?;
    Ok(link)
}

/// A session that has just begun: what goes into the cookie, and what every form must repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The cookie's value. Only its hash is stored.
    pub cookie: String,
    /// The form token.
    pub csrf: String,
}

/// Redeems a one-time link.
///
/// # Errors
/// [`AccessError::NotFound`] if it is unknown, spent or over.
pub fn redeem_link(
    tx: &mut dyn WriteTx,
    link: &str,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<NewSession, AccessError> {
    let hash = hash_secret(link);
    let no = tx.signin_link(&hash, now)?.ok_or(AccessError::NotFound)?;
    let person = tx.person_by_no(no)?.filter(|person| person.active).ok_or(AccessError::NotFound)?;
    tx.use_signin_link(&hash, now)?;
    begin_session(tx, &person, now, entropy)
}

/// Hashes a password with Argon2id. Takes some 20 ms and 19 MiB: run it on the blocking pool, not in a
/// transaction.
///
/// # Errors
/// If it is too short.
pub fn hash_password(password: &str, entropy: &dyn Entropy) -> Result<String, AccessError> {
    if password.chars().count() < PASSWORD_MIN {
        return Err(AccessError::BadAccount("password is too short"));
    }
    let salt = entropy.array::<16>()?;
    let hash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|_| AccessError::BadAccount("password cannot be hashed"))?;
    Ok(hash.to_string())
}

/// Sets the name and password of a person.
///
/// # Errors
/// [`AccessError::BadAccount`] if the name is taken or empty.
pub fn set_account(
    tx: &mut dyn WriteTx,
    person: RecordId,
    login: &str,
    password_hash: &str,
    now: Timestamp,
) -> Result<(), AccessError> {
    let row = person_row(tx, person)?;
    if login.is_empty() || login.chars().count() > 40 {
        return Err(AccessError::BadAccount("name is empty or too long"));
    }
    if tx.person_by_login(login)?.is_some_and(|other| other.no != row.no) {
        return Err(AccessError::BadAccount("name is taken"));
    }
    tx.set_password(row.no, login, password_hash)?;
    note(tx, now, &person.to_string(), "account.set", &person.to_string(), "")
}

/// Whether a password is right. Takes as long for an unknown name as for a wrong password; run it on the blocking
/// pool.
///
/// # Errors
/// [`AccessError::Locked`] while the account waits; [`AccessError::NotFound`] if name or password is wrong.
pub fn check_password(person: Option<&PersonRow>, password: &str, now: Timestamp) -> Result<(), AccessError> {
    // A hash of nothing, so that an unknown name costs the same.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if let Some(person) = person
        && person.locked_until > now
    {
        let left = (person.locked_until.millis() - now.millis()) / 1_000 + 1;
        return Err(AccessError::Locked { seconds: u32::try_from(left).unwrap_or(u32::MAX) });
    }
    let stored = person.and_then(|person| person.password.as_deref());
    let hash = PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(|_| AccessError::NotFound)?;
    let right = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    let known = stored.is_some() && person.is_some_and(|person| person.active);
    if right && known { Ok(()) } else { Err(AccessError::NotFound) }
}

/// Notes a failed attempt; after a few, the account waits, longer each time.
///
/// # Errors
/// A failure of the store.
pub fn note_failure(tx: &mut dyn WriteTx, login: &str, now: Timestamp) -> Result<(), AccessError> {
    let Some(person) = tx.person_by_login(login)? else { return Ok(()) };
    let failures = person.failures.saturating_add(1);
    let over = failures.saturating_sub(FREE_FAILURES);
    let wait = if over == 0 { 0 } else { (1i64 << over.min(12)).min(WAIT_MAX_S) };
    tx.set_signin_state(person.no, failures, now.plus_millis(wait * 1_000))?;
    note(tx, now, &person.id.to_string(), "signin.failed", &person.id.to_string(), "")
}

/// Begins a session for a person who has proved themselves.
///
/// # Errors
/// See [`AccessError`].
pub fn begin_session(
    tx: &mut dyn WriteTx,
    person: &PersonRow,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<NewSession, AccessError> {
    let session = NewSession { cookie: new_secret(entropy)?, csrf: new_secret(entropy)? };
    let row = SessionRow { person: person.no, csrf: session.csrf.clone(), created_at: now, used_at: now };
    tx.delete_old_sessions(now.plus_millis(-SESSION_IDLE_MS), now.plus_millis(-SESSION_LIFE_MS))?;
    tx.insert_session(&hash_secret(&session.cookie), &row)?;
    tx.set_signin_state(person.no, 0, Timestamp::default())?;
    note(tx, now, &person.id.to_string(), "signin.done", &person.id.to_string(), "")?;
    Ok(session)
}

/// Whose session a cookie is; `None` if it is unknown or over. Tells as well whether its last use is to be written
/// down (see [`touch`]), which is done once a minute.
///
/// # Errors
/// A failure of the store.
pub fn session(
    tx: &dyn ReadTx,
    cookie: &str,
    now: Timestamp,
) -> Result<Option<(PersonRow, SessionRow, bool)>, AccessError> {
    let Some(session) = tx.session(&hash_secret(cookie))? else { return Ok(None) };
    let idle = now.millis() - session.used_at.millis();
    let age = now.millis() - session.created_at.millis();
    if idle > SESSION_IDLE_MS || age > SESSION_LIFE_MS {
        return Ok(None);
    }
    let person = tx.person_by_no(session.person)?.filter(|person| person.active);
    Ok(person.map(|person| (person, session, idle > 60_000)))
}

/// Notes that a session was used.
///
/// # Errors
/// A failure of the store.
pub fn touch(tx: &mut dyn WriteTx, cookie: &str, now: Timestamp) -> Result<(), AccessError> {
    Ok(tx.touch_session(&hash_secret(cookie), now)?)
}

/// Ends a session.
///
/// # Errors
/// A failure of the store.
pub fn end_session(tx: &mut dyn WriteTx, cookie: &str) -> Result<(), AccessError> {
    Ok(tx.delete_session(&hash_secret(cookie))?)
}
