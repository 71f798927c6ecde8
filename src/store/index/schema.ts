/**
 * The tables of the index (docs/format.md section 7): the fold of the log, and the place of every object. Ids are hex
 * text where people query them (`find`, `sql`), bytes where there are millions of them. Raise `SCHEMA_VERSION` with
 * every change of `SCHEMA` or of what `fold.ts` writes: an index of another version is rebuilt.
 */
export const SCHEMA_VERSION = 11

export const SCHEMA = `
-- One row. The fold stands after operation "applied", whose hash is "hash" (of format.json while applied is 0).
-- "file" tells this file from copies of it.
-- "durable" is the hash of the newest operation whose name is known to be on disk, and with it all before it.
CREATE TABLE store (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  file TEXT NOT NULL,
  applied INTEGER NOT NULL,
  hash TEXT NOT NULL,
  durable TEXT NOT NULL
) STRICT;

-- "sum", here and below: see row-sum.ts.
-- "final": 1 where it holds nothing that can be undone. "undoes": the operation it undoes; "undone": by which one it is undone now.
CREATE TABLE operation (
  n INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  at TEXT NOT NULL,
  user TEXT NOT NULL,
  host TEXT NOT NULL,
  tool TEXT NOT NULL,
  final INTEGER NOT NULL,
  undoes INTEGER,
  undone INTEGER,
  sum INTEGER NOT NULL
) STRICT;

-- "operation" names the pack; null: written, and not named yet. A row is never given to another pack.
-- "dropped": by which operation; "into": the pack in which to look for what it held.
CREATE TABLE pack (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  bytes INTEGER NOT NULL,
  kind TEXT NOT NULL,
  operation INTEGER,
  state TEXT NOT NULL CHECK (state IN ('present', 'missing', 'damaged', 'dropped')),
  dropped INTEGER,
  "into" TEXT
) STRICT;
CREATE INDEX pack_unreadable ON pack (state) WHERE state IN ('missing', 'damaged');
CREATE INDEX pack_dropped ON pack (dropped) WHERE dropped IS NOT NULL;
CREATE INDEX pack_small ON pack (kind) WHERE state = 'present' AND operation IS NOT NULL AND bytes < 1048576;

CREATE TABLE object (
  id BLOB NOT NULL,
  pack INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  raw INTEGER NOT NULL,
  type INTEGER NOT NULL,
  PRIMARY KEY (id, pack)
) STRICT, WITHOUT ROWID;

-- "portfolio": 1 for an artifact whose versions are links. "next": the number of its next version or link. "aliases": how many it has, so that a row that nothing finds is missed.
CREATE TABLE artifact (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  description TEXT,
  portfolio INTEGER NOT NULL,
  operation INTEGER NOT NULL,
  next INTEGER NOT NULL,
  aliases INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  UNIQUE (project, name)
) STRICT;

-- "ttl": seconds after "created_at", or 'never'; null: what the store says. "deleted", "purged": by which operation; a
-- live version is one that is not deleted. "updated": by which operation its labels or its own aliases last changed, or
-- whether it is live. "partial": 1 where its bytes need not be here. "tags", "links", "uses": how many it has, so that a row that nothing finds is missed.
CREATE TABLE version (
  id TEXT PRIMARY KEY,
  artifact TEXT NOT NULL,
  number INTEGER NOT NULL,
  root TEXT NOT NULL,
  files INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  parents TEXT NOT NULL,
  run TEXT,
  description TEXT,
  metadata TEXT,
  ttl TEXT,
  operation INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  deleted INTEGER,
  purged INTEGER,
  partial INTEGER NOT NULL,
  tags INTEGER NOT NULL,
  links INTEGER NOT NULL,
  uses INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  UNIQUE (artifact, number)
) STRICT;
CREATE INDEX version_root ON version (root);
CREATE INDEX version_deleted ON version (deleted) WHERE deleted IS NOT NULL;
CREATE INDEX version_live ON version (artifact, number) WHERE deleted IS NULL;
CREATE INDEX version_newest ON version (operation, number) WHERE deleted IS NULL;

-- In which packs its objects lay when it was pushed here; "packs": JSON. "list": the chunk that has their ids.
CREATE TABLE closure (
  version TEXT PRIMARY KEY,
  packs TEXT NOT NULL,
  list TEXT,
  sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that versions, or links of a portfolio, had before an operation gave them others.
CREATE TABLE renumbered (
  artifact TEXT NOT NULL,
  number INTEGER NOT NULL,
  operation INTEGER NOT NULL,
  version TEXT NOT NULL,
  sum INTEGER NOT NULL,
  PRIMARY KEY (artifact, number, operation)
) STRICT, WITHOUT ROWID;

-- The ids that artifacts bear in other stores.
CREATE TABLE artifact_join (
  id TEXT PRIMARY KEY,
  artifact TEXT NOT NULL,
  operation INTEGER NOT NULL,
  sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_join_artifact ON artifact_join (artifact);

CREATE TABLE alias (
  artifact TEXT NOT NULL,
  alias TEXT NOT NULL,
  version TEXT NOT NULL,
  operation INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  PRIMARY KEY (artifact, alias)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_version ON alias (version);

-- Every move of every alias, in their order: from "old" to "version"; null: none.
CREATE TABLE alias_move (
  id INTEGER PRIMARY KEY,
  artifact TEXT NOT NULL,
  alias TEXT NOT NULL,
  old TEXT,
  version TEXT,
  operation INTEGER NOT NULL
) STRICT;
CREATE INDEX alias_move_alias ON alias_move (alias, artifact);

CREATE TABLE tag (
  version TEXT NOT NULL,
  tag TEXT NOT NULL,
  sum INTEGER NOT NULL,
  PRIMARY KEY (version, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_tag ON tag (tag);

-- Of which versions each was derived; "parent" may be one that the store does not have.
CREATE TABLE parent (
  version TEXT NOT NULL,
  parent TEXT NOT NULL,
  PRIMARY KEY (parent, version)
) STRICT, WITHOUT ROWID;

-- "removed": by which operation; null: the link is there.
CREATE TABLE link (
  portfolio TEXT NOT NULL,
  number INTEGER NOT NULL,
  version TEXT NOT NULL,
  operation INTEGER NOT NULL,
  removed INTEGER,
  sum INTEGER NOT NULL,
  PRIMARY KEY (portfolio, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_version ON link (version) WHERE removed IS NULL;

-- "tags", "config", "command", "source": JSON.
CREATE TABLE run (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT,
  job TEXT,
  "group" TEXT,
  notes TEXT,
  tags TEXT,
  config TEXT,
  user TEXT NOT NULL,
  host TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'failed')),
  exit_code INTEGER,
  command TEXT,
  directory TEXT,
  source TEXT,
  operation INTEGER NOT NULL,
  sum INTEGER NOT NULL
) STRICT;
CREATE INDEX run_newest ON run (operation);
CREATE INDEX run_name ON run (name, operation);
CREATE INDEX run_group ON run ("group", operation) WHERE "group" IS NOT NULL;

-- What runs used (input) and logged (output), in their order. "version" may be one that the store does not have, "name" what
-- it is called elsewhere. "deduplicated": 1 where the run logged content that was there.
CREATE TABLE edge (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('input', 'output')),
  slot TEXT NOT NULL,
  version TEXT NOT NULL,
  name TEXT,
  deduplicated INTEGER NOT NULL,
  operation INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  UNIQUE (run, direction, slot, version)
) STRICT;
CREATE INDEX edge_version ON edge (version, direction);

-- "state": 'open', 'finished' (as "version") or 'aborted', since operation "ended". "parts": how many it has.
CREATE TABLE draft (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT,
  key TEXT NOT NULL,
  base TEXT,
  operation INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'finished', 'aborted')),
  ended INTEGER,
  version TEXT,
  sum INTEGER NOT NULL
) STRICT;
CREATE INDEX draft_open ON draft (project, name, key) WHERE state = 'open';

-- "removed": JSON.
CREATE TABLE draft_part (
  draft TEXT NOT NULL,
  part INTEGER NOT NULL,
  root TEXT NOT NULL,
  files INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  writer TEXT NOT NULL,
  run TEXT,
  overwrite INTEGER NOT NULL,
  removed TEXT,
  operation INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  PRIMARY KEY (draft, part)
) STRICT, WITHOUT ROWID;
`
