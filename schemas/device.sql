-- The phone's databases as they are now. Written by the test `the_committed_dump_is_what_the_code_makes`
-- of gridwalk-device (UPDATE_SCHEMAS=1); the reasons stand in core/device/src/store/migrations.

-- store.db

CREATE TABLE setting (
  -- What the device is and what it was told last. One row a name; the names stand in store/setting.rs.
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
  -- A record: its document, and what lists and search need of it without loading the document.
  key INTEGER PRIMARY KEY,
  -- 16 bytes, UUID version 7.
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  -- The word for the kind, as it came; this build need not know it.
  kind TEXT NOT NULL,
  -- 1: removed, and not shown.
  hidden INTEGER NOT NULL DEFAULT 0,
  -- Bits of store/records.rs: 1 unreadable, 2 conflict, 4 edited while removed, 8 leaving, 16 history wanted.
  flags INTEGER NOT NULL DEFAULT 0,
  -- Place in a list of its kind.
  sort TEXT NOT NULL DEFAULT '',
  -- What the digests count it with: of its own heads, or as claimed by the server while it cannot be read.
  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
  -- Number of changes in `tail`.
  tail_count INTEGER NOT NULL DEFAULT 0,
  -- Winning values, encoded by store/fields.rs.
  fields BLOB NOT NULL,
  -- Changes since the snapshot, one after the other.
  tail BLOB NOT NULL DEFAULT x'',
  -- The saved document; empty while the record cannot be read.
  snapshot BLOB NOT NULL
) STRICT;

CREATE INDEX record_list ON record (kind, hidden, sort, key);

CREATE INDEX record_flags ON record (flags) WHERE flags <> 0;

