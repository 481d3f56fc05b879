-- A device's numbers begin again with each line (fork), so that device and number alone do not name an operation. 0: an entry from
-- before this column, or one of the server's own (op_no 0).
ALTER TABLE rec_history ADD COLUMN incarnation int NOT NULL DEFAULT 0;
