/** The tables of a mirror that an index does not have. Raise `MIRROR_VERSION` with every change of them or of what is written to them. */
import { SCHEMA_VERSION } from '../../store/index/schema.ts'

const MIRROR_VERSION = 3

/** What `user_version` says in a mirror of this program. */
export const MARK: number = SCHEMA_VERSION * 1000 + MIRROR_VERSION

export const MIRROR_TABLES = `
-- One row: how many bytes of log.jsonl are folded.
CREATE TABLE mirror (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  length INTEGER NOT NULL
) STRICT;

-- What the operation says of a pack that it names. In "pack", those whose table was not read yet are 'missing'.
CREATE TABLE joined (
  name TEXT PRIMARY KEY,
  operation INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  kind TEXT NOT NULL,
  toc_offset INTEGER NOT NULL,
  toc_length INTEGER NOT NULL,
  sha256 TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX joined_operation ON joined (operation);

-- The packs in which a leaf of a tree lies with all that its entries name: their rows, 32 bits each, little-endian.
CREATE TABLE leaf (
  id BLOB PRIMARY KEY,
  packs BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest operation that says something of an artifact, its versions, or what runs did with these.
CREATE TABLE touched (
  artifact TEXT PRIMARY KEY,
  operation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest operation that says what a run is called.
CREATE TABLE touched_run (
  run TEXT PRIMARY KEY,
  operation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`
