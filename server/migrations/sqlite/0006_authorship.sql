-- Who inserted and who deleted what in rows that compaction has merged: one author in one sitting. A row that is not merged says so
-- itself. `first_seq`..`seq`: of the rows it is about. `inserted`, `deleted`: ids, as Yjs encodes a set of deletions. `author` is
-- null where nobody knows. Times: of the first row and of the last.
CREATE TABLE authorship (
    document    TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    first_seq   BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    author      TEXT,
    first_at    BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    inserted    BLOB NOT NULL,
    deleted     BLOB NOT NULL,
    PRIMARY KEY (document, first_seq)
);
