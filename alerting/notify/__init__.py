"""Notification: messages to people, by channels, from an outbox that is written in the same commit as their cause."""
