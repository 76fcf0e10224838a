/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields that a connector's event rules name, under the names that an event has for them: for
 * who wants to know which of them come out. What members of a spread object will be is not known.
 * Cannot fail.
 */
#include "plan.h"

static void tell_rule(const struct bb_event_plan *plan, bb_field_fn *tell, void *ctx)
{
	const struct bb_expr *type = plan->type.n == 1 ? &plan->type.items[0] : NULL;
	struct bb_text of = {NULL, 0};

	if (type && type->kind == BB_EXPR_CONST)
		of = type->text;
	tell(ctx, of, BB_FIELD_TYPE, (struct bb_text){NULL, 0});
	for (size_t i = 0; i < plan->identify.n; i++)
		tell(ctx, of, BB_FIELD_IDENTIFIER, plan->identify.items[i].ns);
	for (size_t i = 0; i < plan->same.n; i++)
		tell(ctx, of, BB_FIELD_IDENTIFIER, plan->same.items[i].ns);
	for (size_t i = 0; i < plan->attributes.n; i++)
		tell(ctx, of, BB_FIELD_ATTRIBUTE, plan->attributes.items[i].name);
	for (size_t i = 0; i < plan->once.n; i++)
		tell(ctx, of, BB_FIELD_ATTRIBUTE, plan->once.items[i].name);
	if (plan->time.n)
		tell(ctx, of, BB_FIELD_TIME, (struct bb_text){NULL, 0});
	if (plan->amount.value.n)
		tell(ctx, of, BB_FIELD_AMOUNT, (struct bb_text){NULL, 0});
	if (plan->consent.n)
		tell(ctx, of, BB_FIELD_CONSENT, (struct bb_text){NULL, 0});
}

void bb_connector_fields(const struct bb_connector *connector, bb_field_fn *tell, void *ctx)
{
	for (size_t i = 0; i < connector->events.n; i++)
		if (!connector->events.items[i].ruling.kind.n)
			tell_rule(&connector->events.items[i], tell, ctx);
}
