"""Change control (变更): a rule's figures are proposed, tried on history, approved, watched in shadow, put in force."""
