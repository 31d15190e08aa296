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
