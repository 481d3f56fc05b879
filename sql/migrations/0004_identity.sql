-- People, their sessions, and the invitations by which a computer becomes a device (security.md).

CREATE TABLE user_account (
	county int NOT NULL,
	user_id text NOT NULL,
	name text NOT NULL,
	school text NOT NULL,                   -- '' = bureau or administrator
	roles int[] NOT NULL,                   -- Role of options.proto
	classes text[] NOT NULL DEFAULT '{}',
	password_hash text NOT NULL,            -- argon2id string of libsodium
	must_change boolean NOT NULL DEFAULT true,
	first_until timestamptz,                -- a first password must be changed before this
	disabled boolean NOT NULL DEFAULT false,
	last_login timestamptz,
	created_at timestamptz NOT NULL,
	created_by text NOT NULL,
	PRIMARY KEY (county, user_id),
	CHECK (cardinality(roles) > 0),
	-- The three administrators are disjoint from each other and from every other role.
	CONSTRAINT administrators_disjoint CHECK (NOT roles && '{21,22,23}' OR cardinality(roles) = 1),
	CONSTRAINT school_or_bureau CHECK (CASE WHEN school = '' THEN NOT roles && '{1,2,3,4,5,6}' ELSE roles <@ '{1,2,3,4,5,6}' END)
);

CREATE TABLE password_history (
	county int NOT NULL,
	user_id text NOT NULL,
	at timestamptz NOT NULL,
	password_hash text NOT NULL,
	PRIMARY KEY (county, user_id, at)
);

-- Who was given which role, by whom: the security administrator sees every role given.
CREATE TABLE role_grant (
	county int NOT NULL,
	id bigint GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL,
	user_id text NOT NULL,
	roles int[] NOT NULL,
	given_by text NOT NULL,
	PRIMARY KEY (county, id)
);

CREATE TABLE session (
	county int NOT NULL,
	session_id uuid NOT NULL,
	token_sha bytea NOT NULL,               -- SHA-256 of the token; the token itself is only in the profile
	user_id text NOT NULL,
	device_id uuid NOT NULL,
	created_at timestamptz NOT NULL,
	used_at timestamptz NOT NULL,
	ended_at timestamptz,
	PRIMARY KEY (county, session_id)
);
CREATE INDEX session_by_user ON session (county, user_id);
CREATE INDEX session_by_device ON session (county, device_id);

-- Wrong passwords per account and device, also for accounts that do not exist: a lock tells nobody which do, and nobody
-- can lock another school's people out.
CREATE TABLE login_guard (
	county int NOT NULL,
	device_id uuid NOT NULL,
	user_id text NOT NULL,
	failed int NOT NULL,
	last_at timestamptz NOT NULL,
	locked_until timestamptz,
	PRIMARY KEY (county, user_id, device_id)
);

-- A user may author operations on a device where he logged in during the last 90 days.
CREATE TABLE device_user (
	county int NOT NULL,
	device_id uuid NOT NULL,
	user_id text NOT NULL,
	last_login timestamptz NOT NULL,
	PRIMARY KEY (county, device_id, user_id)
);

CREATE TABLE invitation (
	county int NOT NULL,
	tag bytea NOT NULL,                     -- first 3 bytes of the secret: finds the row, so that wrong guesses can be counted
	secret_sha bytea NOT NULL,
	school text NOT NULL,
	expires timestamptz NOT NULL,
	tries int NOT NULL DEFAULT 0,
	used_at timestamptz,
	created_by text NOT NULL,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (county, tag)
);

-- Public keys that no handshake accepts any more; the generation is polled by every server process.
CREATE TABLE deny_list (
	county int NOT NULL,
	generation bigint GENERATED ALWAYS AS IDENTITY,
	spki bytea NOT NULL,
	at timestamptz NOT NULL,
	by_user text NOT NULL,
	PRIMARY KEY (county, spki)
);

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY '{user_account,password_history,role_grant,session,login_guard,device_user,invitation,deny_list}'::text[] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY scope ON %I USING (county = (SELECT app_county()))', t);
	END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON user_account, session, login_guard, device_user, invitation TO jingguan_app;
GRANT SELECT, INSERT ON password_history, role_grant, deny_list TO jingguan_app;
