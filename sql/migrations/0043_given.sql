-- 办文 (A8.5): what was said with the words of an event (whom, until when, how many), as it was signed.
ALTER TABLE document_trace ADD COLUMN given text NOT NULL DEFAULT '';
