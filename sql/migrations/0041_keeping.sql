-- 办文 (A8.2, A8.4): the log of the seal, and what schools did with the paper that they hold.
CREATE TABLE document_seal (
	county int NOT NULL,
	document uuid NOT NULL,
	n int NOT NULL,                         -- of the trace: who, and when
	count int NOT NULL,
	copies int NOT NULL,
	PRIMARY KEY (county, document, n)
);
ALTER TABLE document_seal ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_seal FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON document_seal USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN ('bureau', 'job'));
GRANT SELECT, INSERT ON document_seal TO jingguan_app;

ALTER TABLE document_delivery ADD COLUMN kept_at timestamptz, ADD COLUMN slot text,
	ADD COLUMN destroyed_at timestamptz, ADD COLUMN destroyed_by text, ADD COLUMN witness text;
-- It has more columns now.
DROP FUNCTION IF EXISTS document_deliveries(uuid);
