-- 办文 (A8.5): certificates of the computers that have signed for an event, kept for whoever looks the signatures up when the computer is gone.
CREATE TABLE document_signer (
	county int NOT NULL,
	device uuid NOT NULL,
	cert_hash bytea NOT NULL,               -- SHA-256 of it
	cert bytea NOT NULL,                    -- DER
	at timestamptz NOT NULL,                -- first used here
	PRIMARY KEY (county, device, cert_hash)
);
ALTER TABLE document_signer ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_signer FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON document_signer USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN ('bureau', 'job'));
GRANT SELECT, INSERT ON document_signer TO jingguan_app;
