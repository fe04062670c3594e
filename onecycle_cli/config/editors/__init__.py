"""What editors need to complete and check a configuration."""

from onecycle_cli.config.editors.json_schema import SCHEMA_FILE, json_schema, modeline

__all__ = ["SCHEMA_FILE", "json_schema", "modeline"]
