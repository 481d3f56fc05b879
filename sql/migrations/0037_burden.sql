-- 办文 (A8.9): what each version of a paper asks, by what a question is known again (common/rules/draft_digest.h). Written with the version.
CREATE TABLE document_question (
	county int NOT NULL,
	document uuid NOT NULL,
	version int NOT NULL,
	n int NOT NULL,
	key text NOT NULL,
	label text NOT NULL,
	period text NOT NULL,
	PRIMARY KEY (county, document, version, n)
);
CREATE INDEX document_question_key ON document_question (county, key);
ALTER TABLE document_question ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_question FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON document_question USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN ('bureau', 'job'));
GRANT SELECT, INSERT ON document_question TO jingguan_app;
