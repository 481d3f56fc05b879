/* Runs every file of the directories and files named on the command line through a fuzzer's function, in a
 * build without libFuzzer: the committed corpus is then an ordinary test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int file_replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *bytes;

	if (!f || fstat(fileno(f), &st) || !(bytes = malloc((size_t)st.st_size + 1))) {
		perror(path);
		if (f)
			fclose(f);
		return 0;
	}
	size_t n = fread(bytes, 1, (size_t)st.st_size, f);
	fclose(f);
	LLVMFuzzerTestOneInput(bytes, n);
	free(bytes);
	return 1;
}

static int directory_replay(const char *path)
{
	DIR *dir = opendir(path);
	int done = 0;
	char name[4096];

	if (!dir)
		return file_replay(path);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		done += file_replay(name);
	}
	closedir(dir);
	return done;
}

int main(int argc, char **argv)
{
	int done = 0;

	for (int i = 1; i < argc; i++)
		done += directory_replay(argv[i]);
	printf("%d inputs\n", done);
	return done == 0;
}
