-- What kind of event it is: a change, or that a document was opened or closed, and at which server.
ALTER TABLE webhook_events ADD COLUMN kind TEXT NOT NULL DEFAULT 'changed';
ALTER TABLE webhook_events ADD COLUMN server TEXT;
