-- Whose tokens were taken back, and when. `number`: in which order; the last one of each user is kept.
CREATE TABLE kicks (
    number      BIGINT PRIMARY KEY NOT NULL,
    who         TEXT NOT NULL,
    at          BIGINT NOT NULL
);
