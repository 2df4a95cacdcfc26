"""Accounts of people: who may sign in, as what, and for how long."""

from service.accounts.account import Account, ApiToken, Role, Session

__all__ = ["Account", "ApiToken", "Role", "Session"]
