"""Site plans: images of an enterprise or unit with the places of its tags on them."""
