CREATE TABLE server (
    -- One row: who this server is and how far it has come.
    one               INTEGER PRIMARY KEY CHECK (one = 1),
    -- Name of the deployment, as devices show it.
    name              TEXT    NOT NULL,
    -- 12 bytes: the prefix of the server's own actors.
    device            BLOB    NOT NULL CHECK (length(device) = 12),
    -- 16 bytes: changes whenever the past of this store is no longer certain (restore, rollback).
    epoch             BLOB    NOT NULL CHECK (length(epoch) = 16),
    -- 4 bytes: the suffix of the server's actor in this epoch.
    incarnation       BLOB    NOT NULL CHECK (length(incarnation) = 4),
    -- 32 bytes: key of the check in commit marks, so that no device can claim one that was never given out.
    mark_key          BLOB    NOT NULL CHECK (length(mark_key) = 32),
    -- Number of durable write transactions.
    commit_no         INTEGER NOT NULL,
    -- Last sequence number given out: one counter for all streams, so order of numbers is order of commits.
    seq               INTEGER NOT NULL,
    -- commit_no of the last backup.
    backed_up_through INTEGER NOT NULL,
    -- Until when whole histories are taken from devices (ms since 1970); 0: closed.
    recovery_until    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE commit_mark (
    -- Every commit has a random mark: what a device has seen and this table does not have is not in this store's past.
    commit_no INTEGER PRIMARY KEY,
    mark      INTEGER NOT NULL
) STRICT;

CREATE TABLE stream (
    -- A unit in which devices are granted records and pull them.
    no     INTEGER PRIMARY KEY,
    -- StreamId::to_bytes
    id     BLOB    NOT NULL UNIQUE,
    -- Sequence number of the last thing that happened in it.
    seq    INTEGER NOT NULL DEFAULT 0,
    -- Wrapping sum of the fingerprints of its current records.
    digest BLOB    NOT NULL DEFAULT (zeroblob(16)) CHECK (length(digest) = 16)
) STRICT;

CREATE TABLE record (
    -- A record: its document as saved bytes, and what must be known without loading it.
    no          INTEGER PRIMARY KEY,
    -- 16 bytes, UUIDv7.
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    -- The word for its kind.
    kind        TEXT    NOT NULL,
    -- How often it was written: what an admission was computed against.
    rev         INTEGER NOT NULL,
    -- Sequence number of its last change.
    seq         INTEGER NOT NULL,
    -- Raw changes later than this sequence number are all in `tail`.
    tail_after  INTEGER NOT NULL,
    tail_count  INTEGER NOT NULL,
    -- Fingerprint of its heads.
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 16),
    -- When the server took its first and its last change (ms since 1970).
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    -- The document.
    snapshot    BLOB    NOT NULL
) STRICT;
CREATE INDEX record_event ON record (no) WHERE kind = 'event';

