-- What two people do at the same moment is done once: the second is first told BUSY, is judged again, and reads what the first has done.
-- A letter that is alive is registered once (DUPLICATE), and a task that waits for somebody waits for him once.
CREATE UNIQUE INDEX document_letter_once ON document (county, from_organ, their_no)
	WHERE kind = 'in' AND their_no IS NOT NULL AND state NOT IN ('refused', 'void');
DROP INDEX document_their_no;
CREATE UNIQUE INDEX document_task_once ON document_task (county, document, step, principal, school) WHERE closed IS NULL;
