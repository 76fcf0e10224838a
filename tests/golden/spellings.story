One telephone and one address in four spellings: one person. What cannot be made canonical is left out, and the rest of the
event counts.

namespaces:
  - {name: email, normalise: email}
  - {name: phone, normalise: phone, region: FR}
events:
  {"ids": ["phone:01 99 00 01 23", "email:Ann@Example.ORG"], "time": "2026-01-01T10:00:00Z"}
  {"ids": ["phone:+33 1 99 00 01 23"], "time": "2026-01-02T10:00:00Z"}
  {"ids": ["phone:0033199000123", "email:not an address"], "time": "2026-01-03T10:00:00Z"}
  {"ids": ["email: ann@example.org "], "time": "2026-01-04T10:00:00Z"}
  {"ids": ["phone:12"], "time": "2026-01-05T10:00:00Z"}
views:
  {"ids": ["email:ann@example.org x2", "phone:+33199000123 x3"], "events": 4}
counters: applied 4, no_identifier 1
