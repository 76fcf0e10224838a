/* SPDX-License-Identifier: Apache-2.0 */
/* One file of a replay: where reading goes on in it, and whether it is still the same. Private. */
#ifndef BB_HISTORY_H
#define BB_HISTORY_H

#include <backbone/buf.h>
#include <backbone/source.h>

#include <sys/stat.h>

#include "place.h"

struct bb_history {
	char *topic; /* file: and the path */
	bool opened, ended, gap, unreadable;
	bool placed; /* was opened once: the rest of this says where reading goes on */
	int fd;
	int64_t line;	       /* number of the next one */
	uint64_t start;	       /* of the next line, in the file */
	bool skipping;	       /* the rest of a line that was too long */
	bool unended;	       /* the line before had no line feed: the file ended there */
	struct bb_place last;  /* the line before, */
	bool has_last;	       /* if there is one; */
	bool is_hashed;	       /* else its bytes are in the block */
	struct stat seen;      /* when it was looked at last */
	struct bb_buf heading; /* its first record, where that names columns, */
	bool has_heading;      /* once that was read; it may be empty */
};

/* Opens it: the first time at the place that `resume` gives, later where reading was left. BB_OK,
 * BB_EGAP, BB_EIO. */
BB_MUST_CHECK int bb_history_open(struct bb_history *file, bb_resume_fn *resume, void *ctx,
				  struct bb_error *err);

/* Before reading on, when it was read up to `read_to`; `last` has its hash. *ret_is_replaced:
 * another file is under its path, and it is closed, to be opened again. As bb_history_open. */
BB_MUST_CHECK int bb_history_look(struct bb_history *file, uint64_t read_to, bool *ret_is_replaced,
				  struct bb_error *err);

/* Reads the heading of an open file if there is one, or checks that it is the same. BB_OK, BB_EGAP,
 * BB_EIO. */
BB_MUST_CHECK int bb_history_heading(struct bb_history *file, const struct bb_connector *connector,
				     struct bb_error *err);

/* Fill `err` and note it; return BB_EGAP, BB_EIO (with errno). */
int bb_history_gap(struct bb_history *file, const char *what, struct bb_error *err);
int bb_history_unreadable(struct bb_history *file, struct bb_error *err);

#endif