CREATE TABLE tail (
    -- The latest raw changes of a record, so that a phone that has the rest need not fetch the whole.
    record_no INTEGER NOT NULL REFERENCES record (no),
    seq       INTEGER NOT NULL,
    -- Each change with its length (4 bytes, big-endian) before it.
    changes   BLOB    NOT NULL,
    PRIMARY KEY (record_no, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_stream (
    -- Which records are, or were, in which stream.
    record_no INTEGER NOT NULL REFERENCES record (no),
    stream_no INTEGER NOT NULL REFERENCES stream (no),
    -- The last thing that happened to the record in this stream: change, entry or removal.
    seq       INTEGER NOT NULL,
    -- When it entered the stream, or entered it again.
    entered   INTEGER NOT NULL,
    -- 1: it has left the stream.
    removed   INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
    PRIMARY KEY (record_no, stream_no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_stream_seq ON record_stream (stream_no, seq);

CREATE TABLE link (
    -- The links that placement follows, from the other end.
    -- 16 bytes; the record may not have arrived yet.
    target    BLOB    NOT NULL,
    -- The field of the source that names it.
    field     TEXT    NOT NULL,
    source_no INTEGER NOT NULL REFERENCES record (no),
    -- 0: the source is removed or not current, so it places nothing.
    active    INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- The day (YYYY-MM-DD) on which `active` is to be worked out again.
    recheck   TEXT,
    PRIMARY KEY (target, field, source_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_source ON link (source_no);
CREATE INDEX link_recheck ON link (recheck) WHERE recheck IS NOT NULL;

CREATE TABLE person (
    -- People who use the system.
    no           INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    name         TEXT    NOT NULL,
    -- Words of their roles, separated by spaces.
    roles        TEXT    NOT NULL,
    -- The unit that they belong to.
    unit         BLOB,
    created_at   INTEGER NOT NULL,
    -- Since when they may not sign in and their devices only hand in what they had not sent (ms since 1970).
    closed_at    INTEGER,
    -- Console account: name to sign in with and Argon2id hash. NULL: none.
    login        TEXT UNIQUE,
    password     TEXT,
    -- Failed sign-ins in a row, and until when further ones are refused (ms since 1970).
    failures     INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE device (
    -- Enrolled devices.
    no          INTEGER PRIMARY KEY,
    -- 12 bytes: the prefix of the device's actors.
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 12),
    person_no   INTEGER NOT NULL REFERENCES person (no),
    -- P-256, SEC1 uncompressed.
    public_key  BLOB    NOT NULL,
    label       TEXT    NOT NULL,
    -- Its code in event numbers.
    code        TEXT    UNIQUE,
    enrolled_at INTEGER NOT NULL,
    revoked_at  INTEGER,
    -- 1: a revoked device is to wipe itself at once.
    wipe        INTEGER NOT NULL DEFAULT 0 CHECK (wipe IN (0, 1)),
    -- Last sync, written with the next thing that is written anyway.
    seen_at     INTEGER NOT NULL DEFAULT 0,
    -- Last time that changes of it were taken.
    pushed_at   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX device_person ON device (person_no);

CREATE TABLE enrolment (
    -- One-time codes with which devices enrol. Only hashes are kept.
    code_hash  BLOB    PRIMARY KEY,
    person_no  INTEGER NOT NULL REFERENCES person (no),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Who redeemed it.
    public_key BLOB,
    device_no  INTEGER REFERENCES device (no)
) STRICT, WITHOUT ROWID;

CREATE TABLE signin_link (
    -- One-time links with which people sign in to the console for the first time. Only hashes are kept.
    link_hash  BLOB    PRIMARY KEY,
    person_no  INTEGER NOT NULL REFERENCES person (no),
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    -- Console sessions. Only hashes of the cookies are kept.
    cookie_hash BLOB    PRIMARY KEY,
    person_no   INTEGER NOT NULL REFERENCES person (no),
    -- Expected in every form that changes something.
    csrf        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    used_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stream_grant (
    -- Which streams a person's devices hold.
    person_no  INTEGER NOT NULL REFERENCES person (no),
    stream_no  INTEGER NOT NULL REFERENCES stream (no),
    -- Granting again begins at sequence number 0 again.
    generation INTEGER NOT NULL,
    granted_at INTEGER NOT NULL,
    -- From then on nothing is pulled; what devices had not sent is still taken for 30 days.
    revoked_at INTEGER,
    PRIMARY KEY (person_no, stream_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE grant_ack (
    -- Devices that have given up a revoked grant.
    device_no  INTEGER NOT NULL REFERENCES device (no),
    stream_no  INTEGER NOT NULL REFERENCES stream (no),
    generation INTEGER NOT NULL,
    PRIMARY KEY (device_no, stream_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    -- Refused changes, byte for byte: nobody's work is thrown away.
    no          INTEGER PRIMARY KEY,
    device_no   INTEGER NOT NULL REFERENCES device (no),
    record      BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    -- SHA-256 of the bytes.
    hash        BLOB    NOT NULL,
    change      BLOB    NOT NULL,
    -- The verdict as it stands on the wire.
    verdict     BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    -- When somebody looked at it, and who.
    settled_at  INTEGER,
    settled_by  BLOB,
    UNIQUE (device_no, record, hash)
) STRICT;

CREATE TABLE divergence (
    -- Comparisons that did not agree: the same difference seen again is an alarm.
    device_no  INTEGER NOT NULL REFERENCES device (no),
    stream_no  INTEGER NOT NULL REFERENCES stream (no),
    -- The record after which the compared range begins; empty: at the first.
    range      BLOB    NOT NULL,
    rounds     INTEGER NOT NULL,
    difference BLOB    NOT NULL,
    seen_at    INTEGER NOT NULL,
    PRIMARY KEY (device_no, stream_no, range)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    -- What happened, for good: each row's hash covers the row before it.
    no       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    -- Who: a person's or device's id, `server` or `operator`.
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    -- What it was done to: an id, never a name.
    target   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    -- 1: somebody has to look at it.
    alarm    INTEGER NOT NULL DEFAULT 0 CHECK (alarm IN (0, 1)),
    previous BLOB    NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_alarm ON audit (no) WHERE alarm = 1;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

CREATE TABLE alarm_seen (
    -- Alarms that somebody has looked at. Beside the audit log, whose rows are never altered.
    no INTEGER PRIMARY KEY REFERENCES audit (no),
    at INTEGER NOT NULL,
    by BLOB    NOT NULL CHECK (length(by) = 16)
) STRICT;

CREATE TABLE media (
    -- Stored media: photos, previews, tracks. The bytes are files named by their hash.
    hash      BLOB    PRIMARY KEY CHECK (length(hash) = 32),
    bytes     INTEGER NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE track (
    -- Which media are tracks of patrols: where somebody walked is not kept longer than it is needed.
    hash       BLOB    PRIMARY KEY CHECK (length(hash) = 32),
    -- When the walk began: by the name of its record, and never later than the server heard of it.
    started_at INTEGER NOT NULL,
    -- 1: removed, and nothing has come since.
    removed    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX track_age ON track (started_at) WHERE removed = 0;

CREATE TABLE media_holder (
    -- Devices that uploaded a medium themselves, and so may know that it is stored.
    hash      BLOB    NOT NULL,
    device_no INTEGER NOT NULL REFERENCES device (no),
    PRIMARY KEY (hash, device_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE media_ref (
    -- Records that point at a medium, which may not have arrived yet.
    hash      BLOB    NOT NULL,
    record_no INTEGER NOT NULL REFERENCES record (no),
    PRIMARY KEY (hash, record_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE photo_link (
    -- Links of the phones' chains of photos and voice notes, as they were when they landed.
    record    BLOB    NOT NULL CHECK (length(record) = 16),
    -- The name of the photo or voice note in its record.
    element   BLOB    NOT NULL CHECK (length(element) = 16),
    device_no INTEGER NOT NULL REFERENCES device (no),
    number    INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    -- SHA-256 of the signed message, and of the one before by the phone's word.
    hash      BLOB    NOT NULL CHECK (length(hash) = 32),
    previous  BLOB    CHECK (previous IS NULL OR length(previous) = 32),
    -- 1: the signature is that of the phone's key.
    fits      INTEGER NOT NULL,
    PRIMARY KEY (record, element)
) STRICT, WITHOUT ROWID;
CREATE INDEX photo_link_number ON photo_link (device_no, number);

CREATE TABLE upload (
    -- Uploads that are not finished. The bytes are in a file named by the id.
    id         TEXT    PRIMARY KEY,
    device_no  INTEGER NOT NULL REFERENCES device (no),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_device ON upload (device_no);
CREATE INDEX upload_expiry ON upload (expires_at);

CREATE TABLE source_key (
    -- What other systems call our records.
    -- Which system or ledger.
    source TEXT NOT NULL,
    key    TEXT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE imported (
    -- The last value that an import brought for a field, so that it writes only what the file changed.
    record BLOB NOT NULL,
    field  TEXT NOT NULL,
    -- Encoded like a wire value.
    value  BLOB NOT NULL,
    PRIMARY KEY (record, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_files (
    -- One row: the deployment's rules for phones, as its files state them.
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    -- 8 bytes of a hash over all.
    mark   BLOB    NOT NULL CHECK (length(mark) = 8),
    doors  TEXT,
    field  TEXT,
    events TEXT,
    set_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sensitive_read (
    -- Reads of sensitive records that phones have told of: each is in the audit log once, however often it is told.
    device_no INTEGER NOT NULL REFERENCES device (no),
    -- By the phone's clock.
    at        INTEGER NOT NULL,
    record    BLOB    NOT NULL CHECK (length(record) = 16),
    PRIMARY KEY (device_no, at, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE sealing_key (
    -- One row: what locked devices seal their unsent work with. The secret never leaves the server.
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    secret  BLOB    NOT NULL CHECK (length(secret) = 32),
    public  BLOB    NOT NULL CHECK (length(public) = 32),
    made_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sealed_package (
    -- Sealed work of locked devices, kept until an administrator decides.
    no         INTEGER PRIMARY KEY,
    device_no  INTEGER NOT NULL REFERENCES device (no),
    -- 16 bytes that the device drew.
    name       BLOB    NOT NULL CHECK (length(name) = 16),
    parts      INTEGER NOT NULL,
    -- Bytes of the parts that came, removed ones included.
    bytes      INTEGER NOT NULL DEFAULT 0,
    begun_at   INTEGER NOT NULL,
    -- When all of it was here.
    whole_at   INTEGER,
    -- 1: its changes were offered to the records. 0: it was thrown away.
    accepted   INTEGER NOT NULL DEFAULT 0,
    settled_at INTEGER,
    settled_by BLOB,
    UNIQUE (device_no, name)
) STRICT;

CREATE TABLE sealed_part (
    package_no INTEGER NOT NULL REFERENCES sealed_package (no),
    n          INTEGER NOT NULL,
    -- HPKE; see core/replica/src/sealed.rs.
    body       BLOB    NOT NULL,
    PRIMARY KEY (package_no, n)
) STRICT;
