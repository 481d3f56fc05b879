#include "case_files.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "hash.h"
#include "lang.h"
#include "tables.h"
#include "text.h"

extern char **environ;

enum err case_fetch(struct link *link, const pb_case_file *file, const char *dir,
	char path[RECEIVED_PATH_SIZE], struct problem *p)
{
	pb_blob_get q = PB_BLOB_GET_INIT;

	q.has_sha = q.has_from = 1;
	q.sha = file->sha;
	if (file->sha.len != HASH_SIZE)
		return problem_set(p, ERR_PROTOCOL, "sha", NULL, NULL);
	return download_file(link,
		&(struct download){METHOD_SYNC_GET_BLOB, &q.base, &q.from, file->sha.data, file->name}, dir,
		path, p);
}

/* ---- looking ---- */

bool case_open(const char *path)
{
	static const char *const kinds[] = {
		".pdf", ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".txt"};
	const char *dot = strrchr(path, '.');
	char *argv[] = {"xdg-open", (char *)(uintptr_t)path, NULL};
	posix_spawn_file_actions_t quiet;
	bool known = false;
	pid_t pid;

	for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
		known |= strcasecmp(dot, kinds[i]) == 0;
	if (!known || posix_spawn_file_actions_init(&quiet))
		return false;
	posix_spawn_file_actions_addopen(&quiet, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	/* not waited for: a viewer stays open */
	int error = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&quiet);
	return error == 0;
}

void case_file_cell(const struct cli *c, const char *name, char *out, size_t size)
{
	char stem[256], masked[256];
	const char *dot = strrchr(name, '.');

	if (c->reveal) {
		text_printable(out, size, name);
		return;
	}
	snprintf(stem, sizeof stem, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
	stem[text_utf8_prefix(stem, strlen(stem))] = 0;
	if (text_mask_name(masked, sizeof masked, stem))
		snprintf(masked, sizeof masked, "*");
	snprintf(out, size, "%s%s", masked, dot ? dot : "");
}
