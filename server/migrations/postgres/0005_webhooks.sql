-- Of which comments a row of the log has something new, by their keys, a line each.
ALTER TABLE scene_versions ADD COLUMN comments TEXT;

-- Who is told what happens to documents. `failures`: in a row; nothing is sent before `retry_at`.
CREATE TABLE webhooks (
    id            TEXT PRIMARY KEY NOT NULL,
    url           TEXT NOT NULL,
    secret        TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    failures      BIGINT NOT NULL DEFAULT 0,
    failing_since BIGINT,
    retry_at      BIGINT NOT NULL DEFAULT 0,
    error         TEXT
);

-- What is to be told, in this order. One that was tried (`tries`) stays what it was; given up: `dead_at`.
CREATE TABLE webhook_events (
    number      BIGSERIAL PRIMARY KEY,
    webhook     TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    id          TEXT NOT NULL,
    document    TEXT NOT NULL,
    epoch       TEXT NOT NULL,
    first_seq   BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    authors     TEXT,
    comments    TEXT,
    at          BIGINT NOT NULL,
    tries       BIGINT NOT NULL DEFAULT 0,
    dead_at     BIGINT,
    error       TEXT
);
CREATE INDEX webhook_events_next ON webhook_events (webhook, number) WHERE dead_at IS NULL;
CREATE INDEX webhook_events_waiting ON webhook_events (document, webhook) WHERE tries = 0;

-- Up to where the log of a document has become events.
CREATE TABLE webhook_progress (
    document    TEXT PRIMARY KEY NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    epoch       TEXT NOT NULL,
    seq         BIGINT NOT NULL
);
