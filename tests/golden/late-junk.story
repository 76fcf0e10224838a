The shop's own address is typed in for customers who give none. At first it glues telephones together; once it comes with
more than two of them it is shared, links nobody any more, and every customer is alone again, by itself.

namespaces:
  - {name: phone, normalise: none}
  - {name: email, normalise: email, links: 2}
events:
  {"ids": ["phone:+331", "email:till@shop.example"], "time": "2026-01-01T10:00:00Z", "attributes": {"name": "Ann"}}
  {"ids": ["phone:+332", "email:till@shop.example"], "time": "2026-01-02T10:00:00Z", "attributes": {"name": "Ben"}}
  {"ids": ["phone:+333", "email:till@shop.example"], "time": "2026-01-03T10:00:00Z", "attributes": {"name": "Cid"}}
  {"ids": ["phone:+331"], "time": "2026-01-04T10:00:00Z"}
views:
  {"ids": ["phone:+331 x2"], "attributes": {"name": "Ann"}, "events": 2}
  {"ids": ["phone:+332 x1"], "attributes": {"name": "Ben"}}
  {"ids": ["phone:+333 x1"], "attributes": {"name": "Cid"}}
  {"ids": ["email:till@shop.example x0 shared"], "events": 0, "attributes": {}, "recent": []}
counters: applied 4
