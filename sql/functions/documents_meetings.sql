-- 办会: meetings, and what schools say of those that they are asked to.

-- By id or number.
CREATE OR REPLACE FUNCTION meeting_find(of text) RETURNS uuid LANGUAGE sql STABLE AS $$
	SELECT m.id FROM meeting m WHERE m.county = app_county()
		AND CASE WHEN of ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN m.id = of::uuid ELSE m.number = of END
$$;

-- What tasks and orders hang on.
CREATE OR REPLACE FUNCTION matter_find(of text) RETURNS uuid LANGUAGE sql STABLE AS $$
	SELECT coalesce(document_find(of), meeting_find(of))
$$;

CREATE OR REPLACE FUNCTION meeting_event_add(of uuid, of_event text, of_by text, of_for text, of_text text, of_state text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO meeting_event (county, meeting, n, event, by_user, for_user, at, text, state)
	SELECT app_county(), of, 1 + (SELECT count(*) FROM meeting_event e WHERE e.county = app_county() AND e.meeting = of), of_event, of_by, nullif(of_for, ''), jg_now(), of_text, of_state
$$;

-- Nobody owes anything of it any more, but of the orders on it.
CREATE OR REPLACE FUNCTION meeting_end_tasks(of uuid) RETURNS void LANGUAGE sql AS $$
	UPDATE document_task t SET closed = jg_now() WHERE t.county = app_county() AND t.document = of AND t.closed IS NULL AND t.of_order IS NULL
$$;

-- Schools' records of it are to be made so, for those that are asked to it.
CREATE OR REPLACE FUNCTION meeting_tell(of uuid) RETURNS void LANGUAGE sql AS $$
	UPDATE meeting_invite i SET done = false WHERE i.county = app_county() AND i.meeting = of
$$;

-- The minutes of a meeting that was held are its planner's.
CREATE OR REPLACE FUNCTION meeting_open_minutes(of uuid) RETURNS void LANGUAGE sql AS $$
	INSERT INTO document_task (county, document, step, principal, school, since, opened, due)
	SELECT app_county(), of, 'minutes', m.planner, '', jg_now(), jg_now(), workday_due(jg_now(), document_days('minutes', '3/3/3', '平件'))
	FROM meeting m WHERE m.county = app_county() AND m.id = of
$$;

-- A paper was issued: the notice of a meeting asks its schools, the minutes end it. A day that was said for the replies is their due; one that is asked again after
-- it gets a working day.
CREATE OR REPLACE FUNCTION meeting_paper_issued(paper uuid, by_user text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	m meeting;
	asked text[];
BEGIN
	SELECT * INTO m FROM meeting x WHERE x.county = app_county() AND (x.notice = paper AND x.state = 'approved' OR x.minutes = paper AND x.state = 'held') FOR UPDATE;
	IF m.id IS NULL THEN
		RETURN;
	END IF;
	IF m.minutes = paper THEN
		UPDATE meeting SET state = 'minuted' WHERE county = app_county() AND id = m.id;
		PERFORM meeting_end_tasks(m.id);
		PERFORM meeting_event_add(m.id, 'minutes_issued', by_user, '', '', 'minuted');
		RETURN;
	END IF;
	UPDATE meeting SET state = 'noticed', round = round + 1 WHERE county = app_county() AND id = m.id;
	-- One that was closed meanwhile is not asked.
	asked := array(SELECT s.code FROM school s WHERE s.county = app_county() AND NOT s.deleted AND s.code = ANY (m.schools) ORDER BY s.code);
	INSERT INTO meeting_invite (county, meeting, school) SELECT app_county(), m.id, s FROM unnest(asked) s ON CONFLICT DO NOTHING;
	INSERT INTO document_task (county, document, step, principal, school, since, opened, due)
	SELECT app_county(), m.id, 'reply', s, s, jg_now(), jg_now(), meeting_reply_due(m) FROM unnest(asked) s ON CONFLICT DO NOTHING;
	PERFORM meeting_tell(m.id);
	PERFORM meeting_event_add(m.id, 'notice_issued', by_user, '', '', 'noticed');
END $$;

CREATE OR REPLACE FUNCTION meeting_reply_due(m meeting) RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN m.reply_due IS NULL THEN workday_due(jg_now(), document_days('reply', '2/1/0', '平件'))
		WHEN m.reply_due < jg_today() THEN workday_due(jg_now(), document_setting_now('back', '1')::int)
		ELSE (m.reply_due + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' END
$$;

-- A reply is to the asking that stands; who signs in has the code, says when, and brings it within a day. Neither is taken back.
CREATE OR REPLACE FUNCTION school_meeting_guard(ords int[], schools text[], ids uuid[], bodies jsonb[])
RETURNS TABLE (ord int, shared_with text, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, NULL, r.code, r.field, r.message
	FROM unnest(ords, schools, ids, bodies) AS u (ord, school, id, body)
	LEFT JOIN school_meeting s ON s.county = app_county() AND s.rec_id = u.id AND NOT s.deleted
	LEFT JOIN meeting m ON m.county = s.county AND m.id = s.meeting
	CROSS JOIN LATERAL (SELECT (u.body->>'replied_at') IS NOT NULL AS replies, (u.body->>'signed_at') IS NOT NULL AS signs,
		(u.body->>'signed_at')::timestamptz AS at) w
	CROSS JOIN LATERAL (
		SELECT 'NOT_FOUND' AS code, 'meeting' AS field, '没有找到这个会议' AS message WHERE m.id IS NULL
		UNION ALL SELECT 'NOT_NOW', 'reply', '回执和签到不能撤回' WHERE u.body ? 'replied_at' AND NOT w.replies OR u.body ? 'signed_at' AND NOT w.signs
		UNION ALL SELECT 'NOT_NOW', 'reply', CASE m.state WHEN 'cancelled' THEN '会议已经取消' WHEN 'approved' THEN '会议改期了：收到新通知再回执' ELSE '会议已经开过' END
			WHERE w.replies AND m.state <> 'noticed'
		UNION ALL SELECT 'STALE', 'reply', '会议改期了：看过新的时间地点再回执' WHERE w.replies AND m.state = 'noticed' AND (u.body->>'replied_round')::int IS DISTINCT FROM m.round
		UNION ALL SELECT 'RULE', 'reply', '回执是参加、请假或派人参加' WHERE w.replies AND coalesce(u.body->>'reply', '') NOT IN ('attend', 'leave', 'substitute')
		UNION ALL SELECT 'RULE', 'reply_who', '派人参加要写派谁' WHERE w.replies AND u.body->>'reply' = 'substitute' AND coalesce(u.body->>'reply_who', '') = ''
		UNION ALL SELECT 'NOT_NOW', 'signed_at', '会议已经取消，或还没有通知' WHERE w.signs AND m.state NOT IN ('noticed', 'held', 'minuted', 'closed')
		UNION ALL SELECT 'RULE', 'sign_code', f.fault FROM (SELECT meeting_sign_in_fault(m, u.body->>'sign_code', w.at) AS fault) f WHERE w.signs AND f.fault IS NOT NULL) r
	WHERE u.body IS NOT NULL
$$;

-- Why somebody cannot have signed in so; NULL: he can (R24).
CREATE OR REPLACE FUNCTION meeting_sign_in_fault(m meeting, typed text, claimed timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN typed IS DISTINCT FROM m.code THEN '签到码不对'
		WHEN claimed < m.start_at - interval '60 minutes' OR claimed > m.end_at THEN '会前一小时到散会之间才能签到'
		WHEN jg_now() > claimed + interval '24 hours' OR claimed > jg_now() + interval '5 minutes' THEN '签到要在二十四小时内送到县局' END
$$;

CREATE OR REPLACE FUNCTION school_meeting_applied(schools text[], ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO meeting_reply (county, meeting, school, round, reply, who, at)
	SELECT s.county, s.meeting, s.owner_school, s.replied_round, s.reply, coalesce(s.reply_who, ''), s.replied_at
	FROM school_meeting s WHERE s.county = app_county() AND s.rec_id = ANY (ids) AND s.replied_at IS NOT NULL
		AND NOT EXISTS (SELECT FROM meeting_reply x WHERE x.county = s.county AND x.meeting = s.meeting AND x.school = s.owner_school AND x.at = s.replied_at);
	UPDATE document_task t SET closed = jg_now() FROM school_meeting s JOIN meeting m ON m.county = s.county AND m.id = s.meeting
	WHERE s.county = app_county() AND s.rec_id = ANY (ids) AND t.county = s.county AND t.document = s.meeting AND t.step = 'reply' AND t.school = s.owner_school AND t.closed IS NULL
		AND s.replied_round = m.round;
	INSERT INTO meeting_sign_in (county, meeting, who, day, at, brought)
	SELECT s.county, s.meeting, s.owner_school, (m.start_at AT TIME ZONE 'Asia/Shanghai')::date, s.signed_at, jg_now()
	FROM school_meeting s JOIN meeting m ON m.county = s.county AND m.id = s.meeting
	WHERE s.county = app_county() AND s.rec_id = ANY (ids) AND s.signed_at BETWEEN m.start_at - interval '60 minutes' AND m.end_at ON CONFLICT DO NOTHING;
END $$;
