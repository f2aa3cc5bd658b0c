-- What is written to see that the database takes it.
CREATE TABLE probes (
    name        TEXT PRIMARY KEY NOT NULL,
    at          BIGINT NOT NULL,
    bytes       BLOB NOT NULL
);
