//! People, devices and grants in SQLite.

use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, RecordId, Timestamp};
use rusqlite::Row;

use super::super::Stored;
use super::super::access::{
    AccessReads, AccessWrites, DeviceNo, DeviceRow, EnrolmentRow, GrantRow, NewDevice, NewPerson, PersonNo,
    PersonRow, SessionRow, role_from_word, role_word,
};
use super::super::records::StreamNo;
use super::values::{
    bytes, device_id, flag, maybe_record_id, maybe_time, record_id, small, stream_id, text, time,
};
use super::{Tx, failed};

macro_rules! person_columns {
    () => {
        "no, id, name, roles, unit, closed_at, login, password, failures, locked_until"
    };
}

fn person(row: &Row<'_>) -> Stored<PersonRow> {
    let closed_at = maybe_time(row, 5)?;
    Ok(PersonRow {
        no: PersonNo(row.get(0).map_err(failed)?),
        id: record_id(row, 1, "person.id")?,
        name: text(row, 2)?,
        roles: text(row, 3)?.split_ascii_whitespace().filter_map(role_from_word).collect(),
        unit: maybe_record_id(row, 4, "person.unit")?,
        active: closed_at.is_none(),
        closed_at,
        login: row.get(6).map_err(failed)?,
        password: row.get(7).map_err(failed)?,
        failures: small(row, 8, "person.failures")?,
        locked_until: time(row, 9)?,
    })
}

fn words(roles: &[Role]) -> String {
    roles.iter().map(|role| role_word(*role)).collect::<Vec<_>>().join(" ")
}

macro_rules! device_columns {
    () => {
        "no, id, person_no, public_key, label, enrolled_at, revoked_at, wipe, seen_at, pushed_at"
    };
}

fn device(row: &Row<'_>) -> Stored<DeviceRow> {
    Ok(DeviceRow {
        no: DeviceNo(row.get(0).map_err(failed)?),
        id: device_id(row, 1, "device.id")?,
        person: PersonNo(row.get(2).map_err(failed)?),
        public_key: bytes(row, 3)?,
        label: text(row, 4)?,
        enrolled_at: time(row, 5)?,
        revoked_at: maybe_time(row, 6)?,
        wipe: flag(row, 7)?,
        seen_at: time(row, 8)?,
        pushed_at: time(row, 9)?,
    })
}

fn grant(row: &Row<'_>) -> Stored<GrantRow> {
    Ok(GrantRow {
        stream_no: StreamNo(row.get(0).map_err(failed)?),
        stream: stream_id(row, 1, "stream.id")?,
        generation: small(row, 2, "stream_grant.generation")?,
        granted_at: time(row, 3)?,
        revoked_at: maybe_time(row, 4)?,
    })
}

