-- 办文办会 (A8): papers that come in and go out, what waits for whom, and what the bureau has set up for them. Only the bureau reads and writes here;
-- what a school gets of a paper is a record of its own. The rules are in server/services/documents; these tables keep what stands.

CREATE TABLE document (
	county int NOT NULL,
	id uuid NOT NULL,
	kind text NOT NULL CHECK (kind IN ('in', 'out')),
	state text NOT NULL,
	version int NOT NULL,                   -- the text that stands
	last_version int NOT NULL,              -- the highest number ever given to a text: never used again
	series text,                            -- 代字; 收 and 电 of what came in
	year int,
	n int,                                  -- gap-free in (series, year)
	number text,
	title text NOT NULL,
	genre text NOT NULL DEFAULT '',
	urgency text NOT NULL,
	reply_to text NOT NULL DEFAULT '',      -- 答复: the number of what it answers
	mark text NOT NULL DEFAULT '',          -- 内部, 工作秘密: for those alone who had a task in it
	class text NOT NULL DEFAULT '',         -- act, read
	carrier text NOT NULL DEFAULT '',       -- paper, electronic, telegram, phone
	from_organ text, their_no text, caller text, phone text, matter text,
	drafter text NOT NULL,                  -- who registered it, of what came in
	leader text NOT NULL DEFAULT '',        -- who instructs, or signs
	lead text NOT NULL DEFAULT '',
	signer text NOT NULL DEFAULT '',        -- who did sign
	in_order boolean NOT NULL DEFAULT false,
	reissue boolean NOT NULL DEFAULT false,
	came_back boolean NOT NULL DEFAULT false,
	is_minutes boolean NOT NULL DEFAULT false,
	needs_head boolean NOT NULL DEFAULT false,
	signed_on date, pressed_on date,
	issued_version int, issued_on date,
	copies int NOT NULL DEFAULT 0,
	slot text NOT NULL DEFAULT '',
	-- Who was named in it, in the order named: 1 assists, 2 reads, 3 countersigns, 4 an organ that signs jointly; and has done his part.
	people_part int[] NOT NULL, people_who text[] NOT NULL, people_done boolean[] NOT NULL,
	made_at timestamptz NOT NULL,
	trace_n int NOT NULL DEFAULT 0,
	trace_head bytea NOT NULL,              -- SHA-256 of the last entry; of none: zeros
	PRIMARY KEY (county, id),
	CHECK ((n IS NULL) = (number IS NULL))
);
CREATE UNIQUE INDEX document_number ON document (county, number);
CREATE INDEX document_state ON document (county, state);
CREATE INDEX document_their_no ON document (county, from_organ, their_no) WHERE their_no IS NOT NULL;

-- All that waits or ever waited. It lives by the settings and the calendar as they stood when it opened.
CREATE TABLE document_task (
	county int NOT NULL,
	id bigint GENERATED ALWAYS AS IDENTITY,
	document uuid NOT NULL,
	step text NOT NULL,
	principal text NOT NULL,                -- a user, or a desk: @receive
	school text NOT NULL DEFAULT '',        -- the school or organ that it is about
	since timestamptz NOT NULL,             -- when it came to the principal
	opened timestamptz NOT NULL,
	due timestamptz NOT NULL,
	closed timestamptz,
	PRIMARY KEY (county, id)
);
CREATE INDEX document_task_of ON document_task (county, document);
CREATE INDEX document_task_open ON document_task (county, due) WHERE closed IS NULL;

-- What changed a task while it was open: a later due, or another principal. The one until then stands here.
CREATE TABLE document_task_change (
	county int NOT NULL,
	task bigint NOT NULL,
	at timestamptz NOT NULL,
	due_before timestamptz,
	moved_from text,
	PRIMARY KEY (county, task, at)
);
-- Reminders that a person sent: one a task and day.
CREATE TABLE document_remind (
	county int NOT NULL,
	task bigint NOT NULL,
	day date NOT NULL,
	at timestamptz NOT NULL,
	by_user text NOT NULL,
	PRIMARY KEY (county, task, day)
);

-- Every text that a paper had.
CREATE TABLE document_version (
	county int NOT NULL,
	document uuid NOT NULL,
	version int NOT NULL,
	file text NOT NULL,                     -- as it was typed (common/rules/draft.h)
	digest bytea NOT NULL,
	at timestamptz NOT NULL,
	by_user text NOT NULL,
	PRIMARY KEY (county, document, version)
);

-- The chain of what was done to a paper: nothing is ever changed or removed here.
CREATE TABLE document_trace (
	county int NOT NULL,
	document uuid NOT NULL,
	n int NOT NULL,
	event text NOT NULL,
	by_user text NOT NULL,
	for_user text,
	at timestamptz NOT NULL,
	text text NOT NULL,
	version int NOT NULL,
	state text NOT NULL,
	device uuid,
	intent text NOT NULL,                   -- what the person meant, in lines, and the signature of his computer over it; '' = none
	intent_sig bytea NOT NULL,
	head bytea NOT NULL,                    -- SHA-256 of this entry
	sig bytea NOT NULL,                     -- the server's over the entry
	PRIMARY KEY (county, document, n)
);

CREATE TABLE document_counter (
	county int NOT NULL,
	series text NOT NULL,
	year int NOT NULL,
	n int NOT NULL,
	PRIMARY KEY (county, series, year)
);

-- ---- What the bureau has set up

CREATE TABLE document_desk (
	county int NOT NULL,
	name text NOT NULL CHECK (name IN ('receive', 'issue', 'archive', 'head')),
	set_at timestamptz NOT NULL,            -- the latest stands; who was reminded is told by those of then
	holder text NOT NULL,
	deputy text NOT NULL DEFAULT '',
	PRIMARY KEY (county, name, set_at)
);
CREATE TABLE document_organ (
	county int NOT NULL,
	name text NOT NULL,
	relation text NOT NULL,
	PRIMARY KEY (county, name)
);
CREATE TABLE document_series (
	county int NOT NULL,
	series text NOT NULL,
	PRIMARY KEY (county, series)
);
CREATE TABLE document_setting (
	county int NOT NULL,
	name text NOT NULL,
	valid_from date NOT NULL,
	set_at timestamptz NOT NULL,
	value text NOT NULL,
	by_user text NOT NULL,
	PRIMARY KEY (county, name, valid_from, set_at)
);
CREATE TABLE delegation (
	county int NOT NULL,
	id bigint GENERATED ALWAYS AS IDENTITY,
	from_user text NOT NULL,
	to_user text NOT NULL,
	begin_on date NOT NULL,
	end_on date NOT NULL,
	acting boolean NOT NULL,
	reason text NOT NULL,
	added_at timestamptz NOT NULL,
	added_by text NOT NULL,
	ended_at timestamptz,
	PRIMARY KEY (county, id)
);
-- Days that the State Council moves. What was imported stays: a task counts by the calendar as it stood when it opened.
CREATE TABLE workday_change (
	county int NOT NULL,
	day date NOT NULL,
	set_at timestamptz NOT NULL,
	working boolean NOT NULL,
	PRIMARY KEY (county, day, set_at)
);

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY '{document,document_task,document_task_change,document_remind,document_version,document_trace,document_counter,
		document_desk,document_organ,document_series,document_setting,delegation,workday_change}'::text[] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY scope ON %I USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN (''bureau'', ''job''))', t);
		EXECUTE format('GRANT SELECT, INSERT ON %I TO jingguan_app', t);
	END LOOP;
END $$;
-- What is kept for ever has no UPDATE and no DELETE.
GRANT UPDATE ON document, document_task, document_counter, document_organ, delegation TO jingguan_app;
