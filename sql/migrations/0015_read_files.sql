-- Which files somebody has fetched is asked of the access log before he decides (transition_case.c): an index of these reads alone.
CREATE INDEX access_log_files ON access_log (county, user_id, purpose) WHERE method = 'Sync.GetBlob';
