/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for libFuzzer where a corpus is only to be read once more: every file of the folders
 * (or the files) named as arguments becomes one input, each in a block of memory of exactly its
 * size, so that a sanitizer sees a byte read too many. A file that cannot be read, or no input at
 * all, ends it with 1; a bug found ends it as the sanitizer or the assertion does, after the name
 * of the input was printed.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;
	int err = -1;

	if (!file || fstat(fileno(file), &st) < 0)
		goto out;
	data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (!data || fread(data, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
		goto out;
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	err = 0;
out:
	if (err)
		perror(path);
	free(data);
	if (file)
		fclose(file);
	return err;
}

static int run_folder(const char *path, DIR *folder, size_t *ran)
{
	struct dirent *entry;
	char name[4096];

	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (run_file(name))
			return -1;
		*ran += 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t ran = 0;

	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);
		int err = folder ? run_folder(argv[i], folder, &ran) : run_file(argv[i]);

		if (folder)
			closedir(folder);
		else
			ran++;
		if (err)
			return 1;
	}
	printf("%zu inputs\n", ran);
	return ran == 0;
}
