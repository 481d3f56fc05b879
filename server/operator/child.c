#include "child.h"

#include "lang.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOUSE "/usr/lib/postgresql/"

extern char **environ;

void child_clean_environment(void)
{
	char name[64];

	for (char **at = environ; *at;) {
		if (strncmp(*at, "PG", 2) != 0) {
			at++;
			continue;
		}
		snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
		if (strlen(name) == sizeof name - 1 || unsetenv(name))
			at++; /* longer than any that libpq reads */
		else
			at = environ;
	}
	/* Of several hosts the primary, also in pg_dump and pg_restore. A backup of a standby would lack the
	 * last writes, a pull from one would be old. The operator's URL may say otherwise. */
	setenv("PGTARGETSESSIONATTRS", "read-write", 1);
	setenv("PGCONNECT_TIMEOUT", "5", 1);
}

enum err child_program(const char *name, int major, char *out, size_t size, struct problem *p)
{
	glob_t found;
	char pattern[128], hint[80];
	int best = 0;

	snprintf(pattern, sizeof pattern, HOUSE "*/bin/%s", name);
	int r = glob(pattern, 0, NULL, &found);
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
		int version = (int)strtol(found.gl_pathv[i] + strlen(HOUSE), NULL, 10);
		if ((major && version != major) || version <= best)
			continue;
		best = version;
		snprintf(out, size, "%s", found.gl_pathv[i]);
	}
	globfree(&found);
	if (best)
		return ERR_OK;
	snprintf(hint, sizeof hint, "apt-get install postgresql-%d", major ? major : 15);
	if (!major)
		return problem_set(
			p, ERR_NOT_FOUND, "postgresql", hint, _("没有安装 PostgreSQL（%s）"), name);
	return problem_set(
		p, ERR_NOT_FOUND, "postgresql", hint, _("没有安装 PostgreSQL %d（%s）"), major, name);
}

bool child_run(const char *dir, const char *log, const char *const argv[], const char *password)
{
	char home[512], secret[300];
	const char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8",
		"PGTARGETSESSIONATTRS=read-write", "PGCONNECT_TIMEOUT=5", home,
		password && *password ? secret : NULL, NULL};

	snprintf(secret, sizeof secret, "PGPASSWORD=%s", password ? password : "");
	snprintf(home, sizeof home, "HOME=%s", getenv("HOME") ? getenv("HOME") : "/");
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		setsid(); /* a Ctrl-C for jgd must not reach the postmaster: jgd stops it in order */
		prctl(PR_SET_PDEATHSIG,
			SIGKILL); /* a jgd that is killed leaves no initdb writing under the next one */
		if (chdir(dir) == 0 && getppid() == parent)
			execve(argv[0], (char *const *)(uintptr_t)argv,
				(char *const *)(uintptr_t)environment);
		_exit(127);
	}
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void child_last_line(const char *log, char *out, size_t size)
{
	char line[512];
	FILE *in = fopen(log, "re");

	*out = 0;
	while (in && fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = 0;
		if (*line)
			snprintf(out, size, "%s", line);
	}
	if (in)
		fclose(in);
}
