-- 办文办会 (A8): what the handlers of server/services/documents read and write in one statement.

-- By id or number. Statements compare with (SELECT document_find(…)): found once, whatever the plan. For the same reason a list joins first, in a
-- materialized part, and asks who may read afterwards: without statistics a planner looks through a table again for each row of another, and asks each time.
CREATE OR REPLACE FUNCTION document_find(of text) RETURNS uuid LANGUAGE sql STABLE AS $$
	SELECT d.id FROM document d WHERE d.county = app_county()
		AND CASE WHEN of ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN d.id = of::uuid ELSE d.number = of END
$$;

-- The next number of a series, under the lock of its row until the transaction ends: what is rolled back was never given.
CREATE OR REPLACE FUNCTION document_number_take(of_series text, of_year int) RETURNS int LANGUAGE sql AS $$
	INSERT INTO document_counter AS c (county, series, year, n) VALUES (app_county(), of_series, of_year, 1)
	ON CONFLICT (county, series, year) DO UPDATE SET n = c.n + 1 RETURNING n
$$;

-- Who stands in for whom now: in force from when it was added, on its dates, both included.
CREATE OR REPLACE FUNCTION delegations_now() RETURNS TABLE (from_user text, to_user text) LANGUAGE sql STABLE AS $$
	SELECT g.from_user, g.to_user FROM delegation g
	WHERE g.county = app_county() AND g.ended_at IS NULL AND g.added_at <= jg_now() AND jg_today() BETWEEN g.begin_on AND g.end_on
$$;

-- Who has a task now: the principal, of a desk its holder, or who stands in for him.
CREATE OR REPLACE FUNCTION document_with(principal text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce((SELECT g.to_user FROM delegations_now() g WHERE g.from_user = p.person LIMIT 1), p.person)
	FROM (SELECT CASE WHEN principal LIKE '@%' THEN coalesce((SELECT k.holder FROM document_desk k
		WHERE k.county = app_county() AND k.name = substr(principal, 2) ORDER BY k.set_at DESC LIMIT 1), '') ELSE principal END AS person) p
$$;

-- Whether somebody has, or had, to do with a paper.
CREATE OR REPLACE FUNCTION document_is_in(of uuid, who text) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM document_task t WHERE t.county = app_county() AND t.document = of AND (who = t.principal
			OR t.closed IS NULL AND document_with(t.principal) = who))
		OR EXISTS (SELECT FROM document_trace t WHERE t.county = app_county() AND t.document = of AND who IN (t.by_user, t.for_user))
$$;

