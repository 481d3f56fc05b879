-- 办文 (A8): what is asked of many papers at once.

CREATE INDEX document_year ON document (county, year);
CREATE INDEX document_task_closed ON document_task (county, closed);
CREATE INDEX document_trace_at ON document_trace (county, at);

-- What a paper is found by: number, title and body in the normal form of common/rules/normal_form.h, a line each. Written with the text.
ALTER TABLE document ADD COLUMN search text NOT NULL DEFAULT '';
