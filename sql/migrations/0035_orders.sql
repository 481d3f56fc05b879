-- 重点交办 (A8.4, A8.6): what a leader, the office or the inspectors order on a paper or a meeting, to one of the bureau or a school. An open one holds its paper open.
CREATE TABLE document_order (
	county int NOT NULL,
	id uuid NOT NULL,
	matter uuid NOT NULL,                   -- the paper or the meeting
	year int NOT NULL,
	n int NOT NULL,                         -- gap-free in the year
	number text NOT NULL,
	title text NOT NULL,
	to_who text NOT NULL,                   -- a user, or a school
	is_school boolean NOT NULL,
	record uuid,                            -- what the school has of it
	adder text NOT NULL,
	urgency text NOT NULL,                  -- the paper's: a school cannot read that row
	state text NOT NULL,
	due timestamptz NOT NULL,               -- of its addressee
	answer text NOT NULL DEFAULT '',
	answered_at timestamptz,
	made_at timestamptz NOT NULL,
	PRIMARY KEY (county, id)
);
CREATE UNIQUE INDEX document_order_number ON document_order (county, number);
CREATE INDEX document_order_matter ON document_order (county, matter);

-- What was done to an order: nothing is ever changed or removed here.
CREATE TABLE document_order_event (
	county int NOT NULL,
	order_id uuid NOT NULL,
	n int NOT NULL,
	event text NOT NULL,
	by_user text NOT NULL,
	for_user text,
	at timestamptz NOT NULL,
	text text NOT NULL,
	state text NOT NULL,
	PRIMARY KEY (county, order_id, n)
);

-- A task of an order hangs on its paper, and is the order's: one person may have several orders on one paper.
ALTER TABLE document_task ADD COLUMN of_order uuid;
CREATE INDEX document_task_of_order ON document_task (county, of_order) WHERE of_order IS NOT NULL;
DROP INDEX document_task_once;
CREATE UNIQUE INDEX document_task_once ON document_task (county, document, step, principal, school, coalesce(of_order, '00000000-0000-0000-0000-000000000000'))
	WHERE closed IS NULL;

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY '{document_order,document_order_event}'::text[] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY scope ON %I USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN (''bureau'', ''job''))', t);
		EXECUTE format('GRANT SELECT, INSERT ON %I TO jingguan_app', t);
	END LOOP;
END $$;
GRANT UPDATE ON document_order TO jingguan_app;

-- A school's answer changes the order that was given to it, and is kept with what was done to it.
CREATE POLICY own_reads ON document_order FOR SELECT USING (county = (SELECT app_county()) AND is_school AND to_who = ANY ((SELECT app_schools())::text[]));
CREATE POLICY own_updates ON document_order FOR UPDATE USING (county = (SELECT app_county()) AND is_school AND to_who = ANY ((SELECT app_schools())::text[]));
CREATE POLICY own_reads ON document_order_event FOR SELECT USING (county = (SELECT app_county())
	AND order_id IN (SELECT o.id FROM document_order o WHERE o.county = (SELECT app_county())));
CREATE POLICY own_inserts ON document_order_event FOR INSERT WITH CHECK (county = (SELECT app_county())
	AND order_id IN (SELECT o.id FROM document_order o WHERE o.county = (SELECT app_county())));

SELECT record_table('school_order', 'order_id uuid, number text, doc uuid, doc_number text, doc_title text, title text, due timestamptz, warn_at timestamptz, ended text,'
	' judged text, judged_for timestamptz, judge_reason text, answered_at timestamptz, answered_by text, answer text');
CREATE INDEX school_order_order ON school_order (county, order_id);