CREATE TABLE unread (
  -- Bodies that could not be applied: of a kind of a newer schema, or damaged. Tried again after an upgrade.
  n INTEGER PRIMARY KEY,
  record INTEGER NOT NULL,
  -- 1 snapshot, 2 change.
  form INTEGER NOT NULL,
  body BLOB NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE INDEX unread_record ON unread (record, n);

CREATE TABLE link (
  -- Links between records, for lists by what a record points at.
  source INTEGER NOT NULL,
  field TEXT NOT NULL,
  target BLOB NOT NULL,
  PRIMARY KEY (source, field, target)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_target ON link (target, field, source);

CREATE VIRTUAL TABLE search USING fts5 (
  text,
  content = '',
  contentless_delete = 1,
  detail = none,
  tokenize = 'ascii'
);

CREATE TABLE stream (
  -- Streams that the device holds.
  key INTEGER PRIMARY KEY,
  -- StreamId::to_bytes.
  id BLOB NOT NULL UNIQUE,
  generation INTEGER NOT NULL,
  -- The last sequence number whose records are stored.
  seq INTEGER NOT NULL DEFAULT 0,
  -- Sum of its members' fingerprints.
  digest BLOB NOT NULL CHECK (length(digest) = 16),
  -- 1: being taken away; given up once nothing of it waits.
  revoking INTEGER NOT NULL DEFAULT 0,
  -- 1: granted again; members that are not named again leave when all has been pulled.
  restarted INTEGER NOT NULL DEFAULT 0,
  -- Comparisons since the digests agreed last.
  rounds INTEGER NOT NULL DEFAULT 0,
  -- 1: a comparison is under way, and has come to the record `compare_after`.
  comparing INTEGER NOT NULL DEFAULT 0,
  compare_after BLOB,
  -- Since when the two sides have differed beyond repair.
  alarm_at INTEGER
) STRICT;

CREATE TABLE member (
  -- Which records belong to which stream, and in which generation of the grant that was last said.
  stream INTEGER NOT NULL,
  record INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  PRIMARY KEY (stream, record)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_record ON member (record, stream);

CREATE TABLE outbox (
  -- Own changes without a final verdict, in the order in which they were made.
  n INTEGER PRIMARY KEY,
  record BLOB NOT NULL CHECK (length(record) = 16),
  kind TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  raw BLOB NOT NULL,
  -- When it was made, milliseconds since 1970.
  at INTEGER NOT NULL,
  -- The stream that a new record probably belongs to.
  hint BLOB,
  -- 0 waiting, 1 held by the server, 2 waits for what the server has lost.
  state INTEGER NOT NULL DEFAULT 0,
  -- Not offered before this time.
  retry_at INTEGER NOT NULL DEFAULT 0,
  -- How often its content was refused and made again.
  replays INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX outbox_record ON outbox (record, n);

CREATE TABLE sent (
  -- Own changes that the server has taken and not yet backed up.
  n INTEGER PRIMARY KEY,
  record BLOB NOT NULL CHECK (length(record) = 16),
  kind TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  raw BLOB NOT NULL,
  at INTEGER NOT NULL,
  hint BLOB,
  -- Number of the server's commit.
  in_commit INTEGER NOT NULL
) STRICT;

CREATE INDEX sent_commit ON sent (in_commit);

CREATE TABLE quarantine (
  -- Refused changes, byte for byte.
  n INTEGER PRIMARY KEY,
  record BLOB NOT NULL CHECK (length(record) = 16),
  kind TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  raw BLOB NOT NULL,
  -- The verdict, encoded as on the wire.
  verdict BLOB NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE refused_edit (
  -- Edits that were not accepted and could not be made again: shown to the worker until settled.
  n INTEGER PRIMARY KEY,
  record BLOB NOT NULL CHECK (length(record) = 16),
  kind TEXT NOT NULL,
  field TEXT NOT NULL,
  -- The value, encoded by store/fields.rs.
  value BLOB NOT NULL,
  -- Word of store/quarantine.rs.
  reason TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE upload (
  -- Media that the server is to have.
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  -- The record that refers to it.
  record BLOB NOT NULL CHECK (length(record) = 16),
  -- 0 what is small (previews, tracks, voice notes), 1 full photos.
  lane INTEGER NOT NULL,
  -- As in media.form.
  form INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  at INTEGER NOT NULL,
  -- The tus upload under way.
  url TEXT,
  -- Bytes that the server is known to have.
  offset INTEGER NOT NULL DEFAULT 0,
  -- Not tried before this time.
  retry_at INTEGER NOT NULL DEFAULT 0,
  -- When the server's receipt arrived, and the last commit that it had answered with by then.
  stored_at INTEGER,
  in_commit INTEGER,
  -- 1: the bytes were lost with a damaged media file, and the server never had them. 2: the worker took it off before
  -- it was sent, at `dropped_at`; it can be put back for a while.
  lost INTEGER NOT NULL DEFAULT 0,
  dropped_at INTEGER,
  -- When the server first said that it does not take it.
  refused_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX upload_waiting ON upload (lane, form, at, hash) WHERE stored_at IS NULL AND lost = 0;

CREATE TABLE preview (
  -- Previews of photos that records on this phone refer to.
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  record INTEGER NOT NULL,
  -- 1: its bytes are here.
  here INTEGER NOT NULL DEFAULT 0,
  -- Not asked for before this time.
  retry_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX preview_record ON preview (record);

CREATE INDEX preview_wanted ON preview (retry_at, hash) WHERE here = 0;

CREATE TABLE patrol (
  -- Patrols: the patrol that the worker has started and not ended; at most one beside those that were thrown away.
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  -- The grid.
  area BLOB NOT NULL CHECK (length(area) = 16),
  started_at INTEGER NOT NULL,
  -- When it was thrown away; until it is swept it can be taken back.
  discarded_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE patrol_point (
  -- Its points as the location provider gave them, each durable before the next: gone once the track is stored, or
  -- with a patrol that was thrown away.
  n INTEGER PRIMARY KEY,
  patrol BLOB NOT NULL CHECK (length(patrol) = 16),
  at INTEGER NOT NULL,
  -- WGS-84.
  lat REAL NOT NULL,
  lon REAL NOT NULL,
  -- Metres, and metres per second.
  accuracy REAL,
  speed REAL,
  -- 1: the platform says that an app made it up.
  mock INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX patrol_point_of ON patrol_point (patrol, n);

CREATE TABLE visit_draft (
  -- Visits: answers of a visit under way, until it is recorded or thrown away; one a target beside those that were
  -- thrown away.
  n INTEGER PRIMARY KEY,
  target BLOB NOT NULL CHECK (length(target) = 16),
  -- A VisitInput of work/visits/record.rs.
  body BLOB NOT NULL,
  at INTEGER NOT NULL,
  -- When it was thrown away; until it is swept it can be taken back.
  discarded_at INTEGER
) STRICT;

CREATE UNIQUE INDEX visit_draft_target ON visit_draft (target) WHERE discarded_at IS NULL;

CREATE TABLE door_operation (
  -- Never given twice, since the latest row stays: a screen may still hold the number of one that was forgotten.
  n INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  -- The dwelling that it was done to; for a merge the resident.
  target BLOB NOT NULL CHECK (length(target) = 16),
  -- What was done, in a word.
  act TEXT NOT NULL,
  -- What was written, and what had stood there, encoded by work/doors/journal.rs.
  steps BLOB NOT NULL,
  -- 1: taken back.
  undone INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX door_operation_target ON door_operation (target);

CREATE TABLE draft (
  -- A report that was begun. Sent, it becomes an event; thrown away, it can be taken back for a while.
  n INTEGER PRIMARY KEY,
  -- When it was begun.
  at INTEGER NOT NULL,
  -- What is known so far, encoded by work/events/draft.rs.
  body BLOB NOT NULL,
  -- When it was thrown away.
  discarded_at INTEGER
) STRICT;

CREATE TABLE draft_photo (
  -- Journaled originals and where they belong. A number of the journal may come again, so the time counts too.
  n INTEGER PRIMARY KEY,
  capture INTEGER NOT NULL,
  at INTEGER NOT NULL,
  -- The report that is still a draft, or the event to which it is to be attached.
  draft INTEGER,
  record BLOB CHECK (record IS NULL OR length(record) = 16),
  -- The name that it will have among the record's photos.
  element BLOB NOT NULL UNIQUE CHECK (length(element) = 16),
  -- Word of PhotoRole.
  role TEXT NOT NULL,
  -- The photo that shows the same spot before.
  pair BLOB CHECK (pair IS NULL OR length(pair) = 16),
  -- 1: attached; the original is only still to be thrown away.
  done INTEGER NOT NULL DEFAULT 0,
  -- Why and since when the file cannot be prepared, in both languages; it is not tried again by itself.
  fault_zh TEXT,
  fault_en TEXT,
  fault_at INTEGER
) STRICT;

CREATE INDEX draft_photo_draft ON draft_photo (draft) WHERE draft IS NOT NULL;

CREATE TABLE voice_note (
  -- Voice notes that this phone recorded: with a draft until it is sent, then to know which are its own.
  n INTEGER PRIMARY KEY,
  -- Where it belongs, one of three: a report that is still a draft, the draft of a visit, or a record.
  draft INTEGER,
  visit INTEGER,
  record BLOB CHECK (record IS NULL OR length(record) = 16),
  -- Its name among the record's voice notes, now or later.
  element BLOB NOT NULL UNIQUE CHECK (length(element) = 16),
  -- SHA-256 of the sound, which is among the media.
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  -- The reference, not signed yet; empty once the record has it.
  body BLOB NOT NULL,
  at INTEGER NOT NULL,
  -- When it was taken off its draft.
  discarded_at INTEGER
) STRICT;

CREATE INDEX voice_note_hash ON voice_note (hash);

CREATE TABLE due (
  record INTEGER NOT NULL,
  -- Words of DueSource and DueKind.
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  -- Where or with whom; none for the record itself.
  target BLOB,
  base INTEGER,
  since INTEGER,
  days INTEGER,
  person BLOB,
  unit BLOB,
  urgent INTEGER NOT NULL,
  PRIMARY KEY (record, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX due_base ON due (source, base);

CREATE INDEX due_target ON due (target, source, since) WHERE target IS NOT NULL;

CREATE TABLE due_seen (
  -- What the worker has taken note of and need not see again.
  record BLOB NOT NULL CHECK (length(record) = 16),
  source TEXT NOT NULL,
  base INTEGER NOT NULL,
  PRIMARY KEY (record, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE sensitive_read (
  n INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  record BLOB NOT NULL CHECK (length(record) = 16),
  kind TEXT NOT NULL,
  -- What for, in the worker's words.
  purpose TEXT NOT NULL
) STRICT;

CREATE INDEX sensitive_read_record ON sensitive_read (record, at);

CREATE TABLE photo_print (
  n INTEGER PRIMARY KEY,
  record BLOB NOT NULL CHECK (length(record) = 16),
  element BLOB NOT NULL CHECK (length(element) = 16),
  -- SHA-256 of the camera's file, and the hash of the picture.
  original BLOB NOT NULL CHECK (length(original) = 32),
  perceptual INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE INDEX photo_print_at ON photo_print (at);

CREATE TABLE sealed_part (
  n INTEGER PRIMARY KEY,
  -- Sealed already; none for a piece of a file, which is sealed when it is sent.
  body BLOB,
  -- The medium, the number of the original or the voice note of a draft, and where the piece begins.
  hash BLOB CHECK (hash IS NULL OR length(hash) = 32),
  capture INTEGER,
  element BLOB CHECK (element IS NULL OR length(element) = 16),
  offset INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE visit_due (
  target BLOB NOT NULL CHECK (length(target) = 16),
  -- Local days, counted from 1970-01-01: the row holds from the first until before the second.
  since INTEGER NOT NULL,
  until INTEGER,
  -- Word of VisitPurpose.
  purpose TEXT NOT NULL,
  -- The last day on which it is in time, and whether it was agreed at a visit.
  day INTEGER NOT NULL,
  agreed INTEGER NOT NULL,
  -- Rests until this day, because nobody opened.
  not_before INTEGER,
  PRIMARY KEY (target, since)
) STRICT, WITHOUT ROWID;

CREATE INDEX visit_due_day ON visit_due (day);

-- media.db

CREATE TABLE media (
  -- Media, cut into the pieces in which they are sent. A file of its own, so that large blobs never delay the
  -- commit of an edit.
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  -- 0 preview, 1 full photo, 3 track, 4 voice note.
  form INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE piece (
  key INTEGER PRIMARY KEY,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  n INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (hash, n)
) STRICT;

CREATE TABLE capture (
  -- Originals as the camera wrote them, kept until they are processed or thrown away: snap now, sort later.
  n INTEGER PRIMARY KEY,
  body BLOB NOT NULL,
  -- What the shell said at the moment of capture, encoded by photo.rs.
  facts BLOB NOT NULL,
  at INTEGER NOT NULL
) STRICT;
