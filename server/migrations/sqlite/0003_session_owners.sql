-- Whose a session is, as its token said.
ALTER TABLE sessions ADD COLUMN owner TEXT;
