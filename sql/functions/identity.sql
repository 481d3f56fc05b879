-- Accounts (security.md "Passwords", "Three admins").

-- Under which name wrong passwords are counted: what was typed may be an ID number or a child's name, and nothing keeps that.
CREATE OR REPLACE FUNCTION login_key(typed text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM user_account u WHERE u.county = app_county() AND u.user_id = typed) THEN typed
		ELSE 'sha256:' || encode(sha256(convert_to(typed, 'UTF8')), 'hex') END
$$;

-- The people of an administrator's role, as a refusal names them.
CREATE OR REPLACE FUNCTION people_of_role(wanted int) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce(string_agg(u.name, '、' ORDER BY u.user_id), '') FROM user_account u
	WHERE u.county = app_county() AND NOT u.disabled AND wanted = ANY (u.roles)
$$;

-- Which role grants it (options.proto): 系统 asks and 安全 grants, or the other way round; 审计 stands in where the only one who could
-- grant is the one it is about.
CREATE OR REPLACE FUNCTION granting_role(asker text, of_user text) RETURNS int LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM user_account o WHERE o.county = app_county() AND NOT o.disabled AND other.role = ANY (o.roles) AND o.user_id <> of_user)
		THEN other.role ELSE 23 END
	FROM user_account a, LATERAL (SELECT CASE WHEN 21 = ANY (a.roles) THEN 22 ELSE 21 END AS role) other
	WHERE a.county = app_county() AND a.user_id = asker
$$;
