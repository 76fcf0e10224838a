A family shares one address, and each has a card of their own. With 'owners: 1' the daemon does not guess whose it is: the
address links nobody as soon as a second card comes with it.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email, owners: 1}
events:
  {"ids": ["card:MUM", "email:family@example.org"], "time": "2026-01-01T10:00:00Z", "attributes": {"name": "Mia"}}
  {"ids": ["card:DAD", "email:family@example.org"], "time": "2026-01-02T10:00:00Z", "attributes": {"name": "Dan"}}
  {"ids": ["email:family@example.org"], "time": "2026-01-03T10:00:00Z", "type": "newsletter_opened"}
views:
  {"ids": ["card:MUM x1"], "attributes": {"name": "Mia"}}
  {"ids": ["card:DAD x1"], "attributes": {"name": "Dan"}}
  {"ids": ["email:family@example.org x1 shared"], "activity": {"newsletter_opened": {"events": 1, "first": "2026-01-03T10:00:00.000Z", "last": "2026-01-03T10:00:00.000Z"}}}
counters: applied 3
