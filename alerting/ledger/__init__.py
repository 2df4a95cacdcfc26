"""The relational database: tables, migrations, commits and reads."""
