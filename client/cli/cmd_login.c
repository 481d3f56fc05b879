#include "jg.h"

int cmd_login(struct cli *c)
{
	int code = cli_login(c, NULL);

	return code ? code : cli_result(c, cli_session_json(c), 0);
}