-- The distinct single and paired characters of a text, as numbers: a term is part of a text only where all of its own are the text's. document.grams
-- keeps them, so the numbers never change: minus the code point, or of a pair 2^21 times the first and the second, by a prime.
CREATE OR REPLACE FUNCTION document_grams(of text) RETURNS int[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
	WITH c AS (SELECT ascii(u.c)::bigint AS c, ascii(lead(u.c) OVER (ORDER BY u.n)) AS next FROM unnest(string_to_array(of, NULL)) WITH ORDINALITY AS u (c, n))
	SELECT coalesce(array_agg(DISTINCT g.g), '{}') FROM (SELECT -c.c::int FROM c
		UNION ALL SELECT ((c.c * 2097152 + c.next) % 2147483647)::int FROM c WHERE c.next IS NOT NULL) AS g (g)
$$;

-- Papers that hold all of the terms, in the form of common/rules/normal_form.h. By the index of their characters where PostgreSQL may use it before
-- the table's policy (server/README.md "What an index may be asked"), else reading through: the answer is the same.
CREATE OR REPLACE FUNCTION document_found(terms text[]) RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF (SELECT p.proleakproof FROM pg_proc p WHERE p.oid = 'arraycontains(anyarray,anyarray)'::regprocedure) THEN
		RETURN QUERY SELECT d.id FROM document d WHERE d.county = app_county()
			AND d.grams @> (SELECT array_agg(DISTINCT g) FROM unnest(terms) AS q (term), unnest(document_grams(q.term)) AS g)
			AND (SELECT bool_and(strpos(d.search, q.term) > 0) FROM unnest(terms) AS q (term));
	ELSE
		RETURN QUERY SELECT d.id FROM document d WHERE d.county = app_county()
			AND (SELECT bool_and(strpos(d.search, q.term) > 0) FROM unnest(terms) AS q (term));
	END IF;
END
$$;

-- 内部, 工作秘密: the desks, the head, and who had a task in it.
CREATE OR REPLACE FUNCTION document_may_read(of uuid, mark text, who text) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT mark = '' OR document_is_in(of, who) OR EXISTS (SELECT FROM (SELECT DISTINCT ON (k.name) k.holder, k.deputy FROM document_desk k
		WHERE k.county = app_county() ORDER BY k.name, k.set_at DESC) k WHERE who IN (k.holder, k.deputy))
$$;

-- What became of a year's numbers, of papers and of meetings: one that is closed has nothing that could be archived but its papers, which are counted themselves. How many were given is asked of the counters, so that a paper that is not there is missed.
CREATE OR REPLACE FUNCTION document_reconcile(of_year int)
RETURNS TABLE (registered int, archived int, still_open int, void int, refused int) LANGUAGE sql STABLE AS $$
	SELECT (SELECT coalesce(sum(c.n), 0)::int FROM document_counter c WHERE c.county = app_county() AND c.year = of_year
			AND (c.series IN ('收', '电', '会') OR EXISTS (SELECT FROM document_series s WHERE s.county = c.county AND s.series = c.series))),
		(count(*) FILTER (WHERE d.state = 'archived'))::int,
		(count(*) FILTER (WHERE d.state NOT IN ('archived', 'void', 'refused')))::int,
		(count(*) FILTER (WHERE d.state = 'void'))::int,
		(count(*) FILTER (WHERE d.state = 'refused'))::int
	FROM (SELECT d.state FROM document d WHERE d.county = app_county() AND d.year = of_year AND d.number IS NOT NULL
		UNION ALL SELECT CASE m.state WHEN 'closed' THEN 'archived' WHEN 'cancelled' THEN 'void' ELSE m.state END
		FROM meeting m WHERE m.county = app_county() AND m.year = of_year) d
$$;

-- What was done from a moment to another: papers that came in, went out, were finished, went into the archive, each once however often.
CREATE OR REPLACE FUNCTION document_month(from_at timestamptz, to_at timestamptz)
RETURNS TABLE (received int, issued int, closed int, archived int) LANGUAGE sql STABLE AS $$
	SELECT (count(DISTINCT t.document) FILTER (WHERE t.event = 'register'))::int,
		(count(DISTINCT t.document) FILTER (WHERE t.event = 'issue'))::int,
		(count(DISTINCT t.document) FILTER (WHERE t.event = 'close' OR t.state = 'done' AND t.event IN ('approve', 'read')))::int,
		(count(DISTINCT t.document) FILTER (WHERE t.event = 'archive'))::int
	FROM document_trace t WHERE t.county = app_county() AND t.at >= from_at AND t.at < to_at
$$;

-- Whose blob a file of a paper is, for whom asks: '' the bureau's, of an answer the school's; NULL: he may not read it, or it is not there.
CREATE OR REPLACE FUNCTION document_file_of(of text, of_sha bytea, answered_by text, who text, caller_school text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN caller_school <> '' THEN (SELECT '' FROM document_file f WHERE f.county = app_county() AND f.document::text = of AND f.sha = of_sha LIMIT 1)
		WHEN NOT (SELECT document_may_read(d.id, d.mark, who) FROM document d WHERE d.county = app_county() AND d.id = document_find(of)) THEN NULL
		WHEN answered_by <> '' THEN (SELECT d.owner_school FROM document_delivery d WHERE d.county = app_county() AND d.document = document_find(of)
			AND d.owner_school = document_file_of.answered_by AND strpos(d.answer, encode(of_sha, 'hex')) > 0 AND NOT d.deleted)
		ELSE (SELECT '' FROM document_file f WHERE f.county = app_county() AND f.document = document_find(of) AND f.sha = of_sha LIMIT 1)
		END
$$;

-- What is done to the orders on a paper, to the meeting whose notice or minutes it is, and to the orders on that, as it was signed.
CREATE OR REPLACE FUNCTION document_matters(of uuid)
RETURNS TABLE (entry int, at timestamptz, state text, intent text, intent_sig bytea, device uuid, sig bytea, matter uuid, number text, words text, given text)
LANGUAGE sql STABLE AS $$
	WITH m AS (SELECT x.id, x.number FROM meeting x WHERE x.county = app_county() AND document_matters.of IN (x.notice, x.minutes)),
	o AS (SELECT x.id, x.number FROM document_order x WHERE x.county = app_county() AND (x.matter = document_matters.of OR x.matter IN (SELECT m.id FROM m)))
	SELECT e.entry, e.at, e.state, e.intent, e.intent_sig, e.device, e.sig, o.id, o.number, e.text, e.given
	FROM o JOIN document_order_event e ON e.county = app_county() AND e.order_id = o.id WHERE e.entry IS NOT NULL
	UNION ALL SELECT e.entry, e.at, e.state, e.intent, e.intent_sig, e.device, e.sig, m.id, m.number, e.text, e.given
	FROM m JOIN meeting_event e ON e.county = app_county() AND e.meeting = m.id WHERE e.entry IS NOT NULL
	ORDER BY 9, 8, 1
$$;

-- What schools have signed of a paper that was sent to them, and their answers.
CREATE OR REPLACE FUNCTION document_copies(of uuid) RETURNS TABLE (school text, event text, said text, intent text, sig bytea, device uuid) LANGUAGE sql STABLE AS $$
	SELECT d.owner_school, x.event, x.said, x.intent, x.sig, substring(x.intent FROM E'\ndevice=([0-9a-f-]{36})\n')::uuid
	FROM document_delivery d
	CROSS JOIN LATERAL (VALUES (1, 'read', '', d.read_intent, d.read_sig), (2, 'sign', '', d.signed_intent, d.signed_sig),
		(3, 'answer', coalesce(d.answer, ''), d.answered_intent, d.answered_sig)) x (n, event, said, intent, sig)
	WHERE d.county = app_county() AND d.document = document_copies.of AND NOT d.deleted AND x.sig IS NOT NULL
	ORDER BY d.owner_school, x.n
$$;
