A loyalty programme lets a person have three cards: an address joins three of them and refuses the fourth, the one whose
pair was seen longest ago.

namespaces:
  - {name: card, owner: true, per_profile: 3}
  - {name: email, normalise: email}
events:
  {"ids": ["card:A", "email:a@example.org"], "time": "2026-01-01T10:00:00Z"}
  {"ids": ["card:B", "email:a@example.org"], "time": "2026-01-02T10:00:00Z"}
  {"ids": ["card:C", "email:a@example.org"], "time": "2026-01-03T10:00:00Z"}
  {"ids": ["card:D", "email:a@example.org"], "time": "2026-01-04T10:00:00Z"}
views:
  {"ids": ["card:B x1", "card:C x1", "card:D x1", "email:a@example.org x3"], "events": 3}
  {"ids": ["card:A x1"], "events": 1}
counters: applied 4
