-- What goes to schools (A8.2): a record for each school, in its own stream; and what the bureau wants there, which the job makes so.
SELECT record_table('document_delivery', 'document uuid, number text, title text, genre text, urgency text, version int, digest text, text text, questions text,'
	' signed_on date, pressed_on date, receipt_due timestamptz, feedback_due timestamptz, ended text, judged text, judged_for timestamptz, judge_reason text,'
	' read_at timestamptz, read_by text, signed_at timestamptz, signed_by text, signed_version int,'
	' answered_at timestamptz, answered_by text, answered_version int, answer text');
CREATE INDEX document_delivery_document ON document_delivery (county, document);

-- Whom a paper was sent to, and what he is to have: the job writes his record when `done` is false.
CREATE TABLE document_address (
	county int NOT NULL,
	document uuid NOT NULL,
	school text NOT NULL,
	version int NOT NULL,
	ended text NOT NULL DEFAULT '',         -- recalled, moved, ended
	receipt_due timestamptz NOT NULL,
	feedback_due timestamptz,
	drafter text NOT NULL,                  -- who judges the answer, and how urgent that is: a school cannot read the paper's own row
	urgency text NOT NULL,
	closed boolean NOT NULL DEFAULT false,  -- closed by the head: what a school says is still taken, and makes no task
	done boolean NOT NULL DEFAULT false,
	PRIMARY KEY (county, document, school)
);
CREATE INDEX document_address_open ON document_address (county, document) WHERE NOT done;
ALTER TABLE document_version ADD COLUMN questions text NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN feedback_due timestamptz;

ALTER TABLE document_address ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_address FORCE ROW LEVEL SECURITY;
CREATE POLICY reads ON document_address FOR SELECT USING (county = (SELECT app_county())
	AND ((SELECT app_scope()) IN ('bureau', 'job') OR school = ANY ((SELECT app_schools())::text[])));
CREATE POLICY writes ON document_address USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN ('bureau', 'job'));
GRANT SELECT, INSERT, UPDATE ON document_address TO jingguan_app;

-- A school's receipt closes its own task, and opens the one that judges its answer; it counts by the calendar and the settings.
CREATE POLICY own_reads ON document_task FOR SELECT USING (county = (SELECT app_county()) AND school <> '' AND school = ANY ((SELECT app_schools())::text[]));
CREATE POLICY own_updates ON document_task FOR UPDATE USING (county = (SELECT app_county()) AND school <> '' AND school = ANY ((SELECT app_schools())::text[]));
CREATE POLICY own_inserts ON document_task FOR INSERT WITH CHECK (county = (SELECT app_county()) AND school <> '' AND school = ANY ((SELECT app_schools())::text[]));
CREATE POLICY all_reads ON workday_change FOR SELECT USING (county = (SELECT app_county()));
CREATE POLICY all_reads ON document_setting FOR SELECT USING (county = (SELECT app_county()));
