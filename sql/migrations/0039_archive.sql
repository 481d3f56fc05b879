-- 归档 (A8.4, A8.8): the number under which a paper lies in the archive, given with the event that puts it there.
ALTER TABLE document ADD COLUMN archive_no text NOT NULL DEFAULT '';
CREATE UNIQUE INDEX document_archive_no ON document (county, archive_no) WHERE archive_no <> '';
