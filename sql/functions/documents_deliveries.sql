-- 办文: what schools have of a paper, and what they say of it.

-- A setting as it stands, or its default.
CREATE OR REPLACE FUNCTION document_setting_now(of text, otherwise text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce((SELECT s.value FROM document_setting s WHERE s.county = app_county() AND s.name = of AND s.valid_from <= jg_today()
		ORDER BY s.valid_from DESC, s.set_at DESC LIMIT 1), otherwise)
$$;

-- 24:00 of the n-th working day after a moment's day; n = 0: of that day or the next working day.
CREATE OR REPLACE FUNCTION workday_due(at timestamptz, n int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT (x.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
	FROM (SELECT d.day, row_number() OVER (ORDER BY d.day) AS k
		FROM (SELECT (at AT TIME ZONE 'Asia/Shanghai')::date + g AS day FROM generate_series(CASE WHEN n = 0 THEN 0 ELSE 1 END, n * 3 + 60) g) d
		WHERE coalesce((SELECT w.working FROM workday_change w WHERE w.county = app_county() AND w.day = d.day ORDER BY w.set_at DESC LIMIT 1),
			extract(isodow FROM d.day) < 6)) x
	WHERE x.k = greatest(n, 1)
$$;

-- The days of a step by urgency ("2/1/0").
CREATE OR REPLACE FUNCTION document_days(of_step text, otherwise text, of_urgency text) RETURNS int LANGUAGE sql STABLE AS $$
	SELECT split_part(document_setting_now('days.' || of_step, otherwise), '/', CASE of_urgency WHEN '加急' THEN 2 WHEN '特急' THEN 3 ELSE 1 END)::int
$$;

-- When a step is due that nobody has named a day for. One that comes back gets no new time: the later of its old due and a working day.
CREATE OR REPLACE FUNCTION document_due(of uuid, of_step text, of_principal text, of_school text, fresh timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT coalesce(greatest((SELECT t.due FROM document_task t WHERE t.county = app_county() AND t.document = of AND t.step = of_step
			AND t.principal = of_principal AND t.school = of_school AND t.of_order IS NULL ORDER BY t.opened DESC, t.id DESC LIMIT 1),
		CASE WHEN EXISTS (SELECT FROM document_task t WHERE t.county = app_county() AND t.document = of AND t.step = of_step
			AND t.principal = of_principal AND t.school = of_school AND t.of_order IS NULL) THEN workday_due(jg_now(), document_setting_now('back', '1')::int) END), fresh)
$$;

-- The state of a school's copy, by what stands in it.
CREATE OR REPLACE FUNCTION delivery_state(d document_delivery) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN coalesce(d.ended, '') <> '' THEN d.ended
		WHEN d.answered_at IS NOT NULL AND d.answered_version = d.version THEN CASE WHEN d.judged_for = d.answered_at THEN d.judged ELSE 'answered' END
		WHEN d.signed_at IS NOT NULL AND d.signed_version = d.version THEN 'signed'
		ELSE 'sent' END
$$;

CREATE OR REPLACE FUNCTION is_day(text text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	PERFORM make_date(split_part(text, '-', 1)::int, split_part(text, '-', 2)::int, split_part(text, '-', 3)::int);
	RETURN true;
EXCEPTION WHEN data_exception THEN
	RETURN false;
END $$;

-- What is wrong with an answer to the questions; NULL: nothing (R25).
CREATE OR REPLACE FUNCTION delivery_answer_fault(questions text, answer text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	q jsonb;
	a text;
BEGIN
	FOR q IN SELECT jsonb_array_elements(coalesce(nullif(questions, ''), '[]')::jsonb) LOOP
		a := coalesce(answer, '{}')::jsonb->>(q->>'key');
		IF coalesce(a, '') = '' THEN
			RETURN format('没有填“%s”', q->>'label');
		ELSIF q->>'type' = 'number' AND a !~ '^-?[0-9]{1,15}(\.[0-9]{1,6})?$' THEN
			RETURN format('“%s”要填数', q->>'label');
		ELSIF q->>'type' = 'date' AND (a !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' OR NOT is_day(a)) THEN
			RETURN format('“%s”要填日期，如 2026-09-12', q->>'label');
		ELSIF q->>'type' = 'file' AND a !~ '^[0-9a-f]{64} .' THEN
			RETURN format('“%s”要附文件', q->>'label');
		ELSIF q->>'type' = 'choice' AND NOT q->'choices' ? a THEN
			RETURN format('“%s”只能填 %s', q->>'label', (SELECT string_agg(c, '、') FROM jsonb_array_elements_text(q->'choices') c));
		END IF;
	END LOOP;
	RETURN NULL;
EXCEPTION WHEN data_exception THEN -- no JSON, or a character that none may hold
	RETURN '反馈的内容读不出来';
END $$;

-- What is wrong with the lines that a school has signed for what it says; NULL: nothing. Whose signature it is was looked at before
-- (`signs` of the declaration). It binds: without it nobody could prove at whose computer a paper was signed for, so one that an older
-- jg has queued without is refused, and is said again. `read` may be of a text that was issued anew since; the others are STALE then.
CREATE OR REPLACE FUNCTION delivery_intent_fault(d document_delivery, of_event text, by_user text, of_version int, said text, intent text, sig text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN coalesce(intent, '') = '' OR coalesce(sig, '') = '' THEN '没有本校电脑的签名：升级 jg 后重新办一次'
		WHEN of_event = 'read' AND intent !~ format(E'\nversion=%s\n', d.version) THEN NULL
		WHEN left(intent, length(x.lines)) <> x.lines OR substr(intent, length(x.lines) + 1) !~ E'^[0-9a-f-]{36}\nmade=[0-9]{1,18}\n$'
			THEN '签名的内容和所办的不一样：重新办一次' END
	FROM (SELECT format(E'jg intent\ncounty=%s\ndoc=%s\nevent=%s\nby=%s\nfor=-\nversion=%s\ndigest=%s\ntext=%s\ndevice=', d.county, d.document, of_event, by_user,
		of_version, d.digest, encode(sha256(convert_to(coalesce(said, ''), 'UTF8')), 'hex')) AS lines) x
$$;

-- What a school says is said of the version that it has; what has ended says nothing more. The first who read and who signed stand:
-- neither is taken back or written over, by an undo either; an answer is given again, never emptied.
CREATE OR REPLACE FUNCTION document_delivery_guard(ords int[], schools text[], ids uuid[], bodies jsonb[])
RETURNS TABLE (ord int, shared_with text, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, NULL, r.code, r.field, r.message
	FROM (SELECT x.*, coalesce(bool_or(x.body->>'signed_at' IS NOT NULL) OVER (PARTITION BY x.id ORDER BY x.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS signed_before
		FROM unnest(ords, schools, ids, bodies) AS x (ord, school, id, body)) u
	LEFT JOIN document_delivery d ON d.county = app_county() AND d.rec_id = u.id AND NOT d.deleted
	-- What was issued anew a moment ago stands here before the job has brought it to the school's record.
	LEFT JOIN document_address a ON a.county = d.county AND a.document = d.document AND a.school = d.owner_school
	CROSS JOIN LATERAL (
		SELECT 'NOT_FOUND' AS code, 'document' AS field, '没有找到这份公文' AS message WHERE d.rec_id IS NULL
		UNION ALL SELECT 'NOT_NOW', 'document', CASE a.ended WHEN 'recalled' THEN '县局已经撤回这份公文' ELSE '这份公文不再由本校办理' END
			WHERE coalesce(a.ended, '') <> '' AND (u.body ? 'read_at' OR u.body ? 'signed_at' OR u.body ? 'answered_at')
		-- The paper itself is kept or destroyed by who has signed for it, also when it was recalled.
		UNION ALL SELECT 'NOT_NOW', 'slot', '先签收，再存放或销毁' WHERE (u.body ? 'kept_at' OR u.body ? 'destroyed_at') AND coalesce(a.ended, '') = ''
			AND d.signed_at IS NULL AND NOT u.signed_before
		UNION ALL SELECT 'NOT_NOW', 'slot', '已经销毁' WHERE (u.body ? 'kept_at' OR u.body ? 'destroyed_at') AND d.destroyed_at IS NOT NULL
		UNION ALL SELECT 'NOT_NOW', 'slot', '存放的记录不能撤回，可以改写' WHERE u.body ? 'kept_at' AND u.body->>'kept_at' IS NULL
		UNION ALL SELECT 'MISSING', 'slot', '要写存放位置' WHERE u.body->>'kept_at' IS NOT NULL AND coalesce(u.body->>'slot', '') = ''
		UNION ALL SELECT 'NOT_NOW', 'witness', '销毁的记录不能撤回' WHERE u.body ? 'destroyed_at' AND u.body->>'destroyed_at' IS NULL
		UNION ALL SELECT 'MISSING', 'witness', '要写监销人' WHERE u.body->>'destroyed_at' IS NOT NULL AND coalesce(u.body->>'witness', '') = ''
		UNION ALL SELECT 'STALE', 'version', format('这份公文已更正重发，现在是第 %s 版：请看过再签收、反馈', a.version)
			WHERE (u.body->>'signed_version')::int IS DISTINCT FROM a.version AND u.body->>'signed_at' IS NOT NULL
				OR (u.body->>'answered_version')::int IS DISTINCT FROM a.version AND u.body->>'answered_at' IS NOT NULL
		UNION ALL SELECT 'NOT_NOW', 'read_at', '已经记下本校阅读的时间' WHERE u.body ? 'read_at' AND (u.body->>'read_at' IS NULL OR d.read_at IS NOT NULL)
		UNION ALL SELECT 'NOT_NOW', 'signed_at', '已经签收的不能撤回或另签' WHERE u.body ? 'signed_at'
			AND (u.body->>'signed_at' IS NULL OR u.signed_before OR d.signed_at IS NOT NULL AND d.signed_version = a.version)
		UNION ALL SELECT 'NOT_NOW', 'answer', '反馈不能撤回，可以重新反馈' WHERE u.body ? 'answered_at' AND u.body->>'answered_at' IS NULL
		UNION ALL SELECT 'NOT_NOW', 'answer', '先签收，再反馈' WHERE u.body->>'answered_at' IS NOT NULL AND NOT u.signed_before AND u.body->>'signed_at' IS NULL
			AND (d.signed_at IS NULL OR d.signed_version IS DISTINCT FROM a.version)
		UNION ALL SELECT 'NOT_NOW', 'answer', '县局已经认可本校的反馈' WHERE u.body->>'answered_at' IS NOT NULL AND delivery_state(d) = 'accepted'
		UNION ALL SELECT 'RULE', 'answer', f.fault FROM (SELECT delivery_answer_fault(d.questions, u.body->>'answer') AS fault) f
			WHERE u.body->>'answered_at' IS NOT NULL AND f.fault IS NOT NULL
		UNION ALL SELECT 'MISSING', w.field, w.fault FROM (
			SELECT 'read_intent', delivery_intent_fault(d, 'read', u.body->>'read_by', d.version, '', u.body->>'read_intent', u.body->>'read_sig') WHERE u.body->>'read_at' IS NOT NULL
			UNION ALL SELECT 'signed_intent', delivery_intent_fault(d, 'sign', u.body->>'signed_by', (u.body->>'signed_version')::int, '', u.body->>'signed_intent', u.body->>'signed_sig')
				WHERE u.body->>'signed_at' IS NOT NULL
			UNION ALL SELECT 'answered_intent', delivery_intent_fault(d, 'answer', u.body->>'answered_by', (u.body->>'answered_version')::int, u.body->>'answer',
				u.body->>'answered_intent', u.body->>'answered_sig') WHERE u.body->>'answered_at' IS NOT NULL) w (field, fault)
			WHERE w.fault IS NOT NULL) r
	WHERE u.body IS NOT NULL
$$;

-- A receipt ends the school's task; an answer that nobody has judged is the drafter's.
CREATE OR REPLACE FUNCTION document_delivery_applied(schools text[], ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE document_task t SET closed = jg_now()
	FROM document_delivery d
	WHERE d.county = app_county() AND d.rec_id = ANY (ids) AND t.county = d.county AND t.document = d.document AND t.school = d.owner_school AND t.closed IS NULL
		AND (t.step = 'receipt' AND delivery_state(d) <> 'sent' OR t.step = 'feedback' AND delivery_state(d) = 'answered');
	INSERT INTO document_task (county, document, step, principal, school, since, opened, due)
	SELECT d.county, d.document, 'judge', a.drafter, d.owner_school, jg_now(), jg_now(),
		document_due(d.document, 'judge', a.drafter, d.owner_school, workday_due(jg_now(), document_days('judge', '2/1/0', a.urgency)))
	FROM document_delivery d JOIN document_address a ON a.county = d.county AND a.document = d.document AND a.school = d.owner_school
	WHERE d.county = app_county() AND d.rec_id = ANY (ids) AND delivery_state(d) = 'answered' AND NOT a.closed
	ON CONFLICT DO NOTHING;
END $$;

-- The paper goes to these schools, or its new version does: their records follow by the job, their tasks stand now. A day that was named for the answers is their due.
CREATE OR REPLACE FUNCTION document_send(of uuid, to_schools text[], of_version int, receipt timestamptz, feedback timestamptz, of_drafter text, of_urgency text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO document_address AS a (county, document, school, version, receipt_due, feedback_due, drafter, urgency)
	SELECT app_county(), of, s.school, of_version, receipt, feedback, of_drafter, of_urgency FROM unnest(to_schools) AS s (school)
	ON CONFLICT (county, document, school) DO UPDATE SET version = excluded.version, receipt_due = excluded.receipt_due, feedback_due = excluded.feedback_due, done = false
		WHERE a.ended = '';
	UPDATE document_task t SET closed = jg_now() WHERE t.county = app_county() AND t.document = of AND t.closed IS NULL AND t.of_order IS NULL AND t.step IN ('receipt', 'feedback', 'judge');
	-- document_due of all of them at once: a school at a time it is the square of their number.
	WITH old AS MATERIALIZED (SELECT DISTINCT ON (t.school) t.school, t.due FROM document_task t
		WHERE t.county = app_county() AND t.document = of AND t.step = 'receipt' AND t.principal = t.school ORDER BY t.school, t.opened DESC, t.id DESC),
	back AS MATERIALIZED (SELECT workday_due(jg_now(), document_setting_now('back', '1')::int) AS due)
	INSERT INTO document_task (county, document, step, principal, school, since, opened, due)
	SELECT app_county(), of, x.step, a.school, a.school, jg_now(), jg_now(),
		CASE WHEN x.step = 'receipt' AND old.school IS NOT NULL THEN greatest(old.due, back.due) ELSE x.due END
	FROM document_address a
	CROSS JOIN LATERAL (SELECT 'receipt' AS step, receipt AS due UNION ALL SELECT 'feedback', feedback WHERE feedback IS NOT NULL) x
	CROSS JOIN back
	LEFT JOIN old ON old.school = a.school
	WHERE a.county = app_county() AND a.document = of AND a.ended = '';
END $$;

-- Recalled: whoever has it is told, and nobody owes anything.
CREATE OR REPLACE FUNCTION document_take_back(of uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE document_address SET ended = 'recalled', done = false WHERE county = app_county() AND document = of AND ended = '';
	UPDATE document_task t SET closed = jg_now() WHERE t.county = app_county() AND t.document = of AND t.closed IS NULL AND t.of_order IS NULL AND t.step IN ('receipt', 'feedback', 'judge');
END $$;

-- Closed by the head while schools still owed something: what they say is still taken, and asks nobody any more.
CREATE OR REPLACE FUNCTION document_close_to_schools(of uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE document_address SET closed = true WHERE county = app_county() AND document = of;
	UPDATE document_task t SET closed = jg_now() WHERE t.county = app_county() AND t.document = of AND t.closed IS NULL AND t.of_order IS NULL AND t.step IN ('receipt', 'feedback', 'judge');
END $$;

-- What of a paper's life is the schools': open at most as long as one of them owes something.
CREATE OR REPLACE FUNCTION document_deliveries_open(of uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM document_task t WHERE t.county = app_county() AND t.document = of AND t.closed IS NULL AND t.of_order IS NULL AND t.step IN ('receipt', 'feedback', 'judge'))
$$;

-- The task that closes a paper stands exactly while it is issued, nobody owes anything of it and no order on it is open.
CREATE OR REPLACE FUNCTION document_close_tasks_of(papers uuid[]) RETURNS void LANGUAGE sql AS $$
	INSERT INTO document_task (county, document, step, principal, school, since, opened, due)
	SELECT d.county, d.id, 'close', '@issue', '', jg_now(), jg_now(),
		document_due(d.id, 'close', '@issue', '', workday_due(jg_now(), document_days('close', '30/30/30', d.urgency)))
	FROM document d WHERE d.county = app_county() AND d.id = ANY (papers) AND d.state = 'issued' AND NOT document_held_open(d.id)
	ON CONFLICT DO NOTHING;
	UPDATE document_task t SET closed = jg_now() FROM document d
	WHERE d.county = app_county() AND d.id = ANY (papers) AND d.state = 'issued' AND t.county = d.county AND t.document = d.id AND t.step = 'close' AND t.closed IS NULL
		AND document_held_open(d.id)
$$;
CREATE OR REPLACE FUNCTION document_held_open(of uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT document_deliveries_open(of) OR order_open_on(of) IS NOT NULL
$$;
CREATE OR REPLACE FUNCTION document_close_tasks() RETURNS void LANGUAGE sql AS $$
	SELECT document_close_tasks_of(array(SELECT d.id FROM document d WHERE d.county = app_county() AND d.state = 'issued'))
$$;

-- All addressees of a paper with what they have, or will have in a moment.
CREATE OR REPLACE FUNCTION document_deliveries(of uuid) RETURNS TABLE (school text, name text, state text, version int, read_at timestamptz, signed_at timestamptz,
	signed_by text, answered_at timestamptz, answer text, kept_at timestamptz, slot text, destroyed_at timestamptz, witness text) LANGUAGE sql STABLE AS $$
	SELECT a.school, coalesce(s.name, a.school), CASE WHEN a.ended <> '' THEN a.ended WHEN d.rec_id IS NULL OR d.version <> a.version THEN 'sent' ELSE delivery_state(d) END,
		a.version, d.read_at, CASE WHEN d.signed_version = a.version THEN d.signed_at END, CASE WHEN d.signed_version = a.version THEN d.signed_by END,
		CASE WHEN d.answered_version = a.version THEN d.answered_at END, CASE WHEN d.answered_version = a.version THEN d.answer END,
		d.kept_at, d.slot, d.destroyed_at, d.witness
	FROM document_address a
	LEFT JOIN document_delivery d ON d.county = a.county AND d.document = a.document AND d.owner_school = a.school AND NOT d.deleted
	LEFT JOIN school s ON s.county = a.county AND s.code = a.school AND NOT s.deleted
	WHERE a.county = app_county() AND a.document = of ORDER BY a.school
$$;

-- A school is closed: what it has not been answered for (sent, signed, answered, returned) is its heir's from now on, who has it unless he had it
-- already, with the later of the old dues and a working day; without an heir nobody's. What was accepted or recalled stays as it is.
CREATE OR REPLACE FUNCTION document_school_closed(of_school text, heir text, OUT moved int, OUT ended int) LANGUAGE plpgsql AS $$
DECLARE
	papers uuid[];
	least timestamptz := workday_due(jg_now(), 1);
BEGIN
	SELECT coalesce(array_agg(a.document), '{}') INTO papers
	FROM document_address a
	LEFT JOIN document_delivery d ON d.county = a.county AND d.document = a.document AND d.owner_school = a.school AND NOT d.deleted
	WHERE a.county = app_county() AND a.school = of_school AND a.ended = ''
		AND NOT coalesce(d.version = a.version AND delivery_state(d) = 'accepted', false);
	UPDATE document_address SET ended = CASE WHEN heir = '' THEN 'ended' ELSE 'moved' END, done = false
	WHERE county = app_county() AND school = of_school AND document = ANY (papers);
	UPDATE document_task t SET closed = jg_now() WHERE t.county = app_county() AND t.school = of_school AND t.closed IS NULL
		AND t.document = ANY (papers) AND t.step IN ('receipt', 'feedback', 'judge');
	moved := CASE WHEN heir <> '' THEN cardinality(papers) ELSE 0 END;
	ended := CASE WHEN heir = '' THEN cardinality(papers) ELSE 0 END;
	IF heir = '' THEN
		RETURN;
	END IF;
	-- As late as the tasks of the closed one were last due.
	WITH old AS (
		SELECT a.document, a.version, a.drafter, a.urgency, a.closed, greatest(least, coalesce(x.receipt, a.receipt_due)) AS receipt,
			CASE WHEN a.feedback_due IS NOT NULL THEN greatest(least, coalesce(x.feedback, a.feedback_due)) END AS feedback
		FROM document_address a
		CROSS JOIN LATERAL (SELECT max(t.due) FILTER (WHERE t.step = 'receipt') AS receipt, max(t.due) FILTER (WHERE t.step = 'feedback') AS feedback
			FROM document_task t WHERE t.county = a.county AND t.document = a.document AND t.school = of_school) x
		WHERE a.county = app_county() AND a.school = of_school AND a.document = ANY (papers)),
	fresh AS (
		INSERT INTO document_address (county, document, school, version, receipt_due, feedback_due, drafter, urgency, closed)
		SELECT app_county(), o.document, heir, o.version, o.receipt, o.feedback, o.drafter, o.urgency, o.closed FROM old o
		ON CONFLICT DO NOTHING
		RETURNING document, receipt_due, feedback_due, closed)
	INSERT INTO document_task (county, document, step, principal, school, since, opened, due)
	SELECT app_county(), f.document, x.step, heir, heir, jg_now(), jg_now(), x.due
	FROM fresh f CROSS JOIN LATERAL (SELECT 'receipt' AS step, f.receipt_due AS due UNION ALL SELECT 'feedback', f.feedback_due WHERE f.feedback_due IS NOT NULL) x
	WHERE NOT f.closed;
END $$;
