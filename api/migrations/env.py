"""Alembic runs this. The connection is given by api/store_migrate.py, which also keeps other workers out."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