impl AccessReads for Tx<'_> {
    fn person(&self, id: RecordId) -> Stored<Option<PersonRow>> {
        let sql = concat!("SELECT ", person_columns!(), " FROM person WHERE id = ?1");
        self.one(sql, [&id.as_bytes()[..]], person)
    }

    fn person_by_no(&self, no: PersonNo) -> Stored<Option<PersonRow>> {
        self.one(concat!("SELECT ", person_columns!(), " FROM person WHERE no = ?1"), [no.0], person)
    }

    fn person_by_login(&self, login: &str) -> Stored<Option<PersonRow>> {
        self.one(concat!("SELECT ", person_columns!(), " FROM person WHERE login = ?1"), [login], person)
    }

    fn people(&self) -> Stored<Vec<PersonRow>> {
        self.all(concat!("SELECT ", person_columns!(), " FROM person ORDER BY no"), [], person)
    }

    fn device(&self, id: DeviceId) -> Stored<Option<DeviceRow>> {
        let sql = concat!("SELECT ", device_columns!(), " FROM device WHERE id = ?1");
        self.one(sql, [&id.as_bytes()[..]], device)
    }

    fn devices(&self) -> Stored<Vec<DeviceRow>> {
        self.all(concat!("SELECT ", device_columns!(), " FROM device ORDER BY no"), [], device)
    }

    fn enrolment(&self, code_hash: &[u8; 32]) -> Stored<Option<EnrolmentRow>> {
        self.one(
            "SELECT person_no, expires_at, device_no, public_key FROM enrolment WHERE code_hash = ?1",
            [&code_hash[..]],
            |row| {
                let device: Option<i64> = row.get(2).map_err(failed)?;
                let key: Option<Vec<u8>> = row.get(3).map_err(failed)?;
                Ok(EnrolmentRow {
                    person: PersonNo(row.get(0).map_err(failed)?),
                    expires_at: time(row, 1)?,
                    redeemed: device.map(DeviceNo).zip(key),
                })
            },
        )
    }

    fn signin_link(&self, link_hash: &[u8; 32], now: Timestamp) -> Stored<Option<PersonNo>> {
        self.one(
            "SELECT person_no FROM signin_link WHERE link_hash = ?1 AND used_at IS NULL AND expires_at > ?2",
            (&link_hash[..], now.millis()),
            |row| Ok(PersonNo(row.get(0).map_err(failed)?)),
        )
    }

    fn session(&self, cookie_hash: &[u8; 32]) -> Stored<Option<SessionRow>> {
        self.one(
            "SELECT person_no, csrf, created_at, used_at FROM session WHERE cookie_hash = ?1",
            [&cookie_hash[..]],
            |row| {
                Ok(SessionRow {
                    person: PersonNo(row.get(0).map_err(failed)?),
                    csrf: text(row, 1)?,
                    created_at: time(row, 2)?,
                    used_at: time(row, 3)?,
                })
            },
        )
    }

    fn device_code(&self, no: DeviceNo) -> Stored<Option<String>> {
        let found =
            self.one("SELECT code FROM device WHERE no = ?1", [no.0], |row| row.get(0).map_err(failed))?;
        Ok(found.flatten())
    }

    fn grants(&self, person: PersonNo) -> Stored<Vec<GrantRow>> {
        self.all(
            "SELECT g.stream_no, s.id, g.generation, g.granted_at, g.revoked_at
             FROM stream_grant g JOIN stream s ON s.no = g.stream_no
             WHERE g.person_no = ?1 ORDER BY s.id",
            [person.0],
            grant,
        )
    }

    fn device_grants(&self, device: DeviceNo, person: PersonNo) -> Stored<Vec<GrantRow>> {
        self.all(
            "SELECT g.stream_no, s.id, g.generation, g.granted_at, g.revoked_at
             FROM stream_grant g JOIN stream s ON s.no = g.stream_no
             WHERE g.person_no = ?2 AND (g.revoked_at IS NULL OR NOT EXISTS (
                 SELECT 1 FROM grant_ack a
                 WHERE a.device_no = ?1 AND a.stream_no = g.stream_no AND a.generation >= g.generation))
             ORDER BY s.id",
            (device.0, person.0),
            grant,
        )
    }

    fn holders(&self, stream: StreamNo) -> Stored<Vec<PersonNo>> {
        self.all(
            "SELECT person_no FROM stream_grant WHERE stream_no = ?1 AND revoked_at IS NULL ORDER BY person_no",
            [stream.0],
            |row| Ok(PersonNo(row.get(0).map_err(failed)?)),
        )
    }
}

