-- One row per document. `tip`: the sequence number of its newest update. `epoch`: one lifetime of the document.
CREATE TABLE documents (
    id          TEXT PRIMARY KEY NOT NULL,
    epoch       TEXT NOT NULL,
    tip         BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

-- The update log. A row holds the updates `first_seq`..=`seq`: one as it was received, or what compaction merged.
CREATE TABLE scene_versions (
    document    TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    seq         BIGINT NOT NULL,
    first_seq   BIGINT NOT NULL,
    detail      BIGINT NOT NULL DEFAULT 0,
    session     TEXT,
    client_seq  BIGINT,
    author      TEXT,
    at          BIGINT NOT NULL,
    bytes       BYTEA NOT NULL,
    checksum    BIGINT NOT NULL,
    quarantined TEXT,
    PRIMARY KEY (document, seq)
);

-- To recognise a submission that is sent again.
CREATE INDEX scene_versions_submission ON scene_versions (document, session, client_seq) WHERE session IS NOT NULL;

-- How far each client session of a document is stored.
CREATE TABLE sessions (
    document    TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    session     TEXT NOT NULL,
    acked_seq   BIGINT NOT NULL,
    last_seq    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (document, session)
);

-- Whole states: the one to load from (kind 'head', at most one), and named versions.
CREATE TABLE snapshots (
    id          TEXT PRIMARY KEY NOT NULL,
    document    TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    through_seq BIGINT NOT NULL,
    label       TEXT,
    author      TEXT,
    at          BIGINT NOT NULL,
    bytes       BYTEA NOT NULL,
    checksum    BIGINT NOT NULL
);
CREATE INDEX snapshots_document ON snapshots (document, kind, through_seq);
CREATE UNIQUE INDEX snapshots_head ON snapshots (document) WHERE kind = 'head';

-- Work that one server at a time does.
CREATE TABLE leases (
    name        TEXT PRIMARY KEY NOT NULL,
    holder      TEXT NOT NULL,
    until       BIGINT NOT NULL
);
