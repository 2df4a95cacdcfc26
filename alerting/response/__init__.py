"""Response (应急响应): who is told by which channel within what time, then whom; and what the cards tell them to do."""
