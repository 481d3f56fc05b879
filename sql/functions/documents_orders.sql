-- 重点交办: orders on papers and meetings, and what schools say of theirs.

-- By id or number.
CREATE OR REPLACE FUNCTION order_find(of text) RETURNS uuid LANGUAGE sql STABLE AS $$
	SELECT o.id FROM document_order o WHERE o.county = app_county()
		AND CASE WHEN of ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN o.id = of::uuid ELSE o.number = of END
$$;

-- The first order of a paper or meeting that is not settled; NULL: none is open.
CREATE OR REPLACE FUNCTION order_open_on(of uuid) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT o.number FROM document_order o WHERE o.county = app_county() AND o.matter = of AND o.state IN ('open', 'answered', 'returned') ORDER BY o.year, o.n LIMIT 1
$$;

-- Keeps what was done to an order.
CREATE OR REPLACE FUNCTION order_event_add(of uuid, of_event text, of_by text, of_for text, of_text text, of_state text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO document_order_event (county, order_id, n, event, by_user, for_user, at, text, state)
	SELECT app_county(), of, 1 + (SELECT count(*) FROM document_order_event e WHERE e.county = app_county() AND e.order_id = of), of_event, of_by, nullif(of_for, ''), jg_now(), of_text, of_state
$$;

-- The state of an order as its school has it, by what stands in the record; as the client's order_state has it.
CREATE OR REPLACE FUNCTION school_order_state(s school_order) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN coalesce(s.ended, '') <> '' THEN s.ended
		WHEN s.answered_at IS NULL THEN 'open'
		WHEN s.judged_for = s.answered_at THEN 'returned'
		ELSE 'answered' END
$$;

-- An order is answered while it is open or came back, once; an answer is never taken back or emptied.
CREATE OR REPLACE FUNCTION school_order_guard(ords int[], schools text[], ids uuid[], bodies jsonb[])
RETURNS TABLE (ord int, shared_with text, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, NULL, r.code, r.field, r.message
	FROM (SELECT x.*, count(*) FILTER (WHERE x.body->>'answered_at' IS NOT NULL) OVER (PARTITION BY x.id ORDER BY x.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS answers_before
		FROM unnest(ords, schools, ids, bodies) AS x (ord, school, id, body)) u
	LEFT JOIN school_order s ON s.county = app_county() AND s.rec_id = u.id AND NOT s.deleted
	LEFT JOIN document_order o ON o.county = s.county AND o.id = s.order_id AND o.record = s.rec_id
	CROSS JOIN LATERAL (
		SELECT 'NOT_FOUND' AS code, 'order_id' AS field, '没有找到这件重点交办：可能已经改派' AS message WHERE o.id IS NULL
		UNION ALL SELECT 'NOT_NOW', 'answer', '回复不能撤回' WHERE u.body ? 'answered_at' AND u.body->>'answered_at' IS NULL
		UNION ALL SELECT 'NOT_NOW', 'answer', CASE o.state WHEN 'closed' THEN '这件重点交办已经销号' WHEN 'cancelled' THEN '县局已经撤销这件重点交办' ELSE '已经回复过，县局还没有认定' END
			WHERE u.body->>'answered_at' IS NOT NULL AND (o.state NOT IN ('open', 'returned') OR u.answers_before > 0)
		UNION ALL SELECT 'RULE', 'answer', '没有写回复' WHERE u.body->>'answered_at' IS NOT NULL AND coalesce(u.body->>'answer', '') = '') r
	WHERE u.body IS NOT NULL
$$;

-- A school's answer: its task ends, and who gave the order has one to judge.
CREATE OR REPLACE FUNCTION school_order_applied(schools text[], ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	x record;
BEGIN
	FOR x IN SELECT o.id, o.matter, o.adder, o.to_who, o.urgency, s.answer, s.answered_by FROM school_order s JOIN document_order o ON o.county = s.county AND o.id = s.order_id AND o.record = s.rec_id
		WHERE s.county = app_county() AND s.rec_id = ANY (ids) AND school_order_state(s) = 'answered' AND o.state IN ('open', 'returned') ORDER BY o.id LOOP
		UPDATE document_order SET state = 'answered', answer = x.answer, answered_at = jg_now() WHERE county = app_county() AND id = x.id;
		UPDATE document_task SET closed = jg_now() WHERE county = app_county() AND of_order = x.id AND closed IS NULL;
		INSERT INTO document_task (county, document, step, principal, school, since, opened, due, of_order)
		VALUES (app_county(), x.matter, 'judge', x.adder, x.to_who, jg_now(), jg_now(), order_judge_due(x.id, x.urgency), x.id);
		PERFORM order_event_add(x.id, 'answer', x.answered_by, '', x.answer, 'answered');
	END LOOP;
END $$;

-- When an answer is to be judged: one that comes again gets no new time.
CREATE OR REPLACE FUNCTION order_judge_due(of uuid, of_urgency text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN b.due IS NULL THEN workday_due(jg_now(), document_days('judge', '2/1/0', of_urgency))
		ELSE greatest(b.due, workday_due(jg_now(), document_setting_now('back', '1')::int)) END
	FROM (SELECT max(t.due) AS due FROM document_task t WHERE t.county = app_county() AND t.of_order = of AND t.step = 'judge') b
$$;
