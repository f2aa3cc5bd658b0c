-- From which document a user was kicked; from all of them where there is none.
ALTER TABLE kicks ADD COLUMN document TEXT;
