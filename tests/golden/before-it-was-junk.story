The same as late-junk, one customer earlier: with two telephones the address still links, and they are one profile. The
two stories differ in one event only.

namespaces:
  - {name: phone, normalise: none}
  - {name: email, normalise: email, links: 2}
events:
  {"ids": ["phone:+331", "email:till@shop.example"], "time": "2026-01-01T10:00:00Z", "attributes": {"name": "Ann"}}
  {"ids": ["phone:+332", "email:till@shop.example"], "time": "2026-01-02T10:00:00Z", "attributes": {"name": "Ben"}}
  {"ids": ["phone:+331"], "time": "2026-01-04T10:00:00Z"}
views:
  {"ids": ["phone:+331 x2", "phone:+332 x1", "email:till@shop.example x2"], "attributes": {"name": "Ben"}, "events": 3}
counters: applied 3
