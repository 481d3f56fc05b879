-- Streams, devices, pushes, the feed and the trace (sync.md §2 "Server tables").

-- Ends the transaction when a write met fewer rows than it planned for: somebody else was first, so the decision must be
-- made again ('JG' and the number of common/err.def: BUSY).
CREATE FUNCTION assert_rows(actual bigint, wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF actual <> wanted THEN
		RAISE EXCEPTION USING ERRCODE = 'JG002', MESSAGE = 'written by somebody else meanwhile';
	END IF;
END $$;

CREATE TABLE stream (
	county int NOT NULL,
	stream_id bigint NOT NULL,              -- opaque on the wire; the county's code or a school's code
	seq bigint NOT NULL DEFAULT 0,
	floor bigint NOT NULL DEFAULT 0,        -- tombstones up to here are gone: a cursor below it starts again
	lanes bigint[] NOT NULL DEFAULT '{0,0,0,0,0,0,0,0}', -- each modulo 2^32: the digest of all live rows
	audit_n bigint NOT NULL DEFAULT 0,
	audit_head bytea NOT NULL DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000',
	PRIMARY KEY (county, stream_id),
	CHECK (cardinality(lanes) = 8 AND octet_length(audit_head) = 32)
);

CREATE TABLE feed (
	county int NOT NULL,
	stream_id bigint NOT NULL,
	rec_id uuid NOT NULL,
	seq bigint NOT NULL,
	ver bigint NOT NULL,
	kind smallint NOT NULL,
	action smallint NOT NULL,               -- Action of sync.proto: 1 PUT, 2 DEL, 3 LEAVE
	PRIMARY KEY (county, stream_id, rec_id)
);
CREATE UNIQUE INDEX feed_seq ON feed (county, stream_id, seq);

CREATE TABLE device (
	county int NOT NULL,
	device_id uuid NOT NULL,
	school text NOT NULL,                   -- '' = the bureau
	cert_spki bytea NOT NULL,               -- SHA-256 of the public key
	cert_until timestamptz NOT NULL,
	host text NOT NULL DEFAULT '',
	client text NOT NULL DEFAULT '',
	incarnation int NOT NULL DEFAULT 1,
	last_op bigint NOT NULL DEFAULT 0,
	last_hash bytea NOT NULL,
	dup_seen bigint NOT NULL DEFAULT 0,     -- a replay is answered in a transaction that writes, so that it is fenced
	last_contact timestamptz,
	pending bigint NOT NULL DEFAULT 0,
	revoked_at timestamptz,
	PRIMARY KEY (county, device_id)
);
CREATE UNIQUE INDEX device_spki ON device (county, cert_spki);

CREATE TABLE op_push (
	county int NOT NULL,
	device_id uuid NOT NULL,
	incarnation int NOT NULL,
	first_op bigint NOT NULL,
	last_op bigint NOT NULL,
	author text NOT NULL,
	at timestamptz NOT NULL,
	shas bytea NOT NULL,                    -- 32 bytes an op, in order
	results bytea NOT NULL,                 -- PushReply
	PRIMARY KEY (county, device_id, incarnation, last_op),
	CHECK (first_op <= last_op AND octet_length(shas) = 32 * (last_op - first_op + 1))
);

-- What an update replaced. Values leave a record only into here or into a conflict (I9).
CREATE TABLE rec_history (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	ver bigint NOT NULL,                    -- the version that replaced `old`
	kind smallint NOT NULL,
	owner_school text NOT NULL,
	groups int NOT NULL,                    -- mask of the groups that changed, bit n-1 for group n
	old bytea NOT NULL,                     -- canonical bytes
	author text NOT NULL,
	device_id uuid NOT NULL,
	op_no bigint NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (county, rec_id, ver)
);

CREATE TABLE conflict (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	device_id uuid NOT NULL,
	incarnation int NOT NULL,
	op_no bigint NOT NULL,
	kind smallint NOT NULL,
	owner_school text NOT NULL,
	group_no int NOT NULL,
	ver bigint NOT NULL,                    -- of the record that it met
	mine bytea NOT NULL,                    -- the body that was not applied
	author text NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (county, rec_id, device_id, incarnation, op_no)
);

-- One row per transaction and stream. parts (proto/README.md §7) holds 64 bytes an effect: ids, versions, group masks and
-- hashes, no personal values.
CREATE TABLE audit_link (
	county int NOT NULL,
	stream_id bigint NOT NULL,
	n bigint NOT NULL,
	at timestamptz NOT NULL,
	parts bytea NOT NULL,
	root bytea NOT NULL,
	head bytea NOT NULL,
	PRIMARY KEY (county, stream_id, n),
	CHECK (octet_length(root) = 32 AND octet_length(head) = 32)
);

-- Reads, refusals and log-ins: one row per call, chained by a minute job (`sealed` numbers the links).
CREATE TABLE access_log (
	county int NOT NULL,
	id bigint GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL,
	user_id text NOT NULL,
	device_id uuid,
	school text NOT NULL,
	method text NOT NULL,
	result text NOT NULL,
	rows int NOT NULL,
	purpose text NOT NULL,
	ref text NOT NULL,
	PRIMARY KEY (county, id)
);
CREATE INDEX access_log_at ON access_log (county, at);
CREATE TABLE access_seal (
	county int NOT NULL,
	n bigint NOT NULL,
	first_id bigint NOT NULL,
	last_id bigint NOT NULL,
	rows bigint NOT NULL,
	at timestamptz NOT NULL,
	head bytea NOT NULL,
	PRIMARY KEY (county, n)
);

CREATE TABLE blob (
	county int NOT NULL,
	school text NOT NULL,
	sha bytea NOT NULL,
	size bigint NOT NULL,
	complete boolean NOT NULL DEFAULT false,
	PRIMARY KEY (county, school, sha),
	CHECK (octet_length(sha) = 32 AND size BETWEEN 1 AND 10485760)
);
CREATE TABLE blob_chunk (
	county int NOT NULL,
	school text NOT NULL,
	sha bytea NOT NULL,
	n int NOT NULL,
	bytes bytea NOT NULL,
	PRIMARY KEY (county, school, sha, n),
	CHECK (octet_length(bytes) <= 262144)
);

DO $$
DECLARE
	t text;
	visible text;
BEGIN
	FOREACH t IN ARRAY '{stream,feed,device,op_push,rec_history,conflict,audit_link,access_log,access_seal,blob,blob_chunk}'::text[] LOOP
		visible := CASE
			-- The streams that a transaction touches are named before it touches them.
			WHEN t IN ('stream', 'feed', 'audit_link') THEN 'stream_id = ANY ((SELECT app_streams())::bigint[])'
			WHEN t IN ('rec_history', 'conflict') THEN 'owner_school = ANY ((SELECT app_schools())::text[])'
			WHEN t IN ('blob', 'blob_chunk', 'device') THEN 'school = ANY ((SELECT app_schools())::text[])'
			WHEN t = 'op_push' THEN 'device_id IN (SELECT d.device_id FROM device d WHERE d.county = (SELECT app_county()))'
			ELSE 'true' END;
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY scope ON %I USING (county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR %s))', t, visible);
	END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON stream, device, blob TO jingguan_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON feed TO jingguan_app;
-- The trace is written once: no UPDATE, no DELETE.
GRANT SELECT, INSERT ON op_push, rec_history, conflict, audit_link, access_log, access_seal, blob_chunk TO jingguan_app;
