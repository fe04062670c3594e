"""The charts of a report, in Vega-Lite: a record becomes one, or several records do."""
