"""What things are: events, measures, KPIs, policies, records."""
