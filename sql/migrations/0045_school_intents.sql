-- Certificates that the county has issued to computers, for whoever looks a signature up when the computer is gone: a renewed one is another.
CREATE TABLE device_cert (
	county int NOT NULL,
	device uuid NOT NULL,
	cert_hash bytea NOT NULL,               -- SHA-256 of it
	cert bytea NOT NULL,                    -- DER
	at timestamptz NOT NULL,
	PRIMARY KEY (county, device, cert_hash)
);
ALTER TABLE device_cert ENABLE ROW LEVEL SECURITY;
ALTER TABLE device_cert FORCE ROW LEVEL SECURITY;
CREATE POLICY county ON device_cert USING (county = (SELECT app_county()));
GRANT SELECT, INSERT ON device_cert TO jingguan_app;

-- 办文 (A8.5): what a school says of a paper, as its computer has signed it.
ALTER TABLE document_delivery ADD COLUMN read_intent text, ADD COLUMN read_sig bytea, ADD COLUMN signed_intent text, ADD COLUMN signed_sig bytea,
	ADD COLUMN answered_intent text, ADD COLUMN answered_sig bytea;
