-- One typed table per record kind (proto/jingguan/v1/records.proto); tests/service/test_schema compares the two.
-- The header: owner_school writes it ('' = the county), other_school may read a projection of it, ver and gver[group]
-- count its changes, nkey is its natural key as the server built it, ext keeps fields this version does not know.

CREATE TABLE school (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	code text,
	name text,
	type text,
	founder text,
	area text,
	edu_group text,
	address text,
	contact text,
	phone text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE catchment (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	school text,
	stage text,
	area text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE cycle (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	year int,
	phase text,
	undecided_until date,
	verify_due date,
	provisional_until date,
	deferral_until date,
	prefill_due date,
	confirm_due date,
	issue_days int,
	resolve_days int,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE klass (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	stage text,
	entry_year int,
	class_no text,
	head_teacher text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE student (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	name text,
	cert_type text,
	cert_no text,
	student_no text,
	gender text,
	birth date,
	ethnic text,
	keep_invalid boolean,
	grade text,
	class_no text,
	status text,
	hukou_area text,
	live_area text,
	live_address text,
	migrant boolean,
	left_behind boolean,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE guardian (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	student uuid,
	ordinal int,
	name text,
	relation text,
	phone text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE destination (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	year int,
	name text,
	cert_type text,
	cert_no text,
	student_no text,
	class_no text,
	gender text,
	hukou_address text,
	live_address text,
	guardian_name text,
	guardian_phone text,
	guardian_confirmed boolean,
	category text,
	dest_school text,
	dest_school_name text,
	place text,
	registration_no text,
	evidence_note text,
	note text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE enrolment (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	year int,
	name text,
	cert_type text,
	cert_no text,
	student_no text,
	class_no text,
	gender text,
	birth date,
	hukou_area text,
	guardian_phone text,
	from_school text,
	present boolean,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE verify_answer (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	year int,
	destination uuid,
	answer text,
	note text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE filing (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	year int,
	stage text,
	incomplete boolean,
	reason text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE slip (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	year int,
	pupil uuid,
	no text,
	name text,
	cert_no text,
	student_no text,
	source text,
	home text,
	codes text,
	severity text,
	state text,
	round int,
	found_at timestamptz,
	issue_due timestamptz,
	issued_at timestamptz,
	resolve_due timestamptz,
	closed_at timestamptz,
	escalated boolean,
	review_reason text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE slip_addressee (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	slip uuid,
	school text,
	round int,
	received_at timestamptz,
	received_by text,
	answered_at timestamptz,
	answered_by text,
	outcome text,
	note text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE persuasion (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	slip uuid,
	at timestamptz,
	method text,
	persons text,
	outcome text,
	next_date date,
	note text,
	PRIMARY KEY (county, rec_id)
);

CREATE TABLE evidence (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	target uuid,
	sha bytea,
	size bigint,
	name text,
	PRIMARY KEY (county, rec_id)
);

-- Row-level security, the same for every kind: a school sees what it owns and what names it as the other school, and
-- writes what it owns; the county's registers are read by all and written by the bureau; the server writes its own.
DO $$
DECLARE
	t text;
	visible text;
BEGIN
	FOREACH t IN ARRAY '{school,catchment,cycle,klass,student,guardian,destination,enrolment,verify_answer,filing,slip,slip_addressee,persuasion,evidence}'::text[] LOOP
		visible := CASE WHEN t IN ('school', 'catchment', 'cycle') THEN 'true'
			ELSE 'owner_school = ANY ((SELECT app_schools())::text[]) OR other_school = ANY ((SELECT app_schools())::text[])' END;
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY reads ON %I FOR SELECT USING (county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR %s))', t, visible);
		EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT WITH CHECK (county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR owner_school = ANY ((SELECT app_schools())::text[])))', t);
		EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE USING (county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR owner_school = ANY ((SELECT app_schools())::text[])))', t);
		EXECUTE format('CREATE UNIQUE INDEX %I ON %I (county, owner_school, nkey) WHERE NOT deleted AND nkey IS NOT NULL', t || '_key', t);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO jingguan_app', t);
	END LOOP;
END $$;

CREATE INDEX destination_year ON destination (county, year, owner_school) WHERE NOT deleted;
CREATE INDEX enrolment_year ON enrolment (county, year, owner_school) WHERE NOT deleted;
CREATE INDEX guardian_student ON guardian (county, student) WHERE NOT deleted;
CREATE INDEX evidence_target ON evidence (county, target) WHERE NOT deleted;
CREATE INDEX slip_addressee_slip ON slip_addressee (county, slip);
CREATE INDEX persuasion_slip ON persuasion (county, slip);
