-- 办文 (A8.7): the files that hang on papers. A file of the bureau's stands once in the county, however many papers and schools have it:
-- it is a blob of no school, which those may read whom such a paper was sent to.

-- What is known of a file by looking at it; looked at again only while nobody has scanned it.
CREATE TABLE document_content (
	county int NOT NULL,
	sha bytea NOT NULL,
	type text NOT NULL,                     -- pdf, docx …; '' = none that is taken
	cut boolean NOT NULL,                   -- its end is missing
	verdict text NOT NULL,                  -- clean, infected, unscanned
	text text NOT NULL,                     -- what it is found by, in the normal form of common/rules/normal_form.h
	at timestamptz NOT NULL,
	PRIMARY KEY (county, sha)
);
-- Which files a version of a paper has, in their order. Written with the version, never changed.
CREATE TABLE document_file (
	county int NOT NULL,
	document uuid NOT NULL,
	version int NOT NULL,
	n int NOT NULL,
	name text NOT NULL,
	sha bytea NOT NULL,
	size bigint NOT NULL,
	PRIMARY KEY (county, document, version, n)
);
CREATE INDEX document_file_sha ON document_file (county, sha);

ALTER TABLE document_content ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_content FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON document_content USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN ('bureau', 'job'));
GRANT SELECT, INSERT, UPDATE ON document_content TO jingguan_app;
ALTER TABLE document_file ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_file FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON document_file USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN ('bureau', 'job'));
GRANT SELECT, INSERT ON document_file TO jingguan_app;

-- A school reads those of the version that was sent to it: their names, and their bytes.
CREATE POLICY sent ON document_file FOR SELECT USING (county = (SELECT app_county()) AND EXISTS (SELECT FROM document_address a
	WHERE a.county = document_file.county AND a.document = document_file.document AND a.version = document_file.version AND a.school = ANY ((SELECT app_schools())::text[])));
CREATE POLICY sent ON blob FOR SELECT USING (county = (SELECT app_county()) AND school = ''
	AND EXISTS (SELECT FROM document_file f WHERE f.county = blob.county AND f.sha = blob.sha));
CREATE POLICY sent ON blob_chunk FOR SELECT USING (county = (SELECT app_county()) AND school = ''
	AND EXISTS (SELECT FROM document_file f WHERE f.county = blob_chunk.county AND f.sha = blob_chunk.sha));

ALTER TABLE document_delivery ADD COLUMN files text;
