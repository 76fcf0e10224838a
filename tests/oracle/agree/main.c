/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which documents are accepted: for each file that is named, a line with the file's name and
 * `accepted`, or the reason and the byte of the refusal. The reader and its oracle are both asked.
 *
 * Ends with 1 where they disagree, in the answer or in what they have read, or where a file cannot
 * be read.
 */
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"

#define FILE_BYTES_MAX (BB_MESSAGE_BYTES_MAX + 1)

static bool judge(const char *path, struct bb_text bytes)
{
	struct bb_buf got = BB_BUF_EMPTY, want = BB_BUF_EMPTY;
	struct bb_json_node root;
	struct bb_refusal refusal;
	struct bb_arena arena;
	bool same;

	oracle_print_document(bytes, bb_json_read_tree, &got);
	oracle_print_document(bytes, oracle_read, &want);
	same = bb_text_equal(bb_buf_slice(&got), bb_buf_slice(&want));
	bb_arena_init(&arena);
	if (!same)
		printf("%s differ\n", path);
	else if (bb_json_read_tree(bytes, &arena, &root, &refusal))
		printf("%s accepted\n", path);
	else
		printf("%s %s %lld\n", path, bb_dead_reason_text(refusal.reason),
		       (long long)refusal.byte_offset);
	bb_arena_fini(&arena);
	bb_buf_fini(&got);
	bb_buf_fini(&want);
	return same;
}

int main(int argc, char **argv)
{
	char *bytes = malloc(FILE_BYTES_MAX);
	bool good = bytes != NULL;
	FILE *file;
	size_t n;

	for (int i = 1; i < argc && bytes; i++) {
		file = fopen(argv[i], "rb");
		if (!file) {
			perror(argv[i]);
			good = false;
			continue;
		}
		n = fread(bytes, 1, FILE_BYTES_MAX, file);
		fclose(file);
		good &= judge(argv[i], bb_text_bytes(bytes, n));
	}
	free(bytes);
	return good ? 0 : 1;
}