impl AccessWrites for Tx<'_> {
    fn insert_person(&mut self, person: &NewPerson<'_>) -> Stored<PersonNo> {
        let no = self.insert(
            "INSERT INTO person (id, name, roles, unit, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (
                &person.id.as_bytes()[..],
                person.name,
                words(person.roles),
                person.unit.map(|unit| unit.as_bytes().to_vec()),
                person.created_at.millis(),
            ),
        )?;
        Ok(PersonNo(no))
    }

    fn set_password(&mut self, no: PersonNo, login: &str, password_hash: &str) -> Stored<()> {
        self.execute(
            "UPDATE person SET login = ?2, password = ?3, failures = 0, locked_until = 0 WHERE no = ?1",
            (no.0, login, password_hash),
        )?;
        Ok(())
    }

    fn set_signin_state(&mut self, no: PersonNo, failures: u32, locked_until: Timestamp) -> Stored<()> {
        self.execute(
            "UPDATE person SET failures = ?2, locked_until = ?3 WHERE no = ?1",
            (no.0, failures, locked_until.millis()),
        )?;
        Ok(())
    }

    fn set_person_roles(&mut self, no: PersonNo, roles: &[Role]) -> Stored<()> {
        self.execute("UPDATE person SET roles = ?2 WHERE no = ?1", (no.0, words(roles)))?;
        Ok(())
    }

    fn set_person_closed(&mut self, no: PersonNo, closed_at: Option<Timestamp>) -> Stored<()> {
        let closed_at = closed_at.map(Timestamp::millis);
        self.execute("UPDATE person SET closed_at = ?2 WHERE no = ?1", (no.0, closed_at))?;
        Ok(())
    }

    fn insert_device(&mut self, device: &NewDevice<'_>) -> Stored<DeviceNo> {
        let no = self.insert(
            "INSERT INTO device (id, person_no, public_key, label, enrolled_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (
                &device.id.as_bytes()[..],
                device.person.0,
                device.public_key,
                device.label,
                device.enrolled_at.millis(),
            ),
        )?;
        Ok(DeviceNo(no))
    }

    fn revoke_device(&mut self, no: DeviceNo, at: Timestamp, wipe: bool) -> Stored<()> {
        self.execute(
            "UPDATE device SET revoked_at = coalesce(revoked_at, ?2), wipe = max(wipe, ?3) WHERE no = ?1",
            (no.0, at.millis(), wipe),
        )?;
        Ok(())
    }

    fn set_device_code(&mut self, no: DeviceNo, code: &str) -> Stored<bool> {
        let set = self.execute(
            "UPDATE device SET code = ?2 WHERE no = ?1 AND NOT EXISTS (SELECT 1 FROM device WHERE code = ?2)",
            (no.0, code),
        )?;
        Ok(set > 0)
    }

    fn reinstate_device(&mut self, no: DeviceNo) -> Stored<()> {
        self.execute("UPDATE device SET revoked_at = NULL, wipe = 0 WHERE no = ?1", [no.0])?;
        Ok(())
    }

    fn touch_device(&mut self, no: DeviceNo, seen_at: Timestamp, pushed_at: Timestamp) -> Stored<()> {
        self.execute(
            "UPDATE device SET seen_at = max(seen_at, ?2), pushed_at = max(pushed_at, ?3) WHERE no = ?1",
            (no.0, seen_at.millis(), pushed_at.millis()),
        )?;
        Ok(())
    }

    fn insert_enrolment(
        &mut self,
        code_hash: &[u8; 32],
        person: PersonNo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Stored<()> {
        self.execute(
            "INSERT INTO enrolment (code_hash, person_no, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
            (&code_hash[..], person.0, now.millis(), expires_at.millis()),
        )?;
        Ok(())
    }

    fn redeem_enrolment(&mut self, code_hash: &[u8; 32], device: DeviceNo, public_key: &[u8]) -> Stored<()> {
        self.execute(
            "UPDATE enrolment SET device_no = ?2, public_key = ?3 WHERE code_hash = ?1",
            (&code_hash[..], device.0, public_key),
        )?;
        Ok(())
    }

    fn insert_signin_link(
        &mut self,
        link_hash: &[u8; 32],
        person: PersonNo,
        expires_at: Timestamp,
    ) -> Stored<()> {
        self.execute(
            "INSERT INTO signin_link (link_hash, person_no, expires_at) VALUES (?1, ?2, ?3)",
            (&link_hash[..], person.0, expires_at.millis()),
        )?;
        Ok(())
    }

    fn use_signin_link(&mut self, link_hash: &[u8; 32], now: Timestamp) -> Stored<()> {
        self.execute(
            "UPDATE signin_link SET used_at = ?2 WHERE link_hash = ?1",
            (&link_hash[..], now.millis()),
        )?;
        Ok(())
    }

    fn insert_session(&mut self, cookie_hash: &[u8; 32], session: &SessionRow) -> Stored<()> {
        self.execute(
            "INSERT INTO session (cookie_hash, person_no, csrf, created_at, used_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (
                &cookie_hash[..],
                session.person.0,
                &session.csrf,
                session.created_at.millis(),
                session.used_at.millis(),
            ),
        )?;
        Ok(())
    }

    fn touch_session(&mut self, cookie_hash: &[u8; 32], now: Timestamp) -> Stored<()> {
        self.execute(
            "UPDATE session SET used_at = ?2 WHERE cookie_hash = ?1",
            (&cookie_hash[..], now.millis()),
        )?;
        Ok(())
    }

    fn delete_session(&mut self, cookie_hash: &[u8; 32]) -> Stored<()> {
        self.execute("DELETE FROM session WHERE cookie_hash = ?1", [&cookie_hash[..]])?;
        Ok(())
    }

    fn delete_old_sessions(&mut self, used_before: Timestamp, created_before: Timestamp) -> Stored<()> {
        self.execute(
            "DELETE FROM session WHERE used_at < ?1 OR created_at < ?2",
            (used_before.millis(), created_before.millis()),
        )?;
        Ok(())
    }

    fn put_grant(&mut self, person: PersonNo, grant: &GrantRow) -> Stored<()> {
        self.execute(
            "INSERT INTO stream_grant (person_no, stream_no, generation, granted_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET generation = ?3, granted_at = ?4, revoked_at = ?5",
            (
                person.0,
                grant.stream_no.0,
                grant.generation,
                grant.granted_at.millis(),
                grant.revoked_at.map(Timestamp::millis),
            ),
        )?;
        Ok(())
    }

    fn put_grant_ack(&mut self, device: DeviceNo, stream: StreamNo, generation: u32) -> Stored<()> {
        self.execute(
            "INSERT INTO grant_ack (device_no, stream_no, generation) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET generation = ?3",
            (device.0, stream.0, generation),
        )?;
        Ok(())
    }
}
