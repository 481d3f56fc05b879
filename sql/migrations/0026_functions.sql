-- A function has its home in sql/functions and is not defined here again; one that goes is dropped by a migration. Nobody calls this one.
DROP FUNCTION transition_dest_school(int, text, text, text, text);
