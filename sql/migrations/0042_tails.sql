-- 办文 (A8.5): how far each trace went, in the county's stream. told_n: how far the schools have been told of it.
SELECT record_table('trace_tail', 'of uuid, n int, head bytea', true);
ALTER TABLE document ADD COLUMN told_n int NOT NULL DEFAULT 0;
CREATE INDEX document_untold ON document (county, id) WHERE trace_n > told_n;
