-- 办会 (A8.9): meetings from plan to follow-up. Notice and minutes are papers of their own; orders on a meeting are its decisions.
CREATE TABLE meeting (
	county int NOT NULL,
	id uuid NOT NULL,
	year int NOT NULL,
	n int NOT NULL,                         -- gap-free in the year
	number text NOT NULL,
	state text NOT NULL,
	subject text NOT NULL, purpose text NOT NULL, host text NOT NULL, place text NOT NULL,
	chair text NOT NULL,                    -- a user where it is one's, else a name
	start_at timestamptz NOT NULL, end_at timestamptz NOT NULL,
	agenda_topic text[] NOT NULL, agenda_minutes int[] NOT NULL, agenda_speaker text[] NOT NULL,
	attend text[] NOT NULL,                 -- as it was written
	officers text[] NOT NULL,               -- whom it means of the bureau, and organs
	schools text[] NOT NULL,                -- and of the schools
	reply_due date,
	quorum int NOT NULL,
	planner text NOT NULL,
	secret bytea NOT NULL,
	code text NOT NULL,                     -- of the day it starts, from the secret (common/rules/meeting.h)
	round int NOT NULL DEFAULT 0,           -- how often schools were asked
	notice uuid, minutes uuid,              -- papers
	made_at timestamptz NOT NULL,
	PRIMARY KEY (county, id)
);
CREATE UNIQUE INDEX meeting_number ON meeting (county, number);
CREATE INDEX meeting_time ON meeting (county, start_at) WHERE state IN ('approved', 'noticed');
CREATE INDEX meeting_notice ON meeting (county, notice);
CREATE INDEX meeting_minutes ON meeting (county, minutes);

-- What was done to a meeting, what schools replied, who signed in: nothing is ever changed or removed here.
CREATE TABLE meeting_event (
	county int NOT NULL,
	meeting uuid NOT NULL,
	n int NOT NULL,
	event text NOT NULL,
	by_user text NOT NULL,
	for_user text,
	at timestamptz NOT NULL,
	text text NOT NULL,
	state text NOT NULL,
	PRIMARY KEY (county, meeting, n)
);
CREATE TABLE meeting_reply (
	county int NOT NULL,
	id bigint GENERATED ALWAYS AS IDENTITY,
	meeting uuid NOT NULL,
	school text NOT NULL,
	round int NOT NULL,
	reply text NOT NULL,
	who text NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (county, id)
);
CREATE INDEX meeting_reply_of ON meeting_reply (county, meeting);
CREATE TABLE meeting_sign_in (
	county int NOT NULL,
	meeting uuid NOT NULL,
	who text NOT NULL,                      -- a user, or a school
	day date NOT NULL,                      -- it started: a meeting that was moved is another one
	at timestamptz NOT NULL,                -- as claimed there
	brought timestamptz NOT NULL,
	PRIMARY KEY (county, meeting, who, day)
);
-- What a school is to have of a meeting: the job writes its record when `done` is false.
CREATE TABLE meeting_invite (
	county int NOT NULL,
	meeting uuid NOT NULL,
	school text NOT NULL,
	done boolean NOT NULL DEFAULT false,
	PRIMARY KEY (county, meeting, school)
);
CREATE INDEX meeting_invite_open ON meeting_invite (county, meeting) WHERE NOT done;

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY '{meeting,meeting_event,meeting_reply,meeting_sign_in,meeting_invite}'::text[] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY scope ON %I USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN (''bureau'', ''job''))', t);
		EXECUTE format('GRANT SELECT, INSERT ON %I TO jingguan_app', t);
	END LOOP;
END $$;
GRANT UPDATE ON meeting, meeting_invite TO jingguan_app;

-- A school's word is judged by the meeting it is asked to, and kept.
CREATE POLICY own_reads ON meeting_invite FOR SELECT USING (county = (SELECT app_county()) AND school = ANY ((SELECT app_schools())::text[]));
CREATE POLICY own_reads ON meeting FOR SELECT USING (county = (SELECT app_county())
	AND id IN (SELECT i.meeting FROM meeting_invite i WHERE i.county = (SELECT app_county()) AND i.school = ANY ((SELECT app_schools())::text[])));
CREATE POLICY own_reads ON meeting_reply FOR SELECT USING (county = (SELECT app_county()) AND school = ANY ((SELECT app_schools())::text[]));
CREATE POLICY own_inserts ON meeting_reply FOR INSERT WITH CHECK (county = (SELECT app_county()) AND school = ANY ((SELECT app_schools())::text[]));
CREATE POLICY own_reads ON meeting_sign_in FOR SELECT USING (county = (SELECT app_county()) AND who = ANY ((SELECT app_schools())::text[]));
CREATE POLICY own_inserts ON meeting_sign_in FOR INSERT WITH CHECK (county = (SELECT app_county()) AND who = ANY ((SELECT app_schools())::text[]));

SELECT record_table('school_meeting', 'meeting uuid, number text, subject text, start_at timestamptz, end_at timestamptz, place text, agenda text, reply_due timestamptz,'
	' round int, state text, reply text, reply_who text, replied_at timestamptz, replied_by text, replied_round int, signed_at timestamptz, sign_code text, signed_by text');
CREATE INDEX school_meeting_meeting ON school_meeting (county, meeting);
