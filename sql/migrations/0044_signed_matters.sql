-- 办文 (A8.5): what is done to an order or a meeting is signed as what is done to a paper; a row without an entry's number was not
-- done by somebody of the bureau (a school answered, a paper was issued), or before this stood here.
DO $$
DECLARE
	x text[];
BEGIN
	FOREACH x SLICE 1 IN ARRAY ARRAY[['document_order', 'document_order_event', 'order_id'], ['meeting', 'meeting_event', 'meeting']] LOOP
		EXECUTE format('ALTER TABLE %I ADD COLUMN trace_n int NOT NULL DEFAULT 0, ADD COLUMN trace_head bytea NOT NULL DEFAULT decode(repeat(''00'', 32), ''hex''),'
			' ADD COLUMN told_n int NOT NULL DEFAULT 0', x[1]);
		EXECUTE format('CREATE INDEX %I ON %I (county, id) WHERE trace_n > told_n', x[1] || '_untold', x[1]);
		EXECUTE format('ALTER TABLE %I ADD COLUMN given text NOT NULL DEFAULT '''', ADD COLUMN entry int, ADD COLUMN device uuid, ADD COLUMN intent text,'
			' ADD COLUMN intent_sig bytea, ADD COLUMN head bytea, ADD COLUMN sig bytea', x[2]);
		EXECUTE format('CREATE UNIQUE INDEX %I ON %I (county, %I, entry)', x[2] || '_entry', x[2], x[3]);
	END LOOP;
END $$;
-- SHA-256 of its plan, as it was typed.
ALTER TABLE meeting ADD COLUMN digest bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex');
