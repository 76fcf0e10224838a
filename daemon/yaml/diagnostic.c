/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collecting and printing mistakes, and guessing what was meant. A guess is the word with the
 * fewest changed, missing, additional or swapped letters, if they are at most a third of the longer
 * word; upper and lower case are the same here. Nothing fails; a word that is too long has no
 * guess.
 *
 * Files may be of any shape, so both the number of mistakes that are kept and the length of each
 * are bounded: what is told of a file is never much longer than the file.
 */
#include <backbone/yaml.h>

#include <stdarg.h>
#include <stdio.h>

#define WORD_MAX ((size_t)64)
#define PATH_BYTES_MAX ((size_t)300) /* of the file's content, in a message */
#define MESSAGE_BYTES_MAX ((size_t)1500)

void bb_diagnostic_print(const struct bb_diagnostic *diagnostic, struct bb_buf *buf)
{
	bb_buf_printf(buf, "%s:%u:%u: ", diagnostic->file, diagnostic->line, diagnostic->column);
	if (diagnostic->path && *diagnostic->path)
		bb_buf_printf(buf, "%s: ", diagnostic->path);
	bb_buf_printf(buf, "%s", diagnostic->message);
}

/* One line, as values and keys may hold line feeds; cut between two characters. */
static const char *keep(struct bb_diagnostics *diagnostics, struct bb_text text, size_t most)
{
	static const char cut[] = "...";
	char *p = bb_arena_zalloc(diagnostics->arena, (text.n < most ? text.n : most) + sizeof cut);
	size_t n = text.n;

	if (n > most)
		for (n = most; n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80;)
			n--;
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f ? '?' : text.p[i];
	if (n < text.n)
		memcpy(p + n, cut, sizeof cut);
	return p;
}

static void push(struct bb_diagnostics *diagnostics, const char *file, const struct bb_yaml *node,
		 struct bb_text path, struct bb_text message)
{
	struct bb_diagnostic item = {
		.file = bb_arena_copy(diagnostics->arena, bb_text_of(file)).p,
		.line = node ? node->line : 1,
		.column = node ? node->column : 1,
		.path = keep(diagnostics, path, PATH_BYTES_MAX),
		.message = keep(diagnostics, message, MESSAGE_BYTES_MAX),
	};

	BB_ARENA_PUSH(diagnostics->arena, diagnostics->items, diagnostics->n, diagnostics->room) =
		item;
}

void bb_yaml_complain(const char *file, const struct bb_yaml *node, const char *path,
		      struct bb_diagnostics *diagnostics, const char *fmt, ...)
{
	struct bb_buf message = BB_BUF_EMPTY;
	va_list args;

	if (++diagnostics->found > BB_DIAGNOSTICS_MAX + 1)
		return;
	if (diagnostics->found > BB_DIAGNOSTICS_MAX) {
		push(diagnostics, file, node, BB_TEXT(""),
		     BB_TEXT("there is more that is wrong, here and behind: mend what is told "
			     "first"));
		return;
	}
	va_start(args, fmt);
	bb_buf_vprintf(&message, fmt, args);
	va_end(args);
	push(diagnostics, file, node, bb_text_of(path ? path : ""), bb_buf_slice(&message));
	bb_buf_fini(&message);
}

bool bb_yaml_has_told(const struct bb_diagnostics *diagnostics)
{
	return diagnostics->found > BB_DIAGNOSTICS_MAX;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned d = a < b ? a : b;

	return d < c ? d : c;
}

/* Edits between two words of at most WORD_MAX bytes; a swap of neighbours is one. */
static unsigned distance(struct bb_text a, struct bb_text b)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2], *spare;

	for (size_t k = 0; k <= b.n; k++)
		above[k] = (unsigned)k;
	for (size_t i = 1; i <= a.n; i++) {
		row[0] = (unsigned)i;
		for (size_t k = 1; k <= b.n; k++) {
			char x = lower(a.p[i - 1]), y = lower(b.p[k - 1]);

			row[k] = least(above[k] + 1, row[k - 1] + 1, above[k - 1] + (x != y));
			if (i > 1 && k > 1 && x == lower(b.p[k - 2]) && y == lower(a.p[i - 2]))
				row[k] = least(row[k], row[k], before[k - 2] + 1);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b.n];
}

const char *bb_yaml_nearest(struct bb_text word, const char *const *words, size_t n)
{
	const char *nearest = NULL;
	unsigned best = 0;

	if (word.n == 0 || word.n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct bb_text candidate = bb_text_of(words[i]);
		size_t longer = candidate.n > word.n ? candidate.n : word.n;
		unsigned edits;

		if (candidate.n == 0 || candidate.n > WORD_MAX)
			continue;
		edits = distance(word, candidate);
		if (edits <= (longer + 2) / 3 && edits < longer && (!nearest || edits < best)) {
			nearest = words[i];
			best = edits;
		}
	}
	return nearest;
}
