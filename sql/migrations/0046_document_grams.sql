-- 办文 (A8.7): by which papers a search looks: what document_grams (sql/functions/documents.sql) says of what a paper is found by.
ALTER TABLE document ADD COLUMN grams int[] NOT NULL DEFAULT '{}';
CREATE INDEX document_grams_at ON document USING gin (grams);
ALTER TABLE document NO FORCE ROW LEVEL SECURITY; -- a migration is of all counties
UPDATE document d SET grams = (SELECT coalesce(array_agg(DISTINCT g.g), '{}') FROM (
	WITH c AS (SELECT ascii(u.c)::bigint AS c, ascii(lead(u.c) OVER (ORDER BY u.n)) AS next FROM unnest(string_to_array(d.search, NULL)) WITH ORDINALITY AS u (c, n))
	SELECT -c.c::int FROM c UNION ALL SELECT ((c.c * 2097152 + c.next) % 2147483647)::int FROM c WHERE c.next IS NOT NULL) AS g (g));
ALTER TABLE document FORCE ROW LEVEL SECURITY;
