"""Accounts of people: who may sign in, as what, and for how long."""

from service.accounts.account import WHOLE_SITE, Account, ApiToken, Role, Scope, Session, unfit

__all__ = ["WHOLE_SITE", "Account", "ApiToken", "Role", "Scope", "Session", "unfit"]
